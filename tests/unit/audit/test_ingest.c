/* The rules by which records are taken: order, gaps, repeats, forks, epochs, whose source it is. */
#include "tests/unit/audit/records.h"

#include "audit/ingest.h"
#include "base/clock.h"
#include "base/fault.h"

#define OWN "audit@host"
#define SOURCE "manager@host"

/* An intake with one service that speaks, and the newest answer it got. */
struct desk {
    struct ingest *ingest;
    struct address peer, live;
    struct record_answer said;
    int answers;
};

static void note_answer(void *context, const struct address *to, const struct record_answer *answer)
{
    struct desk *d = context;
    assert_false(to->published);
    d->said = *answer;
    d->answers++;
}

static void desk_open(struct desk *d)
{
    struct err err;
    *d = (struct desk){.peer = {.peer = "peer", .peer_bytes = 4}, .live = {.published = true}};
    static const struct redactor redactor = {{7}};
    struct ingest_options options = {OWN, &redactor, note_answer, d};
    assert_int_equal(ingest_new(&options, &d->ingest, &err), 0);
}

static void desk_close(struct desk *d)
{
    ingest_free(&d->ingest);
}

static int setup(void **state)
{
    struct err err;
    struct desk *d = malloc(sizeof *d);
    desk_open(d);
    assert_int_equal(ingest_start(d->ingest, 7, &err), 0);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    desk_close(*state);
    free(*state);
    return 0;
}

static struct sender manager_by(const struct address *from)
{
    return (struct sender){"manager", "corral", "manager", from};
}

static int hello_as(struct desk *d, struct sender sender, const char *source, int64_t epoch,
                    int64_t first, int64_t last, struct err *err)
{
    struct record_hello hello = {.epoch = epoch, .first = first, .last = last};
    text_copy(hello.source, sizeof hello.source, source);
    return ingest_hello(d->ingest, &sender, &hello, err);
}

static void hello(struct desk *d, int64_t epoch, int64_t first, int64_t last)
{
    struct err err;
    if (hello_as(d, manager_by(&d->peer), SOURCE, epoch, first, last, &err))
        fail_msg("hello: %s", err.text);
}

/* Pushes records first … last whose payload is a text, so that a test can make them differ. */
static int push_as(struct desk *d, struct sender sender, const char *source, int64_t epoch,
                   int64_t first, int64_t last, const char *text, struct err *err)
{
    SCOPED(bytes_close) struct bytes store = bytes_open(1 << 20);
    struct record_push push = {.epoch = epoch};
    text_copy(push.source, sizeof push.source, source);
    for (int64_t seq = first; seq <= last; seq++) {
        struct record_item item = {.seq = seq, .type = 9, .payload = view_of(text)};
        assert_int_equal(list_add(&store, &push.records, &message_record_item, &item, err), 0);
    }
    return ingest_push(d->ingest, &sender, &push, 5, err);
}

static void push(struct desk *d, int64_t epoch, int64_t first, int64_t last)
{
    struct err err;
    if (push_as(d, manager_by(&d->peer), SOURCE, epoch, first, last, "x", &err))
        fail_msg("push: %s", err.text);
}

static void push_live(struct desk *d, int64_t epoch, int64_t first, int64_t last)
{
    struct err err;
    if (push_as(d, manager_by(&d->live), SOURCE, epoch, first, last, "x", &err))
        fail_msg("push: %s", err.text);
}

/* What waits to be written: "seq seq … kind …" of both sources, in order; commits it. */
static void written(struct desk *d, char to[4096])
{
    size_t n = 0;
    to[0] = 0;
    for (struct batch *batch; (batch = ingest_take(d->ingest));) {
        for (size_t i = 0; i < batch->count; i++) {
            const struct entry *e = &batch->entries[i];
            struct event event;
            struct err err;
            const char *gap = n ? " " : "";
            if (e->type != RECORD_EVENT)
                n += (size_t)snprintf(to + n, 4096 - n, "%s%s%lld", gap, e->is_known ? "=" : "",
                                      (long long)e->seq);
            else if (!schema_decode(&message_event, batch_payload(batch, e), SCHEMA_LENIENT, &event,
                                    &err))
                n += (size_t)snprintf(to + n, 4096 - n, "%s%s", gap, event.kind);
            assert_true(n < 4096);
        }
        ingest_committed(d->ingest, &batch);
    }
}

