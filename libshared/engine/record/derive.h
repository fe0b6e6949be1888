/* derive.h - from a record's payload to the columns that questions look at.
 *
 * Columns are never the truth: they follow from the body by the rules of DERIVE_VERSION, which a
 * row carries, so that they can be checked and made anew. A record of another type than an event,
 * or an event that cannot be decoded, has no columns; its body is kept all the same.
 */
#pragma once

#include "base/bytes.h"
#include "schema/message.h"

#include <stdbool.h>

enum { DERIVE_VERSION = 1, DERIVE_COMMAND_BYTES = 256 };

struct derived {
    bool is_event;      /* false: nothing else is set */
    struct event event; /* views into the payload */
    char rule[65];      /* the event's own, otherwise the first that the verdict names */
    char command[DERIVE_COMMAND_BYTES + 1]; /* cut at a character */
    bool has_exit_code, has_duration;
};

/* *out lives as long as the payload. */
void derive(int64_t type, struct view payload, struct derived *out);

/* A column's value; neither text nor number: null. */
struct derived_column {
    const char *text;
    int64_t number;
    bool is_number;
};

/* The values of the columns kind to detail of table `event`, in its order; views into `derived`. */
enum { DERIVED_COLUMNS = 18 };
void derived_columns(const struct derived *derived, struct derived_column out[DERIVED_COLUMNS]);
