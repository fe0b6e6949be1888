/* Memory of one analysis: zeroed, bounded, given back. */
#include "base/fault.h"
#include "base/mem.h"
#include "base/scope.h"
#include "engine/shell/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void gives_zeroed_memory_again_after_it_is_cleared(void **state)
{
    (void)state;
    SCOPED(arena_close) struct arena arena = {0};
    for (int round = 0; round < 3; round++) {
        for (size_t size = 1; size < 40000; size = size * 3 + 1) {
            unsigned char *piece = arena_new(&arena, size, 1);
            assert_non_null(piece);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(piece[i], 0);
            memset(piece, 0xff, size);
        }
        arena_clear(&arena);
        assert_int_equal(arena.steps, 0);
    }
}

/* Behind the blocks that are kept there are large pages, given back at each clear. */
static void gives_zeroed_large_pages(void **state)
{
    (void)state;
    SCOPED(arena_close) struct arena arena = {0};
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++) {
            unsigned char *piece = arena_new(&arena, 50000, 1);
            assert_non_null(piece);
            for (size_t k = 0; k < 50000; k++)
                assert_int_equal(piece[k], 0);
            memset(piece, 0xff, 50000);
        }
        assert_int_equal(arena.given_bytes, 100 * 50000);
        assert_true(arena.taken_bytes > 2 * MEM_LARGE_BYTES);
        arena_clear(&arena);
        assert_int_equal(arena.given_bytes, 0);
    }
}

/* Or what an analysis may take would depend on the one before. */
static void takes_the_same_when_cleared_as_when_new(void **state)
{
    (void)state;
    SCOPED(arena_close) struct arena used = {0};
    for (size_t first = 100; first < 400000; first *= 3) {
        assert_non_null(arena_new(&used, first, 1));
        for (int i = 0; i < 40; i++)
            assert_non_null(arena_new(&used, 9000, 1));
        arena_clear(&used);
        assert_int_equal(used.taken_bytes, 0);
        SCOPED(arena_close) struct arena fresh = {0};
        for (size_t size = 1; size < 300000; size = size * 2 + 1) {
            assert_non_null(arena_new(&used, size, 1));
            assert_non_null(arena_new(&fresh, size, 1));
            assert_int_equal(used.taken_bytes, fresh.taken_bytes);
        }
        arena_clear(&used);
    }
}

/* The sizes that most analyses need cost no allocation from the second one on. */
static void keeps_blocks_for_the_next_analysis(void **state)
{
    (void)state;
    SCOPED(arena_close) struct arena arena = {0};
    for (int round = 0; round < 2; round++) {
        if (round)
            fault_set(FAULT_ALLOC, 1, true);
        for (int i = 0; i < 200; i++)
            assert_non_null(arena_new(&arena, 1024, 1));
        fault_set(FAULT_ALLOC, 0, false);
        arena_clear(&arena);
    }
}

static void refuses_more_than_its_bound(void **state)
{
    (void)state;
    SCOPED(arena_close) struct arena arena = {0};
    assert_null(arena_new(&arena, 1, ARENA_MAX_BYTES + 1));
    assert_null(arena_new(&arena, SIZE_MAX, 2));
    size_t got = 0;
    while (arena_new(&arena, 1, 1000000))
        got += 1000000;
    assert_true(got <= ARENA_MAX_BYTES && got > ARENA_MAX_BYTES / 2);
}

static void answers_null_when_there_is_no_memory(void **state)
{
    (void)state;
    SCOPED(arena_close) struct arena arena = {0};
    fault_set(FAULT_ALLOC, 1, false);
    assert_null(arena_new(&arena, 1, 8));
    fault_set(FAULT_ALLOC, 0, false);
    assert_non_null(arena_text(&arena, "x", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_memory_again_after_it_is_cleared),
        cmocka_unit_test(gives_zeroed_large_pages),
        cmocka_unit_test(takes_the_same_when_cleared_as_when_new),
        cmocka_unit_test(keeps_blocks_for_the_next_analysis),
        cmocka_unit_test(refuses_more_than_its_bound),
        cmocka_unit_test(answers_null_when_there_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
