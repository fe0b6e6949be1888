/* Exceptions, conditions, shadow rules, floors: what becomes of matches before they decide. */
#include "tests/unit/engine/policy/rules.h"

#define MATCH "[rule.match]\ncommand = ['zap']\n"
#define EXEMPTS "[[override]]\nagents = ['bot-*']\nexempts = ['t']\nreason = 'r'\n"

static struct policy_context bot(void)
{
    struct policy_context context = rules_context();
    context.tenant = "acme";
    context.agent = "bot-1";
    context.now_s = 1800000000; /* 2027-01-15 08:00 UTC, a Friday */
    return context;
}

static struct judgement judged(const char *text, const struct policy_context *context,
                               const char *command)
{
    SCOPED(ruleset_free) struct ruleset *set = rules_of(text);
    struct judgement j = rules_judge(set, context, command);
    for (size_t i = 0; i < j.rules_count; i++)
        j.rules[i] = !strcmp(j.rules[i], "t") ? "t" : "another"; /* ids live as long as the set */
    for (size_t i = 0; i < j.exempted_count; i++)
        j.exempted[i] = !strcmp(j.exempted[i], "t") ? "t" : "another";
    for (size_t i = 0; i < j.shadow_count; i++)
        j.shadow[i] = !strcmp(j.shadow[i], "t") ? "t" : "another";
    return j;
}

static enum policy_decision decided(const char *text, const struct policy_context *context,
                                    const char *command)
{
    return judged(text, context, command).decision;
}

static void an_override_takes_a_match_away_for_those_it_names(void **state)
{
    (void)state;
    struct policy_context context = bot();
    struct judgement j = judged(DENIES MATCH EXEMPTS, &context, "zap");
    assert_int_equal(j.decision, DECISION_ALLOW);
    assert_int_equal(j.risk, RISK_LOW);
    assert_int_equal(j.rules_count, 0);
    assert_int_equal(j.exempted_count, 1);
    assert_string_equal(j.exempted[0], "t");
    context.agent = "coder";
    assert_int_equal(decided(DENIES MATCH EXEMPTS, &context, "zap"), DECISION_DENY);
    context.agent = NULL;
    assert_int_equal(decided(DENIES MATCH EXEMPTS, &context, "zap"), DECISION_DENY);
}

static void an_override_leaves_every_other_match(void **state)
{
    (void)state;
    struct policy_context context = bot();
    assert_int_equal(decided(DENIES MATCH EXEMPTS, &context, "zap; rm -rf /"), DECISION_DENY);
    assert_int_equal(decided(DENIES MATCH EXEMPTS, &context, "zap; nmap x"),
                     DECISION_REQUIRE_APPROVAL);
    const char *only = DENIES MATCH EXEMPTS "only = { args_any = ['a*'] }\n";
    assert_int_equal(decided(only, &context, "zap ab"), DECISION_ALLOW);
    assert_int_equal(decided(only, &context, "zap b"), DECISION_DENY);
    assert_int_equal(decided(only, &context, "zap ab; zap b"), DECISION_DENY);
}

static void an_override_may_ask_for_tags_and_tenants(void **state)
{
    (void)state;
    static const char *const tags[] = {"env=prod", "team=a"};
    struct policy_context context = bot();
    context.tags = tags;
    context.tags_count = COUNT(tags);
    const char *by_tag =
        DENIES MATCH "[[override]]\ntags = ['env=pr*']\nexempts = ['*']\nreason = 'r'\n";
    const char *by_key =
        DENIES MATCH "[[override]]\ntags = ['team']\nexempts = ['t']\nreason = 'r'\n";
    const char *by_tenant =
        DENIES MATCH "[[override]]\ntenants = ['other']\nexempts = ['t']\nreason = 'r'\n";
    assert_int_equal(decided(by_tag, &context, "zap"), DECISION_ALLOW);
    assert_int_equal(decided(by_key, &context, "zap"), DECISION_ALLOW);
    assert_int_equal(decided(by_tenant, &context, "zap"), DECISION_DENY);
    context.tags_count = 0;
    assert_int_equal(decided(by_tag, &context, "zap"), DECISION_DENY);
}

