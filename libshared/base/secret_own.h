/* secret_own.h - secret.c's own parts: names (secret_name.c) and values (secret_value.c). */
#pragma once

#include "base/secret.h"

enum edge { ANYWHERE, EDGE, WHOLE };
enum values { ANY_VALUE, NO_PATHS };

/* What a name is a name of. */
struct secret_key {
    const char *kind; /* NULL: of no secret */
    enum values values;
};

/* Judges a name, without the dashes before it. */
struct secret_key secret_key_of(struct view name);

/* A part of a text. */
struct span {
    size_t at, end;
};

/* The value that begins at `at`, within a shell's quotation of this kind (0: none): quoted itself,
 * or up to the end of an unquoted word. `whole`: it is all of an argument, so that nothing but the
 * NUL behind it ends it. */
struct span secret_value(const struct secret_search *s, size_t at, char quote, bool whole);

/* The same up to the end of the line. */
struct span secret_rest_of_line(const struct secret_search *s, size_t at);

/* False for what is no secret: nothing, a word of the table, what holds something replaced before.
 */
bool secret_is_value(const struct secret_search *s, struct span value, enum values values);

/* Where the colon of user:password is, what was replaced before passed over; value.end: nowhere. */
size_t secret_colon(const struct secret_search *s, struct span value);

static inline bool secret_is_shell(const struct secret_search *s)
{
    return s->form == SECRET_SHELL || s->form == SECRET_WORDS;
}

/* The byte at `at`; -1 behind the end. */
static inline int secret_byte(const struct secret_search *s, size_t at)
{
    return at < s->text.len ? s->text.data[at] : -1;
}

/* secret_mark at `at`. */
static inline size_t secret_mark_at(const struct secret_search *s, size_t at)
{
    return at < s->text.len && s->text.data[at] == '['
               ? secret_mark((struct view){s->text.data + at, s->text.len - at})
               : 0;
}

/* The byte before the search; behind a secret what stands there once it is replaced. 0: none. */
static inline int secret_before(const struct secret_search *s)
{
    return !s->at ? 0 : s->passed == s->at ? ']' : s->text.data[s->at - 1];
}

static inline bool secret_is_alnum(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool secret_is_blank(int c)
{
    return c == ' ' || c == '\t';
}

/* Of names: DB_PASSWORD, x-api-key, spring.datasource.password. */
static inline bool secret_is_name(int c)
{
    return secret_is_alnum(c) || c == '_' || c == '-' || c == '.';
}
