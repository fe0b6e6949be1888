/* expand.c - see expand.h. A word is taken apart into atoms, single characters with their quoting
 * and opaque expansions, because braces may span quotes and expansions. */
#include "engine/shell/expand.h"

#include <stdint.h>
#include <string.h>

struct atom {
    const struct part *part; /* an expansion; NULL for a character */
    char c;
    bool quoted;
};

struct atoms {
    struct atom *items;
    size_t count;
};

static void no_memory(const struct expansion *e)
{
    trouble_add(e->trouble, TROUBLE_MEMORY, "it needs too much memory to analyse");
}

struct arg arg_literal(const char *text)
{
    return (struct arg){
        .kind = ARG_LITERAL, .text = text, .len = strlen(text), .glob_at = SIZE_MAX};
}

struct arg arg_hole(void)
{
    static const char hole[] = {HOLE, 0};
    struct arg a = arg_literal(hole);
    a.kind = ARG_DYNAMIC;
    a.splits = true;
    return a;
}

bool arg_is(const struct arg *a, const char *text)
{
    return a->kind == ARG_LITERAL && a->glob_at == SIZE_MAX && !strcmp(a->text, text);
}

void args_add(const struct expansion *e, struct args *to, struct arg a)
{
    if (to->count == to->room) {
        size_t room = to->room ? to->room * 2 : 8;
        struct arg *items = arena_new(e->arena, room, sizeof *items);
        if (!items) {
            no_memory(e);
            return;
        }
        if (to->count)
            memcpy(items, to->items, to->count * sizeof *items);
        to->items = items;
        to->room = room;
    }
    to->items[to->count++] = a;
}

static struct atoms take_apart(const struct expansion *e, const struct part *parts)
{
    size_t count = 0;
    for (const struct part *p = parts; p; p = p->next)
        count += p->kind == PART_TEXT ? p->len : 1;
    struct atoms atoms = {.items = arena_new(e->arena, count, sizeof *atoms.items)};
    if (!atoms.items) {
        no_memory(e);
        return atoms;
    }
    for (const struct part *p = parts; p; p = p->next) {
        if (p->kind != PART_TEXT) {
            atoms.items[atoms.count++] = (struct atom){.part = p, .quoted = p->quoted};
            continue;
        }
        for (size_t i = 0; i < p->len; i++)
            atoms.items[atoms.count++] = (struct atom){.c = p->text[i], .quoted = p->quoted};
    }
    e->arena->steps += atoms.count;
    return atoms;
}

static bool is_char(const struct atoms *a, size_t i, char c)
{
    return i < a->count && !a->items[i].part && !a->items[i].quoted && a->items[i].c == c;
}

/* An argument in the making. */
struct value {
    const struct expansion *e;
    struct arg arg;
    char *text;
    size_t room, holes;
};

static void put(struct value *v, const char *text, size_t len)
{
    size_t need = v->arg.len + len + 1;
    if (need > v->room) {
        size_t room = need * 2;
        char *grown = arena_new(v->e->arena, room, 1);
        if (!grown) {
            no_memory(v->e);
            return;
        }
        if (v->arg.len)
            memcpy(grown, v->text, v->arg.len);
        v->text = grown;
        v->room = room;
    }
    memcpy(v->text + v->arg.len, text, len);
    v->arg.len += len;
}

static void put_hole(struct value *v)
{
    static const char hole = HOLE;
    put(v, &hole, 1);
    v->holes++;
}

/* "$@" and "${x[@]}" become many arguments although they are quoted; numbers never split. */
static bool part_splits(const struct part *p)
{
    if (p->kind == PART_PARAM) {
        bool all = !strcmp(p->text, "@") ||
                   (p->inner && p->inner->kind == PART_TEXT && p->inner->text[0] == '@');
        bool number = p->plain && strlen(p->text) == 1 && strchr("?#$!", p->text[0]);
        return all || (!p->quoted && !number);
    }
    return p->kind == PART_COMMAND && !p->quoted;
}

