/* walk.c - the control flow of a text, followed in the order of execution; see walk.h.
 *
 * What is tracked through it: the set of directories a command may run in (cd changes it for what
 * runs after success, leaves it for what runs after failure), and the variables, which follow the
 * order of execution and are joined where branches meet (vars.h). Neither leaves a subshell. What
 * leaves a body early (break, return) is counted: then every value that was set there counts.
 */
#include "engine/shell/walk.h"

#include "engine/shell/parser.h"
#include "engine/shell/produce.h"
#include "engine/shell/sources.h"

#include "base/scope.h"
#include "engine/shell/words.h"

#include <string.h>

bool walk_is_full(const struct walk *w)
{
    return w->facts->count >= FACTS_MAX_COMMANDS || w->facts->arena.full ||
           (w->facts->trouble.kinds & (TROUBLE_MEMORY | TROUBLE_TOO_LARGE));
}

void *walk_new(struct walk *w, size_t count, size_t size)
{
    void *piece = arena_new(&w->facts->arena, count, size);
    if (!piece)
        trouble_add(&w->facts->trouble, TROUBLE_MEMORY, "it needs too much memory to analyse");
    return piece;
}

enum { HURRY_STEPS = 16 * 64 * 1024 };

bool walk_hurries(const struct walk *w)
{
    return w->facts->arena.steps > HURRY_STEPS;
}

void walk_forget(struct walk *w, bool elsewhere)
{
    struct vars *v = &w->vars;
    const struct state *home = vars_get(v, "HOME"), *ifs = vars_get(v, "IFS");
    vars_forget_all(v);
    vars_set(v, "HOME", elsewhere ? home : vars_either(v, home, vars_unknown()));
    if (elsewhere)
        vars_set(v, "IFS", ifs);
}

struct expansion walk_expansion(struct walk *w, const struct cwds *in)
{
    bool one = w->pwd_known && in->count == 1 && !in->unknown;
    const struct state *home = vars_get(&w->vars, "HOME");
    const struct arg *a = &home->values[0]->items[0];
    bool known = home->count == 1 && !home->values[0]->array && !memchr(a->text, HOLE, a->len);
    return (struct expansion){.arena = &w->facts->arena,
                              .trouble = &w->facts->trouble,
                              .home = known ? a->text : NULL,
                              .pwd = one ? in->path[0] : NULL,
                              .atoms_left = &w->atoms_left,
                              .work_left = &w->work_left,
                              .vars = &w->vars,
                              .choices = w->choices,
                              .aborts = &w->aborts,
                              .posix = w->posix,
                              .loop = w->loop};
}

struct cwds flow_any(const struct flow *flow)
{
    struct cwds any = flow->ok;
    cwds_add(&any, &flow->failed);
    return any;
}

/* The commands in a substitution: what they write is noted for the expansion that follows. */
static void walk_substitution(struct walk *w, const struct part *p, struct place place,
                              const struct cwds *in)
{
    struct sink sink = {0}, *outer = w->sink;
    struct command_fact **since = w->facts->tail;
    struct change *mark = vars_now(&w->vars);
    bool process = p->kind == PART_PROCESS;
    place.context |= process ? CONTEXT_PROCESS : CONTEXT_SUBSTITUTION;
    w->sink = p->writes ? outer : &sink;
    if (p->writes && outer)
        outer->unknown = true;
    if (p->writes && place.writer)
        place.feeds = sources_add(w, place.writer, WAY_PIPE, NULL);
    if (p->writes) {
        place.upstream = place.writer;
        place.input = NULL;
    }
    walk_node(w, p->body, place, in);
    w->sink = outer;
    vars_undo(&w->vars, mark);
    if (!p->heard)
        return;
    *p->heard = (struct heard){0};
    if (!p->writes)
        p->heard->output = sink_text(w, &sink, !process);
    if (!p->writes)
        p->heard->sources = sources_since(w, since, process ? WAY_PROCESS : WAY_SUBSTITUTION);
}

