/* secret.c - finds secrets in a text; see secret.h.
 *
 * One walk over the text. At each byte it tries what is recognised by its beginning (PREFIX rows,
 * JWT, PEM, URLs), at the beginning of each name what the name says of its value. Each try looks at
 * a bounded number of bytes, or at bytes that the walk then passes by or that end the next try of
 * its kind at once, so the walk stays linear.
 */
#include "base/secret_own.h"

#include "base/scope.h"

#include <string.h>
#include <strings.h>

enum class { ALNUM, UPPER, URL, DOT, TOKEN };
enum option_form { NEXT, ATTACHED, EITHER, PAIR };
enum { USERINFO_MAX_BYTES = 512, TOKEN_USER_MIN_BYTES = 20, PLAIN_MIN_BYTES = 6 };

static const struct {
    const char *prefix, *kind;
    enum class class;
    size_t least;
    enum edge edge;
} prefixes[] = {
#define PREFIX(kind, prefix, class, least, edge, doc) {prefix, #kind, class, least, edge},
#define KEY(kind, word, side, values, doc)
#define NOT_KEY(word)
#define OPTION(kind, program, letter, form, doc)
#define WORD(word)
#include "base/secret.def"
#undef PREFIX
#undef OPTION
};

static const struct {
    const char *program, *kind;
    char letter;
    enum option_form form;
} options[] = {
#define PREFIX(kind, prefix, class, least, edge, doc)
#define OPTION(kind, program, letter, form, doc) {program, #kind, letter, form},
#include "base/secret.def"
#undef PREFIX
#undef KEY
#undef OPTION
};

_Static_assert(COUNT(options) <= 32, "secret_search.programs has a bit for each");

static const char MARK[] = "[redacted:";

/* KIND, LEN and, where there is a key, HASH behind the mark's beginning: letters, digits, digits in
 * hex. */
size_t secret_mark(struct view text)
{
    size_t at = 0;
    while (at < sizeof MARK - 1 && at < text.len && text.data[at] == (uint8_t)MARK[at])
        at++;
    if (at < sizeof MARK - 1)
        return at == text.len && at > 1 ? at : 0;
    for (int part = 0; part < 3; part++) {
        size_t start = at;
        while (at < text.len && at - start < 20 &&
               (part == 0   ? text.data[at] >= 'a' && text.data[at] <= 'z'
                : part == 1 ? text.data[at] >= '0' && text.data[at] <= '9'
                            : (text.data[at] >= '0' && text.data[at] <= '9') ||
                                  (text.data[at] >= 'a' && text.data[at] <= 'f')))
            at++;
        if (at == text.len)
            return at;
        if (at == start || text.data[at] != (part < 2 ? ':' : ']'))
            return part == 1 && at > start && text.data[at] == ']' ? at + 1 : 0;
        at++;
    }
    return at;
}

static unsigned pair_of(int first, int second)
{
    return ((unsigned)first * 37 + (unsigned)second) % 1024;
}

static bool may_begin(const struct secret_search *s, int first, int second)
{
    unsigned pair = pair_of(first, second);
    return s->starts[pair / 8] & 1u << pair % 8;
}

static void add_start(struct secret_search *s, int first, int second)
{
    unsigned pair = pair_of(first, second);
    s->starts[pair / 8] |= (uint8_t)(1u << pair % 8);
}

struct secret_search secret_search(enum secret_form form, struct view text)
{
    struct secret_search s = {.form = form, .text = text};
    for (size_t i = 0; i < COUNT(prefixes); i++)
        add_start(&s, prefixes[i].prefix[0], prefixes[i].prefix[1]);
    add_start(&s, 'B', 'e'); /* of bearer, which may be written in any case */
    add_start(&s, 'B', 'E');
    return s;
}

