/* One output stream: ring, window, credit, and what is owed after the end. */
#include "init/stream.h"

#include "base/fault.h"
#include "base/scope.h"
#include "init/frame.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* A stream whose bytes are numbered: byte i is pattern(i). */
struct source {
    struct stream stream;
    int fd;
    int64_t written;
};

static uint8_t pattern(int64_t i)
{
    return (uint8_t)(i * 31 + i / 253);
}

static void source_close(struct source *s)
{
    stream_close(&s->stream);
    fd_close(&s->fd);
}

static struct source source_open(int64_t window)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    return (struct source){.stream = stream_open(ends[0], window), .fd = ends[1]};
}

/* Writes n bytes into the pipe (they must fit). */
static void put(struct source *s, int64_t n)
{
    uint8_t bytes[4096];
    for (int64_t done = 0, part; done < n; done += part) {
        part = n - done < (int64_t)sizeof bytes ? n - done : (int64_t)sizeof bytes;
        for (int64_t i = 0; i < part; i++)
            bytes[i] = pattern(s->written + i);
        assert_int_equal(write(s->fd, bytes, (size_t)part), part);
        s->written += part;
    }
}

/* Writes and reads n bytes in parts that fit the pipe; the stream must have room for them. */
static void pass(struct source *s, int64_t n)
{
    while (n) {
        int64_t part = n < 32768 ? n : 32768, end = s->stream.end + part;
        put(s, part);
        while (s->stream.end < end) {
            assert_true(stream_has_room(&s->stream));
            stream_fill(&s->stream);
        }
        n -= part;
    }
}

/* Takes all that may be sent and checks each byte; returns how much it was. */
static int64_t take(struct source *s)
{
    int64_t total = 0;
    for (;;) {
        struct view chunk = stream_next(&s->stream);
        if (!chunk.len)
            return total;
        assert_true(chunk.len <= FRAME_CHUNK_BYTES);
        for (size_t i = 0; i < chunk.len; i++)
            assert_int_equal(chunk.data[i], pattern(s->stream.sent + (int64_t)i));
        stream_sent(&s->stream, chunk.len);
        total += (int64_t)chunk.len;
    }
}

static void sends_no_more_than_the_credit(void **state)
{
    (void)state;
    struct err err;
    SCOPED(source_close) struct source s = source_open(1000);
    pass(&s, 5000);
    assert_int_equal(take(&s), 1000);
    assert_int_equal(stream_credit(&s.stream, 300, -1, &err), 0);
    assert_int_equal(take(&s), 300);
    assert_int_equal(stream_credit(&s.stream, INT32_MAX, -1, &err), 0);
    assert_int_equal(take(&s), 3700);
    assert_int_equal(s.stream.dropped, 0);
}

static void with_a_window_stops_reading_before_it_would_lose_a_byte(void **state)
{
    (void)state;
    struct err err;
    SCOPED(source_close) struct source s = source_open(1000);
    pass(&s, FRAME_RING_BYTES);
    assert_false(stream_has_room(&s.stream));
    assert_int_equal(take(&s), 1000);
    assert_false(stream_has_room(&s.stream)); /* sent is not acknowledged */
    assert_int_equal(stream_credit(&s.stream, 400, -1, &err), 0);
    assert_true(stream_has_room(&s.stream));
    put(&s, 5000);
    stream_fill(&s.stream);
    assert_int_equal(s.stream.end, FRAME_RING_BYTES + 400);
    assert_int_equal(s.stream.from, 400);
    assert_false(stream_has_room(&s.stream));
    assert_int_equal(take(&s), 400);
    assert_int_equal(s.stream.dropped, 0);
}

static void one_large_credit_lets_the_ring_go_round(void **state)
{
    (void)state;
    struct err err;
    SCOPED(source_close) struct source s = source_open(1000);
    assert_int_equal(stream_credit(&s.stream, INT32_MAX, -1, &err), 0);
    for (int i = 0; i < 10; i++) {
        pass(&s, FRAME_RING_BYTES / 2);
        assert_int_equal(take(&s), FRAME_RING_BYTES / 2);
    }
    stream_hold(&s.stream);
    assert_true(stream_has_room(&s.stream));
    assert_int_equal(s.stream.dropped, 0);
}

