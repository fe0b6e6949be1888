/* The ledger: open intents and given replies, as a database keeps them. */
#include "base/scope.h"
#include "base/text.h"
#include "service/ledger.h"
#include "tests/unit/store/place.h"

static struct err err;
static struct place place;
static struct db *db;
static uint64_t seq;

static int open_ledger(void **state)
{
    (void)state;
    static const char *const migrations[] = {ledger_schema};
    char path[128];
    place = place_open();
    snprintf(path, sizeof path, "%s/test.db", place.path);
    struct db_options options = {.migrations = migrations, .migration_count = 1};
    return db_open(path, &options, &db, &err);
}

static int close_ledger(void **state)
{
    (void)state;
    db_free(&db);
    place_close(&place);
    return 0;
}

/* Applies an event as the projection does: with the record that has its bytes. */
static void apply(const struct event *event)
{
    SCOPED(bytes_close) struct bytes payload = bytes_open(65536);
    assert_int_equal(schema_encode(&message_event, event, &payload, &err), 0);
    seq++;
    struct journal_record record = {.seq = seq,
                                    .wall_ns = 1000 + (int64_t)seq,
                                    .type = RECORD_EVENT,
                                    .payload = bytes_view(&payload)};
    if (ledger_apply(db, &record, event, &err))
        fail_msg("%s", err.text);
}

static struct event event_of(const char *phase, const char *op_id)
{
    struct event e = {.kind = "agent_approve", .tenant = "acme", .principal = "ops"};
    text_copy(e.phase, sizeof e.phase, phase);
    text_copy(e.op_id, sizeof e.op_id, op_id);
    return e;
}

static int64_t number(const char *sql)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    assert_int_equal(db_prepare(db, sql, &s, &err), 0);
    assert_int_equal(stmt_step(s, &err), 1);
    int64_t n = stmt_int(s, 0);
    stmt_reset(s);
    return n;
}

static int join_id(void *context, const struct event *intent, struct err *e)
{
    (void)e;
    strcat(context, intent->op_id);
    return 0;
}

static void assert_open(const char *ids)
{
    char found[100] = "";
    assert_int_equal(ledger_each_open(db, join_id, found, &err), 0);
    assert_string_equal(found, ids);
}

static void an_intent_is_open_until_its_result_comes(void **state)
{
    (void)state;
    struct event e = event_of("intent", "b");
    apply(&e);
    e = event_of("intent", "a");
    apply(&e);
    e = event_of("intent", "c");
    apply(&e);
    assert_open("bac");
    e = event_of("result", "a");
    apply(&e);
    assert_open("bc");
    e = event_of("event", "b");
    apply(&e);
    assert_open("bc");
}

static int fail_at_once(void *context, const struct event *intent, struct err *e)
{
    (void)intent;
    ++*(int *)context;
    return err_set(e, ERR_STATE, "no");
}

static void a_failure_ends_the_walk(void **state)
{
    (void)state;
    int calls = 0;
    struct event e = event_of("intent", "a");
    apply(&e);
    e = event_of("intent", "b");
    apply(&e);
    assert_int_equal(ledger_each_open(db, fail_at_once, &calls, &err), -1);
    assert_int_equal(calls, 1);
    assert_int_equal(err.code, ERR_STATE);
}

static struct event result_with_reply(uint8_t request_id[REQUEST_ID_BYTES], const char *reply)
{
    static const uint8_t hash[32];
    struct event e = event_of("result", "x");
    text_copy(e.answer, sizeof e.answer, "ok");
    e.request_id = (struct view){request_id, REQUEST_ID_BYTES};
    e.body_hash = (struct view){hash, sizeof hash};
    e.reply = view_of(reply);
    return e;
}

static void keeps_the_reply_of_a_request(void **state)
{
    (void)state;
    uint8_t id[REQUEST_ID_BYTES] = {1};
    struct event e = result_with_reply(id, "first");
    apply(&e);
    assert_int_equal(number("SELECT count(*) FROM reply WHERE tenant = 'acme' AND principal = 'ops'"
                            " AND answer = 'ok' AND body = X'6669727374' AND wall_ns > 1000"),
                     1);
    e.reply = view_of(""); /* larger than what a record takes */
    id[0] = 2;
    apply(&e);
    e = event_of("result", "y"); /* nobody's request */
    e.reply = view_of("z");
    apply(&e);
    assert_int_equal(number("SELECT count(*) FROM reply"), 1);
}

static void a_reply_is_the_callers_also_in_another_tenant(void **state)
{
    (void)state;
    uint8_t id[REQUEST_ID_BYTES] = {1};
    struct event e = result_with_reply(id, "r");
    text_copy(e.principal_tenant, sizeof e.principal_tenant, "system");
    apply(&e);
    assert_int_equal(number("SELECT count(*) FROM reply WHERE tenant = 'system'"), 1);
}

static void keeps_a_bounded_number_of_each_principals_replies(void **state)
{
    (void)state;
    uint8_t id[REQUEST_ID_BYTES] = {0};
    struct event others = result_with_reply(id, "r");
    text_copy(others.principal, sizeof others.principal, "other");
    apply(&others);
    assert_int_equal(db_begin(db, &err), 0);
    for (uint16_t i = 0; i < LEDGER_REPLIES + 3; i++) {
        memcpy(id, &i, sizeof i);
        struct event e = result_with_reply(id, "r");
        apply(&e);
    }
    assert_int_equal(db_commit(db, &err), 0);
    assert_int_equal(number("SELECT count(*) FROM reply WHERE principal <> 'other'"),
                     LEDGER_REPLIES);
    assert_int_equal(number("SELECT min(place) FROM reply WHERE principal <> 'other'"), 5);
    assert_int_equal(number("SELECT count(*) FROM reply WHERE principal = 'other'"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_intent_is_open_until_its_result_comes, open_ledger,
                                        close_ledger),
        cmocka_unit_test_setup_teardown(a_failure_ends_the_walk, open_ledger, close_ledger),
        cmocka_unit_test_setup_teardown(keeps_the_reply_of_a_request, open_ledger, close_ledger),
        cmocka_unit_test_setup_teardown(a_reply_is_the_callers_also_in_another_tenant, open_ledger,
                                        close_ledger),
        cmocka_unit_test_setup_teardown(keeps_a_bounded_number_of_each_principals_replies,
                                        open_ledger, close_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
