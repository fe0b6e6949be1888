/* Recovery: torn tails, damage, missing and foreign segments, lost journals. */
#include "tests/unit/store/place.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/rand.h"

#include <unistd.h>

static struct bytes slurp(const char *path)
{
    struct err err;
    struct bytes all = {0};
    assert_int_equal(file_read(AT_FDCWD, path, SEGMENT_MAX_BYTES, &all, &err), 0);
    return all;
}

static void overwrite(const char *path, const void *data, size_t len)
{
    struct err err;
    SCOPED(fd_close) int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, data, len, &err), 0);
}

static void flip(const char *path, size_t offset)
{
    SCOPED(bytes_close) struct bytes all = slurp(path);
    all.data[offset] ^= 0x10;
    overwrite(path, all.data, all.len);
}

/* Where record `seq` begins in a segment. */
static size_t offset_of(const struct bytes *segment, uint64_t seq)
{
    struct err err;
    struct segment_header header;
    struct journal_record record = {0};
    size_t at = SEGMENT_HEADER_BYTES, size = 0;
    assert_int_equal(segment_header_read(bytes_view(segment), &header, &err), 0);
    for (;;) {
        struct view rest = {segment->data + at, segment->len - at};
        assert_true(segment_record_read(rest, header.salt, &record, &size));
        if (record.seq == seq)
            return at;
        at += size;
    }
}

static void refuses_to_open(const struct place *p, const struct journal_options *options,
                            struct err *err)
{
    struct journal *j = NULL;
    struct journal_found found;
    assert_int_equal(journal_open(p->dir, "j", options, &j, &found, err), -1);
    assert_null(j);
    assert_int_equal(err->code, ERR_STORE);
}

/* Three durable records, the journal closed; the segment's bytes, the epoch. */
static struct bytes three_records(const struct place *p, uint64_t *epoch)
{
    struct journal_found found;
    struct journal *j = journal_reopen(p, &found);
    *epoch = journal_epoch(j);
    append_many(j, 3);
    journal_free(&j);
    char path[160];
    segment_path(p, *epoch, 1, path);
    return slurp(path);
}

/* After damage to record 3: two records are left, and the next one is number 3 again. */
static void assert_cut_behind_two(const struct place *p, size_t torn_at_most)
{
    struct journal_found found;
    struct journal *j = journal_reopen(p, &found);
    assert_false(found.fresh);
    assert_in_range(found.torn_bytes, 0, torn_at_most);
    journal_free(&j);
    j = journal_reopen(p, &found);
    assert_int_equal(found.torn_bytes, 0); /* it was cut for good */
    assert_int_equal(journal_last(j), 2);
    append_many(j, 1);
    assert_int_equal(read_all(j, 1), 3);
    journal_free(&j);
}

static void cuts_a_tail_torn_at_any_byte(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    uint64_t epoch;
    char path[160], next[160];
    SCOPED(bytes_close) struct bytes good = three_records(&p, &epoch);
    segment_path(&p, epoch, 1, path);
    segment_path(&p, epoch, 3, next);
    char text[2048];
    size_t at = offset_of(&good, 3), end = at + SEGMENT_RECORD_BYTES + content(3, text).len;
    SCOPED(bytes_close) struct bytes bad = bytes_open(good.len);
    struct err err;
    for (size_t cut = at; cut < end; cut += cut < at + SEGMENT_RECORD_BYTES + 8 ? 1 : 37) {
        bytes_clear(&bad);
        assert_int_equal(bytes_add(&bad, good.data, good.len, &err), 0);
        memset(bad.data + cut, 0, end - cut); /* zeros, as preallocation left them */
        overwrite(path, bad.data, bad.len);
        assert_cut_behind_two(&p, cut - at);
        overwrite(path, good.data, cut); /* the file itself ends here */
        assert_cut_behind_two(&p, cut - at);
        assert_int_equal(unlink(next), 0); /* the third record had no room in the short file */
        bytes_clear(&bad);
        assert_int_equal(bytes_add(&bad, good.data, good.len, &err), 0);
        bad.data[cut] ^= (uint8_t)(1 << cut % 8);
        overwrite(path, bad.data, bad.len);
        assert_cut_behind_two(&p, end - at);
    }
}

