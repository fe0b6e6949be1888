/* Counting decisions, and percentiles of the newest latencies. */
#include "guardian/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void counts_by_decision_and_by_risk(void **state)
{
    (void)state;
    struct tally t = {0};
    tally_add(&t, DECISION_ALLOW, RISK_LOW, 1);
    tally_add(&t, DECISION_ALLOW, RISK_MEDIUM, 1);
    tally_add(&t, DECISION_DENY, RISK_CRITICAL, 1);
    assert_int_equal(t.decisions[DECISION_ALLOW], 2);
    assert_int_equal(t.decisions[DECISION_REQUIRE_APPROVAL], 0);
    assert_int_equal(t.decisions[DECISION_DENY], 1);
    assert_int_equal(t.risks[RISK_LOW], 1);
    assert_int_equal(t.risks[RISK_CRITICAL], 1);
    assert_int_equal(t.risks[RISK_HIGH], 0);
}

static void percentiles_are_of_nearest_rank(void **state)
{
    (void)state;
    struct tally t = {0};
    assert_int_equal(tally_latency_us(&t, 50), 0);
    tally_add(&t, DECISION_ALLOW, RISK_LOW, 7);
    assert_int_equal(tally_latency_us(&t, 1), 7);
    assert_int_equal(tally_latency_us(&t, 99), 7);
    t = (struct tally){0};
    for (int64_t i = 100; i > 0; i--)
        tally_add(&t, DECISION_ALLOW, RISK_LOW, i * 10);
    assert_int_equal(tally_latency_us(&t, 50), 500);
    assert_int_equal(tally_latency_us(&t, 99), 990);
    assert_int_equal(tally_latency_us(&t, 100), 1000);
}

static void only_the_newest_latencies_count(void **state)
{
    (void)state;
    struct tally t = {0};
    for (int i = 0; i < TALLY_LATENCIES; i++)
        tally_add(&t, DECISION_ALLOW, RISK_LOW, 1000000);
    for (int i = 0; i < TALLY_LATENCIES; i++)
        tally_add(&t, DECISION_ALLOW, RISK_LOW, 3);
    assert_int_equal(tally_latency_us(&t, 100), 3);
    assert_int_equal(t.decisions[DECISION_ALLOW], 2 * TALLY_LATENCIES);
    tally_add(&t, DECISION_ALLOW, RISK_LOW, 9);
    assert_int_equal(tally_latency_us(&t, 100), 9);
    assert_int_equal(tally_latency_us(&t, 99), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_decision_and_by_risk),
        cmocka_unit_test(percentiles_are_of_nearest_rank),
        cmocka_unit_test(only_the_newest_latencies_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
