/* expand.c - see expand.h. A word is taken apart into atoms, single characters with their quoting
 * and opaque expansions, because braces may span quotes and expansions. */
#include "engine/shell/expand.h"

#include "engine/shell/param.h"
#include "engine/shell/sources.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

struct arg arg_tame_hole(void)
{
    static const char hole[] = {HOLE, 0};
    struct arg a = arg_literal(hole);
    a.kind = ARG_DYNAMIC;
    return a;
}

struct arg arg_hole(void)
{
    struct arg a = arg_tame_hole();
    a.splits = a.climbs = true;
    return a;
}

bool expand_may_work(const struct expansion *e, size_t steps)
{
    if (!e->work_left || *e->work_left < steps)
        return false;
    *e->work_left -= steps;
    e->arena->steps += steps;
    return true;
}

void expand_abort(const struct expansion *e)
{
    if (e->aborts)
        ++*e->aborts;
}

void expand_note(const struct expansion *e, const struct source_fact *sources)
{
    if (e->sources && sources)
        *e->sources = sources_join(e->arena, *e->sources, sources);
}

size_t expand_choose(const struct expansion *e, const void *key, size_t count)
{
    struct choices *c = e->choices;
    if (!c)
        return count;
    for (size_t i = 0; i < c->pinned; i++)
        if (c->pins[i].key == key)
            return c->pins[i].picked;
    if (c->pinned == CHOICE_PINS || c->radix * count > CHOICES_MAX)
        return count;
    size_t picked = c->at / c->radix % count;
    c->pins[c->pinned].key = key;
    c->pins[c->pinned++].picked = picked;
    c->radix *= count;
    if (c->total < c->radix)
        c->total = c->radix;
    return picked;
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
        count += p->kind == PART_TEXT && p->len ? p->len : 1;
    struct atoms atoms = {.items = arena_new(e->arena, count, sizeof *atoms.items)};
    if (!atoms.items) {
        no_memory(e);
        return atoms;
    }
    for (const struct part *p = parts; p; p = p->next) {
        if (p->kind != PART_TEXT || !p->len) {
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

/* Arguments in the making. */
struct fields {
    const struct expansion *e;
    struct args *to; /* NULL: everything is one argument */
    struct arg arg;
    char *text;
    size_t room;
    bool begun; /* there is an argument, even if it is empty */
};

static void put(struct fields *f, const char *text, size_t len)
{
    size_t need = f->arg.len + len + 1;
    f->begun = true;
    if (need > f->room) {
        size_t room = need * 2;
        char *grown = arena_new(f->e->arena, room, 1);
        if (!grown) {
            no_memory(f->e);
            return;
        }
        if (f->arg.len)
            memcpy(grown, f->text, f->arg.len);
        f->text = grown;
        f->room = room;
    }
    memcpy(f->text + f->arg.len, text, len);
    f->arg.len += len;
}

static struct fields fields_open(const struct expansion *e, struct args *to)
{
    return (struct fields){.e = e, .to = to, .arg = {.text = "", .glob_at = SIZE_MAX}};
}

/* The argument that was made. */
static struct arg take_arg(struct fields *f)
{
    size_t holes = 0;
    if (f->text) {
        f->text[f->arg.len] = 0;
        f->arg.text = f->text;
    }
    for (size_t i = 0; i < f->arg.len; i++)
        holes += f->arg.text[i] == HOLE;
    f->e->arena->steps += f->arg.len;
    f->arg.kind = !holes ? ARG_LITERAL : holes == f->arg.len ? ARG_DYNAMIC : ARG_PARTIAL;
    return f->arg;
}

static void end_field(struct fields *f)
{
    if (!f->begun || !f->to)
        return;
    args_add(f->e, f->to, take_arg(f));
    *f = fields_open(f->e, f->to);
}

static void put_hole(struct fields *f, bool splits, bool climbs)
{
    static const char hole = HOLE;
    put(f, &hole, 1);
    f->arg.splits |= splits;
    f->arg.climbs |= climbs;
}

/* Takes over what is known of a value besides its text. */
static void put_traits(struct fields *f, const struct arg *a, bool splits)
{
    f->arg.climbs |= a->climbs;
    f->arg.changes |= a->changes;
    f->arg.splits |= splits && (a->splits || a->climbs);
    if (a->glob_at != SIZE_MAX && f->arg.glob_at == SIZE_MAX)
        f->arg.glob_at = f->arg.len + a->glob_at;
}

/* One run of a value that is not split further. What looks like a pattern is one. */
static void put_run(struct fields *f, const char *text, size_t len)
{
    for (size_t i = 0; i < len && f->arg.glob_at == SIZE_MAX; i++)
        if (text[i] == '*' || text[i] == '?' || (text[i] == '[' && memchr(text, ']', len)))
            f->arg.glob_at = f->arg.len + i;
    put(f, text, len);
}

/* Puts an unquoted value: it becomes several arguments where it has characters of IFS. */
static void put_split(struct fields *f, const struct arg *a, const char *ifs)
{
    static const char blanks[] = " \t\n";
    for (size_t i = 0; i < a->len;) {
        size_t from = i;
        while (i < a->len && strchr(ifs, a->text[i]) && strchr(blanks, a->text[i]))
            i++;
        if (i < a->len && strchr(ifs, a->text[i])) {
            f->begun = true; /* between two delimiters stands an empty argument */
            i++;
        }
        while (i > from && i < a->len && strchr(ifs, a->text[i]) && strchr(blanks, a->text[i]))
            i++;
        if (i > from)
            end_field(f);
        from = i;
        while (i < a->len && !strchr(ifs, a->text[i]))
            i++;
        if (i > from) {
            put_traits(f, a, true);
            put_run(f, a->text + from, i - from);
        }
    }
}

/* The characters that split; NULL when they are not known. */
static const char *ifs_of(const struct expansion *e)
{
    if (!e->vars)
        return NULL;
    const struct state *state = vars_get(e->vars, "IFS");
    const struct arg *a = &state->values[0]->items[0];
    if (state->count > 1 || memchr(a->text, HOLE, a->len))
        return NULL;
    return state->values[0]->set ? a->text : " \t\n";
}

static void put_value(struct fields *f, const struct arg *a, bool quoted)
{
    if (!expand_may_work(f->e, a->len + 1)) {
        put_hole(f, !quoted, true);
        return;
    }
    const char *ifs = quoted || !f->to ? "" : ifs_of(f->e);
    if (quoted || !f->to) {
        put_traits(f, a, !quoted);
        put(f, a->text, a->len);
    } else if (!ifs) {
        put_hole(f, true, true);
    } else {
        put_split(f, a, ifs);
    }
}

static void put_param(struct fields *f, const struct part *p)
{
    struct meaning m = param_meaning(f->e, p);
    bool quoted = p->quoted || m.whole;
    bool loop = f->e->loop && f->e->vars && vars_changed(f->e->vars, p->text, *f->e->loop);
    for (size_t i = 0; i < m.count; i++) {
        if (i && f->to)
            end_field(f);
        else if (i)
            put(f, " ", 1);
        put_value(f, &m.items[i], quoted);
        f->arg.splits |= m.many && m.items[i].splits;
        f->arg.changes |= loop && memchr(m.items[i].text, HOLE, m.items[i].len);
    }
}

static void put_arith_hole(struct fields *f)
{
    expand_abort(f->e);
    put_hole(f, false, false);
}

static void put_part(struct fields *f, const struct part *p)
{
    const struct heard *heard = p->heard;
    int64_t number;
    if (heard)
        expand_note(f->e, heard->sources);
    if (p->kind == PART_TEXT) {
        f->begun = true; /* '' */
    } else if (p->kind == PART_PARAM) {
        put_param(f, p);
    } else if (p->kind == PART_COMMAND && heard && heard->output) {
        put_value(f, heard->output, p->quoted);
    } else if (p->kind == PART_COMMAND) {
        put_hole(f, !p->quoted, true);
    } else if (p->kind == PART_PROCESS) {
        put_hole(f, false, false);
        f->arg.process = true;
        f->arg.content = heard && heard->output && !p->writes ? heard->output->text : NULL;
    } else if (!p->inner) {
        put_hole(f, true, false); /* a sequence: numbers or letters */
    } else {
        struct arg a = expand_parts(f->e, p->inner);
        char text[24];
        if (arith_value(f->e, a.text, a.len, &number))
            put(f, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)number));
        else
            put_arith_hole(f);
    }
}

/* One of several homes; NULL when it is not known. */
static const char *home_of(const struct expansion *e)
{
    const struct state *home = e->vars ? vars_get(e->vars, "HOME") : vars_unknown();
    size_t at = home->count > 1 ? expand_choose(e, home, home->count) : home->count;
    const struct arg *a = at < home->count ? &home->values[at]->items[0] : NULL;
    return a && !memchr(a->text, HOLE, a->len) ? a->text : NULL;
}

/* The usual home of a user. Numbers and signs are places of the shell. */
static bool put_home(struct fields *f, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    if (!name[0] || !strchr(letters, name[0]) || strpbrk(name, "/\\ \t\n"))
        return false;
    bool is_root = !strcmp(name, "root");
    put(f, "/home/", is_root ? 1 : 6);
    put(f, name, strlen(name));
    return true;
}

/* Replaces a tilde-prefix and returns how many atoms it has; 0 when there is none. */
static size_t put_tilde(struct fields *f, const struct atoms *a, size_t from)
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
    const char *known = !n && !f->e->home    ? home_of(f->e)
                        : !n                 ? f->e->home
                        : !strcmp(name, "+") ? f->e->pwd
                                             : NULL;
    if (known)
        put(f, known, strlen(known));
    else if (!put_home(f, name))
        put_hole(f, false, true);
    return at - from;
}

