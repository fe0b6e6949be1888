/* record.c - simple commands become records; see walk.h.
 *
 * A command whose words have several possible values is recorded once for each, see choices in
 * expand.h; the substitutions in it run once.
 */
#include "engine/shell/walk.h"

#include "engine/shell/describe.h"
#include "engine/shell/produce.h"
#include "engine/shell/sources.h"

#include <string.h>

/* The name of an alias stands for its text where the shell expands it. */
static void check_alias(struct walk *w, const struct command_fact *c)
{
    if (!w->aliases_expand && !w->posix)
        return;
    for (const struct alias *a = w->aliases; a; a = a->next)
        if (!c->external && !strcmp(a->name, c->argv.items[0].text))
            trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC, "%s is an alias of the same text",
                        a->name);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void append(struct walk *w, struct command_fact *c, const struct cwds *in)
{
    struct facts *f = w->facts;
    struct cwds *cwds = walk_new(w, 1, sizeof *cwds);
    if (!cwds)
        return;
    *cwds = *in;
    c->cwds = cwds;
    c->depth = c->wrapper ? c->wrapper->depth + 1 : 0;
    c->index = f->count;
    *f->tail = c;
    f->tail = &c->next;
    describe(w, c);
    if (++f->count >= FACTS_MAX_COMMANDS)
        trouble_add(&f->trouble, TROUBLE_TOO_LARGE, "it has too many commands");
}

/* What the name of a command means depends on nothing but its text. */
static bool name_is_known(const struct arg *a)
{
    return a->kind == ARG_LITERAL && a->glob_at == SIZE_MAX && a->len;
}

static void add_flow(struct flow *to, const struct flow *more)
{
    cwds_add(&to->ok, &more->ok);
    cwds_add(&to->failed, &more->failed);
}

struct place place_of(struct walk *w, const struct command_fact *c)
{
    return (struct place){.context = c->context,
                          .upstream = c->upstream,
                          .wrapper = c->wrapper,
                          .swept = c->swept,
                          .forks = w->forks,
                          .feeds = sources_only(w, c->sources, WAY_PIPE, WAY_PIPE),
                          .input = w->input};
}

/* A function that runs itself in a pipe or beside itself never ends and never waits. */
static bool calls_itself(struct walk *w, const struct command_fact *c)
{
    return w->forks && function_is_running(w, c->argv.items[0].text);
}

/* What reaches a command through the one that runs it. */
static void inherit_sources(struct walk *w, struct command_fact *c)
{
    const struct command_fact *by = c->wrapper;
    if (!by)
        return;
    const struct source_fact *more = by->sources;
    if (c->swept && by->name && !strcmp(by->name, "find"))
        more = sources_add(w, by, WAY_ARGS, more);
    else if (c->swept && !by->swept)
        more = sources_by(w, more, WAY_ARGS);
    c->sources = sources_join(&w->facts->arena, c->sources, more);
}

/* A builtin, a wrapper, or any other program. */
static struct flow run_outside(struct walk *w, const struct command_fact *c, const struct cwds *in)
{
    struct flow flow = flow_same(in);
    bool quiet = false, wrapper = peel_is_wrapper(c, &quiet);
    size_t emitted = w->emitted;
    bool builtin = builtin_run(w, c, in, &flow);
    if (!builtin)
        flow = peel(w, c, in);
    if (builtin || !wrapper) {
        produce_emit(w, c);
        return flow;
    }
    if (w->sink && !(quiet && emitted != w->emitted))
        w->sink->unknown = true;
    return flow;
}

/* What a command with a known name does: it may be a function, and where that is not certain it is
 * what the name means without it, too. */
static struct flow run_command(struct walk *w, const struct command_fact *c, const struct cwds *in)
{
    struct flow flow = {0};
    bool any = false, ignored = false, wrapper = peel_is_wrapper(c, &ignored);
    if (function_call(w, c, place_of(w, c), in, &flow, &any))
        return flow;
    if (!any)
        return run_outside(w, c, in);
    if (w->sink)
        w->sink->unknown = true;
    if (wrapper || builtin_is(c)) {
        struct flow outside = run_outside(w, c, in);
        add_flow(&flow, &outside);
    } else {
        cwds_add(&flow.failed, in);
    }
    return flow;
}

/* The same where its output goes. */
static struct flow run_redirected(struct walk *w, const struct command_fact *c,
                                  const struct cwds *in)
{
    struct sink none = {.unknown = true}, *outer = w->sink;
    enum produce_way way = produce_way(c);
    if (way != PRODUCE_STDOUT)
        w->sink = &none;
    struct flow flow = run_command(w, c, in);
    w->sink = outer;
    if (way == PRODUCE_ELSEWHERE && outer)
        outer->unknown = true;
    return flow;
}

