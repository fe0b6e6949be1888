/* Children made in advance: they wait, learn later what to run, and may die before that. */
#include "tests/lib/init_driver.h"

static void assert_text(const struct bytes *b, const char *expected)
{
    assert_string_equal(b->data ? (const char *)b->data : "", expected);
}

/* SPAWN and OPEN_GATE in one go, then everything until the end. */
static struct outcome order_and_finish(struct driver *d, const struct frame_spawn *order)
{
    struct err err;
    struct outcome o = outcome_open();
    assert_int_equal(frame_put_spawn(&d->line.out, order, &err), 0);
    driver_say(d, open_gate, .id = order->id);
    driver_finish(d, order->id, &o);
    driver_say(d, forget, .id = order->id);
    return o;
}

/* Kills a child and takes the FAILED that says that nothing ran. */
static void assert_dies_at_its_gate(struct driver *d, int pidfd, uint32_t id)
{
    assert_int_equal(kill(driver_pid_of(pidfd), SIGKILL), 0);
    driver_expect(d, FRAME_FAILED);
    struct frame_failed m;
    driver_read(d, failed, &m);
    assert_int_equal(m.id, id);
    assert_true(view_equal(m.stage, view_of("gate")));
    assert_int_equal(m.error, ESRCH);
}

static void waits_and_then_runs_what_it_is_told(void **state)
{
    (void)state;
    struct driver d = driver_start();
    SCOPED(fd_close) int pidfd = driver_prepare(&d, 3);
    driver_settle(&d);
    char own[256], child[256];
    driver_proc(own, d.init, "comm", "");
    driver_proc(child, driver_pid_of(pidfd), "comm", "");
    assert_string_equal(child, own);
    pid_t pid = driver_pid_of(pidfd);

    struct frame_spawn order = driver_order(3, TEXTS_OF("sh\0-c\0echo $$; pwd; echo $A >&2"));
    order.env = TEXTS_OF("A=1");
    order.cwd = view_of("/usr");
    SCOPED(outcome_close) struct outcome o = order_and_finish(&d, &order);
    char expected[64];
    snprintf(expected, sizeof expected, "%d\n/usr\n", (int)pid);
    assert_text(&o.out[0], expected);
    assert_text(&o.out[1], "1\n");
    assert_int_equal(o.end.status, 0);
    driver_stop(&d);
}

static void has_the_script_and_the_stdin_of_its_order_and_no_others(void **state)
{
    (void)state;
    struct driver d = driver_start();
    SCOPED(fd_close) int first = driver_prepare(&d, 1);
    SCOPED(fd_close) int second = driver_prepare(&d, 2);
    struct frame_spawn order = driver_order(1, TEXTS_OF("sh\0SCRIPT"));
    order.script_arg = 1;
    order.script = BLOB_OF("read x; echo \"got $x\"; (echo y > $0) 2>/dev/null || echo sealed");
    order.stdin = BLOB_OF("this\n");
    SCOPED(outcome_close) struct outcome o = order_and_finish(&d, &order);
    assert_text(&o.out[0], "got this\nsealed\n");

    order = driver_order(2, TEXTS_OF("sh\0-c\0readlink /proc/self/fd/0; ls /proc/self/fd"));
    SCOPED(outcome_close) struct outcome plain = order_and_finish(&d, &order);
    assert_text(&plain.out[0], "/dev/null\n0\n1\n2\n3\n"); /* 3 is the folder that ls reads */
    driver_stop(&d);
}

static void tells_a_death_before_its_order_and_skips_what_crossed_it(void **state)
{
    (void)state;
    struct driver d = driver_start();
    SCOPED(fd_close) int pidfd = driver_prepare(&d, 1);
    assert_dies_at_its_gate(&d, pidfd, 1);
    struct frame_spawn order = driver_order(1, TEXTS_OF("true"));
    struct err err;
    order.open_stdin = true;
    assert_int_equal(frame_put_spawn(&d.line.out, &order, &err), 0);
    driver_say(&d, open_gate, .id = 1);
    driver_say(&d, stdin, .id = 1, .data = BLOB_OF("x"), .eof = true);
    driver_settle(&d); /* nothing ran, nothing was said, the connection stands */
    driver_say(&d, forget, .id = 1);
    order = driver_order(2, TEXTS_OF("true"));
    SCOPED(outcome_close) struct outcome o = driver_run(&d, &order);
    assert_int_equal(o.end.status, 0);
    driver_stop(&d);
}

static void tells_a_death_between_its_order_and_its_gate(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order = driver_order(1, TEXTS_OF("true"));
    SCOPED(fd_close) int pidfd = driver_spawn(&d, &order);
    assert_dies_at_its_gate(&d, pidfd, 1);
    driver_stop(&d);
}

static void a_new_manager_finds_it_and_learns_the_newest_number(void **state)
{
    (void)state;
    struct driver d = driver_start();
    SCOPED(fd_close) int gone = driver_prepare(&d, 40);
    SCOPED(fd_close) int pidfd = driver_prepare(&d, 7);
    driver_say(&d, forget, .id = 40);
    driver_wait_death(gone);
    driver_settle(&d);
    driver_disconnect(&d);
    driver_accept(&d);
    assert_int_equal(driver_welcome(&d, 0), 1);
    struct frame_execs execs;
    driver_read(&d, execs, &execs);
    assert_int_equal(execs.newest, 40);
    driver_expect(&d, FRAME_STATE);
    struct frame_state m;
    driver_read(&d, state, &m);
    assert_int_equal(m.id, 7);
    assert_true(m.gated);
    SCOPED(fd_close) int again = line_take_fd(&d.line);
    assert_int_equal(driver_pid_of(again), driver_pid_of(pidfd));
    driver_say(&d, forget, .id = 7);
    driver_wait_death(again);
    driver_stop(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_and_then_runs_what_it_is_told),
        cmocka_unit_test(has_the_script_and_the_stdin_of_its_order_and_no_others),
        cmocka_unit_test(tells_a_death_before_its_order_and_skips_what_crossed_it),
        cmocka_unit_test(tells_a_death_between_its_order_and_its_gate),
        cmocka_unit_test(a_new_manager_finds_it_and_learns_the_newest_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
