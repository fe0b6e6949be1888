/* What init makes of a manager that lies, dies or has no time: it stays, or ends when it must. */
#include "tests/lib/init_driver.h"

#include "base/clock.h"

#include <sched.h>

/* Waits for init's end; its exit status, or minus the signal. */
static int wait_end(struct driver *d)
{
    int status;
    assert_int_equal(waitpid(d->init, &status, 0), d->init);
    d->init = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void raw(struct driver *d, struct view bytes)
{
    struct err err;
    assert_int_equal(bytes_add(&d->line.out, bytes.data, bytes.len, &err), 0);
    driver_flush(d);
}

/* Takes the connection that init makes after this one ended, and proves that it works. */
static void take_next_connection(struct driver *d)
{
    while (driver_wait(d)) {
        /* what was on its way */
    }
    driver_disconnect(d);
    struct frame_hello hello = driver_accept(d);
    assert_int_equal(hello.token.len, FRAME_TOKEN_BYTES);
    for (int64_t left = driver_welcome(d, 0); left; left--) {
        driver_expect(d, FRAME_STATE);
        int fd = line_take_fd(&d->line);
        fd_close(&fd);
    }
    driver_settle(d);
}

static void garbage_ends_the_connection_and_nothing_else(void **state)
{
    (void)state;
    const struct view garbage[] = {
        BLOB_OF("GET / HTTP/1.1\r\n\r\n"),
        BLOB_OF("\xff\xff\xff\xff"),
        BLOB_OF("\0\0\0\6\0\0\0\0\x27\xc1"),
        BLOB_OF("\0\0\0\6\0\0\0\0\x27\x80"), /* PING without a nonce */
        BLOB_OF("\0\0\0\6\0\0\0\0\x1f\x80"), /* no such kind */
        BLOB_OF("\0\0\0\6\0\0\0\7\2\x80"),   /* SPAWNED is not for init */
        BLOB_OF("\0\0\0\6\0\0\0\0\x22\x80"), /* OPEN_GATE of the connection */
        BLOB_OF("\0\0\0\6\0\0\0\7\x21\x80"), /* SPAWN without fields */
        BLOB_OF("\0\0\0\x0a\0\0\0\0\x27\xdf\xff\xff\xff\xff"),
    };
    struct driver d = driver_start();
    struct frame_spawn order = driver_order(9, TEXTS_OF("echo\0alive"));
    SCOPED(fd_close) int pidfd = driver_spawn(&d, &order);
    for (size_t i = 0; i < COUNT(garbage); i++) {
        raw(&d, garbage[i]);
        take_next_connection(&d);
    }
    driver_say(&d, open_gate, .id = 9);
    driver_say(&d, credit, .id = 9, .stream = 1, .bytes = 100, .from = 0);
    SCOPED(outcome_close) struct outcome o = outcome_open();
    driver_finish(&d, 9, &o);
    assert_string_equal((char *)o.out[0].data, "alive\n");
    driver_stop(&d);
}

static void breaches_of_the_protocol_end_the_connection(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order = driver_order(1, TEXTS_OF("sleep\0"
                                                        "1000"));
    order.open_stdin = true;
    SCOPED(fd_close) int pidfd = driver_spawn(&d, &order);
    driver_say(&d, spawn, .id = 1, .argv = TEXTS_OF("true"), .env = TEXTS_OF(""),
               .cwd = view_of("/"), .script_arg = -1); /* the id is taken */
    take_next_connection(&d);
    driver_say(&d, spawn, .id = 2, .argv = TEXTS_OF("true"), .env = TEXTS_OF(""),
               .cwd = view_of("/"), .script_arg = 0); /* no script */
    take_next_connection(&d);
    driver_say(&d, spawn, .id = 2, .argv = TEXTS_OF("true"), .env = TEXTS_OF(""),
               .cwd = view_of("/"), .script = BLOB_OF("x"), .script_arg = 1); /* behind argv */
    take_next_connection(&d);
    driver_say(&d, prepare, .id = 1); /* the id is taken */
    take_next_connection(&d);
    driver_say(&d, prepare, .id = 4);
    driver_say(&d, open_gate, .id = 4); /* nothing to run */
    take_next_connection(&d);
    driver_say(&d, forget, .id = 4);
    driver_say(&d, credit, .id = 1, .stream = 1, .bytes = 1, .from = 1); /* behind the end */
    take_next_connection(&d);
    driver_say(&d, welcome, .token = {d.token, sizeof d.token}); /* a second one */
    take_next_connection(&d);
    driver_say(&d, open_gate, .id = 1);
    driver_say(&d, open_gate, .id = 1); /* twice */
    take_next_connection(&d);
    static const uint8_t chunk[FRAME_CHUNK_BYTES];
    for (int i = 0; i < 8; i++) { /* more stdin than may be on its way, pipe included */
        struct err err;
        struct frame_stdin m = {.id = 1, .data = {chunk, sizeof chunk}};
        assert_int_equal(frame_put_stdin(&d.line.out, &m, &err), 0);
    }
    while (line_flush(&d.line, &(struct err){0}) == 0 && d.line.out.len) {
        struct pollfd fd = {d.line.fd, POLLOUT, 0};
        assert_int_equal(poll(&fd, 1, -1), 1);
    }
    take_next_connection(&d);
    driver_say(&d, signal, .id = 1, .signo = SIGKILL);
    SCOPED(outcome_close) struct outcome o = outcome_open();
    driver_finish(&d, 1, &o);
    driver_say(&d, forget, .id = 1);

    order = driver_order(3, TEXTS_OF("true"));
    SCOPED(fd_close) int closed = driver_spawn(&d, &order);
    driver_say(&d, stdin, .id = 3, .data = BLOB_OF("x"), .eof = true); /* it has no stdin */
    take_next_connection(&d);
    driver_stop(&d);
}

static void frames_for_an_unknown_exec_are_skipped(void **state)
{
    (void)state;
    struct driver d = driver_start();
    driver_say(&d, open_gate, .id = 5);
    driver_say(&d, credit, .id = 5, .stream = 1, .bytes = 1, .from = 7);
    driver_say(&d, stdin, .id = 5, .data = BLOB_OF("x"), .eof = true);
    driver_say(&d, signal, .id = 5, .signo = SIGKILL);
    driver_say(&d, forget, .id = 5);
    driver_settle(&d);
    driver_stop(&d);
}

static void nothing_is_obeyed_before_welcome(void **state)
{
    (void)state;
    struct driver d = driver_start();
    driver_disconnect(&d);
    driver_accept(&d);
    driver_say(&d, ping, .nonce = 1);
    take_next_connection(&d);
    driver_disconnect(&d);
    driver_accept(&d);
    uint8_t other[FRAME_TOKEN_BYTES] = {1};
    driver_say(&d, welcome, .token = {other, sizeof other});
    take_next_connection(&d);
    driver_stop(&d);
}

static void finds_a_manager_that_binds_the_path_anew(void **state)
{
    (void)state;
    struct driver d = driver_start();
    for (int i = 0; i < 3; i++) {
        unlink(d.at.sun_path);
        fd_close(&d.listener);
        driver_disconnect(&d);
        char own[256] = ""; /* in poll, with nothing to wait for but the folder */
        while (strncmp(own, "S", 1))
            driver_proc(own, d.init, "status", "State:");
        driver_listen(&d);
        driver_accept(&d);
        assert_int_equal(driver_welcome(&d, 0), 0);
    }
    driver_stop(&d);
}

static void ends_when_nobody_ever_welcomed_it(void **state)
{
    (void)state;
    struct driver d = driver_launch();
    driver_accept(&d);
    driver_disconnect(&d);
    assert_int_equal(wait_end(&d), 1);
    driver_stop(&d);
}

static void ends_at_its_deadline_with_or_without_a_manager(void **state)
{
    (void)state;
    struct driver d = driver_launch();
    driver_accept(&d);
    driver_welcome(&d, 1); /* long past */
    assert_int_equal(wait_end(&d), 0);
    driver_stop(&d);

    d = driver_launch();
    driver_accept(&d);
    driver_welcome(&d, clock_boot_ns() + 3600 * (int64_t)S_NS);
    driver_settle(&d);
    driver_say(&d, deadline, .deadline_boot_ns = clock_boot_ns() + 200 * (int64_t)MS_NS);
    driver_disconnect(&d);
    fd_close(&d.listener);
    unlink(d.at.sun_path);
    assert_int_equal(wait_end(&d), 0);
    driver_stop(&d);

    d = driver_launch();
    driver_accept(&d);
    driver_welcome(&d, clock_boot_ns() + 3600 * (int64_t)S_NS);
    driver_say(&d, deadline, .deadline_boot_ns = 0);
    driver_settle(&d);
    driver_stop(&d);
}

static void ignores_signals_meant_to_stop_it(void **state)
{
    (void)state;
    struct driver d = driver_start();
    kill(d.init, SIGTERM);
    kill(d.init, SIGINT);
    kill(d.init, SIGHUP);
    kill(d.init, SIGUSR1);
    kill(d.init, SIGPIPE);
    driver_settle(&d);
    driver_stop(&d);
}

static void a_manager_that_asks_without_listening_is_left(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct err err;
    bool is_left = false;
    while (!is_left) {
        for (int i = 0; i < 1000; i++)
            assert_int_equal(frame_put_ping(&d.line.out, &(struct frame_ping){.nonce = i}, &err),
                             0);
        while (!is_left && d.line.out.len) {
            struct pollfd fd = {d.line.fd, POLLOUT, 0};
            assert_int_equal(poll(&fd, 1, -1), 1);
            is_left = line_flush(&d.line, &err) != 0;
        }
    }
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    driver_disconnect(&d);
    driver_accept(&d);
    assert_int_equal(driver_welcome(&d, 0), 0);
    driver_stop(&d);
}

/* A sandbox of its own: init is PID 1 there. */
static struct driver start_as_pid_1(void)
{
    struct driver d = driver_launch_in(CLONE_NEWPID | (geteuid() ? CLONE_NEWUSER : 0));
    driver_accept(&d);
    assert_int_equal(driver_welcome(&d, 0), 0);
    return d;
}

static void as_pid_1_it_cannot_be_stopped_from_inside(void **state)
{
    (void)state;
    struct driver d = start_as_pid_1();
    struct frame_spawn order = driver_order(
        1, TEXTS_OF("sh\0-c\0echo $PPID; for s in KILL TERM STOP SEGV 33 64; do kill -$s 1; done"));
    SCOPED(outcome_close) struct outcome o = driver_run(&d, &order);
    assert_string_equal((char *)o.out[0].data, "1\n");
    driver_settle(&d);
    driver_stop(&d);
}

static void as_pid_1_it_ends_everybody_else_at_a_word(void **state)
{
    (void)state;
    struct driver d = start_as_pid_1();
    struct frame_spawn order =
        driver_order(1, TEXTS_OF("sh\0-c\0(setsid sleep 1000 &) ; echo ready; sleep 1000"));
    order.drain_ms = 60000; /* the end needs the one that ran away to be dead */
    SCOPED(fd_close) int pidfd = driver_spawn(&d, &order);
    driver_say(&d, open_gate, .id = 1);
    driver_expect(&d, FRAME_OUTPUT);
    driver_say(&d, signal, .id = 0, .signo = SIGKILL);
    driver_expect(&d, FRAME_EXITED);
    struct frame_exited end;
    driver_read(&d, exited, &end);
    assert_true(end.signalled);
    assert_int_equal(end.status, SIGKILL);
    driver_settle(&d);
    driver_stop(&d);
}

static void as_pid_1_its_deadline_ends_the_sandbox(void **state)
{
    (void)state;
    struct driver d = start_as_pid_1();
    struct frame_spawn order = driver_order(1, TEXTS_OF("sleep\0"
                                                        "1000"));
    SCOPED(fd_close) int pidfd = driver_spawn(&d, &order);
    driver_say(&d, open_gate, .id = 1);
    driver_say(&d, deadline, .deadline_boot_ns = 1);
    assert_int_equal(wait_end(&d), 0);
    driver_wait_death(pidfd);
    driver_stop(&d);
}

#ifdef CORRAL_FAULTS
/* Tells init to run an echo, whatever it says. */
static void order_echo(struct driver *d)
{
    struct err err;
    struct frame_spawn order = driver_order(1, TEXTS_OF("echo\0hello"));
    struct frame_welcome welcome = {.token = {d->token, sizeof d->token}};
    struct frame_open_gate gate = {.id = 1};
    d->line = line_open(accept4(d->listener, NULL, NULL, SOCK_CLOEXEC));
    assert_int_equal(frame_put_welcome(&d->line.out, &welcome, &err), 0);
    assert_int_equal(frame_put_spawn(&d->line.out, &order, &err), 0);
    assert_int_equal(frame_put_open_gate(&d->line.out, &gate, &err), 0);
    (void)line_flush(&d->line, &err); /* init may have ended already */
}

/* The echo's end: 1 all went well, 0 a failure was told, -1 the connection ended. */
static int echo_end(struct driver *d)
{
    struct frame_exited end;
    while (driver_wait(d)) {
        if (d->frame.kind == FRAME_FAILED)
            return 0;
        if (d->frame.kind != FRAME_EXITED)
            continue;
        driver_read(d, exited, &end);
        return end.stdout_dropped_bytes == 0;
    }
    return -1;
}

/* The connection went: init ended because it had no WELCOME yet, or it dials again. */
static void await_end_or_return(struct driver *d, int pidfd)
{
    struct pollfd fds[] = {{d->listener, POLLIN, 0}, {pidfd, POLLIN, 0}};
    driver_disconnect(d);
    assert_true(poll(fds, COUNT(fds), -1) > 0);
    if (fds[1].revents)
        assert_int_equal(wait_end(d), 1);
}

static void survives_any_allocation_that_fails(void **state)
{
    (void)state;
    int result = 0;
    for (int nth = 1; result != 1; nth++) {
        char fault[32];
        snprintf(fault, sizeof fault, "alloc:%d", nth);
        setenv("CORRAL_FAULT", fault, 1);
        struct driver d = driver_launch();
        unsetenv("CORRAL_FAULT");
        SCOPED(fd_close) int pidfd = (int)syscall(SYS_pidfd_open, d.init, 0);
        order_echo(&d);
        result = echo_end(&d);
        if (result < 0)
            await_end_or_return(&d, pidfd);
        driver_stop(&d);
        assert_true(nth > 5 || result != 1); /* there are more allocations than that */
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(garbage_ends_the_connection_and_nothing_else),
        cmocka_unit_test(breaches_of_the_protocol_end_the_connection),
        cmocka_unit_test(frames_for_an_unknown_exec_are_skipped),
        cmocka_unit_test(nothing_is_obeyed_before_welcome),
        cmocka_unit_test(finds_a_manager_that_binds_the_path_anew),
        cmocka_unit_test(ends_when_nobody_ever_welcomed_it),
        cmocka_unit_test(ends_at_its_deadline_with_or_without_a_manager),
        cmocka_unit_test(ignores_signals_meant_to_stop_it),
        cmocka_unit_test(a_manager_that_asks_without_listening_is_left),
        cmocka_unit_test(as_pid_1_it_cannot_be_stopped_from_inside),
        cmocka_unit_test(as_pid_1_it_ends_everybody_else_at_a_word),
        cmocka_unit_test(as_pid_1_its_deadline_ends_the_sandbox),
#ifdef CORRAL_FAULTS
        cmocka_unit_test(survives_any_allocation_that_fails),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
