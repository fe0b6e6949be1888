/* literal.c - see literal.h. */
#include "engine/shell/literal.h"

#include <stdlib.h>
#include <string.h>

struct maker {
    struct arena *arena;
    const char *at;
    char *text; /* NULL without memory; with room for a NUL */
    size_t len, room;
    bool whole;
};

static struct maker maker_open(struct arena *arena, const char *at)
{
    enum { ROOM_FIRST = 64 };
    return (struct maker){.arena = arena,
                          .at = at,
                          .text = arena_new(arena, ROOM_FIRST, 1),
                          .room = ROOM_FIRST,
                          .whole = true};
}

static void put(struct maker *m, const char *text, size_t len)
{
    if (m->text && len >= m->room - m->len) {
        size_t room = (m->len + len) * 2 + 1;
        char *longer = arena_new(m->arena, room, 1);
        if (longer)
            memcpy(longer, m->text, m->len);
        m->text = longer;
        m->room = room;
    }
    if (!m->text) {
        m->whole = false;
        return;
    }
    memcpy(m->text + m->len, text, len);
    m->len += len;
}

static struct literal maker_close(struct maker *m)
{
    put(m, "", 1);
    return (struct literal){m->text, m->at, m->whole};
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind a backslash in a string that has escapes. A NUL, and what has no ASCII, is unknown. */
static void take_escape(struct maker *m)
{
    static const char plain[] = "n\nt\tr\rf\fv\va\ab\be\x1b";
    char c = *m->at++;
    int value = -1;
    for (size_t i = 0; plain[i] && value < 0; i += 2)
        if (plain[i] == c)
            value = plain[i + 1];
    if (c == 'x' && hex(m->at[0]) >= 0 && hex(m->at[1]) >= 0) {
        value = hex(m->at[0]) * 16 + hex(m->at[1]);
        m->at += 2;
    } else if (c == 'u' && !strncmp(m->at, "00", 2) && hex(m->at[2]) >= 0 && hex(m->at[3]) >= 0) {
        value = hex(m->at[2]) * 16 + hex(m->at[3]);
        m->at += 4;
    } else if (c >= '0' && c <= '7') {
        for (value = c - '0'; *m->at >= '0' && *m->at <= '7' && value < 32; m->at++)
            value = value * 8 + (*m->at - '0');
    } else if (c == '\n') {
        return;
    }
    if (value > 1 && value < 128)
        put(m, (const char[]){(char)value}, 1);
    else if (value < 0)
        put(m, &c, 1);
    else
        m->whole = false;
}

static void take_unknown(struct maker *m)
{
    m->whole = false;
    put(m, LITERAL_UNKNOWN, strlen(LITERAL_UNKNOWN));
}

/* "$name", "${…}", "#{…}", "@name", "{…}" of an f-string: moves behind it. */
static void skip_interpolation(struct maker *m)
{
    char close = *m->at == '{' || m->at[1] == '{' ? '}' : m->at[1] == '(' ? ')' : 0;
    m->at++;
    if (close) {
        while (*m->at && *m->at != close)
            m->at++;
        m->at += *m->at != 0;
        return;
    }
    while (*m->at == '_' || (*m->at >= '0' && *m->at <= '9') ||
           ((*m->at | 0x20) >= 'a' && (*m->at | 0x20) <= 'z'))
        m->at++;
}

static bool begins_interpolation(const char *at, char quote, bool interpolates, bool format)
{
    bool name = at[1] == '_' || ((at[1] | 0x20) >= 'a' && (at[1] | 0x20) <= 'z');
    if (format && at[0] == '{')
        return true;
    if (quote == '`' && at[0] == '$' && at[1] == '{')
        return true;
    if (!interpolates || quote == '\'')
        return false;
    return (at[0] == '$' && (name || at[1] == '{')) || (at[0] == '#' && at[1] == '{') ||
           (at[0] == '@' && name);
}

/* One string up to its closing mark of `marks` characters; false when it does not end. */
static bool take_string(struct maker *m, char quote, size_t marks, bool raw, bool interpolates,
                        bool format)
{
    const char three[] = {quote, quote, quote, 0};
    while (*m->at) {
        if (!strncmp(m->at, three, marks)) {
            m->at += marks;
            return true;
        }
        if (*m->at == '\\' && m->at[1] && !raw) {
            m->at++;
            take_escape(m);
        } else if (begins_interpolation(m->at, quote, interpolates, format)) {
            take_unknown(m);
            skip_interpolation(m);
        } else {
            put(m, m->at++, 1);
        }
    }
    return false;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* The letters before a Python string; the quote behind them, or NULL. */
static const char *behind_prefix(const char *at, bool *raw, bool *format)
{
    size_t len = strspn(at, "rRbBfFuU");
    const char *quote = at + len;
    if (len > 2 || (*quote != '\'' && *quote != '"' && !(*quote == '`' && !len)))
        return NULL;
    for (size_t i = 0; i < len; i++) {
        *raw |= (at[i] | 0x20) == 'r';
        *format |= (at[i] | 0x20) == 'f';
    }
    return quote;
}

/* Joined by +, ., .. or nothing to another piece? Moves behind the sign. */
static bool goes_on(struct maker *m)
{
    bool raw = false, format = false;
    const char *next = skip_blanks(m->at);
    if (behind_prefix(next, &raw, &format)) {
        m->at = next;
        return true;
    }
    if (*next != '+' && *next != '.')
        return false;
    if (*next == '.' && next[1] != '.' && next[1] != ' ' && !strchr("'\"$", next[1]))
        return false; /* a method of the string */
    m->at = skip_blanks(next + (next[0] == '.' && next[1] == '.' ? 2 : 1));
    return true;
}

/* Something that is no literal, up to what ends or joins the expression. */
static void take_other(struct maker *m)
{
    int depth = 0;
    take_unknown(m);
    for (; *m->at; m->at++) {
        if (strchr("([{", *m->at))
            depth++;
        else if (strchr(")]}", *m->at) && --depth < 0)
            return;
        else if (!depth && strchr("+,;\n", *m->at))
            return;
    }
}

struct literal literal_read(struct arena *arena, const char *from, bool interpolates)
{
    bool raw = false, format = false;
    from = skip_blanks(from);
    if (!behind_prefix(from, &raw, &format))
        return (struct literal){.end = from};
    struct maker m = maker_open(arena, from);
    do {
        raw = format = false;
        const char *quote = behind_prefix(m.at, &raw, &format);
        if (!quote) {
            take_other(&m);
            continue;
        }
        size_t marks = quote[1] == *quote && quote[2] == *quote ? 3 : 1;
        m.at = quote + marks;
        if (!take_string(&m, *quote, marks, raw, interpolates, format)) {
            m.whole = false;
            break;
        }
    } while (goes_on(&m));
    const char *next = skip_blanks(m.at);
    if (*next == '%' || !strncmp(next, ".format", 7) || !strncmp(next, ".replace", 8))
        m.whole = false;
    return maker_close(&m);
}

struct literal literal_quoted(struct arena *arena, const char *open, bool interpolates)
{
    static const char opens[] = "([{<", closes[] = ")]}>";
    const char *pair = *open ? strchr(opens, *open) : NULL;
    char close = pair ? closes[pair - opens] : *open;
    if (!*open)
        return (struct literal){.end = open};
    struct maker m = maker_open(arena, open + 1);
    m.whole &= take_string(&m, close, 1, false, interpolates, false);
    return maker_close(&m);
}
