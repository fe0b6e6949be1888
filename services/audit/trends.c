/* trends.c - how operations ended over time; see trends.h. */
#include "audit/trends.h"

#include "audit/ask.h"
#include "audit/counts.h"
#include "base/clock.h"
#include "base/scope.h"

#include <string.h>

enum { HOUR_S = 60 * 60, DAY_S = 24 * HOUR_S, HOURLY_DEFAULT = 1, DAILY_DEFAULT = 14 };

/* What is asked, and of when. */
struct window {
    struct db *db;
    const struct logs_scope *scope;
    const struct audit_trends *in;
    int64_t part_ns, since_ns, until_ns;
};

/* The rows in question. By an index of the agent or tenant, otherwise by time. */
static void say_rows(struct ask *q, const struct window *w)
{
    bool has_index = false;
    ask_say(q, " FROM event WHERE +phase = 'result'");
    ask_equal(q, "agent", w->in->agent, &has_index);
    ask_equal(q, "tenant", w->in->tenant, &has_index);
    ask_scope(q, w->scope, &has_index);
    ask_number(q, has_index ? " AND +time_ns >= " : " AND time_ns >= ", w->since_ns);
    ask_number(q, has_index ? " AND +time_ns < " : " AND time_ns < ", w->until_ns);
}

static void count_status(struct trend_part *part, const char *status, int64_t count)
{
    const struct {
        const char *status;
        int64_t *to;
    } rows[] = {{"success", &part->success},
                {"failure", &part->failure},
                {"timeout", &part->timeout},
                {"denied", &part->denied},
                {"cancelled", &part->cancelled}};
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!strcmp(rows[i].status, status))
            *rows[i].to += count;
}

static int add_part(struct trend_part *part, struct bytes *room, struct list *list, struct err *err)
{
    return part->start_ns >= 0 ? list_add(room, list, &message_trend_part, part, err) : 0;
}

static int list_parts(const struct window *w, struct bytes *room, struct list *list,
                      struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    SCOPED(ask_close) struct ask q = ask_open(err);
    struct trend_part part = {.start_ns = -1}; /* none yet */
    int got;
    ask_number(&q, "SELECT time_ns / ", w->part_ns);
    ask_say(&q, " AS part, status, count(*)");
    say_rows(&q, w);
    ask_say(&q, " AND status IS NOT NULL GROUP BY part, status ORDER BY part");
    if (ask_prepare(&q, w->db, &s))
        return -1;
    while ((got = stmt_step(s, err)) == 1) {
        int64_t start_ns = stmt_int(s, 0) * w->part_ns;
        if (start_ns != part.start_ns) {
            if (add_part(&part, room, list, err))
                return -1;
            part = (struct trend_part){.start_ns = start_ns};
        }
        count_status(&part, stmt_text(s, 1), stmt_int(s, 2));
    }
    return got < 0 || add_part(&part, room, list, err) ? -1 : 0;
}

static int list_rules(const struct window *w, struct bytes *room, struct list *list,
                      struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    SCOPED(ask_close) struct ask q = ask_open(err);
    struct counts rules = {0};
    int got;
    ask_say(&q, "SELECT ifnull(rule, '(none)'), count(*) AS many");
    say_rows(&q, w);
    ask_say(&q, " AND +status = 'denied' GROUP BY rule ORDER BY many DESC");
    if (ask_prepare(&q, w->db, &s))
        return -1;
    while ((got = stmt_step(s, err)) == 1)
        counts_add(&rules, stmt_text(s, 0), stmt_int(s, 1));
    return got < 0 || counts_list(&rules, 32, room, list, err) ? -1 : 0;
}

static void say_durations(struct ask *q, const struct window *w)
{
    say_rows(q, w);
    ask_say(q, " AND +kind = 'command_execute' AND duration_ms IS NOT NULL");
}

static int count_durations(const struct window *w, int64_t *count, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    SCOPED(ask_close) struct ask q = ask_open(err);
    ask_say(&q, "SELECT count(*)");
    say_durations(&q, w);
    if (ask_prepare(&q, w->db, &s) || stmt_step(s, err) != 1)
        return -1;
    *count = stmt_int(s, 0);
    return 0;
}

/* The n-th of the sorted durations is read on the way through them, n from 1. */
static int read_quantiles(const struct window *w, struct record_trends *out, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    SCOPED(ask_close) struct ask q = ask_open(err);
    const struct {
        const char *field;
        int64_t percent;
        int64_t *to;
    } rows[] = {
        {"p50_ms", 50, &out->p50_ms}, {"p95_ms", 95, &out->p95_ms}, {"p99_ms", 99, &out->p99_ms}};
    if (count_durations(w, &out->commands, err))
        return -1;
    ask_say(&q, "SELECT duration_ms");
    say_durations(&q, w);
    ask_say(&q, " ORDER BY duration_ms");
    if (ask_prepare(&q, w->db, &s))
        return -1;
    int got;
    size_t next = 0;
    for (int64_t n = 1; (got = stmt_step(s, err)) == 1; n++)
        for (; next < COUNT(rows) && n * 100 >= out->commands * rows[next].percent; next++) {
            *rows[next].to = stmt_int(s, 0);
            schema_mark(&message_record_trends, out, rows[next].field);
        }
    return got;
}

int trends_of(struct db *db, const struct logs_scope *scope, const struct audit_trends *in,
              int64_t now_ns, struct bytes rooms[TRENDS_ROOMS], struct record_trends *out,
              struct err *err)
{
    bool hourly = !strcmp(in->by, "hour");
    int64_t days = in->days ? in->days : hourly ? HOURLY_DEFAULT : DAILY_DEFAULT;
    if (hourly && days > TRENDS_HOURLY_DAYS)
        return err_set(err, ERR_INVALID, "audit_trends.days: by hour at most %d",
                       TRENDS_HOURLY_DAYS);
    int64_t part_ns = (int64_t)(hourly ? HOUR_S : DAY_S) * S_NS;
    int64_t parts = hourly ? days * (DAY_S / HOUR_S) : days;
    int64_t first = now_ns / part_ns - parts + 1;
    struct window w = {db, scope, in, part_ns, first > 0 ? first * part_ns : 0, now_ns};
    struct record_trends result = {.since_ns = w.since_ns, .until_ns = w.until_ns};
    if (list_parts(&w, &rooms[0], &result.parts, err) ||
        list_rules(&w, &rooms[1], &result.denials_by_rule, err) || read_quantiles(&w, &result, err))
        return -1;
    *out = result;
    return 0;
}
