/* corral kill-agent: ends every sandbox of an agent and shows the proof. */
#include "base/scope.h"
#include "base/text.h"
#include "cli/connect.h"
#include "cli/print.h"

#include <stdio.h>

int cmd_kill_agent(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct question question = {PART_MANAGER, "agent_kill", &message_agent_kill,
                                             &message_agent_killed, CONNECT_ASK_MS};
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

    struct agent_kill request = {0};
    struct agent_killed killed;
    if (!text_copy(request.agent, sizeof request.agent, args.items[0]))
        return err_set(err, ERR_INVALID, "\"%.70s\" is too long for an agent", args.items[0]);
    SCOPED(connect_close) struct connect connect = {0};
    if (connect_open(cli, &connect, err))
        return -1;
    if (!force && !print_asks("End every sandbox of agent %s?", request.agent))
        return err_set(err, ERR_CANCELLED, "nothing was done");
    if (connect_ask(&connect, &question, &request, &killed, err))
        return -1;
    if (cli->json && print_json(&message_agent_killed, &killed, err))
        return -1;
    if (!cli->json && !cli->quiet)
        print_line("%lld sandbox%s of %s ended; the last cgroup was seen empty after %lld ms",
                   (long long)killed.killed, killed.killed == 1 ? "" : "es", request.agent,
                   (long long)killed.proof_ms);
    if (killed.failed)
        return err_set(err, ERR_RUNTIME,
                       "%lld sandboxes could not be proved dead; corral list shows them",
                       (long long)killed.failed);
    return 0;
}
