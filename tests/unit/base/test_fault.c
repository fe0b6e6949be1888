/* Fault injection: counting, the N-th call, and the two environment variables in processes of their
 * own. */
#include "base/fault.h"

#include "base/mem.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int reset(void **state)
{
    (void)state;
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        fault_set((enum fault_kind)kind, 0, false);
    return 0;
}

static void fails_only_the_nth_call(void **state)
{
    (void)state;
    fault_set(FAULT_WRITE, 3, false);
    for (int call = 1; call <= 5; call++)
        assert_int_equal(fault_hit(FAULT_WRITE), call == 3);
    assert_int_equal(fault_count(FAULT_WRITE), 5);
}

static void fails_from_the_nth_call_on(void **state)
{
    (void)state;
    fault_set(FAULT_FSYNC, 2, true);
    for (int call = 1; call <= 4; call++)
        assert_int_equal(fault_hit(FAULT_FSYNC), call >= 2);
}

static void counts_each_kind_for_itself(void **state)
{
    (void)state;
    fault_set(FAULT_ALLOC, 1, false);
    assert_false(fault_hit(FAULT_WRITE));
    assert_false(fault_hit(FAULT_SQLITE));
    assert_int_equal(fault_count(FAULT_ALLOC), 0);
    assert_true(fault_hit(FAULT_ALLOC));
}

static void sets_the_errno_of_the_kind(void **state)
{
    (void)state;
    static const int expected[FAULT_KINDS] = {ENOMEM, ENOSPC, EIO, EIO};
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        fault_set((enum fault_kind)kind, 1, false);
        errno = 0;
        assert_true(fault_hit((enum fault_kind)kind));
        assert_int_equal(errno, expected[kind]);
    }
}

static void refuses_each_allocation_and_keeps_the_old_block(void **state)
{
    (void)state;
    char *text = mem_text("kept");
    assert_non_null(text);
    fault_set(FAULT_ALLOC, 1, true);
    void *fresh = mem_new(1, 1), *grown = mem_resize(text, 100), *copy = mem_text(text);
    fault_set(FAULT_ALLOC, 0, false);
    assert_null(fresh);
    assert_null(grown);
    assert_null(copy);
    assert_string_equal(text, "kept");
    free(text);
}

static void refuses_a_product_that_overflows(void **state)
{
    (void)state;
    volatile size_t half = SIZE_MAX / 2; /* volatile: the compiler would see it and warn */
    assert_null(mem_new(half, 4));
}

/* Runs this program again as `act` with one variable set; returns the wait status. */
static int run_again(const char *act, const char *variable, const char *value)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        setenv(variable, value, 1);
        execl("/proc/self/exe", "again", act, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void assert_exits(int status, int code)
{
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), code);
}

static void dies_at_a_listed_point_and_at_no_other(void **state)
{
    (void)state;
    int status = run_again("point", "CORRAL_FAILPOINT", "other,here");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_exits(run_again("point", "CORRAL_FAILPOINT", "her,heresy,there"), 0);
    assert_exits(run_again("point", "CORRAL_FAILPOINT", ""), 0);
}

static void fails_the_calls_that_the_environment_names(void **state)
{
    (void)state;
    assert_exits(run_again("writes", "CORRAL_FAULT", "write:2"), 2);
    assert_exits(run_again("writes", "CORRAL_FAULT", "write:2:always"), 2 + 4);
    assert_exits(run_again("writes", "CORRAL_FAULT", "fsync:1"), 0);
}

static void counts_from_ready_on_where_the_environment_says_so(void **state)
{
    (void)state;
    assert_exits(run_again("writes", "CORRAL_FAULT", "write:1:ready"), 4);
    assert_exits(run_again("writes", "CORRAL_FAULT", "write:2:ready"), 0);
}

/* Passes the point "here", or makes three writes and is ready before the last; bit N-1 of the exit
 * code: the N-th failed. */
static int act_again(const char *act)
{
    int failed = 0;
    if (!strcmp(act, "point"))
        fault_point("here");
    if (!strcmp(act, "writes"))
        for (int call = 0; call < 3; call++) {
            if (call == 2)
                fault_begin();
            failed |= fault_hit(FAULT_WRITE) ? 1 << call : 0;
        }
    return failed;
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return act_again(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(fails_only_the_nth_call, reset),
        cmocka_unit_test_teardown(fails_from_the_nth_call_on, reset),
        cmocka_unit_test_teardown(counts_each_kind_for_itself, reset),
        cmocka_unit_test_teardown(sets_the_errno_of_the_kind, reset),
        cmocka_unit_test_teardown(refuses_each_allocation_and_keeps_the_old_block, reset),
        cmocka_unit_test(refuses_a_product_that_overflows),
        cmocka_unit_test(dies_at_a_listed_point_and_at_no_other),
        cmocka_unit_test(fails_the_calls_that_the_environment_names),
        cmocka_unit_test(counts_from_ready_on_where_the_environment_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
