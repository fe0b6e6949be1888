/* Log lines, read back through a pipe in place of stderr. */
#include "base/log.h"

#include "base/clock.h"
#include "base/scope.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t noon(int clock)
{
    (void)clock;
    return 1769860800 * (int64_t)S_NS;
}

static int restore(void **state)
{
    (void)state;
    clock_hook(NULL);
    log_set_level(LOG_INFO);
    return 0;
}

struct capture {
    int saved, from;
};

static struct capture capture_begin(void)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct capture c = {.saved = dup(STDERR_FILENO), .from = ends[0]};
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    clock_hook(noon);
    return c;
}

/* Puts stderr back; what was written goes to `to`, NUL-terminated. */
static void capture_end(struct capture *c, char *to, size_t size)
{
    dup2(c->saved, STDERR_FILENO);
    close(c->saved);
    size_t len = 0;
    for (ssize_t n = 1; n > 0 && len<size - 1; len += n> 0 ? (size_t)n : 0)
        n = read(c->from, to + len, size - 1 - len);
    to[len] = 0;
    close(c->from);
}

static void writes_time_level_event_and_pairs(void **state)
{
    (void)state;
    char got[512];
    struct capture c = capture_begin();
    log_warn("sandbox.lost sandbox=%s count=%d", "sb_1", 2);
    capture_end(&c, got, sizeof got);
    assert_string_equal(got, "2026-01-31T12:00:00.000Z warn sandbox.lost sandbox=sb_1 count=2\n");
}

static void leaves_out_what_is_less_important_than_the_level(void **state)
{
    (void)state;
    char got[512];
    struct capture c = capture_begin();
    log_debug("hidden");
    log_set_level(LOG_ERROR);
    log_warn("hidden");
    log_error("shown");
    log_set_level(LOG_DEBUG);
    log_debug("shown");
    capture_end(&c, got, sizeof got);
    assert_string_equal(got, "2026-01-31T12:00:00.000Z error shown\n"
                             "2026-01-31T12:00:00.000Z debug shown\n");
}

static void lets_nobody_forge_a_line(void **state)
{
    (void)state;
    char got[512];
    struct capture c = capture_begin();
    log_info("exec.refused argv=%s", "a\n2026 error forged\033[2J");
    capture_end(&c, got, sizeof got);
    assert_string_equal(got, "2026-01-31T12:00:00.000Z info exec.refused "
                             "argv=a\\n2026 error forged\\x1b[2J\n");
}

static void cuts_a_long_line_at_one_kibibyte(void **state)
{
    (void)state;
    char got[4096], many[3000];
    memset(many, 'm', sizeof many);
    many[sizeof many - 1] = 0;
    struct capture c = capture_begin();
    log_info("%s", many);
    capture_end(&c, got, sizeof got);
    assert_int_equal(strspn(got + strlen("2026-01-31T12:00:00.000Z info "), "m"), 1023);
    assert_int_equal(got[strlen(got) - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(writes_time_level_event_and_pairs, restore),
        cmocka_unit_test_teardown(leaves_out_what_is_less_important_than_the_level, restore),
        cmocka_unit_test_teardown(lets_nobody_forge_a_line, restore),
        cmocka_unit_test_teardown(cuts_a_long_line_at_one_kibibyte, restore),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