#define assert_written(d, expected)                                                                \
    do {                                                                                           \
        char is[4096];                                                                             \
        written(d, is);                                                                            \
        assert_string_equal(is, expected);                                                         \
    } while (0)

static void takes_what_continues_and_answers_after_the_commit(void **state)
{
    struct desk *d = *state;
    hello(d, 3, 1, 0);
    assert_int_equal(d->answers, 1);
    assert_int_equal(d->said.upto, 0);
    assert_int_equal(d->said.from, 0);
    push_live(d, 3, 1, 2);
    push(d, 3, 3, 4);
    assert_int_equal(d->answers, 1); /* nothing is committed yet */
    assert_written(d, "source_bound 1 2 3 4");
    assert_int_equal(d->answers, 2);
    assert_int_equal(d->said.epoch, 3);
    assert_int_equal(d->said.upto, 4);
    assert_int_equal(d->said.from, 0);
}

static void asks_at_the_first_hello_for_what_is_missing(void **state)
{
    struct desk *d = *state;
    hello(d, 3, 1, 5);
    assert_int_equal(d->said.upto, 0);
    assert_int_equal(d->said.from, 1);
    assert_int_equal(d->said.credit, 5);
    push(d, 3, 1, 5);
    assert_written(d, "source_bound 1 2 3 4 5");
    assert_int_equal(d->said.upto, 5);
    assert_int_equal(d->said.from, 0);
}

static void asks_at_a_gap_and_takes_nothing_beyond_it(void **state)
{
    struct desk *d = *state;
    hello(d, 3, 1, 0);
    push_live(d, 3, 1, 1);
    push_live(d, 3, 3, 6);
    assert_int_equal(d->said.from, 2);
    assert_int_equal(d->said.credit, 5);
    push_live(d, 3, 7, 7); /* one question is enough */
    assert_int_equal(d->answers, 2);
    push(d, 3, 2, 6);
    assert_int_equal(d->said.from, 7); /* and now the rest */
    assert_written(d, "source_bound 1 2 3 4 5 6");
    assert_int_equal(d->said.upto, 6);
    push(d, 3, 7, 7);
    assert_written(d, "7");
    assert_int_equal(d->said.upto, 7);
}

static void leaves_the_live_publication_its_time(void **state)
{
    struct desk *d = *state;
    hello(d, 3, 1, 0);
    hello(d, 3, 1, 4);
    assert_int_equal(d->said.from, 0); /* may still be on its way */
    hello(d, 3, 1, 4);
    assert_int_equal(d->said.from, 1); /* is not */
    assert_int_equal(d->said.credit, 4);
}

static int64_t now_ns = 1000ll * S_NS;

static int64_t tell_now(int clock)
{
    (void)clock;
    return now_ns;
}

static void asks_again_when_nothing_was_pushed_for_long(void **state)
{
    struct desk *d = *state;
    clock_hook(tell_now);
    hello(d, 3, 1, 5);
    assert_int_equal(d->said.from, 1);
    now_ns += 4ll * S_NS;
    push(d, 3, 1, 2);
    for (int i = 0; i < 9; i++) {
        hello(d, 3, 1, 5); /* many at once, as a slow reader finds them */
        assert_int_equal(d->said.from, 0);
    }
    now_ns += 4ll * S_NS;
    hello(d, 3, 1, 5);
    assert_int_equal(d->said.from, 0);
    now_ns += 2ll * S_NS;
    hello(d, 3, 1, 5);
    clock_hook(NULL);
    assert_int_equal(d->said.from, 3);
    assert_int_equal(d->said.credit, 3);
}

static void asks_again_only_behind_the_end_of_a_window(void **state)
{
    struct desk *d = *state;
    hello(d, 3, 1, 300);
    assert_int_equal(d->answers, 1);
    push(d, 3, 1, 64);
    push(d, 3, 129, 192); /* one push was lost, and what follows is of no use */
    push(d, 3, 193, 256);
    assert_int_equal(d->answers, 1);
    push(d, 3, 257, 300);
    assert_int_equal(d->answers, 2);
    assert_int_equal(d->said.from, 65);
    assert_int_equal(d->said.credit, 236);
}

