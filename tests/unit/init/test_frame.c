/* The init protocol's frames: whole, cut anywhere, and lying. */
#include "init/frame.h"

#include "base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define TEXTS_OF(literal) ((struct view){(const uint8_t *)(literal), sizeof(literal)})

static struct frame_spawn an_order(void)
{
    return (struct frame_spawn){.id = 7,
                                .argv = TEXTS_OF("sh\0-c\0true"),
                                .env = {(const uint8_t *)"", 0},
                                .cwd = view_of("/workspace"),
                                .script_arg = -1,
                                .window_bytes = 65536,
                                .drain_ms = 100};
}

/* A frame around a body that no encoder would write. */
static struct view raw_frame(struct bytes *to, uint32_t id, uint8_t kind, const char *body,
                             size_t len)
{
    struct err err;
    uint8_t head[FRAME_HEAD_BYTES] = {0, 0, 0, (uint8_t)(len + 5), 0, 0, 0, (uint8_t)id, kind};
    bytes_clear(to);
    assert_int_equal(bytes_add(to, head, sizeof head, &err), 0);
    assert_int_equal(bytes_add(to, body, len, &err), 0);
    return bytes_view(to);
}

static void comes_back_as_it_was_put_wherever_it_is_cut(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes wire = bytes_open(4096);
    struct frame_spawn order = an_order(), got;
    assert_int_equal(frame_put_spawn(&wire, &order, &err), 0);
    for (size_t cut = 0; cut < wire.len; cut++) {
        struct view cursor = {wire.data, cut};
        struct frame frame;
        assert_int_equal(frame_next(&cursor, &frame, &err), 0);
        assert_int_equal(frame.kind, FRAME_NONE);
        assert_int_equal(cursor.len, cut);
    }
    size_t first = wire.len;
    assert_int_equal(frame_put_ping(&wire, &(struct frame_ping){.nonce = 5}, &err), 0);
    struct view cursor = bytes_view(&wire);
    struct frame frame;
    assert_int_equal(frame_next(&cursor, &frame, &err), 0);
    assert_int_equal(wire.len - cursor.len, first);
    assert_int_equal(frame_get_spawn(&frame, &got, &err), 0);
    assert_int_equal(got.id, 7);
    assert_true(view_equal(got.argv, order.argv));
    assert_int_equal(got.env.len, 0);
    assert_non_null(got.env.data);
    assert_true(view_equal(got.cwd, order.cwd));
    assert_null(got.stdin.data);
    assert_null(got.script.data);
    assert_int_equal(got.script_arg, -1);
    assert_int_equal(got.window_bytes, 65536);
    assert_int_equal(frame_next(&cursor, &frame, &err), 0);
    assert_int_equal(frame.kind, FRAME_PING);
    assert_int_equal(cursor.len, 0);
}

static void walks_texts_one_by_one(void **state)
{
    (void)state;
    struct view texts = TEXTS_OF("sh\0\0last");
    assert_int_equal(frame_texts(texts), 3);
    assert_string_equal(frame_text(&texts), "sh");
    assert_string_equal(frame_text(&texts), "");
    assert_string_equal(frame_text(&texts), "last");
    assert_null(frame_text(&texts));
}

