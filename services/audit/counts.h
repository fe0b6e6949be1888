/* counts.h - how many of each name, as answers list them.
 *
 * There are few names: operation types, statuses, rules. What has no place of its own any more is
 * counted as "(others)", so that the sum stays true.
 */
#pragma once

#include "schema/message.h"

enum { COUNTS_NAMES = 128 };

struct counts {
    struct counted rows[COUNTS_NAMES];
    size_t count;
};

/* Adds to a name's count. */
void counts_add(struct counts *counts, const char *name, int64_t number);

/* Appends them to an empty room, most frequent first, then by name; at most `most` rows, the last
 * one then "(others)". *list points into the room. Errors as list_add. */
int counts_list(struct counts *counts, size_t most, struct bytes *room, struct list *list,
                struct err *err);
