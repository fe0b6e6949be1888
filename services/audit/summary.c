/* summary.c - what an agent did; see summary.h.
 *
 * One pass over the agent's rows, by the index of the agent, gives a row for each type and status;
 * the rest is adding up. Sums are SQLite's total(): sum() fails where it overflows, and a source
 * may write what it likes. A command counts as measured when its record has CPU time or memory.
 */
#include "audit/summary.h"

#include "audit/ask.h"
#include "audit/counts.h"
#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"

#include <string.h>

enum { DAY_S = 24 * 60 * 60, MIB = 1024 * 1024 };

/* Sums over all groups. */
struct sums {
    double duration_ms, cpu_ms, cpu_of_ms, memory_bytes, memory_max_bytes;
    int64_t measured, with_memory;
};

static void say_question(struct ask *q, const struct logs_scope *scope,
                         const struct audit_summary *in, int64_t since_ns)
{
    bool has_index = false;
    ask_say(q, "SELECT kind, ifnull(status, ''), count(*), total(duration_ms),"
               " total(cpu_ms) FILTER (WHERE is_command),"
               " total(duration_ms) FILTER (WHERE is_command AND is_measured),"
               " total(memory_peak_bytes) FILTER (WHERE is_command),"
               " ifnull(max(memory_peak_bytes) FILTER (WHERE is_command), 0),"
               " count(*) FILTER (WHERE is_command AND is_measured),"
               " count(memory_peak_bytes) FILTER (WHERE is_command)"
               " FROM (SELECT *, kind = 'command_execute' AS is_command,"
               " cpu_ms IS NOT NULL OR memory_peak_bytes IS NOT NULL AS is_measured FROM event)"
               " WHERE phase <> 'intent'");
    ask_equal(q, "agent", in->agent, &has_index);
    ask_equal(q, "tenant", in->tenant, &has_index);
    ask_scope(q, scope, &has_index);
    ask_number(q, " AND +time_ns >= ", since_ns);
    ask_say(q, " GROUP BY kind, status");
}

static int64_t whole(double number)
{
    return number >= (double)INT64_MAX ? INT64_MAX : (int64_t)number;
}

static void add_group(struct stmt *s, struct agent_summary *out, struct counts *types,
                      struct counts *statuses, struct sums *sums)
{
    const char *status = stmt_text(s, 1);
    int64_t count = stmt_int(s, 2);
    out->total_operations += count;
    if (!strcmp(status, "failure") || !strcmp(status, "timeout"))
        out->error_count += count;
    if (*status)
        counts_add(statuses, status, count);
    counts_add(types, stmt_text(s, 0), count);
    sums->duration_ms += stmt_real(s, 3);
    sums->cpu_ms += stmt_real(s, 4);
    sums->cpu_of_ms += stmt_real(s, 5);
    sums->memory_bytes += stmt_real(s, 6);
    if (sums->memory_max_bytes < stmt_real(s, 7))
        sums->memory_max_bytes = stmt_real(s, 7);
    sums->measured += stmt_int(s, 8);
    sums->with_memory += stmt_int(s, 9);
}

/* A value that no machine could have reached is cut at the field's bound, not refused. */
static double within(double value, double most)
{
    return value < most ? value : most;
}

static struct usage_summary usage_of(const struct sums *sums)
{
    const double percent_max = 1e9, mb_max = 9e12;
    struct usage_summary u = {.commands = sums->measured};
    if (sums->cpu_of_ms > 0) {
        u.avg_cpu_percent = within(100 * sums->cpu_ms / sums->cpu_of_ms, percent_max);
        schema_mark(&message_usage_summary, &u, "avg_cpu_percent");
    }
    if (sums->with_memory) {
        u.avg_memory_mb = within(sums->memory_bytes / (double)sums->with_memory / MIB, mb_max);
        u.max_memory_mb = within(sums->memory_max_bytes / MIB, mb_max);
        schema_mark(&message_usage_summary, &u, "avg_memory_mb");
        schema_mark(&message_usage_summary, &u, "max_memory_mb");
    }
    return u;
}

int summary_of(struct db *db, const struct logs_scope *scope, const struct audit_summary *in,
               int64_t now_ns, struct bytes rooms[SUMMARY_ROOMS], struct agent_summary *out,
               struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    SCOPED(ask_close) struct ask q = ask_open(err);
    struct counts types = {0}, statuses = {0};
    struct sums sums = {0};
    struct agent_summary result = {0};
    int got;
    int64_t span_ns = (in->days ? in->days : SUMMARY_DAYS) * DAY_S * S_NS;
    result.since_ns = now_ns > span_ns ? now_ns - span_ns : 0;
    text_copy(result.agent, sizeof result.agent, in->agent);
    say_question(&q, scope, in, result.since_ns);
    if (ask_prepare(&q, db, &s))
        return -1;
    while ((got = stmt_step(s, err)) == 1)
        add_group(s, &result, &types, &statuses, &sums);
    if (got < 0 || counts_list(&types, 128, &rooms[0], &result.operations_by_type, err) ||
        counts_list(&statuses, 8, &rooms[1], &result.operations_by_status, err))
        return -1;
    result.total_duration_ms = whole(sums.duration_ms);
    result.resource_usage_summary = usage_of(&sums);
    *out = result;
    return 0;
}
