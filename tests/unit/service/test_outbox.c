/* The outbox against an audit that is played here: two pairs of inproc sockets stand for the live
 * publication and for the way of the truth. */
#include "service/outbox.h"

#include "base/clock.h"
#include "base/text.h"
#include "net/socket.h"
#include "net/wire.h"
#include "tests/unit/store/place.h"

#include <sodium.h>
#include <sys/eventfd.h>
#include <time.h>

enum { DEGRADED_MS = 5000, JOURNAL_BYTES = 64 << 20 };

static struct err err;
static struct place place;
static void *context, *live[2], *truth[2]; /* the outbox's end, the audit's end */
static struct loop *loop;
static struct outbox *outbox;
static int barrier; /* always ready */
static uint64_t durable;
static int64_t skipped_ns;

static int64_t moved_clock(int clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * S_NS + t.tv_nsec + skipped_ns;
}

static void stop(void *ignored)
{
    (void)ignored;
    loop_stop(loop);
}

static void on_durable(void *ignored, uint64_t seq)
{
    (void)ignored;
    durable = seq;
}

static void on_failed(void *ignored, const struct err *why)
{
    (void)ignored;
    fail_msg("%s", why->text);
}

static void make_pair(void *ends[2], const char *endpoint)
{
    for (int i = 0; i < 2; i++)
        ends[i] = zmq_socket(context, ZMQ_PAIR);
    assert_int_equal(zmq_bind(ends[0], endpoint), 0);
    assert_int_equal(zmq_connect(ends[1], endpoint), 0);
}

static void start(bool is_live, int64_t bound_bytes)
{
    struct journal_found found;
    struct outbox_options options = {.loop = loop,
                                     .dirfd = place.dir,
                                     .source = "manager@test",
                                     .bound_bytes = bound_bytes,
                                     .degraded_ms = DEGRADED_MS,
                                     .live = is_live ? live[0] : NULL,
                                     .truth = truth[0],
                                     .durable = on_durable,
                                     .failed = on_failed};
    if (outbox_new(&options, &outbox, &found, &err))
        fail_msg("%s", err.text);
}

static int open_world(void **state)
{
    (void)state;
    durable = 0;
    skipped_ns = 0;
    clock_hook(moved_clock);
    place = place_open();
    context = zmq_ctx_new();
    make_pair(live, "inproc://live");
    make_pair(truth, "inproc://truth");
    barrier = eventfd(1, EFD_CLOEXEC);
    return sodium_init() < 0 || loop_new(&loop, &err) ? -1 : 0;
}

static int close_world(void **state)
{
    (void)state;
    outbox_free(&outbox);
    loop_free(&loop);
    for (int i = 0; i < 2; i++) {
        net_close(&live[i]);
        net_close(&truth[i]);
    }
    zmq_ctx_term(context);
    close(barrier);
    place_close(&place);
    clock_hook(NULL);
    return 0;
}

/* One turn of the loop: its last watch is the barrier, so what waits for the outbox is taken. */
static void turn(void)
{
    assert_int_equal(loop_watch_fd(loop, barrier, stop, NULL, &err), 0);
    loop_run(loop);
    loop_end_fd(loop, barrier);
}

static int append(bool is_urgent)
{
    uint64_t seq;
    struct event event = {.kind = "test", .phase = "event"};
    return outbox_append(outbox, &event, is_urgent, &seq, &err);
}

/* Appends records and lets the loop run until they are on disk and shown. */
static void record(uint64_t count)
{
    uint64_t wanted = durable + count;
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(append(false), 0);
    while (durable < wanted) {
        struct pollfd notice = {.fd = journal_fd(outbox_journal(outbox)), .events = POLLIN};
        assert_int_equal(poll(&notice, 1, 10000), 1);
        turn();
    }
}

static uint64_t epoch(void)
{
    return journal_epoch(outbox_journal(outbox));
}

/* Checks that the next records of a message continue at *next. */
static void follow(struct view body, uint64_t *next)
{
    struct record_push push;
    struct record_item item;
    assert_int_equal(schema_decode(&message_record_push, body, SCHEMA_LENIENT, &push, &err), 0);
    assert_string_equal(push.source, "manager@test");
    assert_int_equal(push.epoch, epoch());
    for (struct list rest = push.records; list_next(&rest, &message_record_item, &item);)
        assert_int_equal(item.seq, (*next)++);
}

/* Takes every push off a socket's end; how many records came, in order from `first`. */
static uint64_t pushed(void *end, uint64_t first)
{
    uint64_t next = first;
    for (;;) {
        SCOPED(net_message_close) struct net_message m = {0};
        struct wire_request request;
        if (net_recv_unnamed(end, &m, &err) != 1)
            return next - first;
        if (end == live[1]) {
            follow(m.frames[2], &next);
            continue;
        }
        assert_int_equal(wire_parse_request(m.frames, m.count, &request, &err), 0);
        if (!strcmp(request.operation, "record.push"))
            follow(request.body, &next);
    }
}

static void answer(struct record_answer said)
{
    static const uint8_t id[WIRE_ID_BYTES];
    SCOPED(bytes_close) struct bytes body = bytes_open(1024);
    said.epoch = said.epoch ? said.epoch : (int64_t)epoch();
    assert_int_equal(schema_encode(&message_record_answer, &said, &body, &err), 0);
    struct wire_frames f =
        wire_answer_frames(view_of("peer"), false, id, WIRE_OK, bytes_view(&body));
    assert_int_equal(net_send(truth[1], f.frames + 1, f.count - 1, &err), 0);
    turn();
}

