/* What follows from a look: CPU from counters, alarms that do not flap, the decision to kill. */
#include "monitor/rules.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct rules memory_rules = {
    .limit = {[METRIC_MEMORY] = 1000},
    .percent = {[METRIC_MEMORY] = {80, 95, 98}},
};

static struct look memory_look(int64_t bytes)
{
    return (struct look){.value = {-1, bytes, -1, -1}};
}

static size_t judge(struct alarms *alarms, int64_t bytes, struct finding out[FINDINGS_MAX])
{
    struct look look = memory_look(bytes);
    return rules_judge(&memory_rules, &look, alarms, out);
}

static void half_a_core_is_500_thousandths(void **state)
{
    (void)state;
    assert_int_equal(cpu_between(1000, 5 * (int64_t)S_NS, 501000, 6 * (int64_t)S_NS), 500);
    assert_int_equal(cpu_between(0, 0, 0, S_NS), 0);
    assert_int_equal(cpu_between(0, 0, 3000000, S_NS), 3000);
}

static void the_time_between_counts_not_the_interval(void **state)
{
    (void)state;
    assert_int_equal(cpu_between(0, 0, 10 * 1000000, 20 * (int64_t)S_NS), 500);
}

static void a_counter_that_went_back_is_a_gap(void **state)
{
    (void)state;
    assert_int_equal(cpu_between(501000, 0, 500999, S_NS), -1);
    assert_int_equal(cpu_between(-1, 0, 500, S_NS), -1);
    assert_int_equal(cpu_between(500, 0, -1, S_NS), -1);
}

static void no_time_or_a_clock_that_went_back_is_a_gap(void **state)
{
    (void)state;
    assert_int_equal(cpu_between(0, S_NS, 500, S_NS), -1);
    assert_int_equal(cpu_between(0, S_NS, 500, S_NS - 1), -1);
}

static void a_jump_of_the_counter_does_not_overflow(void **state)
{
    (void)state;
    assert_int_equal(cpu_between(0, 0, INT64_MAX, 1), -1);
    assert_true(cpu_between(0, 0, INT64_MAX, 100 * (int64_t)S_NS) > 0);
}

static void an_alarm_is_raised_once_from_its_threshold_on(void **state)
{
    (void)state;
    struct alarms alarms = {0};
    struct finding found[FINDINGS_MAX];
    assert_int_equal(judge(&alarms, 799, found), 0);
    assert_int_equal(judge(&alarms, 800, found), 1);
    assert_int_equal(found[0].metric, METRIC_MEMORY);
    assert_int_equal(found[0].level, LEVEL_WARNING);
    assert_false(found[0].is_cleared);
    assert_int_equal(found[0].value, 800);
    assert_int_equal(found[0].limit, 1000);
    assert_int_equal(judge(&alarms, 801, found), 0);
    assert_int_equal(alarms.raised, 1);
}

static void both_levels_are_told_the_worse_one_last(void **state)
{
    (void)state;
    struct alarms alarms = {0};
    struct finding found[FINDINGS_MAX];
    assert_int_equal(judge(&alarms, 960, found), 2);
    assert_int_equal(found[0].level, LEVEL_WARNING);
    assert_int_equal(found[1].level, LEVEL_CRITICAL);
    assert_int_equal(alarms.raised, 2);
}

static void a_value_at_the_edge_does_not_flap(void **state)
{
    (void)state;
    struct alarms alarms = {0};
    struct finding found[FINDINGS_MAX];
    assert_int_equal(judge(&alarms, 800, found), 1);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(judge(&alarms, 760, found), 0); /* 95 % of the threshold */
        assert_int_equal(judge(&alarms, 800, found), 0);
    }
    assert_int_equal(judge(&alarms, 759, found), 1);
    assert_true(found[0].is_cleared);
    assert_int_equal(found[0].level, LEVEL_WARNING);
    assert_int_equal(judge(&alarms, 759, found), 0);
    assert_int_equal(judge(&alarms, 800, found), 1);
    assert_int_equal(alarms.raised, 2);
}

static void a_gap_neither_raises_nor_clears(void **state)
{
    (void)state;
    struct alarms alarms = {0};
    struct finding found[FINDINGS_MAX];
    assert_int_equal(judge(&alarms, -1, found), 0);
    assert_int_equal(judge(&alarms, 900, found), 1);
    assert_int_equal(judge(&alarms, -1, found), 0);
    assert_true(alarms.is_on[METRIC_MEMORY][LEVEL_WARNING]);
}

static void an_alarm_ends_when_its_threshold_is_taken_away(void **state)
{
    (void)state;
    struct alarms alarms = {0};
    struct finding found[FINDINGS_MAX];
    struct rules none = {0};
    struct look look = memory_look(900);
    assert_int_equal(judge(&alarms, 900, found), 1);
    assert_int_equal(rules_judge(&none, &look, &alarms, found), 1);
    assert_true(found[0].is_cleared);
}

static void every_alarm_at_once_fits(void **state)
{
    (void)state;
    struct alarms alarms = {0};
    struct finding found[FINDINGS_MAX];
    struct rules rules = {.limit = {1, 1, 1, 1},
                          .percent = {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}}};
    struct look look = {.value = {1, 1, 1, 1}};
    assert_int_equal(rules_judge(&rules, &look, &alarms, found), FINDINGS_MAX);
}

