/* peel.c - wrappers and what their options mean, by the rows of wrappers.def; see walk.h and
 * peel.h. */
#include "engine/shell/peel.h"

#include "base/scope.h"

#include <string.h>

enum { SHEBANG_MAX_BYTES = 256 /* the kernel looks at no more of a file, BINPRM_BUF_SIZE */ };

static const struct wrapper wrappers[] = {
#define WRAPPER(name, kind, traits, operands) {name, kind, traits, operands},
#include "engine/shell/wrappers.def"
#undef WRAPPER
};

struct flow peel_unsure(struct peeling *p, enum trouble_kind kind, const char *why)
{
    trouble_add(&p->w->facts->trouble, kind, "%s %s", p->c->name, why);
    walk_forget(p->w, false);
    return flow_same(p->in);
}

const struct arg *peel_argument(const struct peeling *p, size_t at)
{
    return at < p->c->argv.count ? &p->c->argv.items[at] : NULL;
}

bool peel_is_assignment(const struct arg *a)
{
    size_t len = strcspn(a->text, "=");
    return len && a->text[len] && !memchr(a->text, '/', len) && a->text[0] != HOLE;
}

/* The wrapper's row; NULL when the program runs no other. */
static const struct wrapper *find_wrapper(const struct program *program)
{
    size_t low = 0, high = COUNT(wrappers);
    while (program && low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(program->name, wrappers[middle].name);
        if (!order)
            return &wrappers[middle];
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool is_named(const struct option_fact *o, const char *letter, const char *word)
{
    return !strcmp(o->name, letter) || !strcmp(o->name, word);
}

/* Notes what an option means to us. */
static void take_option(struct peeling *p, const struct option_fact *o, char role)
{
    const struct wrapper *row = p->row;
    if (row->kind == SU && role == ROLE_COMMAND)
        p->code = o->value;
    if (row->traits & SPLITS && is_named(o, "-S", "--split-string"))
        p->code = o->value;
    if (row->traits & SWEEPS && (is_named(o, "-I", "--replace") || !strcmp(o->name, "-i")))
        p->replace = o->value ? o->value->text : "{}";
    if (row->traits & MOVES && role == ROLE_FROM)
        p->moved = (struct cwds){.unknown = true};
    if (row->kind == SHELL) {
        p->takes_code |= !strcmp(o->name, "-c");
        p->takes_stdin |= !strcmp(o->name, "-s");
    }
}

/* Where the operand stands among the arguments. */
static size_t index_of(const struct command_fact *c, size_t operand)
{
    if (operand >= c->operands_count)
        return c->argv.count;
    return (size_t)(c->operands[operand] - c->argv.items);
}

bool peel_skip_operands(struct peeling *p)
{
    const struct reading *r = p->c->reading;
    size_t operand = 0;
    if (p->row->traits & (DASHES | NEEDS_DASHES) && r->dashes) {
        p->at = r->dashes;
        return true;
    }
    if (p->row->traits & NEEDS_DASHES) {
        p->at = p->c->argv.count;
        return true;
    }
    while (operand < p->c->operands_count && index_of(p->c, operand) < p->at)
        operand++;
    for (size_t i = 0; i < p->row->operands && operand + i < p->c->operands_count; i++)
        if (p->c->operands[operand + i]->splits && !(p->row->traits & ELSEWHERE))
            return false; /* the name of a host, a container or an image is taken for one */
    if (p->row->operands)
        p->at = index_of(p->c, operand + p->row->operands);
    return true;
}

static bool needs_options(const struct wrapper *row)
{
    switch (row->kind) {
    case EVAL:
    case FIND:
    case SOURCE:
    case ARGS:
    case CRON:
    case MAKE:
        return false;
    default:
        return true;
    }
}

bool peel_is_wrapper(const struct command_fact *c, bool *quiet)
{
    static const char *const silent[] = {"sudo", "doas",  "env",  "command", "builtin",
                                         "exec", "nohup", "nice", "timeout", "stdbuf",
                                         "sh",   "bash",  "dash", "eval",    "setsid"};
    for (size_t i = 0; i < COUNT(silent); i++)
        *quiet |= !strcmp(silent[i], c->name);
    return c->reading && find_wrapper(c->reading->program);
}

/* Adds what reads a file: the words of its "#!" line, of which the kernel makes two at most;
 * without one, the shell that tries to run it. */
static void add_reader(const struct peeling *p, struct expansion *e, struct args *argv,
                       const char *text)
{
    bool named = !strncmp(text, "#!", 2);
    char *line = arena_text(&p->w->facts->arena, text, strnlen(text, SHEBANG_MAX_BYTES));
    if (!line)
        return;
    line[strcspn(line, "\n")] = 0;
    char *rest, *program = named ? strtok_r(line + 2, " \t\r", &rest) : NULL;
    char *option = program ? strtok_r(NULL, "\r", &rest) : NULL;
    if (!program)
        program = p->w->posix ? "sh" : "bash";
    args_add(e, argv, arg_literal(program));
    if (!option)
        return;
    option += strspn(option, " \t");
    for (size_t len = strlen(option); len && strchr(" \t", option[len - 1]);)
        option[--len] = 0;
    if (*option)
        args_add(e, argv, arg_literal(option));
}

/* A file that the same text wrote and then runs by its path: its reader runs it, and pays for it.
 */
static void run_written(struct peeling *p)
{
    const struct arg *file = &p->c->argv.items[0];
    const struct arg *text = strchr(file->text, '/') ? disk_content(p->w, p->in, file) : NULL;
    if (!text || text->kind != ARG_LITERAL)
        return;
    struct command_fact *c = inner_command(p, 0, 0);
    struct expansion e = walk_expansion(p->w, p->in);
    if (!c)
        return;
    add_reader(p, &e, &c->argv, text->text);
    for (size_t i = 0; i < p->c->argv.count; i++)
        args_add(&e, &c->argv, p->c->argv.items[i]);
    record_command(p->w, c, p->in);
}

struct flow peel(struct walk *w, const struct command_fact *c, const struct cwds *in)
{
    static const struct wrapper none = {"", RUN, 0, 0};
    const struct reading *r = c->reading;
    const struct wrapper *row = r ? find_wrapper(r->program) : NULL;
    struct peeling p = {.w = w, .row = row ? row : &none, .c = c, .in = in, .moved = *in};
    run_written(&p);
    if (!r || !r->program)
        return flow_same(in);
    p.looks_only = r->effects[EFFECT_LOOKS];
    if (p.row->traits & ELSEWHERE) {
        p.context = CONTEXT_ELSEWHERE;
        p.moved = (struct cwds){.unknown = true};
    }
    if (c->code)
        calls_walk(&p);
    if (!p.looks_only && (!row || row->kind != SU))
        line_values(&p);
    if (!row)
        return flow_same(in);
    for (size_t i = 0; i < c->options_count; i++)
        take_option(&p, &c->options[i], r->roles[i]);
    p.at = index_of(c, r->commands);
    if (!row->operands && r->dashes && p.at == c->argv.count)
        p.at = r->dashes;
    if (needs_options(row) && r->unknown && !p.looks_only)
        return peel_unsure(&p, TROUBLE_DYNAMIC, "has an option that is not understood");
    return inner_walk(&p);
}
