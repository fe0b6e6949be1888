/* Texts from strangers: UTF-8, safe showing, names, patterns. */
#include "base/text.h"
#include "base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_shown(const char *raw, size_t len, const char *expected)
{
    struct err err;
    SCOPED(bytes_close) struct bytes to = bytes_open(256);
    assert_int_equal(text_show(&to, raw, len, &err), 0);
    assert_string_equal((char *)to.data, expected);
}

static void shows_control_bidi_and_broken_bytes_as_escapes(void **state)
{
    (void)state;
    assert_shown("a\033[31mb", 7, "a\\x1b[31mb");
    assert_shown("\xe2\x80\xae", 3, "\\u{202e}");
    assert_shown("\xff", 1, "\\xff");
    assert_shown("\xed\xa0\x80", 3, "\\xed\\xa0\\x80");
    assert_shown("l\r\n\\", 4, "l\\x0d\\n\\\\");
    assert_shown("gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f");
}

static void cuts_a_copy_at_a_character_boundary(void **state)
{
    (void)state;
    char to[4];
    assert_false(text_copy(to, sizeof to, "ab\xc3\xbc"));
    assert_string_equal(to, "ab");
    assert_true(text_copy(to, sizeof to, "abc"));
}

static void refuses_overlong_and_surrogate_utf8(void **state)
{
    (void)state;
    assert_false(text_is_utf8("\xc0\x80", 2));
    assert_false(text_is_utf8("\xe0\x80\x80", 3));
    assert_false(text_is_utf8("\xf4\x90\x80\x80", 4));
    assert_false(text_is_utf8("\xe2\x82", 2));
    assert_true(text_is_utf8("\xf0\x9f\x98\x80", 4));
}

static void matches_stars_anywhere_and_nothing_else_specially(void **state)
{
    (void)state;
    assert_true(text_matches("coder-*", "coder-7"));
    assert_true(text_matches("*a*b*", "xxaxxbxx"));
    assert_false(text_matches("a?c", "abc"));
    assert_false(text_matches("coder", "coder-7"));
    assert_true(text_matches("*", ""));
}

static void encodes_sixteen_bytes_as_26_characters(void **state)
{
    (void)state;
    uint8_t data[16] = {0xff, 0xff, 0xff, 0xff, 0xff};
    char to[27];
    text_base32(to, data);
    assert_string_equal(to, "77777777aaaaaaaaaaaaaaaaaa");
}

static void names_start_with_a_letter_or_digit(void **state)
{
    (void)state;
    assert_true(text_is_name("coder-1.x", 32));
    assert_false(text_is_name("-rf", 32));
    assert_false(text_is_name("", 32));
    assert_false(text_is_name("a/b", 32));
    assert_false(text_is_name("abcd", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_control_bidi_and_broken_bytes_as_escapes),
        cmocka_unit_test(cuts_a_copy_at_a_character_boundary),
        cmocka_unit_test(refuses_overlong_and_surrogate_utf8),
        cmocka_unit_test(matches_stars_anywhere_and_nothing_else_specially),
        cmocka_unit_test(encodes_sixteen_bytes_as_26_characters),
        cmocka_unit_test(names_start_with_a_letter_or_digit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
