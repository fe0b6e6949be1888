/* builder.h - a word in the making: characters gathered into text parts, expansions between them.
 *
 * words.c decides what begins where; expansion.c reads what begins with $ or a backtick.
 */
#pragma once

#include "engine/shell/words.h"

struct builder {
    struct parser *p;
    struct part *first, **tail;
    char *text; /* of the text part that is being gathered */
    size_t len, room;
    bool open, quoted; /* a text part is being gathered, and of which kind */
};

struct builder builder_open(struct parser *p);

/* Adds a character of a text part. */
void builder_put(struct builder *b, int c, bool quoted);

/* Begins a text part even if no character follows: '' is a word. */
void builder_touch(struct builder *b, bool quoted);

/* Ends the text part and adds a part of another kind; NULL after parser_fail. */
struct part *builder_add(struct builder *b, enum part_kind kind, bool quoted);

/* Ends the word: its parts. */
struct part *builder_close(struct builder *b);

/* The parts of a here-document's body, whose lines are gathered in `body`. NULL after parser_fail.
 */
struct part *words_heredoc_body(struct parser *p, struct builder *body, bool quoted);

/* Reads what begins with the $ that is next: an expansion, $'…', $"…" or just a dollar sign. */
void expansion_dollar(struct builder *b, bool quoted);

/* Reads `…`; the backtick is next. */
void expansion_backtick(struct builder *b, bool quoted);

/* Reads <(…) or >(…); the first character is next. */
void expansion_process(struct builder *b);

/* Reads to the matching close bracket, which it consumes, with everything that expands inside. */
void expansion_brackets(struct builder *b, char open, char close, bool quoted);

/* The inside of (( )), consumed with its "))". */
void expansion_arith(struct builder *b);

/* Reads "…", '…', $'…' and a backslash with its character; the first character is next. */
void quote_double(struct builder *b);
void quote_single(struct builder *b);
void quote_ansi(struct builder *b); /* behind the $ */
void quote_backslash(struct builder *b);
void quote_in_heredoc(struct builder *b); /* the backslash of an unquoted here-document */
