/* msgpack: the writer gives every value one form, the reader takes every form. What the pre-scan
 * refuses is in test_pack_scan.c. */
#include "base/scope.h"
#include "data/pack.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(literal) ((struct view){(const uint8_t *)(literal), sizeof(literal) - 1})

/* Reads the one value of `packed`, after making sure that no shorter piece of it reads. */
static struct value read_whole(struct view packed)
{
    struct err err;
    struct value v = {.type = PACK_NIL};
    for (size_t len = 0; len < packed.len; len++) {
        struct view cut = {packed.data, len};
        assert_int_equal(pack_next(&cut, &v, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
        assert_ptr_equal(cut.data, packed.data);
        assert_int_equal(cut.len, len);
    }
    struct view c = packed;
    if (pack_next(&c, &v, &err))
        fail_msg("%s", err.text);
    assert_int_equal(c.len, 0);
    return v;
}

static void assert_bytes(const struct bytes *b, struct view expected)
{
    assert_int_equal(b->len, expected.len);
    assert_memory_equal(b->data, expected.data, expected.len);
}

static void integers_take_their_shortest_form_and_return(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *bytes;
        size_t len;
    } rows[] = {
        {0, "\x00", 1},
        {127, "\x7f", 1},
        {128, "\xcc\x80", 2},
        {255, "\xcc\xff", 2},
        {256, "\xcd\x01\x00", 3},
        {65535, "\xcd\xff\xff", 3},
        {65536, "\xce\x00\x01\x00\x00", 5},
        {4294967295, "\xce\xff\xff\xff\xff", 5},
        {4294967296, "\xcf\x00\x00\x00\x01\x00\x00\x00\x00", 9},
        {INT64_MAX, "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9},
        {-1, "\xff", 1},
        {-32, "\xe0", 1},
        {-33, "\xd0\xdf", 2},
        {-128, "\xd0\x80", 2},
        {-129, "\xd1\xff\x7f", 3},
        {-32768, "\xd1\x80\x00", 3},
        {-32769, "\xd2\xff\xff\x7f\xff", 5},
        {-2147483648, "\xd2\x80\x00\x00\x00", 5},
        {-2147483649, "\xd3\xff\xff\xff\xff\x7f\xff\xff\xff", 9},
        {INT64_MIN, "\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err err;
        SCOPED(bytes_close) struct bytes b = bytes_open(16);
        struct pack p = pack_begin(&b, &err);
        pack_int(&p, rows[i].value);
        assert_int_equal(pack_end(&p), 0);
        assert_bytes(&b, (struct view){(const uint8_t *)rows[i].bytes, rows[i].len});
        struct value v = read_whole(bytes_view(&b));
        assert_int_equal(v.type, PACK_INT);
        assert_true(v.integer == rows[i].value);
    }
}

static void reads_integers_that_are_wider_than_they_need(void **state)
{
    (void)state;
    const struct view one[] = {
        BYTES("\xcc\x01"),
        BYTES("\xcd\x00\x01"),
        BYTES("\xce\x00\x00\x00\x01"),
        BYTES("\xcf\x00\x00\x00\x00\x00\x00\x00\x01"),
        BYTES("\xd0\x01"),
        BYTES("\xd1\x00\x01"),
        BYTES("\xd2\x00\x00\x00\x01"),
        BYTES("\xd3\x00\x00\x00\x00\x00\x00\x00\x01"),
    };
    const struct view minus_one[] = {
        BYTES("\xd0\xff"),
        BYTES("\xd1\xff\xff"),
        BYTES("\xd2\xff\xff\xff\xff"),
        BYTES("\xd3\xff\xff\xff\xff\xff\xff\xff\xff"),
    };
    for (size_t i = 0; i < COUNT(one); i++)
        assert_true(read_whole(one[i]).integer == 1);
    for (size_t i = 0; i < COUNT(minus_one); i++)
        assert_true(read_whole(minus_one[i]).integer == -1);
}

static void reals_return_bit_by_bit(void **state)
{
    (void)state;
    const double rows[] = {0.0,        -0.0,        1.5,          DBL_MAX,
                           -DBL_MIN,   DBL_EPSILON, DBL_TRUE_MIN, (double)INFINITY,
                           (double)NAN};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err err;
        SCOPED(bytes_close) struct bytes b = bytes_open(16);
        struct pack p = pack_begin(&b, &err);
        pack_real(&p, rows[i]);
        assert_int_equal(pack_end(&p), 0);
        assert_int_equal(b.len, 9);
        struct value v = read_whole(bytes_view(&b));
        assert_int_equal(v.type, PACK_REAL);
        assert_memory_equal(&v.real, &rows[i], sizeof v.real);
    }
    assert_true(read_whole(BYTES("\xca\x3f\xc0\x00\x00")).real == 1.5);
    assert_true(read_whole(BYTES("\xca\xff\x80\x00\x00")).real == -(double)INFINITY);
}

static void nil_and_booleans_return(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes b = bytes_open(16);
    struct pack p = pack_begin(&b, &err);
    pack_nil(&p);
    pack_bool(&p, false);
    pack_bool(&p, true);
    assert_int_equal(pack_end(&p), 0);
    assert_bytes(&b, BYTES("\xc0\xc2\xc3"));
    assert_int_equal(read_whole((struct view){b.data, 1}).type, PACK_NIL);
    assert_int_equal(read_whole((struct view){b.data + 1, 1}).type, PACK_BOOL);
    assert_false(read_whole((struct view){b.data + 1, 1}).boolean);
    assert_true(read_whole((struct view){b.data + 2, 1}).boolean);
}

/* Where the header of a length changes its form, and the bytes of that header. */
struct header {
    size_t len;
    const char *bytes;
    size_t bytes_len;
};

static const struct header TEXT_HEADERS[] = {
    {0, "\xa0", 1},
    {31, "\xbf", 1},
    {32, "\xd9\x20", 2},
    {255, "\xd9\xff", 2},
    {256, "\xda\x01\x00", 3},
    {65535, "\xda\xff\xff", 3},
    {65536, "\xdb\x00\x01\x00\x00", 5},
};

static const struct header BLOB_HEADERS[] = {
    {0, "\xc4\x00", 2},
    {255, "\xc4\xff", 2},
    {256, "\xc5\x01\x00", 3},
    {65535, "\xc5\xff\xff", 3},
    {65536, "\xc6\x00\x01\x00\x00", 5},
};

static const struct header ARRAY_HEADERS[] = {
    {0, "\x90", 1},
    {15, "\x9f", 1},
    {16, "\xdc\x00\x10", 3},
    {65535, "\xdc\xff\xff", 3},
    {65536, "\xdd\x00\x01\x00\x00", 5},
};

static const struct header MAP_HEADERS[] = {
    {0, "\x80", 1},
    {15, "\x8f", 1},
    {16, "\xde\x00\x10", 3},
    {65535, "\xde\xff\xff", 3},
    {65536, "\xdf\x00\x01\x00\x00", 5},
};

static void assert_sized(const struct header *h, enum pack_type type)
{
    struct err err;
    SCOPED(bytes_close) struct bytes b = bytes_open(1 << 18);
    SCOPED(bytes_close) struct bytes content = bytes_open(1 << 17);
    uint8_t *at = bytes_reserve(&content, h->len, &err);
    assert_non_null(at);
    memset(at, 'x', h->len);
    bytes_grew(&content, h->len);
    struct pack p = pack_begin(&b, &err);
    if (type == PACK_TEXT)
        pack_str(&p, bytes_view(&content));
    else
        pack_blob(&p, bytes_view(&content));
    assert_int_equal(pack_end(&p), 0);
    assert_memory_equal(b.data, h->bytes, h->bytes_len);
    struct view c = {b.data, b.len - 1};
    struct value v;
    assert_int_equal(pack_next(&c, &v, &err), -1);
    c.len = b.len;
    assert_int_equal(pack_next(&c, &v, &err), 0);
    assert_int_equal(c.len, 0);
    assert_int_equal(v.type, type);
    assert_true(view_equal(v.bytes, bytes_view(&content)));
}

static void texts_and_blobs_of_every_width_return(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(TEXT_HEADERS); i++)
        assert_sized(&TEXT_HEADERS[i], PACK_TEXT);
    for (size_t i = 0; i < COUNT(BLOB_HEADERS); i++)
        assert_sized(&BLOB_HEADERS[i], PACK_BLOB);
}

/* A header followed by exactly the nils that it declares; one fewer and it is refused. */
static void assert_counted(const struct header *h, enum pack_type type)
{
    struct err err;
    SCOPED(bytes_close) struct bytes b = bytes_open(1 << 18);
    struct pack p = pack_begin(&b, &err);
    if (type == PACK_MAP)
        pack_map(&p, h->len);
    else
        pack_array(&p, h->len);
    size_t nils = type == PACK_MAP ? 2 * h->len : h->len;
    for (size_t i = 0; i < nils; i++)
        pack_nil(&p);
    assert_int_equal(pack_end(&p), 0);
    assert_memory_equal(b.data, h->bytes, h->bytes_len);
    assert_int_equal(b.len, h->bytes_len + nils);
    struct view c = {b.data, b.len - 1};
    struct value v;
    assert_int_equal(pack_next(&c, &v, &err), -1);
    c.len = b.len;
    assert_int_equal(pack_next(&c, &v, &err), 0);
    assert_int_equal(c.len, nils);
    assert_int_equal(v.type, type);
    assert_int_equal(v.count, h->len);
    c = bytes_view(&b);
    assert_int_equal(pack_skip(&c, &err), 0);
    assert_int_equal(c.len, 0);
}

static void arrays_and_maps_of_every_width_return(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ARRAY_HEADERS); i++)
        assert_counted(&ARRAY_HEADERS[i], PACK_ARRAY);
    for (size_t i = 0; i < COUNT(MAP_HEADERS); i++)
        assert_counted(&MAP_HEADERS[i], PACK_MAP);
}

