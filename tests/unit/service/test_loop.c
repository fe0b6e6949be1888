/* The loop: watches and timers, and what a callback may end. */
#include "service/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

static struct err err;
static struct loop *loop;

static int open_loop(void **state)
{
    (void)state;
    return loop_new(&loop, &err);
}

static int close_loop(void **state)
{
    (void)state;
    loop_free(&loop);
    return 0;
}

/* A timer or a watch that counts and can end another one of each. */
struct part {
    int calls, timer, fd;
    struct part *ends;
    int stops_at; /* the call that stops the loop; 0: none */
};

static void call(void *context)
{
    struct part *part = context;
    part->calls++;
    if (part->ends && part->ends->timer >= 0)
        loop_end_timer(loop, part->ends->timer);
    if (part->ends && part->ends->fd >= 0)
        loop_end_fd(loop, part->ends->fd);
    if (part->calls == part->stops_at)
        loop_stop(loop);
}

static void timer(int64_t delay_ms, bool repeat, struct part *part)
{
    *part = (struct part){.fd = -1};
    part->timer = loop_timer(loop, delay_ms, repeat, call, part, &err);
    assert_true(part->timer >= 0);
}

/* A watch that is ready at once and stays so. */
static void ready(struct part *part)
{
    *part = (struct part){.timer = -1, .fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)};
    assert_true(part->fd >= 0);
    assert_int_equal(loop_watch_fd(loop, part->fd, call, part, &err), 0);
}

static void calls_a_timer_once_or_again_and_again(void **state)
{
    (void)state;
    struct part once, often;
    timer(0, false, &once);
    timer(1, true, &often);
    often.stops_at = 3;
    loop_run(loop);
    assert_int_equal(once.calls, 1);
    assert_int_equal(often.calls, 3);
}

static void a_timer_ended_by_another_that_is_due_with_it_is_not_called(void **state)
{
    (void)state;
    struct part first, second, last;
    timer(0, false, &first);
    timer(0, false, &second);
    timer(1, false, &last);
    first.ends = &second;
    last.stops_at = 1;
    loop_run(loop);
    assert_int_equal(first.calls, 1);
    assert_int_equal(second.calls, 0);
}

static void a_watch_ended_by_a_timer_is_not_called_though_it_is_ready(void **state)
{
    (void)state;
    struct part due, watch, last;
    timer(0, false, &due);
    ready(&watch);
    timer(1, false, &last);
    due.ends = &watch;
    last.stops_at = 1;
    loop_run(loop);
    assert_int_equal(due.calls, 1);
    assert_int_equal(watch.calls, 0);
    close(watch.fd);
}

static void what_ended_makes_room_for_another_that_is_called_for_itself(void **state)
{
    (void)state;
    struct part due, gone, watch, last;
    timer(0, false, &due);
    timer(1, true, &gone);
    loop_end_timer(loop, gone.timer);
    ready(&watch);
    watch.stops_at = 1;
    loop_run(loop);
    assert_int_equal(due.calls, 1);
    assert_int_equal(watch.calls, 1);
    timer(0, false, &last);
    loop_end_fd(loop, watch.fd);
    last.stops_at = 1;
    loop_run(loop);
    assert_int_equal(gone.calls, 0);
    assert_int_equal(watch.calls, 1);
    assert_int_equal(last.calls, 1);
    close(watch.fd);
}

static void a_callback_may_end_its_own_watch_and_timer(void **state)
{
    (void)state;
    struct part often, watch, last;
    timer(1, true, &often);
    often.ends = &often;
    ready(&watch);
    watch.ends = &watch;
    timer(5, false, &last);
    last.stops_at = 1;
    loop_run(loop);
    assert_int_equal(often.calls, 1);
    assert_int_equal(watch.calls, 1);
    close(watch.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls_a_timer_once_or_again_and_again, open_loop,
                                        close_loop),
        cmocka_unit_test_setup_teardown(a_timer_ended_by_another_that_is_due_with_it_is_not_called,
                                        open_loop, close_loop),
        cmocka_unit_test_setup_teardown(a_watch_ended_by_a_timer_is_not_called_though_it_is_ready,
                                        open_loop, close_loop),
        cmocka_unit_test_setup_teardown(what_ended_makes_room_for_another_that_is_called_for_itself,
                                        open_loop, close_loop),
        cmocka_unit_test_setup_teardown(a_callback_may_end_its_own_watch_and_timer, open_loop,
                                        close_loop),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
