/* The ZAP handler, asked directly: which requests it welcomes, and what it tells of the others. */
#include "net/zap.h"
#include "base/scope.h"
#include "tests/lib/net_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KEY = 6, FRAMES };

static uint8_t key[KEY_BYTES];

static int open_fixture(void **state)
{
    struct fixture *f = malloc(sizeof *f);
    fixture_open(f);
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

/* A sound request for a key; tests break one frame of it. */
static void request_of(const struct key_pair *pair, struct view frames[FRAMES + 1])
{
    zmq_z85_decode(key, pair->public_key);
    frames[0] = view_of("1.0");
    frames[1] = view_of("id");
    frames[2] = view_of(ZAP_DOMAIN_NAME);
    frames[3] = view_of("10.0.0.1");
    frames[4] = view_of("");
    frames[5] = view_of("CURVE");
    frames[KEY] = (struct view){key, sizeof key};
    frames[FRAMES] = view_of("more");
}

/* Asks the handler as libzmq does: a DEALER that puts the empty frame in front. */
static void *open_asker(struct fixture *f)
{
    void *asker = zmq_socket(f->context, ZMQ_DEALER);
    assert_int_equal(zmq_connect(asker, "inproc://zeromq.zap.01"), 0);
    return asker;
}

static void ask(void *asker, const struct view *frames, size_t count, struct net_message *answer)
{
    struct err err;
    struct view all[NET_FRAMES + 1] = {{0}};
    memcpy(all + 1, frames, count * sizeof *frames);
    fixture_send(asker, all, count + 1);
    assert_true(fixture_wait(asker, FIXTURE_PATIENCE_MS));
    assert_int_equal(net_recv_unnamed(asker, answer, &err), 1);
    assert_int_equal(answer->count, 7);
    assert_true(view_equal(answer->frames[2], view_of("id")));
}

static void welcomes_a_known_key_with_itself_as_user(void **state)
{
    struct fixture *f = *state;
    SCOPED(net_close) void *asker = open_asker(f);
    SCOPED(net_message_close) struct net_message answer = {0};
    struct view frames[FRAMES + 1];
    request_of(&f->alice, frames);
    ask(asker, frames, FRAMES, &answer);
    assert_true(view_equal(answer.frames[3], view_of("200")));
    assert_true(view_equal(answer.frames[5], view_of(f->alice.public_key)));
    assert_int_equal(zap_counts(f->zap).accepted, 1);
}

static void refuses_every_request_with_a_wrong_frame(void **state)
{
    struct fixture *f = *state;
    SCOPED(net_close) void *asker = open_asker(f);
    static const struct {
        int at;
        const char *text;
    } rows[] = {{2, ""},      {2, "corral2"}, {5, "NULL"}, {5, "PLAIN"},
                {5, "curve"}, {KEY, "short"}, {KEY, ""}};
    for (size_t i = 0; i < COUNT(rows) + 2; i++) {
        SCOPED(net_message_close) struct net_message answer = {0};
        struct view frames[FRAMES + 1];
        request_of(&f->alice, frames);
        if (i < COUNT(rows))
            frames[rows[i].at] = view_of(rows[i].text);
        size_t count = i < COUNT(rows) ? FRAMES : i == COUNT(rows) ? FRAMES + 1 : FRAMES - 1;
        ask(asker, frames, count, &answer);
        assert_true(view_equal(answer.frames[3], view_of("400")));
        assert_int_equal(answer.frames[5].len, 0);
    }
    struct zap_counts counts = zap_counts(f->zap);
    assert_int_equal(counts.accepted, 0);
    assert_int_equal(counts.malformed, COUNT(rows) + 2);
    assert_int_equal(counts.refused, COUNT(rows) + 2);
}

static void goes_on_after_requests_that_cannot_be_answered(void **state)
{
    struct fixture *f = *state;
    SCOPED(net_close) void *asker = open_asker(f);
    SCOPED(net_message_close) struct net_message answer = {0};
    struct view frames[FRAMES + 1];
    const struct view garbage[] = {view_of("not empty"), view_of("x")};
    const struct view version[] = {view_of(""), view_of("2.0"), view_of("id")};
    const struct view nameless[] = {view_of(""), view_of("1.0"), view_of("")};
    struct view many[NET_FRAMES + 1] = {{0}};
    fixture_send(asker, garbage, COUNT(garbage));
    fixture_send(asker, garbage, 1);
    fixture_send(asker, version, COUNT(version));
    fixture_send(asker, nameless, COUNT(nameless));
    fixture_send(asker, many, COUNT(many));
    request_of(&f->alice, frames);
    ask(asker, frames, FRAMES, &answer);
    assert_true(view_equal(answer.frames[3], view_of("200")));
}

static bool is_readable(int fd)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    return poll(&item, 1, 0) == 1;
}

static void tells_of_refused_keys_and_of_those_it_had_no_room_for(void **state)
{
    enum { REFUSALS = ZAP_REFUSALS_KEPT + 3 };
    struct fixture *f = *state;
    SCOPED(net_close) void *asker = open_asker(f);
    struct view frames[FRAMES + 1];
    struct zap_refusal refusal;
    assert_false(is_readable(zap_fd(f->zap)));
    assert_false(zap_next_refusal(f->zap, &refusal));
    request_of(&f->stranger, frames);
    for (int i = 0; i < REFUSALS; i++) {
        SCOPED(net_message_close) struct net_message answer = {0};
        ask(asker, frames, FRAMES, &answer);
    }
    assert_true(is_readable(zap_fd(f->zap)));
    for (int i = 0; i < ZAP_REFUSALS_KEPT; i++) {
        assert_true(zap_next_refusal(f->zap, &refusal));
        assert_string_equal(refusal.public_key, f->stranger.public_key);
        assert_string_equal(refusal.address, "10.0.0.1");
        assert_int_equal(refusal.unreported, 0);
    }
    assert_false(is_readable(zap_fd(f->zap)));
    SCOPED(net_message_close) struct net_message answer = {0};
    ask(asker, frames, FRAMES, &answer);
    assert_true(zap_next_refusal(f->zap, &refusal));
    assert_int_equal(refusal.unreported, 3);
}

static void a_context_has_one_handler(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct zap *second = NULL;
    assert_int_equal(zap_start(f->context, f->slot, &second, &err), -1);
    assert_int_equal(err.code, ERR_STATE);
    assert_null(second);
    zap_stop(&f->zap);
    assert_int_equal(zap_start(f->context, f->slot, &f->zap, &err), 0);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(welcomes_a_known_key_with_itself_as_user),
        WITH_FIXTURE(refuses_every_request_with_a_wrong_frame),
        WITH_FIXTURE(goes_on_after_requests_that_cannot_be_answered),
        WITH_FIXTURE(tells_of_refused_keys_and_of_those_it_had_no_room_for),
        WITH_FIXTURE(a_context_has_one_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
