/* What lint finds about rules that load, and what it does not hold against them. */
#include "engine/policy/lint.h"
#include "tests/unit/engine/policy/rules.h"

#include <stdio.h>

enum { NOW_S = 1800000000 }; /* 2027-01-15 08:00 UTC */

#define RULE(id, risk, action)                                                                     \
    "[[rule]]\nid = '" id "'\ndescription = 'd'\nrisk = '" risk "'\naction = '" action "'\n"
#define MATCH "[rule.match]\n"

/* "kind subject", one a line. */
struct found {
    char text[4096];
    struct err err;
};

static int note(void *context, const struct lint_finding *finding, struct err *err)
{
    (void)err;
    struct found *found = context;
    size_t len = strlen(found->text);
    assert_true(finding->line > 0 || !strncmp(finding->file, "rules/", 6));
    assert_true(finding->problem[0] && finding->advice[0]);
    snprintf(found->text + len, sizeof found->text - len, "%s %s\n", finding->kind,
             finding->subject);
    return 0;
}

static struct found found_in(const char *text)
{
    SCOPED(ruleset_free) struct ruleset *set = rules_of(text);
    struct found found = {.text = ""};
    assert_int_equal(ruleset_lint(set, NOW_S, note, &found, &found.err), 0);
    return found;
}

/* A rule that denies with this match has this one finding; "" none. */
static void finds(const char *expected, const char *match)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(65536);
    struct err err;
    assert_int_equal(bytes_addf(&text, &err, "%s%s%s\n", RULE("t", "high", "deny"), MATCH, match),
                     0);
    struct found found = found_in((const char *)text.data);
    if (strcmp(found.text, expected) != 0)
        fail_msg("%s\nfound: %s", match, found.text);
}

static void finds_in(const char *expected, const char *text)
{
    struct found found = found_in(text);
    if (strcmp(found.text, expected) != 0)
        fail_msg("%s\nfound: %s", text, found.text);
}

static void never_matches(const char *match)
{
    finds("cannot-match t\n", match);
}

static void fine(const char *match)
{
    finds("", match);
}

static void the_builtin_rules_are_clean(void **state)
{
    (void)state;
    static const char *const profiles[] = {"dev", "strict"};
    for (size_t i = 0; i < COUNT(profiles); i++) {
        SCOPED(ruleset_free) struct ruleset *set = NULL;
        struct found found = {.text = ""};
        assert_int_equal(
            ruleset_load(&(struct ruleset_options){.profile = profiles[i]}, &set, &found.err), 0);
        assert_int_equal(ruleset_lint(set, NOW_S, note, &found, &found.err), 0);
        assert_string_equal(found.text, "");
    }
}

static void a_key_that_its_opposite_covers_never_holds(void **state)
{
    (void)state;
    never_matches("command = ['zap', 'zip']\nnot_command = ['z*']");
    never_matches("command = ['zap']\nargs_any = ['a', 'b']\nnot_args_any = ['b', 'a']");
    never_matches("args_all = ['a', 'b']\nnot_args_any = ['a*']");
    never_matches("flags_all = ['-a', '-b']\nnot_flags_any = ['-b']");
    never_matches("args_all = ['a', 'b']\nnot_args_all = ['a']");
    never_matches("reads_any = ['/srv/x/*']\nnot_reads_any = ['/srv/**']");
    never_matches("reads_any = ['/srv/x/**']\nnot_files_any = ['/srv/**']");
    never_matches("paths_any = ['@tmp']\nnot_paths_any = ['@tmp', '@system']");
    never_matches("context_any = ['loop']\nnot_context_any = ['loop', 'trap']");
    never_matches("context_all = ['loop', 'trap']\nnot_context_any = ['trap']");
    never_matches("ports_any = ['80', '90-95']\nnot_ports_any = ['1-1024']");
    never_matches("hosts_any = ['a.example.org']\nnot_hosts_any = ['*.example.org']");
    never_matches("env_any = ['HOME=/x']\nnot_env_any = ['HOME']");
    never_matches("option_values_any = ['-o=a']\nnot_option_values_any = ['-o=*']");
    never_matches("first_operand = ['push']\nnot_operands_any = ['push']");
    never_matches("stdin_from = ['curl']\nnot_fed_by = ['c*']");
    never_matches("recursive = true\nnot_recursive = true");
    never_matches("swept = true\nnot_swept = true");
    never_matches("deletes_any = ['/srv/x']\nnot_paths_unknown = true");
}

