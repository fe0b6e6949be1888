/* corral revoke-agent: takes an agent's approval and keys away, everywhere. */
#include "base/scope.h"
#include "base/text.h"
#include "cli/connect.h"
#include "cli/print.h"

int cmd_revoke_agent(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct question question = {PART_GUARDIAN, "agent_revoke", &message_agent_revoke,
                                             &message_agent_changed, CONNECT_ASK_MS};
    const char *tenant = "";
    const struct option options[] = {
        {"tenant", 0, "T", option_text, &tenant, "Whose agent; default: your own tenant."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;

    struct agent_revoke request = {0};
    struct agent_changed changed;
    if (!text_copy(request.agent, sizeof request.agent, args.items[0]) ||
        !text_copy(request.tenant, sizeof request.tenant, tenant))
        return err_set(err, ERR_INVALID, "a name of more than 64 bytes");
    SCOPED(connect_close) struct connect connect = {0};
    if (connect_open(cli, &connect, err) ||
        connect_ask(&connect, &question, &request, &changed, err) ||
        connect_await_generation(&connect, changed.generation, err))
        return -1;
    if (cli->json)
        return print_json(&message_agent_changed, &changed, err);
    if (!cli->quiet)
        print_line("Agent %s of tenant %s is revoked; every service has confirmed it.",
                   changed.agent, changed.tenant);
    return 0;
}
