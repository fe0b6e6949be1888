/* assign.c - what assignments and arithmetic do to variables; see walk.h. */
#include "engine/shell/walk.h"

#include "base/scope.h"
#include "engine/shell/param.h"
#include "engine/shell/sources.h"

#include <string.h>

void record_set(struct walk *w, const char *name)
{
    if (!strcmp(name, "PWD") || !strcmp(name, "CDPATH"))
        w->pwd_known = false;
    if (!strncmp(name, "BASH_FUNC_", 10))
        trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC, "it sets a function by the environment");
    vars_forget(&w->vars, name);
}

/* Bash runs $( ) in the subscript of a variable that is only named: in arithmetic, test -v, read.
 */
static bool hides_code(const char *text)
{
    return strchr(text, '[') && (strstr(text, "$(") || strchr(text, '`'));
}

/* Setting one of these makes the shell run what they hold. */
static bool runs_its_value(const char *name)
{
    static const char *const names[] = {"PS4", "PROMPT_COMMAND", "BASH_ENV", "BASHOPTS",
                                        "SHELLOPTS"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

/* A directory of PATH in which anybody may have put a program. */
static bool is_odd_directory(const char *path, size_t len)
{
    static const char *const places[] = {"/tmp", "/var/tmp", "/dev/shm"};
    for (size_t i = 0; i < COUNT(places); i++) {
        size_t n = strlen(places[i]);
        if (len >= n && !strncmp(path, places[i], n) && (len == n || path[n] == '/'))
            return true;
    }
    return !len || path[0] == '.';
}

/* PATH may be added to; but a name must not become what the text itself, or anybody, wrote. */
static void check_path(struct walk *w, const struct arg *value)
{
    static const struct cwds nowhere = {.path = {"/"}, .count = 1};
    for (const char *at = value->text;; at++) {
        size_t len = strcspn(at, ":");
        char *directory = arena_text(&w->facts->arena, at, len);
        if (!directory)
            return;
        struct arg a = arg_literal(directory);
        if (is_odd_directory(at, len) || disk_writes_in(w, &nowhere, &a)) {
            trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC, "it changes what names mean by PATH");
            return;
        }
        at += len;
        if (!*at)
            return;
    }
}

void assign_note(struct walk *w, const char *name, const struct arg *value)
{
    if (!strcmp(name, "PWD") || !strcmp(name, "CDPATH"))
        w->pwd_known = false;
    w->shifts |= !strcmp(name, "HOME") || !strcmp(name, "IFS");
    if (!strcmp(name, "PATH") && value->len)
        check_path(w, value);
    if (!strncmp(name, "BASH_FUNC_", 10))
        trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC, "it sets a function by the environment");
    if (runs_its_value(name))
        trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC, "it sets %s", name);
    if (hides_code(value->text))
        trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC, "the value of %s holds code", name);
}

void assign_set(struct walk *w, const char *name, const struct state *state)
{
    vars_set(&w->vars, name, state);
}

void assign_params(struct walk *w, const struct arg *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!items[i].splits && items[i].glob_at == SIZE_MAX)
            continue;
        vars_forget(&w->vars, "@"); /* nobody knows how many there are */
        return;
    }
    vars_set_value(&w->vars, "@", value_array(items, count), NULL);
}

static void forget_name(void *data, const char *name)
{
    record_set(data, name);
}

void assign_arith(struct walk *w, const struct part *parts, const struct cwds *in)
{
    bool any = false;
    for (const struct part *p = parts; p && !any; p = p->next)
        any = p->kind != PART_TEXT || strpbrk(p->text, "=+-");
    if (!any)
        return;
    struct expansion e = walk_expansion(w, in);
    e.choices = NULL;
    struct arg text = expand_parts(&e, parts);
    arith_assigned(text.text, text.len, forget_name, w);
}

/* The text of an old value with more behind it. */
static struct arg appended(struct walk *w, const struct expansion *e, const struct arg *before,
                           const struct arg *more)
{
    struct arg both = *more;
    size_t len = before->len + more->len;
    char *text = len <= VALUE_MAX_BYTES && expand_may_work(e, len) ? walk_new(w, len + 1, 1) : NULL;
    if (!text || before->glob_at != SIZE_MAX)
        return arg_hole();
    memcpy(text, before->text, before->len);
    memcpy(text + before->len, more->text, more->len);
    both.text = text;
    both.len = len;
    both.glob_at = SIZE_MAX;
    both.climbs |= before->climbs;
    both.splits |= before->splits;
    both.kind = !memchr(text, HOLE, len) ? ARG_LITERAL : ARG_PARTIAL;
    return both;
}

static bool has_subscripts(const struct word *items)
{
    for (; items; items = items->next)
        if (items->index || items->name)
            return true;
    return false;
}

/* NAME=(items) and NAME+=(items). */
static bool array_value(const struct word *word, const struct expansion *e, const struct value *old,
                        struct value *to)
{
    struct args args = {0};
    if (has_subscripts(word->items) || (word->append && !old->array && old->set))
        return false;
    for (size_t i = 0; word->append && old->array && i < old->count; i++)
        args_add(e, &args, old->items[i]);
    if (word->append && !old->array && memchr(old->items[0].text, HOLE, old->items[0].len))
        return false;
    for (const struct word *item = word->items; item; item = item->next)
        expand_word(e, item, &args);
    for (size_t i = 0; i < args.count; i++)
        if (args.items[i].splits || args.items[i].glob_at != SIZE_MAX)
            return false;
    *to = value_array(args.items, args.count);
    return true;
}

/* What the word assigns for one choice of values. */
static struct value value_for(struct walk *w, const struct word *word, const struct expansion *e)
{
    const struct value *any = vars_unknown()->values[0], *old = any;
    struct value value = {.set = true, .count = 1};
    struct arg *item = walk_new(w, 1, sizeof *item);
    if (word->append) {
        const struct state *state = vars_get(&w->vars, word->name);
        size_t pick = state->count > 1 ? expand_choose(e, state, state->count) : 0;
        old = pick < state->count ? state->values[pick] : any;
        expand_note(e, state->sources);
    }
    if (!item || word->index)
        return *any;
    if (word->array)
        return array_value(word, e, old, &value) ? value : *any;
    *item = expand_parts(e, word->parts);
    if (item->glob_at != SIZE_MAX)
        item->glob_at = SIZE_MAX; /* the text itself: assignments do not search */
    if (word->append && old->array)
        return *any;
    if (word->append)
        *item = appended(w, e, &old->items[0], item);
    if (item->len > VALUE_MAX_BYTES)
        *item = arg_hole();
    value.items = item;
    return value;
}

const struct state *assign_state(struct walk *w, const struct word *word, const struct cwds *in)
{
    const struct state *state = NULL;
    const struct source_fact *sources = NULL;
    struct choices choices = {.total = 1};
    struct expansion e = walk_expansion(w, in);
    bool exported = word->name && vars_get(&w->vars, word->name)->exported;
    e.choices = &choices;
    e.sources = &sources;
    for (; choices.at < choices.total; choices.at++) {
        choices.radix = 1;
        choices.pinned = 0;
        struct value value = value_for(w, word, &e);
        const struct state *one = vars_state(&w->vars, value, sources, exported);
        state = state ? vars_either(&w->vars, state, one) : one;
    }
    return state;
}
