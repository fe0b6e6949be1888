/* corral-init as the manager sees it: children, gates, output, ends. */
#include "tests/lib/init_driver.h"

#include <errno.h>

static void assert_text(const struct bytes *b, const char *expected)
{
    assert_string_equal(b->data ? (const char *)b->data : "", expected);
}

/* Runs a shell line and returns its outcome. */
static struct outcome run_shell(struct driver *d, uint32_t id, const char *line)
{
    struct err err;
    SCOPED(bytes_close) struct bytes argv = bytes_open(4096);
    assert_int_equal(bytes_addf(&argv, &err, "sh%c-c%c%s", 0, 0, line), 0);
    struct frame_spawn order = driver_order(id, (struct view){argv.data, argv.len + 1});
    return driver_run(d, &order);
}

static void says_hello_without_a_token_and_is_undumpable(void **state)
{
    (void)state;
    struct driver d = driver_launch();
    struct frame_hello hello = driver_accept(&d);
    assert_int_equal(hello.version, FRAME_VERSION);
    assert_null(hello.token.data);
    assert_true(hello.started_boot_ns > 0);
    char path[64], text[256];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%d/mem", (int)d.init);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_uid, 0); /* of a dumpable process it would be the process's uid */
    driver_proc(text, d.init, "status", "NoNewPrivs:");
    assert_string_equal(text, "1");
    driver_stop(&d);
}

static void runs_a_command_and_passes_its_real_pidfd(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order = driver_order(7, TEXTS_OF("echo\0hello"));
    SCOPED(fd_close) int pidfd = driver_spawn(&d, &order);
    char text[256];
    driver_proc(text, driver_pid_of(pidfd), "status", "PPid:");
    assert_int_equal(atoi(text), d.init);
    driver_say(&d, open_gate, .id = 7);
    SCOPED(outcome_close) struct outcome o = outcome_open();
    driver_finish(&d, 7, &o);
    assert_text(&o.out[0], "hello\n");
    assert_text(&o.out[1], "");
    assert_false(o.end.signalled);
    assert_int_equal(o.end.status, 0);
    assert_int_equal(o.end.stdout_bytes, 6);
    assert_true(o.end.max_rss_kib > 0);
    driver_wait_death(pidfd);
    driver_stop(&d);
}

static void nothing_runs_before_the_gate_is_open(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order = driver_order(1, TEXTS_OF("sleep\0"
                                                        "1000"));
    SCOPED(fd_close) int pidfd = driver_spawn(&d, &order);
    char own[256], child[256];
    driver_settle(&d);
    driver_proc(own, d.init, "comm", "");
    driver_proc(child, driver_pid_of(pidfd), "comm", "");
    assert_string_equal(child, own);
    driver_say(&d, open_gate, .id = 1);
    while (!strcmp(child, own)) /* execve has no event of its own */
        driver_proc(child, driver_pid_of(pidfd), "comm", "");
    assert_string_equal(child, "sleep");
    driver_say(&d, signal, .id = 1, .signo = SIGKILL);
    driver_expect(&d, FRAME_EXITED);
    driver_stop(&d);
}

static void a_forgotten_child_at_its_gate_dies_though_others_wait(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order = driver_order(1, TEXTS_OF("touch\0ran"));
    struct frame_spawn other = driver_order(2, TEXTS_OF("true"));
    order.cwd = view_of(d.folder);
    SCOPED(fd_close) int first = driver_spawn(&d, &order);
    SCOPED(fd_close) int second = driver_spawn(&d, &other);
    driver_say(&d, forget, .id = 1);
    driver_wait_death(first);
    char path[64];
    snprintf(path, sizeof path, "%s/ran", d.folder);
    assert_int_equal(access(path, F_OK), -1);
    driver_say(&d, forget, .id = 2);
    driver_wait_death(second);
    driver_stop(&d);
}

static void keeps_stdout_and_stderr_apart_and_tells_the_exit_code(void **state)
{
    (void)state;
    struct driver d = driver_start();
    SCOPED(outcome_close) struct outcome o = run_shell(&d, 1, "echo out; echo err >&2; exit 7");
    assert_text(&o.out[0], "out\n");
    assert_text(&o.out[1], "err\n");
    assert_false(o.end.signalled);
    assert_int_equal(o.end.status, 7);
    driver_stop(&d);
}

static void a_signal_reaches_the_whole_group_and_is_told(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order =
        driver_order(1, TEXTS_OF("sh\0-c\0sleep 1000 & echo ready; wait; wait"));
    SCOPED(fd_close) int pidfd = driver_spawn(&d, &order);
    driver_say(&d, open_gate, .id = 1);
    driver_expect(&d, FRAME_OUTPUT);
    driver_say(&d, signal, .id = 1, .signo = SIGTERM);
    driver_expect(&d, FRAME_EXITED);
    struct frame_exited m;
    driver_read(&d, exited, &m);
    assert_true(m.signalled);
    assert_int_equal(m.status, SIGTERM);
    driver_stop(&d);
}

