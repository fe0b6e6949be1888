/* context.h - where an act would happen and who asks: what rules know besides the act itself. */
#pragma once

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed by whoever judges. A zeroed member behind the places means that it is not known. */
struct policy_context {
    const char *cwd, *home, *workspace; /* absolute and normal paths */
    struct view text;                   /* the command as it came, for raw_regex */
};
