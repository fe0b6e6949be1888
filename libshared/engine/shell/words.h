/* words.h - words of a shell text: quoting, expansions, assignments, here-document bodies. */
#pragma once

#include "engine/shell/lexer.h"

enum word_mode {
    WORD_PLAIN,   /* an argument */
    WORD_ITEM,    /* of an array: may begin with [subscript] */
    WORD_ASSIGN,  /* NAME=value may stand here: before a command, and behind declare and its kin */
    WORD_PATTERN, /* right of == in [[ ]]: ?(…) and its kin are patterns */
    WORD_REGEX    /* right of =~ in [[ ]]: ( and | belong to the word */
};

/* Reads the word that begins at the next character, which is no metacharacter but may be < or > of
 * a process substitution. NULL after parser_fail. */
struct word *words_read(struct parser *p, enum word_mode mode);

/* True when a word, not an operator, begins at the next character. */
bool words_begin(struct parser *p);

/* The inside of (( )) up to and with its "))"; the opening is consumed. A word whose parts are the
 * expansions in it. NULL after parser_fail. */
struct word *words_arith(struct parser *p);

/* Makes the delimiter of a here-document one PART_TEXT and notes whether it was quoted. */
void words_heredoc_delimiter(struct parser *p, struct redirect *heredoc);

/* True for one text without quoting or expansion that is no assignment: it may be a keyword. */
bool words_is_plain(const struct word *w);

/* True when the word is exactly this keyword, without any quoting. */
bool words_is(const struct word *w, const char *keyword);
