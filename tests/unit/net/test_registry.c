/* The registry: what it refuses as a whole, what it finds, and that snapshots never change. */
#include "net/registry.h"
#include "base/fault.h"
#include "base/text.h"
#include "base/scope.h"
#include "tests/lib/net_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NOW_S = 1000 };

static struct key_pair keys[4];

static int make_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++)
        keys_make(&keys[i]);
    return 0;
}

static struct registry *make(const struct registry_row *rows, size_t count)
{
    struct err err;
    struct registry *registry;
    struct registry_parts parts = {.generation = 7, .rows = rows, .row_count = count};
    if (registry_make(&parts, NOW_S, &registry, &err))
        fail_msg("%s", err.text);
    return registry;
}

static void assert_refused(const struct registry_row *rows, size_t count, const char *words)
{
    struct err err;
    struct registry *registry = NULL;
    struct registry_parts parts = {.rows = rows, .row_count = count};
    assert_int_equal(registry_make(&parts, NOW_S, &registry, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    assert_null(registry);
}

static void finds_a_row_by_its_key_only_while_it_is_valid(void **state)
{
    (void)state;
    struct registry_row rows[] = {fixture_row(&keys[0], "red", "alice", ROLE_AGENT),
                                  fixture_row(&keys[1], "red", "bob", ROLE_OBSERVER)};
    rows[1].not_before_s = NOW_S + 10;
    rows[1].not_after_s = NOW_S + 20;
    SCOPED(registry_release) struct registry *r = make(rows, 2);
    assert_string_equal(registry_find_user(r, keys[0].public_key, 0)->principal, "alice");
    assert_null(registry_find_user(r, keys[1].public_key, NOW_S + 9));
    assert_non_null(registry_find_user(r, keys[1].public_key, NOW_S + 10));
    assert_null(registry_find_user(r, keys[1].public_key, NOW_S + 20));
    assert_non_null(registry_find_key(r, keys[1].public_key));
    assert_null(registry_find_user(r, keys[2].public_key, NOW_S));
    assert_null(registry_find_user(r, "", NOW_S));
}

static void refuses_a_key_that_stands_twice(void **state)
{
    (void)state;
    const struct registry_row rows[] = {fixture_row(&keys[0], "red", "alice", ROLE_AGENT),
                                        fixture_row(&keys[0], "blue", "bob", ROLE_AGENT)};
    assert_refused(rows, 2, "stands twice");
}

static void a_principal_has_two_keys_for_rotation_and_no_third(void **state)
{
    (void)state;
    struct registry_row rows[3];
    for (size_t i = 0; i < COUNT(rows); i++)
        rows[i] = fixture_row(&keys[i], "red", "alice", ROLE_AGENT);
    assert_refused(rows, 3, "more than 2 keys");
    rows[1].not_after_s = NOW_S; /* expired by now */
    SCOPED(registry_release) struct registry *r = make(rows, 3);
    text_copy(rows[1].tenant, sizeof rows[1].tenant, "blue"); /* the same name elsewhere */
    rows[1].not_after_s = 0;
    SCOPED(registry_release) struct registry *other = make(rows, 3);
    assert_ptr_not_equal(r, other);
}

static void all_keys_of_a_principal_have_the_same_rights(void **state)
{
    (void)state;
    struct registry_row rows[] = {fixture_row(&keys[0], "red", "alice", ROLE_AGENT),
                                  fixture_row(&keys[1], "red", "alice", ROLE_AGENT)};
    text_copy(rows[1].agents[1], sizeof rows[1].agents[1], "*");
    assert_refused(rows, 2, "red/alice have different rights");
}

static void names_the_row_and_field_that_is_wrong(void **state)
{
    (void)state;
    struct registry_row good = fixture_row(&keys[0], "red", "alice", ROLE_AGENT), row = good;
    text_copy(row.public_key, sizeof row.public_key, "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID");
    assert_refused(&row, 1, "keys[0]: public_key");
    row = good;
    text_copy(row.tenant, sizeof row.tenant, "a/b");
    assert_refused(&row, 1, "tenant");
    row = good;
    text_copy(row.principal, sizeof row.principal, "event"); /* would own the topics of events */
    assert_refused(&row, 1, "principal");
    row = good;
    row.roles = 0;
    assert_refused(&row, 1, "roles");
    row.roles = 1U << 5;
    assert_refused(&row, 1, "roles");
    row.roles = ROLE_SERVICE;
    assert_refused(&row, 1, "roles");
    row = good;
    text_copy(row.agents[0], sizeof row.agents[0], "a/*");
    assert_refused(&row, 1, "agents[0]");
    row = good;
    row.roles = ROLE_OBSERVER;
    assert_refused(&row, 1, "agents needs the role agent");
    row = good;
    row.not_before_s = 5;
    row.not_after_s = 5;
    assert_refused(&row, 1, "not_after");
}

static void a_pattern_lets_a_key_act_for_agents(void **state)
{
    (void)state;
    struct registry_row row = fixture_row(&keys[0], "red", "alice", ROLE_AGENT);
    text_copy(row.agents[1], sizeof row.agents[1], "coder-*");
    assert_true(registry_row_acts_for(&row, "alice"));
    assert_true(registry_row_acts_for(&row, "coder-7"));
    assert_false(registry_row_acts_for(&row, "coder"));
    assert_false(registry_row_acts_for(&row, ""));
}

static void reads_roles_from_their_names(void **state)
{
    (void)state;
    struct err err;
    struct registry_row row = {0};
    assert_int_equal(registry_row_add_role(&row, "operator", &err), 0);
    assert_int_equal(registry_row_add_role(&row, "service:audit", &err), 0);
    assert_int_equal(row.roles, ROLE_OPERATOR | ROLE_SERVICE);
    assert_true(registry_row_is_service(&row, "audit"));
    assert_false(registry_row_is_service(&row, "guardian"));
    assert_int_equal(registry_row_add_role(&row, "service:guardian", &err), -1);
    assert_int_equal(registry_row_add_role(&row, "service", &err), -1);
    assert_int_equal(registry_row_add_role(&row, "service:", &err), -1);
    assert_int_equal(registry_row_add_role(&row, "root", &err), -1);
}

static void a_change_makes_a_new_generation_and_leaves_the_old_one(void **state)
{
    (void)state;
    struct err err;
    const struct registry_row alice = fixture_row(&keys[0], "red", "alice", ROLE_AGENT);
    const struct registry_row bob = fixture_row(&keys[1], "red", "bob", ROLE_OPERATOR);
    const struct registry_agent agent = {.tenant = "red", .name = "coder"};
    SCOPED(registry_release) struct registry *first = make(&alice, 1);
    SCOPED(registry_release) struct registry *with_bob = NULL, *without = NULL;
    SCOPED(registry_release) struct registry *approved = NULL, *revoked = NULL;

    assert_int_equal(registry_with_row(first, &bob, NOW_S, &with_bob, &err), 0);
    assert_int_equal(registry_generation(with_bob), 8);
    assert_non_null(registry_find_key(with_bob, keys[1].public_key));
    assert_null(registry_find_key(first, keys[1].public_key));

    assert_int_equal(registry_without_principal(with_bob, "red", "alice", NOW_S, &without, &err),
                     0);
    assert_null(registry_find_key(without, keys[0].public_key));
    assert_non_null(registry_find_key(without, keys[1].public_key));
    assert_non_null(registry_find_key(with_bob, keys[0].public_key));

    assert_int_equal(registry_with_agent(without, &agent, NOW_S, &approved, &err), 0);
    assert_true(registry_agent_is_approved(approved, "red", "coder"));
    assert_false(registry_agent_is_approved(approved, "blue", "coder"));
    assert_false(registry_agent_is_approved(without, "red", "coder"));
    assert_int_equal(registry_without_agent(approved, &agent, NOW_S, &revoked, &err), 0);
    assert_false(registry_agent_is_approved(revoked, "red", "coder"));
    assert_int_equal(registry_generation(revoked), 11);
}

static void replacing_a_row_keeps_one_of_its_key(void **state)
{
    (void)state;
    struct err err;
    struct registry_row row = fixture_row(&keys[0], "red", "alice", ROLE_AGENT);
    SCOPED(registry_release) struct registry *first = make(&row, 1);
    SCOPED(registry_release) struct registry *second = NULL;
    row.not_after_s = NOW_S + 1;
    assert_int_equal(registry_with_row(first, &row, NOW_S, &second, &err), 0);
    assert_int_equal(registry_parts(second).row_count, 1);
    assert_null(registry_find_user(second, keys[0].public_key, NOW_S + 1));
}

static void fails_cleanly_without_memory(void **state)
{
    (void)state;
    const struct registry_row row = fixture_row(&keys[0], "red", "alice", ROLE_AGENT);
    struct registry_parts parts = {.rows = &row, .row_count = 1};
    struct err err;
    struct registry *registry = NULL;
    long failures = 0;
    for (;;) {
        fault_set(FAULT_ALLOC, failures + 1, false);
        if (!registry_make(&parts, NOW_S, &registry, &err))
            break;
        assert_int_equal(err.code, ERR_MEMORY);
        assert_null(registry);
        failures++;
    }
    fault_set(FAULT_ALLOC, 0, false);
    assert_true(failures >= 3);
    registry_release(&registry);
}

static void *read_for_ever(void *arg)
{
    struct registry_slot *slot = arg;
    for (;;) {
        SCOPED(registry_release) struct registry *registry = registry_hold(slot);
        if (registry_generation(registry) == INT64_MAX)
            return NULL;
        assert(registry_find_key(registry, keys[0].public_key));
    }
}

static void a_reader_keeps_its_snapshot_while_others_swap(void **state)
{
    (void)state;
    struct err err;
    const struct registry_row row = fixture_row(&keys[0], "red", "alice", ROLE_AGENT);
    struct registry_slot *slot;
    pthread_t reader;
    assert_int_equal(registry_slot_new(make(&row, 1), &slot, &err), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_for_ever, slot), 0);
    for (int i = 0; i < 500; i++)
        registry_swap(slot, make(&row, 1));
    struct registry *last;
    struct registry_parts parts = {.generation = INT64_MAX};
    assert_int_equal(registry_make(&parts, NOW_S, &last, &err), 0);
    registry_swap(slot, last);
    pthread_join(reader, NULL);
    registry_slot_free(&slot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_row_by_its_key_only_while_it_is_valid),
        cmocka_unit_test(refuses_a_key_that_stands_twice),
        cmocka_unit_test(a_principal_has_two_keys_for_rotation_and_no_third),
        cmocka_unit_test(all_keys_of_a_principal_have_the_same_rights),
        cmocka_unit_test(names_the_row_and_field_that_is_wrong),
        cmocka_unit_test(a_pattern_lets_a_key_act_for_agents),
        cmocka_unit_test(reads_roles_from_their_names),
        cmocka_unit_test(a_change_makes_a_new_generation_and_leaves_the_old_one),
        cmocka_unit_test(replacing_a_row_keeps_one_of_its_key),
        cmocka_unit_test(fails_cleanly_without_memory),
        cmocka_unit_test(a_reader_keeps_its_snapshot_while_others_swap),
    };
    return cmocka_run_group_tests(tests, make_keys, NULL);
}