static bool is_in(enum class class, int c)
{
    switch (class) {
    case UPPER:
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    case ALNUM:
        return secret_is_alnum(c);
    case URL:
        return secret_is_alnum(c) || c == '_' || c == '-';
    case DOT:
        return secret_is_alnum(c) || c == '_' || c == '-' || c == '.';
    default:
        return secret_is_alnum(c) || (c > 0 && strchr("_-.~+/=", c));
    }
}

static size_t run(const struct secret_search *s, size_t at, enum class class)
{
    while (is_in(class, secret_byte(s, at)))
        at++;
    return at;
}

/* True when the text has this at `at`, letters in either case. */
static bool has(const struct secret_search *s, size_t at, const char *word)
{
    size_t len = strlen(word);
    return at <= s->text.len && s->text.len - at >= len &&
           !strncasecmp((const char *)s->text.data + at, word, len);
}

static bool take(struct secret *out, struct span span, const char *kind)
{
    *out = (struct secret){span.at, span.end - span.at, kind};
    return true;
}

/* A row of PREFIX. Of a bearer token only what is behind the word. */
static bool try_prefix(const struct secret_search *s, struct secret *out)
{
    if (!may_begin(s, secret_byte(s, s->at), secret_byte(s, s->at + 1)))
        return false;
    bool has_edge = !secret_is_alnum(secret_before(s));
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        size_t len = strlen(prefixes[i].prefix);
        bool is_word = prefixes[i].class == TOKEN;
        if ((prefixes[i].edge == EDGE && !has_edge) || !has(s, s->at, prefixes[i].prefix) ||
            (!is_word && memcmp(s->text.data + s->at, prefixes[i].prefix, len) != 0))
            continue;
        size_t end = run(s, s->at + len, prefixes[i].class);
        if (end - s->at - len >= prefixes[i].least)
            return take(out, (struct span){is_word ? s->at + len : s->at, end}, prefixes[i].kind);
    }
    return false;
}

/* Three parts in base64url; the first two begin with {" (RFC 7519). */
static bool try_jwt(const struct secret_search *s, struct secret *out)
{
    size_t at = s->at, dot;
    if (secret_byte(s, at) != 'e' || is_in(URL, secret_before(s)) || s->text.len - at < 4 ||
        memcmp(s->text.data + at, "eyJ", 3) != 0)
        return false;
    dot = run(s, at, URL);
    if (dot - at < 12 || secret_byte(s, dot) != '.' || s->text.len - dot < 4 ||
        memcmp(s->text.data + dot + 1, "eyJ", 3) != 0)
        return false;
    size_t second = run(s, dot + 1, URL);
    size_t end = secret_byte(s, second) == '.' ? run(s, second + 1, URL) : second;
    return take(out, (struct span){at, end}, "jwt");
}

/* Where the body of a PEM block ends. In a shell's text a line with a blank is none of it, unless
 * it is one of RFC 1421's headers: nobody hides a command there. */
static size_t pem_body(const struct secret_search *s, size_t at)
{
    bool is_header = true; /* of the block: the first line has blanks */
    for (;; at++) {
        int c = secret_byte(s, at);
        if (c == '\n' || (c == '\\' && secret_byte(s, at + 1) == 'n'))
            is_header = has(s, at + (c == '\n' ? 1 : 2), "Proc-Type:") ||
                        has(s, at + (c == '\n' ? 1 : 2), "DEK-Info:");
        else if (has(s, at, "-----END ") || c <= 0 ||
                 (c == ' ' && secret_is_shell(s) && !is_header) ||
                 (!secret_is_alnum(c) && !strchr("+/=\\:,-. \t\r", c)))
            return at;
    }
}

/* From -----BEGIN … PRIVATE KEY----- to its END, or as far as there is a key. */
static bool try_pem(const struct secret_search *s, struct secret *out)
{
    static const char begin[] = "-----BEGIN ", private[] = "PRIVATE KEY";
    size_t at = s->at, left = s->text.len - at;
    const uint8_t *text = s->text.data + at;
    if (text[0] != '-' || left < sizeof begin - 1 || memcmp(text, begin, sizeof begin - 1) != 0 ||
        !memmem(text, left < 64 ? left : 64, private, sizeof private - 1))
        return false;
    size_t end = pem_body(s, at + sizeof begin - 1);
    if (has(s, end, "-----END ")) {
        end += 9;
        while (secret_is_alnum(secret_byte(s, end)) || secret_byte(s, end) == ' ')
            end++;
        while (secret_byte(s, end) == '-')
            end++;
    }
    return take(out, (struct span){at, end}, "pem");
}

