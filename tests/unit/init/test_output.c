/* Output of real children: exact bytes, windows, the ring, a connection that is lost and found. */
#include "tests/lib/init_driver.h"

/* The lines 1 to `last`, as seq(1) writes them. */
static struct bytes numbers(int last)
{
    struct err err;
    struct bytes b = bytes_open(DRIVER_OUTPUT_BYTES);
    for (int i = 1; i <= last; i++)
        assert_int_equal(bytes_addf(&b, &err, "%d\n", i), 0);
    return b;
}

static void assert_same(struct view got, struct view expected)
{
    assert_int_equal(got.len, expected.len);
    assert_true(view_equal(got, expected));
}

static void ten_megabytes_come_through_a_small_window_unchanged(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order = driver_order(1, TEXTS_OF("seq\0"
                                                        "1500000"));
    order.window_bytes = 50000;
    SCOPED(outcome_close) struct outcome o = driver_run(&d, &order);
    SCOPED(bytes_close) struct bytes expected = numbers(1500000);
    assert_true(expected.len > 10 * 1024 * 1024);
    assert_same(bytes_view(&o.out[0]), bytes_view(&expected));
    assert_int_equal(o.gaps[0], 0);
    assert_int_equal(o.end.stdout_bytes, expected.len);
    assert_int_equal(o.end.stdout_dropped_bytes, 0);
    driver_stop(&d);
}

static void both_streams_flow_at_once(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order =
        driver_order(1, TEXTS_OF("sh\0-c\0seq 300000 & seq 300000 >&2; wait"));
    SCOPED(outcome_close) struct outcome o = driver_run(&d, &order);
    SCOPED(bytes_close) struct bytes expected = numbers(300000);
    assert_same(bytes_view(&o.out[0]), bytes_view(&expected));
    assert_same(bytes_view(&o.out[1]), bytes_view(&expected));
    driver_stop(&d);
}

/* Reads OUTPUT of stdout without giving credit until `bytes` have come. */
static void read_output(struct driver *d, struct bytes *to, size_t bytes)
{
    struct err err;
    while (to->len < bytes) {
        struct frame_output m;
        driver_expect(d, FRAME_OUTPUT);
        driver_read(d, output, &m);
        assert_int_equal(m.offset, to->len);
        assert_int_equal(bytes_add(to, m.data.data, m.data.len, &err), 0);
    }
    assert_int_equal(to->len, bytes);
}

static void a_child_without_credit_waits_and_loses_nothing(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order = driver_order(1, TEXTS_OF("seq\0"
                                                        "200000"));
    order.window_bytes = 4096;
    SCOPED(fd_close) int pidfd = driver_spawn(&d, &order);
    driver_say(&d, open_gate, .id = 1);
    SCOPED(bytes_close) struct bytes got = bytes_open(DRIVER_OUTPUT_BYTES);
    read_output(&d, &got, 4096);
    driver_settle(&d); /* answers come, output does not */
    struct pollfd alive = {pidfd, POLLIN, 0};
    assert_int_equal(poll(&alive, 1, 0), 0);

    SCOPED(bytes_close) struct bytes expected = numbers(200000);
    driver_say(&d, credit, .id = 1, .stream = 1, .bytes = INT32_MAX, .from = -1);
    read_output(&d, &got, expected.len);
    driver_expect(&d, FRAME_EXITED);
    assert_same(bytes_view(&got), bytes_view(&expected));
    driver_stop(&d);
}

static void without_a_window_the_newest_bytes_stay_and_the_rest_is_counted(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order = driver_order(1, TEXTS_OF("seq\0"
                                                        "200000"));
    order.window_bytes = 0;
    SCOPED(fd_close) int pidfd = driver_spawn(&d, &order);
    driver_say(&d, open_gate, .id = 1);
    driver_expect(&d, FRAME_EXITED); /* it was never held up */
    struct frame_exited end;
    driver_read(&d, exited, &end);
    SCOPED(bytes_close) struct bytes expected = numbers(200000);
    int64_t oldest = (int64_t)expected.len - FRAME_RING_BYTES;
    assert_int_equal(end.stdout_bytes, expected.len);
    assert_int_equal(end.stdout_dropped_bytes, oldest);

    driver_say(&d, credit, .id = 1, .stream = 1, .bytes = INT32_MAX, .from = 0);
    SCOPED(outcome_close) struct outcome o = outcome_open();
    while (o.offset[0] < end.stdout_bytes) {
        driver_expect(&d, FRAME_OUTPUT);
        driver_on_output(&d, &o);
    }
    assert_int_equal(o.gaps[0], oldest);
    bytes_drop(&expected, (size_t)oldest);
    assert_same(bytes_view(&o.out[0]), bytes_view(&expected));
    driver_stop(&d);
}

