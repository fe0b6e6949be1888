/* code.c - see code.h. */
#include "engine/shell/code.h"

#include "base/scope.h"
#include "engine/shell/files.h"
#include "engine/shell/produce.h"

#include <string.h>

/* Where an interpreter finds code besides the values and operands that its row names. */
enum code_trait {
    READS_STDIN = 1,        /* without a script or code it runs its stdin */
    ALWAYS_READS = 1 << 1,  /* it runs its stdin whatever its operands are */
    PLUS_OPERANDS = 1 << 2, /* "+command" is code */
    RUNS_FILE = 1 << 3      /* its first operand is a file of code */
};

static const struct interpreter {
    const char *program, *language;
    unsigned traits; /* set of enum code_trait */
} interpreters[] = {
    {"@database", "sql", ALWAYS_READS},
    {"R", "r", READS_STDIN | RUNS_FILE},
    {"awk", "awk", 0},
    {"bc", "bc", READS_STDIN},
    {"bun", "node", RUNS_FILE},
    {"dc", "dc", READS_STDIN},
    {"debugfs", "debugfs", READS_STDIN},
    {"deno eval", "node", 0},
    {"deno run", "node", RUNS_FILE},
    {"ed", "vim", ALWAYS_READS},
    {"emacs", "elisp", 0},
    {"ex", "vim", ALWAYS_READS | PLUS_OPERANDS},
    {"expect", "expect", READS_STDIN | RUNS_FILE},
    {"ftp", "ftp", ALWAYS_READS},
    {"gdb", "gdb", ALWAYS_READS},
    {"lua", "lua", READS_STDIN | RUNS_FILE},
    {"mysql", "sql", ALWAYS_READS},
    {"node", "node", READS_STDIN | RUNS_FILE},
    {"perl", "perl", READS_STDIN | RUNS_FILE},
    {"php", "php", READS_STDIN | RUNS_FILE},
    {"psql", "sql", ALWAYS_READS},
    {"python", "python", READS_STDIN | RUNS_FILE},
    {"rename", "perl", 0},
    {"ruby", "ruby", READS_STDIN | RUNS_FILE},
    {"sed", "sed", 0},
    {"sqlite", "sql", ALWAYS_READS},
    {"ts-node", "node", READS_STDIN | RUNS_FILE},
};

static struct interpreter interpreter_of(const struct command_fact *c)
{
    const char *name = c->reading->program->name;
    for (size_t i = 0; i < COUNT(interpreters); i++)
        if (!strcmp(interpreters[i].program, name))
            return interpreters[i];
    if (!strcmp(name, "@evaluator"))
        return (struct interpreter){name, c->name, READS_STDIN};
    return (struct interpreter){0};
}

static void add_code(struct walk *w, struct command_fact *c, const char *language, struct arg text)
{
    struct code_fact *fact = walk_new(w, 1, sizeof *fact);
    if (!fact || !text.len)
        return;
    *fact = (struct code_fact){language, text, c->code};
    c->code = fact;
}

static bool has_stdin(const struct command_fact *c)
{
    for (size_t i = 0; i < c->redirects_count; i++)
        if (!c->redirects[i].fd && c->redirects[i].op >= REDIRECT_HEREDOC)
            return true;
    for (size_t i = 0; i < c->redirects_count; i++)
        if (!c->redirects[i].fd)
            return false; /* a file: it is among the files */
    return c->upstream || c->context & CONTEXT_PIPED_IN;
}

static void add_stdin(struct walk *w, struct command_fact *c, const struct interpreter *i)
{
    bool script =
        c->operands_count && !arg_is(c->operands[0], "-") && !arg_is(c->operands[0], "/dev/stdin");
    bool reads = i->traits & ALWAYS_READS || (i->traits & READS_STDIN && !script);
    if (!reads || c->reading->instead || !has_stdin(c))
        return;
    const struct arg *text = produce_input(w, c);
    add_code(w, c, i->language, text ? *text : arg_hole());
}

/* A file that the same text wrote, as far as what it wrote is known. */
static void add_script(struct walk *w, struct command_fact *c, const struct interpreter *i)
{
    size_t first = c->reading->commands;
    if (!(i->traits & RUNS_FILE) || c->reading->instead || first >= c->operands_count)
        return;
    const struct arg *text = disk_code(w, c->cwds, c->operands[first]);
    if (text)
        add_code(w, c, i->language, *text);
}

/* node's -pe is -p and -e: the code is the first operand. */
static bool is_pe(const struct interpreter *i, const struct option_fact *o)
{
    return !strcmp(i->language, "node") && !strcmp(o->name, "-p") && arg_is(o->value, "e");
}

void code_find(struct walk *w, struct command_fact *c)
{
    if (!c->argv.count || !c->reading || !c->reading->program)
        return;
    struct interpreter i = interpreter_of(c);
    if (!i.language)
        return;
    for (size_t n = 0; n < c->options_count; n++) {
        const struct option_fact *o = &c->options[n];
        if (c->reading->roles[n] != ROLE_CODE || !o->value)
            continue;
        bool pe = is_pe(&i, o) && c->operands_count;
        add_code(w, c, i.language, pe ? *c->operands[0] : *o->value);
    }
    for (size_t n = c->reading->commands; n < c->operands_count; n++) {
        const struct arg *a = c->operands[n];
        if (operand_role(c, n) == ROLE_CODE)
            add_code(w, c, i.language, *a);
        else if (i.traits & PLUS_OPERANDS && a->text[0] == '+')
            add_code(w, c, i.language, arg_behind(a, 1));
    }
    add_script(w, c, &i);
    add_stdin(w, c, &i);
}
