/* JSON for people: what is shown, what is escaped, what is refused and where. */
#include "base/scope.h"
#include "data/json.h"
#include "data/pack.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A value with a text and its length, which may hold NUL. */
#define BYTES(literal) ((struct view){(const uint8_t *)(literal), sizeof(literal) - 1})

static void assert_shown(struct view packed, unsigned indent, const char *expected)
{
    struct err err;
    SCOPED(bytes_close) struct bytes to = bytes_open(1 << 20);
    if (json_from_pack(packed, indent, &to, &err))
        fail_msg("%s", err.text);
    assert_string_equal((char *)to.data, expected);
}

static void assert_not_shown(struct view packed, const char *reason)
{
    struct err err = {0};
    SCOPED(bytes_close) struct bytes to = bytes_open(1 << 20);
    assert_int_equal(bytes_add(&to, "before", 6, &err), 0);
    assert_int_equal(json_from_pack(packed, 0, &to, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.text, reason));
    assert_string_equal((char *)to.data, "before");
}

/* Packs one map {"x": value} and compares its JSON. */
static void assert_blob_shown(struct view blob, const char *expected)
{
    struct err err;
    SCOPED(bytes_close) struct bytes packed = bytes_open(1024);
    struct pack p = pack_begin(&packed, &err);
    pack_map(&p, 1);
    pack_text(&p, "x");
    pack_blob(&p, blob);
    assert_int_equal(pack_end(&p), 0);
    assert_shown(bytes_view(&packed), 0, expected);
}

static void assert_text_shown(struct view text, const char *expected)
{
    struct err err;
    SCOPED(bytes_close) struct bytes packed = bytes_open(1024);
    struct pack p = pack_begin(&packed, &err);
    pack_str(&p, text);
    assert_int_equal(pack_end(&p), 0);
    assert_shown(bytes_view(&packed), 0, expected);
}

