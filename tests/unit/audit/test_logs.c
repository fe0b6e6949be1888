/* Questions about the record: filters, scopes, pages. */
#include "tests/unit/audit/desk.h"

#include "base/clock.h"
#include "data/pack.h"

/* A page's numbers, newest first, joined by spaces; `next` behind a slash. */
static void page(struct desk *d, struct logs_scope scope, const struct logs_query *query,
                 char to[4096])
{
    struct err err;
    SCOPED(bytes_close) struct bytes rows = bytes_open(FRAME_MAX_BYTES);
    struct logs_page p;
    struct log_row row;
    size_t n = 0;
    if (logs_page(d->reader, &scope, query, &rows, &p, &err))
        fail_msg("logs_page: %s", err.text);
    to[0] = 0;
    while (list_next(&p.rows, &message_log_row, &row))
        n += (size_t)snprintf(to + n, 4096 - n, "%s%lld", n ? " " : "", (long long)row.gseq);
    if (p.next)
        n += (size_t)snprintf(to + n, 4096 - n, "/%lld", (long long)p.next);
    assert_true(n < 4096);
}

#define assert_page(d, scope, expected, ...)                                                       \
    do {                                                                                           \
        char is[4096];                                                                             \
        page(d, scope, &(struct logs_query){__VA_ARGS__}, is);                                     \
        assert_string_equal(is, expected);                                                         \
    } while (0)

static void filters_by_each_field_and_all_together(void **state)
{
    struct desk *d = *state;
    write_six(d);
    write_one(d, &(struct event){.kind = "kill_switch", .phase = "event", .tenant = "red"}); /* 7 */
    assert_page(d, admin(), "7 6 5 4 3 2 1", .limit = 0);
    assert_page(d, admin(), "4 2 1", .agent = "coder");
    assert_page(d, admin(), "2", .sandbox_id = "sb_2");
    assert_page(d, admin(), "7", .operation = "kill_switch");
    assert_page(d, admin(), "2", .status = "denied");
    assert_page(d, admin(), "1", .agent = "coder", .sandbox_id = "sb_1", .status = "success",
                .operation = "command_execute");
    assert_page(d, admin(), "6 5 3 1", .operation = "command_execute", .status = "success");
    assert_page(d, admin(), "", .agent = "coder", .sandbox_id = "sb_3");
}

static void filters_by_what_has_no_index(void **state)
{
    struct desk *d = *state;
    struct event event = {.kind = "command_execute",
                          .phase = "result",
                          .status = "denied",
                          .tenant = "red",
                          .agent = "coder",
                          .principal = "alice",
                          .op_id = "op1",
                          .cause = "killswitch",
                          .rule = "fs.rm"};
    text_copy(event.verdict.verdict_id, sizeof event.verdict.verdict_id, "v1");
    write_one(d, &event); /* 1 */
    write_six(d);         /* 2 to 7 */
    text_copy(event.principal, sizeof event.principal, "bob");
    write_one(d, &event); /* 8 */
    assert_page(d, admin(), "8 1", .cause = "killswitch");
    assert_page(d, admin(), "8 1", .rule = "fs.rm");
    assert_page(d, admin(), "8 1", .op_id = "op1");
    assert_page(d, admin(), "8 1", .op_id = "op1", .status = "denied", .agent = "coder");
    assert_page(d, admin(), "1", .principal = "alice", .rule = "fs.rm");
    assert_page(d, admin(), "", .principal = "carol");
    assert_page(d, admin(), "5", .tenant = "blue");
    assert_page(d, tenant_of("red"), "", .tenant = "blue");
    assert_page(d, tenant_of("red"), "8 1", .tenant = "red", .op_id = "op1");
    assert_page(d, agent_of("red", "coder2", ""), "", .op_id = "op1");
}

