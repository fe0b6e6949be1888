/* corral run: a sandbox for one command, removed at its end. */
#include "base/scope.h"
#include "base/text.h"
#include "cli/create.h"
#include "cli/execute.h"
#include "cli/print.h"

/* Removes the sandbox; what that has to say must not hide what the command was refused for. */
static void clean_up(struct connect *connect, const char *sandbox_id)
{
    struct refusal of_the_command = connect->cli->refusal;
    connect->cli->refusal = (struct refusal){0};
    static const struct question question = {PART_MANAGER, "sandbox_delete",
                                             &message_sandbox_delete, &message_sandbox_deleted,
                                             CONNECT_ASK_MS};
    struct sandbox_delete request = {0};
    struct sandbox_deleted deleted;
    struct err err;
    text_copy(request.sandbox_id, sizeof request.sandbox_id, sandbox_id);
    if (connect_ask(connect, &question, &request, &deleted, &err) && err.code != ERR_NOT_FOUND)
        print_note("corral run: %s remains: %s; corral terminate ends it", sandbox_id, err.text);
    refusal_close(&connect->cli->refusal);
    connect->cli->refusal = of_the_command;
}

static int run_in_new(struct connect *connect, const struct creation *creation,
                      struct execution *execution, bool keep, struct err *err)
{
    struct sandbox_created created;
    execution_hold_signals();
    if (create_sandbox(connect, creation, &created, err))
        return -1;
    int exit_code = 0;
    execution->sandbox_id = created.sandbox_id;
    int failed = execute(connect, execution, &exit_code, err);
    if (keep)
        print_note("corral run: kept %s", created.sandbox_id);
    else
        clean_up(connect, created.sandbox_id);
    return failed ? -1 : exit_code;
}

int cmd_run(struct cli *cli, int argc, char **argv, struct err *err)
{
    bool keep = false;
    struct creation creation = {0};
    struct execution execution = {0};
    struct option options[CREATION_OPTIONS + EXECUTION_OPTIONS + 3] = {{0}};
    struct option *own = execution_options(&execution, creation_options(&creation, options));
    own[0] = (struct option){"keep", 0, NULL, option_flag, &keep, "Leave the sandbox."};
    own[1] = connect_wait_option(&creation.wait_ms);
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    execution.wait_ms = creation.wait_ms;
    SCOPED(connect_close) struct connect connect = {0};
    if (execution_take(&execution, &args, 0, err) || connect_open(cli, &connect, err))
        return -1;
    return run_in_new(&connect, &creation, &execution, keep, err);
}
