/* The real kernel's control groups, in a tree below our own. Where none may be written the tests
 * skip and say why. Each runs on the host's own layout and, where the v2 mount is only one of
 * several, a second time as if it were not there: the way of pure v1.
 */
#include "engine/cgroup/cgroup.h"

#include "base/clock.h"
#include "base/scope.h"
#include "engine/cgroup/cgroup_host.h"
#include "engine/cgroup/cgroup_io.h"
#include "engine/cgroup/cgroup_usage.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct cgroup_host host;

static int64_t soon(void)
{
    return clock_boot_ns() + 20 * (int64_t)S_NS;
}

static void open_host(void)
{
    struct err err;
    char instance[32];
    snprintf(instance, sizeof instance, "test-%d", (int)getpid());
    assert_int_equal(cgroup_host_open(instance, &host, &err), 0);
    if (host.mode != CGROUP_NONE)
        return;
    print_message("SKIPPED: no cgroup may be written here: %s\n", host.lacks);
    skip();
}

/* Hides the v2 mount, if the host has controllers elsewhere. */
static void open_host_as_v1(void)
{
    open_host();
    if (host.mode == CGROUP_V1)
        return;
    if (host.mode != CGROUP_HYBRID) {
        cgroup_host_remove(&host);
        print_message("SKIPPED: this host has no v1 controllers\n");
        skip();
    }
    rmdir(host.base[CGROUP_TREE_UNIFIED]);
    host.base[CGROUP_TREE_UNIFIED][0] = 0;
    host.mode = CGROUP_V1;
}

/* Uses the v2 mount alone, as on a host where it has all controllers. Here it has none, so kills,
 * execs and the leaf can be tried, limits cannot. */
static void open_host_as_v2(void)
{
    open_host();
    if (host.mode == CGROUP_V2)
        return;
    if (host.mode != CGROUP_HYBRID) {
        cgroup_host_remove(&host);
        print_message("SKIPPED: this host has no v2 mount\n");
        skip();
    }
    struct cgroup_host all = host;
    host.base[CGROUP_TREE_UNIFIED][0] = 0;
    cgroup_host_remove(&host);
    host = (struct cgroup_host){.mode = CGROUP_V2};
    memcpy(host.base[CGROUP_TREE_UNIFIED], all.base[CGROUP_TREE_UNIFIED], CGROUP_PATH_BYTES);
}

static struct cgroup make(const char *name, struct cgroup_limits limits, unsigned wanted)
{
    struct err err = {0};
    struct cgroup cg = {0};
    unsigned unenforced = 0;
    int made = cgroup_make(&host, name, &limits, &cg, &unenforced, &err);
    if (made)
        print_error("%s\n", err.text);
    assert_int_equal(made, 0);
    if (unenforced & wanted) {
        cgroup_remove(&cg, soon(), &err);
        cgroup_host_remove(&host);
        print_message("SKIPPED: a limit is not enforced here: %s\n", host.lacks);
        skip();
    }
    return cg;
}

