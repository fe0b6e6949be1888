/* Memory of one analysis: zeroed, bounded, given back. */
#include "base/fault.h"
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
        cmocka_unit_test(refuses_more_than_its_bound),
        cmocka_unit_test(answers_null_when_there_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
