/* Errors: codes, texts that are cut and never overrun, causes kept behind their context. */
#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void returns_minus_one_with_code_and_text(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(err_set(&err, ERR_QUOTA, "%d of %d", 3, 2), -1);
    assert_int_equal(err.code, ERR_QUOTA);
    assert_string_equal(err.text, "3 of 2");
}

static void puts_context_in_front_and_keeps_the_code(void **state)
{
    (void)state;
    struct err err;
    err_set(&err, ERR_NOT_FOUND, "no such file");
    assert_int_equal(err_add(&err, "rules"), -1);
    assert_int_equal(err_add(&err, "loading %s", "config"), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_string_equal(err.text, "loading config: rules: no such file");
}

static void cuts_the_cause_that_does_not_fit_behind_its_context(void **state)
{
    (void)state;
    struct err err;
    char cause[300], context[300];
    memset(cause, 'c', sizeof cause);
    cause[sizeof cause - 1] = 0;
    err_set(&err, ERR_IO, "%s", cause);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);

    err_add(&err, "context");
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_memory_equal(err.text, "context: ccc", 12);

    memset(context, 'x', sizeof context);
    context[sizeof context - 1] = 0;
    err_add(&err, "%s", context);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(strspn(err.text, "x"), sizeof err.text - 1);
}

static void never_ends_in_half_a_separator(void **state)
{
    (void)state;
    for (int length = 250; length <= 256; length++) {
        struct err err;
        err_set(&err, ERR_IO, "cause");
        err_add(&err, "%*s", length, "");
        assert_true(strlen(err.text) < sizeof err.text);
        const char *separator = strchr(err.text, ':');
        assert_true(!separator || strlen(separator) > strlen(": "));
    }
}

static void names_the_reason_of_a_system_call(void **state)
{
    (void)state;
    struct err err;
    errno = ENOSPC;
    assert_int_equal(err_sys(&err, "writing %s", "a"), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(err.text, "writing a: No space left on device");
    assert_int_equal(errno, ENOSPC);
    errno = ENOMEM;
    err_sys(&err, "mapping");
    assert_int_equal(err.code, ERR_MEMORY);
}

static void finds_each_code_by_its_name(void **state)
{
    (void)state;
    for (int code = 0; code < ERR_COUNT; code++) {
        const char *name = err_name((enum err_code)code);
        assert_int_equal(err_from_name(name), code);
        assert_true(strlen(err_doc((enum err_code)code)) > 0);
        assert_in_range(err_exit_code((enum err_code)code), 0, 125);
    }
    assert_int_equal(err_from_name("no such code"), ERR_COUNT);
    assert_string_equal(err_name(ERR_COUNT), "unknown");
    assert_int_equal(err_exit_code(ERR_COUNT), 125);
    assert_int_equal(err_exit_code(ERR_DENIED), 77);
    assert_int_equal(err_exit_code(ERR_APPROVAL_PENDING), 75);
}

static void blames_a_file_for_everything_but_want_of_memory(void **state)
{
    (void)state;
    struct err err;
    err_set(&err, ERR_INVALID, "line 3");
    assert_int_equal(err_config(&err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_string_equal(err.text, "line 3");
    err_set(&err, ERR_MEMORY, "no memory");
    assert_int_equal(err_config(&err), -1);
    assert_int_equal(err.code, ERR_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(returns_minus_one_with_code_and_text),
        cmocka_unit_test(puts_context_in_front_and_keeps_the_code),
        cmocka_unit_test(cuts_the_cause_that_does_not_fit_behind_its_context),
        cmocka_unit_test(never_ends_in_half_a_separator),
        cmocka_unit_test(names_the_reason_of_a_system_call),
        cmocka_unit_test(finds_each_code_by_its_name),
        cmocka_unit_test(blames_a_file_for_everything_but_want_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
