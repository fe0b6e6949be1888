/* The ring of looks: newest first, the oldest go, also when there is no memory to grow. */
#include "monitor/history.h"

#include "base/fault.h"
#include "base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void add(struct history *h, int64_t from, int64_t to)
{
    for (int64_t i = from; i <= to; i++)
        history_add(h, &(struct look){.boot_ns = i});
}

static void assert_holds(const struct history *h, int64_t newest, size_t count)
{
    for (size_t back = 0; back < count; back++)
        assert_int_equal(history_at(h, back)->boot_ns, newest - (int64_t)back);
    assert_null(history_at(h, count));
}

static void an_empty_one_has_no_looks(void **state)
{
    (void)state;
    SCOPED(history_close) struct history h = {.bound = 5};
    assert_null(history_at(&h, 0));
}

static void keeps_the_newest_up_to_its_bound(void **state)
{
    (void)state;
    SCOPED(history_close) struct history h = {.bound = 100};
    for (int64_t i = 1; i <= 350; i++) {
        add(&h, i, i);
        assert_holds(&h, i, i < 100 ? (size_t)i : 100);
    }
}

static void a_bound_of_one_keeps_one(void **state)
{
    (void)state;
    SCOPED(history_close) struct history h = {.bound = 1};
    add(&h, 1, 3);
    assert_holds(&h, 3, 1);
}

static void without_memory_it_keeps_what_fits(void **state)
{
    (void)state;
    SCOPED(history_close) struct history h = {.bound = 100};
    add(&h, 1, 16);
    size_t room = h.room;
    fault_set(FAULT_ALLOC, 1, true);
    add(&h, 17, 20);
    fault_set(FAULT_ALLOC, 0, false);
    assert_int_equal(h.room, room);
    assert_holds(&h, 20, 16);
    add(&h, 21, 30); /* grows again, in order */
    assert_holds(&h, 30, 26);
}

static void without_any_memory_it_stays_empty(void **state)
{
    (void)state;
    SCOPED(history_close) struct history h = {.bound = 100};
    fault_set(FAULT_ALLOC, 1, true);
    add(&h, 1, 2);
    fault_set(FAULT_ALLOC, 0, false);
    assert_holds(&h, 0, 0);
    add(&h, 3, 3);
    assert_holds(&h, 3, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_has_no_looks),
        cmocka_unit_test(keeps_the_newest_up_to_its_bound),
        cmocka_unit_test(a_bound_of_one_keeps_one),
        cmocka_unit_test(without_memory_it_keeps_what_fits),
        cmocka_unit_test(without_any_memory_it_stays_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