static void what_the_opposite_leaves_is_no_finding(void **state)
{
    (void)state;
    fine("command = ['zap', 'zip']\nnot_command = ['zip']");
    fine("command = ['z*']\nnot_command = ['za*']");
    fine("args_all = ['a', 'b']\nnot_args_all = ['a', 'c']");
    fine("reads_any = ['/srv/**']\nnot_reads_any = ['/srv/*']");
    fine("reads_any = ['/srv/x/**']\nnot_reads_any = ['/srv/x/*/*']");
    fine("files_any = ['/srv/x']\nnot_reads_any = ['/srv/**']");
    fine("paths_any = ['@tmp', '/srv/x']\nnot_paths_any = ['@tmp']");
    fine("context_all = ['loop', 'trap']\nnot_context_all = ['loop', 'alias']");
    fine("ports_any = ['80', '2000']\nnot_ports_any = ['1-1024']");
    fine("env_any = ['HOME']\nnot_env_any = ['HOME=/x']");
    fine("hosts_any = ['10.0.0.0/8']\nnot_hosts_any = ['10.1.0.0/16']");
    fine("operands_any = ['push']\nnot_first_operand = ['push']");
    fine("recursive = true\nnot_recursive = false");
    fine("args_regex = ['a']\nnot_args_regex = ['b']");
    /* what is not known when it is judged matches the first and not the second */
    fine("deletes_any = ['@workspace']\npaths_unknown = true\nnot_deletes_any = ['@workspace']");
    fine("flags_any = ['-r']\nflags_unknown = true\nnot_flags_any = ['-r']");
}

static void numbers_that_leave_none_never_hold(void **state)
{
    (void)state;
    never_matches("operands_min = 3\noperands_max = 2");
    never_matches("operands_min = 3\nnot_operands_min = 3");
    never_matches("not_operands_max = 2\noperands_max = 2");
    never_matches("first_operand = ['x']\noperands_max = 0");
    never_matches("depth_min = 3\nnot_depth_min = 2");
    never_matches("command = ['zap']\ndepth_min = 9");
    never_matches("size_over_mb = 10\nnot_size_over_mb = 10");
    fine("operands_min = 2\noperands_max = 2");
    fine("command = ['zap']\noperands_max = 0");
    fine("not_operands_max = 1\noperands_max = 2");
    fine("depth_min = 2\nnot_depth_min = 3");
    fine("command = ['zap']\ndepth_min = 8");
    fine("size_over_mb = 10\nnot_size_over_mb = 11");
}

static void empty_lists_are_found(void **state)
{
    (void)state;
    finds_in("cannot-match t\n",
             "[lists]\nnone = []\n" RULE("t", "high", "deny") MATCH "command = ['@none']\n");
    finds_in("says-nothing t\n", "[lists]\nnone = []\n" RULE("t", "high", "deny") MATCH
             "command = ['zap']\nnot_args_any = ['@none']\n");
}

static void one_of_several_matches_is_found(void **state)
{
    (void)state;
    finds_in("cannot-match t\n",
             RULE("t", "high", "deny") "[[rule.match]]\ncommand = ['zap']\n[[rule.match]]\n"
                                       "operands_min = 2\noperands_max = 1\n");
}