struct flow record_command(struct walk *w, struct command_fact *c, const struct cwds *in)
{
    if (walk_is_full(w))
        return flow_same(in);
    const struct arg *first = &c->argv.items[0];
    if (name_is_known(first))
        c->name = base_name(first->text);
    const char *copied = c->name && strchr(first->text, '/') ? disk_program(w, in, first) : NULL;
    if (copied)
        c->name = copied;
    inherit_sources(w, c);
    append(w, c, in);
    disk_note(w, c);
    if (!c->name) {
        trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC,
                    "the name of a command is known only when it runs");
        walk_forget(w, false);
        if (w->sink)
            w->sink->unknown = true;
        return (struct flow){.ok = {.unknown = true}, .failed = {.unknown = true}};
    }
    if (c->depth > FACTS_MAX_PEELED) {
        trouble_add(&w->facts->trouble, TROUBLE_TOO_DEEP,
                    "too many commands run one inside the other");
        return flow_same(in);
    }
    if (calls_itself(w, c))
        c->context |= CONTEXT_SELF_CALL;
    check_alias(w, c);
    return run_redirected(w, c, in);
}

static int meant_fd(const struct redirect *r)
{
    bool input = r->op == REDIRECT_IN || r->op == REDIRECT_BOTH_WAY || r->op == REDIRECT_DUP_IN ||
                 r->op == REDIRECT_HEREDOC || r->op == REDIRECT_HERESTRING;
    return r->fd != FD_DEFAULT ? r->fd : input ? 0 : 1;
}

static struct redirect_fact read_redirect(struct walk *w, const struct redirect *r,
                                          struct command_fact *c, const struct cwds *in)
{
    struct expansion e = walk_expansion(w, in);
    const struct source_fact *sources = NULL;
    struct redirect_fact fact = {.op = r->op, .fd = meant_fd(r)};
    e.sources = &sources;
    if (r->op == REDIRECT_HEREDOC || r->op == REDIRECT_HERESTRING) {
        fact.target = expand_parts(&e, r->op == REDIRECT_HEREDOC ? r->body : r->target->parts);
    } else {
        struct args targets = {0};
        expand_word(&e, r->target, &targets);
        fact.target = targets.count == 1 ? targets.items[0] : arg_hole();
    }
    bool input = r->op == REDIRECT_IN || r->op >= REDIRECT_HEREDOC;
    if (sources)
        c->sources = sources_join(&w->facts->arena, c->sources,
                                  input ? sources_by(w, sources, WAY_PIPE) : sources);
    if (r->fd == FD_VARIABLE)
        walk_forget(w, true);
    return fact;
}

static void walk_redirects(struct walk *w, const struct redirect *r, struct place place,
                           const struct cwds *in)
{
    for (; r; r = r->next) {
        walk_parts(w, r->target ? r->target->parts : NULL, place, in);
        walk_parts(w, r->body, place, in);
    }
}

static void add_redirects(struct walk *w, const struct redirect *r, struct command_fact *c,
                          const struct cwds *in)
{
    size_t count = 0;
    for (const struct redirect *each = r; each; each = each->next)
        count += each->target != NULL;
    struct redirect_fact *facts = count ? walk_new(w, count, sizeof *facts) : NULL;
    for (; r && facts; r = r->next)
        if (r->target) /* else the parse ended here */
            facts[c->redirects_count++] = read_redirect(w, r, c, in);
    c->redirects = facts;
}

/* Walks what runs inside words, subscripts and arrays. */
static void walk_insides(struct walk *w, const struct word *words, struct place place,
                         const struct cwds *in)
{
    for (; words; words = words->next) {
        walk_parts(w, words->parts, place, in);
        walk_parts(w, words->index, place, in);
        for (const struct word *item = words->items; item; item = item->next)
            walk_parts(w, item->parts, place, in);
    }
}

/* Assigns one after the other; `exported`: only for the command that follows. */
static void add_assigns(struct walk *w, const struct word *words, struct command_fact *c,
                        struct place place, const struct cwds *in, bool exported)
{
    size_t count = 0;
    for (const struct word *word = words; word; word = word->next)
        count++;
    struct assign_fact *facts = count ? walk_new(w, count, sizeof *facts) : NULL;
    for (; words && facts; words = words->next) {
        struct word one = *words;
        one.next = NULL;
        walk_insides(w, &one, place, in);
        const struct state *state = assign_state(w, &one, in);
        bool plain = state->count == 1 && !state->values[0]->array && !words->array;
        struct arg value = plain ? state->values[0]->items[0] : arg_hole();
        if (exported)
            state = vars_exported(&w->vars, state);
        c->sources = sources_join(&w->facts->arena, c->sources, state->sources);
        facts[c->assigns_count++] = (struct assign_fact){words->name, value};
        bool shifts = w->shifts;
        assign_note(w, words->name, &value);
        w->shifts = exported ? shifts : w->shifts; /* for that command only */
        assign_set(w, words->name, state);
    }
    c->assigns = facts;
}

static void add_words(struct walk *w, const struct word *words, struct command_fact *c,
                      const struct cwds *in)
{
    struct expansion e = walk_expansion(w, in);
    e.sources = &c->sources;
    for (const struct word *word = words; word; word = word->next)
        expand_word(&e, word, &c->argv);
}