static void kills_from_its_threshold_on(void **state)
{
    (void)state;
    struct finding fatal;
    struct look below = memory_look(979), at = memory_look(980), gap = memory_look(-1);
    assert_false(rules_kill(&memory_rules, &below, &fatal));
    assert_false(rules_kill(&memory_rules, &gap, &fatal));
    assert_true(rules_kill(&memory_rules, &at, &fatal));
    assert_int_equal(fatal.metric, METRIC_MEMORY);
    assert_int_equal(fatal.level, LEVEL_KILL);
    assert_int_equal(fatal.value, 980);
}

static void zero_percent_and_no_limit_never_kill(void **state)
{
    (void)state;
    struct finding fatal;
    struct look look = {.value = {1, 1, 1, 1}};
    struct rules no_percent = {.limit = {1, 1, 1, 1}};
    struct rules no_limit = {.percent = {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}}};
    assert_false(rules_kill(&no_percent, &look, &fatal));
    assert_false(rules_kill(&no_limit, &look, &fatal));
}

static void the_largest_limits_do_not_overflow(void **state)
{
    (void)state;
    struct finding fatal;
    struct rules rules = {.limit = {[METRIC_DISK] = (int64_t)16777216 << 20},
                          .percent = {[METRIC_DISK] = {0, 0, 100000}}};
    struct look look = {.value = {-1, -1, -1, (int64_t)16777216 << 20}};
    assert_false(rules_kill(&rules, &look, &fatal));
    rules.percent[METRIC_DISK][LEVEL_KILL] = 100;
    assert_true(rules_kill(&rules, &look, &fatal));
}

static void a_lease_gives_limits_in_the_units_of_looks(void **state)
{
    (void)state;
    struct lease lease = {
        .limits = {.cpu_millis = 1500, .memory_mb = 64, .pids = 32, .workspace_mb = 8},
        .cpu = {.warning_percent = 1, .critical_percent = 2, .kill_percent = 3},
        .processes = {.kill_percent = 100},
        .disk = {.critical_percent = 95}};
    struct rules rules = rules_of(&lease);
    assert_int_equal(rules.limit[METRIC_CPU], 1500);
    assert_int_equal(rules.limit[METRIC_MEMORY], 64 << 20);
    assert_int_equal(rules.limit[METRIC_PIDS], 32);
    assert_int_equal(rules.limit[METRIC_DISK], 8 << 20);
    assert_int_equal(rules.percent[METRIC_CPU][LEVEL_WARNING], 1);
    assert_int_equal(rules.percent[METRIC_CPU][LEVEL_CRITICAL], 2);
    assert_int_equal(rules.percent[METRIC_CPU][LEVEL_KILL], 3);
    assert_int_equal(rules.percent[METRIC_PIDS][LEVEL_KILL], 100);
    assert_int_equal(rules.percent[METRIC_DISK][LEVEL_CRITICAL], 95);
    assert_int_equal(rules.percent[METRIC_MEMORY][LEVEL_KILL], 0);
}

static void rules_have_names(void **state)
{
    (void)state;
    char name[RULE_BYTES];
    rule_name(name, METRIC_MEMORY, LEVEL_KILL);
    assert_string_equal(name, "memory.kill");
    rule_name(name, METRIC_CPU, LEVEL_WARNING);
    assert_string_equal(name, "cpu.warning");
    rule_name(name, METRIC_DISK, LEVEL_CRITICAL);
    assert_string_equal(name, "disk.critical");
}

static void people_see_cpu_in_percent_of_a_core(void **state)
{
    (void)state;
    assert_int_equal(metric_shown(METRIC_CPU, 1500), 150);
    assert_int_equal(metric_shown(METRIC_PIDS, 1500), 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_a_core_is_500_thousandths),
        cmocka_unit_test(the_time_between_counts_not_the_interval),
        cmocka_unit_test(a_counter_that_went_back_is_a_gap),
        cmocka_unit_test(no_time_or_a_clock_that_went_back_is_a_gap),
        cmocka_unit_test(a_jump_of_the_counter_does_not_overflow),
        cmocka_unit_test(an_alarm_is_raised_once_from_its_threshold_on),
        cmocka_unit_test(both_levels_are_told_the_worse_one_last),
        cmocka_unit_test(a_value_at_the_edge_does_not_flap),
        cmocka_unit_test(a_gap_neither_raises_nor_clears),
        cmocka_unit_test(an_alarm_ends_when_its_threshold_is_taken_away),
        cmocka_unit_test(every_alarm_at_once_fits),
        cmocka_unit_test(kills_from_its_threshold_on),
        cmocka_unit_test(zero_percent_and_no_limit_never_kill),
        cmocka_unit_test(the_largest_limits_do_not_overflow),
        cmocka_unit_test(a_lease_gives_limits_in_the_units_of_looks),
        cmocka_unit_test(rules_have_names),
        cmocka_unit_test(people_see_cpu_in_percent_of_a_core),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
