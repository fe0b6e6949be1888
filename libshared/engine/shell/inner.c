/* inner.c - what a wrapper runs: another command, code, a script, what a search finds; see peel.h.
 */
#include "engine/shell/produce.h"

#include "base/scope.h"

#include <stdint.h>
#include <string.h>

/* NAME=value before the command: what it runs gets it. */
static void take_assignment(struct peeling *p, const struct arg *a)
{
    struct vars *v = &p->w->vars;
    size_t len = strcspn(a->text, "=");
    char *name = arena_text(v->arena, a->text, len);
    struct arg value = *a;
    if (!name)
        return;
    value.text += len + 1;
    value.len -= len + 1;
    value.glob_at = SIZE_MAX;
    value.kind = memchr(value.text, HOLE, value.len) ? ARG_PARTIAL : ARG_LITERAL;
    assign_note(p->w, name, &value);
    vars_set_arg(v, name, value, p->c->sources);
    vars_set(v, name, vars_exported(v, vars_get(v, name)));
}

struct command_fact *inner_command(struct peeling *p, size_t at, size_t end)
{
    struct command_fact *c = walk_new(p->w, 1, sizeof *c);
    if (!c)
        return NULL;
    *c = (struct command_fact){.context = p->c->context | p->context,
                               .upstream = p->c->upstream,
                               .wrapper = p->c,
                               .swept = p->c->swept,
                               .external = !(p->row->traits & BUILTIN) || p->c->external,
                               .redirects = p->c->redirects,
                               .redirects_count = p->c->redirects_count};
    struct expansion e = walk_expansion(p->w, p->in);
    for (size_t i = at; i < end; i++)
        args_add(&e, &c->argv, p->c->argv.items[i]);
    return c;
}

static struct place inner_place(const struct peeling *p)
{
    return (struct place){
        .context = p->c->context | p->context, .upstream = p->c->upstream, .wrapper = p->c};
}

struct flow inner_text(struct peeling *p, const struct arg *code)
{
    enum wrapper_kind kind = p->row->kind;
    bool same_shell = kind == EVAL || kind == TRAP || kind == ALIAS;
    struct place place = inner_place(p);
    place.context |= kind == ALIAS ? CONTEXT_ALIAS : kind == TRAP ? CONTEXT_TRAP : 0;
    same_shell |= kind == SOURCE;
    bool posix = same_shell ? p->w->posix : kind != SHELL || p->row->traits & POSIX;
    if (code->kind != ARG_LITERAL || code->glob_at != SIZE_MAX)
        return peel_unsure(p, TROUBLE_CODE, "runs code that is known only when it runs");
    return walk_code(p->w, code->text, posix, place, p->in);
}

struct flow inner_text_there(struct peeling *p, const struct arg *code)
{
    struct peeling there = *p;
    there.in = &there.moved;
    inner_text(&there, code);
    return flow_same(p->in);
}

/* env -S: a text of env's own arguments, split in a way that differs from a shell's where there is
 * a backslash, a dollar sign or anything that joins commands. */
static struct flow run_split(struct peeling *p)
{
    size_t len = p->code->len;
    char *text = walk_new(p->w, len + 5, 1);
    if (!text || p->code->kind != ARG_LITERAL || strpbrk(p->code->text, "\\$`;&|<>()#*?[~{\n") ||
        p->at < p->c->argv.count)
        return peel_unsure(p, TROUBLE_CODE, "runs a command line that is not understood");
    memcpy(mempcpy(text, "env ", 4), p->code->text, len);
    walk_code(p->w, text, true, inner_place(p), &p->moved);
    return flow_same(p->in);
}

static struct flow run_program(struct peeling *p)
{
    if (p->code && p->row->traits & SPLITS)
        return run_split(p);
    for (; p->row->traits & ASSIGNS && p->at < p->c->argv.count; p->at++) {
        if (!peel_is_assignment(peel_argument(p, p->at)))
            break;
        if (peel_argument(p, p->at)->splits)
            return peel_unsure(p, TROUBLE_CODE, "runs a command that is known only when it runs");
        take_assignment(p, peel_argument(p, p->at));
    }
    if (!peel_skip_operands(p))
        return peel_unsure(p, TROUBLE_CODE, "runs a command that is known only when it runs");
    if (p->looks_only || p->at >= p->c->argv.count)
        return flow_same(p->in);
    const struct arg *first = peel_argument(p, p->at), *second = peel_argument(p, p->at + 1);
    if (p->row->traits & TAKES_CODE && second &&
        (arg_is(first, "-c") || arg_is(first, "--command")))
        return inner_text(p, second);
    if (p->row->traits & SWEEPS)
        return sweep_run(p, p->at, &p->moved);
    struct command_fact *c = inner_command(p, p->at, p->c->argv.count);
    if (!c)
        return flow_same(p->in);
    struct flow flow = record_command(p->w, c, &p->moved);
    return c->external ? flow_same(p->in) : flow;
}