/* True where a secret begins that is known by itself, or was replaced before. */
static bool begins_secret(const struct secret_search *s, size_t at)
{
    struct secret_search there;
    struct secret found;
    int c = secret_byte(s, at), next = secret_byte(s, at + 1);
    if (c == '[')
        return secret_mark_at(s, at) != 0;
    if (c < 0 || (c != 'e' && c != '-' && !may_begin(s, c, next)))
        return false;
    there = *s;
    there.at = at;
    return try_prefix(&there, &found) || try_jwt(&there, &found) || try_pem(&there, &found);
}

/* scheme://user:password@, and https://token@. */
static bool try_url(const struct secret_search *s, struct secret *out)
{
    if (secret_byte(s, s->at) != ':' || !secret_is_alnum(secret_before(s)) || !has(s, s->at, "://"))
        return false;
    struct span user = {s->at + 3, s->at + 3};
    size_t at = user.at;
    for (size_t n = 0; n < USERINFO_MAX_BYTES; n++, at++) {
        int c = secret_byte(s, at);
        if (c <= ' ' || strchr("/?#\"'`<>\\", c))
            break;
        if (begins_secret(s, at))
            break; /* which is found by itself */
        if (c == '@')
            user.end = at;
    }
    size_t colon = secret_colon(s, user);
    struct span value = {colon < user.end ? colon + 1 : user.at, user.end};
    if (value.end <= value.at ||
        (colon == user.end && value.end - value.at < TOKEN_USER_MIN_BYTES) ||
        secret_byte(s, value.at) == '$' || !secret_is_value(s, value, ANY_VALUE))
        return false;
    return take(out, value, "url");
}

/* A program's own options count until its command ends. */
static void note_program(struct secret_search *s, struct view name)
{
    unsigned programs = 0;
    for (size_t i = 0; i < COUNT(options); i++)
        if (name.data[0] == (uint8_t)options[i].program[0] &&
            view_equal(name, view_of(options[i].program)))
            programs |= 1u << i;
    if (programs)
        s->programs = programs;
}

/* Goes on to `to`, past what ends commands and begins quotations. */
static void advance(struct secret_search *s, size_t to)
{
    for (; s->at < to; s->at++) {
        int c = secret_byte(s, s->at);
        if (!secret_is_shell(s))
            continue;
        if (!c)
            s->quote = 0;
        int next = secret_byte(s, s->at + 1);
        s->is_strict |= (c == '<' && next == '<') || (c == '$' && next == '\'');
        bool is_literal = s->is_escaped;
        s->is_escaped = !is_literal && c == '\\' && s->quote != '\'';
        if (!c || is_literal || s->is_escaped)
            continue;
        if (s->quote)
            s->quote = c == s->quote ? 0 : s->quote;
        else if (c == '"' || c == '\'')
            s->quote = (char)c;
        else if (strchr(";|&\n", c))
            s->programs = 0;
    }
}

/* The value behind the name under way. */
static struct span value_at(const struct secret_search *s, size_t at, bool whole)
{
    struct secret_search there = *s;
    advance(&there, at);
    return secret_value(s, at, there.quote, whole);
}

/* Where the argument behind a name that ends at `at` begins; `whole` in the form SECRET_WORDS when
 * the name was an argument itself. */
static bool next_word(const struct secret_search *s, size_t at, size_t *to, bool *whole)
{
    int before = secret_before(s);
    *whole = s->form == SECRET_WORDS && !before && secret_byte(s, at) == 0;
    if (!*whole && !secret_is_blank(secret_byte(s, at)))
        return false;
    at++;
    while (!*whole && secret_is_blank(secret_byte(s, at)))
        at++;
    *to = at;
    return at < s->text.len;
}