/* ${x:=…} sets x, $((x=1)) too. */
static void walk_effects(struct walk *w, const struct part *p, const struct cwds *in)
{
    if (p->kind == PART_ARITH)
        assign_arith(w, p->inner, in);
    else if (p->kind == PART_PARAM && p->index)
        assign_arith(w, p->index, in);
    bool colon = p->op[0] == ':';
    if (p->kind != PART_PARAM || p->op[colon] != '=')
        return;
    struct word word = {.parts = &(struct part){0}};
    *word.parts = *p;
    word.parts->next = NULL;
    if (p->prefix || p->index)
        walk_forget(w, false);
    else
        assign_set(w, p->text, /* words before it see what was before */
                   vars_either(&w->vars, vars_get(&w->vars, p->text), assign_state(w, &word, in)));
}

void walk_parts(struct walk *w, const struct part *parts, struct place place, const struct cwds *in)
{
    struct place inside = place;
    inside.upstream = NULL;
    inside.feeds = NULL;
    inside.input = NULL;
    for (const struct part *p = parts; p; p = p->next) {
        if (p->kind == PART_COMMAND || p->kind == PART_PROCESS)
            walk_substitution(w, p, p->writes ? place : inside, in);
        walk_parts(w, p->index, place, in);
        walk_parts(w, p->inner, place, in);
        walk_effects(w, p, in);
    }
}

void walk_words(struct walk *w, const struct word *words, struct place place, const struct cwds *in)
{
    for (; words; words = words->next)
        walk_parts(w, words->parts, place, in);
}

struct flow walk_list(struct walk *w, const struct node *node, struct place place,
                      const struct cwds *in)
{
    struct flow flow = flow_same(in);
    if (node->first && node->first->next)
        place.input = NULL; /* the first one that reads it takes it all */
    for (const struct node *child = node->first; child; child = child->next) {
        struct cwds before = flow_any(&flow);
        flow = walk_node(w, child, place, &before);
    }
    return flow;
}

/* The lines of a whole text: what may be an error may end its line early, and the next one runs. */
static struct flow walk_lines(struct walk *w, const struct node *node, struct place place,
                              const struct cwds *in)
{
    struct flow flow = flow_same(in);
    struct change *mark = vars_now(&w->vars);
    unsigned before = w->aborts + w->vars.refused;
    struct cwds line = *in;
    if (node && node->first && node->first->next)
        place.input = NULL;
    for (const struct node *child = node ? node->first : NULL; child; child = child->next) {
        struct cwds now = flow_any(&flow);
        flow = walk_node(w, child, place, &now);
        cwds_add(&line, &flow.ok);
        cwds_add(&line, &flow.failed);
        if (!child->ends_line && child->next)
            continue;
        if (before != w->aborts + w->vars.refused) {
            vars_maybe(&w->vars, mark);
            cwds_add(&flow.failed, &line);
        }
        before = w->aborts + w->vars.refused;
        mark = vars_now(&w->vars);
        line = flow_any(&flow);
    }
    return flow;
}

/* a && b || c: what runs after success of all before it, and after failure. Where both kinds stand
 * in a chain, each of what follows may run after any of what came before. */
