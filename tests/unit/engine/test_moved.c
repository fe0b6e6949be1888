/* The audit's own words on its sources: read only as they were written. */
#include "base/scope.h"
#include "engine/record/moved.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct moved moves[] = {
    {.kind = MOVED_BOUND, .source = "manager@h1", .owner = "corral/manager", .id = 3, .epoch = 9},
    {.kind = MOVED_BOUND, .source = "manager@h1", .owner = "corral/manager"},
    {.kind = MOVED_EPOCH, .source = "monitor@h", .epoch = 4, .last = 0, .next_epoch = INT64_MAX},
    {.kind = MOVED_MISSING, .source = "guardian@h", .epoch = 4, .first = 10, .last = 12}};

static void reads_what_it_wrote(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(moves); i++) {
        char detail[MOVED_DETAIL_BYTES];
        struct moved got;
        moved_show(&moves[i], detail);
        assert_true(moved_read(moved_name(moves[i].kind), detail, &got));
        assert_memory_equal(&got, &moves[i], sizeof got);
    }
}

static void reads_no_other_words(void **state)
{
    (void)state;
    struct moved got;
    for (size_t i = 0; i < COUNT(moves); i++) {
        char detail[MOVED_DETAIL_BYTES], more[MOVED_DETAIL_BYTES];
        const char *kind = moved_name(moves[i].kind);
        moved_show(&moves[i], detail);
        assert_false(moved_read("service_started", detail, &got));
        for (size_t k = 0; k < COUNT(moves); k++)
            if (moves[k].kind != moves[i].kind)
                assert_false(moved_read(moved_name(moves[k].kind), detail, &got));
        snprintf(more, sizeof more, "%.200s.", detail);
        assert_false(moved_read(kind, more, &got));
        for (size_t at = 0; detail[at]; at++) {
            snprintf(more, sizeof more, "%.*s", (int)at, detail);
            struct moved cut;
            if (moved_read(kind, more, &cut)) /* a number may end earlier, the source may not */
                assert_string_equal(cut.source, moves[i].source);
        }
    }
    assert_false(moved_read("records_missing",
                            "h: records 007 to 8 of epoch 1 were never received "
                            "and are gone",
                            &got));
    assert_false(moved_read("source_bound", "", &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(reads_no_other_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
