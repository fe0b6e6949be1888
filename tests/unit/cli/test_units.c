/* Values with units: durations, sizes, cores, times, tags. */
#include "cli/units.h"

#include "base/clock.h"
#include "base/scope.h"
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct row {
    const char *text;
    int64_t value; /* 0: refused */
};

static void check(option_read *read, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct err err = {0};
        int64_t value = 0;
        int result = read(rows[i].text, &value, &err);
        if (rows[i].value ? result || value != rows[i].value
                          : !result || err.code != ERR_INVALID || !strstr(err.text, rows[i].text))
            fail_msg("\"%s\": result %d, value %lld, \"%s\"", rows[i].text, result,
                     (long long)value, err.text);
    }
}

static void reads_durations(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"500ms", 500},
        {"5s", 5000},
        {"5", 5000},
        {"2m", 120000},
        {"1.5m", 90000},
        {"1h", 3600000},
        {"1d", 86400000},
        {"0.001s", 1},
        {".5s", 500},
        {"5S", 5000},
        {"2min", 120000},
        {"0", 0},
        {"0.0001s", 0},
        {"-5s", 0},
        {"5 s", 0},
        {"", 0},
        {"s", 0},
        {".", 0},
        {"1.2.3s", 0},
        {"5x", 0},
        {"5ss", 0},
        {"1e3", 0},
        {"0x10", 0},
        {"9223372036854775807s", 0},
        {"99999999999999999999ms", 0},
    };
    check(units_duration_ms, rows, COUNT(rows));
}

static void reads_memory_sizes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"64m", 64},    {"512", 512}, {"1g", 1024},    {"2GiB", 2048},
        {"1.5g", 1536}, {"64MB", 64}, {"1t", 1048576}, {"512M", 512},
        {"0", 0},       {"64k", 0},   {"0.5m", 0},     {"m", 0},
        {"-1g", 0},     {"1 g", 0},   {"", 0},         {"9223372036854775807g", 0},
    };
    check(units_memory_mb, rows, COUNT(rows));
}

static void reads_cores(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"1.5", 1500}, {"2", 2000}, {"0.25", 250}, {".001", 1}, {"0", 0},
        {"0.0001", 0}, {"80%", 0},  {"-1", 0},     {"", 0},
    };
    check(units_cpu_millis, rows, COUNT(rows));
}

static void reads_counts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"1", 1},
        {"500", 500},
        {"0", 0},
        {"-3", 0},
        {"1.5", 0},
        {"", 0},
        {"9223372036854775808", 0},
    };
    check(units_count, rows, COUNT(rows));
}

static int64_t noon(int clock)
{
    (void)clock;
    return (int64_t)1769860800 * S_NS; /* 2026-01-31T12:00:00Z */
}

static void reads_times(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"1h", (int64_t)1769857200 * S_NS},
        {"2026-01-31", (int64_t)1769817600 * S_NS},
        {"2026-01-31T12:00:00Z", (int64_t)1769860800 * S_NS},
        {"2026-01-31 12:00:00Z", (int64_t)1769860800 * S_NS},
        {"2026-01-31T14:00:00+02:00", (int64_t)1769860800 * S_NS},
        {"2026-01-31T12:00:00.25Z", (int64_t)1769860800 * S_NS + S_NS / 4},
        {"2028-02-29", (int64_t)1835395200 * S_NS},
        {"2026-02-29", 0},
        {"2026-01-31T24:00:00Z", 0},
        {"2026-01-31T12:00:00", 0},
        {"2026-01-31T12:00Z", 0},
        {"2026-13-01", 0},
        {"2026-01-31T12:00:00+25:00", 0},
        {"2026-01-31T12:00:00Zx", 0},
        {"yesterday", 0},
        {"99999-01-01", 0},
    };
    clock_hook(noon);
    check(units_time_ns, rows, COUNT(rows));
    clock_hook(NULL);
}

static void reads_a_time_before_1970_as_the_beginning(void **state)
{
    (void)state;
    struct err err;
    int64_t ns = 1;
    clock_hook(noon);
    assert_int_equal(units_time_ns("100000d", &ns, &err), 0);
    clock_hook(NULL);
    assert_int_equal(ns, 0);
}

static void reads_tags_and_environment(void **state)
{
    (void)state;
    struct err err;
    struct texts texts = {0};
    assert_int_equal(units_tag("team=red", &texts, &err), 0);
    assert_int_equal(units_tag("a.b-c=", &texts, &err), 0);
    assert_int_equal(units_env("A=", &texts, &err), 0);
    assert_int_equal(units_env("_x y=z=1", &texts, &err), 0);
    assert_int_equal(texts.count, 4);
    static const char *const no_tags[] = {"team", "=red", "te am=red", "-t=1", ""};
    for (size_t i = 0; i < COUNT(no_tags); i++)
        assert_int_equal(units_tag(no_tags[i], &texts, &err), -1);
    assert_int_equal(units_env("A", &texts, &err), -1);
    assert_int_equal(units_env("=1", &texts, &err), -1);
    assert_int_equal(texts.count, 4);
}

static void splits_at_commas(void **state)
{
    (void)state;
    struct err err;
    struct texts texts = {0};
    char good[] = "memory,cpu,pids", bad[] = "memory,,cpu";
    assert_int_equal(units_commas(good, &texts, &err), 0);
    assert_int_equal(texts.count, 3);
    assert_string_equal(texts.items[2], "pids");
    assert_int_equal(units_commas(bad, &texts, &err), -1);
}

static void shows_durations_and_sizes(void **state)
{
    (void)state;
    static const struct row times[] = {
        {"0ms", 0},       {"999ms", 999},     {"1.9s", 1999},       {"59s", 59999},
        {"1m 0s", 60000}, {"1h 1m", 3660000}, {"3d 4h", 273600000},
    };
    static const struct row sizes[] = {
        {"0 B", 0},           {"1023 B", 1023},       {"1.0 KiB", 1024},
        {"1.5 MiB", 1572864}, {"7.9 EiB", INT64_MAX},
    };
    char text[UNITS_SHOWN_BYTES];
    for (size_t i = 0; i < COUNT(times); i++) {
        units_show_ms(text, times[i].value);
        assert_string_equal(text, times[i].text);
    }
    for (size_t i = 0; i < COUNT(sizes); i++) {
        units_show_bytes(text, sizes[i].value);
        assert_string_equal(text, sizes[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_durations),
        cmocka_unit_test(reads_memory_sizes),
        cmocka_unit_test(reads_cores),
        cmocka_unit_test(reads_counts),
        cmocka_unit_test(reads_times),
        cmocka_unit_test(reads_a_time_before_1970_as_the_beginning),
        cmocka_unit_test(reads_tags_and_environment),
        cmocka_unit_test(splits_at_commas),
        cmocka_unit_test(shows_durations_and_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