static struct flow walk_chain(struct walk *w, const struct node *node, struct place place,
                              const struct cwds *in)
{
    struct flow flow = walk_node(w, node->first, place, in);
    struct change *mark = vars_now(&w->vars);
    bool mixed = false;
    w->unsure++;
    for (const struct node *child = node->first->next; child; child = child->next) {
        mixed |= child->link != node->first->next->link;
        if (mixed)
            vars_maybe(&w->vars, mark);
        if (w->sink && (child->link == LINK_OR || !produce_never_fails(w->simple)))
            w->sink->unknown = true;
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
    w->unsure--;
    vars_maybe(&w->vars, mark);
    return flow;
}

/* A stage that is a simple command is the upstream of the next one. */
static struct flow walk_pipeline(struct walk *w, const struct node *node, struct place place,
                                 const struct cwds *in)
{
    struct sink *outer = w->sink;
    place.forks = true;
    for (const struct node *stage = node->first; stage; stage = stage->next) {
        struct sink sink = {0};
        struct command_fact **since = w->facts->tail;
        struct change *mark = vars_now(&w->vars);
        w->simple = NULL;
        w->sink = stage->next ? &sink : outer;
        walk_node(w, stage, place, in);
        if (w->lastpipe && !stage->next)
            vars_maybe(&w->vars, mark);
        else
            vars_undo(&w->vars, mark);
        place.context |= CONTEXT_PIPED_IN | CONTEXT_SUBSHELL;
        place.upstream = stage->kind == NODE_SIMPLE ? w->simple : NULL;
        place.input = stage->next ? sink_text(w, &sink, false) : NULL;
        place.feeds = stage->next ? sources_since(w, since, WAY_PIPE) : NULL;
    }
    w->sink = outer;
    return flow_same(in);
}

/* Each condition runs after the one before it failed, so it is the base of all branches behind it;
 * what a later condition sets may not have been set where an earlier branch ran. */
static struct flow walk_if(struct walk *w, const struct node *node, struct place place,
                           const struct cwds *in)
{
    struct cwds before = *in, after = {0};
    struct branches branches = vars_branches(&w->vars);
    struct change *mark = NULL;
    const struct node *child = node->first;
    unsigned escapes = w->escapes;
    if (w->sink)
        w->sink->unknown = true;
    place.input = NULL;
    for (; child && child->next; child = child->next->next) {
        struct flow condition = walk_node(w, child, place, &before);
        branches.base = vars_now(&w->vars);
        mark = mark ? mark : branches.base;
        w->unsure++;
        struct flow branch = walk_node(w, child->next, place, &condition.ok);
        vars_next(&w->vars, &branches, escapes != w->escapes);
        struct cwds any = flow_any(&branch);
        cwds_add(&after, &any);
        before = condition.failed;
    }
    struct flow last = child ? walk_node(w, child, place, &before) : flow_same(&before);
    vars_next(&w->vars, &branches, escapes != w->escapes);
    for (child = node->first; child && child->next; child = child->next->next)
        w->unsure--;
    if (mark)
        vars_maybe(&w->vars, mark);
    vars_join(&w->vars, &branches, true);
    struct cwds any = flow_any(&last);
    cwds_add(&after, &any);
    return flow_same(&after);
}

static struct flow walk_case(struct walk *w, const struct node *node, struct place place,
                             const struct cwds *in)
{
    struct cwds after = *in;
    struct branches branches = vars_branches(&w->vars);
    unsigned escapes = w->escapes;
    bool any_value = false, fell = false;
    if (w->sink)
        w->sink->unknown = true;
    place.input = NULL;
    w->unsure++;
    for (const struct node *branch = node->first; branch; branch = branch->next) {
        struct flow flow = walk_node(w, branch, place, &after);
        struct cwds any = flow_any(&flow);
        cwds_add(&after, &any);
        any_value |= branch->any;
        fell |= branch->falls;
        if (branch->falls) /* the next one runs behind this one, or without it */
            vars_maybe(&w->vars, branches.base);
        else
            vars_next(&w->vars, &branches, escapes != w->escapes);
    }
    vars_next(&w->vars, &branches, true);
    branches.walked--;
    w->unsure--;
    vars_join(&w->vars, &branches, any_value && !fell);
    return flow_same(&after);
}

/* What runs beside this shell. */
static struct flow walk_aside(struct walk *w, const struct node *node, struct place place,
                              const struct cwds *in)
{
    struct change *mark = vars_now(&w->vars);
    place.context |= CONTEXT_SUBSHELL;
    walk_list(w, node, place, in);
    vars_undo(&w->vars, mark);
    if (node->kind == NODE_COPROC)
        record_set(w, node->name ? node->name : "COPROC");
    return flow_same(in);
}

/* True for a condition that is always met. */
static bool never_ends(const struct node *loop)
{
    static const char *const yes[] = {"true", ":", "/bin/true", "/usr/bin/true"};
    const struct node *list = loop->first, *one = list ? list->first : NULL;
    if (loop->kind == NODE_FOR)
        return loop->words && loop->words->parts && !*loop->name &&
               strstr(loop->words->parts->text, ";;");
    if (!one || one->next)
        return false;
    const struct part *word = one->words ? one->words->parts : NULL;
    const char *text = word && word->kind == PART_TEXT ? word->text : "";
    bool met = one->kind == NODE_ARITH
                   ? strspn(text, " 0123456789") == strlen(text) && text[strcspn(text, "123456789")]
                   : one->kind == NODE_TEST && *text && !one->words->next;
    for (size_t i = 0; i < COUNT(yes) && one->kind == NODE_SIMPLE; i++)
        met |= !strcmp(text, yes[i]);
    if (one->kind == NODE_SIMPLE && !strcmp(text, "[") && one->words->next &&
        one->words->next->next && !one->words->next->next->next)
        met = words_is_plain(one->words->next);
    return loop->inverted ? !strcmp(text, "false") : met;
}

/* True where "wait" is a command of these lists. */
static bool waits(const struct node *list)
{
    for (; list; list = list->next)
        for (const struct node *n = list->first; n; n = n->next)
            if (n->kind == NODE_SIMPLE && n->words && n->words->parts &&
                n->words->parts->kind == PART_TEXT && !strcmp(n->words->parts->text, "wait"))
                return true;
    return false;
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
    case NODE_LOOP:
        place.input = NULL;
        place.context |= never_ends(node) ? CONTEXT_ENDLESS : 0;
        place.waits = waits(node->first);
        return (node->kind == NODE_FOR ? loop_for : loop_while)(w, node, place, in);
    case NODE_CASE:
        return walk_case(w, node, place, in);
    case NODE_FUNCTION:
        function_define(w, node, place, in);
        return flow_same(in);
    case NODE_SUBSHELL:
    case NODE_COPROC:
        return walk_aside(w, node, place, in);
    case NODE_ARITH:
        assign_arith(w, node->words->parts, in);
        return flow_same(in);
    default: /* NODE_TEST runs nothing but its substitutions; the rest is above */
        return flow_same(in);
    }
}

