/* secret_value.c - from where to where a value goes; see secret.h. */
#include "base/secret_own.h"

#include "base/scope.h"

#include <string.h>
#include <strings.h>

/* Only what is shorter may be no secret for what it looks like: a value that is passed over is
 * looked at again, in part, by what is found in it. */
enum { ODD_MAX_BYTES = 1024 };

static const char *const words[] = {
#define PREFIX(kind, prefix, class, least, edge, doc)
#define KEY(kind, word, side, values, doc)
#define NOT_KEY(word)
#define OPTION(kind, program, letter, form, doc)
#define WORD(word) word,
#include "base/secret.def"
#undef PREFIX
#undef KEY
#undef NOT_KEY
#undef OPTION
#undef WORD
};

static bool ends_line(int c)
{
    return c <= 0 || c == '\n' || c == '\r';
}

static bool ends_word(int c)
{
    return ends_line(c) || secret_is_blank(c) || strchr(";|&<>()", c);
}

/* A quote behind which this comes is the end of what was quoted. */
static bool follows_quoted(int c)
{
    return ends_word(c) || strchr(",:}]\\", c);
}

/* What a shell puts in only when it runs. */
static bool is_expansion(const struct secret_search *s, size_t at)
{
    int c = secret_byte(s, at), next = secret_byte(s, at + 1);
    if (!secret_is_shell(s) || (c != '$' && c != '`'))
        return false;
    return c == '`' || next == '(' || next == '{' || next == '_' ||
           (secret_is_alnum(next) && (next < '0' || next > '9'));
}

/* Where the quotation that begins at `at`, within another one, ends: at its last quote, or at what
 * stops it before. */
static size_t quoted_end(const struct secret_search *s, size_t at, char within, bool *is_closed)
{
    int quote = secret_byte(s, at);
    bool may_span_lines = secret_is_shell(s) && !s->is_strict && !within;
    *is_closed = false;
    for (at++;; at++) {
        int c = secret_byte(s, at);
        if (c <= 0 || (ends_line(c) && !may_span_lines) || (within && c == within) ||
            (s->is_strict && strchr(";|&", c)))
            return at;
        if (c == quote) {
            *is_closed = true;
            return at;
        }
        if (quote != '\'' && within != '\'' && is_expansion(s, at))
            return at;
        if (quote != '\'' && c == '\\' && secret_byte(s, at + 1) > 0)
            at++;
    }
}

/* An escaped quotation, \"…\", as JSON within a shell's quotes has it. */
static struct span escaped(const struct secret_search *s, size_t at)
{
    int quote = secret_byte(s, at + 1);
    struct span value = {at + 2, at + 2};
    while (!ends_line(secret_byte(s, value.end)) && secret_byte(s, value.end) != quote &&
           secret_byte(s, value.end) != '\\' && !is_expansion(s, value.end))
        value.end++;
    return value;
}

/* Goes on to the end of an unquoted word, quotations within it included. */
static size_t word_end(const struct secret_search *s, size_t at, char within)
{
    bool is_bare = secret_is_shell(s) && !within;
    for (;; at++) {
        int c = secret_byte(s, at), next = secret_byte(s, at + 1);
        if (ends_word(c) || (within != '\'' && is_expansion(s, at)))
            return at;
        if (c == '\\' && (ends_line(next) || (!is_bare && (next == '"' || next == '\''))))
            return at;
        if (c == '\\' && is_bare)
            at++;
        if (c != '"' && c != '\'')
            continue;
        bool is_closed;
        if (within || (!is_bare && follows_quoted(next)))
            return at; /* the quotation that all of this stands in */
        size_t end = quoted_end(s, at, 0, &is_closed);
        if (!is_closed)
            return at;
        at = end;
    }
}

struct span secret_rest_of_line(const struct secret_search *s, size_t at)
{
    struct span value = {at, at};
    while (!secret_mark_at(s, at) && !ends_line(secret_byte(s, value.end)))
        value.end++;
    while (value.end > at && secret_is_blank(secret_byte(s, value.end - 1)))
        value.end--;
    return value;
}

struct span secret_value(const struct secret_search *s, size_t at, char quote, bool whole)
{
    int c = secret_byte(s, at), next = secret_byte(s, at + 1);
    bool is_closed;
    if (secret_mark_at(s, at + (c == '"' || c == '\'')))
        return (struct span){at, at};
    if (whole) {
        const uint8_t *end = memchr(s->text.data + at, 0, s->text.len - at);
        return (struct span){at, end ? (size_t)(end - s->text.data) : s->text.len};
    }
    if (quote && c == quote)
        return (struct span){at, at}; /* what all of this stands in ends here */
    if (c == '\\' && (next == '"' || next == '\'') && (quote || !secret_is_shell(s)))
        return escaped(s, at);
    if (c != '"' && c != '\'')
        return (struct span){at, word_end(s, at, quote)};
    size_t end = quoted_end(s, at, quote, &is_closed);
    if (!is_closed || quote || follows_quoted(secret_byte(s, end + 1)))
        return (struct span){at + 1, end};
    return (struct span){at, word_end(s, end + 1, 0)};
}

static bool is_word(const char *text, size_t len)
{
    for (size_t i = 0; i < COUNT(words); i++)
        if (strlen(words[i]) == len && !strncasecmp(words[i], text, len))
            return true;
    return false;
}

/* xxxxxx and ****** stand for something. */
static bool is_one_byte(const uint8_t *text, size_t len)
{
    for (size_t i = 1; i < len; i++)
        if (text[i] != text[0])
            return false;
    return len > 2;
}

static bool is_path(const uint8_t *text, size_t len)
{
    return len && (text[0] == '/' || text[0] == '~' || (len > 1 && text[0] == '.'));
}

bool secret_is_value(const struct secret_search *s, struct span value, enum values values)
{
    if (value.at >= value.end)
        return false;
    const uint8_t *text = s->text.data + value.at;
    size_t len = value.end - value.at;
    if (len > ODD_MAX_BYTES)
        return true;
    for (size_t at = value.at; at < value.end; at++)
        if (s->text.data[at] == '[' && secret_mark_at(s, at))
            return false;
    bool is_call = s->form == SECRET_SHELL && secret_byte(s, value.end) == '(';
    return !is_call && !is_word((const char *)text, len) && !is_one_byte(text, len) &&
           (values == ANY_VALUE || !is_path(text, len));
}

size_t secret_colon(const struct secret_search *s, struct span value)
{
    for (size_t at = value.at; at < value.end;) {
        size_t mark = s->text.data[at] == '[' ? secret_mark_at(s, at) : 0;
        if (s->text.data[at] == ':')
            return at;
        at += mark ? mark : 1;
    }
    return value.end;
}