static void refuses_damage_before_a_later_record(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    uint64_t epoch;
    char path[160], words[64];
    SCOPED(bytes_close) struct bytes good = three_records(&p, &epoch);
    segment_path(&p, epoch, 1, path);
    size_t at = offset_of(&good, 2), next = offset_of(&good, 3);
    struct journal_options options = small_options();
    struct err err;
    snprintf(words, sizeof words, "offset %zu: record 2 is damaged, but record 3", at);
    for (size_t offset = at; offset < next; offset += 13) {
        flip(path, offset);
        SCOPED(bytes_close) struct bytes before = slurp(path);
        refuses_to_open(&p, &options, &err);
        assert_says(&err, words);
        assert_says(&err, "00000000000000000001.seg");
        SCOPED(bytes_close) struct bytes after = slurp(path);
        assert_true(view_equal(bytes_view(&before), bytes_view(&after)));
        flip(path, offset);
    }
    flip(path, 30); /* the header */
    refuses_to_open(&p, &options, &err);
    assert_says(&err, "header is damaged");
}

static void names_a_segment_missing_in_the_middle(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    uint64_t first[3], last, epoch = many_segments(&p, first, &last);
    char path[160];
    segment_path(&p, epoch, first[1], path);
    assert_int_equal(unlink(path), 0);
    struct journal_options options = small_options();
    struct err err;
    refuses_to_open(&p, &options, &err);
    assert_says(&err, strrchr(path, '/') + 1);
    assert_says(&err, "is missing");
}

static void names_damage_at_the_end_of_an_older_segment(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    uint64_t first[3], last, epoch = many_segments(&p, first, &last);
    char path[160], words[64];
    segment_path(&p, epoch, first[0], path);
    SCOPED(bytes_close) struct bytes segment = slurp(path);
    flip(path, offset_of(&segment, first[1] - 1) + 3);
    struct journal_options options = small_options();
    struct err err;
    refuses_to_open(&p, &options, &err);
    snprintf(words, sizeof words, "record %llu is damaged", (unsigned long long)first[1] - 1);
    assert_says(&err, strrchr(path, '/') + 1);
    assert_says(&err, words);
    overwrite(path, segment.data, segment.len);
    flip(path, segment.len - 1); /* where no record is, but something was written */
    refuses_to_open(&p, &options, &err);
    assert_says(&err, strrchr(path, '/') + 1);
}

/* Another journal's segment with the same place, numbers and source: only the joint tells. */
static void notices_a_segment_that_was_replaced_by_another_copy(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    uint64_t first[3], last, epoch = many_segments(&p, first, &last);
    char path[160];
    segment_path(&p, epoch, first[0], path);
    SCOPED(bytes_close) struct bytes copy = slurp(path);
    struct err err;
    struct segment_scan scan;
    assert_int_equal(segment_scan(bytes_view(&copy), &scan, &err), 0);
    scan.header.salt ^= 1;
    segment_header_write(copy.data, &scan.header);
    for (size_t at = SEGMENT_HEADER_BYTES; at < scan.end; at += segment_record_size(copy.data + at))
        segment_record_seal(copy.data + at, 0, scan.header.salt);
    overwrite(path, copy.data, copy.len);
    struct journal_options options = small_options();
    refuses_to_open(&p, &options, &err);
    assert_says(&err, strrchr(path, '/') + 1);
    assert_says(&err, "another copy");
}

static void notices_that_less_is_there_than_others_have_seen(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    uint64_t first[3], last, epoch = many_segments(&p, first, &last);
    struct journal_options options = small_options();
    struct err err;
    options.known_epoch = epoch;
    options.known_seq = last + 1;
    refuses_to_open(&p, &options, &err);
    assert_says(&err, "the journal ends at record 400, but 401 was seen");
    options.known_epoch = epoch + 1;
    options.known_seq = 0;
    refuses_to_open(&p, &options, &err);
    assert_says(&err, "is older than the known");
    options.known_epoch = epoch;
    options.known_seq = last;
    struct journal *j = NULL;
    struct journal_found found;
    assert_int_equal(journal_open(p.dir, "j", &options, &j, &found, &err), 0);
    journal_free(&j);
}

static void refuses_the_journal_of_another_source(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    uint64_t epoch;
    struct bytes good = three_records(&p, &epoch);
    bytes_close(&good);
    struct journal_options options = small_options();
    struct err err;
    options.source[0] ^= 1;
    refuses_to_open(&p, &options, &err);
    assert_says(&err, "another source");
}