static struct flow walk_compound(struct walk *w, const struct node *node, struct place place,
                                 const struct cwds *in)
{
    struct sink none = {.unknown = true}, *outer = w->sink;
    const unsigned now = w->vars.changes, *loop = w->loop;
    if (!loop && (node->kind == NODE_FOR || node->kind == NODE_LOOP))
        w->loop = &now;
    walk_words(w, node->words, place, in);
    if (node->kind == NODE_FOR && !*node->name && node->words)
        assign_arith(w, node->words->parts, in);
    if (node->redirects)
        place = record_redirects(w, node, place, in);
    for (const struct redirect *r = node->redirects; r; r = r->next)
        if (r->op != REDIRECT_IN && r->op < REDIRECT_HEREDOC)
            w->sink = &none;
    struct flow flow = walk_kind(w, node, place, in);
    if (w->sink == &none && outer)
        outer->unknown = true;
    w->sink = outer;
    w->loop = loop;
    return flow;
}

struct flow walk_node(struct walk *w, const struct node *node, struct place place,
                      const struct cwds *in)
{
    if (!node || walk_is_full(w))
        return flow_same(in);
    if (w->depth >= WALK_MAX_DEPTH) {
        trouble_add(&w->facts->trouble, TROUBLE_TOO_DEEP,
                    "its functions call each other too deeply");
        return flow_same(in);
    }
    struct change *mark = vars_now(&w->vars);
    w->facts->arena.steps++;
    if (node->background) {
        place.context |= CONTEXT_BACKGROUND | CONTEXT_SUBSHELL;
        if (place.context & CONTEXT_ENDLESS && !place.waits)
            place.context |= CONTEXT_SPAWNS;
        place.forks = true;
        if (w->sink)
            w->sink->unknown = true;
    }
    w->depth++;
    struct flow flow = node->kind == NODE_SIMPLE ? record_simple(w, node, place, in)
                                                 : walk_compound(w, node, place, in);
    w->depth--;
    if (!node->background)
        return flow;
    vars_undo(&w->vars, mark);
    return flow_same(in);
}