/* user:password */
static bool take_pair(const struct secret_search *s, struct span value, struct secret *out)
{
    size_t colon = secret_colon(s, value);
    struct span password = {colon + 1, value.end};
    for (size_t at = value.at; at < colon; at++)
        if (begins_secret(s, at))
            return false; /* which is found by itself */
    return colon < value.end && secret_is_value(s, password, ANY_VALUE) &&
           take(out, password, "password");
}

/* -p VALUE, -pVALUE of a program that is known. */
static bool try_letter(struct secret_search *s, size_t end, struct secret *out)
{
    int letter = secret_byte(s, s->at + 1), after = secret_byte(s, end);
    bool is_alone = end - s->at == 2 && (after <= 0 || secret_is_blank(after)), whole = false;
    for (size_t i = 0; i < COUNT(options); i++) {
        size_t to = s->at + 2;
        if (!(s->programs & 1u << i) || options[i].letter != letter ||
            (is_alone ? options[i].form == ATTACHED : options[i].form == NEXT))
            continue;
        if (is_alone && !next_word(s, end, &to, &whole))
            return false;
        if (!is_alone) /* all of an argument goes to its end */
            whole = s->form == SECRET_WORDS && !secret_before(s);
        struct span value = value_at(s, to, whole);
        s->programs = 0; /* it is given once */
        return options[i].form == PAIR
                   ? take_pair(s, value, out)
                   : secret_is_value(s, value, ANY_VALUE) && take(out, value, options[i].kind);
    }
    return false;
}

/* --user and --proxy-user of a program whose short options are pairs. */
static bool is_pair_option(const struct secret_search *s, struct view name)
{
    if (view_equal(name, view_of("user")) || view_equal(name, view_of("proxy-user")))
        for (size_t i = 0; i < COUNT(options); i++)
            if (s->programs & 1u << i && options[i].form == PAIR)
                return true;
    return false;
}

/* --name VALUE */
static bool try_option(const struct secret_search *s, struct span name, struct secret *out)
{
    bool whole;
    size_t to;
    struct view is = {s->text.data + name.at, name.end - name.at};
    if (!next_word(s, name.end, &to, &whole) || secret_byte(s, to) == '-')
        return false;
    if (is_pair_option(s, is))
        return take_pair(s, value_at(s, to, whole), out);
    struct secret_key key = secret_key_of(is);
    if (!key.kind)
        return false;
    struct span value = value_at(s, to, whole);
    return secret_is_value(s, value, key.values) && take(out, value, key.kind);
}

/* "Authorization: Basic …": the scheme is no secret. */
static void pass_scheme(const struct secret_search *s, struct span *value)
{
    static const char *const schemes[] = {"basic ", "bearer ", "token ", "apikey ", "digest "};
    for (size_t i = 0; i < COUNT(schemes); i++) {
        size_t at = value->at + strlen(schemes[i]);
        if (!has(s, value->at, schemes[i]))
            continue;
        while (secret_is_blank(secret_byte(s, at)))
            at++;
        if (value->end != at)
            *value = value->end > at ? (struct span){at, value->end} : value_at(s, at, false);
        return;
    }
}

/* What a name may begin behind, so that a : at its end gives it a value: not image/token:latest. */
static bool begins_pair(int before)
{
    return before <= 0 || strchr(" \t\r\n\"'{[(,;&?", before);
}

/* Passes ", \" or ] behind a name, and blanks, to its = or :. 0: there is none. */
static int separator(const struct secret_search *s, size_t *at, bool *is_quoted)
{
    size_t to = *at + (secret_byte(s, *at) == '\\');
    int c = secret_byte(s, to);
    *is_quoted = c == '"' || c == '\'' || c == ']';
    if (!*is_quoted && to != *at)
        return 0;
    to += *is_quoted;
    while ((*is_quoted || s->form == SECRET_PLAIN) && secret_is_blank(secret_byte(s, to)))
        to++;
    c = secret_byte(s, to);
    *at = to + 1;
    return c == '=' || c == ':' ? c : 0;
}

