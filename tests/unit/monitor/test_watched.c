/* Looking at a real cgroup: what is measured, and what a cgroup that vanishes leaves behind. */
#include "monitor/watched.h"

#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"
#include "engine/cgroup/cgroup_host.h"
#include "engine/process/pid.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct err err;
static struct cgroup_host host;
static struct cgroup cgroup;
static struct bytes paths;
static pid_t spinner;

static int64_t soon(void)
{
    return clock_boot_ns() + 20 * (int64_t)S_NS;
}

static void make_cgroup(void)
{
    unsigned unenforced;
    assert_int_equal(
        cgroup_make(&host, "sandbox", &(struct cgroup_limits){0}, &cgroup, &unenforced, &err), 0);
}

static void remove_cgroup(void)
{
    kill(spinner, SIGKILL);
    waitpid(spinner, NULL, 0);
    assert_int_equal(cgroup_remove(&cgroup, soon(), &err), 0);
}

/* Returns once it is inside. */
static void start_spinner(void)
{
    int fds[CGROUP_TREES], joined[2];
    char byte;
    assert_int_equal(pipe2(joined, O_CLOEXEC), 0);
    struct cgroup leaf = cgroup_init_leaf(&cgroup);
    assert_int_equal(cgroup_open_join(&leaf, fds, &err), 0);
    spinner = fork();
    if (!spinner) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (cgroup_join(fds) || write(joined[1], "j", 1) != 1)
            _exit(1);
        for (;;) {
        }
    }
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++)
        fd_close(&fds[tree]);
    close(joined[1]);
    assert_int_equal(read(joined[0], &byte, 1), 1);
    close(joined[0]);
}

static int open_host(void **state)
{
    (void)state;
    char instance[32];
    snprintf(instance, sizeof instance, "test-%d", (int)getpid());
    if (cgroup_host_open(instance, &host, &err))
        return -1;
    if (host.mode == CGROUP_NONE)
        return 0;
    make_cgroup();
    start_spinner();
    paths = bytes_open(8192);
    return 0;
}

static int close_host(void **state)
{
    (void)state;
    if (host.mode == CGROUP_NONE)
        return 0;
    remove_cgroup();
    cgroup_host_remove(&host);
    bytes_close(&paths);
    return 0;
}

static struct watched *load(void)
{
    if (host.mode == CGROUP_NONE) {
        print_message("SKIPPED: no cgroup may be written here: %s\n", host.lacks);
        skip();
    }
    uint64_t start;
    assert_int_equal(pid_start_ticks(spinner, &start, &err), 0);
    struct lease lease = {
        .tenant = "default", .agent = "coder", .init_pid = spinner, .init_start = (int64_t)start};
    assert_int_equal(lease_set_cgroup(&lease, &cgroup, &paths, &err), 0);
    struct watched *w = watched_new("sb_x", 8);
    assert_non_null(w);
    assert_int_equal(watched_load(w, &lease, &err), 0);
    bytes_clear(&paths);
    return w;
}

/* Looks until the spinner has used some CPU between two looks. */
static struct look look_until_busy(struct watched *w)
{
    struct look seen;
    do {
        seen = watched_look(w, clock_boot_ns());
    } while (seen.value[METRIC_CPU] <= 0);
    return seen;
}

static void skip_where_nothing_is_counted(void)
{
    if ((host.limits & (CGROUP_MEMORY | CGROUP_PIDS)) == (CGROUP_MEMORY | CGROUP_PIDS))
        return;
    print_message("SKIPPED: no counters here: %s\n", host.lacks);
    skip();
}

static void measures_from_the_second_look_on(void **state)
{
    (void)state;
    skip_where_nothing_is_counted();
    SCOPED(watched_free) struct watched *w = load();
    struct look first = watched_look(w, clock_boot_ns());
    assert_int_equal(first.value[METRIC_CPU], -1);
    assert_int_equal(first.value[METRIC_PIDS], 1);
    assert_true(first.value[METRIC_MEMORY] >= 0);
    assert_true(look_until_busy(w).value[METRIC_CPU] > 0);
    assert_true(watched_is_alive(w));
}

static void a_look_right_behind_another_measures_no_cpu(void **state)
{
    (void)state;
    SCOPED(watched_free) struct watched *w = load();
    look_until_busy(w);
    int64_t before_ns = w->before_boot_ns;
    assert_int_equal(watched_look(w, before_ns + MS_NS).value[METRIC_CPU], -1);
    assert_int_equal(w->before_boot_ns, before_ns);
    assert_true(watched_look(w, before_ns + S_NS).value[METRIC_CPU] >= 0);
}

static void a_counter_that_starts_anew_is_a_gap(void **state)
{
    (void)state;
    SCOPED(watched_free) struct watched *w = load();
    look_until_busy(w);
    w->before_usec = INT64_MAX; /* as if another cgroup had stood here */
    assert_int_equal(watched_look(w, w->before_boot_ns + S_NS).value[METRIC_CPU], -1);
    assert_int_equal(history_at(&w->history, 0)->boot_ns, w->before_boot_ns);
    w->before_boot_ns = clock_boot_ns();
    assert_true(look_until_busy(w).value[METRIC_CPU] > 0);
}

static void a_cgroup_that_vanishes_is_a_gap_and_dead(void **state)
{
    (void)state;
    SCOPED(watched_free) struct watched *w = load();
    look_until_busy(w);
    remove_cgroup();
    struct look gap = watched_look(w, clock_boot_ns());
    for (enum metric metric = 0; metric < METRICS; metric++)
        assert_int_equal(gap.value[metric], -1);
    assert_true(w->is_stale);
    assert_false(w->is_metered);
    assert_false(watched_is_alive(w));
    assert_int_equal(history_at(&w->history, 0)->value[METRIC_PIDS], -1);
    make_cgroup();
    start_spinner();
}

static void an_empty_cgroup_is_dead_with_no_processes(void **state)
{
    (void)state;
    skip_where_nothing_is_counted();
    SCOPED(watched_free) struct watched *w = load();
    assert_int_equal(cgroup_kill(&cgroup, &err), 0);
    assert_int_equal(cgroup_wait_empty(&cgroup, soon(), &err), 0);
    assert_int_equal(waitpid(spinner, NULL, 0), spinner);
    assert_int_equal(watched_look(w, clock_boot_ns()).value[METRIC_PIDS], 0);
    assert_false(watched_is_alive(w));
    start_spinner();
}

static void without_a_cgroup_the_init_says_whether_it_lives(void **state)
{
    (void)state;
    SCOPED(watched_free) struct watched *w = load();
    w->cgroup = (struct cgroup){.mode = CGROUP_NONE};
    assert_true(watched_is_alive(w));
    w->init_start++; /* the pid is another process's now */
    assert_false(watched_is_alive(w));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_host, close_host)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(measures_from_the_second_look_on),
        CASE(a_look_right_behind_another_measures_no_cpu),
        CASE(a_counter_that_starts_anew_is_a_gap),
        CASE(a_cgroup_that_vanishes_is_a_gap_and_dead),
        CASE(an_empty_cgroup_is_dead_with_no_processes),
        CASE(without_a_cgroup_the_init_says_whether_it_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