static void an_override_ends_with_its_day(void **state)
{
    (void)state;
    struct policy_context context = bot();
    const char *text = DENIES MATCH EXEMPTS "expires = 2027-01-15\n";
    assert_int_equal(decided(text, &context, "zap"), DECISION_ALLOW);
    context.now_s += 16 * 3600 - 1;
    assert_int_equal(decided(text, &context, "zap"), DECISION_ALLOW);
    context.now_s++;
    assert_int_equal(decided(text, &context, "zap"), DECISION_DENY);
}

static void an_override_may_leave_a_question(void **state)
{
    (void)state;
    struct policy_context context = bot();
    struct judgement j = judged("[[rule]]\nid = 't'\ndescription = 'd'\nrisk = 'critical'\n"
                                "action = 'deny'\n" MATCH EXEMPTS "action = 'require_approval'\n",
                                &context, "zap");
    assert_int_equal(j.decision, DECISION_REQUIRE_APPROVAL);
    assert_int_equal(j.risk, RISK_HIGH);
    j = judged(DENIES MATCH EXEMPTS "action = 'flag'\n", &context, "zap");
    assert_int_equal(j.decision, DECISION_ALLOW);
    assert_string_equal(j.rules[0], "t");
}

static void no_override_softens_a_locked_rule(void **state)
{
    (void)state;
    struct policy_context context = bot();
    struct err err;
    struct ruleset *set = NULL;
    assert_int_equal(decided(DENIES
                             "locked = true\n" MATCH
                             "[[override]]\nagents = ['*']\nexempts = ['t*']\nreason = 'r'\n",
                             &context, "zap"),
                     DECISION_DENY);
    assert_int_equal(decided("[[override]]\nagents = ['*']\nexempts = ['*']\nreason = 'r'\n",
                             &context, "reboot"),
                     DECISION_DENY);
    assert_int_equal(rules_load(TIER_TENANT, DENIES "locked = true\n" MATCH EXEMPTS, &set, &err),
                     -1);
    assert_non_null(strstr(err.text, "rule t is locked"));
}

static void an_override_says_for_whom_what_and_why(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"exempts = ['t']\nreason = 'r'\n", "for whom"},
        {"agents = ['a']\nreason = 'r'\n", "what it exempts"},
        {"agents = ['a']\nexempts = ['t']\n", "gives a reason"},
        {"agents = ['a']\nexempts = ['nothing.*']\nreason = 'r'\n", "no rule nothing.*"},
        {"agents = ['a']\nexempts = ['t']\nreason = 'r'\naction = 'deny'\n", "one of allow"},
        {"agents = ['a']\nexempts = ['t']\nreason = 'r'\nexpires = 'soon'\n", "expires is a date"},
        {"agents = ['a']\nexempts = ['t']\nreason = 'r'\nonly = {}\n", "without keys"},
        {"agents = ['a']\nexempts = ['t']\nreason = 'r'\nmoon = 1\n", "not this moon"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        struct ruleset *set = NULL;
        SCOPED(bytes_close) struct bytes text = bytes_open(4096);
        assert_int_equal(bytes_addf(&text, &err, DENIES MATCH "[[override]]\n%s", cases[i].text),
                         0);
        assert_int_equal(rules_load(TIER_TENANT, (const char *)text.data, &set, &err), -1);
        if (!strstr(err.text, cases[i].words))
            fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].words);
    }
}

