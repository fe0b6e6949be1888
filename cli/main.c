/* main.c - corral, the command line: the table of all commands, help, and how a failure is told. */
#include "base/scope.h"
#include "cli/cli.h"
#include "cli/print.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HOST[] = "this host", SANDBOXES[] = "sandboxes and commands",
                  AGENTS[] = "agents and policy", RECORD[] = "what happened",
                  REFERENCE[] = "reference";

static const struct command commands[] = {
    {"up", NULL, HOST, "[--detach] [--config FILE]",
     "Starts the services, makes keys at the first start, and restarts what ends.",
     "corral up --detach --state /srv/corral", 0, 0, cmd_up},
    {"down", NULL, HOST, "[--terminate | --leave]",
     "Stops the services; refuses while sandboxes live.", "corral down --terminate", 0, 0,
     cmd_down},
    {"status", NULL, HOST, "", "Shows how each service is.", "corral status -o json", 0, 0,
     cmd_status},
    {"doctor", NULL, HOST, "[--json]",
     "Tries what this host can do for a sandbox, and says what would help.", "corral doctor", 0, 0,
     cmd_doctor},

    {"run", NULL, SANDBOXES, "[options] -- ARGV… | -c 'SHELL STRING'",
     "Runs a command in a sandbox made for it.", "corral run --agent bot -- python3 -c 'print(1)'",
     0, -1, cmd_run},
    {"create", NULL, SANDBOXES, "[options]", "Makes a sandbox and prints its id.",
     "corral create --agent bot --memory 256m --cpus 0.5", 0, 0, cmd_create},
    {"exec", NULL, SANDBOXES, "SANDBOX [options] -- ARGV… | -c 'SHELL STRING'",
     "Runs a command in a sandbox; exits as the command did.",
     "corral exec sb_abc --timeout 5s -- ls -la", 1, -1, cmd_exec},
    {"list", "ls", SANDBOXES, "[--agent NAME] [--detailed]", "Lists the live sandboxes.",
     "corral list --agent bot", 0, 0, cmd_list},
    {"inspect", NULL, SANDBOXES, "SANDBOX", "Shows all about a sandbox.", "corral inspect sb_abc",
     1, 1, cmd_inspect},
    {"terminate", "rm kill", SANDBOXES, "SANDBOX [--force]",
     "Ends a sandbox, proved by its cgroup.", "corral terminate sb_abc", 1, 1, cmd_terminate},

    {"approve-agent", NULL, AGENTS, "NAME [options]",
     "Approves an agent and writes the connection file that it works with.",
     "corral approve-agent bot --key-out bot.json", 1, 1, cmd_approve_agent},
    {"revoke-agent", NULL, AGENTS, "NAME [--tenant T]",
     "Takes an agent's approval and keys away; its commands end.", "corral revoke-agent bot", 1, 1,
     cmd_revoke_agent},
    {"agents", "list-agents", AGENTS, "", "Lists the approved agents and what is set for each.",
     "corral agents", 0, 0, cmd_agents},
    {"kill-agent", NULL, AGENTS, "NAME [--force]", "Ends every sandbox of an agent.",
     "corral kill-agent bot --force", 1, 1, cmd_kill_agent},
    {"approvals", NULL, AGENTS, "list | show ID | allow ID | deny ID | wait ID [options]",
     "Shows the acts that wait for a person, and answers them.",
     "corral approvals allow k3f --reason 'read it' --ttl 1h", 1, 2, cmd_approvals},
    {"hold", NULL, AGENTS, "add | list | release [options]",
     "Lets an agent, a tenant or the host do nothing new until it is released.",
     "corral hold add --agent bot --reason 'incident 7'", 1, 1, cmd_hold},
    {"add-acl", NULL, AGENTS, "HOST CONTAINER [options]",
     "Lets sandboxes see a directory or file of their host.",
     "corral add-acl /srv/data /workspace/data --mode ro --blocked '*.key'", 2, 2, cmd_add_acl},
    {"list-acls", NULL, AGENTS, "", "Lists the volume ACLs.", "corral list-acls", 0, 0,
     cmd_list_acls},
    {"remove-acl", NULL, AGENTS, "ACL [--reason TEXT]", "Takes a volume ACL away.",
     "corral remove-acl 4k2f", 1, 1, cmd_remove_acl},
    {"guardian-status", NULL, AGENTS, "", "Shows rules, approved agents and decisions.",
     "corral guardian-status", 0, 0, cmd_guardian_status},
    {"policy", NULL, AGENTS, "check | test | show | reload [options]",
     "Judges commands by the rules, tests, shows and reloads them.",
     "corral policy check -c 'rm -rf /'", 0, -1, cmd_policy},

    {"logs", NULL, RECORD, "[options]", "Shows the audit's record, newest first.",
     "corral logs --agent bot --since 1h --status denied", 0, 0, cmd_logs},
    {"audit", NULL, RECORD, "summary | stats | trends | export | verify [options]",
     "Counts, shows over time, exports and checks what was recorded.",
     "corral audit summary bot --days 7", 0, -1, cmd_audit},
    {"metrics", NULL, RECORD, "[--agent NAME]", "Shows what the sandboxes use.",
     "corral metrics --agent bot", 0, 0, cmd_metrics},

    {"config", NULL, REFERENCE, "[--describe]", "Prints corral.toml with every key's default.",
     "corral config > corral.toml", 0, 0, cmd_config},
    {"errors", NULL, REFERENCE, "[--describe]", "Lists every error code and its exit code.",
     "corral errors", 0, 0, cmd_errors},
    {"protocol", NULL, REFERENCE, "", "Describes every message.", "corral protocol | less", 0, 0,
     cmd_protocol},
    {"version", NULL, REFERENCE, "", "Prints the version.", "corral version", 0, 0, cmd_version},
};

