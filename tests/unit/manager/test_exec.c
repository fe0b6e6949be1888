/* What init says of a command: believed as far as it can be true, and never further than an answer
 * and a record can hold. */
#include "manager/exec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct err err;

/* A command whose gate is open. It has no sandbox, so no credit goes back. */
static struct running begun(void)
{
    struct running r = {.exit_code = -1, .signal = -1, .gate_boot_ms = 1};
    for (int i = 0; i < 2; i++)
        r.output[i] = (struct output){.tail = bytes_open(1 << 20), .total = -1};
    return r;
}

/* The frame as the link hands it over. */
static struct frame frame_of(const struct bytes *bytes)
{
    struct view cursor = bytes_view(bytes);
    struct frame frame;
    assert_int_equal(frame_next(&cursor, &frame, &err), 0);
    return frame;
}

static int exited(struct running *r, struct frame_exited f)
{
    struct bytes bytes = bytes_open(1024);
    f.id = 1;
    assert_int_equal(frame_put_exited(&bytes, &f, &err), 0);
    struct frame frame = frame_of(&bytes);
    int answer = running_exited(r, &frame, &err);
    bytes_close(&bytes);
    return answer;
}

static int failed(struct running *r)
{
    struct frame_failed f = {.id = 1, .stage = view_of("exec"), .error = 2};
    struct bytes bytes = bytes_open(1024);
    assert_int_equal(frame_put_failed(&bytes, &f, &err), 0);
    struct frame frame = frame_of(&bytes);
    int answer = running_failed(r, &frame, &err);
    bytes_close(&bytes);
    return answer;
}

static int output(struct running *r, int64_t offset, const char *text)
{
    struct frame_output f = {.id = 1, .stream = 1, .offset = offset, .data = view_of(text)};
    struct bytes bytes = bytes_open(1024);
    assert_int_equal(frame_put_output(&bytes, &f, &err), 0);
    struct frame frame = frame_of(&bytes);
    int answer = running_output(r, &frame, false, &f, &err);
    bytes_close(&bytes);
    return answer;
}

static void takes_output_and_the_end_that_fits_it(void **state)
{
    (void)state;
    struct running r = begun();
    assert_int_equal(output(&r, 0, "one"), 0);
    assert_int_equal(output(&r, 5, "two"), 0);
    assert_int_equal(r.output[0].dropped_bytes, 2);
    assert_int_equal(exited(&r, (struct frame_exited){.stdout_bytes = 8}), 0);
    assert_true(running_is_over(&r));
    assert_string_equal(r.cause, "exited");
    running_close(&r);
}

static void refuses_offsets_that_go_back_or_beyond_all_bounds(void **state)
{
    (void)state;
    struct running r = begun();
    assert_int_equal(output(&r, 0, "one"), 0);
    assert_int_equal(output(&r, 2, "two"), -1);
    assert_int_equal(err.code, ERR_PEER);
    assert_int_equal(output(&r, INT64_MAX, "far"), -1);
    assert_int_equal(output(&r, INT64_MAX - 3, "far"), -1);
    assert_int_equal(r.output[0].received, 3);
    assert_int_equal(exited(&r, (struct frame_exited){.stdout_bytes = 5}), 0);
    assert_int_equal(output(&r, 3, "more than there is"), -1);
    running_close(&r);
}

static void refuses_an_end_that_contradicts_the_output(void **state)
{
    (void)state;
    struct running r = begun();
    assert_int_equal(output(&r, 0, "one"), 0);
    assert_int_equal(exited(&r, (struct frame_exited){.stdout_bytes = 2}), -1);
    assert_int_equal(exited(&r, (struct frame_exited){.stdout_bytes = INT64_MAX}), -1);
    assert_int_equal(
        exited(&r, (struct frame_exited){.stdout_bytes = 3, .stderr_bytes = INT64_MAX}), -1);
    assert_int_equal(failed(&r), -1);
    assert_false(r.is_exited);
    running_close(&r);
}

static void refuses_signals_that_there_are_not(void **state)
{
    (void)state;
    struct running r = begun();
    assert_int_equal(exited(&r, (struct frame_exited){.signalled = true, .status = 65}), -1);
    assert_int_equal(exited(&r, (struct frame_exited){.signalled = true, .status = 0}), -1);
    assert_int_equal(exited(&r, (struct frame_exited){.signalled = true, .status = 64}), 0);
    assert_int_equal(r.signal, 64);
    running_close(&r);
}

static void a_command_ends_once(void **state)
{
    (void)state;
    struct running r = begun();
    assert_int_equal(exited(&r, (struct frame_exited){.status = 3}), 0);
    assert_int_equal(exited(&r, (struct frame_exited){.status = 0}), -1);
    assert_int_equal(failed(&r), -1);
    assert_int_equal(r.exit_code, 3);
    running_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_output_and_the_end_that_fits_it),
        cmocka_unit_test(refuses_offsets_that_go_back_or_beyond_all_bounds),
        cmocka_unit_test(refuses_an_end_that_contradicts_the_output),
        cmocka_unit_test(refuses_signals_that_there_are_not),
        cmocka_unit_test(a_command_ends_once),
    };
    return cmocka_run_group_tests_name("exec", tests, NULL, NULL);
}
