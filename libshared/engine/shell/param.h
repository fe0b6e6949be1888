/* param.h - what $x and ${x…} become where the variables are known; see vars.h. */
#pragma once

#include "engine/shell/vars.h"

/* What a parameter becomes. */
struct meaning {
    const struct arg *items;
    size_t count;
    bool many;  /* "$@" and its kin: each item is an argument of its own, even in quotes */
    bool whole; /* a quoted default: neither split nor a pattern */
};

/* The meaning of a PART_PARAM. Valid as long as the arena. */
struct meaning param_meaning(const struct expansion *e, const struct part *p);

/* The value of an arithmetic expression without assignments; false when it is not known. */
bool arith_value(const struct expansion *e, const char *text, size_t len, int64_t *value);

/* Appends the names in an arithmetic expression if it may assign to any; calls `assigned` for each.
 */
void arith_assigned(const char *text, size_t len, void (*assigned)(void *data, const char *name),
                    void *data);

/* True when the text matches the pattern: * ? [ ] and a backslash before what is meant as it is. */
bool pattern_matches(const char *pattern, size_t pattern_len, const char *text, size_t len);
