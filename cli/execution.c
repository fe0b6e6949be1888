/* execution.c - what runs, as the command line says, and how it ended; see execute.h. */
#include "cli/execute.h"
#include "cli/units.h"

#include <string.h>

struct option *execution_options(struct execution *e, struct option *rows)
{
    const struct option own[EXECUTION_OPTIONS] = {
        {"command", 'c', "STRING", option_text, &e->command, "A line for the sandbox's shell."},
        {"workdir", 'w', "DIR", option_text, &e->cwd, "Where it runs; default /workspace."},
        {"env", 'e', "K=V", units_env, &e->env, "For this command; repeat."},
        {"timeout", 0, "TIME", units_duration_ms, &e->timeout_ms,
         "500ms, 5s, 2m: ends the command and all that it started; exit code 124."},
    };
    memcpy(rows, own, sizeof own);
    return rows + EXECUTION_OPTIONS;
}

int execution_take(struct execution *e, const struct args *args, int own, struct err *err)
{
    if (args->before > own)
        return err_set(err, ERR_INVALID,
                       "\"%.60s\" stands where no argument belongs; write -- before the command",
                       args->items[own]);
    if (args->before < own)
        return err_set(err, ERR_INVALID, "an argument is missing before --");
    e->argv = args->items + own;
    e->argc = args->count - own;
    if (e->argc && e->command)
        return err_set(err, ERR_INVALID, "a command behind -- and one with -c: one of the two");
    if (!e->argc && !e->command)
        return err_set(err, ERR_INVALID, "which command? -- ARGV… or -c 'SHELL STRING'");
    return 0;
}

/* A cause, what the CLI exits with for it, and the sentence. */
struct cause {
    const char *name;
    int exit_code;
    const char *sentence;
};

static const struct cause *find_cause(const char *name)
{
    static const struct cause causes[] = {
        {"exited", 0, ""},
        {"signal", 128, "ended by a signal"},
        {"timeout", 124, "ended: it ran longer than its timeout"},
        {"oom", 137, "killed: it needed more memory than its sandbox has"},
        {"killswitch", 137, "killed by the monitor's kill switch"},
        {"revoked", 137, "killed: its agent was revoked"},
        {"cancelled", 130, "cancelled"},
        {"sandbox_gone", 137, "killed: its sandbox ended"},
        {"not_found", 127, "did not run: no such program in the sandbox"},
        {"not_executable", 126, "did not run: not executable"},
        {"lost", 125, "its end is not known: a service or the host died meanwhile"},
    };
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++)
        if (!strcmp(causes[i].name, name))
            return &causes[i];
    return NULL;
}

int execution_exit_code(const struct exec_result *result)
{
    const struct cause *cause = find_cause(result->cause);
    if (!cause)
        return err_exit_code(ERR_PEER);
    if (!strcmp(cause->name, "exited"))
        return (int)result->exit_code;
    if (!strcmp(cause->name, "signal"))
        return cause->exit_code + (int)result->signal;
    return cause->exit_code;
}

const char *execution_cause(const struct exec_result *result)
{
    const struct cause *cause = find_cause(result->cause);
    return cause ? cause->sentence : result->cause;
}
