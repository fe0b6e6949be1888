/* corral audit: the table of its commands. All but verify ask the audit. */
#include "base/scope.h"
#include "base/text.h"
#include "cli/audit.h"
#include "cli/print.h"

#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
    {"audit summary", NULL, NULL, "AGENT [--days N] [--tenant T]",
     "What an agent did: how much of what, how it ended, what it used.",
     "corral audit summary bot --days 7", 1, 1, audit_summary},
    {"audit stats", NULL, NULL, "", "What the record holds, by operation and by status.",
     "corral audit stats", 0, 0, audit_stats},
    {"audit trends", NULL, NULL, "[--by hour|day] [--days N] [--agent NAME]",
     "How operations ended over time, what denied, how long commands took.",
     "corral audit trends --by day --agent bot", 0, 0, audit_trends},
    {"audit export", NULL, NULL, "[--format jsonl|csv|ocsf] [--from GSEQ] [--to FILE]",
     "Writes the record for other programs, oldest first, from a number on.",
     "corral audit export --format ocsf --to record.jsonl", 0, 0, audit_export},
    {"audit verify", NULL, NULL, "[--db FILE] [--pub KEY]",
     "Checks that the record is whole and as it was signed.",
     "corral audit verify --pub checkpoint.pub", 0, 0, audit_verify},
};

static int print_help(struct err *err)
{
    SCOPED(bytes_close) struct bytes to = bytes_open(65536);
    if (bytes_addf(
            &to, err,
            "Counts, shows over time, exports and checks what the audit recorded.\n\n"
            "usage: corral audit COMMAND [options]      --help behind COMMAND says more\n\n"))
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
    return at < COUNT(commands) ? commands[at].name + strlen("audit ") : NULL;
}

int cmd_audit(struct cli *cli, int argc, char **argv, struct err *err)
{
    struct args args;
    if (common_parse(cli, argc, argv, &args, err))
        return -1;
    if (args.help)
        return print_help(err);
    if (!args.count)
        return err_set(err, ERR_INVALID, "say which command; corral audit --help lists them");
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (strcmp(args.items[0], name_at(NULL, i)) != 0)
            continue;
        cli->command = &commands[i];
        return commands[i].run(cli, args.count - 1, args.items + 1, err);
    }
    const char *nearest = options_nearest(args.items[0], name_at, NULL);
    return err_set(err, ERR_INVALID, "unknown command \"audit %.40s\"%s%s%s", args.items[0],
                   nearest ? "; did you mean audit " : "; corral audit --help lists them",
                   nearest ? nearest : "", nearest ? "?" : "");
}

int audit_fill(char *to, size_t size, const char *option, const char *text, struct err *err)
{
    if (text && !text_copy(to, size, text))
        return err_set(err, ERR_INVALID, "%s: more than %zu bytes", option, size - 1);
    return 0;
}

int audit_print_counts(const struct cli *cli, const char *title, struct list counts,
                       struct err *err)
{
    const struct column columns[] = {{.name = title}, {.name = "COUNT", .right = true}};
    SCOPED(table_close) struct table table = table_open(columns, COUNT(columns));
    struct counted row;
    if (!counts.count)
        return 0;
    while (list_next(&counts, &message_counted, &row))
        if (table_cell(&table, PLAIN, err, "%s", row.name) ||
            table_cell(&table, PLAIN, err, "%lld", (long long)row.count))
            return -1;
    putchar('\n');
    return print_table(cli, &table, err);
}
