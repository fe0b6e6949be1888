/* Layers: rules of a workspace or an agent on those of a tenant, which they add to and raise, and
 * never soften. */
#include "tests/unit/engine/policy/rules.h"

#define MATCH "[rule.match]\ncommand = ['zap']\n"
#define ASKS                                                                                       \
    "[[rule]]\nid = 't'\ndescription = 'is tested'\nrisk = 'medium'\naction = "                    \
    "'require_approval'\n"
#define RAISES "[[rule]]\nid = 't'\naction = 'deny'\nrisk = 'critical'\n"

static struct err err;

static int load_layer(const struct ruleset *base, enum policy_tier tier, const char *text,
                      struct ruleset **out)
{
    SCOPED(bytes_close) struct bytes whole = bytes_open(1 << 20);
    assert_int_equal(bytes_addf(&whole, &err, "schema = 1\n%s", text), 0);
    const struct ruleset_source source = {
        .tier = tier, .path = "own.toml", .text = bytes_view(&whole)};
    return ruleset_load(
        &(struct ruleset_options){.base = base, .sources = &source, .sources_count = 1}, out, &err);
}

static struct ruleset *layer_of(const struct ruleset *base, enum policy_tier tier, const char *text)
{
    struct ruleset *set = NULL;
    if (load_layer(base, tier, text, &set))
        fail_msg("%s", err.text);
    return set;
}

static void adds_its_rules_to_those_of_its_base(void **state)
{
    (void)state;
    struct policy_context context = rules_context();
    SCOPED(ruleset_free) struct ruleset *base = rules_of(ASKS MATCH);
    SCOPED(ruleset_free)
    struct ruleset *layer = layer_of(base, TIER_WORKSPACE,
                                     "[[rule]]\nid = 'own'\ndescription = 'is own'\nrisk = 'high'\n"
                                     "action = 'deny'\nmessage = 'Not {command}.'\n"
                                     "[rule.match]\ncommand = ['zip', 'zap']\nargs_any = ['x']\n");
    assert_ptr_equal(ruleset_base(layer), base);
    assert_null(ruleset_base(base));
    assert_int_equal(ruleset_count(layer), 1);
    assert_int_equal(rules_judge(layer, &context, "zip x").decision, DECISION_DENY);
    assert_int_equal(rules_judge(layer, &context, "zip y").decision, DECISION_ALLOW);
    assert_int_equal(rules_judge(layer, &context, "zap y").decision, DECISION_REQUIRE_APPROVAL);
    assert_int_equal(rules_judge(layer, &context, "rm -rf /").decision, DECISION_DENY);
    assert_int_equal(rules_judge(base, &context, "zip x").decision, DECISION_ALLOW);
    struct judgement j = rules_judge(layer, &context, "zap x");
    assert_int_equal(j.decision, DECISION_DENY);
    assert_int_equal(j.rules_count, 2);
    assert_string_equal(j.rules[0], "own");
    assert_string_equal(j.rules[1], "t");
}

static void raises_a_rule_of_its_base_by_its_id_alone(void **state)
{
    (void)state;
    struct policy_context context = rules_context();
    SCOPED(ruleset_free) struct ruleset *base = rules_of(ASKS MATCH);
    SCOPED(ruleset_free) struct ruleset *layer = layer_of(base, TIER_AGENT, RAISES);
    struct judgement j = rules_judge(layer, &context, "zap");
    assert_int_equal(j.decision, DECISION_DENY);
    assert_int_equal(j.risk, RISK_CRITICAL);
    assert_int_equal(j.rules_count, 1);
    assert_string_equal(j.rules[0], "t");
    assert_string_equal(j.reason, "The command is tested.");
    assert_int_equal(rules_judge(layer, &context, "zip").decision, DECISION_ALLOW);
    assert_int_equal(rules_judge(base, &context, "zap").decision, DECISION_REQUIRE_APPROVAL);
}

static void a_raised_rule_is_not_exempted(void **state)
{
    (void)state;
    struct policy_context context = rules_context();
    context.agent = "bot";
    SCOPED(ruleset_free)
    struct ruleset *base =
        rules_of(ASKS MATCH "[[override]]\nagents = ['bot']\nexempts = ['t']\nreason = 'r'\n");
    SCOPED(ruleset_free) struct ruleset *layer = layer_of(base, TIER_WORKSPACE, RAISES);
    assert_int_equal(rules_judge(base, &context, "zap").decision, DECISION_ALLOW);
    assert_int_equal(rules_judge(layer, &context, "zap").decision, DECISION_DENY);
}

static void a_shadow_raise_only_says_what_it_would_do(void **state)
{
    (void)state;
    struct policy_context context = rules_context();
    SCOPED(ruleset_free) struct ruleset *base = rules_of(ASKS MATCH);
    SCOPED(ruleset_free)
    struct ruleset *layer = layer_of(base, TIER_WORKSPACE, RAISES "enforce = false\n");
    struct judgement j = rules_judge(layer, &context, "zap");
    assert_int_equal(j.decision, DECISION_REQUIRE_APPROVAL);
    assert_int_equal(j.would, DECISION_DENY);
    assert_int_equal(j.shadow_count, 1);
}

