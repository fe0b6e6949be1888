/* function.c - functions: defining, calling, and those that nothing calls; see walk.h. */
#include "engine/shell/walk.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static struct function **bucket_of(struct walk *w, const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return &w->functions[hash % FUNCTION_BUCKETS];
}

static struct function **bucket_of_body(struct walk *w, const struct node *body)
{
    return &w->bodies[(uintptr_t)body / _Alignof(max_align_t) % FUNCTION_BUCKETS];
}

/* A definition that is walked again, in a loop or another call, is the same one. */
static bool is_known(struct walk *w, const struct node *node)
{
    const struct function *f = *bucket_of_body(w, node->first);
    for (; f; f = f->next_body) {
        w->facts->arena.steps++;
        if (f->body == node->first)
            return true;
    }
    return false;
}

/* Bash calls it where a command does not exist. */
static bool is_handler(const char *name)
{
    return !strcmp(name, "command_not_found_handle");
}

void function_define(struct walk *w, const struct node *node, struct place place,
                     const struct cwds *in)
{
    if (is_known(w, node))
        return;
    struct function *f = walk_new(w, 1, sizeof *f);
    if (!f)
        return;
    struct function **bucket = bucket_of(w, node->name), **body = bucket_of_body(w, node->first);
    place.context |= CONTEXT_FUNCTION;
    place.feeds = NULL;
    place.input = NULL;
    place.upstream = NULL;
    *f = (struct function){.name = node->name,
                           .body = node->first,
                           .sure = !w->unsure && !w->in_function && !w->peeled &&
                                   !(place.context & CONTEXT_SUBSHELL),
                           .place = place,
                           .cwds = *in,
                           .next = *bucket,
                           .next_body = *body,
                           .older = w->newest};
    *bucket = f;
    *body = f;
    w->newest = f;
}

/* What was local is again what it was before. */
static void drop_locals(struct walk *w, const struct local *before)
{
    for (; w->locals != before; w->locals = w->locals->older) {
        const struct local *l = w->locals;
        const struct state *state = l->before;
        if (l->unsure) /* it may not have been made local */
            state = vars_either(&w->vars, state, vars_get(&w->vars, l->name));
        vars_set(&w->vars, l->name, state);
    }
}

static struct flow run(struct walk *w, struct function *f, const struct args *argv,
                       struct place place, const struct cwds *in)
{
    const struct state *params = vars_get(&w->vars, "@");
    struct local *locals = w->locals;
    unsigned escapes = w->escapes, unsure = w->unsure;
    struct choices *choices = w->choices;
    w->choices = NULL;
    w->unsure = 0;
    f->running = true;
    f->called |= !is_handler(f->name);
    w->in_function++;
    if (argv)
        assign_params(w, argv->items + 1, argv->count - 1);
    struct change *mark = vars_now(&w->vars);
    struct flow flow = walk_node(w, f->body, place, in);
    if (escapes != w->escapes)
        vars_maybe(&w->vars, mark);
    drop_locals(w, locals);
    vars_set(&w->vars, "@", params);
    w->in_function--;
    w->choices = choices;
    w->unsure = unsure;
    f->running = false;
    return flow;
}

enum { DEFINITIONS_MAX = 16 }; /* of one name, any of which a call may mean */

/* No older definition can be meant: this one certainly replaced them. */
static bool hides_older(const struct walk *w, const struct function *f)
{
    return f->sure && !w->later && !w->processes;
}

bool function_call(struct walk *w, const struct command_fact *c, struct place place,
                   const struct cwds *in, struct flow *flow, bool *any)
{
    bool sure = false;
    int met = 0;
    struct branches branches = vars_branches(&w->vars);
    place.context |= CONTEXT_FUNCTION;
    place.forks = false;
    for (struct function *f = *bucket_of(w, c->argv.items[0].text); f && !c->external;
         f = f->next) {
        w->facts->arena.steps++;
        if (strcmp(f->name, c->argv.items[0].text) != 0)
            continue;
        if (++met > DEFINITIONS_MAX) {
            trouble_add(&w->facts->trouble, TROUBLE_TOO_LARGE, "it defines one function too often");
            break;
        }
        if (f->running && hides_older(w, f))
            break;
        if (f->running)
            continue;
        struct flow one = run(w, f, &c->argv, place, in);
        vars_next(&w->vars, &branches, false);
        cwds_add(&flow->ok, &one.ok);
        cwds_add(&flow->failed, &one.failed);
        *any = true;
        sure |= f->sure && !w->processes;
        if (hides_older(w, f))
            break;
    }
    if (*any)
        vars_join(&w->vars, &branches, sure);
    return sure;
}

bool function_is_running(struct walk *w, const char *name)
{
    const struct function *f = *bucket_of(w, name);
    while (f && (!f->running || strcmp(f->name, name) != 0))
        f = f->next;
    return f != NULL;
}

void function_rest(struct walk *w)
{
    for (bool again = true; again;) {
        again = false;
        for (struct function *f = w->newest; f; f = f->older) {
            w->facts->arena.steps++;
            if (f->called)
                continue;
            f->called = true;
            w->later = true;
            walk_forget(w, true);
            f->cwds.unknown = true;
            run(w, f, NULL, f->place, &f->cwds);
            again = true;
        }
    }
}