/* Code of these runs in the shell that reads them. */
static bool is_this_shell(const struct command_fact *c)
{
    static const char *const names[] = {"eval", "trap", "alias", "source", "."};
    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcmp(c->name, names[i]))
            return true;
    return false;
}

/* Only what is exported is known to another shell; behind the code stand its name and parameters.
 */
static void enter_process(struct walk *w, const struct command_fact *shell, const char *text)
{
    w->processes++;
    vars_enter_process(&w->vars);
    for (size_t i = 1; shell && i < shell->argv.count; i++) {
        if (shell->argv.items[i].text != text)
            continue;
        size_t from = i + 2 < shell->argv.count ? i + 2 : shell->argv.count;
        assign_params(w, shell->argv.items + from, shell->argv.count - from);
        return;
    }
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
    struct choices *choices = w->choices;
    struct change *mark = vars_now(&w->vars);
    bool other = !place.wrapper || !is_this_shell(place.wrapper);
    w->choices = NULL;
    place.feeds =
        place.wrapper ? sources_only(w, place.wrapper->sources, WAY_PIPE, WAY_PIPE) : NULL;
    place.input = w->input;
    place.forks = w->forks;
    if (other)
        enter_process(w, place.wrapper, text);
    struct node *tree = parser_read(&f->arena, &f->trouble, view_of(text), posix, w->peeled);
    struct flow flow = (other ? walk_lines : walk_node)(w, tree, place, in);
    w->choices = choices;
    w->processes -= other;
    if (other)
        vars_undo(&w->vars, mark);
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
    return (struct walk){.facts = f,
                         .pwd_known = true,
                         .unrolls_left = UNROLLS_MAX,
                         .atoms_left = EXPAND_MAX_ATOMS,
                         .work_left = EXPAND_MAX_WORK,
                         .vars = vars_open(&f->arena)};
}

/* What is known of the environment. */
static void set_up(struct walk *w, const struct facts_setting *s)
{
    struct arg home = arg_literal(s->home);
    struct value value = {.set = true, .items = &home, .count = 1};
    struct arg *item = walk_new(w, 1, sizeof *item);
    if (!item)
        return;
    *item = home;
    value.items = item;
    vars_set(&w->vars, "HOME", vars_state(&w->vars, value, NULL, true));
    vars_set_arg(&w->vars, "IFS", arg_literal(" \t\n"), NULL);
}

/* What a bound of the arena cut off is trouble, wherever it was. */
static void finish(struct walk *w)
{
    if (w->later && w->shifts)
        trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC,
                    "it sets HOME or IFS, and has code that runs at another time");
    if (w->facts->arena.full)
        trouble_add(&w->facts->trouble, TROUBLE_MEMORY, "it needs too much memory to analyse");
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
    set_up(&w, s);
    walk_lines(&w, tree, (struct place){0}, &in);
    function_rest(&w);
    finish(&w);
}

void facts_read_argv(struct facts *f, const struct facts_setting *s, const struct view *argv,
                     size_t argc)
{
    struct cwds in;
    struct walk w = begin(f, s, &in);
    set_up(&w, s);
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
    function_rest(&w);
    finish(&w);
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
