/* corral metrics: what the sandboxes use, as the monitor saw it last. */
#include "base/scope.h"
#include "base/text.h"
#include "cli/connect.h"
#include "cli/print.h"
#include "cli/show.h"

#include <stdio.h>

/* "used / limit", coloured by how near they are. */
static int add_share(struct table *t, double used, double limit, const char *text, struct err *err)
{
    enum colour colour = PLAIN;
    if (limit > 0 && used >= 0.95 * limit)
        colour = RED;
    else if (limit > 0 && used >= 0.8 * limit)
        colour = YELLOW;
    return table_cell(t, colour, err, "%s", text);
}

/* Absent: the host has no control group to look at. */
static int add_bytes(struct table *t, bool is_known, int64_t used, int64_t limit, struct err *err)
{
    char a[UNITS_SHOWN_BYTES], b[UNITS_SHOWN_BYTES], text[2 * UNITS_SHOWN_BYTES + 4];
    units_show_bytes(a, used);
    units_show_bytes(b, limit);
    snprintf(text, sizeof text, limit ? "%s / %s" : "%s", a, b);
    return add_share(t, (double)used, (double)limit, is_known ? text : "-", err);
}

static int add_cpu(struct table *t, const struct metrics_row *row, struct err *err)
{
    char text[64] = "-";
    if (schema_has(&message_metrics_row, row, "cpu_percent"))
        snprintf(text, sizeof text, "%.1f %% / %lld %%", row->cpu_percent,
                 (long long)row->cpu_limit_percent);
    return add_share(t, row->cpu_percent, (double)row->cpu_limit_percent, text, err);
}

static int add_pids(struct table *t, const struct metrics_row *row, struct err *err)
{
    char text[48] = "-";
    if (schema_has(&message_metrics_row, row, "pids"))
        snprintf(text, sizeof text, "%lld / %lld", (long long)row->pids,
                 (long long)row->pids_limit);
    return add_share(t, (double)row->pids, (double)row->pids_limit, text, err);
}

static int add_row(struct table *t, const struct metrics_row *row, struct err *err)
{
    char age[UNITS_SHOWN_BYTES];
    bool has_memory = schema_has(&message_metrics_row, row, "memory_bytes");
    bool has_disk = schema_has(&message_metrics_row, row, "disk_bytes");
    units_show_ms(age, row->age_ms);
    return table_cell(t, PLAIN, err, "%s", row->sandbox_id) ||
                   table_cell(t, PLAIN, err, "%s", row->agent) || add_cpu(t, row, err) ||
                   add_bytes(t, has_memory, row->memory_bytes, row->memory_limit_bytes, err) ||
                   add_pids(t, row, err) ||
                   add_bytes(t, has_disk, row->disk_bytes, row->disk_limit_bytes, err) ||
                   table_cell(t, row->alerts ? YELLOW : PLAIN, err, "%lld",
                              (long long)row->alerts) ||
                   table_cell(t, PLAIN, err, "%s", age)
               ? -1
               : 0;
}

static int print_page(const struct cli *cli, const struct metrics_page *page, struct err *err)
{
    static const struct column columns[] = {
        {.name = "SANDBOX"},
        {.name = "AGENT", .shrinks = true},
        {.name = "CPU", .right = true},
        {.name = "MEMORY", .right = true},
        {.name = "PIDS", .right = true},
        {.name = "DISK", .right = true},
        {.name = "ALERTS", .right = true},
        {.name = "SEEN", .right = true},
    };
    SCOPED(table_close) struct table table = table_open(columns, COUNT(columns));
    struct list rest = page->rows;
    struct metrics_row row;
    while (list_next(&rest, &message_metrics_row, &row))
        if (add_row(&table, &row, err))
            return -1;
    if (print_table(cli, &table, err))
        return -1;
    if (page->total > page->rows.count)
        printf("%lld more; narrow with --agent\n", (long long)(page->total - page->rows.count));
    return 0;
}

static int print_ids(const struct metrics_page *page)
{
    struct list rest = page->rows;
    struct metrics_row row;
    while (list_next(&rest, &message_metrics_row, &row))
        print_line("%s", row.sandbox_id);
    return 0;
}

int cmd_metrics(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct question question = {PART_MONITOR, "metrics_query", &message_metrics_query,
                                             &message_metrics_page, CONNECT_ASK_MS};
    const char *agent = "";
    const struct option options[] = {
        {"agent", 0, "NAME", option_text, &agent, "Only this agent's."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;

    SCOPED(connect_close) struct connect connect = {0};
    struct metrics_query request = {0};
    struct metrics_page page;
    if (!text_copy(request.agent, sizeof request.agent, agent))
        return err_set(err, ERR_INVALID, "--agent: more than 64 bytes");
    if (connect_open(cli, &connect, err) || connect_ask(&connect, &question, &request, &page, err))
        return -1;
    if (cli->json)
        return print_json(&message_metrics_page, &page, err);
    return cli->quiet ? print_ids(&page) : print_page(cli, &page, err);
}
