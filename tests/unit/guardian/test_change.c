/* Approving and revoking, on snapshots of a registry. */
#include "base/scope.h"
#include "base/text.h"
#include "guardian/change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { NOW_S = 1000 };

static struct err err;
static struct registry *registry;
static char operators_key[KEY_TEXT_BYTES];

static void make_key(char key[KEY_TEXT_BYTES])
{
    struct key_pair pair;
    keys_make(&pair);
    text_copy(key, KEY_TEXT_BYTES, pair.public_key);
}

/* A registry with an operator of the tenant acme. */
static int make_registry(void **state)
{
    (void)state;
    struct registry_row row = {.tenant = "acme", .principal = "ops", .roles = ROLE_OPERATOR};
    make_key(operators_key);
    text_copy(row.public_key, sizeof row.public_key, operators_key);
    struct registry_parts parts = {.generation = 7, .rows = &row, .row_count = 1};
    return registry_make(&parts, NOW_S, &registry, &err);
}

static int drop_registry(void **state)
{
    (void)state;
    registry_release(&registry);
    return 0;
}

static struct change approval(const char *agent)
{
    struct change c = {.is_approval = true, .tenant = "acme"};
    text_copy(c.agent, sizeof c.agent, agent);
    make_key(c.public_key);
    return c;
}

static struct change revocation(const char *agent)
{
    struct change c = {.tenant = "acme"};
    text_copy(c.agent, sizeof c.agent, agent);
    return c;
}

/* Makes the change and puts the result in the registry's place. */
static void apply(const struct change *c)
{
    struct registry *next = NULL;
    if (change_apply(c, registry, NOW_S, &next, &err))
        fail_msg("%s", err.text);
    assert_true(registry_generation(next) > registry_generation(registry));
    registry_release(&registry);
    registry = next;
    assert_true(change_holds(c, registry));
}

static void assert_refused(const struct change *c, enum err_code code)
{
    struct registry *next = NULL;
    assert_int_equal(change_check(c, registry, NOW_S, &err), -1);
    assert_int_equal(err.code, code);
    assert_int_equal(change_apply(c, registry, NOW_S, &next, &err), -1);
    assert_int_equal(err.code, code);
    assert_null(next);
}

static size_t rows(void)
{
    return registry_parts(registry).row_count;
}

static void an_approved_agent_has_a_key_for_itself_alone(void **state)
{
    (void)state;
    struct change c = approval("coder");
    assert_false(change_holds(&c, registry));
    apply(&c);
    assert_true(registry_agent_is_approved(registry, "acme", "coder"));
    const struct registry_row *row = registry_find_key(registry, c.public_key);
    assert_string_equal(row->tenant, "acme");
    assert_string_equal(row->principal, "coder");
    assert_int_equal(row->roles, ROLE_AGENT);
    assert_true(registry_row_acts_for(row, "coder"));
    assert_false(registry_row_acts_for(row, "coder2"));
    assert_int_equal(rows(), 2);
}

static void a_second_key_stands_beside_the_first_and_a_third_is_refused(void **state)
{
    (void)state;
    struct change first = approval("coder"), second = approval("coder"), third = approval("coder");
    apply(&first);
    apply(&second);
    assert_true(change_holds(&first, registry));
    assert_refused(&third, ERR_STATE);
    apply(&second);
    assert_int_equal(rows(), 3);
}

static void a_revocation_takes_entry_and_keys(void **state)
{
    (void)state;
    struct change first = approval("coder"), second = approval("coder"), c = revocation("coder");
    assert_refused(&c, ERR_NOT_FOUND);
    apply(&first);
    apply(&second);
    assert_false(change_holds(&c, registry));
    apply(&c);
    assert_int_equal(rows(), 1);
    assert_false(registry_agent_is_approved(registry, "acme", "coder"));
    assert_refused(&c, ERR_NOT_FOUND);
    assert_non_null(registry_find_key(registry, operators_key));
}

static void half_an_agent_can_be_revoked(void **state)
{
    (void)state;
    struct change c = approval("coder"), gone = revocation("coder");
    struct registry_agent agent = {.tenant = "acme", .name = "coder"};
    struct registry *next = NULL;
    apply(&c);
    assert_int_equal(registry_without_agent(registry, &agent, NOW_S, &next, &err), 0);
    registry_release(&registry);
    registry = next;
    assert_false(change_holds(&c, registry));
    assert_false(change_holds(&gone, registry));
    apply(&gone);
    assert_int_equal(rows(), 1);
}

