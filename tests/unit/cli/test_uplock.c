/* The supervisor's lock: held or not, what it lists, processes named by pid and start time. */
#include "cli/uplock.h"

#include "base/file.h"
#include "base/scope.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int enter(void **state)
{
    char *path = calloc(1, 64);
    strcpy(path, "/tmp/corral-test-XXXXXX");
    *state = path;
    return !mkdtemp(path);
}

static int leave(void **state)
{
    struct err err;
    int failed = dir_remove(AT_FDCWD, *state, &err);
    free(*state);
    return failed;
}

static void a_second_one_is_refused_and_told_who(void **state)
{
    struct err err;
    struct uplock before, seen, own = {.supervisor = process_of(getpid())};
    int fd, second;
    bool held;
    assert_int_equal(uplock_read(*state, &seen, &held, &err), 0);
    assert_false(held);
    assert_int_equal(uplock_take(*state, &fd, &before, &err), 0);
    assert_int_equal(before.supervisor.pid, 0);
    own.services[PART_MONITOR] = (struct process){12345, 678};
    assert_int_equal(uplock_write(fd, &own, &err), 0);

    assert_int_equal(uplock_take(*state, &second, &before, &err), -1);
    assert_int_equal(err.code, ERR_STATE);
    char pid[16];
    snprintf(pid, sizeof pid, "pid %d", (int)getpid());
    assert_non_null(strstr(err.text, pid));

    assert_int_equal(uplock_read(*state, &seen, &held, &err), 0);
    assert_true(held);
    assert_memory_equal(&seen, &own, sizeof own);
    close(fd);
    assert_int_equal(uplock_read(*state, &seen, &held, &err), 0);
    assert_false(held);
    assert_int_equal(uplock_take(*state, &fd, &before, &err), 0);
    assert_int_equal(before.services[PART_MONITOR].pid, 12345);
    close(fd);
}

static void a_broken_file_reads_as_nobody(void **state)
{
    static const char *const contents[] = {
        "", "\n", "up", "up x y\n", "up 99999999999999 1\n", "nonsense 1 2\nup 7 8\n", "\xff\xfe"};
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        struct err err;
        struct uplock seen;
        bool held;
        char path[96];
        snprintf(path, sizeof path, "%s/up.lock", (char *)*state);
        assert_int_equal(
            file_replace_volatile(AT_FDCWD, path, contents[i], strlen(contents[i]), 0600, &err), 0);
        assert_int_equal(uplock_read(*state, &seen, &held, &err), 0);
        for (enum part part = 0; part < PARTS; part++)
            assert_int_equal(process_end(&seen.services[part], 0), false);
    }
}

static void a_process_is_its_pid_and_its_start(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (!pid)
        for (;;)
            pause();
    struct process child = process_of(pid), other = child;
    assert_int_equal(child.pid, pid);
    assert_true(child.start > 0);
    other.start++;
    assert_int_equal(process_open(&other), -1);
    assert_false(process_end(&other, 0)); /* and it was not signalled */
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    assert_true(process_end(&child, 60000));
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WTERMSIG(status), SIGTERM);
    assert_int_equal(process_of(pid).pid, 0);
    assert_int_equal(process_open(&child), -1);
}

static void what_ignores_sigterm_is_killed(void **state)
{
    (void)state;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (!pid) {
        signal(SIGTERM, SIG_IGN);
        if (write(ready[1], "r", 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    struct process child = process_of(pid);
    assert_true(process_end(&child, 10));
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WTERMSIG(status), SIGKILL);
    close(ready[0]);
    close(ready[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_second_one_is_refused_and_told_who, enter, leave),
        cmocka_unit_test_setup_teardown(a_broken_file_reads_as_nobody, enter, leave),
        cmocka_unit_test(a_process_is_its_pid_and_its_start),
        cmocka_unit_test(what_ignores_sigterm_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