static void a_rule_asks_for_its_context(void **state)
{
    (void)state;
    struct policy_context context = bot();
    static const struct {
        const char *when;
        enum policy_decision decision;
    } cases[] = {
        {"tenant = ['acme']", DECISION_DENY},
        {"tenant = ['other']", DECISION_ALLOW},
        {"agent = ['bot-*']\ntenant = ['a*']", DECISION_DENY},
        {"tags = ['env']", DECISION_ALLOW},
        {"interactive = true", DECISION_ALLOW},
        {"interactive = false", DECISION_DENY},
        {"network = ['internet', 'none']", DECISION_DENY},
        {"network = ['egress-list']", DECISION_ALLOW},
        {"time = { from = '08:00', to = '08:01' }", DECISION_DENY},
        {"time = { from = '07:00', to = '08:00' }", DECISION_ALLOW},
        {"time = { from = '22:00', to = '08:30' }", DECISION_DENY},
        {"time = { days = ['thu'], from = '22:00', to = '08:30' }", DECISION_DENY},
        {"time = { days = ['fri'], from = '22:00', to = '08:30' }", DECISION_ALLOW},
        {"time = { days = ['mon-fri'] }", DECISION_DENY},
        {"time = { days = ['sat-thu'] }", DECISION_ALLOW},
        {"time = { from = '09:00', to = '09:01', tz = 'Europe/Berlin' }", DECISION_DENY},
        {"time = { from = '10:30', to = '10:31', tz = '+02:30' }", DECISION_DENY},
        {"time = { from = '00:00', to = '00:01', tz = '-08:00' }", DECISION_DENY},
    };
    context.network = NETWORK_INTERNET;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err;
        SCOPED(bytes_close) struct bytes text = bytes_open(4096);
        assert_int_equal(bytes_addf(&text, &err, DENIES MATCH "[rule.when]\n%s\n", cases[i].when),
                         0);
        if (decided((const char *)text.data, &context, "zap") != cases[i].decision)
            fail_msg("%s", cases[i].when);
    }
    context.network = NETWORK_UNKNOWN;
    assert_int_equal(decided(DENIES MATCH "[rule.when]\nnetwork = ['none']\n", &context, "zap"),
                     DECISION_DENY);
}

static void a_source_may_be_for_one_tenant_or_agent(void **state)
{
    (void)state;
    struct err err;
    struct policy_context context = bot();
    const char *text = "schema = 1\n" DENIES MATCH;
    const struct ruleset_source sources[] = {
        {.tier = TIER_TENANT, .path = "a", .text = view_of(text), .tenant = "acme"},
        {.tier = TIER_AGENT,
         .path = "b",
         .text = view_of("schema = 1\n" DENIES "[rule.match]\ncommand = ['zip']\n"),
         .agent = "coder"},
    };
    SCOPED(ruleset_free) struct ruleset *set = NULL;
    if (ruleset_load(&(struct ruleset_options){.sources = sources, .sources_count = 2}, &set, &err))
        fail_msg("%s", err.text);
    assert_int_equal(rules_judge(set, &context, "zap").decision, DECISION_DENY);
    assert_int_equal(rules_judge(set, &context, "zip").decision, DECISION_ALLOW);
    context.tenant = "other";
    context.agent = "coder";
    assert_int_equal(rules_judge(set, &context, "zap").decision, DECISION_ALLOW);
    assert_int_equal(rules_judge(set, &context, "zip").decision, DECISION_DENY);
}

static void a_shadow_rule_only_says_what_it_would_do(void **state)
{
    (void)state;
    struct policy_context context = bot();
    struct judgement j = judged(DENIES "enforce = false\n" MATCH, &context, "zap");
    assert_int_equal(j.decision, DECISION_ALLOW);
    assert_int_equal(j.risk, RISK_LOW);
    assert_int_equal(j.would, DECISION_DENY);
    assert_int_equal(j.shadow_count, 1);
    assert_string_equal(j.shadow[0], "t");
    assert_int_equal(j.rules_count, 0);
    j = judged("", &context, "nmap x");
    assert_int_equal(j.would, DECISION_REQUIRE_APPROVAL);
}