static void asks_a_reconnected_journal_at_once(void **state)
{
    struct desk *d = *state;
    hello(d, 3, 1, 5);
    d->peer.peer[0] = 'q';
    hello(d, 3, 1, 5);
    assert_int_equal(d->answers, 2);
    assert_int_equal(d->said.from, 1);
}

static void drops_what_it_has_but_for_a_comparison(void **state)
{
    struct desk *d = *state;
    hello(d, 3, 1, 0);
    push(d, 3, 1, 3);
    push(d, 3, 2, 4);
    assert_written(d, "source_bound 1 2 3 =2 =3 4");
    push_live(d, 3, 4, 4);
    assert_written(d, "=4");
    assert_int_equal(d->said.upto, 4);
}

static void reports_forks_once_a_batch(void **state)
{
    struct desk *d = *state;
    struct batch *batch;
    hello(d, 3, 1, 0);
    push(d, 3, 1, 3);
    assert_written(d, "source_bound 1 2 3");
    push(d, 3, 1, 3);
    batch = ingest_take(d->ingest);
    assert_int_equal(batch->count, 3);
    batch->entries[1].is_fork = batch->entries[2].is_fork = true; /* as the store says */
    ingest_committed(d->ingest, &batch);
    assert_written(d, "fork_detected");
}

static void goes_on_in_a_new_epoch_and_says_what_became_of_the_old_one(void **state)
{
    struct desk *d = *state;
    hello(d, 3, 1, 0);
    push(d, 3, 1, 3);
    assert_written(d, "source_bound 1 2 3");
    hello(d, 9, 1, 2);
    assert_int_equal(d->said.epoch, 9);
    assert_int_equal(d->said.upto, 0);
    assert_int_equal(d->said.from, 1);
    push(d, 9, 1, 2);
    assert_written(d, "source_epoch_changed 1 2");
    assert_int_equal(d->said.upto, 2);
}

static void refuses_an_older_epoch_and_says_so_once(void **state)
{
    struct desk *d = *state;
    struct err err;
    hello(d, 3, 1, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(hello_as(d, manager_by(&d->peer), SOURCE, 2, 1, 4, &err), -1);
        assert_int_equal(err.code, ERR_STATE);
        assert_int_equal(push_as(d, manager_by(&d->live), SOURCE, 2, 1, 4, "x", &err), -1);
    }
    assert_written(d, "source_bound source_refused");
    assert_int_equal(d->said.epoch, 3);
}

static void records_what_is_gone_and_continues_behind_it(void **state)
{
    struct desk *d = *state;
    hello(d, 3, 1, 0);
    push(d, 3, 1, 2);
    hello(d, 3, 6, 7);
    push(d, 3, 6, 7);
    hello(d, 3, 6, 7);
    assert_written(d, "source_bound 1 2 records_missing 6 7");
    assert_int_equal(d->said.upto, 7);
    push_live(d, 3, 4, 4); /* late: compared, never stored out of order */
    assert_written(d, "=4");
}

static void binds_a_source_to_the_principal_that_spoke_first(void **state)
{
    struct desk *d = *state;
    struct err err;
    struct sender thief = {"manager", "corral", "manager-2", &d->peer};
    hello(d, 3, 1, 0);
    assert_int_equal(push_as(d, thief, SOURCE, 3, 1, 2, "x", &err), -1);
    assert_int_equal(err.code, ERR_FORBIDDEN);
    assert_int_equal(hello_as(d, thief, SOURCE, 4, 1, 2, &err), -1);
    thief = (struct sender){"manager", "other", "manager", &d->peer}; /* of another tenant */
    assert_int_equal(hello_as(d, thief, SOURCE, 4, 1, 2, &err), -1);
    thief.tenant = "corral"; /* as at first: no news */
    thief.principal = "manager-2";
    assert_int_equal(hello_as(d, thief, SOURCE, 4, 1, 2, &err), -1);
    assert_written(d, "source_bound source_refused source_refused");
}