static void assert_refused(const char *json, const char *where_and_what)
{
    struct err err = {0};
    SCOPED(bytes_close) struct bytes to = bytes_open(1 << 20);
    assert_int_equal(json_to_pack(view_of(json), &to, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    if (strncmp(err.text, where_and_what, strlen(where_and_what)))
        fail_msg("%s: \"%s\", expected \"%s…\"", json, err.text, where_and_what);
    assert_int_equal(to.len, 0);
}

/* The text must come back as it was, so it has to be in the form that json_from_pack writes. */
static void assert_returns(const char *json)
{
    struct err err;
    SCOPED(bytes_close) struct bytes packed = bytes_open(1 << 20);
    if (json_to_pack(view_of(json), &packed, &err))
        fail_msg("%s", err.text);
    assert_shown(bytes_view(&packed), 0, json);
}

static void keeps_the_order_of_keys_and_nests(void **state)
{
    (void)state;
    assert_returns("{\"z\":1,\"a\":{\"y\":[],\"b\":{}},\"m\":[true,false,null,\"\"]}");
}

static void indents_when_asked(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes packed = bytes_open(1024);
    assert_int_equal(json_to_pack(view_of("{\"a\":[1,{\"b\":2}],\"c\":[]}"), &packed, &err), 0);
    assert_shown(bytes_view(&packed), 2,
                 "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": []\n}");
}

static void keeps_every_integer_exact(void **state)
{
    (void)state;
    assert_returns("[0,-1,127,-32,-33,9007199254740993,-9007199254740993,9223372036854775807,"
                   "-9223372036854775808]");
}

static void keeps_reals_exact_and_real(void **state)
{
    (void)state;
    assert_returns("[0.1,1.0,-0.0,1e+100,2.2250738585072014e-308,0.30000000000000004]");
}

static void refuses_nan_and_infinity(void **state)
{
    (void)state;
    const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct err err;
        SCOPED(bytes_close) struct bytes packed = bytes_open(64);
        struct pack p = pack_begin(&packed, &err);
        pack_array(&p, 1);
        pack_real(&p, bad[i]);
        assert_int_equal(pack_end(&p), 0);
        assert_not_shown(bytes_view(&packed), "NaN and infinity");
    }
}

static void escapes_what_a_terminal_would_obey(void **state)
{
    (void)state;
    assert_text_shown(BYTES("a\"b\\c\nd\te\rf\x1b[31m"),
                      "\"a\\\"b\\\\c\\nd\\te\\u000df\\u001b[31m\"");
    assert_text_shown(BYTES("\x7f\xc2\x9b\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xae"),
                      "\"\\u007f\\u009b\\u2028\\u2029\\u202e\"");
    assert_text_shown(BYTES("\xf3\xa0\x81\x81"), "\"\\udb40\\udc41\"");
    assert_text_shown(BYTES("a\0b"), "\"a\\u0000b\"");
    assert_text_shown(BYTES("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80 /"),
                      "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80 /\"");
}

static void an_escaped_text_reads_back_as_it_was(void **state)
{
    (void)state;
    struct view text = BYTES("\x01\"\\\n\x7f\xc2\x85\xe2\x80\xa8\xf3\xa0\x81\x81\xc3\xbc");
    struct err err;
    SCOPED(bytes_close) struct bytes packed = bytes_open(1024);
    SCOPED(bytes_close) struct bytes json = bytes_open(1024);
    SCOPED(bytes_close) struct bytes again = bytes_open(1024);
    struct pack p = pack_begin(&packed, &err);
    pack_str(&p, text);
    assert_int_equal(pack_end(&p), 0);
    assert_int_equal(json_from_pack(bytes_view(&packed), 0, &json, &err), 0);
    assert_int_equal(json_to_pack(bytes_view(&json), &again, &err), 0);
    assert_true(view_equal(bytes_view(&packed), bytes_view(&again)));
}

static void shows_a_blob_as_text_only_when_it_is_text(void **state)
{
    (void)state;
    assert_blob_shown(BYTES("hello\n"), "{\"x\":\"hello\\n\"}");
    assert_blob_shown(BYTES(""), "{\"x\":\"\"}");
    assert_blob_shown(BYTES("a\0b"), "{\"x_base64\":\"YQBi\"}");
    assert_blob_shown(BYTES("\xff\xfe\xfd\xfc"), "{\"x_base64\":\"//79/A==\"}");
}

static void shows_a_broken_text_as_base64(void **state)
{
    (void)state;
    assert_shown(BYTES("\x81\xa1x\xa1\xff"), 0, "{\"x_base64\":\"/w==\"}");
    assert_shown(BYTES("\x92\xa1\xff\xc4\x01\x00"), 0,
                 "[{\"base64\":\"/w==\"},{\"base64\":\"AA==\"}]");
}

static void refuses_a_base64_key_that_is_taken(void **state)
{
    (void)state;
    assert_not_shown(BYTES("\x82\xa1x\xc4\x01\xff\xa8x_base64\x01"), "x_base64 is a key already");
    assert_not_shown(BYTES("\x82\xa8x_base64\x01\xa1x\xc4\x01\xff"), "x_base64 is a key already");
    assert_shown(BYTES("\x82\xa1x\xc4\x01\xff\xa8y_base64\x01"), 0,
                 "{\"x_base64\":\"/w==\",\"y_base64\":1}");
}

static void refuses_malformed_msgpack(void **state)
{
    (void)state;
    assert_not_shown(BYTES(""), "cut short");
    assert_not_shown(BYTES("\x81\xa0"), "1 items declared where 1 bytes");
    assert_not_shown(BYTES("\x92\x01\xa2z"), "a text or blob of 2 bytes where 1 are left");
    assert_not_shown(BYTES("\x01\x02"), "1 bytes behind the value");
    assert_not_shown(BYTES("\x81\x01\x02"), "no UTF-8 string");
    assert_not_shown(BYTES("\x81\xa1\xff\x02"), "no UTF-8 string");
    assert_not_shown(BYTES("\xd4\x01\x02"), "ext type");
    assert_not_shown(BYTES("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x90"),
                     "nested deeper than 16");
    assert_shown(BYTES("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x90"), 0,
                 "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]");
}

static void refuses_a_map_of_too_many_keys(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes packed = bytes_open(4096);
    struct pack p = pack_begin(&packed, &err);
    pack_map(&p, MAP_MAX_KEYS + 1);
    for (int i = 0; i <= MAP_MAX_KEYS; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        pack_text(&p, key);
        pack_nil(&p);
    }
    assert_int_equal(pack_end(&p), 0);
    assert_not_shown(bytes_view(&packed), "more than 128 keys");
}

static void reads_a_text_with_nul(void **state)
{
    (void)state;
    struct err err = {0};
    SCOPED(bytes_close) struct bytes to = bytes_open(64);
    assert_int_equal(json_to_pack(view_of("\"a\\u0000b\""), &to, &err), 0);
    assert_int_equal(to.len, 4);
    assert_memory_equal(to.data, "\xa3\x61\0b", 4);
}

static void refuses_bad_json_with_line_and_column(void **state)
{
    (void)state;
    assert_refused("", "1:0: ");
    assert_refused("{\n  \"a\": 1,\n  \"a\": 2\n}", "3:5: duplicate object key");
    assert_refused("{\"a\": 1,\n}", "2:1: ");
    assert_refused("[1] 2", "1:5: end of file expected");
    assert_refused("{\"a\": nan}", "1:9: ");
    assert_refused("[9223372036854775808]", "1:20: too big integer");
    assert_refused("[1e999]", "1:6: real number overflow");
    assert_refused("{\"\\u0000\": 1}", "1:9: NUL byte in object key");
    assert_refused("[\"\\ud800\"]", "1:9: ");
    assert_refused("[\"\xff\"]", "1:2: ");
    assert_refused("['a']", "1:2: ");
    assert_refused("[01]", "1:2: ");
    assert_refused("[\"\xc3\xbc\",\n\"]", "2:");
}

static void refuses_json_nested_too_deep_where_it_starts(void **state)
{
    (void)state;
    assert_refused("[[[[[[[[\n[[[[[[[[ \"[\\\"[\",[", "2:17: nested deeper than 16");
    assert_returns("[[[[[[[[[[[[[[[[\"[[[[{{{\\\"[[\"]]]]]]]]]]]]]]]]");
}

static void stays_within_the_bound_and_undoes_what_it_wrote(void **state)
{
    (void)state;
    struct err err;
    struct view packed = BYTES("\x91\xa5hello");
    for (size_t bound = 0; bound < strlen("[\"hello\"]"); bound++) {
        SCOPED(bytes_close) struct bytes to = bytes_open(bound);
        assert_int_equal(json_from_pack(packed, 0, &to, &err), -1);
        assert_int_equal(err.code, ERR_OVERLOADED);
        assert_int_equal(to.len, 0);
    }
    for (size_t bound = 0; bound < packed.len; bound++) {
        SCOPED(bytes_close) struct bytes to = bytes_open(bound);
        assert_int_equal(json_to_pack(view_of("[\"hello\"]"), &to, &err), -1);
        assert_int_equal(err.code, ERR_OVERLOADED);
        assert_int_equal(to.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_order_of_keys_and_nests),
        cmocka_unit_test(indents_when_asked),
        cmocka_unit_test(keeps_every_integer_exact),
        cmocka_unit_test(keeps_reals_exact_and_real),
        cmocka_unit_test(refuses_nan_and_infinity),
        cmocka_unit_test(escapes_what_a_terminal_would_obey),
        cmocka_unit_test(an_escaped_text_reads_back_as_it_was),
        cmocka_unit_test(shows_a_blob_as_text_only_when_it_is_text),
        cmocka_unit_test(shows_a_broken_text_as_base64),
        cmocka_unit_test(refuses_a_base64_key_that_is_taken),
        cmocka_unit_test(refuses_malformed_msgpack),
        cmocka_unit_test(refuses_a_map_of_too_many_keys),
        cmocka_unit_test(reads_a_text_with_nul),
        cmocka_unit_test(refuses_bad_json_with_line_and_column),
        cmocka_unit_test(refuses_json_nested_too_deep_where_it_starts),
        cmocka_unit_test(stays_within_the_bound_and_undoes_what_it_wrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
