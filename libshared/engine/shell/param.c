/* param.c - see param.h. Lengths and slices count bytes, so they are not known of other text than
 * ASCII, where the shell's locale decides. */
#include "engine/shell/param.h"

#include "base/scope.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct meaning of_items(const struct arg *items, size_t count, bool many)
{
    return (struct meaning){.items = items, .count = count, .many = many};
}

static struct meaning of_arg(const struct expansion *e, struct arg a)
{
    struct arg *item = arena_new(e->arena, 1, sizeof *item);
    if (!item)
        return of_items(vars_unknown()->values[0]->items, 1, false);
    *item = a;
    return of_items(item, 1, false);
}

static struct meaning unknown(const struct expansion *e)
{
    return of_arg(e, arg_hole());
}

static struct meaning of_text(const struct expansion *e, const char *text, size_t len)
{
    char *copy = expand_may_work(e, len + 1) ? arena_text(e->arena, text, len) : NULL;
    return copy ? of_arg(e, arg_literal(copy)) : unknown(e);
}

static struct meaning of_number(const struct expansion *e, int64_t number)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", (long long)number);
    return of_text(e, text, (size_t)n);
}

/* The value that a state has in this pass; NULL when it may be any of several. */
static const struct value *pick(const struct expansion *e, const struct state *state)
{
    size_t at = state->count > 1 ? expand_choose(e, state, state->count) : 0;
    expand_note(e, state->sources);
    return at < state->count ? state->values[at] : NULL;
}

static bool is_literal(const struct arg *a)
{
    return a->glob_at == SIZE_MAX && !memchr(a->text, HOLE, a->len);
}

static bool is_ascii(const struct arg *a)
{
    for (size_t i = 0; i < a->len; i++)
        if (a->text[i] & 0x80)
            return false;
    return true;
}

