/* corral exec: runs a command in a sandbox; exits as the command did. */
#include "base/scope.h"
#include "cli/execute.h"

int cmd_exec(struct cli *cli, int argc, char **argv, struct err *err)
{
    struct execution execution = {0};
    struct option options[EXECUTION_OPTIONS + 2] = {{0}};
    *execution_options(&execution, options) = connect_wait_option(&execution.wait_ms);
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    if (execution_take(&execution, &args, 1, err))
        return -1;

    SCOPED(connect_close) struct connect connect = {0};
    char sandbox_id[SANDBOX_ID_BYTES];
    int exit_code = 0;
    if (connect_open(cli, &connect, err) ||
        connect_sandbox(&connect, args.items[0], sandbox_id, err))
        return -1;
    execution.sandbox_id = sandbox_id;
    return execute(&connect, &execution, &exit_code, err) ? -1 : exit_code;
}
