/* execute.h - runs a command in a sandbox and shows its output live, for exec and run. */
#pragma once

#include "cli/connect.h"

/* What runs. Argv or a shell string, one of the two. */
struct execution {
    const char *sandbox_id;
    char **argv;
    int argc;
    const char *command; /* NULL: argv */
    const char *cwd;     /* NULL: /workspace */
    struct texts env;
    int64_t timeout_ms; /* 0: the sandbox's default */
    int64_t wait_ms;    /* for a person, when it needs approval; 0: not at all */
};

enum { EXECUTION_OPTIONS = 4 /* without --wait-approval, which run shares with create */ };

/* Writes the rows -c -w -e --timeout; `rows` has room for EXECUTION_OPTIONS. Returns where the
 * caller's own go. */
struct option *execution_options(struct execution *execution, struct option *rows);

/* Takes the command from behind "--", or from -c; `own` arguments stand before it. ERR_INVALID
 * neither or both were given, or arguments stand where none belong. */
int execution_take(struct execution *execution, const struct args *args, int own, struct err *err);

/* From here on SIGINT and SIGTERM wait until a command can be cancelled, so that whoever made a
 * sandbox for it also removes it. */
void execution_hold_signals(void);

/* Runs it: its output goes to stdout and stderr as it comes, or with -o json into the printed
 * result. SIGINT and SIGTERM cancel it. *exit_code is what the CLI exits with: the command's own,
 * or what stands for its cause. Errors as connect_ask; ERR_LOST the connection went away. */
int execute(struct connect *connect, const struct execution *execution, int *exit_code,
            struct err *err);

/* What the CLI exits with for a result, and the sentence for its cause; "" when the command ended
 * by itself. Static. */
int execution_exit_code(const struct exec_result *result);
const char *execution_cause(const struct exec_result *result);
