/* words.c - see words.h. */
#include "engine/shell/words.h"

#include "engine/shell/builder.h"

#include <ctype.h>
#include <string.h>

bool words_begin(struct parser *p)
{
    int c = lexer_peek(p);
    return !lexer_is_meta(c) || ((c == '<' || c == '>') && lexer_peek_second(p) == '(');
}

bool words_is_plain(const struct word *w)
{
    return w && w->plain && !w->name && w->parts && !w->parts->next;
}

bool words_is(const struct word *w, const char *keyword)
{
    return words_is_plain(w) && !strcmp(w->parts->text, keyword);
}

/* The gathered text is an unquoted identifier and the whole word so far. */
static bool is_identifier(const struct builder *b)
{
    if (b->first || !b->open || b->quoted || !b->len || isdigit((unsigned char)b->text[0]))
        return false;
    for (size_t i = 0; i < b->len; i++, b->p->arena->steps++)
        if (b->text[i] != '_' && !isalnum((unsigned char)b->text[i]))
            return false;
    return true;
}

/* Everything read so far was the left side of an assignment. */
static void begin_value(struct builder *b, struct word *w, const char *name, bool indexed)
{
    struct parser *p = b->p;
    w->append = lexer_accept(p, '+');
    lexer_skip(p);
    if (name)
        w->name = name;
    else
        w->name = arena_text(p->arena, b->text, b->len);
    struct part *left = builder_close(b);
    if (indexed)
        w->index = left;
    if (!w->name)
        parser_fail(p, TROUBLE_MEMORY, "it needs too much memory to analyse");
    *b = builder_open(p);
}

static void read_array(struct parser *p, struct word *w)
{
    struct word **tail = &w->items;
    parser_bash_only(p, "NAME=( )");
    lexer_skip(p);
    w->array = true;
    if (!parser_enter(p))
        return;
    lexer_newlines(p);
    while (words_begin(p)) {
        struct word *item = words_read(p, WORD_ITEM);
        if (!item)
            break;
        *tail = item;
        tail = &item->next;
        lexer_newlines(p);
    }
    if (!lexer_accept(p, ')'))
        parser_fail(p, TROUBLE_SYNTAX, "an array does not close");
    parser_leave(p);
}

/* A word that is being read. */
struct reading {
    struct builder b;
    struct word *word;
    enum word_mode mode;
    const char *indexed; /* the name before a subscript that just closed */
};

static bool reads_index(const struct reading *r)
{
    if (r->mode == WORD_ITEM)
        return !r->b.first && !r->b.open;
    return r->mode == WORD_ASSIGN && !r->word->name && !r->indexed && is_identifier(&r->b);
}

static void read_index(struct reading *r)
{
    struct parser *p = r->b.p;
    const char *name = r->b.len ? arena_text(p->arena, r->b.text, r->b.len) : "";
    builder_put(&r->b, lexer_raw(p), false);
    expansion_brackets(&r->b, '[', ']', false);
    r->indexed = name;
}

static bool begins_value(struct reading *r, int c)
{
    if (r->mode != WORD_ASSIGN || r->word->name)
        return false;
    if (c != '=' && (c != '+' || lexer_peek_second(r->b.p) != '='))
        return false;
    return r->indexed || is_identifier(&r->b);
}

static bool is_pattern_paren(const struct reading *r)
{
    if (r->mode == WORD_REGEX)
        return true;
    return r->mode == WORD_PATTERN && r->b.open && !r->b.quoted && r->b.len &&
           strchr("?*+@!", r->b.text[r->b.len - 1]);
}

