/* walk.c - the control flow of a text, followed in the order of execution; see walk.h.
 *
 * What is tracked through it is the set of directories a command may run in: cd changes it for what
 * runs after success, leaves it for what runs after failure, and never leaves a subshell.
 */
#include "engine/shell/walk.h"

#include "engine/shell/parser.h"

#include <string.h>

bool walk_is_full(const struct walk *w)
{
    return w->facts->count >= FACTS_MAX_COMMANDS ||
           (w->facts->trouble.kinds & (TROUBLE_MEMORY | TROUBLE_TOO_LARGE));
}

void *walk_new(struct walk *w, size_t count, size_t size)
{
    void *piece = arena_new(&w->facts->arena, count, size);
    if (!piece)
        trouble_add(&w->facts->trouble, TROUBLE_MEMORY, "it needs too much memory to analyse");
    return piece;
}

struct expansion walk_expansion(struct walk *w, const struct cwds *in)
{
    bool one = w->pwd_known && in->count == 1 && !in->unknown;
    return (struct expansion){.arena = &w->facts->arena,
                              .trouble = &w->facts->trouble,
                              .home = w->home,
                              .pwd = one ? in->path[0] : NULL,
                              .atoms_left = &w->atoms_left};
}

static struct cwds flow_any(const struct flow *flow)
{
    struct cwds any = flow->ok;
    cwds_add(&any, &flow->failed);
    return any;
}

void walk_parts(struct walk *w, const struct part *parts, struct place place, const struct cwds *in)
{
    place.upstream = NULL;
    for (const struct part *p = parts; p; p = p->next) {
        struct place inside = place;
        inside.context |= p->kind == PART_PROCESS ? CONTEXT_PROCESS : CONTEXT_SUBSTITUTION;
        walk_node(w, p->body, inside, in);
        walk_parts(w, p->inner, place, in);
    }
}

static void walk_words(struct walk *w, const struct word *words, struct place place,
                       const struct cwds *in)
{
    for (; words; words = words->next)
        walk_parts(w, words->parts, place, in);
}

static struct flow walk_list(struct walk *w, const struct node *node, struct place place,
                             const struct cwds *in)
{
    struct flow flow = flow_same(in);
    for (const struct node *child = node->first; child; child = child->next) {
        struct cwds before = flow_any(&flow);
        flow = walk_node(w, child, place, &before);
    }
    return flow;
}

/* a && b || c: what runs after success of all before it, and after failure. */
static struct flow walk_chain(struct walk *w, const struct node *node, struct place place,
                              const struct cwds *in)
{
    struct flow flow = walk_node(w, node->first, place, in);
    for (const struct node *child = node->first->next; child; child = child->next) {
        struct flow step =
            walk_node(w, child, place, child->link == LINK_AND ? &flow.ok : &flow.failed);
        if (child->link == LINK_AND) {
            flow.ok = step.ok;
            cwds_add(&flow.failed, &step.failed);
        } else {
            cwds_add(&flow.ok, &step.ok);
            flow.failed = step.failed;
        }
    }
    return flow;
}

/* A stage that is a simple command is the upstream of the next one. */
static struct flow walk_pipeline(struct walk *w, const struct node *node, struct place place,
                                 const struct cwds *in)
{
    for (const struct node *stage = node->first; stage; stage = stage->next) {
        w->simple = NULL;
        walk_node(w, stage, place, in);
        place.context |= CONTEXT_PIPED_IN | CONTEXT_SUBSHELL;
        place.upstream = stage->kind == NODE_SIMPLE ? w->simple : NULL;
    }
    return flow_same(in);
}

static struct flow walk_if(struct walk *w, const struct node *node, struct place place,
                           const struct cwds *in)
{
    struct cwds before = *in, after = {0};
    const struct node *child = node->first;
    for (; child && child->next; child = child->next->next) {
        struct flow condition = walk_node(w, child, place, &before);
        struct flow branch = walk_node(w, child->next, place, &condition.ok);
        struct cwds any = flow_any(&branch);
        cwds_add(&after, &any);
        before = condition.failed;
    }
    struct flow last = child ? walk_node(w, child, place, &before) : flow_same(&before);
    struct cwds any = flow_any(&last);
    cwds_add(&after, &any);
    return flow_same(&after);
}

/* A body that changes directory is walked again with the directories it may begin in the second
 * time; a third time it could begin anywhere. */
static struct flow walk_loop(struct walk *w, const struct node *node, struct place place,
                             const struct cwds *in)
{
    struct cwds before = *in, after = *in;
    place.context |= CONTEXT_LOOP;
    for (int round = 0; round < 2; round++) {
        struct flow flow = walk_list(w, node, place, &before);
        struct cwds any = flow_any(&flow);
        cwds_add(&after, &any);
        if (cwds_equal(&after, &before))
            break;
        after.unknown = true;
        before = after;
    }
    return flow_same(&after);
}

static struct flow walk_case(struct walk *w, const struct node *node, struct place place,
                             const struct cwds *in)
{
    struct cwds after = *in;
    for (const struct node *branch = node->first; branch; branch = branch->next) {
        struct flow flow = walk_node(w, branch, place, &after); /* ;& falls into the next one */
        struct cwds any = flow_any(&flow);
        cwds_add(&after, &any);
    }
    return flow_same(&after);
}

