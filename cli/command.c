/* command.c - what every command does with its words: options, number of arguments, help. */
#include "base/scope.h"
#include "cli/cli.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void refusal_close(struct refusal *refusal)
{
    bytes_close(&refusal->frame);
    *refusal = (struct refusal){0};
}

static int option_format(const char *text, void *to, struct err *err)
{
    if (strcmp(text, "json") && strcmp(text, "table"))
        return err_set(err, ERR_INVALID, "\"%.20s\" is not json or table", text);
    *(bool *)to = !strcmp(text, "json");
    return 0;
}

/* The options that work everywhere. */
struct common {
    struct option rows[6];
};

static struct common common_rows(struct cli *cli)
{
    return (struct common){{
        {"connect", 0, "FILE", option_text, &cli->connect_path,
         "Connection file; default $CORRAL_CONNECT, then DIR/admin.json."},
        {"state", 0, "DIR", option_text, &cli->state_path,
         "State directory; /var/lib/corral or ~/.local/state/corral."},
        {"output", 'o', "table|json", option_format, &cli->json, "How to print."},
        {"json", 0, NULL, option_flag, &cli->json, "The same as -o json."},
        {"quiet", 'q', NULL, option_flag, &cli->quiet, "Print ids only, or nothing."},
        {0},
    }};
}

int common_help(struct bytes *to, struct err *err)
{
    struct cli none = {0};
    struct common common = common_rows(&none);
    return options_help(common.rows, to, err);
}

int common_parse(struct cli *cli, int argc, char **argv, struct args *args, struct err *err)
{
    static const struct option none[] = {{0}};
    struct common common = common_rows(cli);
    return options_parse(none, common.rows, true, argc, argv, args, err);
}

static int print_help(const struct command *command, const struct option *rows, struct err *err)
{
    SCOPED(bytes_close) struct bytes to = bytes_open(65536);
    if (bytes_addf(&to, err, "%s\n\nusage: corral %s %s\n", command->doc, command->name,
                   command->usage) ||
        (command->aliases && bytes_addf(&to, err, "also: %s\n", command->aliases)) ||
        (rows[0].name && bytes_addf(&to, err, "\noptions:\n")) || options_help(rows, &to, err) ||
        bytes_addf(&to, err, "\neverywhere:\n") || common_help(&to, err) ||
        bytes_addf(&to, err, "\nexample:\n  %s\n", command->example))
        return -1;
    fputs((const char *)to.data, stdout);
    return 0;
}

int command_parse(struct cli *cli, const struct option *rows, int argc, char **argv,
                  struct args *args, struct err *err)
{
    const struct command *command = cli->command;
    assert(command && rows);
    struct common common = common_rows(cli);
    if (options_parse(rows, common.rows, false, argc, argv, args, err))
        return -1;
    if (args->help)
        return print_help(command, rows, err);
    if (args->count < command->least)
        return err_set(err, ERR_INVALID, "an argument is missing: corral %s %s", command->name,
                       command->usage);
    if (command->most >= 0 && args->count > command->most)
        return err_set(err, ERR_INVALID, "one argument too many, \"%.60s\": corral %s %s",
                       args->items[command->most], command->name, command->usage);
    return 0;
}

int command_refuses_json(const struct cli *cli, struct err *err)
{
    if (!cli->json)
        return 0;
    return err_set(err, ERR_INVALID, "--json: this reference is Markdown only");
}
