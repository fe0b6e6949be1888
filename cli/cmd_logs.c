/* corral logs: the audit's record. */
#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/connect.h"
#include "cli/print.h"
#include "cli/show.h"

#include <stdio.h>
#include <string.h>

/* The filters as they were written. */
struct filters {
    const char *agent, *sandbox, *operation, *status;
    struct logs_query query;
};

/* Copies a filter into its field; too long a text could match nothing. */
static int fill(char *to, size_t size, const char *name, const char *text, struct err *err)
{
    if (text && !text_copy(to, size, text))
        return err_set(err, ERR_INVALID, "--%s: more than %zu bytes", name, size - 1);
    return 0;
}

static int fill_query(struct filters *f, struct err *err)
{
    struct logs_query *q = &f->query;
    return fill(q->agent, sizeof q->agent, "agent", f->agent, err) ||
                   fill(q->sandbox_id, sizeof q->sandbox_id, "sandbox", f->sandbox, err) ||
                   fill(q->operation, sizeof q->operation, "operation", f->operation, err) ||
                   fill(q->status, sizeof q->status, "status", f->status, err)
               ? -1
               : 0;
}

/* What a person reads last: the command, why it ended, what decided. */
static int add_what(struct table *t, const struct log_row *row, struct err *err)
{
    char code[16] = "";
    if (schema_has(&message_log_row, row, "exit_code"))
        snprintf(code, sizeof code, "exit %d", (int)row->exit_code);
    const char *parts[] = {code, row->cause, row->rule, row->detail};
    SCOPED(bytes_close) struct bytes text = bytes_open(4096);
    if (bytes_addf(&text, err, "%.*s", (int)row->command.len, (const char *)row->command.data))
        return -1;
    for (size_t i = 0; i < COUNT(parts); i++)
        if (parts[i][0] && strcmp(parts[i], "exited") &&
            bytes_addf(&text, err, "%s%s", text.len ? "; " : "", parts[i]))
            return -1;
    return table_cell(t, PLAIN, err, "%.*s", (int)text.len, (const char *)text.data);
}

static int add_row(struct table *t, const struct log_row *row, struct err *err)
{
    char time[32], duration[UNITS_SHOWN_BYTES] = "";
    clock_show(time, row->time_ns);
    if (schema_has(&message_log_row, row, "duration_ms"))
        units_show_ms(duration, row->duration_ms);
    return table_cell(t, DIM, err, "%lld", (long long)row->gseq) ||
                   table_cell(t, PLAIN, err, "%s", time) ||
                   table_cell(t, PLAIN, err, "%s", row->kind) ||
                   table_cell(t, PLAIN, err, "%s", row->phase) ||
                   table_cell(t, show_status_colour(row->status), err, "%s", row->status) ||
                   table_cell(t, PLAIN, err, "%s", row->agent) ||
                   table_cell(t, PLAIN, err, "%s", row->sandbox_id) ||
                   table_cell(t, PLAIN, err, "%s", duration) || add_what(t, row, err)
               ? -1
               : 0;
}

static int print_page(const struct cli *cli, const struct logs_page *page, struct err *err)
{
    static const struct column columns[] = {
        {.name = "GSEQ", .right = true},
        {.name = "TIME"},
        {.name = "OPERATION"},
        {.name = "PHASE"},
        {.name = "STATUS"},
        {.name = "AGENT", .shrinks = true},
        {.name = "SANDBOX", .shrinks = true},
        {.name = "TOOK", .right = true},
        {.name = "WHAT", .shrinks = true},
    };
    SCOPED(table_close) struct table table = table_open(columns, COUNT(columns));
    struct list rest = page->rows;
    struct log_row row;
    printf("%sThe audit's record, newest first%s\n", screen_colour(&cli->screen, DIM),
           screen_plain(&cli->screen));
    while (list_next(&rest, &message_log_row, &row))
        if (add_row(&table, &row, err))
            return -1;
    if (print_table(cli, &table, err))
        return -1;
    if (page->next)
        printf("more: --cursor %lld\n", (long long)page->next);
    return 0;
}

static int print_ids(const struct logs_page *page)
{
    struct list rest = page->rows;
    struct log_row row;
    while (list_next(&rest, &message_log_row, &row))
        printf("%lld\n", (long long)row.gseq);
    return 0;
}

int cmd_logs(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct question question = {PART_AUDIT, "logs_query", &message_logs_query,
                                             &message_logs_page, CONNECT_ASK_MS};
    struct filters f = {0};
    const struct option options[] = {
        {"agent", 0, "NAME", option_text, &f.agent, "Only this agent's."},
        {"sandbox", 0, "ID", option_text, &f.sandbox, "Only this sandbox's, also a past one's."},
        {"operation", 0, "TYPE", option_text, &f.operation, "Such as command_execute."},
        {"status", 0, "STATUS", option_text, &f.status,
         "success, failure, timeout, denied or cancelled."},
        {"since", 0, "TIME", units_time_ns, &f.query.since_ns, "1h (ago), or RFC 3339."},
        {"until", 0, "TIME", units_time_ns, &f.query.until_ns, "Older than this."},
        {"limit", 0, "N", units_count, &f.query.limit, "Rows, up to 500; 50 by default."},
        {"cursor", 0, "N", units_count, &f.query.cursor, "The next page, as the last one said."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;

    SCOPED(connect_close) struct connect connect = {0};
    struct logs_page page;
    if (fill_query(&f, err) || connect_open(cli, &connect, err) ||
        connect_ask(&connect, &question, &f.query, &page, err))
        return -1;
    if (cli->json)
        return print_json(&message_logs_page, &page, err);
    return cli->quiet ? print_ids(&page) : print_page(cli, &page, err);
}
