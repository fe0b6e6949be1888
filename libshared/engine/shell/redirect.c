/* redirect.c - redirects of every form; see parser.h. */
#include "engine/shell/parser.h"

#include "engine/shell/words.h"

#include <ctype.h>

/* Skips {NAME} or {NAME[subscript]}; false when something else is next. */
static bool skip_fd_variable(struct parser *p)
{
    int c;
    bool first = true;
    lexer_skip(p);
    for (c = lexer_peek(p); c == '_' || (c != END && c < 0x80 && isalnum(c)); c = lexer_peek(p)) {
        if (first && isdigit(c)) /* no name: it may be a brace expansion */
            return false;
        first = false;
        lexer_skip(p);
    }
    if (first)
        return false;
    if (lexer_accept(p, '[')) {
        for (c = lexer_peek(p); c == '_' || (c != END && c < 0x80 && isalnum(c)); c = lexer_peek(p))
            lexer_skip(p);
        if (!lexer_accept(p, ']'))
            return false;
    }
    return lexer_accept(p, '}');
}

/* Skips digits and gives their number, 0 when it is too large for any fd. */
static bool skip_fd_number(struct parser *p, int *fd)
{
    int digits = 0;
    for (int c = lexer_peek(p); c != END && isdigit(c); c = lexer_peek(p), digits++) {
        *fd = digits < 6 ? (digits ? *fd * 10 : 0) + (c - '0') : 0;
        lexer_skip(p);
    }
    return digits > 0;
}

/* The fd before a redirect: digits or {name} directly before < or >. The position moves behind it
 * only when there is one. */
static bool read_fd(struct parser *p, int *fd)
{
    size_t from = p->at;
    bool braces = lexer_peek(p) == '{';
    *fd = FD_DEFAULT;
    if (braces ? skip_fd_variable(p) : skip_fd_number(p, fd)) {
        int c = lexer_peek(p);
        if ((c == '<' || c == '>') && lexer_peek_second(p) != '(') {
            if (braces) {
                *fd = FD_VARIABLE;
                parser_bash_only(p, "{fd}>");
            }
            return true;
        }
    }
    p->at = from;
    *fd = FD_DEFAULT;
    return false;
}

static enum redirect_op read_less(struct parser *p, struct redirect *r)
{
    if (lexer_accept(p, '&'))
        return REDIRECT_DUP_IN;
    if (lexer_accept(p, '>'))
        return REDIRECT_BOTH_WAY;
    if (!lexer_accept(p, '<'))
        return REDIRECT_IN;
    if (lexer_accept(p, '<'))
        return REDIRECT_HERESTRING;
    r->strip_tabs = lexer_accept(p, '-');
    return REDIRECT_HEREDOC;
}

static enum redirect_op read_greater(struct parser *p)
{
    if (lexer_accept(p, '&'))
        return REDIRECT_DUP_OUT;
    if (lexer_accept(p, '>'))
        return REDIRECT_APPEND;
    return lexer_accept(p, '|') ? REDIRECT_CLOBBER : REDIRECT_OUT;
}

static enum redirect_op read_operator(struct parser *p, struct redirect *r)
{
    if (lexer_accept(p, '<'))
        return read_less(p, r);
    if (lexer_accept(p, '>'))
        return read_greater(p);
    lexer_skip(p); /* the & of &> */
    lexer_skip(p);
    parser_bash_only(p, "&>");
    return lexer_accept(p, '>') ? REDIRECT_ALL_APPEND : REDIRECT_ALL;
}

/* In "> 2>x" bash takes the 2 for the fd of the second redirect and misses the first one's file. */
static bool is_next_fd(struct parser *p, const struct redirect *r)
{
    int fd;
    size_t at = p->at;
    bool dup = r->op == REDIRECT_DUP_IN || r->op == REDIRECT_DUP_OUT;
    bool found = !dup && read_fd(p, &fd);
    p->at = at;
    return found;
}

bool parser_redirect_begins(struct parser *p, int *fd)
{
    int c = lexer_peek(p);
    *fd = FD_DEFAULT;
    if (c == '&')
        return lexer_peek_second(p) == '>';
    if (c == '<' || c == '>')
        return lexer_peek_second(p) != '(';
    return read_fd(p, fd);
}

static void read_target(struct parser *p, struct redirect *r)
{
    lexer_blanks(p);
    if (!words_begin(p) || is_next_fd(p, r)) {
        parser_fail(p, TROUBLE_SYNTAX, "a redirect has no file");
        return;
    }
    r->target = words_read(p, WORD_PLAIN);
    if (r->target && r->op == REDIRECT_HEREDOC) {
        words_heredoc_delimiter(p, r);
        lexer_await(p, r);
    }
}

bool parser_redirects(struct parser *p, struct redirect **tail)
{
    bool any = false;
    int fd;
    while (*tail)
        tail = &(*tail)->next;
    for (lexer_blanks(p); parser_redirect_begins(p, &fd); lexer_blanks(p)) {
        struct redirect *r = parser_new(p, 1, sizeof *r);
        if (!r)
            return any;
        any = true;
        r->fd = fd;
        r->op = read_operator(p, r);
        *tail = r;
        tail = &r->next;
        read_target(p, r);
    }
    return any;
}
