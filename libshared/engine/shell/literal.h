/* literal.h - string literals in the code of other languages, as far as their text tells. */
#pragma once

#include "engine/shell/arena.h"

#include <stdbool.h>

/* What stands for a part of a string that only runs tell: a word of shell code. */
#define LITERAL_UNKNOWN "\"$_unknown_word_\""

/* A string expression that was read: literals, joined by +, ., .. or nothing. */
struct literal {
    char *text;      /* NULL: no literal at all, or no memory; of the arena */
    const char *end; /* behind it */
    bool whole;      /* nothing in it is unknown; else LITERAL_UNKNOWN stands there */
};

/* Reads the expression that begins at `from`, behind blanks. `interpolates`: "$x", "#{x}", "${x}"
 * and "@x" in double quotes and backticks are replaced when the code runs. */
struct literal literal_read(struct arena *arena, const char *from, bool interpolates);

/* Reads a text quoted by any bracket or character, as in qx{…}, q(…), `…`; at its opening. */
struct literal literal_quoted(struct arena *arena, const char *open, bool interpolates);
