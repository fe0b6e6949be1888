/* How operations ended over time. */
#include "tests/unit/audit/desk.h"

#include "audit/trends.h"
#include "base/clock.h"
#include "data/pack.h"

static const int64_t hour_ns = (int64_t)60 * 60 * S_NS;

struct answered {
    struct record_trends trends;
    struct bytes rooms[TRENDS_ROOMS];
};

static void answered_close(struct answered *a)
{
    for (int i = 0; i < TRENDS_ROOMS; i++)
        bytes_close(&a->rooms[i]);
}

static struct answered ask(struct desk *d, struct logs_scope scope, const struct audit_trends *in,
                           int64_t now_ns)
{
    struct err err;
    struct answered a = {.rooms = {bytes_open(65536), bytes_open(65536)}};
    if (trends_of(d->reader, &scope, in, now_ns, a.rooms, &a.trends, &err))
        fail_msg("trends_of: %s", err.text);
    SCOPED(bytes_close) struct bytes frame = bytes_open(65536);
    if (schema_encode(&message_record_trends, &a.trends, &frame, &err))
        fail_msg("record_trends: %s", err.text);
    return a;
}

/* A result of the agent coder of tenant red. */
static void write_at(struct desk *d, int64_t wall_ns, const char *status, const char *rule,
                     int64_t duration_ms)
{
    struct err err;
    struct event event = {.kind = "command_execute",
                          .phase = "result",
                          .tenant = "red",
                          .agent = "coder",
                          .duration_ms = duration_ms};
    SCOPED(bytes_close) struct bytes payload;
    SCOPED(batch_free) struct batch *batch = NULL;
    text_copy(event.status, sizeof event.status, status);
    text_copy(event.rule, sizeof event.rule, rule);
    pack_event(&event, &payload);
    assert_int_equal(batch_new(&batch, &err), 0);
    batch_put(batch, 1, ++d->seq, RECORD_EVENT, bytes_view(&payload));
    batch->entries[0].wall_ns = wall_ns;
    assert_int_equal(store_write(d->store, batch, &err), 0);
}

/* Parts as "hour:success/failure/timeout/denied/cancelled". */
static const char *parts(struct list rest, char to[1024])
{
    struct trend_part p;
    int n = 0;
    to[0] = 0;
    while (list_next(&rest, &message_trend_part, &p))
        n += snprintf(to + n, 1024 - (size_t)n, "%s%lld:%lld/%lld/%lld/%lld/%lld", n ? " " : "",
                      (long long)(p.start_ns / hour_ns), (long long)p.success, (long long)p.failure,
                      (long long)p.timeout, (long long)p.denied, (long long)p.cancelled);
    return to;
}

static void results_fall_into_the_hour_or_day_in_which_they_were_written(void **state)
{
    struct desk *d = *state;
    char shown[1024];
    write_at(d, 47 * hour_ns, "success", "", 1);
    write_at(d, 49 * hour_ns, "success", "", 1);
    write_at(d, 50 * hour_ns - 1, "failure", "", 1);
    write_at(d, 50 * hour_ns, "denied", "fs.rm", 0);
    write_at(d, 72 * hour_ns + 1, "timeout", "", 1);
    write_at(d, 72 * hour_ns + 2, "cancelled", "", 1);
    write_at(d, 72 * hour_ns + 9, "success", "", 1); /* later than now */
    const int64_t now_ns = 72 * hour_ns + 5;
    SCOPED(answered_close)
    struct answered hours = ask(d, admin(), &(struct audit_trends){.by = "hour"}, now_ns);
    assert_string_equal(parts(hours.trends.parts, shown), "49:1/1/0/0/0 50:0/0/0/1/0 72:0/0/1/0/1");
    assert_int_equal(hours.trends.since_ns, 49 * hour_ns);
    SCOPED(answered_close)
    struct answered days = ask(d, admin(), &(struct audit_trends){.by = "day", .days = 3}, now_ns);
    assert_string_equal(parts(days.trends.parts, shown), "24:1/0/0/0/0 48:1/1/0/1/0 72:0/0/1/0/1");
}

static void counts_an_operation_once(void **state)
{
    struct desk *d = *state;
    char shown[1024];
    struct counted row;
    write_one(d, &(struct event){.kind = "command_execute", .phase = "intent", .agent = "coder"});
    write_one(d, &(struct event){.kind = "guardian_denial",
                                 .phase = "event",
                                 .status = "denied",
                                 .agent = "coder",
                                 .rule = "fs.rm"});
    write_at(d, 1, "denied", "fs.rm", 0);
    write_at(d, 1, "denied", "", 0);
    write_at(d, 1, "denied", "fs.rm", 0);
    SCOPED(answered_close)
    struct answered a = ask(d, admin(), &(struct audit_trends){.by = "hour"}, 2000);
    assert_string_equal(parts(a.trends.parts, shown), "0:0/0/0/3/0");
    struct list rules = a.trends.denials_by_rule;
    assert_true(list_next(&rules, &message_counted, &row));
    assert_string_equal(row.name, "fs.rm");
    assert_int_equal(row.count, 2);
    assert_true(list_next(&rules, &message_counted, &row));
    assert_string_equal(row.name, "(none)");
    assert_false(list_next(&rules, &message_counted, &row));
}

