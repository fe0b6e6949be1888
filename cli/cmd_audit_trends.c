/* corral audit trends: how operations ended over time. */
#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/audit.h"
#include "cli/print.h"
#include "cli/units.h"

#include <stdio.h>
#include <string.h>

enum { BAR_CELLS = 30, BAR_BYTES = 4 * BAR_CELLS + 1, PARTS_MAX = 367 };

static int64_t failed_of(const struct trend_part *p)
{
    return p->failure + p->timeout + p->cancelled;
}

static int64_t total_of(const struct trend_part *p)
{
    return p->success + failed_of(p) + p->denied;
}

/* Adds as many signs as `count` is of `most`, at least one for what is there at all. */
static void add_signs(char to[BAR_BYTES], const char *sign, int64_t count, int64_t most)
{
    double cells = (double)count * BAR_CELLS / (double)most;
    size_t signs = count ? (size_t)cells + (cells < 1) : 0, len = strlen(to);
    for (; signs && len + strlen(sign) < BAR_BYTES; signs--, len += strlen(sign))
        memcpy(to + len, sign, strlen(sign) + 1);
}

static int add_part(struct table *t, const struct trend_part *p, int64_t most, struct err *err)
{
    char start[32], bar[BAR_BYTES] = "";
    clock_show(start, p->start_ns);
    start[strlen("2026-01-31T12:00")] = 0;
    add_signs(bar, "█", p->success, most);
    add_signs(bar, "▒", failed_of(p), most);
    add_signs(bar, "×", p->denied, most);
    return table_cell(t, PLAIN, err, "%s", start) ||
                   table_cell(t, PLAIN, err, "%lld", (long long)p->success) ||
                   table_cell(t, failed_of(p) ? YELLOW : PLAIN, err, "%lld",
                              (long long)failed_of(p)) ||
                   table_cell(t, p->denied ? RED : PLAIN, err, "%lld", (long long)p->denied) ||
                   table_cell(t, DIM, err, "%s", bar)
               ? -1
               : 0;
}

static int64_t most_of(struct list parts)
{
    struct trend_part part;
    int64_t most = 1;
    while (list_next(&parts, &message_trend_part, &part))
        if (total_of(&part) > most)
            most = total_of(&part);
    return most;
}

/* Parts in which nothing ended have a row as well. */
static int print_parts(const struct cli *cli, const struct record_trends *trends, int64_t part_ns,
                       struct err *err)
{
    static const struct column columns[] = {{.name = "FROM (UTC)"},
                                            {.name = "SUCCESS", .right = true},
                                            {.name = "FAILED", .right = true},
                                            {.name = "DENIED", .right = true},
                                            {.name = "█ SUCCESS ▒ FAILED × DENIED"}};
    SCOPED(table_close) struct table table = table_open(columns, COUNT(columns));
    struct list rest = trends->parts;
    struct trend_part part;
    int64_t most = most_of(rest), rows = 0;
    bool there = list_next(&rest, &message_trend_part, &part);
    for (int64_t at = trends->since_ns; at < trends->until_ns && rows < PARTS_MAX;
         at += part_ns, rows++) {
        const struct trend_part empty = {.start_ns = at};
        bool is_this = there && part.start_ns == at;
        if (add_part(&table, is_this ? &part : &empty, most, err))
            return -1;
        if (is_this)
            there = list_next(&rest, &message_trend_part, &part);
    }
    return print_table(cli, &table, err);
}

static void print_durations(const struct record_trends *t)
{
    char p50[UNITS_SHOWN_BYTES], p95[UNITS_SHOWN_BYTES], p99[UNITS_SHOWN_BYTES];
    if (!t->commands)
        return;
    units_show_ms(p50, t->p50_ms);
    units_show_ms(p95, t->p95_ms);
    units_show_ms(p99, t->p99_ms);
    putchar('\n');
    print_line("%lld commands took: p50 %s, p95 %s, p99 %s", (long long)t->commands, p50, p95, p99);
}

int audit_trends(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct question question = {PART_AUDIT, "audit_trends", &message_audit_trends,
                                             &message_record_trends, CONNECT_ASK_MS};
    struct audit_trends request = {0};
    struct record_trends answer;
    const char *by = "hour", *agent = NULL, *tenant = NULL;
    const struct option options[] = {
        {"by", 0, "hour|day", option_text, &by, "How long a part is; hour by default."},
        {"days", 0, "N", units_count, &request.days,
         "How far back; 1 by hour (14 at most), 14 by day."},
        {"agent", 0, "NAME", option_text, &agent, "Only this agent's."},
        {"tenant", 0, "T", option_text, &tenant, "Only this tenant's."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    SCOPED(connect_close) struct connect connect = {0};
    if (strcmp(by, "hour") != 0 && strcmp(by, "day") != 0)
        return err_set(err, ERR_INVALID, "--by: hour or day");
    if (audit_fill(request.by, sizeof request.by, "--by", by, err) ||
        audit_fill(request.agent, sizeof request.agent, "--agent", agent, err) ||
        audit_fill(request.tenant, sizeof request.tenant, "--tenant", tenant, err) ||
        connect_open(cli, &connect, err) ||
        connect_ask(&connect, &question, &request, &answer, err))
        return -1;
    if (cli->json)
        return print_json(&message_record_trends, &answer, err);
    if (cli->quiet)
        return 0;
    int64_t part_ns = (int64_t)(strcmp(by, "day") ? 1 : 24) * 60 * 60 * S_NS;
    if (print_parts(cli, &answer, part_ns, err) ||
        audit_print_counts(cli, "DENIED BY", answer.denials_by_rule, err))
        return -1;
    print_durations(&answer);
    return 0;
}