static void finish(const struct cgroup *cg)
{
    struct err err;
    assert_int_equal(cgroup_kill(cg, &err), 0);
    assert_int_equal(cgroup_wait_empty(cg, soon(), &err), 0);
    assert_int_equal(cgroup_remove(cg, soon(), &err), 0);
    assert_int_equal(cgroup_check(cg, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    cgroup_host_remove(&host);
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++)
        if (host.base[tree][0])
            assert_int_equal(access(host.base[tree], F_OK), -1);
}

/* Starts `body` in the cgroup, as the launcher does, and returns once it has joined. */
static pid_t start(const struct cgroup *cg, void (*body)(void))
{
    struct err err;
    struct cgroup leaf = cgroup_init_leaf(cg);
    int fds[CGROUP_TREES];
    int joined[2];
    char byte = 0;
    assert_int_equal(cgroup_open_join(&leaf, fds, &err), 0);
    assert_int_equal(pipe2(joined, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (cgroup_join(fds) || write(joined[1], "j", 1) != 1)
            _exit(99);
        close(joined[0]);
        close(joined[1]);
        body();
        _exit(0);
    }
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++)
        fd_close(&fds[tree]);
    assert_true(pid > 0);
    fd_close(&joined[1]);
    assert_int_equal(read(joined[0], &byte, 1), 1);
    fd_close(&joined[0]);
    return pid;
}

static int ends_with(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void wait_for_ever(void)
{
    for (;;)
        pause();
}

/* Children of children in sessions of their own, then waits. */
static void spread(void)
{
    for (int i = 0; i < 3; i++)
        if (!fork()) {
            setsid();
            fork();
            wait_for_ever();
        }
    wait_for_ever();
}

static void kill_proves_death(void)
{
    struct err err;
    struct cgroup cg = make("sb_kill", (struct cgroup_limits){.pids = 64}, 0);
    pid_t pid = start(&cg, spread);
    bool populated = false;
    assert_int_equal(cgroup_populated(&cg, &populated, &err), 0);
    assert_true(populated);
    assert_int_equal(cgroup_wait_empty(&cg, clock_boot_ns(), &err), -1);
    assert_int_equal(err.code, ERR_DEADLINE);
    assert_int_equal(cgroup_kill(&cg, &err), 0);
    assert_int_equal(ends_with(pid), SIGKILL);
    assert_int_equal(cgroup_wait_empty(&cg, soon(), &err), 0);
    assert_int_equal(cgroup_populated(&cg, &populated, &err), 0);
    assert_false(populated);
    finish(&cg);
}

/* In a cgroup that another process is in too: no limits, but nothing is done to it either. */
static void body_among_others(void)
{
    struct err err;
    struct cgroup_host own;
    if (cgroup_host_open("among", &own, &err))
        _exit(1);
    cgroup_host_remove(&own);
    _exit(own.mode != CGROUP_V2 || own.limits || !strstr(own.lacks, "processes are in") ? 2 : 0);
}

static void takes_no_controllers_where_processes_live(void **state)
{
    (void)state;
    struct view type;
    char text[CGROUP_TEXT_BYTES];
    open_host();
    if (host.mode != CGROUP_V2 || host.limits != CGROUP_LIMITS) {
        cgroup_host_remove(&host);
        print_message("SKIPPED: only where v2 has all controllers\n");
        skip();
    }
    struct cgroup cg = make("sb_shared", (struct cgroup_limits){0}, 0);
    struct cgroup leaf = cgroup_init_leaf(&cg);
    start(&cg, wait_for_ever);
    assert_int_equal(ends_with(start(&cg, body_among_others)), 0);
    assert_int_equal(cgroup_io_read(leaf.path[CGROUP_TREE_UNIFIED], "cgroup.type", text, &type), 0);
    assert_true(view_equal(type, view_of("domain\n")));
    finish(&cg);
    while (wait(NULL) > 0) {
    }
}

static void kills_what_forked_and_left_its_session(void **state)
{
    (void)state;
    open_host();
    kill_proves_death();
}

static void kills_on_v1_by_freezing(void **state)
{
    (void)state;
    open_host_as_v1();
    kill_proves_death();
}

static void kills_on_v2(void **state)
{
    (void)state;
    open_host_as_v2();
    kill_proves_death();
}

/* Forks as fast as pids.max lets it: the race that a kill by pid loses. */
static void bomb(void)
{
    for (;;)
        fork();
}

static void kill_ends_a_bomb(void)
{
    struct cgroup cg = make("sb_bomb", (struct cgroup_limits){.pids = 40}, CGROUP_PIDS);
    pid_t pid = start(&cg, bomb);
    finish(&cg);
    assert_int_equal(ends_with(pid), SIGKILL);
}

static void kills_a_fork_bomb(void **state)
{
    (void)state;
    open_host();
    kill_ends_a_bomb();
}

static void kills_a_fork_bomb_on_v1(void **state)
{
    (void)state;
    open_host_as_v1();
    kill_ends_a_bomb();
}

static void kill_of_an_exec_leaves_its_sibling(void)
{
    struct err err;
    struct cgroup exec[2];
    bool populated = false;
    struct cgroup cg = make("sb_exec", (struct cgroup_limits){0}, 0);
    pid_t pids[2];
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(cgroup_make_exec(&cg, i + 1, &exec[i], &err), 0);
        pids[i] = start(&cg, wait_for_ever);
        assert_int_equal(cgroup_add(&exec[i], pids[i], &err), 0);
    }
    assert_int_equal(cgroup_make_exec(&cg, 1, &exec[0], &err), -1);
    assert_int_equal(err.code, ERR_STATE);
    assert_int_equal(cgroup_kill(&exec[0], &err), 0);
    assert_int_equal(ends_with(pids[0]), SIGKILL);
    assert_int_equal(cgroup_wait_empty(&exec[0], soon(), &err), 0);
    assert_int_equal(cgroup_remove(&exec[0], soon(), &err), 0);
    assert_int_equal(cgroup_populated(&exec[1], &populated, &err), 0);
    assert_true(populated);
    assert_int_equal(waitpid(pids[1], NULL, WNOHANG), 0);
    finish(&cg);
    assert_int_equal(ends_with(pids[1]), SIGKILL);
}

static void kills_one_exec_and_leaves_its_sibling(void **state)
{
    (void)state;
    open_host();
    kill_of_an_exec_leaves_its_sibling();
}

static void kills_one_exec_and_leaves_its_sibling_on_v1(void **state)
{
    (void)state;
    open_host_as_v1();
    kill_of_an_exec_leaves_its_sibling();
}

static void kills_one_exec_and_leaves_its_sibling_on_v2(void **state)
{
    (void)state;
    open_host_as_v2();
    kill_of_an_exec_leaves_its_sibling();
}

static void eat_memory(void)
{
    enum { EATEN = 64 << 20 };
    char *all = mmap(NULL, EATEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (size_t at = 0; all != MAP_FAILED && at < EATEN; at += 4096)
        ((volatile char *)all)[at] = 1;
}

static void memory_beyond_the_limit_is_an_oom_kill_with_a_counter(void **state)
{
    (void)state;
    open_host();
    struct err err;
    struct cgroup_meter meter;
    struct cgroup_usage before, after;
    struct cgroup cg =
        make("sb_memory", (struct cgroup_limits){.memory_bytes = 16 << 20}, CGROUP_MEMORY);
    assert_int_equal(cgroup_meter_open(&cg, &meter, &err), 0);
    assert_int_equal(cgroup_meter_read(&meter, &before, &err), 0);
    assert_int_equal(ends_with(start(&cg, eat_memory)), SIGKILL);
    assert_int_equal(cgroup_meter_read(&meter, &after, &err), 0);
    assert_true(after.oom_kills == before.oom_kills + 1);
    assert_true(after.cpu_usec > before.cpu_usec);
    cgroup_meter_close(&meter);
    finish(&cg);
}

static void fork_past_the_limit(void)
{
    for (int i = 0; i < 16; i++) {
        pid_t pid = fork();
        if (!pid)
            wait_for_ever();
        if (pid < 0)
            _exit(errno == EAGAIN ? i : 98);
    }
}

static void processes_beyond_the_limit_are_refused(void **state)
{
    (void)state;
    open_host();
    struct cgroup cg = make("sb_pids", (struct cgroup_limits){.pids = 5}, CGROUP_PIDS);
    int status = ends_with(start(&cg, fork_past_the_limit));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 4); /* itself and four */
    finish(&cg);
}

static void names_the_limits_that_the_host_does_not_hold(void **state)
{
    (void)state;
    open_host();
    struct err err;
    struct cgroup cg;
    unsigned unenforced = 0;
    char names[32];
    struct cgroup_limits absurd = {.memory_bytes = 1 << 24, .cpu_millis = 5}; /* < 1 ms */
    assert_int_equal(cgroup_make(&host, "sb_absurd", &absurd, &cg, &unenforced, &err), 0);
    cgroup_limit_names(names, unenforced & CGROUP_CPU);
    assert_string_equal(names, "cpu");
    assert_false(unenforced & CGROUP_PIDS);
    finish(&cg);
}

static void a_second_cgroup_of_one_name_is_refused(void **state)
{
    (void)state;
    open_host();
    struct err err;
    struct cgroup cg = make("sb_twice", (struct cgroup_limits){0}, 0), again;
    unsigned unenforced;
    assert_int_equal(
        cgroup_make(&host, "sb_twice", &(struct cgroup_limits){0}, &again, &unenforced, &err), -1);
    assert_int_equal(err.code, ERR_STATE);
    assert_int_equal(cgroup_check(&cg, &err), 0);
    finish(&cg);
}

static void paths_from_a_lease_must_be_ours(void **state)
{
    (void)state;
    struct err err;
    static const char *const bad[] = {"/etc", "/sys/fs/cgroup", "/tmp/corral-x/../..",
                                      "relative/corral-x", "/corral-x/.."};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct cgroup cg = {.mode = CGROUP_V2};
        snprintf(cg.path[CGROUP_TREE_UNIFIED], CGROUP_PATH_BYTES, "%s", bad[i]);
        assert_int_equal(cgroup_check(&cg, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
    }
    struct cgroup empty = {.mode = CGROUP_V2}, none = {.mode = CGROUP_NONE};
    assert_int_equal(cgroup_check(&empty, &err), -1);
    assert_int_equal(cgroup_check(&none, &err), 0);
}

static volatile unsigned *counter;

static void count_up(void)
{
    for (;;)
        ++*counter;
}

static void freeze_holds_and_thaw_lets_go(void)
{
    struct err err;
    struct cgroup cg = make("sb_freeze", (struct cgroup_limits){0}, 0);
    counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(counter != MAP_FAILED);
    pid_t pid = start(&cg, count_up);
    assert_int_equal(cgroup_freeze(&cg, true, soon(), &err), 0);
    unsigned held = *counter;
    for (int i = 0; i < 1000; i++)
        sched_yield();
    assert_int_equal(*counter, held);
    assert_int_equal(cgroup_freeze(&cg, false, soon(), &err), 0);
    while (*counter == held)
        sched_yield();
    munmap((void *)counter, 4096);
    finish(&cg);
    assert_int_equal(ends_with(pid), SIGKILL);
}

static void freezes_and_thaws(void **state)
{
    (void)state;
    open_host();
    freeze_holds_and_thaw_lets_go();
}

static void freezes_and_thaws_on_v2(void **state)
{
    (void)state;
    open_host_as_v2();
    freeze_holds_and_thaw_lets_go();
}

static void freezes_and_thaws_on_v1(void **state)
{
    (void)state;
    open_host_as_v1();
    freeze_holds_and_thaw_lets_go();
}

static void note(void *context, const char *name)
{
    if (!strcmp(name, "sb_listed"))
        ++*(int *)context;
}

static void lists_what_is_there(void **state)
{
    (void)state;
    open_host();
    struct err err;
    int seen = 0;
    struct cgroup cg = make("sb_listed", (struct cgroup_limits){0}, 0), found;
    assert_int_equal(cgroup_host_list(&host, note, &seen, &err), 0);
    assert_true(seen > 0);
    assert_int_equal(cgroup_host_find(&host, "sb_listed", &found, &err), 0);
    assert_memory_equal(&found, &cg, sizeof cg);
    assert_int_equal(cgroup_host_find(&host, "../x", &found, &err), -1);
    finish(&cg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kills_what_forked_and_left_its_session),
        cmocka_unit_test(kills_on_v1_by_freezing),
        cmocka_unit_test(kills_on_v2),
        cmocka_unit_test(kills_a_fork_bomb),
        cmocka_unit_test(kills_a_fork_bomb_on_v1),
        cmocka_unit_test(kills_one_exec_and_leaves_its_sibling),
        cmocka_unit_test(kills_one_exec_and_leaves_its_sibling_on_v1),
        cmocka_unit_test(kills_one_exec_and_leaves_its_sibling_on_v2),
        cmocka_unit_test(memory_beyond_the_limit_is_an_oom_kill_with_a_counter),
        cmocka_unit_test(processes_beyond_the_limit_are_refused),
        cmocka_unit_test(takes_no_controllers_where_processes_live),
        cmocka_unit_test(names_the_limits_that_the_host_does_not_hold),
        cmocka_unit_test(a_second_cgroup_of_one_name_is_refused),
        cmocka_unit_test(paths_from_a_lease_must_be_ours),
        cmocka_unit_test(freezes_and_thaws),
        cmocka_unit_test(freezes_and_thaws_on_v1),
        cmocka_unit_test(freezes_and_thaws_on_v2),
        cmocka_unit_test(lists_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
