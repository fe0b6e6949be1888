/* record.c - simple commands become records; the builtins that change the shell; see walk.h. */
#include "engine/shell/walk.h"

#include "base/scope.h"
#include "engine/shell/describe.h"

#include <string.h>

void record_set(struct walk *w, const char *name)
{
    if (!strcmp(name, "HOME"))
        w->home = NULL;
    if (!strcmp(name, "PWD") || !strcmp(name, "CDPATH"))
        w->pwd_known = false;
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

static void note_value(struct walk *w, const char *name, const char *value)
{
    record_set(w, name);
    if (runs_its_value(name))
        trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC, "it sets %s", name);
    if (hides_code(value))
        trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC, "the value of %s holds code", name);
}

static void check_names(struct walk *w, const struct command_fact *c)
{
    for (size_t i = 1; i < c->argv.count; i++)
        if (hides_code(c->argv.items[i].text))
            trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC, "an argument of %s holds code",
                        c->name);
}

/* The arguments of export, read and their kin: NAME or NAME=value. */
static void note_names(struct walk *w, const struct command_fact *c)
{
    for (size_t i = 1; i < c->argv.count; i++) {
        const struct arg *a = &c->argv.items[i];
        char name[32];
        size_t len = strcspn(a->text, "+=");
        if (a->kind == ARG_DYNAMIC)
            w->home = NULL;
        if (len >= sizeof name)
            continue;
        memcpy(name, a->text, len);
        name[len] = 0;
        if (a->text[len])
            note_value(w, name, "");
        else
            record_set(w, name);
    }
}

/* cd and pushd: where it leads when it succeeds. */
static struct flow change_directory(struct walk *w, const struct command_fact *c,
                                    const struct cwds *in)
{
    struct flow flow = flow_same(in);
    size_t i = 1;
    while (i < c->argv.count && c->argv.items[i].text[0] == '-' && c->argv.items[i].len > 1 &&
           c->argv.items[i].kind == ARG_LITERAL)
        i++;
    const struct arg *to = i < c->argv.count ? &c->argv.items[i] : NULL;
    const char *path = to ? to->text : w->home;
    bool known =
        path && w->pwd_known && (!to || (to->kind == ARG_LITERAL && to->glob_at == SIZE_MAX));
    if (to && (arg_is(to, "-") || to->text[0] == '+' || i + 1 != c->argv.count))
        known = false;
    if (known)
        flow.ok = cwds_change(&w->facts->arena, in, path);
    else
        flow.ok = (struct cwds){.unknown = true};
    return flow;
}

enum effect { CHANGES_DIRECTORY, FORGETS_DIRECTORY, SETS_NAMES, USES_NAMES, CHANGES_SHELL };

static const struct builtin {
    const char *name;
    enum effect effect;
} builtins[] = {
    {"cd", CHANGES_DIRECTORY},   {"pushd", CHANGES_DIRECTORY},
    {"popd", FORGETS_DIRECTORY}, {"export", SETS_NAMES},
    {"declare", SETS_NAMES},     {"typeset", SETS_NAMES},
    {"local", SETS_NAMES},       {"readonly", SETS_NAMES},
    {"read", SETS_NAMES},        {"printf", SETS_NAMES},
    {"mapfile", SETS_NAMES},     {"readarray", SETS_NAMES},
    {"getopts", SETS_NAMES},     {"unset", SETS_NAMES},
    {"let", USES_NAMES},         {"test", USES_NAMES},
    {"[", USES_NAMES},           {"wait", USES_NAMES},
    {"enable", CHANGES_SHELL},   {"hash", CHANGES_SHELL},
    {"complete", CHANGES_SHELL}, {"compgen", CHANGES_SHELL},
    {"bind", CHANGES_SHELL},
};

static const struct builtin *find_builtin(const struct command_fact *c)
{
    if (c->external || strchr(c->argv.items[0].text, '/'))
        return NULL;
    for (size_t i = 0; i < COUNT(builtins); i++)
        if (!strcmp(builtins[i].name, c->name))
            return &builtins[i];
    return NULL;
}

static struct flow run_builtin(struct walk *w, const struct builtin *b,
                               const struct command_fact *c, const struct cwds *in)
{
    struct flow flow = flow_same(in);
    switch (b->effect) {
    case CHANGES_DIRECTORY:
        return change_directory(w, c, in);
    case FORGETS_DIRECTORY:
        flow.ok = (struct cwds){.unknown = true};
        break;
    case SETS_NAMES:
        check_names(w, c);
        note_names(w, c);
        break;
    case USES_NAMES:
        check_names(w, c);
        break;
    case CHANGES_SHELL:
        if (c->argv.count > 1)
            trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC, "%s changes what names mean", c->name);
        break;
    }
    return flow;
}

/* A call runs the body where the caller stands; every definition of the name counts, because which
 * one holds may depend on what happened. */
static bool call_function(struct walk *w, const struct command_fact *c, const struct cwds *in,
                          struct flow *flow)
{
    bool any = false;
    for (struct function *f = w->functions; f && !c->external; f = f->next) {
        if (strcmp(f->name, c->argv.items[0].text) != 0 || f->running)
            continue;
        f->running = true;
        struct place place = {
            .context = c->context | CONTEXT_FUNCTION, .wrapper = c->wrapper, .swept = c->swept};
        struct flow one = walk_node(w, f->body, place, in);
        f->running = false;
        cwds_add(&flow->ok, &one.ok);
        cwds_add(&flow->failed, &one.failed);
        any = true;
    }
    return any;
}

