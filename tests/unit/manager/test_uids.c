/* Host uids: never two sandboxes under one. */
#include "manager/runtime/uids.h"

#include "base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void gives_each_uid_once_and_then_refuses(void **state)
{
    (void)state;
    struct err err;
    SCOPED(uids_close) struct uids uids;
    assert_int_equal(uids_open(200000, 3, &uids, &err), 0);
    int64_t uid, seen = 0;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(uids_take(&uids, &uid, &err), 0);
        assert_in_range(uid, 200000, 200002);
        seen |= 1 << (uid - 200000);
    }
    assert_int_equal(seen, 7);
    assert_int_equal(uids_take(&uids, &uid, &err), -1);
    assert_int_equal(err.code, ERR_OVERLOADED);
    uids_give(&uids, 200001);
    assert_int_equal(uids_take(&uids, &uid, &err), 0);
    assert_int_equal(uid, 200001);
}

static void lets_a_freed_uid_rest(void **state)
{
    (void)state;
    struct err err;
    SCOPED(uids_close) struct uids uids;
    int64_t first, second;
    assert_int_equal(uids_open(200000, 2, &uids, &err), 0);
    assert_int_equal(uids_take(&uids, &first, &err), 0);
    uids_give(&uids, first);
    assert_int_equal(uids_take(&uids, &second, &err), 0);
    assert_int_not_equal(second, first);
}

static void marks_what_a_restart_found(void **state)
{
    (void)state;
    struct err err;
    SCOPED(uids_close) struct uids uids;
    int64_t uid;
    assert_int_equal(uids_open(200000, 2, &uids, &err), 0);
    assert_int_equal(uids_mark(&uids, 200000, &err), 0);
    assert_int_equal(uids_mark(&uids, 200000, &err), -1);
    assert_int_equal(err.code, ERR_STATE);
    assert_int_equal(uids_mark(&uids, 5000, &err), 0);
    assert_int_equal(uids_take(&uids, &uid, &err), 0);
    assert_int_equal(uid, 200001);
    uids_give(&uids, 5000);
    uids_give(&uids, -1);
}

static void without_a_range_gives_the_callers_own(void **state)
{
    (void)state;
    struct err err;
    SCOPED(uids_close) struct uids uids;
    int64_t uid = 7;
    assert_int_equal(uids_open(0, 0, &uids, &err), 0);
    assert_int_equal(uids_take(&uids, &uid, &err), 0);
    assert_int_equal(uid, -1);
    assert_int_equal(uids_mark(&uids, 1000, &err), 0);
    uids_give(&uids, uid);
}

static void refuses_a_range_with_the_hosts_own_users(void **state)
{
    (void)state;
    struct err err;
    struct uids uids;
    static const int64_t bad[][2] = {
        {0, 10}, {999, 10}, {200000, -1}, {INT32_MAX, 1}, {200000, INT32_MAX}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(uids_open(bad[i][0], bad[i][1], &uids, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_each_uid_once_and_then_refuses),
        cmocka_unit_test(lets_a_freed_uid_rest),
        cmocka_unit_test(marks_what_a_restart_found),
        cmocka_unit_test(without_a_range_gives_the_callers_own),
        cmocka_unit_test(refuses_a_range_with_the_hosts_own_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