static bool is_glob(const struct atoms *a, size_t i, size_t last_close)
{
    return is_char(a, i, '*') || is_char(a, i, '?') || (is_char(a, i, '[') && i < last_close);
}

/* Where the value of "NAME=value" begins, which is an argument like any other; SIZE_MAX: it is not
 * one. */
static size_t value_of(const struct atoms *a)
{
    size_t i = 0;
    for (; i < a->count && !a->items[i].part && !a->items[i].quoted; i++) {
        unsigned char c = (unsigned char)a->items[i].c;
        if (c == '=' && i)
            return i + 1;
        if (c != '_' && !isalpha(c) && !(i && isdigit(c)))
            return SIZE_MAX;
    }
    return SIZE_MAX;
}

/* Puts atoms; `assigns`: a tilde expands behind a colon, too. So it does, and behind the "=", in
 * what looks like an assignment to bash. */
static void put_atoms(struct fields *f, const struct atoms *a, bool assigns)
{
    size_t last_close = 0, i = put_tilde(f, a, 0);
    size_t value = assigns ? 0 : f->e->posix ? SIZE_MAX : value_of(a);
    for (size_t at = 0; at < a->count; at++)
        if (is_char(a, at, ']'))
            last_close = at;
    f->e->arena->steps += a->count * 2;
    while (i < a->count) {
        const struct atom *atom = &a->items[i];
        if (is_glob(a, i, last_close) && f->arg.glob_at == SIZE_MAX)
            f->arg.glob_at = f->arg.len;
        if (atom->part)
            put_part(f, atom->part);
        else
            put(f, &atom->c, 1);
        i++;
        if (i >= value && (i == value || is_char(a, i - 1, ':')))
            i += put_tilde(f, a, i);
    }
}