static void quantiles_are_of_what_was_measured(void **state)
{
    struct desk *d = *state;
    const struct audit_trends hours = {.by = "hour"};
    SCOPED(answered_close) struct answered none = ask(d, admin(), &hours, 2000);
    assert_false(schema_has(&message_record_trends, &none.trends, "p50_ms"));
    write_at(d, 1, "success", "", 7);
    SCOPED(answered_close) struct answered one = ask(d, admin(), &hours, 2000);
    assert_true(one.trends.p50_ms == 7 && one.trends.p95_ms == 7 && one.trends.p99_ms == 7);
    for (int i = 100; i > 0; i--)
        if (i != 7)
            write_at(d, 1, "success", "", i);
    write_at(d, 1, "denied", "fs.rm", 0); /* has no duration */
    SCOPED(answered_close) struct answered all = ask(d, admin(), &hours, 2000);
    assert_int_equal(all.trends.commands, 100);
    assert_int_equal(all.trends.p50_ms, 50);
    assert_int_equal(all.trends.p95_ms, 95);
    assert_int_equal(all.trends.p99_ms, 99);
}

static void shows_each_caller_its_own_part(void **state)
{
    struct desk *d = *state;
    char shown[1024];
    const struct audit_trends hours = {.by = "hour"};
    write_six(d);
    const struct {
        struct logs_scope scope;
        const char *agent, *tenant, *parts;
    } rows[] = {{admin(), "", "", "0:4/1/0/1/0"},
                {admin(), "coder", "", "0:1/1/0/1/0"},
                {admin(), "", "blue", "0:0/1/0/0/0"},
                {tenant_of("red"), "", "", "0:3/0/0/1/0"},
                {tenant_of("red"), "", "blue", ""},
                {agent_of("red", "coder2", ""), "", "", "0:1/0/0/0/0"},
                {agent_of("red", "coder2", ""), "coder", "", ""},
                {agent_of("green", "*", ""), "", "", ""}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct audit_trends in = hours;
        text_copy(in.agent, sizeof in.agent, rows[i].agent);
        text_copy(in.tenant, sizeof in.tenant, rows[i].tenant);
        SCOPED(answered_close) struct answered a = ask(d, rows[i].scope, &in, 2000);
        assert_string_equal(parts(a.trends.parts, shown), rows[i].parts);
    }
}

static void an_answer_with_every_part_fits_a_frame(void **state)
{
    struct desk *d = *state;
    static const char *const statuses[] = {"success", "failure", "timeout", "denied", "cancelled"};
    const int64_t parts_count = 366;
    for (int64_t day = 0; day < parts_count; day++)
        for (size_t i = 0; i < COUNT(statuses); i++)
            write_at(d, day * 24 * hour_ns, statuses[i], "fs.rm", 1);
    SCOPED(answered_close)
    struct answered a = ask(d, admin(), &(struct audit_trends){.by = "day", .days = parts_count},
                            (parts_count - 1) * 24 * hour_ns + 1);
    struct err err;
    struct record_trends again;
    SCOPED(bytes_close) struct bytes frame = bytes_open(FRAME_MAX_BYTES);
    assert_int_equal(a.trends.parts.count, parts_count);
    assert_int_equal(schema_encode(&message_record_trends, &a.trends, &frame, &err), 0);
    if (schema_decode(&message_record_trends, bytes_view(&frame), SCHEMA_STRICT, &again, &err))
        fail_msg("%s", err.text);
}

static void too_many_hours_are_refused(void **state)
{
    struct desk *d = *state;
    struct err err;
    struct record_trends out;
    struct logs_scope scope = admin();
    struct bytes rooms[TRENDS_ROOMS] = {0};
    const struct audit_trends in = {.by = "hour", .days = TRENDS_HOURLY_DAYS + 1};
    assert_int_equal(trends_of(d->reader, &scope, &in, 1, rooms, &out, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_setup, desk_teardown)
    const struct CMUnitTest tests[] = {
        TEST(results_fall_into_the_hour_or_day_in_which_they_were_written),
        TEST(counts_an_operation_once),
        TEST(quantiles_are_of_what_was_measured),
        TEST(shows_each_caller_its_own_part),
        TEST(an_answer_with_every_part_fits_a_frame),
        TEST(too_many_hours_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