static void says_why_a_command_did_not_start(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order = driver_order(1, TEXTS_OF("no-such-command"));
    SCOPED(outcome_close) struct outcome missing = driver_run(&d, &order);
    assert_true(missing.failed);
    assert_string_equal(missing.stage, "exec");
    assert_int_equal(missing.error, ENOENT);

    order = driver_order(2, TEXTS_OF("/etc/passwd"));
    SCOPED(outcome_close) struct outcome forbidden = driver_run(&d, &order);
    assert_string_equal(forbidden.stage, "exec");
    assert_int_equal(forbidden.error, EACCES);

    order = driver_order(3, TEXTS_OF("passwd"));
    order.env = TEXTS_OF("PATH=/nowhere:/etc:/etc/passwd");
    SCOPED(outcome_close) struct outcome found = driver_run(&d, &order);
    assert_string_equal(found.stage, "exec");
    assert_int_equal(found.error, EACCES);

    order = driver_order(4, TEXTS_OF("true"));
    order.cwd = view_of("/nowhere");
    SCOPED(outcome_close) struct outcome lost = driver_run(&d, &order);
    assert_string_equal(lost.stage, "chdir");
    assert_int_equal(lost.error, ENOENT);
    driver_stop(&d);
}

static void gives_the_child_nothing_but_what_was_ordered(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order = driver_order(1, TEXTS_OF("env"));
    order.env = TEXTS_OF("B=2\0A=1");
    SCOPED(outcome_close) struct outcome env = driver_run(&d, &order);
    assert_text(&env.out[0], "B=2\nA=1\n");

    order = driver_order(2, TEXTS_OF("ls\0/proc/self/fd"));
    SCOPED(outcome_close) struct outcome fds = driver_run(&d, &order);
    assert_text(&fds.out[0], "0\n1\n2\n3\n"); /* 3 is the folder that ls reads */

    order = driver_order(3, TEXTS_OF("grep\0-hE\0^(Sig(Blk|Ign)|NoNewPrivs)\0/proc/self/status"));
    SCOPED(outcome_close) struct outcome signals = driver_run(&d, &order);
    assert_text(&signals.out[0], "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
                                 "NoNewPrivs:\t1\n");

    order = driver_order(4, TEXTS_OF("sh\0-c\0read x; echo \"$? $PWD\""));
    order.cwd = view_of("/usr");
    SCOPED(outcome_close) struct outcome input = driver_run(&d, &order);
    assert_text(&input.out[0], "1 /usr\n"); /* stdin is at its end */

    order =
        driver_order(5, TEXTS_OF("sh\0-c\0read a b c d e f rest < /proc/self/stat; [ $a = $f ]"));
    SCOPED(outcome_close) struct outcome session = driver_run(&d, &order);
    assert_int_equal(session.end.status, 0);
    driver_stop(&d);
}

static void runs_the_judged_bytes_from_a_sealed_descriptor(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order = driver_order(1, TEXTS_OF("sh\0SCRIPT\0SCRIPT\0two"));
    order.script_arg = 1;
    order.script = BLOB_OF("echo \"$0 $1 $2\"; (echo x > $0) 2>/dev/null || echo sealed");
    SCOPED(outcome_close) struct outcome o = driver_run(&d, &order);
    assert_text(&o.out[0], "/proc/self/fd/3 SCRIPT two\nsealed\n");

    order = driver_order(2, TEXTS_OF("SCRIPT\0one"));
    order.script_arg = 0;
    order.script = BLOB_OF("#!/bin/sh\necho \"direct $1\"\n");
    SCOPED(outcome_close) struct outcome direct = driver_run(&d, &order);
    assert_text(&direct.out[0], "direct one\n");
    driver_stop(&d);
}

static void feeds_stdin_and_counts_what_was_taken(void **state)
{
    (void)state;
    struct driver d = driver_start();
    SCOPED(bytes_close) struct bytes blob = bytes_open(FRAME_STDIN_BYTES);
    struct err err;
    for (int i = 0; blob.len < 200000; i++)
        assert_int_equal(bytes_addf(&blob, &err, "line %d\n", i), 0);
    struct frame_spawn order = driver_order(1, TEXTS_OF("cat"));
    order.stdin = bytes_view(&blob);
    order.open_stdin = true;
    SCOPED(fd_close) int pidfd = driver_spawn(&d, &order);
    driver_say(&d, open_gate, .id = 1);
    SCOPED(outcome_close) struct outcome o = outcome_open();
    int64_t taken = 0;
    while (taken < (int64_t)blob.len || o.out[0].len < blob.len) {
        assert_true(driver_wait(&d));
        struct frame_taken m;
        if (d.frame.kind == FRAME_OUTPUT) {
            driver_on_output(&d, &o);
            continue;
        }
        driver_read(&d, taken, &m);
        assert_true(m.bytes > taken);
        taken = m.bytes;
    }
    driver_say(&d, stdin, .id = 1, .data = BLOB_OF("the end\n"), .eof = true);
    driver_finish(&d, 1, &o);
    assert_int_equal(bytes_add(&blob, "the end\n", 8, &err), 0);
    assert_true(view_equal(bytes_view(&o.out[0]), bytes_view(&blob)));
    assert_int_equal(o.end.status, 0);
    driver_stop(&d);
}