static void a_condition_is_seen_through(void **state)
{
    (void)state;
    finds_in("when-always t\n", RULE("t", "high", "deny") MATCH
             "command = ['zap']\n[rule.when]\ntime = { from = '08:00', to = '08:00' }\n");
    finds_in("when-always t\n", RULE("t", "high", "deny") MATCH
             "command = ['zap']\n[rule.when]\ntime = { days = ['mon-sun'] }\n");
    finds_in("", RULE("t", "high", "deny") MATCH
             "command = ['zap']\n[rule.when]\nagent = ['a*']\n"
             "time = { days = ['mon-fri'], from = '22:00', to = '06:00' }\n");
}

static void a_condition_on_others_than_the_file_is_for_never_holds(void **state)
{
    (void)state;
    static const char *const agents[] = {"'other'", "'bot*'"};
    for (size_t i = 0; i < COUNT(agents); i++) {
        SCOPED(bytes_close) struct bytes text = bytes_open(4096);
        SCOPED(ruleset_free) struct ruleset *set = NULL;
        struct found found = {.text = ""};
        assert_int_equal(bytes_addf(&text, &found.err,
                                    "schema = 1\n%s%scommand = ['zap']\n[rule.when]\nagent = "
                                    "[%s]\n",
                                    RULE("t", "high", "deny"), MATCH, agents[i]),
                         0);
        const struct ruleset_source source = {
            .tier = TIER_TENANT, .path = "x.toml", .text = bytes_view(&text), .agent = "bot-1"};
        const struct ruleset_options options = {.sources = &source, .sources_count = 1};
        assert_int_equal(ruleset_load(&options, &set, &found.err), 0);
        assert_int_equal(ruleset_lint(set, NOW_S, note, &found, &found.err), 0);
        assert_string_equal(found.text, i ? "" : "cannot-match t\n");
    }
}

static void a_condition_that_names_nobody_is_refused(void **state)
{
    (void)state;
    struct ruleset *set = NULL;
    struct err err;
    assert_int_equal(rules_load(TIER_TENANT,
                                "[lists]\nnone = []\n" RULE("t", "high", "deny") MATCH
                                "command = ['zap']\n[rule.when]\nagent = ['@none']\n",
                                &set, &err),
                     -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.text, "names nobody"));
}

static void a_rule_within_another_one_decides_nothing(void **state)
{
    (void)state;
    finds_in("shadowed b\n",
             RULE("a", "high", "deny") MATCH "command = ['zap', 'zip']\n" RULE("b", "high", "deny")
                 MATCH "command = ['zap']\nargs_any = ['x']\n");
    finds_in("shadowed a\n", RULE("a", "medium", "require_approval") MATCH
             "reads_any = ['/srv/x/*']\n" RULE("b", "high", "deny") MATCH
             "files_any = ['/srv/**']\n");
    finds_in("shadowed b\n", RULE("a", "low", "flag") MATCH
             "command = ['zap']\n" RULE("b", "low", "flag") MATCH "command = ['zap']\n");
    finds_in("shadowed b\n", RULE("a", "high", "deny") MATCH "not_flags_any = ['-a']\n" RULE(
                                 "b", "high", "deny") MATCH "not_flags_any = ['-a', '-b']\n");
    finds_in("shadowed b\n", RULE("a", "high", "deny") MATCH
             "operands_min = 1\n" RULE("b", "high", "deny") MATCH "operands_min = 2\n");
    finds_in("shadowed b\n", RULE("a", "high", "deny") MATCH
             "args_all = ['x']\n" RULE("b", "high", "deny") MATCH "args_all = ['y', 'x']\n");
    finds_in("shadowed t.mine\n", RULE("t.mine", "low", "flag") MATCH
             "command = ['machinectl']\nargs_any = ['shell']\n");
}

static void an_allow_that_a_locked_deny_beats_is_found(void **state)
{
    (void)state;
    finds_in("shadowed b\n",
             RULE("a", "high", "deny") "locked = true\n" MATCH
                                       "command = ['zap']\n" RULE("b", "low", "allow") MATCH
             "command = ['zap']\nargs_any = ['x']\n");
}

