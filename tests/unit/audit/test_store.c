/* audit.db: dense numbers, whole transactions, forks, derived columns, the view. */
#include "tests/unit/audit/records.h"

#include "audit/store.h"
#include "base/fault.h"

static struct store *open_in(const struct place_on_disk *d)
{
    struct err err;
    struct store *store = NULL;
    if (store_open(d->path, &store, &err))
        fail_msg("store: %s", err.text);
    return store;
}

static struct batch *new_batch(void)
{
    struct err err;
    struct batch *batch = NULL;
    assert_int_equal(batch_new(&batch, &err), 0);
    return batch;
}

/* The first column of every row that a statement has, joined by spaces. */
static void ask(const struct place_on_disk *d, const char *sql, char to[1024])
{
    struct err err;
    SCOPED(db_free) struct db *db = NULL;
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (store_open_reader(d->path, &db, &err) || db_prepare(db, sql, &s, &err))
        fail_msg("%s: %s", sql, err.text);
    int got;
    size_t n = 0;
    to[0] = 0;
    while ((got = stmt_step(s, &err)) == 1) {
        n += (size_t)snprintf(to + n, 1024 - n, "%s%s", n ? " " : "",
                              stmt_is_null(s, 0) ? "-" : stmt_text(s, 0));
        assert_true(n < 1024);
    }
    if (got)
        fail_msg("%s: %s", sql, err.text);
}

#define assert_says(d, sql, expected)                                                              \
    do {                                                                                           \
        char is[1024];                                                                             \
        ask(d, sql, is);                                                                           \
        assert_string_equal(is, expected);                                                         \
    } while (0)

static void numbers_records_densely_over_sources_and_restarts(void **state)
{
    (void)state;
    struct err err;
    SCOPED(directory_close) struct place_on_disk d = directory_open();
    for (int64_t round = 0; round < 3; round++) {
        SCOPED(store_free) struct store *store = open_in(&d);
        SCOPED(batch_free) struct batch *batch = new_batch();
        assert_int_equal(store_count(store), 4 * round);
        for (int64_t i = 1; i <= 2; i++) {
            batch_put(batch, 1, 2 * round + i, 9, view_of("one"));
            batch_put(batch, 2, 2 * round + i, 9, view_of("two"));
        }
        assert_int_equal(store_write(store, batch, &err), 0);
    }
    assert_says(&d, "SELECT gseq FROM event ORDER BY gseq", "1 2 3 4 5 6 7 8 9 10 11 12");
    assert_says(&d, "SELECT seq FROM event WHERE source = 2 ORDER BY gseq", "1 2 3 4 5 6");
    assert_says(&d, "SELECT name || '=' || upto FROM source", "manager@host1=6 manager@host2=6");
}

struct gathered {
    struct place places[4];
    int count;
};

static int gather(void *context, const struct place *place, struct err *err)
{
    (void)err;
    struct gathered *g = context;
    g->places[g->count++] = *place;
    return 0;
}

static void gives_sources_back_as_they_were_placed(void **state)
{
    (void)state;
    struct err err;
    SCOPED(directory_close) struct place_on_disk d = directory_open();
    SCOPED(store_free) struct store *store = open_in(&d);
    SCOPED(batch_free) struct batch *batch = new_batch();
    batch_put(batch, 5, 1, 9, view_of(""));
    batch_put(batch, 5, 2, 9, view_of(""));
    assert_int_equal(store_write(store, batch, &err), 0);
    struct gathered found = {0};
    assert_int_equal(store_sources(store, gather, &found, &err), 0);
    assert_int_equal(found.count, 1);
    const struct place *got = &found.places[0], *put = &batch->places[0];
    assert_string_equal(got->name, put->name);
    assert_string_equal(got->owner, put->owner);
    assert_int_equal(got->source, put->source);
    assert_int_equal(got->epoch, put->epoch);
    assert_int_equal(got->upto, put->upto);
}

static void tells_a_repeat_from_a_fork(void **state)
{
    (void)state;
    struct err err;
    SCOPED(directory_close) struct place_on_disk d = directory_open();
    SCOPED(store_free) struct store *store = open_in(&d);
    SCOPED(batch_free) struct batch *first = new_batch(), *again = new_batch();
    batch_put(first, 1, 1, 9, view_of("abc"));
    batch_put(first, 1, 2, 9, view_of("abc"));
    assert_int_equal(store_write(store, first, &err), 0);
    const char *const payloads[] = {"abc", "abd", "ab", ""};
    for (size_t i = 0; i < COUNT(payloads); i++)
        batch_put(again, 1, 1, 9, view_of(payloads[i]));
    batch_put(again, 1, 1, 8, view_of("abc")); /* another type */
    batch_put(again, 1, 1, 9, view_of("abc")); /* another time, below */
    batch_put(again, 1, 7, 9, view_of("abc")); /* never stored: passed over as missing */
    again->entries[5].wall_ns++;
    for (size_t i = 0; i < again->count; i++)
        again->entries[i].is_known = true;
    again->place_count = 0;
    assert_int_equal(store_write(store, again, &err), 0);
    const bool is_fork[] = {false, true, true, true, true, true, false};
    for (size_t i = 0; i < COUNT(is_fork); i++)
        assert_int_equal(again->entries[i].is_fork, is_fork[i]);
    assert_int_equal(store_count(store), 2);
}