/* True when an unquoted metacharacter is part of the word after all. */
static bool read_meta(struct reading *r, int c)
{
    if ((c == '<' || c == '>') && lexer_peek_second(r->b.p) == '(') {
        expansion_process(&r->b);
        return true;
    }
    if (c == '(' && is_pattern_paren(r)) {
        builder_put(&r->b, lexer_raw(r->b.p), false);
        expansion_brackets(&r->b, '(', ')', false);
        return true;
    }
    if (c == '|' && r->mode == WORD_REGEX) {
        builder_put(&r->b, lexer_raw(r->b.p), false);
        return true;
    }
    return false;
}

static void read_quoted(struct reading *r, int c)
{
    r->word->plain = false;
    if (c == '\\')
        quote_backslash(&r->b);
    else if (c == '\'')
        quote_single(&r->b);
    else if (c == '"')
        quote_double(&r->b);
    else if (c == '$')
        expansion_dollar(&r->b, false);
    else
        expansion_backtick(&r->b, false);
}

/* Reads one piece; false at the end of the word. */
static bool read_more(struct reading *r)
{
    struct parser *p = r->b.p;
    int c = lexer_peek(p);
    if (lexer_is_meta(c))
        return c != END && read_meta(r, c);
    if (strchr("\\'\"$`", c))
        read_quoted(r, c);
    else if (c == '[' && reads_index(r))
        read_index(r);
    else if (begins_value(r, c)) {
        begin_value(&r->b, r->word, r->indexed, r->indexed != NULL);
        if (lexer_peek(p) == '(') {
            read_array(p, r->word);
            return false;
        }
    } else {
        builder_put(&r->b, lexer_raw(p), false);
    }
    return !p->failed;
}

struct word *words_read(struct parser *p, enum word_mode mode)
{
    struct word *word = parser_new(p, 1, sizeof *word);
    if (!word)
        return NULL;
    struct reading r = {.b = builder_open(p), .word = word, .mode = mode};
    word->plain = true;
    while (read_more(&r)) {
    }
    word->parts = builder_close(&r.b);
    if (!word->parts && !word->name)
        return parser_fail(p, TROUBLE_SYNTAX, "a word is missing");
    return word;
}

struct word *words_arith(struct parser *p)
{
    struct word *word = parser_new(p, 1, sizeof *word);
    struct builder b = builder_open(p);
    if (!word)
        return NULL;
    builder_touch(&b, true);
    expansion_arith(&b);
    if (!p->failed && p->text[p->at - 2] != ')') /* a continuation line stands between the two */
        parser_fail(p, TROUBLE_SYNTAX, "it has (( that is no arithmetic");
    word->parts = builder_close(&b);
    return word;
}

void words_heredoc_delimiter(struct parser *p, struct redirect *heredoc)
{
    struct builder whole = builder_open(p);
    builder_touch(&whole, true);
    heredoc->body_quoted = !heredoc->target->plain;
    for (const struct part *part = heredoc->target->parts; part; part = part->next) {
        if (part->kind != PART_TEXT) {
            parser_fail(p, TROUBLE_SYNTAX, "a here-document's delimiter has an expansion");
            return;
        }
        for (size_t i = 0; i < part->len; i++)
            builder_put(&whole, part->text[i], true);
    }
    heredoc->target->parts = builder_close(&whole);
}

struct part *words_heredoc_body(struct parser *p, struct builder *body, bool quoted)
{
    struct part *text = builder_close(body);
    if (quoted || !text || !parser_enter(p))
        return text;
    struct parser inner = {
        .arena = p->arena, .trouble = p->trouble, .depth = p->depth, .posix = p->posix};
    inner.text = text->text;
    inner.len = text->len;
    struct builder b = builder_open(&inner);
    builder_touch(&b, true);
    for (int c = lexer_peek(&inner); c != END; c = lexer_peek(&inner)) {
        if (c == '$')
            expansion_dollar(&b, true);
        else if (c == '`')
            expansion_backtick(&b, true);
        else if (c == '\\')
            quote_in_heredoc(&b);
        else
            builder_put(&b, lexer_raw(&inner), true);
    }
    parser_leave(p);
    return builder_close(&b);
}