static void a_rule_that_still_decides_is_no_finding(void **state)
{
    (void)state;
    /* a worse risk, a worse action, a condition, a shadow rule, other matches, other acts */
    finds_in("", RULE("a", "medium", "require_approval") MATCH
             "command = ['zap']\n" RULE("b", "high", "require_approval") MATCH
             "command = ['zap']\nargs_any = ['x']\n");
    finds_in("", RULE("a", "high", "require_approval") MATCH "command = ['zap']\n" RULE(
                     "b", "high", "deny") MATCH "command = ['zap']\nargs_any = ['x']\n");
    finds_in("", RULE("a", "high", "deny") MATCH
             "command = ['zap']\n[rule.when]\nagent = ['x']\n" RULE("b", "high", "deny") MATCH
             "command = ['zap']\nargs_any = ['x']\n");
    finds_in("", RULE("a", "high", "deny") "enforce = false\n" MATCH "command = ['zap']\n" RULE(
                     "b", "high", "deny") MATCH "command = ['zap']\n");
    finds_in("", RULE("a", "high", "deny") MATCH
             "command = ['zap']\nargs_any = ['x']\n" RULE("b", "medium", "require_approval") MATCH
             "command = ['zap']\nargs_any = ['x*']\n");
    finds_in("", RULE("a", "high", "deny") MATCH "reads_any = ['/srv/**']\n" RULE(
                     "b", "high", "deny") MATCH "files_any = ['/srv/x']\n");
    finds_in("", RULE("a", "high", "deny") MATCH "reads_any = ['/srv/**']\n" RULE(
                     "b", "high", "deny") MATCH "reads_any = ['/srv/x']\npaths_unknown = true\n");
    finds_in("", RULE("a", "high", "deny") MATCH "writes_any = ['/srv/**']\n" RULE(
                     "b", "high", "deny") "op = ['exec', 'file.write']\n" MATCH
                                          "writes_any = ['/srv/x']\n");
    finds_in("", RULE("a", "high", "deny") MATCH "not_flags_any = ['-a', '-b']\n" RULE(
                     "b", "medium", "require_approval") MATCH "not_flags_any = ['-a']\n");
}

static void what_an_override_takes_from_one_rule_the_other_still_decides(void **state)
{
    (void)state;
    finds_in("", RULE("a", "high", "deny") MATCH "command = ['zap']\n" RULE("b", "high", "deny")
                     MATCH "command = ['zap']\nargs_any = ['x']\n[[override]]\nagents = ['x']\n"
                           "exempts = ['a']\nreason = 'r'\n");
}

static void a_raise_that_raises_nothing_is_found(void **state)
{
    (void)state;
    finds_in("raises-nothing priv.sudo\n", "[[rule]]\nid = 'priv.sudo'\naction = 'deny'\n");
    finds_in("", "[[rule]]\nid = 'priv.sudo'\nrisk = 'critical'\n");
}

static void an_id_of_another_rule_is_found(void **state)
{
    (void)state;
    finds_in("id-twice priv.sudo\n", RULE("priv.sudo", "high", "deny") MATCH "command = ['zap']\n");
}