static void passes_many_rings_of_bytes_unchanged(void **state)
{
    (void)state;
    struct err err;
    SCOPED(source_close) struct source s = source_open(65536);
    int64_t taken = 0;
    while (taken < 20 * FRAME_RING_BYTES) {
        pass(&s, 12345);
        int64_t n = take(&s);
        assert_int_equal(n, 12345);
        taken += n;
        assert_int_equal(stream_credit(&s.stream, n, -1, &err), 0);
    }
    assert_int_equal(s.stream.dropped, 0);
}

static void without_a_window_keeps_the_newest_and_counts_the_rest(void **state)
{
    (void)state;
    struct err err;
    SCOPED(source_close) struct source s = source_open(0);
    pass(&s, FRAME_RING_BYTES + 1000);
    assert_int_equal(take(&s), 0);
    assert_int_equal(s.stream.dropped, 1000);
    assert_int_equal(stream_credit(&s.stream, 500, 0, &err), 0);
    assert_int_equal(s.stream.sent, 1000);
    assert_int_equal(take(&s), 500);
    pass(&s, 600); /* 1000 to 1499 were sent, so 100 of these 600 push out unsent ones */
    assert_int_equal(s.stream.from, 1600);
    assert_int_equal(s.stream.dropped, 1100);
}

static void starts_over_where_a_new_reader_says(void **state)
{
    (void)state;
    struct err err;
    SCOPED(source_close) struct source s = source_open(2000);
    pass(&s, 3000);
    assert_int_equal(take(&s), 2000);
    stream_hold(&s.stream);
    assert_int_equal(take(&s), 0);
    assert_int_equal(stream_credit(&s.stream, 1200, 700, &err), 0);
    assert_int_equal(s.stream.sent, 700);
    assert_int_equal(take(&s), 1200);
    assert_int_equal(stream_credit(&s.stream, 10, 3001, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
}

static void huge_credit_does_not_overflow(void **state)
{
    (void)state;
    struct err err;
    SCOPED(source_close) struct source s = source_open(10);
    for (int i = 0; i < 3; i++)
        assert_int_equal(stream_credit(&s.stream, INT64_MAX - 5, -1, &err), 0);
    assert_int_equal(s.stream.limit, INT64_MAX);
    pass(&s, 100);
    assert_int_equal(take(&s), 100);
}

static void ends_at_end_of_file(void **state)
{
    (void)state;
    SCOPED(source_close) struct source s = source_open(1000);
    put(&s, 10);
    fd_close(&s.fd);
    stream_fill(&s.stream);
    assert_true(s.stream.fd >= 0);
    stream_fill(&s.stream);
    assert_int_equal(s.stream.fd, -1);
    assert_int_equal(take(&s), 10);
}

static void settled_reads_what_is_there_and_not_what_comes(void **state)
{
    (void)state;
    SCOPED(source_close) struct source s = source_open(1000);
    put(&s, 10);
    stream_settle(&s.stream);
    put(&s, 5);
    stream_fill(&s.stream);
    assert_int_equal(s.stream.fd, -1);
    assert_int_equal(s.stream.end, 10);

    SCOPED(source_close) struct source empty = source_open(1000);
    stream_settle(&empty.stream);
    assert_int_equal(empty.stream.fd, -1);
}

#ifdef CORRAL_FAULTS
static void without_memory_drops_bytes_and_says_so(void **state)
{
    (void)state;
    SCOPED(source_close) struct source s = source_open(1000);
    put(&s, 100);
    fault_set(FAULT_ALLOC, 1, false);
    stream_fill(&s.stream);
    fault_set(FAULT_ALLOC, 0, false);
    assert_int_equal(s.stream.end, 100);
    assert_int_equal(s.stream.dropped, 100);
    pass(&s, 50); /* memory is back */
    assert_int_equal(s.stream.sent, 100);
    assert_int_equal(take(&s), 50);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_no_more_than_the_credit),
        cmocka_unit_test(with_a_window_stops_reading_before_it_would_lose_a_byte),
        cmocka_unit_test(one_large_credit_lets_the_ring_go_round),
        cmocka_unit_test(passes_many_rings_of_bytes_unchanged),
        cmocka_unit_test(without_a_window_keeps_the_newest_and_counts_the_rest),
        cmocka_unit_test(starts_over_where_a_new_reader_says),
        cmocka_unit_test(huge_credit_does_not_overflow),
        cmocka_unit_test(ends_at_end_of_file),
        cmocka_unit_test(settled_reads_what_is_there_and_not_what_comes),
#ifdef CORRAL_FAULTS
        cmocka_unit_test(without_memory_drops_bytes_and_says_so),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