struct arg expand_parts(const struct expansion *e, const struct part *parts)
{
    struct atoms atoms = take_apart(e, parts);
    struct fields f = fields_open(e, NULL);
    put_atoms(&f, &atoms, true);
    return take_arg(&f);
}

/* Braces. */

enum { BRACE_MAX_DEPTH = 64, SEQUENCE_MAX = 32 };

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

/* The word with the brace replaced by other atoms. */
static void expand_replaced(struct braces *b, const struct atoms *a, const struct brace *brace,
                            const struct atoms *by, unsigned depth)
{
    size_t tail = a->count - brace->close - 1, count = brace->open + by->count + tail;
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
    memcpy(items + brace->open, by->items, by->count * sizeof *items);
    memcpy(items + count - tail, a->items + brace->close + 1, tail * sizeof *items);
    expand_atoms(b, (struct atoms){items, count}, depth + 1);
}

/* The word with the brace replaced by the atoms [from, to) of it. */
static void expand_alternative(struct braces *b, const struct atoms *a, const struct brace *brace,
                               size_t from, size_t to, unsigned depth)
{
    struct atoms by = {a->items + from, to - from};
    expand_replaced(b, a, brace, &by, depth);
}

/* Reads "x..y" between the braces, x and y numbers or letters; false when it is anything else. */
static bool read_sequence(const struct atoms *a, const struct brace *brace, int *from, int *to)
{
    char text[16];
    size_t n = 0;
    for (size_t i = brace->open + 1; i < brace->close; i++) {
        if (a->items[i].part || a->items[i].quoted || n + 1 == sizeof text)
            return false;
        text[n++] = a->items[i].c;
    }
    text[n] = 0;
    if (n == 4 && isalpha((unsigned char)text[0]) && isalpha((unsigned char)text[3])) {
        *from = (unsigned char)text[0];
        *to = (unsigned char)text[3];
        return isupper((unsigned char)text[0]) == isupper((unsigned char)text[3]);
    }
    char *dots, *end;
    *from = (int)strtol(text, &dots, 10);
    bool padded = text[0] == '0' && dots != text + 1;
    if (padded || dots == text || dots[0] != '.' || dots[1] != '.' ||
        !isdigit((unsigned char)dots[2]))
        return false;
    *to = (int)strtol(dots + 2, &end, 10);
    return !*end && isdigit((unsigned char)text[0]) && (dots[2] != '0' || end == dots + 3);
}