static void presents_its_journal_at_once(void **state)
{
    (void)state;
    start(true, JOURNAL_BYTES);
    SCOPED(net_message_close) struct net_message m = {0};
    struct wire_request request;
    struct record_hello hello;
    assert_int_equal(net_recv_unnamed(truth[1], &m, &err), 1);
    assert_int_equal(wire_parse_request(m.frames, m.count, &request, &err), 0);
    assert_string_equal(request.operation, "record.hello");
    assert_int_equal(
        schema_decode(&message_record_hello, request.body, SCHEMA_LENIENT, &hello, &err), 0);
    assert_int_equal(hello.epoch, epoch());
    assert_int_equal(hello.first, 1);
    assert_int_equal(hello.last, 0);
}

static void shows_what_is_durable_live_and_in_order(void **state)
{
    (void)state;
    start(true, JOURNAL_BYTES);
    record(100);
    record(1);
    assert_int_equal(pushed(live[1], 1), 101);
    assert_int_equal(pushed(truth[1], 1), 0);
}

static void pushes_again_what_the_live_publication_lost(void **state)
{
    (void)state;
    start(true, JOURNAL_BYTES);
    record(100);
    assert_int_equal(pushed(live[1], 1), 100);
    answer((struct record_answer){.upto = 30, .from = 31, .credit = 1000});
    assert_int_equal(outbox_acked(outbox), 30);
    assert_int_equal(pushed(truth[1], 31), 70);
}

static void delivers_everything_without_a_live_publication(void **state)
{
    (void)state;
    start(false, JOURNAL_BYTES);
    record(200);
    for (uint64_t acked = 0; acked < 200; acked += 50) {
        answer((struct record_answer){
            .upto = (int64_t)acked, .from = (int64_t)acked + 1, .credit = 50});
        assert_int_equal(pushed(truth[1], acked + 1), 50);
    }
    answer((struct record_answer){.upto = 200});
    assert_int_equal(outbox_acked(outbox), 200);
    assert_int_equal(pushed(truth[1], 201), 0);
}

static void an_answer_about_another_epoch_changes_nothing(void **state)
{
    (void)state;
    start(false, JOURNAL_BYTES);
    record(10);
    int64_t other = (int64_t)epoch() + 1;
    answer((struct record_answer){.epoch = other, .upto = 5, .from = 6, .credit = 10});
    assert_int_equal(outbox_acked(outbox), 0);
    assert_int_equal(pushed(truth[1], 1), 0);
}

static void an_audit_that_knows_more_than_there_is_is_not_believed(void **state)
{
    (void)state;
    start(false, JOURNAL_BYTES);
    record(10);
    answer((struct record_answer){.upto = 11, .from = 1, .credit = 10});
    answer((struct record_answer){.upto = INT64_MAX});
    assert_int_equal(outbox_acked(outbox), 0);
    assert_int_equal(pushed(truth[1], 1), 0);
    answer((struct record_answer){.upto = 0, .from = 12, .credit = 10});
    assert_int_equal(pushed(truth[1], 1), 0);
    answer((struct record_answer){.upto = 0, .from = 1, .credit = 10});
    assert_int_equal(pushed(truth[1], 1), 10);
}

static void what_was_acknowledged_stays_so(void **state)
{
    (void)state;
    start(false, JOURNAL_BYTES);
    record(10);
    answer((struct record_answer){.upto = 8});
    answer((struct record_answer){.upto = 3});
    assert_int_equal(outbox_acked(outbox), 8);
}

static void is_degraded_while_the_audit_is_silent(void **state)
{
    (void)state;
    start(false, JOURNAL_BYTES);
    assert_int_equal(outbox_state(outbox), OUTBOX_NORMAL);
    assert_string_equal(outbox_detail(outbox), "");
    skipped_ns += (DEGRADED_MS + 1000) * (int64_t)MS_NS;
    assert_int_equal(outbox_state(outbox), OUTBOX_DEGRADED);
    assert_non_null(strstr(outbox_detail(outbox), "for 6 s"));
    assert_int_equal(append(false), 0); /* work goes on */
    answer((struct record_answer){.upto = 0});
    assert_int_equal(outbox_state(outbox), OUTBOX_NORMAL);
}

static void a_full_journal_takes_only_what_is_urgent(void **state)
{
    (void)state;
    start(false, 64); /* one record is more */
    assert_int_equal(append(true), 0);
    struct pollfd notice = {.fd = journal_fd(outbox_journal(outbox)), .events = POLLIN};
    assert_int_equal(poll(&notice, 1, 10000), 1);
    turn();
    assert_int_equal(outbox_state(outbox), OUTBOX_SEALED);
    assert_int_equal(append(false), -1);
    assert_int_equal(err.code, ERR_RESTRICTED);
    assert_int_equal(append(true), 0);
}

int main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
    const struct CMUnitTest tests[] = {
        WITH_WORLD(presents_its_journal_at_once),
        WITH_WORLD(shows_what_is_durable_live_and_in_order),
        WITH_WORLD(pushes_again_what_the_live_publication_lost),
        WITH_WORLD(delivers_everything_without_a_live_publication),
        WITH_WORLD(an_answer_about_another_epoch_changes_nothing),
        WITH_WORLD(an_audit_that_knows_more_than_there_is_is_not_believed),
        WITH_WORLD(what_was_acknowledged_stays_so),
        WITH_WORLD(is_degraded_while_the_audit_is_silent),
        WITH_WORLD(a_full_journal_takes_only_what_is_urgent),
    };
#undef WITH_WORLD
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
