/* What an agent did. */
#include "tests/unit/audit/desk.h"

#include "audit/summary.h"
#include "base/clock.h"

static const int64_t now_ns = 2000; /* records are written at 1001, 1002, … */

/* An answer and what its lists point into. */
struct answered {
    struct agent_summary summary;
    struct bytes rooms[SUMMARY_ROOMS];
};

static void answered_close(struct answered *a)
{
    for (int i = 0; i < SUMMARY_ROOMS; i++)
        bytes_close(&a->rooms[i]);
}

static struct answered ask(struct desk *d, struct logs_scope scope, const struct audit_summary *in,
                           int64_t at_ns)
{
    struct err err;
    struct answered a = {.rooms = {bytes_open(65536), bytes_open(65536)}};
    if (summary_of(d->reader, &scope, in, at_ns, a.rooms, &a.summary, &err))
        fail_msg("summary_of: %s", err.text);
    SCOPED(bytes_close) struct bytes frame = bytes_open(65536); /* within every bound */
    if (schema_encode(&message_agent_summary, &a.summary, &frame, &err))
        fail_msg("agent_summary: %s", err.text);
    return a;
}

/* "name 2, other 1". */
static const char *show(struct list counts, char to[1024])
{
    struct counted row;
    int n = 0;
    to[0] = 0;
    while (list_next(&counts, &message_counted, &row))
        n += snprintf(to + n, 1024 - (size_t)n, "%s%s %lld", n ? ", " : "", row.name,
                      (long long)row.count);
    return to;
}

static void write_command(struct desk *d, const char *status, int64_t ms, int64_t cpu_ms,
                          int64_t memory_bytes)
{
    struct event event = {.kind = "command_execute",
                          .phase = "result",
                          .tenant = "red",
                          .agent = "coder",
                          .duration_ms = ms,
                          .cpu_ms = cpu_ms,
                          .memory_peak_bytes = memory_bytes};
    text_copy(event.status, sizeof event.status, status);
    write_one(d, &event);
}

static void counts_what_is_no_intent(void **state)
{
    struct desk *d = *state;
    char shown[1024];
    write_one(d, &(struct event){.kind = "command_execute", .phase = "intent", .agent = "coder"});
    write_command(d, "success", 100, 50, 4 << 20);
    write_command(d, "failure", 300, 50, 8 << 20);
    write_command(d, "timeout", 1000, 0, 0); /* of which nothing was measured */
    write_command(d, "denied", 0, 0, 0);
    write_one(d, &(struct event){.kind = "kill_switch", .phase = "event", .agent = "coder"});
    write_one(d, &(struct event){.kind = "kill_switch", .phase = "event", .agent = "coder2"});
    SCOPED(answered_close)
    struct answered a = ask(d, admin(), &(struct audit_summary){.agent = "coder"}, now_ns);
    struct usage_summary *u = &a.summary.resource_usage_summary;
    assert_string_equal(a.summary.agent, "coder");
    assert_int_equal(a.summary.total_operations, 5);
    assert_int_equal(a.summary.error_count, 2);
    assert_int_equal(a.summary.total_duration_ms, 1400);
    assert_string_equal(show(a.summary.operations_by_type, shown),
                        "command_execute 4, kill_switch 1");
    assert_string_equal(show(a.summary.operations_by_status, shown),
                        "denied 1, failure 1, success 1, timeout 1");
    assert_int_equal(u->commands, 2);
    assert_true(u->avg_cpu_percent == 25 && u->avg_memory_mb == 6 && u->max_memory_mb == 8);
}

static void says_nothing_of_use_where_nothing_was_measured(void **state)
{
    struct desk *d = *state;
    write_command(d, "denied", 0, 0, 0);
    SCOPED(answered_close)
    struct answered a = ask(d, admin(), &(struct audit_summary){.agent = "coder"}, now_ns);
    struct usage_summary *u = &a.summary.resource_usage_summary;
    assert_int_equal(a.summary.total_operations, 1);
    assert_false(schema_has(&message_usage_summary, u, "avg_cpu_percent"));
    assert_false(schema_has(&message_usage_summary, u, "max_memory_mb"));
}

