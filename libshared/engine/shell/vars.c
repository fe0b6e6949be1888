/* vars.c - see vars.h. */
#include "engine/shell/vars.h"

#include "base/scope.h"
#include "engine/shell/sources.h"

#include <string.h>

enum { FIRST_BUCKETS = 64 };

struct variable {
    const char *name;
    const struct state *state;
    unsigned epoch;
    unsigned changed; /* vars.changes when it was set last */
    bool odd, protected;
    struct joint *joint; /* of the branches being joined innermost */
    struct variable *next;
};

/* What held before a change. */
struct change {
    struct variable *variable; /* NULL: all were forgotten */
    const struct state *state;
    unsigned epoch;
    const struct inherited *inherited;
    struct change *older;
};

struct inherited {
    unsigned epoch;
    const struct inherited *older;
};

/* What branches did to one variable. */
struct joint {
    struct variable *variable;
    const struct branches *branches;
    const struct state *base, *seen; /* before; after any of the branches that changed it */
    unsigned last, changed;          /* the branch that changed it last; how many did */
    struct joint *outer, *next;
};

const struct state *vars_unknown(void)
{
    static const char text[] = {HOLE, 0};
    static const struct arg hole = {.kind = ARG_DYNAMIC,
                                    .text = text,
                                    .len = 1,
                                    .glob_at = SIZE_MAX,
                                    .splits = true,
                                    .climbs = true};
    static const struct value any = {.items = &hole, .count = 1};
    static const struct state unknown = {.values = {&any}, .count = 1};
    return &unknown;
}

struct value value_array(const struct arg *items, size_t count)
{
    return (struct value){.set = true, .array = true, .items = items, .count = count};
}

struct value value_unset(void)
{
    static const struct arg empty = {.text = "", .glob_at = SIZE_MAX};
    return (struct value){.items = &empty, .count = 1};
}

struct vars vars_open(struct arena *arena)
{
    return (struct vars){.arena = arena};
}

static size_t bucket_of(const struct vars *v, const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash & (v->room - 1);
}

static struct variable *find(const struct vars *v, const char *name)
{
    struct variable *each = v->room ? v->buckets[bucket_of(v, name)] : NULL;
    while (each && strcmp(each->name, name) != 0)
        each = each->next;
    return each;
}

static bool grow(struct vars *v)
{
    struct vars larger = *v;
    larger.room = v->room ? v->room * 2 : FIRST_BUCKETS;
    larger.buckets = arena_new(v->arena, larger.room, sizeof(struct variable *));
    if (!larger.buckets)
        return false;
    for (size_t i = 0; i < v->room; i++) {
        for (struct variable *each = v->buckets[i], *next; each; each = next) {
            size_t to = bucket_of(&larger, each->name);
            next = each->next;
            each->next = larger.buckets[to];
            larger.buckets[to] = each;
        }
    }
    *v = larger;
    return true;
}

