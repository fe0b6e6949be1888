/* Dispatch: who may call what, requests that are sent again, how many may be in progress. Answers
 * are read from a pair of inproc sockets that stands for the door. */
#include "service/dispatch.h"

#include "base/scope.h"
#include "base/text.h"
#include "net/socket.h"
#include "net/wire.h"
#include "service/service_net_own.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct err err;
static struct service service;
static struct service_net net;
static void *client;
static struct op *newest; /* the operation that was begun last */
static int begun;

/* An empty map. */
static const struct view no_body = {(const uint8_t *)"\x80", 1};

static int answer_nothing(void *state, const struct call *call, const void *in, void *out,
                          struct err *failure)
{
    (void)state;
    (void)call;
    (void)in;
    (void)out;
    (void)failure;
    return 0;
}

/* Waits for WAKE_EVENT, then refuses. */
static enum op_state wait(struct op *op, const struct wake *wake)
{
    if (wake->reason == WAKE_ENTERED) {
        newest = op;
        begun++;
        return OP_RECEIVED;
    }
    struct err why;
    err_set(&why, ERR_STATE, "as the test wants");
    op_fail(op, &why);
    return OP_REFUSED;
}

static enum op_state never(struct op *op, const struct wake *wake)
{
    (void)wake;
    return op->state;
}

#define KIND(name, role_set, judged)                                                               \
    {                                                                                              \
        .operation = name, .request = &message_nothing, .answer = &message_nothing,                \
        .roles = role_set,                                                                         \
        .step = {[OP_RECEIVED] = wait, [OP_JUDGED] = judged, [OP_REFUSED] = op_step_refused},      \
    }
#define QUERY(name, role_set, only)                                                                \
    {                                                                                              \
        name, &message_nothing, &message_nothing, role_set, only, answer_nothing, ""               \
    }

static const char *const names[] = {"agent", "operator", "admin", "observer", "service"};
static const struct query queries[] = {
    QUERY("ask.agent", ROLE_AGENT, NULL),
    QUERY("ask.operator", ROLE_OPERATOR, NULL),
    QUERY("ask.admin", ROLE_ADMIN, NULL),
    QUERY("ask.observer", ROLE_OBSERVER, NULL),
    QUERY("ask.service", ROLE_SERVICE, NULL),
    QUERY("ask.manager", ROLE_SERVICE, "manager"),
    QUERY("ask.nobody", 0, NULL),
    {0},
};
static const struct op_kind do_agent = KIND("do.agent", ROLE_AGENT, never),
                            do_operator = KIND("do.operator", ROLE_OPERATOR, never),
                            do_admin = KIND("do.admin", ROLE_ADMIN, never),
                            do_observer = KIND("do.observer", ROLE_OBSERVER, never),
                            do_service = KIND("do.service", ROLE_SERVICE, never),
                            do_first = KIND("do.first", ROLE_AGENT, NULL);
static const struct op_kind *const operations[] = {
    &do_agent, &do_operator, &do_admin, &do_observer, &do_service, &do_first, NULL};
static const struct service_table table = {
    .name = "test", .queries = queries, .operations = operations};

static int open_door(void **state)
{
    (void)state;
    begun = 0;
    net = (struct service_net){.context = zmq_ctx_new()};
    net.requests = zmq_socket(net.context, ZMQ_PAIR);
    client = zmq_socket(net.context, ZMQ_PAIR);
    service = (struct service){.table = &table, .net = &net};
    config_defaults(&service.config);
    service.config.service.max_operations = 20;
    service.config.service.max_operations_per_principal = 3;
    return sodium_init() < 0 || zmq_bind(net.requests, "inproc://door") ||
                   zmq_connect(client, "inproc://door") || loop_new(&service.loop, &err) ||
                   dispatch_new(&service, &service.dispatch, &err)
               ? -1
               : 0;
}

static int close_door(void **state)
{
    (void)state;
    dispatch_free(&service.dispatch);
    loop_free(&service.loop);
    net_close(&client);
    net_close(&net.requests);
    zmq_ctx_term(net.context);
    return 0;
}

static struct registry_row row_of(unsigned roles, const char *principal)
{
    struct registry_row row = {.tenant = "red", .roles = roles};
    text_copy(row.principal, sizeof row.principal, principal);
    return row;
}

/* Sends a request as this row; from is the client's routing id. */
static void send_from(const struct registry_row *row, const char *from, const char *operation,
                      uint8_t id, struct view body)
{
    struct call call = {.service = &service,
                        .roles = row->roles,
                        .row = row,
                        .deadline_boot_ms = INT64_MAX,
                        .from = {.peer_bytes = strlen(from), .request_id = {id}}};
    memcpy(call.from.peer, from, strlen(from));
    text_copy(call.tenant, sizeof call.tenant, row->tenant);
    text_copy(call.principal, sizeof call.principal, row->principal);
    dispatch_request(&service, &call, operation, body);
}

static void ask(const struct registry_row *row, const char *operation, uint8_t id)
{
    send_from(row, "peer", operation, id, no_body);
}

/* The next answer: "ok", the code of an error, or "" when there is none. */
static const char *answered(void)
{
    static struct failure failure;
    struct wire_answer a;
    SCOPED(net_message_close) struct net_message m = {0};
    if (net_recv_unnamed(client, &m, &err) != 1)
        return "";
    assert_int_equal(wire_parse_answer(m.frames + 1, m.count - 1, &a, &err), 0);
    if (a.status == WIRE_OK)
        return "ok";
    assert_int_equal(schema_decode(&message_failure, a.body, SCHEMA_LENIENT, &failure, &err), 0);
    return failure.code;
}