/* What the wrapper sets for its command, it sets for nobody else. */
struct flow inner_run(struct peeling *p)
{
    struct vars *v = &p->w->vars;
    struct change *mark = vars_now(v);
    bool builtin = p->row->traits & BUILTIN || !strcmp(p->row->name, "exec");
    struct flow flow = run_program(p);
    if (!builtin)
        vars_undo(v, mark);
    return flow;
}

bool inner_is_odd_file(const struct peeling *p, const struct arg *a)
{
    char path[CWDS_PATH_MAX];
    if (a->kind != ARG_LITERAL || a->glob_at != SIZE_MAX)
        return true;
    for (unsigned i = 0; i < p->in->count; i++)
        if (!path_join(path, p->in->path[i], a->text, a->len) || !strncmp(path, "/dev/", 5) ||
            !strncmp(path, "/proc/", 6))
            return true;
    return p->in->unknown && strstr(a->text, "..");
}

/* A shell in a container without input of its own is for a terminal. */
static bool has_input(const struct peeling *p)
{
    if (!(p->c->context & CONTEXT_ELSEWHERE) || p->c->upstream || p->c->context & CONTEXT_PIPED_IN)
        return true;
    for (size_t i = 0; i < p->c->redirects_count; i++)
        if (!p->c->redirects[i].fd)
            return true;
    return false;
}

/* The script is a <( ) whose output is known. */
static struct flow run_content(struct peeling *p, const struct arg *file)
{
    struct arg code = arg_literal(file->content);
    return inner_text(p, &code);
}

/* bash -n reads without running anything, unless a person sits there. */
static bool only_checks(const struct command_fact *c)
{
    return option_of(c, "-n") && !option_of(c, "+n") && !option_of(c, "-i");
}

static struct flow inner_shell(struct peeling *p)
{
    if (p->looks_only || only_checks(p->c))
        return flow_same(p->in);
    const struct arg *operand = peel_argument(p, p->at);
    if (p->takes_code && operand)
        inner_text(p, operand);
    else if ((p->takes_stdin || !operand) && has_input(p))
        produce_stdin(p);
    else if (p->takes_stdin || !operand)
        return flow_same(p->in); /* a person types */
    else if (operand->content)
        run_content(p, operand);
    else if (inner_is_odd_file(p, operand))
        peel_unsure(p, TROUBLE_CODE, "runs a script that is known only when it runs");
    else
        produce_script(p, operand);
    return flow_same(p->in);
}

static struct flow inner_eval(struct peeling *p)
{
    char *text = produce_joined(p, &p->c->argv, 1);
    if (!text)
        return peel_unsure(p, TROUBLE_CODE, "runs code that is known only when it runs");
    struct arg code = arg_literal(text);
    return inner_text(p, &code);
}

/* Code that runs at any time: nothing is known there, and what it sets is not known anywhere. */
static void walk_later(struct peeling *p, const struct arg *code)
{
    struct vars *v = &p->w->vars;
    struct change *mark = vars_now(v);
    bool taints = v->taints;
    p->w->later = true;
    walk_forget(p->w, true);
    v->taints = true;
    p->w->unsure++;
    inner_text(p, code);
    p->w->unsure--;
    v->taints = taints;
    vars_undo(v, mark);
}

static struct flow inner_trap(struct peeling *p)
{
    struct cwds later = {.unknown = true};
    const struct arg *code = peel_argument(p, p->at);
    if (!code || p->at + 1 == p->c->argv.count || arg_is(code, "-") || arg_is(code, ""))
        return flow_same(p->in);
    struct peeling at_exit = *p;
    cwds_add(&later, p->in);
    at_exit.in = &later;
    walk_later(&at_exit, code);
    return flow_same(p->in);
}