static void an_override_in_vain_is_found(void **state)
{
    (void)state;
    static const char rule[] = RULE("t", "high", "deny") MATCH "command = ['zap']\n";
    static const struct {
        const char *expected, *rest;
    } rows[] = {
        {"override-expired \n", "exempts = ['t']\nexpires = 2027-01-14\n"},
        {"", "exempts = ['t']\nexpires = 2027-01-15\n"},
        {"softens-nothing \n", "exempts = ['power.*']\n"},
        {"softens-nothing \n", "exempts = ['scan.loop']\naction = 'require_approval'\n"},
        {"cannot-match \n", "exempts = ['t']\nonly = { operands_min = 2, operands_max = 1 }\n"},
        {"", "exempts = ['t']\nonly = { args_any = ['x'] }\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        SCOPED(bytes_close) struct bytes text = bytes_open(4096);
        struct err err;
        assert_int_equal(bytes_addf(&text, &err, "%s[[override]]\nagents = ['x']\nreason = 'r'\n%s",
                                    rule, rows[i].rest),
                         0);
        finds_in(rows[i].expected, (const char *)text.data);
    }
}

static void what_the_floor_takes_back_is_found(void **state)
{
    (void)state;
    finds_in("softens-nothing \n",
             RULE("t", "high", "deny") MATCH "command = ['zap']\n"
                                             "[[override]]\nagents = ['x']\nexempts = ['t']\n"
                                             "action = 'require_approval'\nreason = 'r'\n"
                                             "[defaults]\nrisk_floor = { high = 'deny' }\n");
    finds_in("floor-decides t\n", RULE("t", "critical", "flag") MATCH "command = ['zap']\n");
    finds_in("floor-decides t\n",
             RULE("t", "critical", "require_approval") MATCH "command = ['zap']\n");
    finds_in("", RULE("t", "high", "require_approval") MATCH "command = ['zap']\n");
}

static void a_rule_that_is_softened_for_everyone_is_found(void **state)
{
    (void)state;
#define SOFT(rest)                                                                                 \
    RULE("t", "high", "deny")                                                                      \
    MATCH "command = ['zap']\n[[override]]\nagents = ['*']\n"                                      \
          "exempts = ['t']\nreason = 'r'\n" rest
    finds_in("always-softened t\n", SOFT(""));
    finds_in("", SOFT("tags = ['env=dev']\n"));
    finds_in("", SOFT("expires = 2028-01-01\n"));
}

static void a_list_that_nobody_uses_is_found(void **state)
{
    (void)state;
    finds_in("list-unused odd\n", "[lists]\nodd = ['x']\nhosts = ['h.example']\n");
    finds_in("", "[lists]\ninner = ['zap']\nouter = ['@inner']\n" RULE("t", "high", "deny") MATCH
             "command = ['@outer']\n");
}

static int stops(void *context, const struct lint_finding *finding, struct err *err)
{
    (void)finding;
    ++*(int *)context;
    return err_set(err, ERR_IO, "no more");
}

static void an_error_of_whoever_is_told_ends_it(void **state)
{
    (void)state;
    SCOPED(ruleset_free) struct ruleset *set = rules_of("[lists]\na = ['x']\nb = ['x']\n");
    struct err err;
    int calls = 0;
    assert_int_equal(ruleset_lint(set, NOW_S, stops, &calls, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_builtin_rules_are_clean),
        cmocka_unit_test(a_key_that_its_opposite_covers_never_holds),
        cmocka_unit_test(what_the_opposite_leaves_is_no_finding),
        cmocka_unit_test(numbers_that_leave_none_never_hold),
        cmocka_unit_test(empty_lists_are_found),
        cmocka_unit_test(one_of_several_matches_is_found),
        cmocka_unit_test(a_condition_is_seen_through),
        cmocka_unit_test(a_condition_on_others_than_the_file_is_for_never_holds),
        cmocka_unit_test(a_condition_that_names_nobody_is_refused),
        cmocka_unit_test(a_rule_within_another_one_decides_nothing),
        cmocka_unit_test(an_allow_that_a_locked_deny_beats_is_found),
        cmocka_unit_test(a_rule_that_still_decides_is_no_finding),
        cmocka_unit_test(what_an_override_takes_from_one_rule_the_other_still_decides),
        cmocka_unit_test(a_raise_that_raises_nothing_is_found),
        cmocka_unit_test(an_id_of_another_rule_is_found),
        cmocka_unit_test(an_override_in_vain_is_found),
        cmocka_unit_test(what_the_floor_takes_back_is_found),
        cmocka_unit_test(a_rule_that_is_softened_for_everyone_is_found),
        cmocka_unit_test(a_list_that_nobody_uses_is_found),
        cmocka_unit_test(an_error_of_whoever_is_told_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
