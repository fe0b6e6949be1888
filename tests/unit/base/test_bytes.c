/* Bounded buffers: the bound, growing, taking away, no memory. */
#include "base/bytes.h"

#include "base/fault.h"
#include "base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void assert_holds(const struct bytes *b, const char *expected)
{
    assert_int_equal(b->len, strlen(expected));
    assert_string_equal((const char *)b->data, expected);
}

static void fills_to_its_bound_and_refuses_one_more(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes b = bytes_open(4);
    assert_int_equal(bytes_add(&b, "abcd", 4, &err), 0);
    assert_int_equal(bytes_add(&b, "e", 1, &err), -1);
    assert_int_equal(err.code, ERR_OVERLOADED);
    assert_holds(&b, "abcd");
    assert_int_equal(bytes_addf(&b, &err, "%d", 5), -1);
    assert_int_equal(err.code, ERR_OVERLOADED);
    assert_holds(&b, "abcd");
}

static void refuses_a_length_that_would_wrap(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes b = bytes_open(16);
    assert_int_equal(bytes_add(&b, "abc", 3, &err), 0);
    assert_null(bytes_reserve(&b, SIZE_MAX - 1, &err));
    assert_int_equal(err.code, ERR_OVERLOADED);
    assert_holds(&b, "abc");
}

static void holds_nothing_when_zeroed(void **state)
{
    (void)state;
    struct err err;
    struct bytes b = {0};
    assert_int_equal(bytes_add(&b, "", 0, &err), 0);
    assert_int_equal(b.len, 0);
    assert_int_equal(bytes_add(&b, "a", 1, &err), -1);
    bytes_close(&b);
    bytes_close(&b);
    assert_null(b.data);
}

static void keeps_everything_while_it_grows(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes b = bytes_open(100000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(bytes_addf(&b, &err, "%05d,", i), 0);
    assert_int_equal(b.len, 60000);
    for (int i = 0; i < 10000; i++) {
        char expected[16];
        snprintf(expected, sizeof expected, "%05d,", i);
        assert_memory_equal(b.data + 6 * (size_t)i, expected, 6);
    }
    assert_int_equal(b.data[b.len], 0);
}

static void drops_from_the_front_and_clears(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes b = bytes_open(16);
    bytes_drop(&b, 0);
    assert_int_equal(bytes_add(&b, "abcdef", 6, &err), 0);
    bytes_drop(&b, 2);
    assert_holds(&b, "cdef");
    bytes_drop(&b, 4);
    assert_holds(&b, "");
    assert_int_equal(bytes_add(&b, "x", 1, &err), 0);
    bytes_clear(&b);
    assert_holds(&b, "");
}

static void counts_in_what_was_written_into_reserved_room(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes b = bytes_open(8);
    uint8_t *to = bytes_reserve(&b, 8, &err);
    assert_non_null(to);
    memcpy(to, "hello", 5);
    bytes_grew(&b, 5);
    assert_holds(&b, "hello");
}

static void stays_as_it_was_when_memory_is_refused(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes b = bytes_open(4096);
    assert_int_equal(bytes_add(&b, "kept", 4, &err), 0);
    char many[1000];
    memset(many, 'm', sizeof many);
    fault_set(FAULT_ALLOC, 1, false);
    int refused = bytes_add(&b, many, sizeof many, &err);
    fault_set(FAULT_ALLOC, 0, false);
    assert_int_equal(refused, -1);
    assert_int_equal(err.code, ERR_MEMORY);
    assert_holds(&b, "kept");
    assert_int_equal(bytes_add(&b, many, sizeof many, &err), 0);
    assert_int_equal(b.len, 1004);
}

static void compares_views_by_length_and_content(void **state)
{
    (void)state;
    assert_true(view_equal(view_of("same"), view_of("same")));
    assert_false(view_equal(view_of("same"), view_of("samf")));
    assert_false(view_equal(view_of("sam"), view_of("same")));
    assert_true(view_equal((struct view){0}, view_of("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_to_its_bound_and_refuses_one_more),
        cmocka_unit_test(refuses_a_length_that_would_wrap),
        cmocka_unit_test(holds_nothing_when_zeroed),
        cmocka_unit_test(keeps_everything_while_it_grows),
        cmocka_unit_test(drops_from_the_front_and_clears),
        cmocka_unit_test(counts_in_what_was_written_into_reserved_room),
        cmocka_unit_test(stays_as_it_was_when_memory_is_refused),
        cmocka_unit_test(compares_views_by_length_and_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
