/* The journal: numbering, cursors, trimming, room. */
#include "tests/unit/store/place.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

static int write_text(const char *path, const char *text)
{
    struct err err;
    SCOPED(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 || file_write_all(fd, text, strlen(text), &err) ? -1 : 0;
}

/* Becomes root of a user namespace (user_namespaces(7)). */
static int unshare_user(void)
{
    char users[32], groups[32];
    snprintf(users, sizeof users, "0 %u 1", (unsigned)geteuid());
    snprintf(groups, sizeof groups, "0 %u 1", (unsigned)getegid());
    if (unshare(CLONE_NEWUSER) || write_text("/proc/self/uid_map", users) ||
        write_text("/proc/self/setgroups", "deny") || write_text("/proc/self/gid_map", groups))
        return -1;
    return 0;
}

/* A mount namespace of our own. */
static int unshare_mounts(void)
{
    if (geteuid() && unshare_user())
        return -1;
    return unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ? -1 : 0;
}

/* Runs a story in a child whose place is a tmpfs with room for four segments. */
static void on_a_small_disk(void (*story)(const struct place *))
{
    SCOPED(place_close) struct place p = place_open();
    char size[64];
    int status;
    snprintf(size, sizeof size, "size=%d", 4 * SEGMENT_MIN_BYTES);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        if (unshare_mounts() || mount("tmpfs", p.path, "tmpfs", 0, size))
            _exit(77);
        struct place small = p;
        small.dir = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        story(&small);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("SKIPPED: this user gets no mount namespace, and so no small disk\n");
        skip();
    }
    assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void fill_with_ordinary_records(const struct place *p)
{
    struct journal_found found;
    struct journal *j = journal_reopen(p, &found);
    struct err err;
    uint64_t seq = 0;
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
    }
    uint64_t urgent = seq;
    assert_int_equal(wait_durable(j, urgent, &err), 0);
    assert_int_equal(read_all(j, 1), urgent);
    journal_free(&j);
    j = journal_reopen(p, &found);
    assert_int_equal(read_all(j, 1), urgent);

    uint64_t first = journal_first(j);
    journal_trim(j, urgent); /* room comes back, and with it ordinary appends */
    wait_first(j, first + 1);
    while (append_durably(j, &seq, &err))
        assert_int_equal(err.code, ERR_OVERLOADED);
    assert_int_equal(seq, urgent + 1);
    journal_free(&j);
}

static void urgent_records_find_room_on_a_full_disk(void **state)
{
    (void)state;
    on_a_small_disk(fill_with_ordinary_records);
}

/* Seven of the largest records leave a tail in each segment that none of them fits into. What is
 * queued must find room behind such a tail, in the last segment that the disk has. */
static void fill_with_largest_records(const struct place *p)
{
    struct journal_found found;
    struct journal *j = journal_reopen(p, &found);
    static uint8_t large[SEGMENT_MIN_BYTES];
    struct view payload = {large, journal_payload_max(j)};
    struct err err;
    uint64_t seq = 0;
    for (int i = 0; i < 3 * 7; i++) {
        assert_int_equal(journal_append_urgent(j, 1, payload, &seq, &err), 0);
        assert_int_equal(wait_durable(j, seq, &err), 0);
    }
    while (!journal_append_urgent(j, 1, payload, &seq, &err))
        continue;
    assert_int_equal(err.code, ERR_OVERLOADED);
    assert_int_equal(wait_durable(j, seq, &err), 0);
    assert_int_equal(seq, 4 * 7);
    journal_free(&j);
}

static void never_takes_more_than_the_disk_has(void **state)
{
    (void)state;
    on_a_small_disk(fill_with_largest_records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_records_densely_over_restarts),
        cmocka_unit_test(writes_what_is_queued_before_it_closes),
        cmocka_unit_test(keeps_clocks_type_flags_and_an_empty_payload),
        cmocka_unit_test(refuses_a_payload_larger_than_its_bound),
        cmocka_unit_test(trims_whole_segments_and_never_the_last),
        cmocka_unit_test(reads_while_another_thread_writes),
        cmocka_unit_test(a_full_queue_refuses_without_using_a_number),
        cmocka_unit_test(urgent_records_find_room_on_a_full_disk),
        cmocka_unit_test(never_takes_more_than_the_disk_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