static void the_writer_keeps_its_first_error(void **state)
{
    (void)state;
    struct err err = {0};
    SCOPED(bytes_close) struct bytes b = bytes_open(4);
    struct pack p = pack_begin(&b, &err);
    pack_text(&p, "abc");
    pack_text(&p, "too much");
    pack_nil(&p);
    assert_int_equal(pack_end(&p), -1);
    assert_int_equal(err.code, ERR_OVERLOADED);
    assert_bytes(&b, BYTES("\xa3"
                           "abc"));
}

static void skips_one_whole_value(void **state)
{
    (void)state;
    struct err err;
    struct view c = BYTES("\x82\xa1x\x93\x01\xa2yz\x80\xc0\xc4\x01\xff\x07");
    assert_int_equal(pack_skip(&c, &err), 0);
    assert_int_equal(c.len, 1);
    assert_int_equal(pack_skip(&c, &err), 0);
    assert_int_equal(c.len, 0);
    assert_int_equal(pack_skip(&c, &err), -1);
    struct view cut = BYTES("\x92\x91\x01");
    struct view before = cut;
    assert_int_equal(pack_skip(&cut, &err), -1);
    assert_ptr_equal(cut.data, before.data);
    assert_int_equal(cut.len, before.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_take_their_shortest_form_and_return),
        cmocka_unit_test(reads_integers_that_are_wider_than_they_need),
        cmocka_unit_test(reals_return_bit_by_bit),
        cmocka_unit_test(nil_and_booleans_return),
        cmocka_unit_test(texts_and_blobs_of_every_width_return),
        cmocka_unit_test(arrays_and_maps_of_every_width_return),
        cmocka_unit_test(the_writer_keeps_its_first_error),
        cmocka_unit_test(skips_one_whole_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