static bool is_alias(const char *aliases, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = aliases; at && len; at = strchr(at, ' '), at += at != NULL)
        if (strcspn(at, " ") == len && !memcmp(at, name, len))
            return true;
    return false;
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COUNT(commands); i++)
        if (!strcmp(commands[i].name, name) || is_alias(commands[i].aliases, name))
            return &commands[i];
    return NULL;
}

static const char *name_at(const void *context, size_t at)
{
    (void)context;
    return at < COUNT(commands) ? commands[at].name : NULL;
}

static int print_help(struct err *err)
{
    SCOPED(bytes_close) struct bytes to = bytes_open(65536);
    if (bytes_addf(&to, err,
                   "Corral runs AI agents' commands in sandboxes and answers for every one.\n\n"
                   "usage: corral COMMAND [options]      corral COMMAND --help says more\n"))
        return -1;
    const char *group = "";
    for (size_t i = 0; i < COUNT(commands); i++) {
        const struct command *c = &commands[i];
        if (c->group != group && bytes_addf(&to, err, "\n%s:\n", c->group))
            return -1;
        group = c->group;
        if (bytes_addf(&to, err, "  %-16s %s\n", c->name, c->doc))
            return -1;
    }
    if (bytes_addf(&to, err, "\neverywhere:\n") || common_help(&to, err) ||
        bytes_addf(&to, err,
                   "\nfirst steps:\n"
                   "  corral up --detach\n"
                   "  corral approve-agent bot\n"
                   "  corral run --connect bot.corral.json -- echo hello\n"))
        return -1;
    fputs((const char *)to.data, stdout);
    return 0;
}

/* Finds the command behind the common options and runs it. */
static int run(struct cli *cli, int argc, char **argv, struct err *err)
{
    struct args args;
    if (argc == 2 && !strcmp(argv[1], "--version"))
        argv[1] += 2;
    if (common_parse(cli, argc - 1, argv + 1, &args, err))
        return -1;
    if (args.help || (args.count && !strcmp(args.items[0], "help")))
        return print_help(err);
    if (!args.count)
        return err_set(err, ERR_INVALID, "say which command; corral --help lists them");
    cli->command = find(args.items[0]);
    if (!cli->command) {
        const char *nearest = options_nearest(args.items[0], name_at, NULL);
        return err_set(err, ERR_INVALID, "unknown command \"%.40s\"%s%s%s", args.items[0],
                       nearest ? "; did you mean " : "; corral --help lists them",
                       nearest ? nearest : "", nearest ? "?" : "");
    }
    return cli->command->run(cli, args.count - 1, args.items + 1, err);
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "C.UTF-8"); /* for the widths of characters; always there in Debian 12 */
    signal(SIGPIPE, SIG_IGN);
    struct cli cli = {.connect_path = getenv("CORRAL_CONNECT"), .screen = screen_of(STDOUT_FILENO)};
    struct err err = {0};
    int code = run(&cli, argc, argv, &err);
    if (code >= 0 && (fflush(stdout) || ferror(stdout)))
        code = err_sys(&err, "writing to stdout");
    if (code < 0) {
        print_failure(&cli, &err);
        code = err_exit_code(err.code);
    }
    refusal_close(&cli.refusal);
    return code;
}
