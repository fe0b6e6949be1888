/* Our reader against msgpack-c, over random frames and what becomes of them when bytes change. */
#include "base/scope.h"
#include "data/pack.h"
#include "tests/unit/data/pack_oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* splitmix64: the same frames in every run. */
static uint64_t draw(uint64_t *seed, uint64_t below)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (z ^ z >> 31) % below;
}

/* The tag of this width, then the number in 1 << power bytes, big-endian, cut to fit. */
static void put_number(struct bytes *b, unsigned tag, unsigned power, uint64_t number)
{
    struct err err;
    uint8_t raw[9] = {(uint8_t)(tag + power)};
    size_t width = (size_t)1 << power;
    for (size_t i = 0; i < width; i++)
        raw[1 + i] = (uint8_t)(number >> 8 * (width - 1 - i));
    assert_int_equal(bytes_add(b, raw, 1 + width, &err), 0);
}

/* A text or blob in any of its forms, also longer ones than it needs. */
static void put_text(struct bytes *b, uint64_t *seed, bool blob, const char *text)
{
    struct err err;
    put_number(b, blob ? 0xc4 : 0xd9, (unsigned)draw(seed, 3), strlen(text));
    assert_int_equal(bytes_add(b, text, strlen(text), &err), 0);
}

static void put_any(struct bytes *b, uint64_t *seed, int depth);

static void put_items(struct bytes *b, uint64_t *seed, bool map, int depth)
{
    size_t count = draw(seed, depth < 3 ? 5 : 2);
    if (draw(seed, 2)) {
        uint8_t fixed = (uint8_t)((map ? 0x80 : 0x90) + count);
        struct err err;
        assert_int_equal(bytes_add(b, &fixed, 1, &err), 0);
    } else { /* 0xdc and 0xdd an array of 2 and 4 bytes, 0xde and 0xdf a map */
        put_number(b, map ? 0xdd : 0xdb, 1 + (unsigned)draw(seed, 2), count);
    }
    for (size_t i = 0; i < count; i++) {
        char key[2] = {(char)('a' + (int)i), 0};
        if (map)
            put_text(b, seed, false, key);
        put_any(b, seed, depth + 1);
    }
}

static void put_any(struct bytes *b, uint64_t *seed, int depth)
{
    uint64_t number = draw(seed, UINT64_MAX) >> draw(seed, 64);
    uint8_t one = (uint8_t)draw(seed, 3);
    struct err err;
    switch (draw(seed, depth < FRAME_MAX_DEPTH ? 9 : 6)) {
    case 0:
        one = (uint8_t)(one ? 0xc1 + one : 0xc0);
        assert_int_equal(bytes_add(b, &one, 1, &err), 0);
        break;
    case 1:
        one = (uint8_t)(one ? number % 128 : 0xe0 + number % 32);
        assert_int_equal(bytes_add(b, &one, 1, &err), 0);
        break;
    case 2:
        put_number(b, 0xcc, (unsigned)draw(seed, 4), number >> 1);
        break;
    case 3:
        put_number(b, 0xd0, (unsigned)draw(seed, 4), number);
        break;
    case 4:
        put_number(b, 0xc8, 2 + (unsigned)draw(seed, 2), number);
        break;
    case 5:
        put_text(b, seed, one, &"text"[draw(seed, 5)]);
        break;
    default:
        put_items(b, seed, one, depth);
    }
}

static struct bytes random_frame(uint64_t *seed)
{
    struct bytes b = bytes_open(FRAME_MAX_BYTES);
    put_items(&b, seed, true, 1);
    return b;
}

/* Changes, flips, cuts or adds a few bytes. */
static void mutate(struct bytes *b, uint64_t *seed)
{
    struct err err;
    for (uint64_t times = 1 + draw(seed, 3); times && b->len; times--) {
        size_t at = draw(seed, b->len);
        switch (draw(seed, 4)) {
        case 0:
            b->data[at] = (uint8_t)draw(seed, 256);
            break;
        case 1:
            b->data[at] ^= (uint8_t)(1u << draw(seed, 8));
            break;
        case 2:
            bytes_cut(b, at);
            break;
        default:
            assert_int_equal(bytes_add(b, "\xc0\x01\x80", 1 + draw(seed, 3), &err), 0);
        }
    }
}

/* Refusals that say that bytes are missing. Up to there every count was plausible, so msgpack-c may
 * look without reserving much: it must miss them too. */
static void assert_incomplete_for_both(struct view frame, const struct err *err)
{
    if (!strstr(err->text, "cut short") && !strstr(err->text, "a text or blob of"))
        return;
    msgpack_unpacked result;
    msgpack_unpacked_init(&result);
    size_t used = 0;
    assert_int_equal(msgpack_unpack_next(&result, (const char *)frame.data, frame.len, &used),
                     MSGPACK_UNPACK_CONTINUE);
    msgpack_unpacked_destroy(&result);
}

static void msgpack_c_finds_the_same_tree_in_every_accepted_frame(void **state)
{
    (void)state;
    uint64_t seed = 1;
    size_t accepted = 0, refused = 0;
    for (int i = 0; i < 5000; i++) {
        SCOPED(bytes_close) struct bytes b = random_frame(&seed);
        struct err err;
        if (pack_scan(bytes_view(&b), &err))
            fail_msg("%s", err.text);
        assert_true(oracle_agrees(bytes_view(&b)));
        for (int mutation = 0; mutation < 8; mutation++) {
            SCOPED(bytes_close) struct bytes copy = bytes_open(FRAME_MAX_BYTES);
            assert_int_equal(bytes_add(&copy, b.data, b.len, &err), 0);
            mutate(&copy, &seed);
            if (pack_scan(bytes_view(&copy), &err)) {
                assert_incomplete_for_both(bytes_view(&copy), &err);
                refused++;
            } else {
                assert_true(oracle_agrees(bytes_view(&copy)));
                accepted++;
            }
        }
    }
    print_message("%zu mutated frames accepted, %zu refused\n", accepted, refused);
    assert_true(accepted > 1000 && refused > 1000); /* both sides were put to the test */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(msgpack_c_finds_the_same_tree_in_every_accepted_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