static void nothing_goes_below_the_floor_of_its_risk(void **state)
{
    (void)state;
    struct policy_context context = bot();
    const char *text =
        "[[rule]]\nid = 't'\ndescription = 'd'\nrisk = '%s'\naction = 'flag'\n" MATCH;
    static const struct {
        const char *risk;
        enum policy_decision decision;
    } cases[] = {{"medium", DECISION_ALLOW},
                 {"high", DECISION_REQUIRE_APPROVAL},
                 {"critical", DECISION_DENY}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char whole[512];
        struct err err;
        SCOPED(bytes_close) struct bytes to = bytes_open(4096);
        const char *risk = strstr(text, "%s");
        assert_int_equal(
            bytes_addf(&to, &err, "%.*s%s%s", (int)(risk - text), text, cases[i].risk, risk + 2),
            0);
        memcpy(whole, to.data, to.len + 1);
        struct judgement j = judged(whole, &context, "zap");
        assert_int_equal(j.decision, cases[i].decision);
        assert_true(j.decision == DECISION_ALLOW || j.hint[0]);
    }
}

static void a_question_that_nobody_can_answer_is_a_no(void **state)
{
    (void)state;
    struct policy_context context = bot();
    context.no_approver = true;
    assert_int_equal(decided("", &context, "nmap x"), DECISION_DENY);
    assert_int_equal(decided("", &context, "$X"), DECISION_DENY);
    assert_int_equal(decided("", &context, "zap"), DECISION_ALLOW);
    assert_int_equal(decided("[defaults]\nno_approver = 'require_approval'\n", &context, "nmap x"),
                     DECISION_REQUIRE_APPROVAL);
}

static void a_raw_pattern_raises_the_risk_of_what_was_not_understood(void **state)
{
    (void)state;
    struct policy_context context = bot();
    const char *text = "[[rule]]\nid = 't'\ndescription = 'd'\nrisk = 'high'\naction = 'flag'\n"
                       "[rule.match]\nraw_regex = ['(?i)shred']\n";
    assert_int_equal(judged(text, &context, "zap \"").risk, RISK_MEDIUM);
    struct judgement j = judged(text, &context, "SHRED \"");
    assert_int_equal(j.risk, RISK_HIGH);
    assert_int_equal(j.decision, DECISION_REQUIRE_APPROVAL);
    assert_int_equal(judged(text, &context, "echo shred").decision, DECISION_ALLOW);
}

static void a_message_names_what_it_is_about(void **state)
{
    (void)state;
    struct policy_context context = bot();
    struct judgement j =
        judged("[[rule]]\nid = 't'\ndescription = 'd'\nrisk = 'high'\n"
               "action = 'deny'\nmessage = '{rule}: not {paths} {x} by {command}'\n"
               "[rule.match]\ncommand = ['zap']\n",
               &context, "zap a $'b\\e[0m' \"$X\"");
    assert_string_equal(j.hint, "t: not a, b\\x1b[0m, \xe2\x80\xa6 {x} by "
                                "zap a b\\x1b[0m \xe2\x80\xa6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_override_takes_a_match_away_for_those_it_names),
        cmocka_unit_test(an_override_leaves_every_other_match),
        cmocka_unit_test(an_override_may_ask_for_tags_and_tenants),
        cmocka_unit_test(an_override_ends_with_its_day),
        cmocka_unit_test(an_override_may_leave_a_question),
        cmocka_unit_test(no_override_softens_a_locked_rule),
        cmocka_unit_test(an_override_says_for_whom_what_and_why),
        cmocka_unit_test(a_rule_asks_for_its_context),
        cmocka_unit_test(a_source_may_be_for_one_tenant_or_agent),
        cmocka_unit_test(a_shadow_rule_only_says_what_it_would_do),
        cmocka_unit_test(nothing_goes_below_the_floor_of_its_risk),
        cmocka_unit_test(a_question_that_nobody_can_answer_is_a_no),
        cmocka_unit_test(a_raw_pattern_raises_the_risk_of_what_was_not_understood),
        cmocka_unit_test(a_message_names_what_it_is_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
