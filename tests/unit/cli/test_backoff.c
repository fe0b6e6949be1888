/* When a service that ended is started again. */
#include "cli/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void doubles_the_pause_up_to_its_bound(void **state)
{
    (void)state;
    struct backoff backoff = {0};
    static const int64_t expected[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
    int64_t now = 1000000, pause = 0;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        now += 10000; /* rarely enough to go on */
        assert_true(backoff_next(&backoff, now, 9000, &pause));
        assert_int_equal(pause, expected[i]);
    }
}

static void begins_anew_after_a_good_life(void **state)
{
    (void)state;
    struct backoff backoff = {0};
    int64_t pause = 0;
    assert_true(backoff_next(&backoff, 1000, 10, &pause));
    assert_true(backoff_next(&backoff, 2000, 10, &pause));
    assert_int_equal(pause, 200);
    assert_true(backoff_next(&backoff, 40000, BACKOFF_GOOD_LIFE_MS, &pause));
    assert_int_equal(pause, 100);
}

static void gives_up_at_the_fifth_end_within_thirty_seconds(void **state)
{
    (void)state;
    struct backoff backoff = {0};
    int64_t pause = 0;
    for (int64_t i = 0; i < 4; i++)
        assert_true(backoff_next(&backoff, i * 7500, 10, &pause));
    assert_false(backoff_next(&backoff, 30000, 10, &pause));
}

static void goes_on_when_the_fifth_end_is_later(void **state)
{
    (void)state;
    struct backoff backoff = {0};
    int64_t pause = 0;
    for (int64_t i = 0; i < 4; i++)
        assert_true(backoff_next(&backoff, i * 7500, 10, &pause));
    assert_true(backoff_next(&backoff, 30001, 10, &pause));
    assert_true(backoff_next(&backoff, 37501, 10, &pause)); /* the ring turns */
    assert_false(backoff_next(&backoff, 37502, 10, &pause));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_the_pause_up_to_its_bound),
        cmocka_unit_test(begins_anew_after_a_good_life),
        cmocka_unit_test(gives_up_at_the_fifth_end_within_thirty_seconds),
        cmocka_unit_test(goes_on_when_the_fifth_end_is_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
