/* Which rules hold for which command, as people are shown it. */
#include "engine/policy/hits.h"
#include "tests/unit/engine/policy/rules.h"

#define RULE(id, action, match)                                                                    \
    "[[rule]]\nid = '" id "'\ndescription = 'd'\nrisk = 'high'\naction = '" action                 \
    "'\nmessage = 'Not {paths}.'\n[rule.match]\n" match "\n"

static const char rules[] = RULE("t.flag", "flag", "command = ['zap']")
    RULE("t.deny", "deny", "command = ['zap']\noperands_any = ['a']")
        RULE("t.text", "require_approval", "trouble_any = ['dynamic']");

/* The hits of record `at` of a command. */
static size_t hits_of(const char *command, size_t at, struct policy_hit hits[HITS_MAX],
                      const struct ruleset *set, struct facts *f)
{
    struct policy_context context = rules_context();
    context.text = view_of(command);
    facts_read_shell(f, &(struct facts_setting){context.cwd, context.home}, context.text);
    const struct command_fact *c = f->first;
    while (at--)
        c = c->next;
    return policy_hits(f, c, &context, set, hits);
}

static void the_worst_rule_of_a_command_stands_first(void **state)
{
    (void)state;
    SCOPED(ruleset_free) struct ruleset *set = rules_of(rules);
    SCOPED(facts_close) struct facts f = {0};
    struct policy_hit hits[HITS_MAX];
    assert_int_equal(hits_of("zap a; zap b; nosuch", 0, hits, set, &f), 2);
    assert_string_equal(hits[0].rule->id, "t.deny");
    assert_string_equal(hits[0].message, "Not a.");
    assert_false(hits[0].is_of_text);
    assert_string_equal(hits[1].rule->id, "t.flag");
    assert_int_equal(hits_of("zap a; zap b; nosuch", 1, hits, set, &f), 1);
    assert_string_equal(hits[0].rule->id, "t.flag");
    assert_int_equal(hits_of("zap a; zap b; nosuch", 2, hits, set, &f), 0);
}

static void what_holds_for_the_whole_text_says_so(void **state)
{
    (void)state;
    SCOPED(ruleset_free) struct ruleset *set = rules_of(rules);
    SCOPED(facts_close) struct facts f = {0};
    struct policy_hit hits[HITS_MAX];
    size_t count = hits_of("zap a; $X", 0, hits, set, &f), of_text = 0;
    for (size_t i = 0; i < count; i++) {
        of_text += hits[i].is_of_text;
        assert_int_equal(hits[i].is_of_text, strncmp(hits[i].rule->id, "t.d", 3) != 0 &&
                                                 strcmp(hits[i].rule->id, "t.flag") != 0);
    }
    assert_true(of_text >= 1);
}

static void a_layer_adds_to_its_base(void **state)
{
    (void)state;
    SCOPED(ruleset_free) struct ruleset *base = rules_of(rules);
    SCOPED(ruleset_free) struct ruleset *set = NULL;
    SCOPED(facts_close) struct facts f = {0};
    struct policy_hit hits[HITS_MAX];
    struct err err;
    const struct ruleset_source source = {
        .tier = TIER_WORKSPACE,
        .path = "w.toml",
        .text = view_of("schema = 1\n" RULE("w", "deny", "command = ['zap']"))};
    const struct ruleset_options options = {.base = base, .sources = &source, .sources_count = 1};
    assert_int_equal(ruleset_load(&options, &set, &err), 0);
    assert_int_equal(hits_of("zap a", 0, hits, set, &f), 3);
}

static void no_more_than_there_is_room_for(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes text = bytes_open(65536);
    SCOPED(facts_close) struct facts f = {0};
    struct policy_hit hits[HITS_MAX];
    struct err err;
    for (int i = 0; i < HITS_MAX + 3; i++)
        assert_int_equal(bytes_addf(&text, &err,
                                    "[[rule]]\nid = 'r%d'\ndescription = 'd'\nrisk = 'low'\n"
                                    "action = 'flag'\n[rule.match]\ncommand = ['zap']\n",
                                    i),
                         0);
    SCOPED(ruleset_free) struct ruleset *set = rules_of((const char *)text.data);
    assert_int_equal(hits_of("zap", 0, hits, set, &f), HITS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_rule_of_a_command_stands_first),
        cmocka_unit_test(what_holds_for_the_whole_text_says_so),
        cmocka_unit_test(a_layer_adds_to_its_base),
        cmocka_unit_test(no_more_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