static void refuses_a_name_or_key_of_somebody_else(void **state)
{
    (void)state;
    struct change c = approval("ops");
    assert_refused(&c, ERR_STATE);
    c = approval("thief");
    text_copy(c.public_key, sizeof c.public_key, operators_key);
    assert_refused(&c, ERR_STATE);
    struct change owner = approval("coder");
    apply(&owner);
    c = approval("thief");
    text_copy(c.public_key, sizeof c.public_key, owner.public_key);
    assert_refused(&c, ERR_STATE);
    c = owner;
    text_copy(c.tenant, sizeof c.tenant, "other");
    assert_refused(&c, ERR_STATE);
}

static void leaves_a_principal_alone_that_is_no_agent_of_that_name(void **state)
{
    (void)state;
    struct change c = revocation("ops");
    assert_refused(&c, ERR_NOT_FOUND);
    struct registry_agent agent = {.tenant = "acme", .name = "ops"};
    struct registry *next = NULL;
    assert_int_equal(registry_with_agent(registry, &agent, NOW_S, &next, &err), 0);
    registry_release(&registry);
    registry = next;
    apply(&c);
    assert_int_equal(rows(), 1);
    assert_non_null(registry_find_key(registry, operators_key));
}

static void the_same_name_in_another_tenant_is_another_agent(void **state)
{
    (void)state;
    struct change here = approval("coder"), there = approval("coder"), gone = revocation("coder");
    text_copy(there.tenant, sizeof there.tenant, "other");
    apply(&here);
    apply(&there);
    apply(&gone);
    assert_true(change_holds(&there, registry));
}

static void refuses_names_and_keys_without_their_form(void **state)
{
    (void)state;
    static const char *const names[] = {"", "a b", ".a", "event", "a/b", "*"};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct change c = approval(names[i]);
        assert_refused(&c, ERR_INVALID);
    }
    struct change c = approval("coder");
    text_copy(c.tenant, sizeof c.tenant, "a b");
    assert_refused(&c, ERR_INVALID);
    c = approval("coder");
    text_copy(c.public_key, sizeof c.public_key, "short");
    assert_refused(&c, ERR_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_registry, drop_registry)

static const struct agent_settings *settings_of(const char *agent)
{
    const struct registry_agent *row = registry_find_agent(registry, "acme", agent);
    assert_non_null(row);
    return &row->settings;
}

static void settings_stay_until_others_are_given(void **state)
{
    (void)state;
    struct change c = approval("coder");
    c.has_settings = true;
    c.settings = (struct agent_settings){.version = "1.2", .tags = "team=a", .max_sandboxes = 7};
    apply(&c);
    assert_true(change_holds(&c, registry));
    assert_string_equal(settings_of("coder")->version, "1.2");

    struct change other_key = approval("coder");
    assert_false(change_holds(&other_key, registry));
    apply(&other_key);
    assert_string_equal(settings_of("coder")->tags, "team=a");
    assert_int_equal(settings_of("coder")->max_sandboxes, 7);

    c.settings = (struct agent_settings){.max_memory_mb = 64};
    assert_false(change_holds(&c, registry));
    apply(&c);
    assert_int_equal(settings_of("coder")->max_sandboxes, 0);
    assert_int_equal(settings_of("coder")->max_memory_mb, 64);

    struct change gone = revocation("coder"), back = approval("coder");
    apply(&gone);
    apply(&back);
    assert_int_equal(settings_of("coder")->max_memory_mb, 0);
}

static void refuses_tags_that_are_none(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a", "=a", "a=b,c", "a=b,,c=d", "a,b=c"};
    struct change c = approval("coder");
    c.has_settings = true;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        text_copy(c.settings.tags, sizeof c.settings.tags, wrong[i]);
        assert_refused(&c, ERR_INVALID);
    }
    text_copy(c.settings.tags, sizeof c.settings.tags, "a=b,c=,d=e=f");
    apply(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_approved_agent_has_a_key_for_itself_alone),
        TEST(a_second_key_stands_beside_the_first_and_a_third_is_refused),
        TEST(a_revocation_takes_entry_and_keys),
        TEST(half_an_agent_can_be_revoked),
        TEST(refuses_a_name_or_key_of_somebody_else),
        TEST(leaves_a_principal_alone_that_is_no_agent_of_that_name),
        TEST(the_same_name_in_another_tenant_is_another_agent),
        TEST(refuses_names_and_keys_without_their_form),
        TEST(settings_stay_until_others_are_given),
        TEST(refuses_tags_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
