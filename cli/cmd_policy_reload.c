/* corral policy reload: the guardian looks at its rule directory now. */
#include "base/scope.h"
#include "base/text.h"
#include "cli/connect.h"
#include "cli/policy.h"
#include "cli/print.h"

/* Thousands of rules with tens of thousands of examples take their time. */
enum { RELOAD_MS = 120000 };

int policy_reload(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct option options[] = {{0}};
    static const struct question question = {PART_GUARDIAN, "policy_reload", &message_nothing,
                                             &message_policy_reloaded, RELOAD_MS};
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;

    SCOPED(connect_close) struct connect connect = {0};
    struct nothing nothing = {0};
    struct policy_reloaded reloaded;
    if (connect_open(cli, &connect, err) ||
        connect_ask(&connect, &question, &nothing, &reloaded, err))
        return -1;
    if (cli->json)
        return print_json(&message_policy_reloaded, &reloaded, err);
    char policy[65] = "";
    if (reloaded.policy.len <= 32)
        text_hex(policy, reloaded.policy.data, reloaded.policy.len);
    if (!cli->quiet)
        print_line("%lld rules in force, generation %lld, hash %s", (long long)reloaded.rules,
                   (long long)reloaded.generation, policy);
    return 0;
}
