/* refusals.h - which refusals have been recorded: a misconfigured service says the same wrong thing
 * each second, and that is no news. A zeroed struct knows of none. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { REFUSALS_KEPT = 32 };

struct refusals {
    char texts[REFUSALS_KEPT][256]; /* a ring */
    size_t next;
};

bool refusals_know(const struct refusals *refusals, const char *text);

/* Remembers a text, forgetting the oldest. */
void refusals_add(struct refusals *refusals, const char *text);
