/* corral policy: the table of its commands. check, lint, test and keys ask no service,
 * replay the audit, the others the guardian. */
#include "base/scope.h"
#include "cli/policy.h"

#include <stdio.h>
#include <string.h>

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

static int print_help(struct err *err)
{
    SCOPED(bytes_close) struct bytes to = bytes_open(65536);
    if (bytes_addf(
            &to, err,
            "Judges commands by the rules, tests rules, and shows and reloads the guardian's.\n\n"
            "usage: corral policy COMMAND [options]      --help behind COMMAND says more\n\n"))
        return -1;
    for (size_t i = 0; i < COUNT(commands); i++)
        if (bytes_addf(&to, err, "  %-16s %s\n", commands[i].name, commands[i].doc))
            return -1;
    if (bytes_addf(&to, err, "\nexample:\n  %s\n", commands[0].example))
        return -1;
    fputs((const char *)to.data, stdout);
    return 0;
}

static const char *name_at(const void *context, size_t at)
{
    (void)context;
    return at < COUNT(commands) ? commands[at].name + strlen("policy ") : NULL;
}

int cmd_policy(struct cli *cli, int argc, char **argv, struct err *err)
{
    struct args args;
    if (common_parse(cli, argc, argv, &args, err))
        return -1;
    if (args.help)
        return print_help(err);
    if (!args.count)
        return err_set(err, ERR_INVALID, "say which command; corral policy --help lists them");
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (strcmp(args.items[0], name_at(NULL, i)) != 0)
            continue;
        cli->command = &commands[i];
        return commands[i].run(cli, args.count - 1, args.items + 1, err);
    }
    const char *nearest = options_nearest(args.items[0], name_at, NULL);
    return err_set(err, ERR_INVALID, "unknown command \"policy %.40s\"%s%s%s", args.items[0],
                   nearest ? "; did you mean policy " : "; corral policy --help lists them",
                   nearest ? nearest : "", nearest ? "?" : "");
}
