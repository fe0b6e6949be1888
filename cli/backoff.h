/* backoff.h - when a service that ended is started again: a decision without a clock of its own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_LAST_MS = 5000,
    BACKOFF_GOOD_LIFE_MS = 30000, /* after living so long the first pause holds again */
    BACKOFF_EXITS = 5,            /* so many ends within the next figure are enough */
    BACKOFF_WITHIN_MS = 30000
};

/* Zeroed: a service that never ended. */
struct backoff {
    int64_t exits_ms[BACKOFF_EXITS]; /* when it ended, a ring */
    unsigned count;                  /* of all ends */
    int64_t pause_ms;                /* before the last start */
};

/* Takes note of an end.
 *
 *   now_ms, lived_ms   from the same steady clock
 *   pause_ms           out: how long to wait before the next start
 *
 * False when it has ended BACKOFF_EXITS times within BACKOFF_WITHIN_MS: give up. */
bool backoff_next(struct backoff *backoff, int64_t now_ms, int64_t lived_ms, int64_t *pause_ms);