static void refuses_to_put_what_breaks_a_row(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes wire = bytes_open(1024 * 1024);
    assert_int_equal(bytes_add(&wire, "before", 6, &err), 0);
    struct frame_spawn order = an_order();
    order.window_bytes = FRAME_RING_BYTES + 1;
    assert_int_equal(frame_put_spawn(&wire, &order, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(err.text, "spawn.window_bytes: 262145 is outside 0 to 262144");
    order = an_order();
    order.argv = (struct view){(const uint8_t *)"sh", 2};
    assert_int_equal(frame_put_spawn(&wire, &order, &err), -1);
    assert_string_equal(err.text, "spawn.argv: no NUL at the end");
    order = an_order();
    order.cwd = (struct view){(const uint8_t *)"/a\0b", 4};
    assert_int_equal(frame_put_spawn(&wire, &order, &err), -1);
    assert_string_equal(err.text, "spawn.cwd: a NUL inside");
    order = an_order();
    order.id = 0;
    assert_int_equal(frame_put_spawn(&wire, &order, &err), -1);
    assert_string_equal(err.text, "spawn: the id 0");
    static uint8_t script[FRAME_MAX_BYTES];
    order = an_order();
    order.script = (struct view){script, sizeof script};
    order.script_arg = 0;
    assert_int_equal(frame_put_spawn(&wire, &order, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal((char *)wire.data, "before");
    assert_int_equal(wire.len, 6);
}

static void assert_lie(struct view wire, const char *why)
{
    struct err err;
    struct frame frame;
    struct view cursor = wire;
    assert_int_equal(frame_next(&cursor, &frame, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
    assert_string_equal(err.text, why);
    assert_int_equal(cursor.len, wire.len);
}

static void refuses_frames_that_lie(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes wire = bytes_open(4096);
    const uint8_t huge[4] = {0, 4, 0, 6}, tiny[4] = {0, 0, 0, 5};
    assert_lie((struct view){huge, 4}, "a frame that claims 262150 bytes");
    assert_lie((struct view){tiny, 4}, "a frame that claims 5 bytes");
    assert_lie(raw_frame(&wire, 0, 31, "\x80", 1), "a frame of the unknown kind 31");
    assert_lie(raw_frame(&wire, 1, FRAME_PING, "\x80", 1), "ping: the id 1");
    assert_lie(raw_frame(&wire, 0, FRAME_FORGET, "\x80", 1), "forget: the id 0");
    assert_lie(raw_frame(&wire, 1, FRAME_FORGET, "\x90", 1), "forget: the body is no map");
    assert_lie(raw_frame(&wire, 1, FRAME_FORGET, "\x80\x80", 2), "forget: 1 bytes behind the body");
    assert_lie(raw_frame(&wire, 1, FRAME_FORGET, "\xdf\xff\xff\xff\xff", 5),
               "forget: 4294967295 items declared where 0 bytes are left");
}

/* Expects the body of a CREDIT to be refused with this text; NULL: to be taken. */
static void assert_credit(const char *body, size_t len, const char *why)
{
    struct err err;
    struct frame frame;
    struct frame_credit m = {.stream = 99};
    SCOPED(bytes_close) struct bytes wire = bytes_open(4096);
    struct view cursor = raw_frame(&wire, 1, FRAME_CREDIT, body, len);
    assert_int_equal(frame_next(&cursor, &frame, &err), 0);
    if (!why) {
        assert_int_equal(frame_get_credit(&frame, &m, &err), 0);
        return;
    }
    assert_int_equal(frame_get_credit(&frame, &m, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
    assert_string_equal(err.text, why);
    assert_int_equal(m.stream, 99);
}

#define CREDIT_BODY(literal) literal, sizeof(literal) - 1

static void reads_fields_strictly_and_skips_unknown_ones(void **state)
{
    (void)state;
    assert_credit(CREDIT_BODY("\x82\xa6stream\x01\xa5"
                              "bytes\x05"),
                  NULL);
    assert_credit(CREDIT_BODY("\x83\xa6stream\x01\xa3new\x92\x01\x80\xa5"
                              "bytes\x05"),
                  NULL);
    assert_credit(CREDIT_BODY("\x81\xa6stream\x01"), "credit.bytes: missing");
    assert_credit(CREDIT_BODY("\x82\xa6stream\x03\xa5"
                              "bytes\x05"),
                  "credit.stream: 3 is outside 1 to 2");
    assert_credit(CREDIT_BODY("\x82\xa6stream\xa1x\xa5"
                              "bytes\x05"),
                  "credit.stream: the wrong type");
    assert_credit(CREDIT_BODY("\x83\xa6stream\x01\xa5"
                              "bytes\x05\xa4"
                              "from\xff"),
                  "credit.from: -1 is out of bounds");
}

static void knows_every_kind_by_name(void **state)
{
    (void)state;
    assert_string_equal(frame_name(FRAME_OPEN_GATE), "open_gate");
    assert_string_equal(frame_name(FRAME_NONE), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_as_it_was_put_wherever_it_is_cut),
        cmocka_unit_test(walks_texts_one_by_one),
        cmocka_unit_test(refuses_to_put_what_breaks_a_row),
        cmocka_unit_test(refuses_frames_that_lie),
        cmocka_unit_test(reads_fields_strictly_and_skips_unknown_ones),
        cmocka_unit_test(knows_every_kind_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
