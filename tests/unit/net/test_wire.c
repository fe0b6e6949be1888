/* The frames of the protocol: what is read back, and which frame is named when it is wrong. */
#include "net/wire.h"
#include "base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ID "0123456789abcdef"

static void assert_refused(const struct view *frames, size_t count, enum err_code code,
                           const char *words)
{
    struct err err;
    struct wire_request request;
    assert_int_equal(wire_parse_request(frames, count, &request, &err), -1);
    assert_int_equal(err.code, code);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static void a_request_is_read_back_with_and_without_the_frame_of_a_req(void **state)
{
    (void)state;
    for (int delimited = 0; delimited < 2; delimited++) {
        struct err err;
        struct wire_request in = {.operation = "op.credit", .body = view_of("\x80")}, out;
        memcpy(in.id, ID, WIRE_ID_BYTES);
        in.delimited = delimited;
        struct wire_frames frames = wire_request_frames(&in);
        assert_int_equal(frames.count, 4 + delimited);
        assert_int_equal(wire_parse_request(frames.frames, frames.count, &out, &err), 0);
        assert_string_equal(out.operation, "op.credit");
        assert_memory_equal(out.id, ID, WIRE_ID_BYTES);
        assert_true(view_equal(out.body, in.body));
        assert_int_equal(out.delimited, delimited);
    }
}

static void an_answer_is_read_back(void **state)
{
    (void)state;
    for (enum wire_status status = WIRE_OK; status <= WIRE_DATA; status++) {
        struct err err;
        struct wire_answer out;
        struct wire_frames frames =
            wire_answer_frames(view_of("peer"), true, (const uint8_t *)ID, status, view_of("\x80"));
        assert_int_equal(frames.count, 6);
        assert_true(view_equal(frames.frames[0], view_of("peer")));
        assert_int_equal(wire_parse_answer(frames.frames + 1, 5, &out, &err), 0);
        assert_int_equal(out.status, status);
        assert_memory_equal(out.id, ID, WIRE_ID_BYTES);
    }
}

static void names_the_frame_that_is_wrong(void **state)
{
    (void)state;
    const struct view good[] = {view_of("C1"), view_of(ID), view_of("list"), view_of("\x80")};
    struct view bad[5];
#define WITH(index, text)                                                                          \
    (memcpy(bad, good, sizeof good), bad[index] = view_of(text), bad[4] = view_of("x"))
    WITH(0, "C2");
    assert_refused(bad, 4, ERR_VERSION, "speaks C2");
    WITH(0, "C2");
    assert_refused(bad, 3, ERR_VERSION, "speaks C2"); /* whatever the rest looks like */
    WITH(0, "HTTP");
    assert_refused(bad, 4, ERR_INVALID, "version frame");
    WITH(0, "C1x");
    assert_refused(bad, 4, ERR_VERSION, "C1x");
    WITH(1, "short");
    assert_refused(bad, 4, ERR_INVALID, "request id frame: 5 bytes");
    WITH(2, "");
    assert_refused(bad, 4, ERR_INVALID, "operation frame");
    WITH(2, "List");
    assert_refused(bad, 4, ERR_INVALID, "operation frame");
    WITH(2, "a123456789b123456789c123456789d123456789e");
    assert_refused(bad, 4, ERR_INVALID, "operation frame");
    WITH(3, "");
    assert_refused(bad, 4, ERR_INVALID, "body frame: 0 bytes");
    WITH(0, "C1");
    bad[3].len = WIRE_BODY_BYTES + 1;
    assert_refused(bad, 4, ERR_INVALID, "body frame");
    WITH(0, "C1");
    assert_refused(bad, 5, ERR_INVALID, "5 frames");
    assert_refused(bad, 3, ERR_INVALID, "3 frames");
    assert_refused(bad, 0, ERR_INVALID, "no frames");
    WITH(0, "");
    assert_refused(bad, 1, ERR_INVALID, "no frames");
    bad[1] = view_of("");
    assert_refused(bad, 5, ERR_INVALID, "version frame");
}

static void a_published_request_has_its_operation_in_the_topic(void **state)
{
    (void)state;
    struct err err;
    struct wire_request out;
    struct view frames[] = {view_of("C1.request.sandbox_list"), view_of(ID), view_of("\x80")};
    assert_int_equal(wire_parse_published(frames, 3, &out, &err), 0);
    assert_string_equal(out.operation, "sandbox_list");
    assert_int_equal(wire_parse_published(frames, 2, &out, &err), -1);
    static const struct {
        const char *topic;
        enum err_code code;
    } rows[] = {{"C1.request.", ERR_INVALID},  {"C1.reply.x", ERR_INVALID},
                {"C2.request.x", ERR_VERSION}, {"", ERR_INVALID},
                {"C1", ERR_INVALID},           {"C1.request.X", ERR_INVALID}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        frames[0] = view_of(rows[i].topic);
        assert_int_equal(wire_parse_published(frames, 3, &out, &err), -1);
        assert_int_equal(err.code, rows[i].code);
    }
}

static void an_unknown_status_is_refused(void **state)
{
    (void)state;
    struct err err;
    struct wire_answer out;
    const struct view frames[] = {view_of("C1"), view_of(ID), view_of("okay"), view_of("\x80")};
    assert_int_equal(wire_parse_answer(frames, 4, &out, &err), -1);
    assert_non_null(strstr(err.text, "status frame"));
}

static void topics_begin_with_who_may_read_them(void **state)
{
    (void)state;
    char topic[WIRE_TOPIC_BYTES];
    wire_reply_topic(topic, "red", "alice", (const uint8_t *)ID);
    assert_string_equal(topic, "red/alice/reply/30313233343536373839616263646566");
    wire_event_topic(topic, "red", "manager", "command_execute");
    assert_string_equal(topic, "red/event/manager/command_execute");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read_back_with_and_without_the_frame_of_a_req),
        cmocka_unit_test(an_answer_is_read_back),
        cmocka_unit_test(names_the_frame_that_is_wrong),
        cmocka_unit_test(a_published_request_has_its_operation_in_the_topic),
        cmocka_unit_test(an_unknown_status_is_refused),
        cmocka_unit_test(topics_begin_with_who_may_read_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