static struct flow walk_function(struct walk *w, const struct node *node, struct place place,
                                 const struct cwds *in)
{
    struct function *f = walk_new(w, 1, sizeof *f);
    if (!f)
        return flow_same(in);
    *f = (struct function){.name = node->name, .body = node->first, .next = w->functions};
    w->functions = f;
    place.context |= CONTEXT_FUNCTION;
    f->running = true;
    walk_node(w, node->first, place, in);
    f->running = false;
    return flow_same(in);
}

static struct flow walk_kind(struct walk *w, const struct node *node, struct place place,
                             const struct cwds *in)
{
    switch (node->kind) {
    case NODE_LIST:
    case NODE_GROUP:
        return walk_list(w, node, place, in);
    case NODE_CHAIN:
        return walk_chain(w, node, place, in);
    case NODE_PIPELINE:
        return walk_pipeline(w, node, place, in);
    case NODE_IF:
        return walk_if(w, node, place, in);
    case NODE_FOR:
        record_set(w, node->name);
        return walk_loop(w, node, place, in);
    case NODE_LOOP:
        return walk_loop(w, node, place, in);
    case NODE_CASE:
        return walk_case(w, node, place, in);
    case NODE_FUNCTION:
        return walk_function(w, node, place, in);
    case NODE_SUBSHELL:
    case NODE_COPROC:
        place.context |= CONTEXT_SUBSHELL;
        walk_list(w, node, place, in);
        return flow_same(in);
    default: /* NODE_TEST and NODE_ARITH run nothing but their substitutions; the rest is above */
        return flow_same(in);
    }
}

struct flow walk_node(struct walk *w, const struct node *node, struct place place,
                      const struct cwds *in)
{
    if (!node || walk_is_full(w))
        return flow_same(in);
    w->facts->arena.steps++;
    if (node->background)
        place.context |= CONTEXT_BACKGROUND | CONTEXT_SUBSHELL;
    if (node->kind == NODE_SIMPLE) {
        struct flow flow = record_simple(w, node, place, in);
        return node->background ? flow_same(in) : flow;
    }
    walk_words(w, node->words, place, in);
    record_redirects(w, node, place, in);
    if (node->redirects)
        place.upstream = NULL; /* its stdin may be one of them */
    struct flow flow = walk_kind(w, node, place, in);
    return node->background ? flow_same(in) : flow;
}

struct flow walk_code(struct walk *w, const char *text, bool posix, struct place place,
                      const struct cwds *in)
{
    struct facts *f = w->facts;
    if (w->peeled >= FACTS_MAX_PEELED) {
        trouble_add(&f->trouble, TROUBLE_TOO_DEEP, "too many commands run one inside the other");
        return flow_same(in);
    }
    bool before = w->posix;
    w->posix = posix;
    w->peeled++;
    struct node *tree = parser_read(&f->arena, &f->trouble, view_of(text), posix, w->peeled);
    struct flow flow = walk_node(w, tree, place, in);
    w->peeled--;
    w->posix = before;
    return flow;
}

static struct walk begin(struct facts *f, const struct facts_setting *s, struct cwds *in)
{
    arena_clear(&f->arena);
    f->trouble = (struct trouble){0};
    f->first = NULL;
    f->tail = &f->first;
    f->count = 0;
    *in = (struct cwds){.path = {s->cwd}, .count = 1};
    return (struct walk){
        .facts = f, .home = s->home, .pwd_known = true, .atoms_left = EXPAND_MAX_ATOMS};
}

/* The text up to its first NUL, which trouble_look reported. */
static struct view before_nul(struct view text)
{
    const void *nul = text.len ? memchr(text.data, 0, text.len) : NULL;
    if (nul)
        text.len = (size_t)((const uint8_t *)nul - text.data);
    return text;
}

void facts_read_shell(struct facts *f, const struct facts_setting *s, struct view text)
{
    struct cwds in;
    struct walk w = begin(f, s, &in);
    trouble_look(&f->trouble, text);
    struct node *tree = parser_read(&f->arena, &f->trouble, before_nul(text), false, 0);
    walk_node(&w, tree, (struct place){0}, &in);
}

void facts_read_argv(struct facts *f, const struct facts_setting *s, const struct view *argv,
                     size_t argc)
{
    struct cwds in;
    struct walk w = begin(f, s, &in);
    struct expansion e = walk_expansion(&w, &in);
    struct command_fact *c = walk_new(&w, 1, sizeof *c);
    for (size_t i = 0; c && i < argc; i++) {
        trouble_look(&f->trouble, argv[i]);
        struct view text = before_nul(argv[i]);
        char *copy = arena_text(&f->arena, (const char *)text.data, text.len);
        if (copy)
            args_add(&e, &c->argv, arg_literal(copy));
        else
            trouble_add(&f->trouble, TROUBLE_MEMORY, "it needs too much memory to analyse");
    }
    if (c && c->argv.count)
        record_command(&w, c, &in);
    else
        trouble_add(&f->trouble, TROUBLE_SYNTAX, "it names no program");
}

size_t facts_find_starts(const struct command_fact *c, size_t *from)
{
    size_t i = 1;
    for (; i < c->argv.count; i++) {
        const char *text = c->argv.items[i].text;
        if (!strcmp(text, "-D"))
            i++;
        else if (strcmp(text, "-H") && strcmp(text, "-L") && strcmp(text, "-P") &&
                 strncmp(text, "-O", 2))
            break;
    }
    *from = i;
    while (i < c->argv.count && !strchr("-(!,", c->argv.items[i].text[0]))
        i++;
    return i - *from;
}

void facts_close(struct facts *f)
{
    arena_close(&f->arena);
    *f = (struct facts){0};
}