/* name=VALUE, name: VALUE, "name": "VALUE", --name=VALUE. */
static bool try_pair(const struct secret_search *s, struct span name, struct secret *out)
{
    bool is_quoted, is_plain = s->form == SECRET_PLAIN;
    size_t at = name.end;
    int before = secret_before(s);
    int sign = separator(s, &at, &is_quoted), first = secret_byte(s, at);
    if (!sign || (sign == '=' && first == '=') || /* a comparison */
        (sign == ':' && !is_quoted && !secret_is_blank(first) && !begins_pair(before)))
        return false;
    struct secret_key key =
        secret_key_of((struct view){s->text.data + name.at, name.end - name.at});
    if (!key.kind)
        return false;
    while ((sign == ':' || is_quoted || is_plain) && secret_is_blank(secret_byte(s, at)))
        at++;
    bool is_open = secret_byte(s, at) != '"' && secret_byte(s, at) != '\'';
    bool is_line = is_plain && sign == '=' && is_open && (!before || before == '\n');
    bool whole = s->form == SECRET_WORDS && sign == '=' && !before && name.at > s->at;
    struct span value = is_line ? secret_rest_of_line(s, at) : value_at(s, at, whole);
    pass_scheme(s, &value);
    if (is_plain && sign == ':' && is_open && value.end - value.at < PLAIN_MIN_BYTES)
        return false;
    return secret_is_value(s, value, key.values) && take(out, value, key.kind);
}

/* What begins where a name does. */
static bool try_name(struct secret_search *s, struct secret *out)
{
    struct span name = {s->at, s->at};
    while (secret_is_name(secret_byte(s, name.end)) && !begins_secret(s, name.end))
        name.end++;
    while (name.at < name.end && secret_byte(s, name.at) == '-')
        name.at++;
    if (name.at == s->at)
        note_program(s, (struct view){s->text.data + name.at, name.end - name.at});
    else if (name.at - s->at == 1 && try_letter(s, name.end, out))
        return true;
    size_t at = name.end;
    bool is_quoted;
    if (separator(s, &at, &is_quoted))
        return try_pair(s, name, out);
    return name.at > s->at && try_option(s, name, out);
}

/* K=V: all of V, where the first = is just behind us. */
static bool try_whole_pair(struct secret_search *s, struct secret *out)
{
    if (s->form != SECRET_PAIR || s->has_value || !s->at || s->text.data[s->at - 1] != '=')
        return false;
    s->has_value = true;
    struct span value = {s->at, s->text.len};
    struct view name = {s->text.data, s->at - 1};
    for (size_t i = 0; i < name.len; i++)
        if (!secret_is_name(name.data[i]))
            return false;
    struct secret_key key = secret_key_of(name);
    return key.kind && secret_is_value(s, value, key.values) && take(out, value, key.kind);
}

static bool try_here(struct secret_search *s, struct secret *out)
{
    bool begins_name = secret_is_name(secret_byte(s, s->at)) && !secret_is_name(secret_before(s)) &&
                       (s->form != SECRET_PAIR || s->has_value);
    return try_whole_pair(s, out) || try_prefix(s, out) || try_jwt(s, out) || try_url(s, out) ||
           try_pem(s, out) || (begins_name && try_name(s, out));
}

bool secret_next(struct secret_search *s, struct secret *out)
{
    size_t mark;
    while (s->at < s->text.len) {
        if ((mark = secret_mark_at(s, s->at))) {
            s->at += mark;
            s->is_escaped = false;
        } else if (try_here(s, out)) {
            advance(s, out->at);
            s->at = s->passed = out->at + out->len;
            s->is_escaped = false;
            return true;
        } else {
            advance(s, s->at + 1);
        }
    }
    return false;
}
