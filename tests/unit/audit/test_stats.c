/* What the record holds. */
#include "tests/unit/audit/desk.h"

#include "audit/stats.h"

struct answered {
    struct record_stats stats;
    struct bytes rooms[STATS_ROOMS];
};

static void answered_close(struct answered *a)
{
    for (int i = 0; i < STATS_ROOMS; i++)
        bytes_close(&a->rooms[i]);
}

static struct answered ask(struct desk *d, struct logs_scope scope)
{
    struct err err;
    struct answered a = {.rooms = {bytes_open(65536), bytes_open(65536), bytes_open(65536)}};
    if (stats_of(d->reader, &scope, a.rooms, &a.stats, &err))
        fail_msg("stats_of: %s", err.text);
    SCOPED(bytes_close) struct bytes frame = bytes_open(65536);
    if (schema_encode(&message_record_stats, &a.stats, &frame, &err))
        fail_msg("record_stats: %s", err.text);
    return a;
}

static void assert_first(struct list counts, const char *name, int64_t count)
{
    struct counted row;
    assert_true(list_next(&counts, &message_counted, &row));
    assert_string_equal(row.name, name);
    assert_int_equal(row.count, count);
}

static void counts_all_to_who_may_see_all(void **state)
{
    struct desk *d = *state;
    struct err err;
    struct source_place place;
    write_six(d);
    SCOPED(batch_free) struct batch *batch = NULL;
    assert_int_equal(batch_new(&batch, &err), 0);
    batch_put(batch, 1, ++d->seq, 77, view_of("of a later version")); /* at 1007 */
    assert_int_equal(store_write(d->store, batch, &err), 0);
    SCOPED(answered_close) struct answered a = ask(d, admin());
    assert_int_equal(a.stats.total_records, 7);
    assert_int_equal(a.stats.first_ns, 1001);
    assert_int_equal(a.stats.last_ns, 1007);
    assert_int_equal(a.stats.records_by_operation.count, 2);
    assert_first(a.stats.records_by_operation, "command_execute", 6);
    assert_int_equal(a.stats.records_by_status.count, 3);
    assert_first(a.stats.records_by_status, "success", 4);
    assert_true(a.stats.database_bytes >= 4096 && a.stats.database_bytes % 4096 == 0);
    assert_int_equal(a.stats.sources.count, 1);
    assert_true(list_next(&a.stats.sources, &message_source_place, &place));
    assert_string_equal(place.source, "manager@host1");
    assert_int_equal(place.upto, 7);
}

static void counts_to_others_what_is_theirs(void **state)
{
    struct desk *d = *state;
    write_six(d);
    SCOPED(answered_close) struct answered red = ask(d, tenant_of("red"));
    SCOPED(answered_close) struct answered coder = ask(d, agent_of("red", "coder", ""));
    assert_int_equal(red.stats.total_records, 4);
    assert_int_equal(red.stats.last_ns, 1006);
    assert_int_equal(red.stats.sources.count, 0);
    assert_int_equal(red.stats.database_bytes, 0);
    assert_int_equal(coder.stats.total_records, 2);
    assert_int_equal(coder.stats.last_ns, 1002);
}

static void nothing_seen_has_no_times(void **state)
{
    struct desk *d = *state;
    write_six(d);
    SCOPED(answered_close) struct answered a = ask(d, agent_of("green", "*", ""));
    assert_int_equal(a.stats.total_records, 0);
    assert_int_equal(a.stats.records_by_operation.count, 0);
    assert_false(schema_has(&message_record_stats, &a.stats, "first_ns"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_setup, desk_teardown)
    const struct CMUnitTest tests[] = {
        TEST(counts_all_to_who_may_see_all),
        TEST(counts_to_others_what_is_theirs),
        TEST(nothing_seen_has_no_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
