/* The journal: numbering, recovery, epochs, trimming, cursors, room. */
#include "tests/unit/store/place.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The path of a segment in the only epoch of journal "j". */
static void segment_path(const struct place *p, uint64_t epoch, uint64_t first, char to[160])
{
    snprintf(to, 160, "%s/j/%020llu/%020llu.seg", p->path, (unsigned long long)epoch,
             (unsigned long long)first);
}

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

static void assert_says(const struct err *err, const char *words)
{
    if (!strstr(err->text, words))
        fail_msg("\"%s\" does not say \"%s\"", err->text, words);
}

static void numbers_records_densely_over_restarts(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    struct journal_found found;
    uint64_t epoch = 0, last = 0;
    for (int i = 0; i < 5; i++) {
        SCOPED(journal_free) struct journal *j = journal_reopen(&p, &found);
        assert_int_equal(found.fresh, i == 0);
        assert_int_equal(found.torn_bytes, 0);
        assert_int_equal(journal_last(j), last);
        assert_int_equal(journal_durable(j), last);
        assert_true(i == 0 || journal_epoch(j) == epoch);
        epoch = journal_epoch(j);
        append_many(j, 60); /* a segment takes about seventy */
        last += 60;
        assert_int_equal(read_all(j, 1), last);
        assert_int_equal(read_all(j, last - 3), last);
    }
}

static void writes_what_is_queued_before_it_closes(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    struct journal_found found;
    struct journal *j = journal_reopen(&p, &found);
    char text[2048];
    struct err err;
    uint64_t seq;
    for (uint64_t i = 1; i <= 20; i++)
        assert_int_equal(journal_append(j, (uint16_t)i, content(i, text), &seq, &err), 0);
    journal_free(&j);
    j = journal_reopen(&p, &found);
    assert_int_equal(read_all(j, 1), 20);
    journal_free(&j);
}

static int64_t fixed_clock(int clock)
{
    return clock == CLOCK_REALTIME ? -5 : 77;
}

static void keeps_clocks_type_flags_and_an_empty_payload(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    struct journal_found found;
    struct err err;
    uint64_t seq;
    SCOPED(journal_free) struct journal *j = journal_reopen(&p, &found);
    clock_hook(fixed_clock);
    assert_int_equal(journal_append_urgent(j, 65535, (struct view){0}, &seq, &err), 0);
    clock_hook(NULL);
    assert_int_equal(wait_durable(j, seq, &err), 0);
    SCOPED(journal_cursor_free) struct journal_cursor *cursor = NULL;
    struct journal_record record;
    assert_int_equal(journal_cursor_open(j, 1, &cursor, &err), 0);
    assert_int_equal(journal_next(cursor, &record, &err), 1);
    assert_int_equal(record.wall_ns, -5);
    assert_int_equal(record.boot_ns, 77);
    assert_int_equal(record.type, 65535);
    assert_int_equal(record.flags, SEGMENT_BATCH_FIRST | SEGMENT_URGENT);
    assert_int_equal(record.payload.len, 0);
    assert_int_equal(journal_next(cursor, &record, &err), 0);
}