static void derives_columns_and_keeps_the_body(void **state)
{
    (void)state;
    struct err err;
    SCOPED(directory_close) struct place_on_disk d = directory_open();
    SCOPED(store_free) struct store *store = open_in(&d);
    SCOPED(batch_free) struct batch *batch = new_batch();
    SCOPED(bytes_close) struct bytes rules = bytes_open(1024);
    char command[400];
    memset(command, 'x', sizeof command);
    memcpy(command + 255, "\xc3\xbc", 2); /* would be cut in two */
    uint8_t hash[32] = {0};
    struct event event = {.kind = "command_execute",
                          .phase = "result",
                          .op_id = "op",
                          .tenant = "red",
                          .principal = "alice",
                          .agent = "coder",
                          .sandbox_id = "sb_1",
                          .status = "denied",
                          .cause = "policy",
                          .command = {(uint8_t *)command, sizeof command},
                          .duration_ms = 12,
                          .verdict = {.verdict_id = "v1",
                                      .decision = "deny",
                                      .risk = "critical",
                                      .reason = "r",
                                      .act_hash = {hash, 32},
                                      .policy = {hash, 32},
                                      .valid_ms = 1},
                          .detail = "no"};
    assert_int_equal(list_add_text(&rules, &event.verdict.rules, view_of("rm_rf"), &err), 0);
    schema_mark(&message_event, &event, "verdict");
    schema_mark(&message_event, &event, "exit_code"); /* 0, and there */
    batch_put_event(batch, 1, 1, &event);
    assert_int_equal(store_write(store, batch, &err), 0);
    assert_says(
        &d,
        "SELECT json_array(kind, phase, status, tenant, principal, agent, sandbox_id, op_id,"
        " cause, rule, verdict_id, risk, exit_code, duration_ms, detail) FROM event",
        "[\"command_execute\",\"result\",\"denied\",\"red\",\"alice\",\"coder\","
        "\"sb_1\",\"op\",\"policy\",\"rm_rf\",\"v1\",\"critical\",0,12,\"no\"]");
    assert_says(&d, "SELECT length(command) FROM event", "255");
    char size[32];
    snprintf(size, sizeof size, "%zu", batch->payloads.len);
    assert_says(&d, "SELECT length(body) FROM event", size);
    assert_says(&d, "SELECT cpu_ms FROM event", "-");
    assert_says(&d,
                "SELECT json_array(agent_id, operation_type, status,"
                " duration_ms, error_message, timestamp) FROM audit_logs",
                "[\"coder\",\"command_execute\",\"denied\",12,\"no\","
                "\"1970-01-01T00:00:00.000Z\"]");
    assert_says(&d, "SELECT source FROM audit_logs", "manager@host1");
}

static void keeps_what_it_cannot_read_without_columns(void **state)
{
    (void)state;
    struct err err;
    SCOPED(directory_close) struct place_on_disk d = directory_open();
    SCOPED(store_free) struct store *store = open_in(&d);
    SCOPED(batch_free) struct batch *batch = new_batch();
    batch_put(batch, 1, 1, 7, view_of("of a later version"));
    batch_put(batch, 1, 2, RECORD_EVENT, view_of("no msgpack"));
    batch_put(batch, 1, 3, RECORD_EVENT, (struct view){0});
    assert_int_equal(store_write(store, batch, &err), 0);
    assert_says(&d, "SELECT coalesce(kind, phase, tenant, detail, exit_code) FROM event", "- - -");
    assert_says(&d, "SELECT CAST(body AS TEXT) FROM event WHERE seq < 3",
                "of a later version no msgpack");
    assert_says(&d, "SELECT type FROM event ORDER BY gseq", "7 1 1");
}

static void a_failure_at_any_step_leaves_nothing_of_the_batch(void **state)
{
    (void)state;
    SCOPED(directory_close) struct place_on_disk d = directory_open();
    long failures = 0;
    for (long n = 1;; n++) {
        struct err err;
        SCOPED(store_free) struct store *store = open_in(&d);
        SCOPED(batch_free) struct batch *batch = new_batch();
        batch_put(batch, 1, 1, 9, view_of("a"));
        batch_put(batch, 2, 1, 9, view_of("b"));
        fault_set(FAULT_SQLITE, n, false);
        int failed = store_write(store, batch, &err);
        fault_set(FAULT_SQLITE, 0, false);
        if (!failed)
            break;
        failures++;
        assert_int_equal(store_count(store), 0);
        assert_says(&d, "SELECT count(*) FROM event", "0");
        assert_says(&d, "SELECT count(*) FROM source", "0");
    }
    assert_true(failures >= 6); /* begin, two places, two records, commit */
    assert_says(&d, "SELECT gseq FROM event", "1 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_records_densely_over_sources_and_restarts),
        cmocka_unit_test(gives_sources_back_as_they_were_placed),
        cmocka_unit_test(tells_a_repeat_from_a_fork),
        cmocka_unit_test(derives_columns_and_keeps_the_body),
        cmocka_unit_test(keeps_what_it_cannot_read_without_columns),
        cmocka_unit_test(a_failure_at_any_step_leaves_nothing_of_the_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
