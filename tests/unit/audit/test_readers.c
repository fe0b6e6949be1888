/* Connections for questions: one for each taker, kept afterwards, bounded. */
#include "tests/unit/audit/records.h"

#include "audit/readers.h"
#include "audit/store.h"

static void gives_each_its_own_and_keeps_them(void **state)
{
    (void)state;
    struct err err;
    SCOPED(directory_close) struct place_on_disk d = directory_open();
    SCOPED(store_free) struct store *store = NULL;
    SCOPED(readers_free) struct readers *readers = NULL;
    struct db *taken[40] = {NULL};
    assert_int_equal(store_open(d.path, &store, &err), 0);
    assert_int_equal(readers_new(d.path, &readers, &err), 0);
    for (size_t i = 0; i < COUNT(taken); i++) {
        assert_int_equal(readers_take(readers, &taken[i], &err), 0);
        for (size_t k = 0; k < i; k++)
            assert_ptr_not_equal(taken[i], taken[k]);
    }
    const struct db *first = taken[0];
    for (size_t i = 0; i < COUNT(taken); i++) {
        readers_give(readers, &taken[i]);
        assert_null(taken[i]);
    }
    const size_t kept = 16;
    for (size_t i = 0; i < kept; i++)
        assert_int_equal(readers_take(readers, &taken[i], &err), 0);
    assert_ptr_equal(taken[kept - 1], first); /* opened once */
    for (size_t i = 1; i < kept; i++)
        readers_give(readers, &taken[i]);
    assert_int_equal(db_exec(taken[0], "DELETE FROM event", &err), -1); /* read-only */
    readers_give(readers, &taken[0]);
}

static void a_connection_that_cannot_be_opened_is_not_counted_as_taken(void **state)
{
    (void)state;
    struct err err;
    SCOPED(directory_close) struct place_on_disk d = directory_open();
    SCOPED(readers_free) struct readers *readers = NULL; /* asserts that none is out */
    struct db *db = NULL;
    assert_int_equal(readers_new(d.path, &readers, &err), 0);
    assert_int_equal(readers_take(readers, &db, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_null(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_each_its_own_and_keeps_them),
        cmocka_unit_test(a_connection_that_cannot_be_opened_is_not_counted_as_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
