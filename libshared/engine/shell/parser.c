/* parser.c - lists, pipelines, simple commands; see parser.h. */
#include "engine/shell/parser.h"

#include "base/scope.h"
#include "engine/shell/words.h"

#include <string.h>

struct node *parser_node(struct parser *p, enum node_kind kind)
{
    struct node *node = parser_new(p, 1, sizeof *node);
    if (node)
        node->kind = kind;
    return node;
}

struct word *parser_peek_word(struct parser *p)
{
    int fd;
    if (p->ahead)
        return p->ahead;
    lexer_blanks(p);
    size_t at = p->at;
    bool redirect = parser_redirect_begins(p, &fd);
    p->at = at;
    if (!redirect && words_begin(p))
        p->ahead = words_read(p, WORD_ASSIGN);
    return p->ahead;
}

bool parser_accept(struct parser *p, const char *keyword)
{
    if (p->failed || !words_is(parser_peek_word(p), keyword))
        return false;
    p->ahead = NULL;
    return true;
}

void parser_expect(struct parser *p, const char *keyword)
{
    if (!parser_accept(p, keyword))
        parser_fail(p, TROUBLE_SYNTAX, "a command of several parts lacks one of them");
    p->keyword_follows = false;
}

/* Behind these, NAME=(…) is an assignment as it is before a command. */
static bool takes_assignments(const struct word *name)
{
    static const char *const names[] = {"declare", "typeset",  "local",
                                        "export",  "readonly", "alias"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (words_is(name, names[i]))
            return true;
    return false;
}

/* Words that end a list: what they end expects them. */
static bool is_closing(const struct word *w)
{
    static const char *const closing[] = {"then", "else", "elif", "fi", "do", "done", "esac", "}"};
    for (size_t i = 0; i < COUNT(closing); i++)
        if (words_is(w, closing[i]))
            return true;
    return false;
}

/* Keywords that no command begins with, though others may stand before them. */
static bool is_misplaced(const struct word *w)
{
    return is_closing(w) || words_is(w, "in") || words_is(w, "!") || words_is(w, "]]");
}

static struct node *read_function(struct parser *p, const struct word *name)
{
    const struct part *part = name->parts;
    lexer_skip(p);
    lexer_blanks(p);
    if (!lexer_accept(p, ')') || !part || part->next || part->kind != PART_TEXT || !name->plain)
        return parser_fail(p, TROUBLE_SYNTAX, "a parenthesis stands where none can");
    return compound_function(p, part->text);
}

struct node *parser_simple(struct parser *p)
{
    struct node *node = parser_node(p, NODE_SIMPLE);
    struct word **words = node ? &node->words : NULL, **assigns = node ? &node->assigns : NULL;
    while (node && !p->failed) {
        parser_redirects(p, &node->redirects);
        bool first = !node->words;
        struct word *word = NULL;
        if (first) {
            word = parser_peek_word(p);
            p->ahead = NULL;
        } else if (words_begin(p)) {
            word = words_read(p, takes_assignments(node->words) ? WORD_ASSIGN : WORD_PLAIN);
        }
        if (!word)
            break;
        if (first && word->name) {
            *assigns = word;
            assigns = &word->next;
            continue;
        }
        if (first && !node->assigns && !node->redirects && is_misplaced(word))
            parser_fail(p, TROUBLE_SYNTAX, "a keyword stands where a command begins");
        *words = word;
        words = &word->next;
        lexer_blanks(p);
        if (first && !node->assigns && !node->redirects && lexer_peek(p) == '(')
            return read_function(p, word);
    }
    if (node && !node->words && !node->assigns && !node->redirects)
        parser_fail(p, TROUBLE_SYNTAX, "a command is missing");
    p->keyword_follows = false;
    return node;
}

static struct node *read_command(struct parser *p)
{
    struct node *node = compound_read(p);
    return node || p->failed ? node : parser_simple(p);
}

/* Consumes "!" and "time [-p] [--]" before a pipeline; true when there was one. */
static bool skip_pipeline_words(struct parser *p)
{
    bool any = false;
    for (;;) {
        if (parser_accept(p, "time")) {
            if (parser_accept(p, "-p"))
                any = true;
            parser_accept(p, "--");
        } else if (!parser_accept(p, "!")) {
            return any;
        }
        any = true;
    }
}

static bool command_ends(struct parser *p)
{
    lexer_blanks(p);
    int c = lexer_peek(p);
    return !p->ahead && (c == END || (c && strchr(";&|\n)", c)));
}

static struct node *read_pipeline(struct parser *p)
{
    if (skip_pipeline_words(p) && command_ends(p)) /* "time" and "!" may stand alone */
        return parser_node(p, NODE_LIST);
    struct node *first = read_command(p), **tail = NULL;
    struct node *pipeline = first;
    for (lexer_blanks(p); first && lexer_peek(p) == '|' && lexer_peek_second(p) != '|';
         lexer_blanks(p)) {
        lexer_skip(p);
        if (lexer_accept(p, '&'))
            parser_bash_only(p, "|&");
        lexer_newlines(p);
        if (!tail) {
            pipeline = parser_node(p, NODE_PIPELINE);
            if (!pipeline)
                return NULL;
            pipeline->first = first;
            tail = &first->next;
        }
        skip_pipeline_words(p);
        *tail = read_command(p);
        if (!*tail)
            break;
        tail = &(*tail)->next;
    }
    return pipeline;
}

static enum node_link read_link(struct parser *p)
{
    lexer_blanks(p);
    int c = lexer_peek(p);
    if ((c != '&' && c != '|') || lexer_peek_second(p) != c)
        return LINK_NONE;
    lexer_skip(p);
    lexer_skip(p);
    lexer_newlines(p);
    return c == '&' ? LINK_AND : LINK_OR;
}

static struct node *read_chain(struct parser *p)
{
    struct node *first = read_pipeline(p), *chain = first, **tail = NULL;
    enum node_link link = first ? read_link(p) : LINK_NONE;
    for (; link != LINK_NONE; link = read_link(p)) {
        if (!tail) {
            chain = parser_node(p, NODE_CHAIN);
            if (!chain)
                return NULL;
            chain->first = first;
            tail = &first->next;
        }
        *tail = read_pipeline(p);
        if (!*tail)
            break;
        (*tail)->link = link;
        tail = &(*tail)->next;
    }
    return chain;
}

static bool list_ends(struct parser *p)
{
    lexer_blanks(p);
    int c = lexer_peek(p), second = c == ';' ? lexer_peek_second(p) : END;
    if (p->ahead)
        return is_closing(p->ahead);
    if (c == END || c == ')' || second == ';' || second == '&')
        return true;
    return is_closing(parser_peek_word(p));
}

/* What stands behind a command of a list; false when the list must end here. */
static bool read_separator(struct parser *p, struct node *node)
{
    lexer_blanks(p);
    int c = p->ahead ? END : lexer_peek(p);
    if (c == '\n') {
        node->ends_line = true;
        return true;
    }
    if (c == ';' && !list_ends(p)) {
        lexer_skip(p);
        lexer_blanks(p);
        node->ends_line = lexer_peek(p) == '\n';
        return true;
    }
    if (c == '&') {
        lexer_skip(p);
        lexer_blanks(p);
        node->background = true;
        node->ends_line = lexer_peek(p) == '\n';
        return true;
    }
    bool keyword_follows = p->keyword_follows;
    if (!list_ends(p) || (p->ahead && !keyword_follows))
        parser_fail(p, TROUBLE_SYNTAX, "something stands behind the end of a command");
    return false;
}

struct node *parser_list(struct parser *p)
{
    struct node *list = parser_node(p, NODE_LIST), **tail = list ? &list->first : NULL;
    p->keyword_follows = false;
    while (tail && !p->failed) {
        lexer_newlines(p);
        if (list_ends(p))
            break;
        struct node *node = read_chain(p);
        if (!node)
            break;
        *tail = node;
        tail = &node->next;
        if (!read_separator(p, node))
            break;
    }
    return list;
}

static void finish(struct parser *p)
{
    if (p->ahead || lexer_peek(p) != END)
        parser_fail(p, TROUBLE_SYNTAX, "something stands behind the end of a command");
    if (p->waiting_count)
        parser_fail(p, TROUBLE_SYNTAX, "a here-document does not end");
}

struct node *parser_nested(struct parser *p, const char *text, size_t len)
{
    if (!parser_enter(p))
        return NULL;
    struct parser inner = {.arena = p->arena,
                           .trouble = p->trouble,
                           .text = text,
                           .len = len,
                           .depth = p->depth,
                           .posix = p->posix};
    struct node *list = parser_list(&inner);
    finish(&inner);
    parser_leave(p);
    return list;
}

struct node *parser_read(struct arena *arena, struct trouble *trouble, struct view text, bool posix,
                         unsigned depth)
{
    struct parser p = {.arena = arena, .trouble = trouble, .depth = depth, .posix = posix};
    if (text.len > SHELL_MAX_RAW_BYTES)
        return parser_fail(&p, TROUBLE_TOO_LARGE, "it is longer than 256 KiB");
    p.text = (const char *)text.data;
    p.len = text.len;
    struct node *list = parser_list(&p);
    finish(&p);
    if (p.at - p.exempt_bytes > SHELL_MAX_BYTES)
        parser_fail(&p, TROUBLE_TOO_LARGE, "it is longer than 64 KiB");
    return list;
}
