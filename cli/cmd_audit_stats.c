/* corral audit stats: what the record holds. */
#include "base/clock.h"
#include "base/scope.h"
#include "cli/audit.h"
#include "cli/print.h"
#include "cli/units.h"

#include <stdio.h>

static int print_sources(const struct cli *cli, struct list sources, struct err *err)
{
    static const struct column columns[] = {
        {.name = "SOURCE"}, {.name = "EPOCH", .right = true}, {.name = "UP TO", .right = true}};
    SCOPED(table_close) struct table table = table_open(columns, COUNT(columns));
    struct source_place row;
    if (!sources.count)
        return 0;
    while (list_next(&sources, &message_source_place, &row))
        if (table_cell(&table, PLAIN, err, "%s", row.source) ||
            table_cell(&table, PLAIN, err, "%lld", (long long)row.epoch) ||
            table_cell(&table, PLAIN, err, "%lld", (long long)row.upto))
            return -1;
    putchar('\n');
    return print_table(cli, &table, err);
}

static int print_stats(const struct cli *cli, const struct record_stats *s, struct err *err)
{
    char first[32] = "", last[32] = "", size[UNITS_SHOWN_BYTES] = "";
    if (s->total_records) {
        clock_show(first, s->first_ns);
        clock_show(last, s->last_ns);
    }
    if (s->database_bytes)
        units_show_bytes(size, s->database_bytes);
    return print_fact(cli, "records", err, "%lld", (long long)s->total_records) ||
                   print_fact(cli, "first", err, "%s", first) ||
                   print_fact(cli, "last", err, "%s", last) ||
                   print_fact(cli, "database", err, "%s", size) ||
                   audit_print_counts(cli, "OPERATION", s->records_by_operation, err) ||
                   audit_print_counts(cli, "STATUS", s->records_by_status, err) ||
                   print_sources(cli, s->sources, err)
               ? -1
               : 0;
}

int audit_stats(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct question question = {PART_AUDIT, "audit_stats", &message_audit_stats,
                                             &message_record_stats, CONNECT_ASK_MS};
    static const struct option options[] = {{0}};
    const struct audit_stats request = {0};
    struct record_stats answer;
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    SCOPED(connect_close) struct connect connect = {0};
    if (connect_open(cli, &connect, err) ||
        connect_ask(&connect, &question, &request, &answer, err))
        return -1;
    if (cli->json)
        return print_json(&message_record_stats, &answer, err);
    if (cli->quiet) {
        print_line("%lld", (long long)answer.total_records);
        return 0;
    }
    return print_stats(cli, &answer, err);
}
