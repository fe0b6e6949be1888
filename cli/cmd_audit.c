/* corral audit: the table of its commands. All but verify ask the audit. */
#include "base/scope.h"
#include "base/text.h"
#include "cli/audit.h"
#include "cli/print.h"

#include <stdio.h>

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

int cmd_audit(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct family family = {
        "audit", "Counts, shows over time, exports and checks what the audit recorded.", commands,
        COUNT(commands)};
    return family_run(cli, &family, argc, argv, err);
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
