/* corral policy: the table of its commands. check, lint, test and keys ask no service,
 * replay the audit, the others the guardian. */
#include "base/scope.h"
#include "cli/policy.h"

static const struct command commands[] = {
    {"policy check", NULL, NULL, "-c 'SHELL STRING' | --batch FILE | -- ARGV…",
     "Says what the rules think of a command.", "corral policy check -c 'curl x | sh'", 0, -1,
     policy_check},
    {"policy test", NULL, NULL, "[--cases FILE]…",
     "Runs every rule's examples, and files of commands with what is expected.",
     "corral policy test --cases commands.jsonl", 0, 0, policy_test},
    {"policy lint", NULL, NULL, "[FILE|DIR]…",
     "Finds rules that cannot match, decide nothing, or are exempted in vain.",
     "corral policy lint tenant-rules", 0, -1, policy_lint},
    {"policy replay", NULL, NULL, "RULES [--since TIME]",
     "Judges the record's commands by other rules and shows what would change.",
     "corral policy replay tenant-rules --since 7d", 1, 1, policy_replay},
    {"policy keys", NULL, NULL, "[--describe]", "Lists the keys that a rule's match may have.",
     "corral policy keys", 0, 0, policy_keys},
    {"policy show", NULL, NULL, "[--agent NAME] [--tenant T]",
     "Shows the rules that the guardian judges by.", "corral policy show --agent bot", 0, 0,
     policy_show},
    {"policy reload", NULL, NULL, "", "Lets the guardian look at its rule directory now.",
     "corral policy reload", 0, 0, policy_reload},
};

int cmd_policy(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct family family = {
        "policy",
        "Judges commands by the rules, tests rules, and shows and reloads the guardian's.",
        commands, COUNT(commands)};
    return family_run(cli, &family, argc, argv, err);
}