static void put_part(struct value *v, const struct part *p)
{
    const char *known = NULL;
    if (p->kind == PART_PARAM && p->plain && !strcmp(p->text, "HOME"))
        known = v->e->home;
    else if (p->kind == PART_PARAM && p->plain && !strcmp(p->text, "PWD"))
        known = v->e->pwd;
    if (known) {
        put(v, known, strlen(known));
        return;
    }
    put_hole(v);
    v->arg.splits |= part_splits(p);
    v->arg.process |= p->kind == PART_PROCESS;
}

/* Replaces a tilde-prefix and returns how many atoms it has; 0 when there is none. */
static size_t put_tilde(struct value *v, const struct atoms *a, size_t from)
{
    char name[33];
    size_t at = from + 1, n = 0;
    if (!is_char(a, from, '~'))
        return 0;
    for (; at < a->count && !is_char(a, at, '/') && !is_char(a, at, ':'); at++) {
        if (a->items[at].part || a->items[at].quoted || n + 1 == sizeof name)
            return 0;
        name[n++] = a->items[at].c;
    }
    name[n] = 0;
    const char *known = !n                      ? v->e->home
                        : !strcmp(name, "+")    ? v->e->pwd
                        : !strcmp(name, "root") ? "/root"
                                                : NULL;
    if (known)
        put(v, known, strlen(known));
    else
        put_hole(v);
    return at - from;
}

static bool is_glob(const struct atoms *a, size_t i, size_t last_close)
{
    return is_char(a, i, '*') || is_char(a, i, '?') || (is_char(a, i, '[') && i < last_close);
}

static struct arg put_together(const struct expansion *e, const struct atoms *a, bool assigns)
{
    struct value v = {.e = e, .arg = {.text = "", .glob_at = SIZE_MAX}};
    size_t last_close = 0, i = put_tilde(&v, a, 0);
    for (size_t at = 0; at < a->count; at++)
        if (is_char(a, at, ']'))
            last_close = at;
    e->arena->steps += a->count * 2;
    while (i < a->count) {
        const struct atom *atom = &a->items[i];
        if (is_glob(a, i, last_close) && v.arg.glob_at == SIZE_MAX)
            v.arg.glob_at = v.arg.len;
        if (atom->part)
            put_part(&v, atom->part);
        else
            put(&v, &atom->c, 1);
        i++;
        if (assigns && is_char(a, i - 1, ':'))
            i += put_tilde(&v, a, i);
    }
    if (v.text) {
        v.text[v.arg.len] = 0;
        v.arg.text = v.text;
    }
    v.arg.kind = !v.holes ? ARG_LITERAL : v.holes == v.arg.len ? ARG_DYNAMIC : ARG_PARTIAL;
    return v.arg;
}

struct arg expand_parts(const struct expansion *e, const struct part *parts)
{
    struct atoms atoms = take_apart(e, parts);
    return put_together(e, &atoms, true);
}

/* Braces. */

enum { BRACE_MAX_DEPTH = 64 };

struct braces {
    const struct expansion *e;
    struct args *to;
    size_t args; /* made so far */
};

/* A brace that expands: from '{' to '}', with a comma or dots of its own. */
struct brace {
    size_t open, close;
    bool comma;
    bool found;
};

/* Finds the first outermost brace that expands, in one pass with a stack. A brace without partner
 * beside one that expands is read differently by shells of different age: trouble. */
static struct brace find_brace(const struct expansion *e, const struct atoms *a)
{
    struct level {
        size_t open;
        bool comma, dots;
    } stack[BRACE_MAX_DEPTH];
    struct brace best = {0};
    size_t depth = 0, stray = 0;
    for (size_t i = 0; i < a->count; i++) {
        if (is_char(a, i, '{')) {
            if (depth == BRACE_MAX_DEPTH) {
                trouble_add(e->trouble, TROUBLE_TOO_DEEP, "its braces are nested too deeply");
                return (struct brace){0};
            }
            stack[depth++] = (struct level){.open = i};
        } else if (is_char(a, i, '}') && depth) {
            struct level *top = &stack[--depth];
            if ((top->comma || top->dots) && (!best.found || top->open < best.open))
                best = (struct brace){top->open, i, top->comma, true};
        } else if (is_char(a, i, '}')) {
            stray++;
        } else if (depth && is_char(a, i, ',')) {
            stack[depth - 1].comma = true;
        } else if (depth && is_char(a, i, '.') && is_char(a, i + 1, '.')) {
            stack[depth - 1].dots = true;
        }
    }
    e->arena->steps += a->count;
    if (best.found && (stray || depth))
        trouble_add(e->trouble, TROUBLE_SYNTAX, "its braces do not match");
    return best;
}

