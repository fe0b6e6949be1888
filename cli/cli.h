/* cli.h - a command, what every command may use, and the table of all commands.
 *
 * main.c is the table of contents: one row a command, one file a command (cmd_<name>.c). A command
 * reads its options, asks services (connect.h), prints (print.h) and returns what the program exits
 * with. Not thread-safe.
 */
#pragma once

#include "base/err.h"
#include "cli/options.h"
#include "cli/table.h"
#include "schema/message.h"

#include <stdbool.h>

struct command;

/* What a service said besides no. A zeroed one says nothing. */
struct refusal {
    struct failure failure;
    struct bytes frame; /* what the failure's lists point into */
};

/* Frees and zeroes. */
void refusal_close(struct refusal *refusal);

/* What was said before or behind the command's name, and what the answer to a failure is made of.
 */
struct cli {
    const struct command *command;
    const char *connect_path; /* --connect, $CORRAL_CONNECT; NULL: DIR/admin.json */
    const char *state_path;   /* --state; NULL: the default */
    bool json, quiet;
    struct screen screen;   /* stdout */
    struct refusal refusal; /* the last "error" answer, if the last question had one */
};

/* Runs a command: argv[0..argc) is what stands behind its name. Returns the exit code, 0 to 255, or
 * -1 with *err, from which main makes a message and an exit code. */
typedef int command_run(struct cli *cli, int argc, char **argv, struct err *err);

struct command {
    const char *name;
    const char *aliases; /* separated by spaces; NULL: none */
    const char *group;   /* how help sorts it */
    const char *usage;   /* behind the name */
    const char *doc;     /* one line */
    const char *example;
    int least, most; /* arguments; most -1: any number */
    command_run *run;
};

/* Reads the command's options and the common ones, and counts the arguments. With --help the
 * command's help is printed and args->help set: the command then returns 0. ERR_INVALID. */
int command_parse(struct cli *cli, const struct option *rows, int argc, char **argv,
                  struct args *args, struct err *err);

/* Reads common options up to the first argument, the command's name. args->help as above. */
int common_parse(struct cli *cli, int argc, char **argv, struct args *args, struct err *err);

/* Commands that stand behind another one's name, such as "policy check". */
struct family {
    const char *name; /* "policy"; each command's own name begins with it and a space */
    const char *doc;  /* one line */
    const struct command *commands;
    size_t count;
};

/* Runs the one of them that is named, or prints the help of all. Returns as command_run. */
int family_run(struct cli *cli, const struct family *family, int argc, char **argv,
               struct err *err);

/* For what is Markdown only: ERR_INVALID when JSON was asked for. */
int command_refuses_json(const struct cli *cli, struct err *err);

/* Appends the common options' lines of help. Errors as bytes_add. */
int common_help(struct bytes *to, struct err *err);

/* Every command; each is in its file. */
command_run cmd_up, cmd_down, cmd_status, cmd_doctor, cmd_create, cmd_exec, cmd_run, cmd_list,
    cmd_inspect, cmd_terminate, cmd_kill_agent, cmd_approve_agent, cmd_revoke_agent,
    cmd_guardian_status, cmd_add_acl, cmd_list_acls, cmd_remove_acl, cmd_agents, cmd_policy,
    cmd_logs, cmd_audit, cmd_metrics, cmd_config, cmd_errors, cmd_approvals, cmd_hold, cmd_protocol,
    cmd_version;