static void takes_stdin_that_the_child_closed(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order =
        driver_order(1, TEXTS_OF("sh\0-c\0exec <&-; echo closed; sleep 1000"));
    order.open_stdin = true;
    SCOPED(fd_close) int pidfd = driver_spawn(&d, &order);
    driver_say(&d, open_gate, .id = 1);
    driver_expect(&d, FRAME_OUTPUT);
    driver_say(&d, stdin, .id = 1, .data = BLOB_OF("lost"), .eof = false);
    driver_expect(&d, FRAME_TAKEN);
    driver_say(&d, stdin, .id = 1, .data = BLOB_OF("too"), .eof = true);
    driver_expect(&d, FRAME_TAKEN);
    struct frame_taken m;
    driver_read(&d, taken, &m);
    assert_int_equal(m.bytes, 7);
    driver_say(&d, signal, .id = 1, .signo = SIGKILL);
    driver_expect(&d, FRAME_EXITED);
    driver_stop(&d);
}

static void a_descendant_that_holds_the_pipes_does_not_hold_up_the_end(void **state)
{
    (void)state;
    struct driver d = driver_start();
    SCOPED(outcome_close) struct outcome o = run_shell(&d, 1, "sleep 1000 & echo $!");
    assert_int_equal(o.end.status, 0);
    pid_t pid = atoi((char *)o.out[0].data);
    assert_true(pid > 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    while (!kill(pid, 0)) /* init is its parent now, and reaps it */
        driver_settle(&d);
    assert_int_equal(errno, ESRCH);
    driver_stop(&d);
}

static void waits_for_descendants_as_long_as_it_was_told_to(void **state)
{
    (void)state;
    struct driver d = driver_start();
    char path[64];
    snprintf(path, sizeof path, "%s/fifo", d.folder);
    assert_int_equal(mkfifo(path, 0666), 0);
    assert_int_equal(chmod(path, 0666), 0);
    struct frame_spawn order =
        driver_order(1, TEXTS_OF("sh\0-c\0(read x < fifo; echo late) & echo early"));
    order.cwd = view_of(d.folder);
    order.drain_ms = 60000;
    SCOPED(fd_close) int pidfd = driver_spawn(&d, &order);
    driver_say(&d, open_gate, .id = 1);
    driver_wait_death(pidfd);
    SCOPED(fd_close) int fifo = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(fifo, "go\n", 3), 3);
    SCOPED(outcome_close) struct outcome o = outcome_open();
    driver_finish(&d, 1, &o);
    assert_text(&o.out[0], "early\nlate\n");
    driver_stop(&d);
}

static void runs_64_at_once_and_refuses_one_more(void **state)
{
    (void)state;
    struct driver d = driver_start();
    int pidfds[FRAME_EXECS_MAX];
    for (uint32_t i = 0; i < FRAME_EXECS_MAX; i++) {
        struct frame_spawn order = driver_order(i + 1, TEXTS_OF("true"));
        pidfds[i] = driver_spawn(&d, &order);
    }
    struct frame_spawn order = driver_order(1000, TEXTS_OF("true"));
    struct err err;
    assert_int_equal(frame_put_spawn(&d.line.out, &order, &err), 0);
    driver_flush(&d);
    driver_expect(&d, FRAME_FAILED);
    struct frame_failed m;
    driver_read(&d, failed, &m);
    assert_int_equal(m.id, 1000);
    assert_true(view_equal(m.stage, view_of("limit")));
    assert_int_equal(m.error, EAGAIN);

    driver_say(&d, open_gate, .id = 64);
    driver_expect(&d, FRAME_EXITED);
    driver_say(&d, forget, .id = 64);
    SCOPED(outcome_close) struct outcome o = driver_run(&d, &order);
    assert_int_equal(o.end.status, 0);
    for (uint32_t i = 0; i < FRAME_EXECS_MAX; i++)
        fd_close(&pidfds[i]);
    driver_stop(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_hello_without_a_token_and_is_undumpable),
        cmocka_unit_test(runs_a_command_and_passes_its_real_pidfd),
        cmocka_unit_test(nothing_runs_before_the_gate_is_open),
        cmocka_unit_test(a_forgotten_child_at_its_gate_dies_though_others_wait),
        cmocka_unit_test(keeps_stdout_and_stderr_apart_and_tells_the_exit_code),
        cmocka_unit_test(a_signal_reaches_the_whole_group_and_is_told),
        cmocka_unit_test(says_why_a_command_did_not_start),
        cmocka_unit_test(gives_the_child_nothing_but_what_was_ordered),
        cmocka_unit_test(runs_the_judged_bytes_from_a_sealed_descriptor),
        cmocka_unit_test(feeds_stdin_and_counts_what_was_taken),
        cmocka_unit_test(takes_stdin_that_the_child_closed),
        cmocka_unit_test(a_descendant_that_holds_the_pipes_does_not_hold_up_the_end),
        cmocka_unit_test(waits_for_descendants_as_long_as_it_was_told_to),
        cmocka_unit_test(runs_64_at_once_and_refuses_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