static void a_layer_on_a_layer_has_the_rules_of_all(void **state)
{
    (void)state;
    struct policy_context context = rules_context();
    SCOPED(ruleset_free) struct ruleset *base = rules_of(ASKS MATCH);
    SCOPED(ruleset_free)
    struct ruleset *agent = layer_of(base, TIER_AGENT,
                                     "[lists]\nmine = ['zip']\n[[rule]]\nid = 'a'\nrisk = 'high'\n"
                                     "description = 'd'\naction = 'deny'\n"
                                     "[rule.match]\ncommand = ['@mine']\n");
    SCOPED(ruleset_free)
    struct ruleset *top = layer_of(agent, TIER_WORKSPACE,
                                   RAISES "[[rule]]\nid = 'w'\nrisk = 'high'\ndescription = 'd'\n"
                                          "action = 'deny'\n[rule.match]\ncommand = ['zop']\n"
                                          "fed_by = ['@mine', '@fetchers']\n");
    assert_int_equal(rules_judge(top, &context, "zip").decision, DECISION_DENY);
    assert_int_equal(rules_judge(top, &context, "zap").decision, DECISION_DENY);
    assert_int_equal(rules_judge(top, &context, "curl https://x.example | zop").decision,
                     DECISION_DENY);
    assert_int_equal(rules_judge(top, &context, "zop").decision, DECISION_ALLOW);
    assert_int_equal(rules_judge(agent, &context, "zap").decision, DECISION_REQUIRE_APPROVAL);
}

static void refuses_whatever_would_soften(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"[[rule]]\nid = 't'\naction = 'flag'\n", "more severe, not less"},
        {"[[rule]]\nid = 't'\nrisk = 'low'\n", "more severe, not less"},
        {"[[rule]]\nid = 'a'\ndescription = 'd'\nrisk = 'low'\naction = 'allow'\n" MATCH,
         "only builtin and tenant rules allow"},
        {DENIES "locked = true\n" MATCH, "only builtin and tenant rules allow, or are locked"},
        {"[[override]]\nagents = ['*']\nexempts = ['t']\nreason = 'r'\n", "own.toml:"},
        {"[defaults]\nunmatched = { action = 'allow' }\n", "only a profile or a tenant"},
        {"[lists]\nhosts = ['x.example']\n", "only a tenant says"},
        {"[lists]\nshells = ['x']\n", "list shells is there already"},
        {RAISES "[rule.examples]\nmatch = ['zap']\n", "examples of test.toml are its own"},
        {RAISES RAISES, "is there already"},
        {"[[rule]]\nid = 'none'\naction = 'deny'\n", "needs description"},
        {DENIES MATCH "[rule.examples]\nmatch = ['zip']\n", "does not match its example"},
    };
    SCOPED(ruleset_free) struct ruleset *base = rules_of(ASKS MATCH);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ruleset *set = NULL;
        if (!load_layer(base, TIER_WORKSPACE, cases[i].text, &set))
            fail_msg("%s: was not refused", cases[i].words);
        assert_int_equal(err.code, ERR_CONFIG);
        if (!strstr(err.text, cases[i].words) || strncmp(err.text, "own.toml:", 9) != 0)
            fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].words);
    }
    struct ruleset *set = NULL;
    assert_int_equal(load_layer(base, TIER_TENANT, DENIES MATCH, &set), -1);
    assert_non_null(strstr(err.text, "no layer"));
}

static void the_strict_profile_stays_strict_under_a_layer(void **state)
{
    (void)state;
    struct policy_context context = rules_context();
    SCOPED(ruleset_free) struct ruleset *strict = NULL;
    assert_int_equal(ruleset_load(&(struct ruleset_options){.profile = "strict"}, &strict, &err),
                     0);
    SCOPED(ruleset_free) struct ruleset *layer = layer_of(strict, TIER_WORKSPACE, DENIES MATCH);
    assert_int_equal(rules_judge(layer, &context, "xyzzy").decision, DECISION_REQUIRE_APPROVAL);
    assert_int_equal(rules_judge(layer, &context, "zap").decision, DECISION_DENY);
    assert_int_equal(rules_judge(layer, &context, "\"$X\" y").decision, DECISION_REQUIRE_APPROVAL);
}

static void its_hash_is_of_its_base_too(void **state)
{
    (void)state;
    SCOPED(ruleset_free) struct ruleset *one = rules_of(ASKS MATCH);
    SCOPED(ruleset_free) struct ruleset *other = rules_of(DENIES MATCH);
    SCOPED(ruleset_free) struct ruleset *on_one = layer_of(one, TIER_AGENT, "");
    SCOPED(ruleset_free) struct ruleset *on_other = layer_of(other, TIER_AGENT, "");
    SCOPED(ruleset_free) struct ruleset *again = layer_of(one, TIER_AGENT, "");
    assert_memory_not_equal(ruleset_hash(on_one), ruleset_hash(one), POLICY_HASH_BYTES);
    assert_memory_not_equal(ruleset_hash(on_one), ruleset_hash(on_other), POLICY_HASH_BYTES);
    assert_memory_equal(ruleset_hash(on_one), ruleset_hash(again), POLICY_HASH_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_its_rules_to_those_of_its_base),
        cmocka_unit_test(raises_a_rule_of_its_base_by_its_id_alone),
        cmocka_unit_test(a_raised_rule_is_not_exempted),
        cmocka_unit_test(a_shadow_raise_only_says_what_it_would_do),
        cmocka_unit_test(a_layer_on_a_layer_has_the_rules_of_all),
        cmocka_unit_test(refuses_whatever_would_soften),
        cmocka_unit_test(the_strict_profile_stays_strict_under_a_layer),
        cmocka_unit_test(its_hash_is_of_its_base_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