static void begins_a_larger_epoch_when_the_journal_was_lost(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    uint64_t epoch;
    char path[160];
    struct bytes good = three_records(&p, &epoch);
    bytes_close(&good);
    segment_path(&p, epoch, 1, path);
    assert_int_equal(unlink(path), 0);
    struct journal_options options = small_options();
    options.known_epoch = epoch + (uint64_t)1000 * S_NS; /* seen by others, beyond this clock */
    options.known_seq = 3;
    struct journal *j = NULL;
    struct journal_found found;
    struct err err;
    assert_int_equal(journal_open(p.dir, "j", &options, &j, &found, &err), 0);
    assert_true(found.fresh);
    assert_int_equal(journal_epoch(j), options.known_epoch + 1);
    assert_int_equal(journal_first(j), 1);
    append_many(j, 2);
    assert_int_equal(read_all(j, 1), 2);
    journal_free(&j);
    j = journal_reopen(&p, &found);
    assert_false(found.fresh);
    assert_int_equal(journal_epoch(j), options.known_epoch + 1);
    journal_free(&j);
}

/* One durable batch, then records that were written in a batch whose sync failed. What is in the
 * file behind the durable records goes to *from and *end. */
static struct bytes unsynced_batch(const struct place *p, char path[160], uint64_t *durable,
                                   size_t *from, size_t *end)
{
    struct journal_found found;
    struct journal *j = journal_reopen(p, &found);
    struct err err;
    append_many(j, 2); /* with the second one the spare is finished: no more syncs of its own */
    segment_path(p, journal_epoch(j), 1, path);
    fault_set(FAULT_FSYNC, 2, true); /* the first record may go alone, the others come together */
    char text[2048];
    uint64_t seq = 2;
    do {
        for (int i = 0; i < 20; i++)
            if (journal_append(j, (uint16_t)((seq + 1) % 100), content(seq + 1, text), &seq, &err))
                break;
    } while (!wait_durable(j, seq, &err));
    *durable = journal_durable(j);
    journal_free(&j);
    fault_set(FAULT_FSYNC, 0, false);
    struct bytes segment = slurp(path);
    struct segment_scan scan;
    assert_int_equal(segment_scan(bytes_view(&segment), &scan, &err), 0);
    *end = scan.end;
    *from = scan.last_seq > *durable ? offset_of(&segment, *durable + 1) : scan.end;
    return segment;
}

/* A power cut keeps any of the sectors that no sync had covered. */
static void believes_whatever_a_power_cut_leaves_of_a_batch(void **state)
{
    (void)state;
    enum { SECTOR = 512, VARIANTS = 60 };
    SCOPED(place_close) struct place p = place_open();
    char path[160];
    uint64_t durable;
    size_t from, end;
    SCOPED(bytes_close) struct bytes written = unsynced_batch(&p, path, &durable, &from, &end);
    assert_in_range(durable, 2, 22);
    assert_true(end > from);
    for (int i = 0; i < VARIANTS; i++) {
        struct bytes left = slurp(path);
        memcpy(left.data, written.data, written.len);
        for (size_t at = from; at < end; at += SECTOR - at % SECTOR) {
            uint8_t lost;
            rand_fill(&lost, 1);
            size_t part = SECTOR - at % SECTOR;
            if (lost & 1)
                memset(left.data + at, 0, part < end - at ? part : end - at);
        }
        overwrite(path, left.data, left.len);
        bytes_close(&left);
        struct journal_found found;
        SCOPED(journal_free) struct journal *j = journal_reopen(&p, &found);
        assert_true(read_all(j, 1) >= durable);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_a_tail_torn_at_any_byte),
        cmocka_unit_test(refuses_damage_before_a_later_record),
        cmocka_unit_test(names_a_segment_missing_in_the_middle),
        cmocka_unit_test(names_damage_at_the_end_of_an_older_segment),
        cmocka_unit_test(notices_a_segment_that_was_replaced_by_another_copy),
        cmocka_unit_test(notices_that_less_is_there_than_others_have_seen),
        cmocka_unit_test(refuses_the_journal_of_another_source),
        cmocka_unit_test(believes_whatever_a_power_cut_leaves_of_a_batch),
        cmocka_unit_test(begins_a_larger_epoch_when_the_journal_was_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