static void refuses_keys_that_are_not_the_sources_service(void **state)
{
    struct desk *d = *state;
    struct err err;
    const struct sender senders[] = {{"guardian", "corral", "guardian", &d->peer},
                                     {"", "red", "alice", &d->live},
                                     {"manage", "corral", "manage", &d->peer}};
    for (size_t i = 0; i < COUNT(senders); i++) {
        assert_int_equal(push_as(d, senders[i], SOURCE, 3, 1, 1, "x", &err), -1);
        assert_int_equal(err.code, ERR_FORBIDDEN);
    }
    const char *const names[] = {"manager",          "manager@", "manager@a/b",
                                 "manager@\xc3\xbc", "@host",    ""};
    for (size_t i = 0; i < COUNT(names); i++)
        assert_int_equal(hello_as(d, manager_by(&d->peer), names[i], 3, 1, 1, &err), -1);
    struct sender twin = {"audit", "corral", "audit", &d->peer}; /* speaks for us */
    assert_int_equal(hello_as(d, twin, OWN, 9, 1, 1, &err), -1);
    assert_int_equal(d->answers, 0);
    char is[4096];
    written(d, is);
    assert_null(strstr(is, "bound"));
    assert_non_null(strstr(is, "source_refused"));
}

static void keeps_the_order_of_two_sources_and_answers_each(void **state)
{
    struct desk *d = *state;
    struct err err;
    struct sender other = {"guardian", "corral", "guardian", &d->peer};
    hello(d, 3, 1, 0);
    assert_int_equal(hello_as(d, other, "guardian@host", 5, 1, 0, &err), 0);
    push(d, 3, 1, 1);
    assert_int_equal(push_as(d, other, "guardian@host", 5, 1, 2, "y", &err), 0);
    push(d, 3, 2, 2);
    d->answers = 0;
    assert_written(d, "source_bound source_bound 1 1 2 2");
    assert_int_equal(d->answers, 2);
}

static void promises_only_what_was_committed_before_a_restart(void **state)
{
    (void)state;
    struct err err;
    struct desk d;
    desk_open(&d);
    struct place place = {.source = 4, .name = SOURCE, .owner = "corral/manager", .epoch = 3};
    place.upto = 12;
    assert_int_equal(ingest_restore(d.ingest, &place, &err), 0);
    place = (struct place){.source = 2, .name = OWN, .epoch = 7, .upto = 40};
    assert_int_equal(ingest_restore(d.ingest, &place, &err), 0);
    assert_int_equal(ingest_start(d.ingest, 99, &err), 0);
    int64_t last;
    assert_int_equal(ingest_own_place(d.ingest, &last).epoch, 7);
    assert_int_equal(last, 40);
    hello(&d, 3, 1, 14);
    assert_int_equal(d.said.upto, 12);
    assert_int_equal(d.said.from, 13);
    push(&d, 3, 13, 14);
    assert_written(&d, "13 14");
    desk_close(&d);
}

static void a_full_queue_takes_no_more_and_asks_again_once_there_is_room(void **state)
{
    struct desk *d = *state;
    hello(d, 3, 1, 0);
    for (int64_t seq = 1; seq < INGEST_RECORDS + 1000; seq += 512)
        push_live(d, 3, seq, seq + 511);
    int answers = d->answers;
    struct batch *batch = ingest_take(d->ingest);
    assert_int_equal(batch->count, BATCH_RECORDS);
    ingest_committed(d->ingest, &batch);
    assert_int_equal(d->answers, answers + 1);
    assert_int_equal(d->said.upto, BATCH_RECORDS - 1); /* one was source_bound */
    assert_int_equal(d->said.from, INGEST_RECORDS);
    assert_true(d->said.credit > 0 && d->said.credit <= BATCH_RECORDS);
}

static void asks_for_no_more_than_there_is_room_for(void **state)
{
    struct desk *d = *state;
    struct err err;
    int64_t granted = 0;
    for (int i = 0; i < 8; i++) {
        char name[SOURCE_BYTES];
        snprintf(name, sizeof name, "manager@h%d", i);
        assert_int_equal(hello_as(d, manager_by(&d->peer), name, 3, 1, 1000000, &err), 0);
        granted += d->said.credit;
        assert_true(d->said.credit <= INGEST_WINDOW);
    }
    assert_true(granted <= INGEST_RECORDS);
    assert_true(granted >= INGEST_RECORDS - 16);
}

static void the_next_window_follows_the_one_that_has_come(void **state)
{
    struct desk *d = *state;
    hello(d, 3, 1, 3 * INGEST_WINDOW);
    assert_int_equal(d->said.credit, INGEST_WINDOW);
    push(d, 3, 1, 512);
    assert_int_equal(d->answers, 1);
    push(d, 3, 513, INGEST_WINDOW);
    assert_int_equal(d->answers, 2);
    assert_int_equal(d->said.from, INGEST_WINDOW + 1);
    assert_int_equal(d->said.credit, INGEST_WINDOW);
    assert_int_equal(d->said.upto, 0);
}

