/* condition.c - [[ … ]]: the grammar of bash's cond_expr. Only the words matter to a judge, but
 * what bash would refuse must be refused here too. */
#include "engine/shell/parser.h"

#include "base/scope.h"
#include "engine/shell/words.h"

#include <string.h>

struct condition {
    struct parser *p;
    struct word *first, **tail;
};

static void read_or(struct condition *c);

/* Keeps a word for its expansions. */
static void keep(struct condition *c, struct word *w)
{
    if (!w)
        return;
    *c->tail = w;
    c->tail = &w->next;
}

/* The next word, read but not taken; NULL at an operator. */
static struct word *peek_word(struct condition *c)
{
    struct parser *p = c->p;
    if (p->ahead) /* the newline behind "]]" is not ours */
        return p->ahead;
    lexer_newlines(p);
    if (words_begin(p))
        p->ahead = words_read(p, WORD_PLAIN);
    return p->ahead;
}

static struct word *take_word(struct condition *c)
{
    struct word *w = peek_word(c);
    c->p->ahead = NULL;
    if (!w || words_is(w, "]]"))
        return parser_fail(c->p, TROUBLE_SYNTAX, "a condition lacks a part");
    return w;
}

static bool is_unary(const struct word *w)
{
    const struct part *part = w->parts;
    return w->plain && part && !part->next && part->len == 2 && part->text[0] == '-' &&
           strchr("abcdefghknoprstuvwxzGLNORS", part->text[1]);
}

/* Takes a binary operator; *mode says how its right side is read. */
static bool accept_binary(struct condition *c, enum word_mode *mode)
{
    static const char *const names[] = {"=",   "==",  "!=",  "-eq", "-ne", "-lt", "-le",
                                        "-gt", "-ge", "-nt", "-ot", "-ef", "=~"};
    struct parser *p = c->p;
    lexer_blanks(p);
    *mode = WORD_PLAIN;
    int next = lexer_peek(p);
    if ((next == '<' || next == '>') && lexer_peek_second(p) != '(') {
        lexer_skip(p);
        return true;
    }
    struct word *w = words_begin(p) ? peek_word(c) : NULL;
    for (size_t i = 0; w && i < COUNT(names); i++) {
        if (!words_is(w, names[i]))
            continue;
        *mode = i < 3 ? WORD_PATTERN : i == 12 ? WORD_REGEX : WORD_PLAIN;
        p->ahead = NULL;
        return true;
    }
    return false;
}

static void read_right(struct condition *c, enum word_mode mode)
{
    struct parser *p = c->p;
    lexer_blanks(p);
    if (!words_begin(p) && (mode != WORD_REGEX || lexer_peek(p) != '(')) {
        parser_fail(p, TROUBLE_SYNTAX, "a condition lacks a part");
        return;
    }
    struct word *w = words_read(p, mode);
    if (words_is(w, "]]"))
        parser_fail(p, TROUBLE_SYNTAX, "a condition lacks a part");
    keep(c, w);
}

static void read_term(struct condition *c)
{
    struct parser *p = c->p;
    struct word *w = peek_word(c);
    enum word_mode mode;
    if (words_is(w, "!")) {
        p->ahead = NULL;
        if (parser_enter(p)) {
            read_term(c);
            parser_leave(p);
        }
    } else if (!w && lexer_accept(p, '(')) {
        if (parser_enter(p)) {
            read_or(c);
            if (p->ahead || !lexer_accept(p, ')'))
                parser_fail(p, TROUBLE_SYNTAX, "a parenthesis does not close");
            parser_leave(p);
        }
    } else {
        w = take_word(c);
        keep(c, w);
        if (w && is_unary(w))
            read_right(c, WORD_PLAIN);
        else if (w && accept_binary(c, &mode))
            read_right(c, mode);
        else if (!p->ahead && lexer_peek(p) == '\n') /* bash waits for an operator there */
            parser_fail(p, TROUBLE_SYNTAX, "a condition lacks a part");
    }
}

static bool accept_twice(struct condition *c, int sign)
{
    struct parser *p = c->p;
    if (p->ahead)
        return false;
    lexer_newlines(p);
    if (p->failed || lexer_peek(p) != sign || lexer_peek_second(p) != sign)
        return false;
    lexer_skip(p);
    lexer_skip(p);
    return true;
}

static void read_and(struct condition *c)
{
    do
        read_term(c);
    while (accept_twice(c, '&'));
}

static void read_or(struct condition *c)
{
    do
        read_and(c);
    while (accept_twice(c, '|'));
}

struct word *condition_read(struct parser *p)
{
    struct condition c = {.p = p};
    c.tail = &c.first;
    read_or(&c);
    if (!p->failed && !words_is(peek_word(&c), "]]"))
        parser_fail(p, TROUBLE_SYNTAX, "a condition does not end");
    p->ahead = NULL;
    return c.first;
}