static void check_alias(struct walk *w, const struct command_fact *c)
{
    for (const struct alias *a = w->aliases; a; a = a->next)
        if (!c->external && !strcmp(a->name, c->argv.items[0].text))
            trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC, "%s is an alias of the same text",
                        a->name);
}

const char *base_name(const char *path)
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

struct flow record_command(struct walk *w, struct command_fact *c, const struct cwds *in)
{
    if (walk_is_full(w))
        return flow_same(in);
    const struct arg *first = &c->argv.items[0];
    if (name_is_known(first))
        c->name = base_name(first->text);
    append(w, c, in);
    if (!c->name) {
        trouble_add(&w->facts->trouble, TROUBLE_DYNAMIC,
                    "the name of a command is known only when it runs");
        return (struct flow){.ok = {.unknown = true}, .failed = {.unknown = true}};
    }
    if (c->depth > FACTS_MAX_PEELED) {
        trouble_add(&w->facts->trouble, TROUBLE_TOO_DEEP,
                    "too many commands run one inside the other");
        return flow_same(in);
    }
    struct flow flow = {0};
    check_alias(w, c);
    if (call_function(w, c, in, &flow))
        return flow;
    const struct builtin *b = find_builtin(c);
    return b ? run_builtin(w, b, c, in) : peel(w, c, in);
}

static int meant_fd(const struct redirect *r)
{
    bool input = r->op == REDIRECT_IN || r->op == REDIRECT_BOTH_WAY || r->op == REDIRECT_DUP_IN ||
                 r->op == REDIRECT_HEREDOC || r->op == REDIRECT_HERESTRING;
    return r->fd != FD_DEFAULT ? r->fd : input ? 0 : 1;
}

static struct redirect_fact read_redirect(struct walk *w, const struct redirect *r,
                                          const struct cwds *in)
{
    struct expansion e = walk_expansion(w, in);
    struct redirect_fact fact = {.op = r->op, .fd = meant_fd(r)};
    if (r->op == REDIRECT_HEREDOC || r->op == REDIRECT_HERESTRING) {
        fact.target = expand_parts(&e, r->op == REDIRECT_HEREDOC ? r->body : r->target->parts);
        return fact;
    }
    struct args targets = {0};
    expand_word(&e, r->target, &targets);
    fact.target = targets.count == 1 ? targets.items[0] : arg_hole();
    return fact;
}

static void add_redirects(struct walk *w, const struct redirect *r, struct command_fact *c,
                          struct place place, const struct cwds *in)
{
    size_t count = 0;
    for (const struct redirect *each = r; each; each = each->next)
        count += each->target != NULL;
    struct redirect_fact *facts = count ? walk_new(w, count, sizeof *facts) : NULL;
    for (; r && facts; r = r->next) {
        if (!r->target) /* the parse ended here */
            continue;
        walk_parts(w, r->target->parts, place, in);
        walk_parts(w, r->body, place, in);
        facts[c->redirects_count++] = read_redirect(w, r, in);
    }
    c->redirects = facts;
}

static void add_assigns(struct walk *w, const struct word *words, struct command_fact *c,
                        struct place place, const struct cwds *in)
{
    struct expansion e = walk_expansion(w, in);
    size_t count = 0;
    for (const struct word *word = words; word; word = word->next)
        count++;
    struct assign_fact *facts = count ? walk_new(w, count, sizeof *facts) : NULL;
    for (; words && facts; words = words->next) {
        walk_parts(w, words->parts, place, in);
        walk_parts(w, words->index, place, in);
        for (const struct word *item = words->items; item; item = item->next)
            walk_parts(w, item->parts, place, in);
        struct arg value = words->array ? arg_hole() : expand_parts(&e, words->parts);
        facts[c->assigns_count++] = (struct assign_fact){words->name, value};
    }
    c->assigns = facts;
}

static void add_words(struct walk *w, const struct word *words, struct command_fact *c,
                      struct place place, const struct cwds *in)
{
    struct expansion e = walk_expansion(w, in);
    for (const struct word *word = words; word; word = word->next) {
        walk_parts(w, word->parts, place, in);
        walk_parts(w, word->index, place, in);
        for (const struct word *item = word->items; item; item = item->next)
            walk_parts(w, item->parts, place, in);
        expand_word(&e, word, &c->argv);
    }
}

static struct command_fact *new_command(struct walk *w, struct place place)
{
    struct command_fact *c = walk_new(w, 1, sizeof *c);
    if (c) {
        c->context = place.context;
        c->upstream = place.upstream;
        c->wrapper = place.wrapper;
        c->swept = place.swept;
    }
    return c;
}

struct flow record_simple(struct walk *w, const struct node *node, struct place place,
                          const struct cwds *in)
{
    struct command_fact *c = new_command(w, place);
    if (!c)
        return flow_same(in);
    add_assigns(w, node->assigns, c, place, in);
    add_words(w, node->words, c, place, in);
    add_redirects(w, node->redirects, c, place, in);
    for (size_t i = 0; i < c->assigns_count; i++)
        note_value(w, c->assigns[i].name, c->assigns[i].value.text);
    struct flow flow = flow_same(in);
    if (c->argv.count) {
        flow = record_command(w, c, in);
    } else if (!walk_is_full(w)) {
        c->name = "";
        append(w, c, in);
    }
    w->simple = c;
    return flow;
}

void record_redirects(struct walk *w, const struct node *node, struct place place,
                      const struct cwds *in)
{
    struct command_fact *c = node->redirects ? new_command(w, place) : NULL;
    if (!c)
        return;
    add_redirects(w, node->redirects, c, place, in);
    c->name = "";
    append(w, c, in);
}