/* Loses the connection and takes the next one, as a manager that was restarted does. */
static int64_t reconnect(struct driver *d)
{
    driver_disconnect(d);
    fd_close(&d->listener);
    driver_listen(d);
    struct frame_hello hello = driver_accept(d);
    assert_int_equal(hello.token.len, FRAME_TOKEN_BYTES);
    assert_memory_equal(hello.token.data, d->token, FRAME_TOKEN_BYTES);
    return driver_welcome(d, 0);
}

static struct frame_state read_state(struct driver *d)
{
    struct frame_state m;
    driver_expect(d, FRAME_STATE);
    driver_read(d, state, &m);
    return m;
}

static void output_goes_on_from_any_offset_after_the_connection_was_lost(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order = driver_order(5, TEXTS_OF("seq\0"
                                                        "200000"));
    order.window_bytes = 60000;
    SCOPED(fd_close) int pidfd = driver_spawn(&d, &order);
    driver_say(&d, open_gate, .id = 5);
    SCOPED(bytes_close) struct bytes got = bytes_open(DRIVER_OUTPUT_BYTES);
    read_output(&d, &got, 60000);
    assert_int_equal(reconnect(&d), 1);
    struct frame_state m = read_state(&d);
    assert_int_equal(m.id, 5);
    assert_false(m.gated);
    assert_false(m.dead);
    assert_int_equal(m.stdout_from, 0);
    assert_true(m.stdout_bytes >= 60000);
    SCOPED(fd_close) int again = line_take_fd(&d.line);
    assert_int_equal(driver_pid_of(again), driver_pid_of(pidfd));

    got.len = 50000; /* what this manager kept of it */
    SCOPED(bytes_close) struct bytes expected = numbers(200000);
    driver_say(&d, credit, .id = 5, .stream = 1, .bytes = INT32_MAX, .from = 50000);
    read_output(&d, &got, expected.len);
    driver_expect(&d, FRAME_EXITED);
    assert_same(bytes_view(&got), bytes_view(&expected));
    driver_stop(&d);
}

static void an_end_that_nobody_heard_is_told_again(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order = driver_order(5, TEXTS_OF("sh\0-c\0echo out; exit 3"));
    struct frame_spawn bad = driver_order(6, TEXTS_OF("no-such-command"));
    SCOPED(fd_close) int first = driver_spawn(&d, &order);
    SCOPED(fd_close) int second = driver_spawn(&d, &bad);
    driver_say(&d, open_gate, .id = 5);
    driver_say(&d, open_gate, .id = 6);
    driver_wait_death(first);
    driver_wait_death(second);
    driver_say(&d, ping, .nonce = 1);
    while (d.frame.kind != FRAME_PONG)
        assert_true(driver_wait(&d));

    assert_int_equal(reconnect(&d), 2);
    assert_true(read_state(&d).dead);
    assert_true(read_state(&d).dead);
    assert_int_equal(line_take_fd(&d.line), -1);
    struct frame_exited end;
    driver_expect(&d, FRAME_EXITED);
    driver_read(&d, exited, &end);
    assert_int_equal(end.id, 5);
    assert_int_equal(end.status, 3);
    assert_int_equal(end.stdout_bytes, 4);
    driver_expect(&d, FRAME_FAILED);
    assert_int_equal(d.frame.id, 6);
    driver_say(&d, forget, .id = 5);
    driver_say(&d, forget, .id = 6);
    assert_int_equal(reconnect(&d), 0);
    driver_stop(&d);
}

static void a_gate_can_be_opened_by_the_next_manager(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_spawn order = driver_order(1, TEXTS_OF("echo\0there"));
    SCOPED(fd_close) int pidfd = driver_spawn(&d, &order);
    assert_int_equal(reconnect(&d), 1);
    assert_true(read_state(&d).gated);
    SCOPED(fd_close) int again = line_take_fd(&d.line);
    assert_int_equal(driver_pid_of(again), driver_pid_of(pidfd));
    driver_say(&d, credit, .id = 1, .stream = 1, .bytes = 100, .from = 0);
    driver_say(&d, open_gate, .id = 1);
    SCOPED(outcome_close) struct outcome o = outcome_open();
    driver_finish(&d, 1, &o);
    assert_string_equal((char *)o.out[0].data, "there\n");
    driver_stop(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_megabytes_come_through_a_small_window_unchanged),
        cmocka_unit_test(both_streams_flow_at_once),
        cmocka_unit_test(a_child_without_credit_waits_and_loses_nothing),
        cmocka_unit_test(without_a_window_the_newest_bytes_stay_and_the_rest_is_counted),
        cmocka_unit_test(output_goes_on_from_any_offset_after_the_connection_was_lost),
        cmocka_unit_test(an_end_that_nobody_heard_is_told_again),
        cmocka_unit_test(a_gate_can_be_opened_by_the_next_manager),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