static struct flow inner_alias(struct peeling *p)
{
    struct cwds later = {.unknown = true};
    cwds_add(&later, p->in);
    for (size_t i = p->at; i < p->c->argv.count; i++) {
        const struct arg *a = peel_argument(p, i);
        size_t len = strcspn(a->text, "=");
        struct alias *alias = walk_new(p->w, 1, sizeof *alias);
        char *name = alias ? arena_text(&p->w->facts->arena, a->text, len) : NULL;
        if (a->kind != ARG_LITERAL || !name)
            return peel_unsure(p, TROUBLE_DYNAMIC, "defines what is known only when it runs");
        if (!a->text[len])
            continue; /* it only prints */
        struct peeling expanded = *p;
        struct arg code = arg_literal(a->text + len + 1);
        expanded.in = &later;
        walk_later(&expanded, &code);
        *alias = (struct alias){.name = name, .code = code.text, .next = p->w->aliases};
        p->w->aliases = alias;
    }
    return flow_same(p->in);
}

static struct flow inner_source(struct peeling *p)
{
    const struct arg *file = peel_argument(p, 1);
    if (file && arg_is(file, "--"))
        file = peel_argument(p, 2);
    if (file && file->content)
        return run_content(p, file);
    walk_forget(p->w, true);
    if (file && inner_is_odd_file(p, file))
        return peel_unsure(p, TROUBLE_CODE, "runs a script that is known only when it runs");
    if (file)
        produce_script(p, file);
    return flow_same(p->in);
}

static bool is_action(const struct arg *a)
{
    static const char *const actions[] = {"-exec", "-execdir", "-ok", "-okdir"};
    for (size_t i = 0; i < COUNT(actions); i++)
        if (arg_is(a, actions[i]))
            return true;
    return false;
}

/* One -exec: from its first word to its end. {} is what find finds. */
static void inner_action(struct peeling *p, size_t from, size_t end)
{
    struct command_fact *c = inner_command(p, from, from);
    struct expansion e = walk_expansion(p->w, p->in);
    for (size_t i = from; i < end && c; i++) {
        const struct arg *a = peel_argument(p, i);
        if (!strcmp(a->text, "{}"))
            sweep_found(p, p->c, &c->argv);
        else
            args_add(&e, &c->argv, strstr(a->text, "{}") ? arg_hole() : *a);
    }
    if (!c || !c->argv.count)
        return;
    c->swept = true;
    record_command(p->w, c, p->in);
}

static struct flow inner_find(struct peeling *p)
{
    const struct args *argv = &p->c->argv;
    for (size_t i = 1; i < argv->count; i++) {
        if (!is_action(&argv->items[i])) {
            if (argv->items[i].splits)
                peel_unsure(p, TROUBLE_DYNAMIC,
                            "has a part of its expression that is known only when it runs");
            continue;
        }
        size_t end = i + 1;
        while (end < argv->count && strcmp(argv->items[end].text, ";") != 0 &&
               !(!strcmp(argv->items[end].text, "+") && !strcmp(argv->items[end - 1].text, "{}")))
            end++;
        inner_action(p, i + 1, end);
        i = end;
    }
    return flow_same(p->in);
}

/* su -c code, su user -- -c code, capsh -- -c code, sg group code. */
static struct flow inner_su(struct peeling *p)
{
    const struct command_fact *c = p->c;
    if (p->looks_only)
        return flow_same(p->in);
    if (p->code)
        return inner_text(p, p->code);
    for (size_t i = 0; i + 1 < c->operands_count; i++)
        if (arg_is(c->operands[i], "-c"))
            return inner_text(p, c->operands[i + 1]);
    if (p->row->operands && c->operands_count > p->row->operands)
        return inner_text(p, c->operands[p->row->operands]);
    return option_of(c, "-u") || option_of(c, "--user") ? inner_run(p) : flow_same(p->in);
}

struct flow inner_walk(struct peeling *p)
{
    static struct flow (*const kinds[])(struct peeling *) = {
        [RUN] = inner_run,    [SHELL] = inner_shell,        [EVAL] = inner_eval,
        [SU] = inner_su,      [FIND] = inner_find,          [SOURCE] = inner_source,
        [TRAP] = inner_trap,  [ALIAS] = inner_alias,        [LINE] = line_joined,
        [INPUT] = line_input, [ARGS] = line_args,           [ITEMS] = line_items,
        [CRON] = line_cron,   [CONTAINER] = line_container, [MAKE] = line_make};
    return kinds[p->row->kind](p);
}
