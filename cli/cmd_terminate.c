/* corral terminate: ends a sandbox and shows the proof. */
#include "base/scope.h"
#include "cli/connect.h"
#include "cli/print.h"

#include <stdio.h>

int cmd_terminate(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct question question = {PART_MANAGER, "sandbox_delete",
                                             &message_sandbox_delete, &message_sandbox_deleted,
                                             CONNECT_ASK_MS};
    bool force = false;
    const struct option options[] = {
        {"force", 'f', NULL, option_flag, &force, "Do not ask."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;

    SCOPED(connect_close) struct connect connect = {0};
    struct sandbox_delete request = {0};
    struct sandbox_deleted deleted;
    if (connect_open(cli, &connect, err) ||
        connect_sandbox(&connect, args.items[0], request.sandbox_id, err))
        return -1;
    if (!force && !print_asks("End sandbox %s and all that runs in it?", request.sandbox_id))
        return err_set(err, ERR_CANCELLED, "nothing was done");
    if (connect_ask(&connect, &question, &request, &deleted, err))
        return -1;
    if (cli->json)
        return print_json(&message_sandbox_deleted, &deleted, err);
    if (cli->quiet)
        print_line("%s", deleted.sandbox_id);
    else
        print_line("%s ended; its cgroup was seen empty after %lld ms", deleted.sandbox_id,
                   (long long)deleted.proof_ms);
    return 0;
}
