/* Sandboxes' own rules: read once, kept for the next question, dropped with their base. */
#include "guardian/workspaces.h"

#include "tests/unit/engine/policy/rules.h"

#include <stdio.h>

static struct err err;
static struct ruleset *base;
static struct workspaces w;

static int open_base(void **state)
{
    (void)state;
    w = (struct workspaces){0};
    return ruleset_load(&(struct ruleset_options){0}, &base, &err);
}

static int close_base(void **state)
{
    (void)state;
    workspaces_close(&w);
    ruleset_free(&base);
    return 0;
}

/* Rules that deny one command, each text another. */
static const struct ruleset *find(int number, const struct ruleset *on)
{
    char text[512];
    const struct ruleset *set = NULL;
    snprintf(text, sizeof text, "schema = 1\n" DENIES "[rule.match]\ncommand = ['zap%d']\n",
             number);
    if (workspaces_find(&w, on, view_of(text), &set, &err))
        fail_msg("%s", err.text);
    return set;
}

static void reads_a_text_once(void **state)
{
    (void)state;
    const struct ruleset *first = find(1, base);
    assert_ptr_equal(ruleset_base(first), base);
    assert_ptr_not_equal(find(2, base), first);
    assert_ptr_equal(find(1, base), first);
    struct policy_context context = rules_context();
    assert_int_equal(rules_judge(first, &context, "zap1").decision, DECISION_DENY);
    assert_int_equal(rules_judge(first, &context, "zap2").decision, DECISION_ALLOW);
}

static void the_same_text_on_other_rules_is_another_one(void **state)
{
    (void)state;
    SCOPED(ruleset_free) struct ruleset *other = NULL;
    assert_int_equal(ruleset_load(&(struct ruleset_options){.profile = "strict"}, &other, &err), 0);
    const struct ruleset *first = find(1, base), *second = find(1, other);
    assert_ptr_not_equal(first, second);
    assert_ptr_equal(ruleset_base(second), other);
    assert_ptr_equal(find(1, base), first);
    workspaces_close(&w);
}

static void forgets_what_was_not_used_for_longest(void **state)
{
    (void)state;
    const struct ruleset *first = find(0, base), *second = find(1, base);
    for (int i = 2; i < WORKSPACES_KEPT; i++)
        find(i, base);
    assert_ptr_equal(find(0, base), first);
    find(WORKSPACES_KEPT, base); /* in the place of 1 */
    assert_ptr_equal(find(0, base), first);
    size_t kept = 0;
    for (size_t i = 0; i < WORKSPACES_KEPT; i++)
        kept += w.kept[i].set != NULL && w.kept[i].set != second;
    assert_true(kept >= WORKSPACES_KEPT - 1);
    struct policy_context context = rules_context();
    assert_int_equal(rules_judge(find(1, base), &context, "zap1").decision, DECISION_DENY);
}

static void says_where_a_text_is_wrong_and_keeps_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"schema = 1\n[[rule]]\n", "a rule without an id"},
        {"schema = 1\n[[override]]\nexempts = ['*']\n", "sandbox rules:"},
        {"schema = 1\n" DENIES "[rule.match]\nargs_regex = ['(a+)+$']\n", "no regular expressions"},
        {"not TOML", "sandbox rules:1:"},
    };
    const struct ruleset *set = NULL;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(workspaces_find(&w, base, view_of(cases[i].text), &set, &err), -1);
        if (strncmp(err.text, "sandbox rules:", 14) != 0 || !strstr(err.text, cases[i].words))
            fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].words);
        assert_null(set);
    }
    for (size_t i = 0; i < WORKSPACES_KEPT; i++)
        assert_null(w.kept[i].set);
}

static void refuses_more_examples_than_it_would_try(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes text = bytes_open(16384);
    const struct ruleset *set = NULL;
    assert_int_equal(bytes_addf(&text, &err,
                                "schema = 1\n" DENIES
                                "[rule.match]\ncommand = ['zap']\n[rule.examples]\n"
                                "match = ["),
                     0);
    for (int i = 0; i <= RULESET_MAX_WORKSPACE_EXAMPLES; i++)
        assert_int_equal(bytes_addf(&text, &err, "'zap',"), 0);
    assert_int_equal(bytes_addf(&text, &err, "]\n"), 0);
    assert_int_equal(workspaces_find(&w, base, bytes_view(&text), &set, &err), -1);
    assert_non_null(strstr(err.text, "more than 256 examples"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_base, close_base)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_a_text_once),
        TEST(the_same_text_on_other_rules_is_another_one),
        TEST(forgets_what_was_not_used_for_longest),
        TEST(says_where_a_text_is_wrong_and_keeps_nothing),
        TEST(refuses_more_examples_than_it_would_try),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
