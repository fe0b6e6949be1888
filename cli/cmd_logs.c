/* corral logs: the audit's record. */
#include "base/clock.h"
#include "base/scope.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/logs.h"
#include "cli/print.h"
#include "cli/show.h"

#include <stdio.h>
#include <string.h>

const struct question logs_question = {PART_AUDIT, "logs_query", &message_logs_query,
                                       &message_logs_page, CONNECT_ASK_MS};

/* The filters as they were written. */
struct filters {
    const char *agent, *sandbox, *operation, *status, *tenant, *principal, *cause, *rule, *op,
        *verdict;
    struct logs_query query;
    bool follow;
};

/* Copies the filters into their fields; too long a text could match nothing. */
static int fill_query(struct filters *f, struct err *err)
{
    struct logs_query *q = &f->query;
    const struct {
        const char *name, *text;
        char *to;
        size_t size;
    } rows[] = {{"agent", f->agent, q->agent, sizeof q->agent},
                {"sandbox", f->sandbox, q->sandbox_id, sizeof q->sandbox_id},
                {"operation", f->operation, q->operation, sizeof q->operation},
                {"status", f->status, q->status, sizeof q->status},
                {"tenant", f->tenant, q->tenant, sizeof q->tenant},
                {"principal", f->principal, q->principal, sizeof q->principal},
                {"cause", f->cause, q->cause, sizeof q->cause},
                {"rule", f->rule, q->rule, sizeof q->rule},
                {"op", f->op, q->op_id, sizeof q->op_id},
                {"verdict", f->verdict, q->verdict_id, sizeof q->verdict_id}};
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].text && !text_copy(rows[i].to, rows[i].size, rows[i].text))
            return err_set(err, ERR_INVALID, "--%s: more than %zu bytes", rows[i].name,
                           rows[i].size - 1);
    if (f->follow && (q->limit || q->cursor || q->until_ns))
        return err_set(err, ERR_INVALID,
                       "--follow has no end: it does not go with --limit, --cursor or --until");
    return 0;
}

int logs_what(const struct log_row *row, struct bytes *to, struct err *err)
{
    char code[16] = "";
    if (schema_has(&message_log_row, row, "exit_code"))
        snprintf(code, sizeof code, "exit %d", (int)row->exit_code);
    const char *parts[] = {code, row->cause, row->rule, row->detail};
    if (bytes_addf(to, err, "%.*s", (int)row->command.len, (const char *)row->command.data))
        return -1;
    for (size_t i = 0; i < COUNT(parts); i++)
        if (parts[i][0] && strcmp(parts[i], "exited") &&
            bytes_addf(to, err, "%s%s", to->len ? "; " : "", parts[i]))
            return -1;
    return 0;
}

static int add_what(struct table *t, const struct log_row *row, struct err *err)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(4096);
    if (logs_what(row, &text, err))
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

/* What the record does not have. */
static int describe(struct err *err)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(65536);
    if (bytes_addf(&text, err,
                   "# Secrets\nPrinted by `corral logs --describe`. Each service replaces these by "
                   "`[redacted:KIND:LEN:HASH]` before anything is stored: kind, bytes, and 8 hex "
                   "digits of a hash with that service's own key, so that the same secret is "
                   "recognised and cannot be guessed.\n\n") ||
        secret_describe(&text, err))
        return -1;
    fwrite(text.data, 1, text.len, stdout);
    return 0;
}

int cmd_logs(struct cli *cli, int argc, char **argv, struct err *err)
{
    struct filters f = {0};
    bool reference = false;
    const struct option options[] = {
        {"agent", 0, "NAME", option_text, &f.agent, "Only this agent's."},
        {"sandbox", 0, "ID", option_text, &f.sandbox, "Only this sandbox's, also a past one's."},
        {"operation", 0, "TYPE", option_text, &f.operation, "Such as command_execute."},
        {"status", 0, "STATUS", option_text, &f.status,
         "success, failure, timeout, denied or cancelled."},
        {"tenant", 0, "NAME", option_text, &f.tenant, "Only this tenant's."},
        {"principal", 0, "NAME", option_text, &f.principal, "Only what this principal asked for."},
        {"cause", 0, "CAUSE", option_text, &f.cause, "Such as timeout, oom or exited."},
        {"rule", 0, "RULE", option_text, &f.rule, "Only what this rule or threshold decided."},
        {"op", 0, "ID", option_text, &f.op, "Only this operation's intent and result."},
        {"verdict", 0, "ID", option_text, &f.verdict, "Only what this verdict was about."},
        {"since", 0, "TIME", units_time_ns, &f.query.since_ns, "1h (ago), or RFC 3339."},
        {"until", 0, "TIME", units_time_ns, &f.query.until_ns, "Older than this."},
        {"limit", 0, "N", units_count, &f.query.limit, "Rows, up to 500; 50 by default."},
        {"cursor", 0, "N", units_count, &f.query.cursor, "The next page, as the last one said."},
        {"follow", 'f', NULL, option_flag, &f.follow,
         "Goes on with what comes from now on, oldest first; -o json: JSON Lines."},
        {"describe", 0, NULL, option_flag, &reference,
         "Print docs/SECRETS.md: what is replaced before it is recorded."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    if (reference)
        return command_refuses_json(cli, err) ? -1 : describe(err);

    SCOPED(connect_close) struct connect connect = {0};
    struct logs_page page;
    if (fill_query(&f, err) || connect_open(cli, &connect, err))
        return -1;
    if (f.follow)
        return logs_follow(&connect, &f.query, err);
    if (connect_ask(&connect, &logs_question, &f.query, &page, err))
        return -1;
    if (cli->json)
        return print_json(&message_logs_page, &page, err);
    return cli->quiet ? print_ids(&page) : print_page(cli, &page, err);
}
