/* lexer.c - see lexer.h. How bash reads is bash 5.2's parse.y: shell_getc, discard_until,
 * read_secondary_line. */
#include "engine/shell/lexer.h"

#include "engine/shell/builder.h"

#include <string.h>

void *parser_fail(struct parser *p, enum trouble_kind kind, const char *why)
{
    if (!p->failed)
        trouble_add(p->trouble, kind, "%s", why);
    p->failed = true;
    return NULL;
}

void *parser_new(struct parser *p, size_t count, size_t size)
{
    void *piece = p->failed ? NULL : arena_new(p->arena, count, size);
    return piece ? piece : parser_fail(p, TROUBLE_MEMORY, "it needs too much memory to analyse");
}

bool parser_enter(struct parser *p)
{
    if (p->failed)
        return false;
    if (p->depth >= SHELL_MAX_DEPTH)
        return parser_fail(p, TROUBLE_TOO_DEEP, "it is nested too deeply");
    p->depth++;
    return true;
}

void parser_leave(struct parser *p)
{
    p->depth--;
}

void parser_bash_only(struct parser *p, const char *form)
{
    if (p->posix)
        trouble_add(p->trouble, TROUBLE_SYNTAX, "%s means different things in sh and in bash",
                    form);
}

int lexer_peek(struct parser *p)
{
    while (!p->failed && p->at < p->len) {
        p->arena->steps++;
        if (p->text[p->at] != '\\' || p->len - p->at < 2 || p->text[p->at + 1] != '\n')
            return (unsigned char)p->text[p->at];
        p->at += 2;
    }
    return END;
}

int lexer_peek_second(struct parser *p)
{
    if (lexer_peek(p) == END)
        return END;
    size_t at = p->at++;
    int c = lexer_peek(p);
    p->at = at;
    return c;
}

void lexer_skip(struct parser *p)
{
    if (lexer_peek(p) != END)
        p->at++;
}

int lexer_raw(struct parser *p)
{
    p->arena->steps++;
    return p->failed || p->at >= p->len ? END : (unsigned char)p->text[p->at++];
}

bool lexer_accept(struct parser *p, int c)
{
    if (lexer_peek(p) != c)
        return false;
    p->at++;
    return true;
}

void lexer_blanks(struct parser *p)
{
    int c = lexer_peek(p);
    while (c == ' ' || c == '\t') {
        p->at++;
        c = lexer_peek(p);
    }
    if (c != '#')
        return;
    while (p->at < p->len && p->text[p->at] != '\n') { /* a backslash continues no comment */
        p->arena->steps++;
        p->at++;
    }
}

bool lexer_is_meta(int c)
{
    return c == END || (c && strchr(" \t\n;&|()<>", c));
}

void lexer_await(struct parser *p, struct redirect *heredoc)
{
    if (p->waiting_count == HEREDOC_MAX)
        parser_fail(p, TROUBLE_SYNTAX, "too many here-documents begin on one line");
    else
        p->waiting[p->waiting_count++] = heredoc;
}

/* Adds one line of a here-document to the body; a continuation line belongs to it unless the
 * delimiter was quoted. True when a newline ended it. */
static bool read_line(struct parser *p, const struct redirect *heredoc, struct builder *body)
{
    bool escaped = false, leading = heredoc->strip_tabs;
    while (!p->failed && p->at < p->len) {
        int c = lexer_raw(p);
        if (c == '\n' && escaped && !heredoc->body_quoted) {
            body->len--; /* the backslash */
            escaped = false;
            continue;
        }
        if (c == '\n')
            return true;
        if (leading && c == '\t')
            continue;
        leading = false;
        escaped = c == '\\' && !escaped;
        builder_put(body, c, true);
    }
    return false;
}

/* The delimiter is one literal text: words_heredoc_delimiter made sure of it. */
static void read_heredoc(struct parser *p, struct redirect *heredoc)
{
    const struct part *delimiter = heredoc->target->parts;
    struct builder body = builder_open(p);
    size_t from = p->at, line = 0;
    builder_touch(&body, true);
    for (bool ended = true; ended && p->at < p->len && !p->failed; line = body.len) {
        ended = read_line(p, heredoc, &body);
        size_t n = body.len - line;
        if (n == delimiter->len && (!n || !memcmp(body.text + line, delimiter->text, n))) {
            body.len = line;
            if (heredoc->body_quoted)
                p->exempt_bytes += p->at - from;
            heredoc->body = words_heredoc_body(p, &body, heredoc->body_quoted);
            return;
        }
        if (ended)
            builder_put(&body, '\n', true);
    }
    parser_fail(p, TROUBLE_SYNTAX, "a here-document does not end");
}

bool lexer_newlines(struct parser *p)
{
    bool any = false;
    lexer_blanks(p);
    while (lexer_accept(p, '\n')) {
        any = true;
        for (unsigned i = p->waiting_from; i < p->waiting_count && !p->failed; i++)
            read_heredoc(p, p->waiting[i]);
        p->waiting_count = p->waiting_from;
        lexer_blanks(p);
    }
    return any;
}