static void refuses_a_payload_larger_than_its_bound(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    struct journal_found found;
    struct err err;
    uint64_t seq = 99;
    SCOPED(journal_free) struct journal *j = journal_reopen(&p, &found);
    size_t max = journal_payload_max(j);
    SCOPED(bytes_close) struct bytes big = bytes_open(max + 1);
    assert_non_null(bytes_reserve(&big, max + 1, &err));
    memset(big.data, 'x', max + 1);
    struct view payload = {big.data, max + 1};
    assert_int_equal(journal_append(j, 1, payload, &seq, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(seq, 99);
    payload.len = max;
    assert_int_equal(journal_append(j, 1, payload, &seq, &err), 0);
    assert_int_equal(seq, 1);
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
    SCOPED(journal_free) struct journal *j = journal_reopen(p, &found);
    assert_false(found.fresh);
    assert_in_range(found.torn_bytes, 0, torn_at_most);
    assert_int_equal(journal_last(j), 2);
    append_many(j, 1);
    assert_int_equal(read_all(j, 1), 3);
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

/* A journal of several segments; the first seqs of three of them in the middle. */
static uint64_t many_segments(const struct place *p, uint64_t first[3], uint64_t *last)
{
    struct journal_found found;
    struct journal *j = journal_reopen(p, &found);
    uint64_t epoch = journal_epoch(j);
    append_many(j, 400);
    *last = journal_last(j);
    journal_free(&j);
    int n = 0;
    for (uint64_t seq = 2; seq < *last && n < 3; seq++) {
        char path[160];
        segment_path(p, epoch, seq, path);
        if (!access(path, F_OK))
            first[n++] = seq;
    }
    assert_int_equal(n, 3);
    return epoch;
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

/* Waits until the sync thread has removed what journal_trim allows: first reaches `first`. */
static void wait_first(struct journal *j, uint64_t first)
{
    struct err err;
    while (journal_first(j) < first) {
        assert_false(journal_failed(j, &err));
        struct pollfd ready = {.fd = journal_fd(j), .events = POLLIN};
        assert_int_equal(poll(&ready, 1, -1), 1);
        journal_fd_clear(j);
    }
}

static void trims_whole_segments_and_never_the_last(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    uint64_t first[3], last;
    many_segments(&p, first, &last);
    struct journal_found found;
    struct err err;
    struct journal *j = journal_reopen(&p, &found);
    uint64_t bytes = journal_bytes(j);
    SCOPED(journal_cursor_free) struct journal_cursor *cursor = NULL;
    assert_int_equal(journal_cursor_open(j, 1, &cursor, &err), 0);
    journal_trim(j, first[1] - 2); /* all but one record of the second segment */
    wait_first(j, first[0]);
    append_many(j, 1); /* a whole turn of the thread: it had its chance to remove more */
    assert_int_equal(journal_first(j), first[0]);
    assert_in_range(journal_bytes(j), 1, bytes - 1);
    assert_int_equal(read_all(j, first[0]), last + 1);

    struct journal_record record;
    assert_int_equal(journal_next(cursor, &record, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    struct journal_cursor *none = NULL;
    assert_int_equal(journal_cursor_open(j, first[0] - 1, &none, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);

    journal_trim(j, UINT64_MAX);
    wait_first(j, first[2]);
    journal_cursor_free(&cursor);
    journal_free(&j);
    j = journal_reopen(&p, &found);
    assert_true(journal_first(j) >= first[2] && journal_first(j) <= last + 1);
    assert_int_equal(journal_last(j), last + 1);
    append_many(j, 1);
    assert_int_equal(read_all(j, journal_first(j)), last + 2);
    journal_free(&j);
}

enum { READ_BESIDE = 3000 };

static void *read_beside(void *arg)
{
    struct journal *j = arg;
    struct err err;
    struct journal_cursor *cursor = NULL;
    struct journal_record record;
    char text[2048];
    uint64_t seq = 0;
    int got = journal_cursor_open(j, 1, &cursor, &err);
    while (got >= 0 && seq < READ_BESIDE && !journal_failed(j, &err)) {
        got = journal_next(cursor, &record, &err);
        if (!got)
            sched_yield();
        if (got == 1 && (record.seq != ++seq || !view_equal(record.payload, content(seq, text))))
            break;
    }
    journal_cursor_free(&cursor);
    return got == 1 && seq == READ_BESIDE ? j : NULL;
}

static void reads_while_another_thread_writes(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    struct journal_found found;
    SCOPED(journal_free) struct journal *j = journal_reopen(&p, &found);
    pthread_t reader;
    assert_int_equal(pthread_create(&reader, NULL, read_beside, j), 0);
    struct err err;
    char text[2048];
    uint64_t seq = 0;
    while (seq < READ_BESIDE) {
        if (!journal_append(j, (uint16_t)((seq + 1) % 100), content(seq + 1, text), &seq, &err))
            continue;
        assert_int_equal(err.code, ERR_OVERLOADED); /* and the same record again, later */
        assert_int_equal(wait_durable(j, seq, &err), 0);
    }
    void *result = NULL;
    pthread_join(reader, &result);
    assert_ptr_equal(result, j);
}

static void a_full_queue_refuses_without_using_a_number(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    struct journal_found found;
    SCOPED(journal_free) struct journal *j = journal_reopen(&p, &found);
    struct err err;
    char text[2048];
    uint64_t seq = 0, urgent;
    while (!journal_append(j, (uint16_t)((seq + 1) % 100), content(seq + 1, text), &seq, &err))
        continue; /* faster than any disk syncs */
    assert_int_equal(err.code, ERR_OVERLOADED);
    assert_int_equal(journal_last(j), seq);
    struct view more = content(seq + 1, text);
    assert_int_equal(journal_append_urgent(j, (uint16_t)((seq + 1) % 100), more, &urgent, &err), 0);
    assert_int_equal(urgent, seq + 1);
    assert_int_equal(wait_durable(j, urgent, &err), 0);
    assert_int_equal(read_all(j, 1), urgent);
}

/* A mount namespace of our own: as root, or as the root of a user namespace. */
static int unshare_mounts(void)
{
    struct err err;
    char map[32];
    int length = snprintf(map, sizeof map, "0 %u 1", (unsigned)geteuid());
    if (geteuid() && unshare(CLONE_NEWUSER))
        return -1;
    SCOPED(fd_close) int uid_map = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    if (strcmp(map, "0 0 1") && file_write_all(uid_map, map, (size_t)length, &err))
        return -1;
    return unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ? -1 : 0;
}

/* In a mount namespace of its own, with a tmpfs of four segments as the disk. */
static int fill_the_disk(const struct place *p)
{
    char options[64];
    snprintf(options, sizeof options, "size=%d", 4 * SEGMENT_MIN_BYTES);
    if (unshare_mounts() || mount("tmpfs", p->path, "tmpfs", 0, options))
        return 77;
    struct place full = *p;
    full.dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct journal_found found;
    struct journal *j = journal_reopen(&full, &found);
    struct err err;
    uint64_t seq = 0, urgent = 0;
    while (!append_durably(j, &seq, &err))
        continue;
    assert_int_equal(err.code, ERR_OVERLOADED);
    assert_says(&err, "No space left");
    assert_false(journal_failed(j, &err));
    char text[2048];
    for (int i = 0; i < 4; i++) {
        struct view payload = content(seq + 1, text);
        uint16_t type = (uint16_t)((seq + 1) % 100);
        assert_int_equal(journal_append_urgent(j, type, payload, &seq, &err), 0);
        urgent = seq;
    }
    assert_int_equal(wait_durable(j, urgent, &err), 0);
    assert_int_equal(read_all(j, 1), urgent);
    journal_free(&j);
    j = journal_reopen(&full, &found);
    assert_int_equal(read_all(j, 1), urgent);

    uint64_t first = journal_first(j);
    journal_trim(j, urgent); /* room comes back, and with it ordinary appends */
    wait_first(j, first + 1);
    while (append_durably(j, &seq, &err))
        assert_int_equal(err.code, ERR_OVERLOADED);
    assert_int_equal(seq, urgent + 1);
    journal_free(&j);
    return 0;
}

static void urgent_records_find_room_on_a_full_disk(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child)
        _exit(fill_the_disk(&p));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("SKIPPED: no mount namespace for a small disk: %s\n", __func__);
        skip();
    }
    assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_records_densely_over_restarts),
        cmocka_unit_test(writes_what_is_queued_before_it_closes),
        cmocka_unit_test(keeps_clocks_type_flags_and_an_empty_payload),
        cmocka_unit_test(refuses_a_payload_larger_than_its_bound),
        cmocka_unit_test(cuts_a_tail_torn_at_any_byte),
        cmocka_unit_test(refuses_damage_before_a_later_record),
        cmocka_unit_test(names_a_segment_missing_in_the_middle),
        cmocka_unit_test(names_damage_at_the_end_of_an_older_segment),
        cmocka_unit_test(notices_a_segment_that_was_replaced_by_another_copy),
        cmocka_unit_test(notices_that_less_is_there_than_others_have_seen),
        cmocka_unit_test(refuses_the_journal_of_another_source),
        cmocka_unit_test(begins_a_larger_epoch_when_the_journal_was_lost),
        cmocka_unit_test(trims_whole_segments_and_never_the_last),
        cmocka_unit_test(reads_while_another_thread_writes),
        cmocka_unit_test(a_full_queue_refuses_without_using_a_number),
        cmocka_unit_test(urgent_records_find_room_on_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
