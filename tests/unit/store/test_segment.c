/* The journal's format: every bit counts, and what recovery believes. */
#include "base/scope.h"
#include "store/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { SALT = 0x5eed, ROOM = 2048, FIRST = 41 };

struct image {
    uint8_t bytes[ROOM];
    size_t at[8]; /* offsets of records, then the end */
    int records;
};

static struct image image_open(void)
{
    struct image m = {.at = {SEGMENT_HEADER_BYTES}};
    struct segment_header header = {.source = "0123456789abcde",
                                    .epoch = 7,
                                    .first_seq = FIRST,
                                    .before_first = 3,
                                    .before_tail = 9,
                                    .salt = SALT};
    segment_header_write(m.bytes, &header);
    return m;
}

static void add(struct image *m, uint16_t flags, const char *payload)
{
    uint8_t *to = m->bytes + m->at[m->records];
    struct journal_record record = {.seq = FIRST + (uint64_t)m->records,
                                    .wall_ns = 1,
                                    .boot_ns = 2,
                                    .type = 3,
                                    .payload = view_of(payload)};
    segment_record_write(to, &record);
    segment_record_seal(to, flags, SALT);
    m->at[m->records + 1] = m->at[m->records] + segment_record_size(to);
    m->records++;
}

static struct view whole(const struct image *m)
{
    return (struct view){m->bytes, sizeof m->bytes};
}

/* Three records, each a batch of its own. */
static struct image three_batches(void)
{
    struct image m = image_open();
    add(&m, SEGMENT_BATCH_FIRST, "one");
    add(&m, SEGMENT_BATCH_FIRST, "");
    add(&m, SEGMENT_BATCH_FIRST, "the third one");
    return m;
}

static void scans_a_clean_segment(void **state)
{
    (void)state;
    struct image m = three_batches();
    struct segment_scan scan;
    struct err err;
    assert_int_equal(segment_scan(whole(&m), &scan, &err), 0);
    assert_int_equal(scan.last_seq, FIRST + 2);
    assert_int_equal(scan.end, m.at[3]);
    assert_int_equal(scan.torn, 0);
    assert_int_equal(scan.header.epoch, 7);
    assert_int_equal(scan.header.before_first, 3);
    assert_int_equal(scan.header.before_tail, 9);
    assert_memory_equal(scan.header.source, "0123456789abcde", 16);
    memset(m.bytes + m.at[0], 0, ROOM - m.at[0]);
    assert_int_equal(segment_scan(whole(&m), &scan, &err), 0);
    assert_int_equal(scan.last_seq, FIRST - 1);
    assert_int_equal(scan.tail, 9);
}

static void notices_every_flipped_bit_of_the_header(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < SEGMENT_HEADER_BYTES * 8; bit++) {
        struct image m = three_batches();
        struct segment_scan scan;
        struct err err;
        m.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(segment_scan(whole(&m), &scan, &err), -1);
        assert_int_equal(err.code, ERR_STORE);
    }
}

static void notices_every_flipped_bit_of_every_record(void **state)
{
    (void)state;
    for (size_t bit = SEGMENT_HEADER_BYTES * 8; bit < three_batches().at[3] * 8; bit++) {
        struct image m = three_batches();
        struct segment_scan scan;
        struct err err;
        m.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        int result = segment_scan(whole(&m), &scan, &err);
        if (bit / 8 < m.at[2]) { /* a record behind it proves that it had been durable */
            assert_int_equal(result, -1);
            assert_int_equal(err.code, ERR_STORE);
            continue;
        }
        assert_int_equal(result, 0);
        assert_int_equal(scan.last_seq, FIRST + 1);
        assert_int_equal(scan.end, m.at[2]);
        assert_true(scan.torn > 0);
    }
}

static void cuts_the_last_record_at_every_length(void **state)
{
    (void)state;
    for (size_t len = SEGMENT_HEADER_BYTES; len <= ROOM; len++) {
        struct image m = three_batches();
        struct segment_scan scan;
        struct err err;
        assert_int_equal(segment_scan((struct view){m.bytes, len}, &scan, &err), 0);
        uint64_t kept = len >= m.at[3] ? 3 : len >= m.at[2] ? 2 : len >= m.at[1] ? 1 : 0;
        assert_int_equal(scan.last_seq, FIRST + kept - 1);
        assert_int_equal(scan.end, m.at[kept]);
    }
    struct image m = three_batches();
    struct segment_scan scan;
    struct err err;
    assert_int_equal(segment_scan((struct view){m.bytes, SEGMENT_HEADER_BYTES - 1}, &scan, &err),
                     -1);
    assert_int_equal(segment_scan((struct view){0}, &scan, &err), -1);
}

