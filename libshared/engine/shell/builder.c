/* builder.c - gathering and the four kinds of quoting; see builder.h. */
#include "engine/shell/builder.h"

#include <string.h>

enum { FIRST_ROOM_BYTES = 16 };

struct builder builder_open(struct parser *p)
{
    return (struct builder){.p = p};
}

static void add_part(struct builder *b, struct part *part)
{
    if (b->tail)
        *b->tail = part;
    else
        b->first = part;
    b->tail = &part->next;
}

static void end_text(struct builder *b)
{
    if (!b->open)
        return;
    struct part *part = parser_new(b->p, 1, sizeof *part);
    if (!part)
        return;
    *part = (struct part){.kind = PART_TEXT, .quoted = b->quoted, .text = "", .len = b->len};
    if (b->len) {
        b->text[b->len] = 0;
        part->text = b->text;
    }
    add_part(b, part);
    b->text = NULL;
    b->len = b->room = 0;
    b->open = false;
}

void builder_touch(struct builder *b, bool quoted)
{
    if (b->open && b->quoted != quoted)
        end_text(b);
    b->open = true;
    b->quoted = quoted;
}

void builder_put(struct builder *b, int c, bool quoted)
{
    builder_touch(b, quoted);
    if (b->len + 1 >= b->room) {
        size_t room = b->room ? b->room * 2 : FIRST_ROOM_BYTES;
        char *text = parser_new(b->p, room, 1);
        if (!text)
            return;
        if (b->len)
            memcpy(text, b->text, b->len);
        b->text = text;
        b->room = room;
    }
    b->text[b->len++] = (char)c;
}

struct part *builder_add(struct builder *b, enum part_kind kind, bool quoted)
{
    end_text(b);
    struct part *part = parser_new(b->p, 1, sizeof *part);
    if (!part)
        return NULL;
    part->kind = kind;
    part->quoted = quoted;
    part->text = "";
    add_part(b, part);
    return part;
}

struct part *builder_close(struct builder *b)
{
    end_text(b);
    return b->first;
}

void quote_backslash(struct builder *b)
{
    lexer_skip(b->p);
    int c = lexer_raw(b->p);
    builder_put(b, c == END ? '\\' : c, true);
}

void quote_single(struct builder *b)
{
    lexer_skip(b->p);
    builder_touch(b, true);
    int c = lexer_raw(b->p);
    for (; c != END && c != '\''; c = lexer_raw(b->p))
        builder_put(b, c, true);
    if (c == END)
        parser_fail(b->p, TROUBLE_SYNTAX, "a quote does not close");
}

/* In double quotes and here-documents a backslash escapes only these. */
static void escape_only(struct builder *b, const char *escaped)
{
    lexer_skip(b->p);
    int c = lexer_raw(b->p);
    if (c == END || !strchr(escaped, c))
        builder_put(b, '\\', true);
    if (c != END)
        builder_put(b, c, true);
}

void quote_in_heredoc(struct builder *b)
{
    escape_only(b, "$`\\");
}

void quote_double(struct builder *b)
{
    struct parser *p = b->p;
    struct part **tail = b->tail;
    size_t len = b->len;
    lexer_skip(p);
    if (!parser_enter(p))
        return;
    int c = lexer_peek(p);
    for (; c != END && c != '"'; c = lexer_peek(p)) {
        if (c == '\\')
            escape_only(b, "$`\"\\");
        else if (c == '$')
            expansion_dollar(b, true);
        else if (c == '`')
            expansion_backtick(b, true);
        else
            builder_put(b, lexer_raw(p), true);
    }
    if (b->tail == tail && b->len == len) /* "" is a word; what is empty beside "$@" is not */
        builder_touch(b, true);
    if (!lexer_accept(p, '"'))
        parser_fail(p, TROUBLE_SYNTAX, "a quote does not close");
    parser_leave(p);
}

static int digit_value(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return 99;
}

/* Up to `most` digits of a base; false when there is none. */
static bool read_number(struct parser *p, int base, int most, uint32_t *value)
{
    int n = 0;
    for (*value = 0; n < most && p->at < p->len && digit_value(p->text[p->at]) < base; n++)
        *value = *value * (uint32_t)base + (uint32_t)digit_value(lexer_raw(p));
    return n > 0;
}

static void put_utf8(struct builder *b, uint32_t point)
{
    static const uint8_t mark[] = {0, 0, 0xc0, 0xe0, 0xf0};
    int n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (n == 1) {
        builder_put(b, (int)point, true);
        return;
    }
    builder_put(b, mark[n] | (int)(point >> (6 * (n - 1))), true);
    for (int i = n - 2; i >= 0; i--)
        builder_put(b, 0x80 | ((int)(point >> (6 * i)) & 0x3f), true);
}

/* The escapes of bash's ansicstring: a NUL cuts the text there, which nobody means. */
static void put_point(struct builder *b, uint32_t point, bool byte)
{
    if (byte)
        point &= 0xff;
    if (point < 2 || point > 0x10ffff)
        parser_fail(b->p, TROUBLE_INVISIBLE, "it spells a character that no text has");
    else if (byte)
        builder_put(b, (int)point, true);
    else
        put_utf8(b, point);
}

static void ansi_escape(struct builder *b)
{
    static const char letters[] = "abeEfnrtv\\'\"?", values[] = "\a\b\033\033\f\n\r\t\v\\'\"?";
    struct parser *p = b->p;
    int c = lexer_raw(p);
    const char *letter = c > 0 ? strchr(letters, c) : NULL;
    uint32_t point;
    if (letter) {
        builder_put(b, values[letter - letters], true);
    } else if (c >= '0' && c <= '7') {
        p->at--;
        read_number(p, 8, 3, &point);
        put_point(b, point, true);
    } else if ((c == 'x' && read_number(p, 16, 2, &point))) {
        put_point(b, point, true);
    } else if ((c == 'u' && read_number(p, 16, 4, &point)) ||
               (c == 'U' && read_number(p, 16, 8, &point))) {
        put_point(b, point, false);
    } else if (c == 'c') {
        parser_fail(p, TROUBLE_INVISIBLE, "it spells a control character");
    } else if (c != END) {
        builder_put(b, '\\', true);
        builder_put(b, c, true);
    }
}

void quote_ansi(struct builder *b)
{
    lexer_skip(b->p);
    builder_touch(b, true);
    int c = lexer_raw(b->p);
    for (; c != END && c != '\''; c = lexer_raw(b->p)) {
        if (c == '\\')
            ansi_escape(b);
        else
            builder_put(b, c, true);
    }
    if (c == END)
        parser_fail(b->p, TROUBLE_SYNTAX, "a quote does not close");
}
