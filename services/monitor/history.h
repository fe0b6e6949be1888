/* history.h - the last looks at one sandbox, a ring.
 *
 * Grows as looks come, up to its bound; then, and when there is no memory, the oldest go. Owned by
 * the loop thread.
 */
#pragma once

#include "monitor/rules.h"

#include <stddef.h>

/* Zeroed but for bound is a valid empty one. */
struct history {
    struct look *looks;
    size_t bound; /* at least 1 */
    size_t room, count;
    size_t next; /* where the next one goes */
};

/* Keeps a copy. Without memory for even one look nothing is kept. */
void history_add(struct history *history, const struct look *look);

/* The look `back` looks before the newest (0), or NULL. Valid until the next change. */
const struct look *history_at(const struct history *history, size_t back);

/* Frees and empties; fine on an empty one. */
void history_close(struct history *history);
