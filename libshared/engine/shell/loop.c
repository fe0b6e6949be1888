/* loop.c - loops, see walk.h. A body is walked until a further round could do nothing new: each
 * round begins with what the rounds before may have left, and the last one with nothing known. A
 * loop over words that are known is walked once for each of them. */
#include "engine/shell/walk.h"

#include <string.h>

enum { ROUNDS_MAX = 3, WORDS_MAX = 16 };

/* Rounds until nothing new can happen. */
static struct flow walk_rounds(struct walk *w, const struct node *node, struct place place,
                               const struct cwds *in)
{
    struct cwds before = *in, after = *in;
    bool blank = false;
    struct function *newest = w->newest;
    for (int round = 0;; round++) {
        bool last = round == ROUNDS_MAX || walk_hurries(w);
        if (last) {
            walk_forget(w, false);
            before.unknown = after.unknown = blank = true;
        }
        struct change *mark = vars_now(&w->vars);
        struct flow flow = walk_list(w, node, place, &before);
        struct cwds any = flow_any(&flow);
        cwds_add(&after, &any);
        bool again = vars_repeat(&w->vars, mark, &blank);
        bool moved = !cwds_equal(&after, &before);
        if ((!again && !moved && newest == w->newest) || last)
            return flow_same(&after);
        if (round && moved) /* a third time it could begin anywhere */
            after.unknown = true;
        newest = w->newest;
        before = after;
    }
}

struct flow loop_while(struct walk *w, const struct node *node, struct place place,
                       const struct cwds *in)
{
    struct sink *sink = w->sink;
    if (sink)
        sink->unknown = true;
    w->unsure++;
    place.context |= CONTEXT_LOOP;
    struct flow flow = walk_rounds(w, node, place, in);
    w->unsure--;
    return flow;
}

/* The words of the loop, without those that become nothing. */
static struct args words_of(struct walk *w, const struct node *node, const struct cwds *in,
                            const struct source_fact **sources)
{
    static const struct part all = {
        .kind = PART_PARAM, .quoted = true, .plain = true, .text = "@", .len = 1};
    static const struct word params = {.parts = (struct part *)&all};
    struct expansion e = walk_expansion(w, in);
    struct args args = {0};
    e.sources = sources;
    for (const struct word *word = node->words; word; word = word->next)
        expand_word(&e, word, &args);
    if (!node->words_given)
        expand_word(&e, &params, &args);
    return args;
}

/* Whether a word stands for any number of values. */
static bool is_many(const struct arg *a)
{
    return a->splits || a->glob_at != SIZE_MAX;
}

/* The body once for each word; a word that stands for many is a loop of its own. */
static struct flow walk_each(struct walk *w, const struct node *node, struct place place,
                             const struct cwds *in, const struct args *args,
                             const struct source_fact *sources)
{
    struct cwds before = *in, after = {0};
    unsigned escapes = w->escapes;
    struct change *mark = vars_now(&w->vars);
    for (size_t i = 0; i < args->count; i++) {
        vars_set_arg(&w->vars, node->name, args->items[i], sources);
        if (!i && args->count == 1)
            mark = vars_now(&w->vars);
        bool many = is_many(&args->items[i]) || node->inverted;
        struct flow flow =
            many ? walk_rounds(w, node, place, &before) : walk_list(w, node, place, &before);
        before = flow_any(&flow);
        cwds_add(&after, &before);
    }
    if (escapes != w->escapes)
        vars_maybe(&w->vars, mark);
    return flow_same(&after);
}

static struct flow walk_unknown(struct walk *w, const struct node *node, struct place place,
                                const struct cwds *in, const struct source_fact *sources)
{
    const struct value *any = vars_unknown()->values[0];
    struct change *mark = vars_now(&w->vars);
    w->unsure++;
    if (*node->name)
        vars_set(&w->vars, node->name, vars_state(&w->vars, *any, sources, false));
    struct flow flow = walk_rounds(w, node, place, in);
    vars_maybe(&w->vars, mark); /* without a word the body does not run */
    w->unsure--;
    return flow;
}

struct flow loop_for(struct walk *w, const struct node *node, struct place place,
                     const struct cwds *in)
{
    const struct source_fact *sources = NULL;
    struct args args = {0};
    bool exact = false;
    place.context |= CONTEXT_LOOP;
    if (*node->name) {
        args = words_of(w, node, in, &sources);
        exact = args.count > 0;
    }
    bool each =
        exact && args.count <= WORDS_MAX && args.count <= w->unrolls_left && !walk_hurries(w);
    for (size_t i = 0; i < args.count; i++)
        exact &= !is_many(&args.items[i]);
    if (w->sink && (!each || !exact || node->inverted))
        w->sink->unknown = true;
    if (node->inverted)
        record_set(w, "REPLY");
    if (*node->name)
        assign_note(w, node->name, &(struct arg){.text = ""});
    if (!each)
        return walk_unknown(w, node, place, in, sources);
    w->unrolls_left -= (unsigned)args.count - 1;
    w->unsure += !exact;
    struct flow flow = walk_each(w, node, place, in, &args, sources);
    w->unsure -= !exact;
    if (!exact)
        cwds_add(&flow.ok, in);
    return flow_same(&flow.ok);
}