static struct command_fact *new_command(struct walk *w, const struct node *node, struct place place)
{
    struct command_fact *c = walk_new(w, 1, sizeof *c);
    if (c) {
        c->origin = node;
        c->context = place.context;
        c->upstream = place.upstream;
        c->wrapper = place.wrapper;
        c->swept = place.swept;
        c->sources = place.feeds;
    }
    return c;
}

/* Assignments before a command hold while it runs. */
static void drop_assigns(struct walk *w, const struct word *words, const struct state **before)
{
    size_t i = 0;
    for (; words; words = words->next, i++) {
        const struct state *state = before[i];
        if (w->posix) /* they stay behind the special builtins */
            state = vars_either(&w->vars, state, vars_get(&w->vars, words->name));
        vars_set(&w->vars, words->name, state);
    }
}

static const struct state **states_of(struct walk *w, const struct word *words)
{
    size_t count = 0;
    for (const struct word *word = words; word; word = word->next)
        count++;
    const struct state **states = count ? walk_new(w, count, sizeof(struct state *)) : NULL;
    count = 0;
    for (const struct word *word = words; word && states; word = word->next)
        states[count++] = vars_get(&w->vars, word->name);
    return states;
}

/* One record of the command: c with its words, for one choice of values. */
static struct flow record_one(struct walk *w, const struct node *node, struct command_fact *c,
                              struct place place, const struct cwds *in)
{
    add_redirects(w, node->redirects, c, in);
    if (!c->argv.count) {
        add_assigns(w, node->assigns, c, place, in, false);
        if (walk_is_full(w))
            return flow_same(in);
        c->name = "";
        append(w, c, in);
        disk_note(w, c);
        for (size_t i = 0; i < c->redirects_count && w->sink; i++) /* "$(< file)" */
            w->sink->unknown |= c->redirects[i].op == REDIRECT_IN;
        return flow_same(in);
    }
    const struct state **before = states_of(w, node->assigns);
    if (before)
        add_assigns(w, node->assigns, c, place, in, true);
    struct flow flow = record_command(w, c, in);
    if (before)
        drop_assigns(w, node->assigns, before);
    return flow;
}

/* Again for each other choice, from the same variables. */
static struct flow record_others(struct walk *w, const struct node *node, struct place place,
                                 const struct cwds *in, struct choices *choices,
                                 struct branches *branches, struct flow flow)
{
    for (choices->at = 1; choices->at < choices->total && !walk_hurries(w); choices->at++) {
        struct command_fact *c = new_command(w, node, place);
        choices->radix = 1;
        choices->pinned = 0;
        if (!c)
            break;
        c->choice = choices->at;
        add_words(w, node->words, c, in);
        struct flow one = record_one(w, node, c, place, in);
        vars_next(&w->vars, branches, false);
        add_flow(&flow, &one);
    }
    if (choices->at < choices->total)
        trouble_add(&w->facts->trouble, TROUBLE_TOO_LARGE, "its variables may be too much");
    return flow;
}

struct flow record_simple(struct walk *w, const struct node *node, struct place place,
                          const struct cwds *in)
{
    struct choices choices = {.total = 1, .radix = 1}, *outer = w->choices;
    struct command_fact *c = new_command(w, node, place);
    const struct arg *input = w->input;
    bool forks = w->forks;
    if (!c)
        return flow_same(in);
    place.writer = c;
    walk_insides(w, node->words, place, in);
    walk_redirects(w, node->redirects, place, in);
    w->choices = node->words ? &choices : NULL;
    w->input = place.input;
    w->forks = place.forks;
    add_words(w, node->words, c, in);
    struct branches branches = vars_branches(&w->vars);
    bool several = choices.total > 1;
    if (several && w->sink)
        w->sink->unknown = true;
    struct flow flow = record_one(w, node, c, place, in);
    several |= choices.total > 1;
    if (several) {
        vars_next(&w->vars, &branches, false);
        flow = record_others(w, node, place, in, &choices, &branches, flow);
        vars_join(&w->vars, &branches, true);
    }
    w->choices = outer;
    w->input = input;
    w->forks = forks;
    w->simple = c;
    return flow;
}

struct place record_redirects(struct walk *w, const struct node *node, struct place place,
                              const struct cwds *in)
{
    struct command_fact *c = new_command(w, node, place);
    if (!c)
        return place;
    place.writer = c;
    c->sources = NULL;
    walk_redirects(w, node->redirects, place, in);
    add_redirects(w, node->redirects, c, in);
    c->name = "";
    append(w, c, in);
    disk_note(w, c);
    bool input = false;
    for (size_t i = 0; i < c->redirects_count; i++)
        input |= !c->redirects[i].fd;
    const struct source_fact *read = sources_only(w, c->sources, WAY_PIPE, WAY_PIPE);
    if (input)
        read = sources_add(w, c, WAY_PIPE, read);
    if (input || read) {
        place.upstream = NULL; /* its stdin is one of them */
        place.input = NULL;
        place.feeds = read;
    }
    place.input = produce_redirected(w, c, in, place.input);
    return place;
}
