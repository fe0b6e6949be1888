/* The pre-scan: every bound from both sides, bombs, and msgpack-c as the judge over random frames.
 */
#include "base/scope.h"
#include "data/pack.h"
#include "tests/unit/data/pack_oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(literal) ((struct view){(const uint8_t *)(literal), sizeof(literal) - 1})

static void assert_accepted(struct view frame)
{
    struct err err;
    if (pack_scan(frame, &err))
        fail_msg("%s", err.text);
}

static void assert_refused(struct view frame, const char *reason)
{
    struct err err = {0};
    assert_int_equal(pack_scan(frame, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    if (!strstr(err.text, reason))
        fail_msg("\"%s\", expected \"%s\"", err.text, reason);
}

static void accepts_one_map_and_nothing_else(void **state)
{
    (void)state;
    assert_accepted(BYTES("\x80"));
    assert_accepted(BYTES("\x81\xa1x\xc0"));
    assert_accepted(BYTES("\xdf\x00\x00\x00\x01\xdb\x00\x00\x00\x01x\xc0"));
    assert_refused(BYTES(""), "cut short");
    assert_refused(BYTES("\x90"), "no map");
    assert_refused(BYTES("\xc0"), "no map");
    assert_refused(BYTES("\x80\xc0"), "1 bytes behind the body");
}

static void refuses_counts_and_lengths_that_lie(void **state)
{
    (void)state;
    assert_refused(BYTES("\x81"), "1 items declared where 0 bytes are left");
    assert_refused(BYTES("\x82\xa1x\xc0"), "2 items declared where 3 bytes are left");
    assert_refused(BYTES("\x81\xa1x\x92\xc0"), "2 items declared where 1 bytes are left");
    assert_refused(BYTES("\x81\xa1x\xa2y"), "2 bytes where 1 are left");
    assert_refused(BYTES("\x81\xa1x\xc4\x02y"), "2 bytes where 1 are left");
    assert_refused(BYTES("\x82\xa1x\xc0\xa0"), "cut short");
    assert_refused(BYTES("\x81\xa1x\xcd\x01"), "cut short");
}

static void refuses_every_ext_type_and_the_unused_tag(void **state)
{
    (void)state;
    static const uint8_t tags[] = {0xc1, 0xc7, 0xc8, 0xc9, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8};
    for (size_t i = 0; i < COUNT(tags); i++) {
        uint8_t frame[32] = {0x81, 0xa1, 'x', tags[i]};
        assert_refused((struct view){frame, sizeof frame}, "ext type");
    }
}

static void refuses_keys_that_are_no_strings(void **state)
{
    (void)state;
    assert_refused(BYTES("\x81\x01\x02"), "no string");
    assert_refused(BYTES("\x81\xc4\x01x\x02"), "no string");
    assert_refused(BYTES("\x81\x80\x02"), "no string");
    assert_refused(BYTES("\x81\xa1x\x91\x81\xc0\x02"), "no string");
}

static void refuses_a_key_twice_in_one_map_only(void **state)
{
    (void)state;
    assert_refused(BYTES("\x82\xa1x\x01\xa1x\x02"), "the key \"x\" twice");
    assert_refused(BYTES("\x82\xa1x\x01\xd9\x01x\x02"), "the key \"x\" twice");
    assert_refused(BYTES("\x83\xa1x\x01\xa1y\x82\xa1z\x01\xa1w\x01\xa1x\x02"),
                   "the key \"x\" twice");
    assert_refused(BYTES("\x82\xa0\x01\xa0\x02"), "the key \"\" twice");
    assert_accepted(BYTES("\x82\xa1x\x81\xa1x\x01\xa1y\x81\xa1x\x02"));
}

static void refuses_an_integer_above_int64(void **state)
{
    (void)state;
    assert_accepted(BYTES("\x81\xa1x\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"));
    assert_refused(BYTES("\x81\xa1x\xcf\x80\x00\x00\x00\x00\x00\x00\x00"), "above 2^63-1");
}

/* {"": [[…]]} with `depth` maps and arrays in all. */
static struct bytes nested(int depth)
{
    struct err err;
    struct bytes b = bytes_open(64);
    struct pack p = pack_begin(&b, &err);
    pack_map(&p, 1);
    pack_text(&p, "");
    for (int i = 2; i < depth; i++)
        pack_array(&p, 1);
    pack_array(&p, 0);
    assert_int_equal(pack_end(&p), 0);
    return b;
}

static void holds_the_bound_on_depth(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes fits = nested(FRAME_MAX_DEPTH);
    SCOPED(bytes_close) struct bytes deep = nested(FRAME_MAX_DEPTH + 1);
    assert_accepted(bytes_view(&fits));
    assert_refused(bytes_view(&deep), "nested deeper than 16");
    struct err err;
    struct view c = bytes_view(&deep);
    assert_int_equal(pack_skip(&c, &err), -1);
}

/* {"": [nil…]} of this many values, the map, its key and the array included. */
static struct bytes of_nodes(size_t nodes)
{
    struct err err;
    struct bytes b = bytes_open(FRAME_MAX_BYTES);
    struct pack p = pack_begin(&b, &err);
    pack_map(&p, 1);
    pack_text(&p, "");
    pack_array(&p, nodes - 3);
    for (size_t i = 3; i < nodes; i++)
        pack_nil(&p);
    assert_int_equal(pack_end(&p), 0);
    return b;
}

static void holds_the_bound_on_nodes(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes fits = of_nodes(FRAME_MAX_NODES);
    SCOPED(bytes_close) struct bytes over = of_nodes(FRAME_MAX_NODES + 1);
    assert_accepted(bytes_view(&fits));
    assert_refused(bytes_view(&over), "more than 10000 values");
}

static void put_map(struct pack *p, size_t keys)
{
    pack_map(p, keys);
    for (size_t i = 0; i < keys; i++) {
        char key[32];
        snprintf(key, sizeof key, "%zu", i);
        pack_text(p, key);
        pack_nil(p);
    }
}

static struct bytes of_keys(size_t keys)
{
    struct err err;
    struct bytes b = bytes_open(FRAME_MAX_BYTES);
    struct pack p = pack_begin(&b, &err);
    put_map(&p, keys);
    assert_int_equal(pack_end(&p), 0);
    return b;
}

static void holds_the_bound_on_keys(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes fits = of_keys(MAP_MAX_KEYS);
    SCOPED(bytes_close) struct bytes over = of_keys(MAP_MAX_KEYS + 1);
    assert_accepted(bytes_view(&fits));
    assert_refused(bytes_view(&over), "more than 128 keys");
}

/* Keys of open maps share one array: sixteen full ones, each the last value of the one around it.
 */
static void has_room_for_full_maps_at_every_depth(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes b = bytes_open(FRAME_MAX_BYTES);
    struct pack p = pack_begin(&b, &err);
    for (int depth = 0; depth < FRAME_MAX_DEPTH; depth++) {
        pack_map(&p, MAP_MAX_KEYS);
        for (int i = 0; i < MAP_MAX_KEYS; i++) {
            char key[16];
            snprintf(key, sizeof key, "%d", i);
            pack_text(&p, key);
            if (i + 1 < MAP_MAX_KEYS || depth + 1 == FRAME_MAX_DEPTH)
                pack_nil(&p);
        }
    }
    assert_int_equal(pack_end(&p), 0);
    assert_accepted(bytes_view(&b));
    assert_true(oracle_agrees(bytes_view(&b)));
}

/* One after another they have more keys than the array; each gives its room back when it closes. */
static void has_room_for_as_many_full_maps_as_there_may_be_nodes(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes b = bytes_open(FRAME_MAX_BYTES);
    struct pack p = pack_begin(&b, &err);
    const size_t maps = (FRAME_MAX_NODES - 3) / (1 + 2 * MAP_MAX_KEYS);
    assert_true(maps > FRAME_MAX_DEPTH);
    pack_map(&p, 1);
    pack_text(&p, "");
    pack_array(&p, maps);
    for (size_t i = 0; i < maps; i++)
        put_map(&p, MAP_MAX_KEYS);
    assert_int_equal(pack_end(&p), 0);
    assert_accepted(bytes_view(&b));
}

static void holds_the_bound_on_bytes(void **state)
{
    (void)state;
    struct err err;
    static const uint8_t start[] = {0x81, 0xa0, 0xc6, 0, 3, 0xff, 0xf9};
    SCOPED(bytes_close) struct bytes b = bytes_open(FRAME_MAX_BYTES + 1);
    assert_int_equal(bytes_add(&b, start, sizeof start, &err), 0);
    size_t rest = FRAME_MAX_BYTES - sizeof start;
    uint8_t *at = bytes_reserve(&b, rest, &err);
    assert_non_null(at);
    memset(at, 0, rest);
    bytes_grew(&b, rest);
    assert_accepted(bytes_view(&b));
    b.data[6]++;
    assert_int_equal(bytes_add(&b, "", 1, &err), 0);
    assert_refused(bytes_view(&b), "a frame of 262145 bytes; at most 262144");
}

/* The sanitizers' hook: every allocation of the process passes here. Weak, so that a build without
 * them links. */
__attribute__((weak)) int
__sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                          void (*on_free)(const volatile void *));

static size_t allocations;

static void on_malloc(const volatile void *data, size_t len)
{
    (void)data;
    (void)len;
    allocations++;
}

static void on_free(const volatile void *data)
{
    (void)data;
}

/* Few bytes for which msgpack-c 4.0.0 reserves up to gigabytes. */
static void refuses_bombs_without_allocating(void **state)
{
    (void)state;
    if (!__sanitizer_install_malloc_and_free_hooks) {
        print_message("skipped: this build has no sanitizer that counts allocations\n");
        skip();
    }
    uint8_t arrays[4 + 31 * 5] = {0x81, 0xa1, 'x'};
    for (size_t i = 0; i < 31; i++)
        memcpy(arrays + 3 + 5 * i, "\xdd\x02\x00\x00\x00", 5);
    const struct view bombs[] = {
        BYTES("\xdd\xff\xff\xff\xff"),
        BYTES("\xdf\xff\xff\xff\xff"),
        BYTES("\xdf\x80\x00\x00\x00\xc0"),
        BYTES("\xdb\xff\xff\xff\xff"),
        BYTES("\x81\xa1x\xdd\xff\xff\xff\xff"),
        BYTES("\x81\xa1x\xdf\xff\xff\xff\xff"),
        BYTES("\x81\xa1x\xdb\xff\xff\xff\xff"),
        BYTES("\x81\xa1x\xc6\xff\xff\xff\xff"),
        BYTES("\x81\xa1x\xc9\xff\xff\xff\xff\x01"),
        BYTES("\x81\xdb\xff\xff\xff\xff"),
        {arrays, sizeof arrays},
    };
    assert_true(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0);
    struct err ignored;
    SCOPED(bytes_close) struct bytes some = bytes_open(1);
    assert_int_equal(bytes_add(&some, "x", 1, &ignored), 0);
    assert_true(allocations > 0); /* the hook works, so that 0 below means something */
    for (size_t i = 0; i < COUNT(bombs); i++) {
        struct err err;
        allocations = 0;
        int scanned = pack_scan(bombs[i], &err);
        size_t used = allocations;
        assert_int_equal(scanned, -1);
        assert_int_equal(err.code, ERR_INVALID);
        assert_int_equal(used, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_one_map_and_nothing_else),
        cmocka_unit_test(refuses_counts_and_lengths_that_lie),
        cmocka_unit_test(refuses_every_ext_type_and_the_unused_tag),
        cmocka_unit_test(refuses_keys_that_are_no_strings),
        cmocka_unit_test(refuses_a_key_twice_in_one_map_only),
        cmocka_unit_test(refuses_an_integer_above_int64),
        cmocka_unit_test(holds_the_bound_on_depth),
        cmocka_unit_test(holds_the_bound_on_nodes),
        cmocka_unit_test(holds_the_bound_on_keys),
        cmocka_unit_test(has_room_for_full_maps_at_every_depth),
        cmocka_unit_test(has_room_for_as_many_full_maps_as_there_may_be_nodes),
        cmocka_unit_test(holds_the_bound_on_bytes),
        cmocka_unit_test(refuses_bombs_without_allocating),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
