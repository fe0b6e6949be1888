/* corral errors: every error code, what it means, what the CLI exits with for it. */
#include "base/scope.h"
#include "cli/cli.h"
#include "cli/print.h"
#include "data/json.h"
#include "data/pack.h"

#include <stdio.h>

static int describe(struct err *err)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(1024 * 1024);
    if (bytes_addf(&text, err,
                   "# Errors\nPrinted by `corral errors --describe`. The code travels in \"error\" "
                   "answers; the exit code is the CLI's.\n\n"
                   "| code | exit code | what it means and what to do |\n|---|---|---|\n"))
        return -1;
    for (enum err_code code = ERR_NONE + 1; code < ERR_COUNT; code++)
        if (bytes_addf(&text, err, "| `%s` | %d | %s |\n", err_name(code), err_exit_code(code),
                       err_doc(code)))
            return -1;
    fwrite(text.data, 1, text.len, stdout);
    return 0;
}

static int print_as_json(struct err *err)
{
    SCOPED(bytes_close) struct bytes packed = bytes_open(65536);
    SCOPED(bytes_close) struct bytes text = bytes_open(65536);
    struct pack p = pack_begin(&packed, err);
    pack_map(&p, 1);
    pack_text(&p, "errors");
    pack_array(&p, ERR_COUNT - 1);
    for (enum err_code code = ERR_NONE + 1; code < ERR_COUNT; code++) {
        pack_map(&p, 3);
        pack_text(&p, "code");
        pack_text(&p, err_name(code));
        pack_text(&p, "exit_code");
        pack_int(&p, err_exit_code(code));
        pack_text(&p, "meaning");
        pack_text(&p, err_doc(code));
    }
    if (pack_end(&p) || json_from_pack(bytes_view(&packed), 2, &text, err))
        return -1;
    printf("%s\n", (const char *)text.data);
    return 0;
}

static int list(const struct cli *cli, struct err *err)
{
    static const struct column columns[] = {
        {.name = "CODE"}, {.name = "EXIT", .right = true}, {.name = "MEANING", .shrinks = true}};
    SCOPED(table_close) struct table table = table_open(columns, COUNT(columns));
    for (enum err_code code = ERR_NONE + 1; code < ERR_COUNT; code++)
        if (table_cell(&table, PLAIN, err, "%s", err_name(code)) ||
            table_cell(&table, PLAIN, err, "%d", err_exit_code(code)) ||
            table_cell(&table, PLAIN, err, "%s", err_doc(code)))
            return -1;
    return print_table(cli, &table, err);
}

int cmd_errors(struct cli *cli, int argc, char **argv, struct err *err)
{
    bool reference = false;
    const struct option options[] = {
        {"describe", 0, NULL, option_flag, &reference, "Print docs/ERRORS.md."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    if (reference)
        return command_refuses_json(cli, err) ? -1 : describe(err);
    return cli->json ? print_as_json(err) : list(cli, err);
}