/* Names whose value is a number, whoever sets it. */
static bool is_number_name(const char *name)
{
    static const char *const names[] = {"RANDOM", "SRANDOM",      "SECONDS", "LINENO", "PPID",
                                        "UID",    "EUID",         "BASHPID", "?",      "#",
                                        "$",      "EPOCHSECONDS", "!"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

static const struct value *of_pwd(const struct expansion *e)
{
    struct arg *item = arena_new(e->arena, 1, sizeof *item);
    struct value *value = item ? arena_new(e->arena, 1, sizeof *value) : NULL;
    if (!value)
        return NULL;
    *item = arg_literal(e->pwd);
    *value = (struct value){.set = true, .items = item, .count = 1};
    return value;
}

/* What a parameter holds before any operator: a value, or NULL when nothing is known. */
static const struct value *value_of(const struct expansion *e, const char *name)
{
    bool positional = !strcmp(name, "@") || !strcmp(name, "*") || isdigit((unsigned char)name[0]);
    if (!e->vars || !strcmp(name, "0"))
        return NULL;
    positional |= !strcmp(name, "#");
    if (!strcmp(name, "PWD") && e->pwd)
        return of_pwd(e);
    if (!name[0] || (strchr("?$!-_", name[0]) && !name[1])) /* "": its ${ } could not be read */
        return NULL;
    const struct value *value = pick(e, vars_get(e->vars, positional ? "@" : name));
    if (positional && value && !value->array)
        return NULL;
    return value;
}

/* The item at an index, or nothing. */
static struct meaning item_at(const struct expansion *e, const struct value *value, int64_t at)
{
    if (at < 0)
        at += (int64_t)value->count;
    if (at >= 0 && at < (int64_t)value->count)
        return of_items(&value->items[at], 1, false);
    return of_text(e, "", 0);
}

/* The subscript: SUBSCRIPT_ALL, SUBSCRIPT_JOINED, or an index; false when it is not known. */
enum { SUBSCRIPT_ALL = 1, SUBSCRIPT_JOINED, SUBSCRIPT_INDEX };

static int read_subscript(const struct expansion *e, const struct part *p, int64_t *index)
{
    struct arg a = expand_parts(e, p->index);
    if (!a.len || a.text[a.len - 1] != ']')
        return 0;
    if (a.len == 2 && (a.text[0] == '@' || a.text[0] == '*'))
        return a.text[0] == '@' ? SUBSCRIPT_ALL : SUBSCRIPT_JOINED;
    return arith_value(e, a.text, a.len - 1, index) ? SUBSCRIPT_INDEX : 0;
}

/* All items as one text, joined by the first character of IFS. */
static struct meaning joined(const struct expansion *e, struct meaning m)
{
    const struct value *ifs = pick(e, vars_get(e->vars, "IFS"));
    if (!ifs || !is_literal(&ifs->items[0]))
        return unknown(e);
    size_t len = 0, gap = !ifs->set ? 1 : ifs->items[0].len ? 1 : 0;
    for (size_t i = 0; i < m.count; i++)
        len += m.items[i].len + gap;
    char *text = expand_may_work(e, len) ? arena_new(e->arena, len + 1, 1) : NULL, *at = text;
    if (!text)
        return unknown(e);
    for (size_t i = 0; i < m.count; i++) {
        if (i && gap)
            *at++ = ifs->set ? ifs->items[0].text[0] : ' ';
        at = mempcpy(at, m.items[i].text, m.items[i].len);
        if (m.items[i].glob_at != SIZE_MAX)
            return unknown(e);
    }
    struct arg a = arg_literal(text);
    return of_arg(e, a);
}

/* The meaning without an operator. */
static struct meaning plain_meaning(const struct expansion *e, const struct part *p,
                                    const struct value *value)
{
    const char *name = p->text;
    int64_t at = 0;
    if (!value) {
        struct meaning m = of_arg(e, is_number_name(name) ? arg_tame_hole() : arg_hole());
        m.many = !strcmp(name, "@") || p->index;
        return m;
    }
    if (!strcmp(name, "#"))
        return of_number(e, (int64_t)value->count);
    if (isdigit((unsigned char)name[0])) {
        at = strtoll(name, NULL, 10);
        return at > (int64_t)value->count ? of_text(e, "", 0) : item_at(e, value, at - 1);
    }
    bool all = !strcmp(name, "@"), star = !strcmp(name, "*");
    if (p->index && !all && !star) {
        int kind = read_subscript(e, p, &at);
        if (!kind) {
            expand_abort(e);
            return unknown(e);
        }
        if (kind == SUBSCRIPT_INDEX)
            return value->set || value->count ? item_at(e, value, at) : of_text(e, "", 0);
        all = kind == SUBSCRIPT_ALL;
        star = !all;
    }
    if (!all && !star)
        return value->count ? of_items(value->items, 1, false) : of_text(e, "", 0);
    bool nothing = !value->set && is_literal(&value->items[0]);
    struct meaning m = of_items(value->items, nothing ? 0 : value->count, true);
    return star && p->quoted ? joined(e, m) : m;
}

/* Operators. */

enum presence { ABSENT, PRESENT, PERHAPS };

/* Whether the parameter is set, and with a colon also not empty. */
static enum presence presence_of(const struct value *value, const struct meaning *m, bool colon)
{
    if (!m->count)
        return ABSENT;
    const struct arg *a = &m->items[0];
    bool only_holes = a->len && strspn(a->text, (const char[]){HOLE, 0}) == a->len;
    if (m->many && m->count > 1)
        return PRESENT;
    if (only_holes)
        return value && value->set && !colon ? PRESENT : PERHAPS;
    if (colon || a->len)
        return a->len ? PRESENT : ABSENT;
    return !value ? PERHAPS : value->set && !value->array ? PRESENT : value->set ? PERHAPS : ABSENT;
}

static bool has_blank(const struct arg *a)
{
    return a->text[strcspn(a->text, " \t\n*?[")] != 0;
}

/* The operand of - = + as one argument. */
static struct meaning operand_of(const struct expansion *e, const struct part *p)
{
    bool quoted = true, any = false;
    for (const struct part *each = p->inner; each; each = each->next) {
        quoted &= each->quoted;
        any |= each->quoted;
    }
    struct arg a = expand_parts(e, p->inner);
    if (!p->quoted && any && !quoted && has_blank(&a))
        return unknown(e);
    struct meaning m = of_arg(e, a);
    m.whole = quoted && p->inner;
    return m;
}

static struct meaning default_of(const struct expansion *e, const struct part *p,
                                 const struct value *value, struct meaning m)
{
    bool colon = p->op[0] == ':';
    char sign = p->op[colon];
    enum presence there = presence_of(value, &m, colon);
    if (sign == '?')
        return m;
    if (there == PERHAPS && sign != '+') {
        struct arg otherwise = expand_parts(e, p->inner);
        if (otherwise.kind == ARG_DYNAMIC) /* known or not, it is not known */
            return unknown(e);
    }
    if (there == PERHAPS) {
        size_t at = expand_choose(e, p, 2);
        if (at > 1)
            return unknown(e);
        there = at ? ABSENT : PRESENT;
    }
    if (sign == '+')
        return there == PRESENT ? operand_of(e, p) : of_text(e, "", 0);
    return there == PRESENT ? m : operand_of(e, p);
}

/* A pattern in the making, or a replacement. */
struct gathered {
    const struct expansion *e;
    char *text;
    size_t len, room;
    bool failed;
};

static void gather(struct gathered *g, const char *text, size_t len, bool escaped)
{
    if (!expand_may_work(g->e, len))
        g->failed = true;
    for (size_t i = 0; i < len && !g->failed; i++) {
        if (g->len + 3 > g->room) {
            size_t room = g->room ? g->room * 2 : 32;
            char *larger = arena_new(g->e->arena, room, 1);
            if (!larger) {
                g->failed = true;
                return;
            }
            if (g->len)
                memcpy(larger, g->text, g->len);
            g->text = larger;
            g->room = room;
        }
        if (escaped && strchr("*?[]\\", text[i]))
            g->text[g->len++] = '\\';
        g->text[g->len++] = text[i];
    }
}

/* What the parts become from `at` on, up to an unquoted `stop`; moves both behind it. */
static void gather_parts(struct gathered *g, const struct part **at, size_t *offset, char stop,
                         bool pattern)
{
    for (; *at; *at = (*at)->next, *offset = 0) {
        const struct part *p = *at;
        if (p->kind != PART_TEXT) {
            struct part one = *p;
            one.next = NULL;
            struct arg a = expand_parts(g->e, &one);
            g->failed |= !is_literal(&a);
            gather(g, a.text, a.len, pattern && p->quoted);
            continue;
        }
        const char *found =
            stop && !p->quoted ? memchr(p->text + *offset, stop, p->len - *offset) : NULL;
        size_t end = found ? (size_t)(found - p->text) : p->len;
        g->failed |= pattern && !p->quoted && memchr(p->text, '(', p->len);
        gather(g, p->text + *offset, end - *offset, pattern && p->quoted);
        *offset = end + 1;
        if (found)
            return;
    }
}

static const char *text_of(const struct gathered *g)
{
    return g->text ? g->text : "";
}

/* How much of the text the pattern takes: at its beginning or its end, the least or the most.
 * SIZE_MAX: it does not match. */
static size_t cut_of(const struct gathered *g, const struct arg *a, bool at_end, bool most)
{
    for (size_t i = 0; i <= a->len; i++) {
        size_t len = most ? a->len - i : i;
        const char *from = at_end ? a->text + a->len - len : a->text;
        if (pattern_matches(text_of(g), g->len, from, len))
            return len;
    }
    return SIZE_MAX;
}

static bool may_match(const struct gathered *g, const struct arg *a, size_t times)
{
    return !g->failed &&
           expand_may_work(g->e, times * (a->len + 1) * (a->len + 1) *
                                     (memchr(text_of(g), '*', g->len) ? g->len + 1 : 1));
}

static struct meaning trimmed(const struct expansion *e, const struct part *p, const struct arg *a)
{
    const struct part *at = p->inner;
    size_t offset = 0;
    struct gathered g = {.e = e};
    gather_parts(&g, &at, &offset, 0, true);
    if (!may_match(&g, a, 1))
        return unknown(e);
    bool at_end = p->op[0] == '%';
    size_t cut = cut_of(&g, a, at_end, p->op[1] != 0);
    if (cut == SIZE_MAX)
        cut = 0;
    return of_text(e, at_end ? a->text : a->text + cut, a->len - cut);
}

/* The longest match that begins at `from`; SIZE_MAX without one. */
static size_t match_at(const struct gathered *pattern, const struct arg *a, size_t from)
{
    for (size_t len = a->len - from;; len--) {
        if (pattern_matches(text_of(pattern), pattern->len, a->text + from, len))
            return len;
        if (!len)
            return SIZE_MAX;
    }
}

static struct meaning replaced(const struct expansion *e, const struct part *p, const struct arg *a)
{
    const struct part *at = p->inner;
    size_t offset = 0;
    struct gathered pattern = {.e = e}, with = {.e = e}, result = {.e = e};
    bool odd = at && at->kind == PART_TEXT && at->len && at->text[0] == '/';
    gather_parts(&pattern, &at, &offset, '/', true);
    gather_parts(&with, &at, &offset, 0, false);
    bool special =
        with.len && (memchr(with.text, '&', with.len) || memchr(with.text, '\\', with.len));
    if (odd || special || with.failed || !pattern.len || !may_match(&pattern, a, a->len + 1))
        return unknown(e);
    bool all = p->op[1] == '/', front = p->op[1] == '#', back = p->op[1] == '%', done = false;
    for (size_t i = 0; i < a->len;) {
        size_t len = done || (front && i) ? SIZE_MAX : match_at(&pattern, a, i);
        if (len == SIZE_MAX || !len || (back && len != a->len - i)) {
            gather(&result, a->text + i++, 1, false);
            continue;
        }
        gather(&result, with.text, with.len, false);
        i += len;
        done = !all;
    }
    return result.failed ? unknown(e) : of_text(e, text_of(&result), result.len);
}

static struct meaning recased(const struct expansion *e, const struct part *p, const struct arg *a)
{
    char sign = p->op[0] == '@' ? p->op[1] : p->op[0];
    bool up = sign == '^' || sign == 'U' || sign == 'u';
    bool all = p->op[0] == '@' ? sign != 'u' : p->op[1] != 0;
    if (p->inner || !is_ascii(a) || !expand_may_work(e, a->len))
        return unknown(e);
    char *text = arena_text(e->arena, a->text, a->len);
    for (size_t i = 0; text && i < a->len && (all || !i); i++)
        text[i] = (char)(up ? toupper((unsigned char)text[i]) : tolower((unsigned char)text[i]));
    return text ? of_arg(e, arg_literal(text)) : unknown(e);
}

/* offset and length of ${x:o:l}; false when they are not known. */
static bool read_slice(const struct expansion *e, const struct part *p, size_t of, size_t *from,
                       size_t *len)
{
    struct arg a = expand_parts(e, p->inner);
    expand_abort(e);
    const char *colon = memchr(a.text, ':', a.len);
    size_t first = colon ? (size_t)(colon - a.text) : a.len;
    int64_t start, count = (int64_t)of;
    if (memchr(a.text, '?', a.len) || !arith_value(e, a.text, first, &start) ||
        (colon && !arith_value(e, colon + 1, a.len - first - 1, &count)))
        return false;
    if (start < 0)
        start += (int64_t)of;
    if (start < 0 || start > (int64_t)of) {
        *from = *len = 0;
        return true;
    }
    int64_t rest = (int64_t)of - start;
    if (count < 0)
        count += rest;
    *from = (size_t)start;
    *len = (size_t)(count < 0 ? 0 : count > rest ? rest : count);
    return true;
}

static struct meaning sliced(const struct expansion *e, const struct part *p, struct meaning m)
{
    size_t from, len;
    if (m.many) {
        bool positional = !strcmp(p->text, "@") || !strcmp(p->text, "*");
        if (!read_slice(e, p, m.count + positional, &from, &len) || (positional && !from && len))
            return unknown(e);
        return of_items(m.items + from - (positional && from), len, true);
    }
    const struct arg *a = &m.items[0];
    if (!is_ascii(a) || !read_slice(e, p, a->len, &from, &len))
        return unknown(e);
    return of_text(e, a->text + from, len);
}

/* ${#x} */
static struct meaning length_of(const struct expansion *e, const struct part *p, struct meaning m,
                                const struct value *value)
{
    if (!value || p->op[0])
        return of_arg(e, arg_tame_hole());
    if (m.many && (value->array || is_literal(&value->items[0])))
        return of_number(e, (int64_t)m.count);
    if (!is_literal(&m.items[0]) || !is_ascii(&m.items[0]))
        return of_arg(e, arg_tame_hole());
    return of_number(e, (int64_t)m.items[0].len);
}

static bool is_name(const struct arg *a)
{
    bool number = a->len && strspn(a->text, "0123456789") == a->len && a->text[0] != '0';
    for (size_t i = 0; i < a->len && !number; i++)
        if (a->text[i] != '_' && !isalnum((unsigned char)a->text[i]))
            return false;
    return number || (a->len && !isdigit((unsigned char)a->text[0]));
}

static struct meaning operated(const struct expansion *e, const struct part *p);

/* ${!x}: the parameter whose name x holds. */
static struct meaning indirect(const struct expansion *e, const struct part *p)
{
    const struct value *name = value_of(e, p->text);
    struct part meant = *p;
    if (!name || name->array || p->index || !is_literal(&name->items[0]) ||
        !is_name(&name->items[0])) {
        expand_abort(e);
        return unknown(e);
    }
    meant.text = name->items[0].text;
    meant.prefix = 0;
    return operated(e, &meant);
}

static struct meaning operated(const struct expansion *e, const struct part *p)
{
    const struct value *value = value_of(e, p->text);
    struct meaning m = plain_meaning(e, p, value);
    char op = p->op[0];
    if (p->prefix == '#')
        return length_of(e, p, m, value);
    if (!op)
        return m;
    if (strchr(":-=+?", op) && (op != ':' || p->op[1]))
        return default_of(e, p, value, m);
    if (op == ':' && value && m.many)
        return sliced(e, p, m);
    if (m.count != 1 || m.many || !is_literal(&m.items[0]) || (e->posix && strchr("/^,@", op))) {
        struct meaning any = unknown(e);
        any.many = m.many;
        return m.count ? any : m;
    }
    if (op == ':')
        return sliced(e, p, m);
    if (op == '#' || op == '%')
        return trimmed(e, p, &m.items[0]);
    if (op == '/')
        return replaced(e, p, &m.items[0]);
    if (op == '^' || op == ',' || (op == '@' && strchr("ULu", p->op[1])))
        return recased(e, p, &m.items[0]);
    return unknown(e);
}

struct meaning param_meaning(const struct expansion *e, const struct part *p)
{
    for (const struct part *each = p->inner; each; each = each->next)
        if (each->heard)
            expand_note(e, each->heard->sources);
    if (!e->vars)
        return unknown(e);
    return p->prefix == '!' ? indirect(e, p) : operated(e, p);
}
