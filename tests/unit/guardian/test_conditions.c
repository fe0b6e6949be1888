/* Conditions of an allowed act, by the limits that it asks for. */
#include "base/scope.h"
#include "guardian/conditions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct config config = {
    .guardian = {.high_cpu_percent = 200, .high_memory_mb = 1024, .max_timeout_seconds = 60}};

static void expect(const struct limits *limits, const char *conditions, int64_t timeout_ms)
{
    struct err err;
    struct verdict v = {0};
    struct act act = {.limits = *limits};
    char joined[128] = "";
    SCOPED(bytes_close) struct bytes store = bytes_open(256);
    assert_int_equal(conditions_fill(&act, &config, &store, &v, &err), 0);
    struct list rest = v.conditions;
    for (struct view text; list_next_text(&rest, &text);) {
        strncat(joined, (const char *)text.data, text.len);
        strcat(joined, " ");
    }
    assert_string_equal(joined, conditions);
    assert_int_equal(v.timeout_override_ms, timeout_ms);
}

static void what_is_at_a_bound_has_no_condition(void **state)
{
    (void)state;
    expect(&(struct limits){.cpu_millis = 2000, .memory_mb = 1024, .exec_timeout_ms = 60000}, "",
           0);
}

static void each_limit_has_its_own(void **state)
{
    (void)state;
    expect(&(struct limits){.cpu_millis = 2001}, "high_cpu ", 0);
    expect(&(struct limits){.memory_mb = 1025}, "high_memory ", 0);
    expect(&(struct limits){.exec_timeout_ms = 60001}, "timeout_limited ", 60000);
    expect(&(struct limits){.cpu_millis = 9000, .memory_mb = 9000, .exec_timeout_ms = 900000},
           "high_cpu high_memory timeout_limited ", 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_at_a_bound_has_no_condition),
        cmocka_unit_test(each_limit_has_its_own),
    };
    return cmocka_run_group_tests_name("guardian conditions", tests, NULL, NULL);
}
