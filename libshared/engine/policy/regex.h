/* regex.h - PCRE2 with bounds: a pattern that costs too much counts as one that matches.
 *
 * Compiled once, then never changed: any number of threads may match, each match with its own
 * scratch memory. Compiled to machine code where the machine can.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#include <stdbool.h>

enum {
    REGEX_MATCH_LIMIT = 10000,
    REGEX_SHORT_BYTES = 1024, /* a longer text adds to the limit, for each byte of it: */
    REGEX_BYTE_LIMIT = 4,
    REGEX_MAX_BYTES = 4096 /* of a pattern */
};

struct regex;

/* Compiles a pattern: PCRE2's syntax over bytes, "." also a line end. ERR_INVALID says what is
 * wrong where; ERR_MEMORY. The caller frees *out with regex_free. */
int regex_new(const char *pattern, struct regex **out, struct err *err);

/* Frees and nulls; fine on NULL. */
void regex_free(struct regex **regex);

/* True when the pattern matches somewhere in the text, and also when that cannot be told within
 * the limit for its length or without memory: whoever asks is about to stop something. */
bool regex_matches(const struct regex *regex, struct view text);
