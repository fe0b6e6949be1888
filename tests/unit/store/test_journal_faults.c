/* The journal when the disk, the memory or the process fails: nothing that was announced as durable
 * may be missing afterwards.
 *
 * Started with a directory as its argument this program is the victim: it appends to the journal
 * there and prints every durable seq, until somebody kills it.
 */
#include "tests/unit/store/place.h"

#include "base/fault.h"
#include "base/rand.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCHES = 10, BATCH = 15, ROUNDS = 40 };

static int append_batch(struct journal *j, int count, struct err *err)
{
    char text[2048];
    uint64_t seq = 0;
    for (int i = 0; i < count; i++) {
        uint64_t next = journal_last(j) + 1;
        if (journal_append(j, (uint16_t)(next % 100), content(next, text), &seq, err))
            return -1;
    }
    return wait_durable(j, seq, err);
}

/* Opens, fills more than two segments, lets the older ones go; *durable is the newest seq that was
 * announced. */
static int story(const struct place *p, uint64_t *durable, struct err *err)
{
    SCOPED(journal_free) struct journal *j = NULL;
    struct journal_options options = small_options();
    struct journal_found found;
    if (journal_open(p->dir, "j", &options, &j, &found, err))
        return -1;
    int failed = 0;
    for (int i = 0; i < BATCHES && !failed; i++) {
        if (i == BATCHES - 2)
            journal_trim(j, journal_durable(j));
        failed = append_batch(j, BATCH, err);
    }
    if (journal_failed(j, err)) {
        uint64_t before = journal_durable(j), none;
        assert_int_equal(journal_append(j, 1, (struct view){0}, &none, err), -1);
        assert_int_equal(err->code, ERR_STORE); /* a failure stays */
        assert_int_equal(journal_durable(j), before);
    }
    *durable = journal_durable(j);
    return failed;
}

/* Lets the N-th call of a kind fail, N = 1, 2, … until the story passes untouched. */
static void fail_each(enum fault_kind kind, bool always)
{
    bool hit = true;
    for (long nth = 1; hit; nth++) {
        SCOPED(place_close) struct place p = place_open();
        struct err err;
        uint64_t durable = 0;
        fault_set(kind, nth, always);
        int failed = story(&p, &durable, &err);
        hit = fault_count(kind) >= nth;
        fault_set(kind, 0, false);
        assert_true(hit || !failed);
        struct journal_found found;
        SCOPED(journal_free) struct journal *j = journal_reopen(&p, &found);
        assert_true(read_all(j, journal_first(j)) >= durable);
        append_many(j, 1);
        assert_true(nth > 3 || hit); /* the story has such calls */
    }
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    fail_each(FAULT_ALLOC, false);
    fail_each(FAULT_ALLOC, true);
}

static void survives_every_failing_write(void **state)
{
    (void)state;
    fail_each(FAULT_WRITE, false);
    fail_each(FAULT_WRITE, true);
}

static void survives_every_failing_sync(void **state)
{
    (void)state;
    fail_each(FAULT_FSYNC, false);
    fail_each(FAULT_FSYNC, true);
}

static void a_failed_sync_is_final(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    struct journal_found found;
    SCOPED(journal_free) struct journal *j = journal_reopen(&p, &found);
    struct err err;
    uint64_t seq;
    append_many(j, 3);
    assert_false(journal_failed(j, &err));
    fault_set(FAULT_FSYNC, 1, false);
    assert_int_equal(append_durably(j, &seq, &err), -1);
    fault_set(FAULT_FSYNC, 0, false);
    assert_true(journal_failed(j, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(journal_durable(j), 3);
    assert_int_equal(journal_append_urgent(j, 1, (struct view){0}, &seq, &err), -1);
    assert_int_equal(err.code, ERR_STORE);
    assert_int_equal(read_all(j, 1), 3);
}

/* The victim's life. */
static int append_for_ever(const char *path)
{
    struct place p = {.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    struct journal_found found;
    struct journal *j = journal_reopen(&p, &found);
    struct err err;
    uint64_t told = journal_durable(j);
    char text[2048];
    for (;;) {
        for (int i = 0; i < 5; i++) { /* some are queued when it dies */
            uint64_t seq, next = journal_last(j) + 1;
            journal_append(j, (uint16_t)(next % 100), content(next, text), &seq, &err);
        }
        if (wait_durable(j, told + 1, &err))
            return 1;
        told = journal_durable(j);
        if (write(STDOUT_FILENO, &told, sizeof told) != sizeof told)
            return 1;
    }
}

/* Starts the victim; its words come from *out. */
static pid_t start_victim(const struct place *p, const char *failpoint, int *out)
{
    int words[2];
    assert_int_equal(pipe(words), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        dup2(words[1], STDOUT_FILENO);
        close(words[0]);
        close(words[1]);
        if (failpoint)
            setenv("CORRAL_FAILPOINT", failpoint, 1);
        execl("/proc/self/exe", "victim", p->path, NULL);
        _exit(126);
    }
    close(words[1]);
    *out = words[0];
    return pid;
}

/* Hears the victim say `count` times what is durable, kills it, hears the rest; the newest seq. */
static uint64_t hear_and_kill(pid_t pid, int words, int count)
{
    uint64_t durable = 0, seq;
    while (read(words, &seq, sizeof seq) == sizeof seq) {
        durable = seq;
        if (!--count)
            kill(pid, SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return durable;
}

/* Everything announced is there, in order and whole; the newest seq. */
static uint64_t check_after_death(const struct place *p, uint64_t announced)
{
    struct journal_found found;
    SCOPED(journal_free) struct journal *j = journal_reopen(p, &found);
    uint64_t last = read_all(j, 1);
    assert_int_equal(last, journal_last(j));
    assert_true(last >= announced);
    return last;
}

static void finds_all_that_was_announced_before_kill_9(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    uint64_t last = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t moment;
        rand_fill(&moment, 1);
        SCOPED(fd_close) int words = -1;
        pid_t pid = start_victim(&p, NULL, &words);
        uint64_t announced = hear_and_kill(pid, words, 1 + moment % 24);
        assert_true(announced > last);
        last = check_after_death(&p, announced);
    }
}

static void finds_all_that_was_announced_after_death_between_any_two_steps(void **state)
{
    (void)state;
    const char *const points[] = {"journal.write", "journal.sync", "journal.durable",
                                  "journal.switch", "journal.named"};
    for (size_t i = 0; i < COUNT(points); i++) {
        SCOPED(place_close) struct place p = place_open();
        for (int round = 0; round < 3; round++) {
            SCOPED(fd_close) int words = -1;
            pid_t pid = start_victim(&p, points[i], &words);
            check_after_death(&p, hear_and_kill(pid, words, 0));
        }
    }
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return append_for_ever(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_every_failing_allocation),
        cmocka_unit_test(survives_every_failing_write),
        cmocka_unit_test(survives_every_failing_sync),
        cmocka_unit_test(a_failed_sync_is_final),
        cmocka_unit_test(finds_all_that_was_announced_before_kill_9),
        cmocka_unit_test(finds_all_that_was_announced_after_death_between_any_two_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