static void goes_on_from_a_number_oldest_first(void **state)
{
    struct desk *d = *state;
    write_six(d);
    assert_page(d, admin(), "1 2 3 4 5 6", .from_gseq = 1);
    assert_page(d, admin(), "3 4/5", .from_gseq = 3, .limit = 2);
    assert_page(d, admin(), "5 6", .from_gseq = 5, .limit = 2);
    assert_page(d, admin(), "", .from_gseq = 7);
    assert_page(d, admin(), "2/3", .from_gseq = 2, .agent = "coder", .limit = 1);
    assert_page(d, admin(), "4", .from_gseq = 3, .agent = "coder");
    assert_page(d, tenant_of("red"), "2 3 6", .from_gseq = 2);
    assert_page(d, agent_of("red", "coder", ""), "2", .from_gseq = 2);
    struct logs_query timed = {.since_ns = 1003, .from_gseq = 1};
    char is[4096];
    schema_mark(&message_logs_query, &timed, "since_ns");
    page(d, admin(), &timed, is);
    assert_string_equal(is, "3 4 5 6");
}

static void refuses_both_directions_at_once(void **state)
{
    struct desk *d = *state;
    struct err err;
    const struct logs_query query = {.cursor = 3, .from_gseq = 1};
    struct logs_scope scope = admin();
    struct logs_page p;
    SCOPED(bytes_close) struct bytes rows = bytes_open(FRAME_MAX_BYTES);
    assert_int_equal(logs_page(d->reader, &scope, &query, &rows, &p, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

static void filters_by_time_from_and_before(void **state)
{
    struct desk *d = *state;
    write_six(d); /* at 1001 to 1006 */
    struct logs_query query = {.since_ns = 1003, .until_ns = 1005};
    char is[4096];
    schema_mark(&message_logs_query, &query, "since_ns");
    page(d, admin(), &query, is);
    assert_string_equal(is, "6 5 4 3");
    schema_mark(&message_logs_query, &query, "until_ns");
    page(d, admin(), &query, is);
    assert_string_equal(is, "4 3");
    text_copy(query.agent, sizeof query.agent, "coder2");
    page(d, admin(), &query, is);
    assert_string_equal(is, "3");
}

static void shows_each_caller_its_own_part(void **state)
{
    struct desk *d = *state;
    write_six(d);
    assert_page(d, tenant_of("red"), "6 3 2 1", .limit = 0);
    assert_page(d, tenant_of("blue"), "4", .limit = 0);
    assert_page(d, tenant_of(""), "", .limit = 0);
    assert_page(d, agent_of("red", "coder", ""), "2 1", .limit = 0);
    assert_page(d, agent_of("red", "coder*", ""), "3 2 1", .limit = 0);
    assert_page(d, agent_of("red", "x", "*2"), "3", .limit = 0);
    assert_page(d, agent_of("red", "*", ""), "3 2 1", .limit = 0); /* not what is no agent's */
    assert_page(d, agent_of("red", "", ""), "", .limit = 0);
    /* asking for what one may not see is like asking for what is not there */
    assert_page(d, agent_of("red", "coder", ""), "", .agent = "coder2");
    assert_page(d, agent_of("red", "coder", ""), "", .sandbox_id = "sb_4");
    assert_page(d, tenant_of("blue"), "", .sandbox_id = "sb_1");
    assert_page(d, agent_of("red", "CODER", ""), "", .limit = 0);
}

static void a_scope_is_what_the_roles_say(void **state)
{
    (void)state;
    struct registry_row row = {.agents = {"a*", "b"}};
    struct call call = {.row = &row, .roles = ROLE_AGENT, .tenant = "red"};
    struct logs_scope scope = logs_scope(&call);
    assert_false(scope.all_tenants || scope.all_agents);
    assert_string_equal(scope.agents[1], "b");
    assert_string_equal(scope.tenant, "red");
    call.roles = ROLE_OBSERVER;
    scope = logs_scope(&call);
    assert_true(scope.all_agents && !scope.all_tenants && !scope.agents[0][0]);
    call.roles = ROLE_AGENT | ROLE_OPERATOR;
    assert_true(logs_scope(&call).all_agents);
    call.roles = ROLE_ADMIN;
    assert_true(logs_scope(&call).all_tenants);
}

static void a_page_says_where_the_next_one_begins(void **state)
{
    struct desk *d = *state;
    write_six(d);
    assert_page(d, admin(), "6 5/5", .limit = 2);
    assert_page(d, admin(), "4 3/3", .limit = 2, .cursor = 5);
    assert_page(d, admin(), "2 1", .limit = 2, .cursor = 3);
    assert_page(d, admin(), "", .limit = 2, .cursor = 1);
    assert_page(d, admin(), "6 5 4 3 2 1", .limit = 6);
}

static void pages_are_complete_and_without_repeats_while_records_are_added(void **state)
{
    struct desk *d = *state;
    struct err err;
    SCOPED(bytes_close) struct bytes expected = bytes_open(4096), seen = bytes_open(4096);
    for (int i = 0; i < 60; i++)
        write_result(d, "red", i % 3 ? "other" : "coder", "", "success");
    for (int gseq = 58; gseq >= 1; gseq -= 3)
        assert_int_equal(bytes_addf(&expected, &err, " %d", gseq), 0);
    int64_t cursor = 0;
    do {
        char is[4096];
        page(d, agent_of("red", "cod*", ""), &(struct logs_query){.limit = 3, .cursor = cursor},
             is);
        char *next = strchr(is, '/');
        cursor = next ? strtoll(next + 1, NULL, 10) : 0;
        if (next)
            *next = 0;
        assert_int_equal(bytes_addf(&seen, &err, " %s", is), 0);
        write_result(d, "red", "coder", "", "success"); /* newer than every page to come */
    } while (cursor);
    assert_string_equal((char *)seen.data, (char *)expected.data);
}

/* Walks all pages and checks every frame as a client would receive it. */
static void walk(struct desk *d, int64_t limit, int64_t expected_rows, int64_t most_a_page)
{
    struct logs_query query = {.limit = limit};
    struct logs_scope scope = admin();
    int64_t rows_seen = 0;
    do {
        struct err err;
        SCOPED(bytes_close) struct bytes rows = bytes_open(FRAME_MAX_BYTES);
        SCOPED(bytes_close) struct bytes frame = bytes_open(FRAME_MAX_BYTES);
        struct logs_page p, decoded;
        assert_int_equal(logs_page(d->reader, &scope, &query, &rows, &p, &err), 0);
        assert_int_equal(schema_encode(&message_logs_page, &p, &frame, &err), 0);
        if (schema_decode(&message_logs_page, bytes_view(&frame), SCHEMA_STRICT, &decoded, &err))
            fail_msg("page: %s", err.text);
        assert_true(p.rows.count >= 1 && p.rows.count <= most_a_page);
        rows_seen += p.rows.count;
        query.cursor = p.next;
    } while (query.cursor);
    assert_int_equal(rows_seen, expected_rows);
}

static void a_page_ends_before_the_bounds_of_a_frame(void **state)
{
    struct desk *d = *state;
    char command[256], detail[256];
    memset(command, 'c', sizeof command);
    memset(detail, 'd', sizeof detail);
    detail[255] = 0;
    struct event event = {.kind = "command_execute",
                          .phase = "result",
                          .status = "success",
                          .op_id = "o",
                          .tenant = "red",
                          .principal = "p",
                          .agent = "a",
                          .sandbox_id = "s",
                          .cause = "exited",
                          .rule = "r",
                          .command = {(uint8_t *)command, sizeof command},
                          .duration_ms = 1};
    schema_mark(&message_event, &event, "exit_code");
    for (int i = 0; i < 600; i++)
        write_one(d, &event);
    walk(d, 500, 600, 499); /* nodes: 10,000 of them are fewer than 500 such rows */
    memcpy(event.detail, detail, sizeof detail);
    memset(event.principal, 'p', 64);
    memset(event.agent, 'a', 64);
    memset(event.rule, 'r', 64);
    for (int i = 0; i < 600; i++)
        write_one(d, &event);
    walk(d, 500, 1200, 499);
    walk(d, 1, 1200, 1);
}

static void shows_what_it_cannot_read_to_admins(void **state)
{
    struct desk *d = *state;
    struct err err;
    SCOPED(batch_free) struct batch *batch = NULL;
    SCOPED(bytes_close) struct bytes rows = bytes_open(FRAME_MAX_BYTES);
    assert_int_equal(batch_new(&batch, &err), 0);
    batch_put(batch, 1, 1, 7, view_of("???"));
    assert_int_equal(store_write(d->store, batch, &err), 0);
    struct logs_scope scope = admin();
    struct logs_page p;
    struct log_row row;
    assert_int_equal(logs_page(d->reader, &scope, &(struct logs_query){0}, &rows, &p, &err), 0);
    assert_true(list_next(&p.rows, &message_log_row, &row));
    assert_string_equal(row.kind, "unknown_record");
    assert_string_equal(row.source, "manager@host1");
    assert_non_null(strstr(row.detail, "type 7 with 3 bytes"));
    assert_page(d, tenant_of("red"), "", .limit = 0);
}

/* The one row of a page, from `rows`. */
static struct log_row only_row(struct desk *d, const struct logs_query *query, struct bytes *rows)
{
    struct err err;
    struct logs_scope scope = admin();
    struct logs_page p;
    struct log_row row;
    assert_int_equal(logs_page(d->reader, &scope, query, rows, &p, &err), 0);
    assert_true(list_next(&p.rows, &message_log_row, &row));
    return row;
}

static void what_was_judged_is_told_to_who_asks(void **state)
{
    struct desk *d = *state;
    struct err err;
    char command[1001];
    const uint8_t hash[32] = {0};
    struct view tag;
    SCOPED(bytes_close) struct bytes tags = bytes_open(1024);
    SCOPED(bytes_close) struct bytes rows = bytes_open(FRAME_MAX_BYTES);
    struct event event = {.kind = "command_execute",
                          .phase = "intent",
                          .tenant = "red",
                          .cwd = "/workspace/x",
                          .verdict = {.decision = "allow",
                                      .risk = "low",
                                      .verdict_id = "v",
                                      .reason = "r",
                                      .act_hash = {hash, sizeof hash},
                                      .policy = {hash, sizeof hash},
                                      .valid_ms = 1},
                          .command_bytes = 5000,
                          .argv_words = 3};
    memset(command, 'x', sizeof command);
    event.command = (struct view){(const uint8_t *)command, sizeof command};
    assert_int_equal(list_add_text(&tags, &event.tags, view_of("env=prod"), &err), 0);
    schema_mark(&message_event, &event, "verdict");
    write_one(d, &event);
    struct log_row row = only_row(d, &(struct logs_query){.limit = 1}, &rows);
    assert_int_equal(row.command.len, 256);
    assert_true(!row.whole_command.len && !row.argv_words && !row.command_bytes);
    assert_string_equal(row.decision, "");
    bytes_clear(&rows);
    row = only_row(d, &(struct logs_query){.limit = 1, .whole = true}, &rows);
    assert_true(view_equal(row.whole_command, event.command));
    assert_int_equal(row.command_bytes, 5000);
    assert_int_equal(row.argv_words, 3);
    assert_string_equal(row.cwd, "/workspace/x");
    assert_string_equal(row.decision, "allow");
    assert_true(list_next_text(&row.tags, &tag) && view_equal(tag, view_of("env=prod")));
    text_copy(event.verdict.approval_id, sizeof event.verdict.approval_id, "ap");
    write_one(d, &event);
    bytes_clear(&rows);
    row = only_row(d, &(struct logs_query){.limit = 1, .whole = true}, &rows);
    assert_string_equal(row.decision, "require_approval");
}

static void a_question_ends_at_its_deadline(void **state)
{
    struct desk *d = *state;
    struct err err;
    struct logs_scope scope = admin();
    struct logs_page p;
    SCOPED(bytes_close) struct bytes rows = bytes_open(FRAME_MAX_BYTES);
    write_six(d);
    db_set_deadline(d->reader, clock_boot_ms());
    assert_int_equal(logs_page(d->reader, &scope, &(struct logs_query){0}, &rows, &p, &err), -1);
    assert_int_equal(err.code, ERR_DEADLINE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_setup, desk_teardown)
    const struct CMUnitTest tests[] = {
        TEST(filters_by_each_field_and_all_together),
        TEST(filters_by_what_has_no_index),
        TEST(goes_on_from_a_number_oldest_first),
        TEST(refuses_both_directions_at_once),
        TEST(filters_by_time_from_and_before),
        TEST(shows_each_caller_its_own_part),
        cmocka_unit_test(a_scope_is_what_the_roles_say),
        TEST(a_page_says_where_the_next_one_begins),
        TEST(pages_are_complete_and_without_repeats_while_records_are_added),
        TEST(a_page_ends_before_the_bounds_of_a_frame),
        TEST(shows_what_it_cannot_read_to_admins),
        TEST(what_was_judged_is_told_to_who_asks),
        TEST(a_question_ends_at_its_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