static void looks_back_so_many_days(void **state)
{
    struct desk *d = *state;
    const int64_t day_ns = (int64_t)24 * 60 * 60 * S_NS;
    write_command(d, "success", 1, 0, 0); /* at 1001 */
    write_command(d, "success", 1, 0, 0); /* at 1002 */
    const struct audit_summary two_days = {.agent = "coder", .days = 2};
    SCOPED(answered_close) struct answered both = ask(d, admin(), &two_days, 1001 + 2 * day_ns);
    SCOPED(answered_close) struct answered one = ask(d, admin(), &two_days, 1002 + 2 * day_ns);
    SCOPED(answered_close) struct answered none = ask(d, admin(), &two_days, 1003 + 2 * day_ns);
    assert_int_equal(both.summary.total_operations, 2);
    assert_int_equal(one.summary.total_operations, 1);
    assert_int_equal(one.summary.since_ns, 1002);
    assert_int_equal(none.summary.total_operations, 0);
    const struct audit_summary plain = {.agent = "coder"};
    SCOPED(answered_close)
    struct answered usual = ask(d, admin(), &plain, 1002 + SUMMARY_DAYS * day_ns);
    assert_int_equal(usual.summary.total_operations, 1);
}

static void an_agent_of_others_is_as_one_that_never_was(void **state)
{
    struct desk *d = *state;
    write_six(d);
    const struct {
        struct logs_scope scope;
        const char *agent, *tenant;
        int64_t operations;
    } rows[] = {{admin(), "coder", "", 3},
                {admin(), "coder", "blue", 1},
                {tenant_of("red"), "coder", "", 2},
                {tenant_of("red"), "coder", "blue", 0},
                {agent_of("red", "coder2", ""), "coder2", "", 1},
                {agent_of("red", "coder2", ""), "coder", "", 0},
                {agent_of("red", "cod*", ""), "coder", "", 2},
                {agent_of("green", "*", ""), "coder", "", 0},
                {admin(), "nobody", "", 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct audit_summary in = {.days = 1};
        text_copy(in.agent, sizeof in.agent, rows[i].agent);
        text_copy(in.tenant, sizeof in.tenant, rows[i].tenant);
        SCOPED(answered_close) struct answered a = ask(d, rows[i].scope, &in, now_ns);
        assert_int_equal(a.summary.total_operations, rows[i].operations);
    }
}

static void numbers_that_no_machine_has_do_not_break_it(void **state)
{
    struct desk *d = *state;
    for (int i = 0; i < 3; i++)
        write_command(d, "success", INT64_MAX, INT64_MAX, INT64_MAX);
    write_command(d, "success", 0, INT64_MAX, 1);
    SCOPED(answered_close)
    struct answered a = ask(d, admin(), &(struct audit_summary){.agent = "coder"}, now_ns);
    assert_int_equal(a.summary.total_duration_ms, INT64_MAX);
    assert_int_equal(a.summary.total_operations, 4);
}

static void types_without_end_are_counted_together(void **state)
{
    struct desk *d = *state;
    char name[48];
    struct counted row;
    struct list types;
    int64_t sum = 0;
    for (int i = 0; i < 300; i++) {
        struct event event = {.phase = "event", .agent = "coder"};
        snprintf(name, sizeof name, "type_%d", i);
        text_copy(event.kind, sizeof event.kind, name);
        write_one(d, &event);
    }
    SCOPED(answered_close)
    struct answered a = ask(d, admin(), &(struct audit_summary){.agent = "coder"}, now_ns);
    types = a.summary.operations_by_type;
    assert_int_equal(types.count, 128);
    assert_true(list_next(&types, &message_counted, &row));
    assert_string_equal(row.name, "(others)");
    for (sum = row.count; list_next(&types, &message_counted, &row);)
        sum += row.count;
    assert_int_equal(sum, 300);
}

static void ends_at_its_deadline(void **state)
{
    struct desk *d = *state;
    struct err err;
    struct agent_summary out;
    struct logs_scope scope = admin();
    struct bytes rooms[SUMMARY_ROOMS] = {0};
    write_six(d);
    db_set_deadline(d->reader, clock_boot_ms());
    assert_int_equal(summary_of(d->reader, &scope, &(struct audit_summary){.agent = "coder"},
                                now_ns, rooms, &out, &err),
                     -1);
    assert_int_equal(err.code, ERR_DEADLINE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_setup, desk_teardown)
    const struct CMUnitTest tests[] = {
        TEST(counts_what_is_no_intent),
        TEST(says_nothing_of_use_where_nothing_was_measured),
        TEST(looks_back_so_many_days),
        TEST(an_agent_of_others_is_as_one_that_never_was),
        TEST(numbers_that_no_machine_has_do_not_break_it),
        TEST(types_without_end_are_counted_together),
        TEST(ends_at_its_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