static void each_role_reaches_what_names_it_and_nothing_else(void **state)
{
    (void)state;
    uint8_t id = 0;
    for (size_t has = 0; has < COUNT(names); has++)
        for (size_t wants = 0; wants < COUNT(names); wants++) {
            struct registry_row row = row_of(1U << has, "someone");
            char operation[32];
            snprintf(operation, sizeof operation, "ask.%s", names[wants]);
            ask(&row, operation, ++id);
            assert_string_equal(answered(), has == wants ? "ok" : "forbidden");
            snprintf(operation, sizeof operation, "do.%s", names[wants]);
            ask(&row, operation, ++id);
            assert_string_equal(answered(), has == wants ? "" : "forbidden");
            if (has == wants)
                op_wake(newest, WAKE_EVENT, NULL);
            assert_string_equal(answered(), has == wants ? "state" : "");
        }
    assert_int_equal(dispatch_count(service.dispatch), 0);
}

static void several_roles_reach_what_any_of_them_does(void **state)
{
    (void)state;
    struct registry_row row = row_of(ROLE_AGENT | ROLE_OBSERVER, "someone");
    ask(&row, "ask.observer", 1);
    assert_string_equal(answered(), "ok");
    ask(&row, "ask.admin", 2);
    assert_string_equal(answered(), "forbidden");
    row.roles = ROLE_AGENT | ROLE_OPERATOR | ROLE_ADMIN | ROLE_OBSERVER | ROLE_SERVICE;
    ask(&row, "ask.nobody", 3);
    assert_string_equal(answered(), "forbidden");
}

static void a_service_is_the_one_that_is_named(void **state)
{
    (void)state;
    struct registry_row row = row_of(ROLE_SERVICE, "manager");
    text_copy(row.service, sizeof row.service, "monitor");
    ask(&row, "ask.manager", 1);
    assert_string_equal(answered(), "forbidden");
    text_copy(row.service, sizeof row.service, "manager");
    ask(&row, "ask.manager", 2);
    assert_string_equal(answered(), "ok");
}

static void unknown_operations_and_fields_are_refused(void **state)
{
    (void)state;
    struct registry_row row = row_of(ROLE_ADMIN, "someone");
    ask(&row, "ask", 1);
    assert_string_equal(answered(), "invalid");
    const struct view body = {(const uint8_t *)"\x81\xa1x\x01", 4}; /* {x: 1} */
    send_from(&row, "peer", "ask.admin", 2, body);
    assert_string_equal(answered(), "invalid");
    send_from(&row, "peer", "do.admin", 3, body);
    assert_string_equal(answered(), "invalid");
    assert_int_equal(begun, 0);
}

static void one_id_is_one_operation_that_answers_everyone_who_asked(void **state)
{
    (void)state;
    struct registry_row row = row_of(ROLE_AGENT | ROLE_ADMIN, "someone");
    ask(&row, "do.agent", 1);
    ask(&row, "do.agent", 1);
    send_from(&row, "other", "do.agent", 1, no_body);
    assert_int_equal(begun, 1);
    ask(&row, "do.admin", 1);
    assert_string_equal(answered(), "replay_mismatch");
    op_wake(newest, WAKE_EVENT, NULL);
    assert_string_equal(answered(), "state");
    assert_string_equal(answered(), "state");
    assert_string_equal(answered(), "");
    ask(&row, "do.agent", 1); /* refused ones may be sent again */
    assert_int_equal(begun, 2);
}

static void an_id_of_another_principal_is_another_operation(void **state)
{
    (void)state;
    struct registry_row one = row_of(ROLE_AGENT, "one"), two = row_of(ROLE_AGENT, "two");
    ask(&one, "do.agent", 1);
    ask(&two, "do.agent", 1);
    text_copy(two.tenant, sizeof two.tenant, "blue");
    ask(&two, "do.agent", 1);
    assert_int_equal(begun, 3);
    assert_string_equal(answered(), "");
}

static void what_is_in_progress_is_bounded_and_kills_are_counted_apart(void **state)
{
    (void)state;
    struct registry_row row = row_of(ROLE_AGENT, "one"), other = row_of(ROLE_AGENT, "two");
    for (uint8_t id = 1; id <= 4; id++)
        ask(&row, "do.agent", id);
    assert_string_equal(answered(), "overloaded");
    assert_int_equal(begun, 3);
    ask(&row, "do.first", 5);
    ask(&other, "do.agent", 6);
    assert_string_equal(answered(), "");
    assert_int_equal(begun, 5);
    service.config.service.max_operations = 4;
    ask(&other, "do.agent", 7);
    assert_string_equal(answered(), "overloaded");
    ask(&other, "do.first", 8);
    assert_string_equal(answered(), "");
}

int main(void)
{
#define AT_THE_DOOR(test) cmocka_unit_test_setup_teardown(test, open_door, close_door)
    const struct CMUnitTest tests[] = {
        AT_THE_DOOR(each_role_reaches_what_names_it_and_nothing_else),
        AT_THE_DOOR(several_roles_reach_what_any_of_them_does),
        AT_THE_DOOR(a_service_is_the_one_that_is_named),
        AT_THE_DOOR(unknown_operations_and_fields_are_refused),
        AT_THE_DOOR(one_id_is_one_operation_that_answers_everyone_who_asked),
        AT_THE_DOOR(an_id_of_another_principal_is_another_operation),
        AT_THE_DOOR(what_is_in_progress_is_bounded_and_kills_are_counted_apart),
    };
#undef AT_THE_DOOR
    return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