/* Bash sets these itself, or does not keep what is assigned to them. */
static bool is_magic(const char *name)
{
    static const char *const names[] = {
        "RANDOM",       "SRANDOM",       "SECONDS",  "LINENO",    "EPOCHSECONDS", "EPOCHREALTIME",
        "BASHPID",      "BASH_COMMAND",  "FUNCNAME", "HISTCMD",   "DIRSTACK",     "GROUPS",
        "UID",          "EUID",          "PPID",     "SHELLOPTS", "BASHOPTS",     "_",
        "BASH_ARGV",    "BASH_REMATCH",  "OPTARG",   "OPTIND",    "PIPESTATUS",   "COLUMNS",
        "LINES",        "BASH_SUBSHELL", "OLDPWD",   "COPROC",    "PWD",          "BASH_ARGC",
        "READLINE_LINE"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

/* The variable, made if need be; without memory nothing is known from here on. */
static struct variable *find_or_add(struct vars *v, const char *name)
{
    struct variable *known = find(v, name);
    if (known)
        return known;
    known = v->count < v->room * 2 || grow(v) ? arena_new(v->arena, 1, sizeof *known) : NULL;
    char *copy = known ? arena_text(v->arena, name, strlen(name)) : NULL;
    if (!copy) {
        v->lost = true;
        return NULL;
    }
    struct variable **bucket = &v->buckets[bucket_of(v, copy)];
    *known = (struct variable){
        .name = copy, .state = vars_unknown(), .odd = is_magic(copy), .next = *bucket};
    *bucket = known;
    v->count++;
    return known;
}

static const struct state *state_of(const struct vars *v, const struct variable *known)
{
    if (!known || known->odd || v->lost)
        return vars_unknown();
    bool knows = known->epoch == v->epoch;
    for (const struct inherited *each = v->inherited; each && !knows; each = each->older)
        knows = known->state->exported && known->epoch == each->epoch;
    return knows ? known->state : vars_unknown();
}

const struct state *vars_get(const struct vars *v, const char *name)
{
    return state_of(v, find(v, name));
}

static bool args_equal(const struct arg *a, const struct arg *b)
{
    return a->len == b->len && a->glob_at == b->glob_at && !memcmp(a->text, b->text, a->len);
}

static bool values_equal(struct vars *v, const struct value *a, const struct value *b)
{
    if (a == b)
        return true;
    if (a->set != b->set || a->array != b->array || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        v->arena->steps += a->items[i].len;
        if (!args_equal(&a->items[i], &b->items[i]))
            return false;
    }
    return true;
}

static bool holds(struct vars *v, const struct state *s, const struct value *value)
{
    for (unsigned i = 0; i < s->count; i++)
        if (values_equal(v, s->values[i], value))
            return true;
    return false;
}

static bool is_part_of(struct vars *v, const struct state *s, const struct state *of)
{
    if (s->sources && s->sources != of->sources)
        return false;
    for (unsigned i = 0; i < s->count; i++)
        if (!holds(v, of, s->values[i]))
            return false;
    return true;
}

static bool states_equal(struct vars *v, const struct state *a, const struct state *b)
{
    return a == b || (a->count == b->count && a->exported == b->exported &&
                      a->sources == b->sources && is_part_of(v, a, b));
}

const struct state *vars_either(struct vars *v, const struct state *a, const struct state *b)
{
    if (a == b || (a->exported == b->exported && is_part_of(v, b, a)))
        return a;
    struct state *either = arena_new(v->arena, 1, sizeof *either);
    if (!either)
        return vars_unknown();
    *either = *a;
    either->exported = a->exported && b->exported;
    either->sources = sources_join(v->arena, a->sources, b->sources);
    for (unsigned i = 0; i < b->count; i++) {
        if (holds(v, either, b->values[i]))
            continue;
        if (either->count == VALUES_MAX) /* the last one stands for all that have no room */
            either->values[VALUES_MAX - 1] = vars_unknown()->values[0];
        else
            either->values[either->count++] = b->values[i];
    }
    return either;
}

const struct state *vars_state(struct vars *v, struct value value,
                               const struct source_fact *sources, bool exported)
{
    struct state *state = arena_new(v->arena, 1, sizeof *state);
    struct value *copy = state ? arena_new(v->arena, 1, sizeof *copy) : NULL;
    if (!copy)
        return vars_unknown();
    *copy = value;
    *state = (struct state){.values = {copy}, .count = 1, .exported = exported, .sources = sources};
    return state;
}

const struct state *vars_exported(struct vars *v, const struct state *state)
{
    struct state *copy = arena_new(v->arena, 1, sizeof *copy);
    if (!copy)
        return vars_unknown();
    *copy = *state;
    copy->exported = true;
    return copy;
}

static void note(struct vars *v, struct variable *known)
{
    struct change *change = arena_new(v->arena, 1, sizeof *change);
    if (!change) {
        v->lost = true;
        return;
    }
    *change = (struct change){.variable = known,
                              .state = known ? known->state : NULL,
                              .epoch = known ? known->epoch : v->epoch,
                              .inherited = v->inherited,
                              .older = v->log};
    v->log = change;
}

static void put(struct vars *v, struct variable *known, const struct state *state)
{
    if (known->odd || states_equal(v, state_of(v, known), state))
        return;
    v->arena->steps++;
    note(v, known);
    known->state = state;
    known->epoch = v->epoch;
}

void vars_set(struct vars *v, const char *name, const struct state *state)
{
    struct variable *known = find_or_add(v, name);
    if (!known)
        return;
    if (v->taints)
        known->odd = true;
    known->changed = ++v->changes;
    v->refused += known->protected;
    if (known->protected)
        state = vars_either(v, state, vars_unknown());
    put(v, known, state);
}

bool vars_changed(const struct vars *v, const char *name, unsigned since)
{
    const struct variable *known = find(v, name);
    return known && known->changed > since;
}

void vars_set_value(struct vars *v, const char *name, struct value value,
                    const struct source_fact *sources)
{
    for (size_t i = 0; i < value.count; i++)
        if (value.items[i].len > VALUE_MAX_BYTES)
            value = *vars_unknown()->values[0];
    vars_set(v, name, vars_state(v, value, sources, vars_get(v, name)->exported));
}

void vars_set_arg(struct vars *v, const char *name, struct arg arg,
                  const struct source_fact *sources)
{
    struct arg *item = arena_new(v->arena, 1, sizeof *item);
    if (!item) {
        vars_forget(v, name);
        return;
    }
    *item = arg;
    vars_set_value(v, name, (struct value){.set = true, .items = item, .count = 1}, sources);
}

void vars_forget(struct vars *v, const char *name)
{
    vars_set(v, name, vars_unknown());
}

void vars_forget_all(struct vars *v)
{
    note(v, NULL);
    v->epoch = ++v->epochs;
    v->inherited = NULL;
}

void vars_spoil(struct vars *v, const char *name)
{
    struct variable *known = find_or_add(v, name);
    if (known)
        known->odd = true;
}

void vars_protect(struct vars *v, const char *name)
{
    struct variable *known = find_or_add(v, name);
    if (known)
        known->protected = true;
}

void vars_enter_process(struct vars *v)
{
    struct inherited *inherited = arena_new(v->arena, 1, sizeof *inherited);
    const struct inherited *older = v->inherited;
    if (!inherited) {
        v->lost = true;
        return;
    }
    *inherited = (struct inherited){v->epoch, older};
    vars_forget_all(v);
    v->inherited = inherited;
    vars_set_arg(v, "IFS", arg_literal(" \t\n"), NULL);
}

struct change *vars_now(const struct vars *v)
{
    return v->log;
}

static void undo_one(struct vars *v)
{
    struct change *change = v->log;
    if (change->variable) {
        change->variable->state = change->state;
        change->variable->epoch = change->epoch;
    } else {
        v->epoch = change->epoch;
        v->inherited = change->inherited;
    }
    v->log = change->older;
    v->arena->steps++;
}

void vars_undo(struct vars *v, struct change *mark)
{
    while (v->log != mark)
        undo_one(v);
}

struct branches vars_branches(const struct vars *v)
{
    return (struct branches){.base = v->log};
}

static struct joint *joint_of(struct vars *v, struct branches *b, struct variable *known)
{
    struct joint *joint = known->joint;
    if (joint && joint->branches == b)
        return joint;
    joint = arena_new(v->arena, 1, sizeof *joint);
    if (!joint) {
        v->lost = true;
        return NULL;
    }
    *joint =
        (struct joint){.variable = known, .branches = b, .outer = known->joint, .next = b->joints};
    known->joint = joint;
    b->joints = joint;
    return joint;
}

void vars_next(struct vars *v, struct branches *b, bool all)
{
    b->walked++;
    while (v->log != b->base) {
        struct variable *known = v->log->variable;
        struct joint *joint = known ? joint_of(v, b, known) : NULL;
        if (joint && (joint->last != b->walked || all)) {
            const struct state *now = state_of(v, known);
            joint->seen = joint->seen ? vars_either(v, joint->seen, now) : now;
            joint->changed += joint->last != b->walked;
            joint->last = b->walked;
        }
        b->forgot |= !known;
        undo_one(v);
        if (joint)
            joint->base = state_of(v, known);
    }
}

void vars_join(struct vars *v, struct branches *b, bool exhaustive)
{
    for (struct joint *joint = b->joints; joint; joint = joint->next) {
        bool always = exhaustive && joint->changed == b->walked;
        joint->variable->joint = joint->outer;
        put(v, joint->variable,
            always ? joint->seen : vars_either(v, state_of(v, joint->variable), joint->seen));
    }
    if (b->forgot)
        vars_forget_all(v);
}

void vars_maybe(struct vars *v, struct change *mark)
{
    if (v->log == mark)
        return;
    struct branches b = {.base = mark};
    vars_next(v, &b, true);
    vars_join(v, &b, false);
}

bool vars_repeat(struct vars *v, struct change *mark, bool *blank)
{
    bool any = false;
    struct branches b = {.base = mark};
    vars_next(v, &b, true);
    if (b.forgot && !*blank) {
        vars_forget_all(v);
        *blank = any = true;
    }
    for (struct joint *joint = b.joints; joint; joint = joint->next) {
        const struct state *may = vars_either(v, joint->base, vars_unknown());
        joint->variable->joint = joint->outer;
        may = vars_either(v, may, joint->seen);
        any |= !is_part_of(v, may, joint->base) || may->exported != joint->base->exported;
        put(v, joint->variable, may);
    }
    return any;
}
