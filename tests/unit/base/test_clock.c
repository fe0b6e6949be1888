/* Clocks: the hook, what is shown, the boot id. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static int64_t told(int clock)
{
    return clock == CLOCK_BOOTTIME ? 5 * (int64_t)S_NS + 999999 : 7 * (int64_t)S_NS;
}

static int restore(void **state)
{
    (void)state;
    clock_hook(NULL);
    return 0;
}

static void reads_the_kernels_clocks(void **state)
{
    (void)state;
    struct timespec before, after;
    clock_gettime(CLOCK_BOOTTIME, &before);
    int64_t now = clock_boot_ns();
    clock_gettime(CLOCK_BOOTTIME, &after);
    assert_true(now >= before.tv_sec * (int64_t)S_NS + before.tv_nsec);
    assert_true(now <= after.tv_sec * (int64_t)S_NS + after.tv_nsec);
    assert_true(clock_wall_ns() > 1700000000 * (int64_t)S_NS);
}

static void asks_the_hook_by_clock(void **state)
{
    (void)state;
    clock_hook(told);
    assert_int_equal(clock_boot_ns(), 5000999999);
    assert_int_equal(clock_boot_ms(), 5000);
    assert_int_equal(clock_wall_ns(), 7000000000);
}

static void leaves_the_hook_when_restored(void **state)
{
    (void)state;
    clock_hook(told);
    clock_hook(NULL);
    assert_int_not_equal(clock_wall_ns(), 7000000000);
}

static void shows_utc_with_milliseconds(void **state)
{
    (void)state;
    char shown[32];
    clock_show(shown, 0);
    assert_string_equal(shown, "1970-01-01T00:00:00.000Z");
    clock_show(shown, 1769860800 * (int64_t)S_NS + 7 * MS_NS + 999999);
    assert_string_equal(shown, "2026-01-31T12:00:00.007Z");
    clock_show(shown, INT64_MAX);
    assert_string_equal(shown, "2262-04-11T23:47:16.854Z");
}

static void shows_times_before_1970(void **state)
{
    (void)state;
    char shown[32];
    clock_show(shown, -1 * (int64_t)MS_NS);
    assert_string_equal(shown, "1969-12-31T23:59:59.999Z");
    clock_show(shown, INT64_MIN);
    assert_string_equal(shown, "1677-09-21T00:12:43.145Z");
}

static void knows_one_boot_id(void **state)
{
    (void)state;
    const char *id = clock_boot_id();
    assert_int_equal(strlen(id), 36);
    assert_int_equal(strspn(id, "0123456789abcdef-"), 36);
    assert_ptr_equal(id, clock_boot_id());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_kernels_clocks),
        cmocka_unit_test_teardown(asks_the_hook_by_clock, restore),
        cmocka_unit_test_teardown(leaves_the_hook_when_restored, restore),
        cmocka_unit_test(shows_utc_with_milliseconds),
        cmocka_unit_test(shows_times_before_1970),
        cmocka_unit_test(knows_one_boot_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