static void expand_atoms(struct braces *b, struct atoms a, unsigned depth);

/* The word with the brace replaced by the atoms [from, to) of it. */
static void expand_alternative(struct braces *b, const struct atoms *a, const struct brace *brace,
                               size_t from, size_t to, unsigned depth)
{
    size_t tail = a->count - brace->close - 1, count = brace->open + (to - from) + tail;
    struct atom *items = NULL;
    if (count <= *b->e->atoms_left && b->args < EXPAND_MAX_ARGS)
        items = arena_new(b->e->arena, count, sizeof *items);
    if (!items) {
        trouble_add(b->e->trouble, TROUBLE_TOO_LARGE, "its braces expand to too much");
        return;
    }
    if (!count)
        return; /* the shell drops what becomes nothing */
    *b->e->atoms_left -= count;
    memcpy(items, a->items, brace->open * sizeof *items);
    memcpy(items + brace->open, a->items + from, (to - from) * sizeof *items);
    memcpy(items + count - tail, a->items + brace->close + 1, tail * sizeof *items);
    expand_atoms(b, (struct atoms){items, count}, depth + 1);
}

static void expand_sequence(struct braces *b, struct atoms *a, const struct brace *brace,
                            unsigned depth)
{
    static const struct part sequence = {.kind = PART_ARITH, .text = ""};
    a->items[brace->open].part = &sequence;
    expand_alternative(b, a, brace, brace->open, brace->open + 1, depth);
}

static void expand_atoms(struct braces *b, struct atoms a, unsigned depth)
{
    struct brace brace = find_brace(b->e, &a);
    if (!brace.found || depth > BRACE_MAX_DEPTH) {
        if (brace.found)
            trouble_add(b->e->trouble, TROUBLE_TOO_DEEP, "its braces are nested too deeply");
        b->args++;
        args_add(b->e, b->to, put_together(b->e, &a, false));
        return;
    }
    if (!brace.comma) {
        expand_sequence(b, &a, &brace, depth);
        return;
    }
    size_t nested = 0, from = brace.open + 1;
    for (size_t i = from; i <= brace.close && b->args < EXPAND_MAX_ARGS; i++) {
        if ((is_char(&a, i, ',') && !nested) || i == brace.close) {
            expand_alternative(b, &a, &brace, from, i, depth);
            from = i + 1;
        }
        nested += is_char(&a, i, '{');
        nested -= nested && is_char(&a, i, '}');
    }
}

/* "NAME=value" as an argument of export and its kin. */
static struct arg expand_assignment(const struct expansion *e, const struct word *w)
{
    struct arg value = w->array ? arg_hole() : expand_parts(e, w->parts);
    struct value v = {.e = e, .arg = {.text = "", .glob_at = SIZE_MAX}};
    put(&v, w->name, strlen(w->name));
    put(&v, "+=", w->append ? 2 : 0);
    put(&v, "=", w->append ? 0 : 1);
    put(&v, value.text, value.len);
    if (v.text) {
        v.text[v.arg.len] = 0;
        v.arg.text = v.text;
    }
    v.arg.kind = value.kind == ARG_LITERAL ? ARG_LITERAL : ARG_PARTIAL;
    return v.arg;
}

void expand_word(const struct expansion *e, const struct word *w, struct args *to)
{
    if (w->name) {
        args_add(e, to, expand_assignment(e, w));
        return;
    }
    struct braces b = {.e = e, .to = to};
    expand_atoms(&b, take_apart(e, w->parts), 0);
}
