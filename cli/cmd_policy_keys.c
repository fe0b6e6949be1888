/* corral policy keys: what a rule's match may ask for. */
#include "base/scope.h"
#include "cli/policy.h"
#include "cli/print.h"
#include "data/json.h"

#include <stdio.h>

static int describe(struct err *err)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(1024 * 1024);
    if (ruleset_describe_keys(&text, err))
        return -1;
    fwrite(text.data, 1, text.len, stdout);
    return 0;
}

static int list(const struct cli *cli, struct err *err)
{
    static const struct column columns[] = {
        {.name = "KEY"}, {.name = "VALUE"}, {.name = "HOLDS WHEN", .shrinks = true}};
    SCOPED(table_close) struct table table = table_open(columns, COUNT(columns));
    const char *name, *kind, *doc;
    for (size_t i = 0; ruleset_key(i, &name, &kind, &doc); i++)
        if (table_cell(&table, PLAIN, err, "%s", name) ||
            table_cell(&table, PLAIN, err, "%s", kind) || table_cell(&table, PLAIN, err, "%s", doc))
            return -1;
    return print_table(cli, &table, err);
}

static int print_as_json(struct err *err)
{
    SCOPED(bytes_close) struct bytes packed = bytes_open(65536);
    SCOPED(bytes_close) struct bytes text = bytes_open(65536);
    const char *name, *kind, *doc;
    size_t count = 0;
    while (ruleset_key(count, &name, &kind, &doc))
        count++;
    struct pack p = pack_begin(&packed, err);
    pack_map(&p, 1);
    pack_text(&p, "keys");
    pack_array(&p, count);
    for (size_t i = 0; ruleset_key(i, &name, &kind, &doc); i++) {
        pack_map(&p, 3);
        pack_text(&p, "key");
        pack_text(&p, name);
        pack_text(&p, "value");
        pack_text(&p, kind);
        pack_text(&p, "holds_when");
        pack_text(&p, doc);
    }
    if (pack_end(&p) || json_from_pack(bytes_view(&packed), 2, &text, err))
        return -1;
    printf("%s\n", (const char *)text.data);
    return 0;
}

int policy_keys(struct cli *cli, int argc, char **argv, struct err *err)
{
    bool reference = false;
    const struct option options[] = {
        {"describe", 0, NULL, option_flag, &reference, "Print the table of docs/RULES.md."},
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