/* The texts of a short sequence that is the only brace of its word; anything else is a hole. */
static void expand_sequence(struct braces *b, struct atoms *a, const struct brace *brace,
                            unsigned depth)
{
    static const struct part sequence = {.kind = PART_ARITH, .text = ""};
    int from, to;
    bool known = !depth && read_sequence(a, brace, &from, &to) && abs(to - from) < SEQUENCE_MAX;
    for (size_t i = brace->close + 1; i < a->count && known; i++)
        known = !is_char(a, i, '{');
    if (!known) {
        a->items[brace->open].part = &sequence;
        expand_alternative(b, a, brace, brace->open, brace->open + 1, depth);
        return;
    }
    bool letters = !isdigit((unsigned char)a->items[brace->open + 1].c);
    for (int at = from;; at += from < to ? 1 : -1) {
        struct atoms one = {arena_new(b->e->arena, 16, sizeof *one.items), 0};
        char text[16];
        int n = snprintf(text, sizeof text, letters ? "%c" : "%d", at);
        for (int i = 0; i < n && one.items; i++)
            one.items[one.count++] = (struct atom){.c = text[i], .quoted = true};
        expand_replaced(b, a, brace, &one, depth);
        if (at == to)
            return;
    }
}

static void expand_atoms(struct braces *b, struct atoms a, unsigned depth)
{
    struct brace brace = find_brace(b->e, &a);
    if (!brace.found || depth > BRACE_MAX_DEPTH) {
        if (brace.found)
            trouble_add(b->e->trouble, TROUBLE_TOO_DEEP, "its braces are nested too deeply");
        struct fields f = fields_open(b->e, b->to);
        b->args++;
        put_atoms(&f, &a, false);
        end_field(&f);
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
    struct fields f = fields_open(e, NULL);
    put(&f, w->name, strlen(w->name));
    put(&f, "+=", w->append ? 2 : 0);
    put(&f, "=", w->append ? 0 : 1);
    f.arg.climbs = value.climbs;
    put(&f, value.text, value.len);
    return take_arg(&f);
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
