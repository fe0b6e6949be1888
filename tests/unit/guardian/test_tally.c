/* Counting decisions, and percentiles of the newest latencies. */
#include "base/scope.h"
#include "guardian/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void counts_by_decision_and_by_risk(void **state)
{
    (void)state;
    struct tally t = {0};
    tally_add(&t, DECISION_ALLOW, RISK_LOW, 1, 1);
    tally_add(&t, DECISION_ALLOW, RISK_MEDIUM, 1, 1);
    tally_add(&t, DECISION_DENY, RISK_CRITICAL, 1, 1);
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
    tally_add(&t, DECISION_ALLOW, RISK_LOW, 7, 1);
    assert_int_equal(tally_latency_us(&t, 1), 7);
    assert_int_equal(tally_latency_us(&t, 99), 7);
    t = (struct tally){0};
    for (int64_t i = 100; i > 0; i--)
        tally_add(&t, DECISION_ALLOW, RISK_LOW, i * 10, 1);
    assert_int_equal(tally_latency_us(&t, 50), 500);
    assert_int_equal(tally_latency_us(&t, 99), 990);
    assert_int_equal(tally_latency_us(&t, 100), 1000);
}

static void only_the_newest_latencies_count(void **state)
{
    (void)state;
    struct tally t = {0};
    for (int i = 0; i < TALLY_LATENCIES; i++)
        tally_add(&t, DECISION_ALLOW, RISK_LOW, 1000000, 1);
    for (int i = 0; i < TALLY_LATENCIES; i++)
        tally_add(&t, DECISION_ALLOW, RISK_LOW, 3, 1);
    assert_int_equal(tally_latency_us(&t, 100), 3);
    assert_int_equal(t.decisions[DECISION_ALLOW], 2 * TALLY_LATENCIES);
    tally_add(&t, DECISION_ALLOW, RISK_LOW, 9, 1);
    assert_int_equal(tally_latency_us(&t, 100), 9);
    assert_int_equal(tally_latency_us(&t, 99), 3);
}

static void only_the_last_minute_counts(void **state)
{
    (void)state;
    struct tally t = {0};
    assert_int_equal(tally_last_minute(&t, 5), 0);
    for (int64_t s = 1000; s < 1100; s++)
        for (int i = 0; i < 3; i++)
            tally_add(&t, DECISION_ALLOW, RISK_LOW, 1, s);
    assert_int_equal(tally_last_minute(&t, 1099), 3 * TALLY_SECONDS);
    assert_int_equal(tally_last_minute(&t, 1109), 3 * (TALLY_SECONDS - 10));
    assert_int_equal(tally_last_minute(&t, 1158), 3);
    assert_int_equal(tally_last_minute(&t, 1159), 0);
    tally_add(&t, DECISION_ALLOW, RISK_LOW, 1, 5000);
    assert_int_equal(tally_last_minute(&t, 5000), 1);
    tally_add(&t, DECISION_ALLOW, RISK_LOW, 1, 5002);
    tally_add(&t, DECISION_ALLOW, RISK_LOW, 1, 5001); /* never back */
    assert_int_equal(tally_last_minute(&t, 5002), 3);
}

static void ranks_the_rules_of_one_tenant_or_of_all(void **state)
{
    (void)state;
    struct tally t = {0};
    struct tally_match top[2];
    for (int i = 0; i < 3; i++)
        tally_match(&t, "b", "acme");
    for (int i = 0; i < 2; i++)
        tally_match(&t, "a", "other");
    for (int i = 0; i < 2; i++)
        tally_match(&t, "a", "acme");
    tally_match(&t, "c", "acme");
    assert_int_equal(tally_most_matched(&t, "acme", top, COUNT(top)), 2);
    assert_string_equal(top[0].rule, "b");
    assert_int_equal(top[0].count, 3);
    assert_string_equal(top[1].rule, "a");
    assert_int_equal(top[1].count, 2);
    assert_int_equal(tally_most_matched(&t, NULL, top, COUNT(top)), 2);
    assert_string_equal(top[0].rule, "a");
    assert_int_equal(top[0].count, 4);
    assert_string_equal(top[0].tenant, "");
    assert_int_equal(tally_most_matched(&t, "nobody", top, COUNT(top)), 0);
    tally_close(&t);
}

static void counts_no_more_rules_than_it_has_room_for(void **state)
{
    (void)state;
    struct tally t = {0};
    struct tally_match top[1];
    char rule[16];
    for (int i = 0; i < TALLY_MATCHES + 10; i++) {
        snprintf(rule, sizeof rule, "r%d", i);
        tally_match(&t, rule, "acme");
    }
    tally_match(&t, "r7", "acme");
    assert_int_equal(t.matches_count, TALLY_MATCHES);
    assert_int_equal(tally_most_matched(&t, "acme", top, COUNT(top)), 1);
    assert_string_equal(top[0].rule, "r7");
    assert_int_equal(top[0].count, 2);
    tally_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_decision_and_by_risk),
        cmocka_unit_test(percentiles_are_of_nearest_rank),
        cmocka_unit_test(only_the_newest_latencies_count),
        cmocka_unit_test(only_the_last_minute_counts),
        cmocka_unit_test(ranks_the_rules_of_one_tenant_or_of_all),
        cmocka_unit_test(counts_no_more_rules_than_it_has_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