/* A power cut may keep any part of the newest batch: damage inside it, with intact records of the
 * same batch behind, is a torn tail. */
static void cuts_damage_inside_the_newest_batch(void **state)
{
    (void)state;
    struct image m = image_open();
    add(&m, SEGMENT_BATCH_FIRST, "a batch of its own");
    add(&m, SEGMENT_BATCH_FIRST, "first of three");
    add(&m, 0, "second of three");
    add(&m, 0, "third of three");
    struct segment_scan scan;
    struct err err;
    memset(m.bytes + m.at[1], 0, m.at[3] - m.at[1]); /* the first two never reached the disk */
    assert_int_equal(segment_scan(whole(&m), &scan, &err), 0);
    assert_int_equal(scan.last_seq, FIRST);
    assert_int_equal(scan.end, m.at[1]);
    add(&m, SEGMENT_BATCH_FIRST, "the next batch");
    assert_int_equal(segment_scan(whole(&m), &scan, &err), -1);
    assert_non_null(strstr(err.text, "record 42 is damaged, but record 45"));
}

static void refuses_a_record_out_of_order(void **state)
{
    (void)state;
    struct image m = three_batches();
    struct segment_scan scan;
    struct err err;
    m.bytes[m.at[2] + 8] = FIRST + 3;
    segment_record_seal(m.bytes + m.at[2], 0, SALT);
    assert_int_equal(segment_scan(whole(&m), &scan, &err), -1);
    assert_non_null(strstr(err.text, "record 44 stands where 43 belongs"));
}

/* A stranger's payload may look like a record, but he does not know the salt. */
static void does_not_believe_a_record_inside_a_torn_payload(void **state)
{
    (void)state;
    struct image m = image_open();
    uint8_t forged[64] = {0};
    struct journal_record record = {.seq = FIRST + 5};
    segment_record_write(forged, &record);
    segment_record_seal(forged, SEGMENT_BATCH_FIRST, SALT + 1);
    add(&m, SEGMENT_BATCH_FIRST,
        "sixty-four bytes of text, into which the forged record is copied");
    memcpy(m.bytes + m.at[0] + SEGMENT_RECORD_BYTES, forged, sizeof forged);
    struct segment_scan scan;
    struct err err;
    assert_int_equal(segment_scan(whole(&m), &scan, &err), 0);
    assert_int_equal(scan.last_seq, FIRST - 1);
    segment_record_seal(forged, SEGMENT_BATCH_FIRST, SALT); /* with it, it would be believed */
    memcpy(m.bytes + m.at[0] + SEGMENT_RECORD_BYTES, forged, sizeof forged);
    assert_int_equal(segment_scan(whole(&m), &scan, &err), -1);
}

static void refuses_a_header_that_contradicts_itself(void **state)
{
    (void)state;
    const struct segment_header wrong[] = {
        {.first_seq = 0, .salt = 1},
        {.first_seq = (uint64_t)INT64_MAX + 1, .salt = 1},
        {.first_seq = 5, .salt = 0},
        {.first_seq = 5, .before_first = 5, .salt = 1},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        uint8_t bytes[SEGMENT_HEADER_BYTES];
        struct segment_header header;
        struct err err;
        segment_header_write(bytes, &wrong[i]);
        struct view from = {bytes, sizeof bytes};
        assert_int_equal(segment_header_read(from, &header, &err), -1);
        assert_non_null(strstr(err.text, "contradicts itself"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scans_a_clean_segment),
        cmocka_unit_test(notices_every_flipped_bit_of_the_header),
        cmocka_unit_test(notices_every_flipped_bit_of_every_record),
        cmocka_unit_test(cuts_the_last_record_at_every_length),
        cmocka_unit_test(cuts_damage_inside_the_newest_batch),
        cmocka_unit_test(refuses_a_record_out_of_order),
        cmocka_unit_test(does_not_believe_a_record_inside_a_torn_payload),
        cmocka_unit_test(refuses_a_header_that_contradicts_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