static void numbers_at_the_end_of_their_range_do_no_harm(void **state)
{
    struct desk *d = *state;
    struct err err;
    hello(d, INT64_MAX, INT64_MAX, INT64_MAX);
    push(d, INT64_MAX, INT64_MAX, INT64_MAX - 1); /* no record at all */
    assert_int_equal(d->said.from, INT64_MAX);
    struct record_item item = {.seq = INT64_MAX, .type = 9, .payload = view_of("x")};
    SCOPED(bytes_close) struct bytes store = bytes_open(1024);
    struct record_push last = {.source = SOURCE, .epoch = INT64_MAX};
    assert_int_equal(list_add(&store, &last.records, &message_record_item, &item, &err), 0);
    struct sender sender = manager_by(&d->peer);
    assert_int_equal(ingest_push(d->ingest, &sender, &last, 1, &err), 0);
    hello(d, INT64_MAX, INT64_MAX, INT64_MAX);
    char is[4096];
    written(d, is);
    assert_string_equal(is, "source_bound records_missing 9223372036854775807");
    assert_int_equal(d->said.upto, INT64_MAX);
    assert_int_equal(d->said.from, 0);
}

/* What could not be taken for want of memory is asked for again; nothing is lost or out of order.
 */
static void an_allocation_that_fails_costs_a_question_and_no_record(void **state)
{
    (void)state;
    int failures = 0;
    for (long n = 1; n < 40; n++) {
        struct err err;
        struct desk d;
        char is[4096];
        desk_open(&d);
        assert_int_equal(ingest_start(d.ingest, 7, &err), 0);
        SCOPED(bytes_close) struct bytes store = bytes_open(1 << 20);
        struct record_push push = {.source = SOURCE, .epoch = 3};
        for (int64_t seq = 1; seq <= 4; seq++) {
            struct record_item item = {.seq = seq, .type = 9, .payload = view_of("x")};
            assert_int_equal(list_add(&store, &push.records, &message_record_item, &item, &err), 0);
        }
        struct sender sender = manager_by(&d.peer);
        fault_set(FAULT_ALLOC, n, false);
        failures += ingest_push(d.ingest, &sender, &push, 1, &err) < 0;
        bool is_over = fault_count(FAULT_ALLOC) < n;
        fault_set(FAULT_ALLOC, 0, false);
        hello(&d, 3, 1, 4);
        if (d.said.from)
            assert_int_equal(ingest_push(d.ingest, &sender, &push, 1, &err), 0);
        written(&d, is);
        assert_int_equal(d.said.upto, 4);
        desk_close(&d);
        if (is_over) {
            assert_true(failures > 0);
            return;
        }
    }
    fail_msg("the story never passed");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(takes_what_continues_and_answers_after_the_commit),
        TEST(asks_at_the_first_hello_for_what_is_missing),
        TEST(asks_at_a_gap_and_takes_nothing_beyond_it),
        TEST(leaves_the_live_publication_its_time),
        TEST(asks_again_when_nothing_was_pushed_for_long),
        TEST(asks_again_only_behind_the_end_of_a_window),
        TEST(asks_a_reconnected_journal_at_once),
        TEST(drops_what_it_has_but_for_a_comparison),
        TEST(reports_forks_once_a_batch),
        TEST(goes_on_in_a_new_epoch_and_says_what_became_of_the_old_one),
        TEST(refuses_an_older_epoch_and_says_so_once),
        TEST(records_what_is_gone_and_continues_behind_it),
        TEST(binds_a_source_to_the_principal_that_spoke_first),
        TEST(refuses_keys_that_are_not_the_sources_service),
        TEST(keeps_the_order_of_two_sources_and_answers_each),
        TEST(promises_only_what_was_committed_before_a_restart),
        TEST(a_full_queue_takes_no_more_and_asks_again_once_there_is_room),
        TEST(asks_for_no_more_than_there_is_room_for),
        TEST(the_next_window_follows_the_one_that_has_come),
        TEST(numbers_at_the_end_of_their_range_do_no_harm),
        cmocka_unit_test(an_allocation_that_fails_costs_a_question_and_no_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
