/* Decisions on acts: the order of checks, the environment, the limits, and what is no act. */
#include "base/scope.h"
#include "base/text.h"
#include "guardian/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct err err;
static struct facts room;
static struct ruleset *rules, *own;
static struct bytes env_store, argv_store, mount_store;
/* One ACL: what lies in /srv may be read at /data. */
static const struct volume_acl acl = {
    .tenant = "acme", .host_path = "/srv", .container_path = "/data", .mode = "ro"};
static const struct volume_acl *const acl_rows[] = {&acl};
static const struct volume_acls acls = {acl_rows, 1};

static int open_stores(void **state)
{
    (void)state;
    if (!rules && ruleset_load(&(struct ruleset_options){0}, &rules, &err))
        fail_msg("%s", err.text);
    env_store = bytes_open(4096);
    argv_store = bytes_open(4096);
    mount_store = bytes_open(65536);
    return 0;
}

static int close_stores(void **state)
{
    (void)state;
    bytes_close(&env_store);
    bytes_close(&argv_store);
    bytes_close(&mount_store);
    facts_close(&room);
    return 0;
}

static int free_rules(void **state)
{
    (void)state;
    ruleset_free(&rules);
    ruleset_free(&own);
    return 0;
}

enum { MONDAY_NOON_S = 1767614400 /* 2026-01-05, 12:00 UTC */ };

static struct act act_of(const char *operation)
{
    struct act act = {.tenant = "acme",
                      .agent = "coder",
                      .sandbox_id = "sb_x",
                      .user = "agent",
                      .limits = {.cpu_millis = 800,
                                 .memory_mb = 512,
                                 .pids = 256,
                                 .workspace_mb = 256,
                                 .exec_timeout_ms = 1000}};
    text_copy(act.operation, sizeof act.operation, operation);
    return act;
}

static struct act script(const char *text)
{
    struct act act = act_of("command_execute");
    act.script = view_of(text);
    return act;
}

static void add_env(struct act *act, const char *variable)
{
    assert_int_equal(list_add_text(&env_store, &act->env, view_of(variable), &err), 0);
}

static void add_argument(struct act *act, const char *argument)
{
    assert_int_equal(list_add_text(&argv_store, &act->argv, view_of(argument), &err), 0);
}

static void add_mount(struct act *act, const char *path, const char *place, const char *mode)
{
    struct mount m = {.type = "directory"};
    text_copy(m.host_path, sizeof m.host_path, path);
    text_copy(m.real_path, sizeof m.real_path, path);
    text_copy(m.container_path, sizeof m.container_path, place);
    text_copy(m.mode, sizeof m.mode, mode);
    assert_int_equal(list_add(&mount_store, &act->mounts, &message_mount, &m, &err), 0);
}

/* Where acts are decided on: these rules, this ACL, the agent with these tags. */
static const struct decide_setting *setting_of(bool is_approved)
{
    static struct decide_setting setting;
    static struct registry_agent agent = {"acme", "coder", {.tags = "team=data,env=prod"}};
    setting = (struct decide_setting){.rules = rules,
                                      .acls = &acls,
                                      .agent = is_approved ? &agent : NULL,
                                      .now_s = MONDAY_NOON_S};
    return &setting;
}

static struct judgement decided(const struct act *act, bool is_approved)
{
    struct judgement j;
    if (decide(&room, act, setting_of(is_approved), &j, &err))
        fail_msg("%s", err.text);
    return j;
}

static void assert_decided(const struct act *act, enum policy_decision decision, const char *rule)
{
    struct judgement j = decided(act, true);
    if (j.decision != decision)
        print_error("%s: %s\n", policy_decision_name(j.decision), j.reason);
    assert_int_equal(j.decision, decision);
    if (rule)
        assert_string_equal(j.rules[0], rule);
    assert_true(j.reason[0]);
}

static void an_agent_that_is_not_approved_gets_nothing_else_checked(void **state)
{
    (void)state;
    const struct act acts[] = {script("ls"), script("rm -rf /"), act_of("sandbox_create")};
    for (size_t i = 0; i < COUNT(acts); i++) {
        struct judgement j = decided(&acts[i], false);
        assert_int_equal(j.decision, DECISION_DENY);
        assert_int_equal(j.risk, RISK_HIGH);
        assert_int_equal(j.rules_count, 1);
        assert_string_equal(j.rules[0], DENIAL_NOT_APPROVED);
        assert_string_equal(j.reason, "Agent coder is not approved for sandbox operations");
        assert_true(j.hint[0]);
    }
}

static void the_command_is_checked_before_the_limits(void **state)
{
    (void)state;
    struct act act = script("rm -rf /");
    act.limits.pids = 0;
    assert_decided(&act, DECISION_DENY, "fs.rm-system");
    act.script = view_of("\"$X\"");
    assert_decided(&act, DECISION_DENY, DENIAL_LIMITS);
}

static void volumes_are_checked_behind_the_environment_and_before_the_limits(void **state)
{
    (void)state;
    struct act act = act_of("sandbox_create");
    add_mount(&act, "/srv/x", "/data/x", "ro");
    assert_decided(&act, DECISION_ALLOW, NULL);
    add_mount(&act, "/opt/x", "/data/y", "ro");
    act.limits.pids = 0;
    assert_decided(&act, DECISION_DENY, VOLUME_NOT_ALLOWED);
    assert_int_equal(decided(&act, false).rules_count, 1);
    assert_string_equal(decided(&act, false).rules[0], DENIAL_NOT_APPROVED);
    add_env(&act, "LD_PRELOAD=/x.so");
    assert_decided(&act, DECISION_DENY, "priv.preload");
}

static void a_command_is_not_judged_by_the_volumes_of_its_sandbox(void **state)
{
    (void)state;
    struct act act = script("ls");
    add_mount(&act, "/opt/x", "/data", "rw");
    assert_decided(&act, DECISION_ALLOW, NULL);
}

static void a_volume_at_a_place_of_the_sandboxs_own_is_no_act(void **state)
{
    (void)state;
    struct judgement j;
    struct act act = act_of("sandbox_create");
    add_mount(&act, "/srv/x", "/usr", "ro");
    assert_int_equal(decide(&room, &act, setting_of(true), &j, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

static void every_limit_has_to_hold_something(void **state)
{
    (void)state;
    size_t count;
    const struct field *rows = message_limits.rows(&count);
    for (size_t i = 0; i < count; i++) {
        struct act act = act_of("sandbox_create");
        assert_decided(&act, DECISION_ALLOW, NULL);
        *(int64_t *)((uint8_t *)&act.limits + rows[i].offset) = 0;
        assert_decided(&act, DECISION_DENY, DENIAL_LIMITS);
        struct judgement j = decided(&act, true);
        assert_non_null(strstr(j.reason, rows[i].name));
    }
}

static void argv_is_judged_as_it_runs_without_a_shell(void **state)
{
    (void)state;
    struct act act = act_of("command_execute");
    add_argument(&act, "echo");
    add_argument(&act, "; rm -rf /");
    assert_decided(&act, DECISION_ALLOW, NULL);
    act.argv = (struct list){0};
    bytes_clear(&argv_store);
    add_argument(&act, "sh");
    add_argument(&act, "-c");
    add_argument(&act, "rm -rf /");
    assert_decided(&act, DECISION_DENY, "fs.rm-system");
}

static void paths_are_seen_from_the_acts_directory(void **state)
{
    (void)state;
    struct act act = script("rm -rf etc");
    assert_decided(&act, DECISION_ALLOW, NULL);
    text_copy(act.cwd, sizeof act.cwd, "/");
    assert_decided(&act, DECISION_DENY, "fs.rm-system");
}

static void home_is_the_workspace_unless_the_environment_says_otherwise(void **state)
{
    (void)state;
    struct act act = script("rm -rf ~/build");
    assert_decided(&act, DECISION_ALLOW, NULL);
    add_env(&act, "HOMER=/etc");
    assert_decided(&act, DECISION_ALLOW, NULL);
    add_env(&act, "HOME=/etc");
    act.script = view_of("rm -rf ~");
    assert_decided(&act, DECISION_DENY, "fs.rm-system");
    act.script = view_of("rm -rf ~/build");
    assert_decided(&act, DECISION_REQUIRE_APPROVAL, "fs.rm-outside");
}

static void a_variable_that_changes_what_programs_do_is_refused(void **state)
{
    (void)state;
    static const char *const operations[] = {"command_execute", "sandbox_create"};
    for (size_t i = 0; i < COUNT(operations); i++) {
        struct act act = act_of(operations[i]);
        bytes_clear(&env_store);
        if (!i)
            act.script = view_of("ls");
        add_env(&act, "NODE_ENV=test");
        assert_decided(&act, DECISION_ALLOW, NULL);
        add_env(&act, "LD_PRELOAD=/workspace/x.so");
        assert_decided(&act, DECISION_DENY, "priv.preload");
        struct judgement j = decided(&act, true);
        assert_non_null(strstr(j.reason, "In the environment, LD_PRELOAD: "));
    }
}

static bool has_rule(const struct judgement *j, const char *id)
{
    for (size_t i = 0; i < j->rules_count; i++)
        if (!strcmp(j->rules[i], id))
            return true;
    return false;
}

static void what_is_found_in_several_places_adds_up(void **state)
{
    (void)state;
    struct act act = script("pip install x");
    add_env(&act, "LD_PRELOAD=/workspace/x.so");
    add_env(&act, "A=\x1b[0m");
    struct judgement j = decided(&act, true);
    assert_int_equal(j.decision, DECISION_DENY);
    assert_string_equal(j.rules[0], "priv.preload");
    assert_true(has_rule(&j, "obf.invisible"));
    assert_true(has_rule(&j, "pkg.install"));
    assert_true(has_rule(&j, POLICY_UNANALYSABLE));
    assert_true(j.unanalysable);
    act = script("rm -rf /");
    bytes_clear(&env_store);
    add_env(&act, "LD_PRELOAD=/workspace/x.so");
    j = decided(&act, true);
    assert_int_equal(j.risk, RISK_CRITICAL);
    assert_string_equal(j.rules[0], "fs.rm-system");
}

static void assert_no_act(const struct act *act, const char *words)
{
    struct judgement j = {.reason = "untouched"};
    assert_int_equal(decide(&room, act, setting_of(true), &j, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    assert_string_equal(j.reason, "untouched");
}

static void refuses_what_is_no_act(void **state)
{
    (void)state;
    struct act act = act_of("file_read");
    assert_no_act(&act, "act.operation: file_read");
    act = act_of("command_execute");
    assert_no_act(&act, "argv or script");
    act = script("ls");
    add_argument(&act, "ls");
    assert_no_act(&act, "argv or script");
    act = act_of("sandbox_create");
    act.script = view_of("ls");
    assert_no_act(&act, "without a command");
    act = script("ls");
    text_copy(act.cwd, sizeof act.cwd, "workspace");
    assert_no_act(&act, "act.cwd");
}

static void refuses_what_is_no_variable(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "=x", "rm", "-u=LD_PRELOAD", "--=x"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct act act = script("ls");
        bytes_clear(&env_store);
        add_env(&act, "A=b");
        add_env(&act, wrong[i]);
        assert_no_act(&act, "act.env");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stores, close_stores)

/* Rules of a tenant beside the builtin ones, until the next decision. */
static struct judgement decided_by(const char *text, const struct act *act, struct list tags,
                                   int64_t now_s)
{
    struct judgement j;
    ruleset_free(&own); /* the last judgement pointed into it */
    const struct ruleset_source source = {
        .tier = TIER_TENANT, .path = "own.toml", .text = view_of(text)};
    struct decide_setting setting = *setting_of(true);
    if (ruleset_load(&(struct ruleset_options){.sources = &source, .sources_count = 1}, &own, &err))
        fail_msg("%s", err.text);
    setting.rules = own;
    setting.tags = tags;
    setting.now_s = now_s;
    if (decide(&room, act, &setting, &j, &err))
        fail_msg("%s", err.text);
    return j;
}

#define RULE_HEAD                                                                                  \
    "schema = 1\n[[rule]]\nid = \"own.x\"\ndescription = \"is x\"\nrisk = \"high\"\n"              \
    "action = \"deny\"\n"

static void a_rule_asks_for_tenant_agent_and_tags_of_both(void **state)
{
    (void)state;
    static const struct {
        const char *when;
        enum policy_decision decision;
    } rows[] = {
        {"tenant = [\"acme\"]", DECISION_DENY},
        {"tenant = [\"other\"]", DECISION_ALLOW},
        {"agent = [\"cod*\"]", DECISION_DENY},
        {"agent = [\"builder\"]", DECISION_ALLOW},
        {"tags = [\"env=prod\"]", DECISION_DENY},    /* the agent's, the last one */
        {"tags = [\"team=data\"]", DECISION_DENY},   /* the agent's, the first one */
        {"tags = [\"job=nightly\"]", DECISION_DENY}, /* the sandbox's */
        {"tags = [\"env=test\"]", DECISION_ALLOW},
        {"tags = [\"env=prod,team=data\"]", DECISION_ALLOW},
        {"network = [\"none\"]", DECISION_DENY},
        {"network = [\"internet\"]", DECISION_ALLOW},
        {"interactive = false", DECISION_DENY},
        {"interactive = true", DECISION_ALLOW},
    };
    SCOPED(bytes_close) struct bytes store = bytes_open(256);
    struct list tags = {0};
    struct act act = script("xyzzy");
    assert_int_equal(list_add_text(&store, &tags, view_of("job=nightly"), &err), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[512];
        snprintf(text, sizeof text,
                 RULE_HEAD "[rule.match]\ncommand = [\"xyzzy\"]\n[rule.when]\n%s\n", rows[i].when);
        struct judgement j = decided_by(text, &act, tags, MONDAY_NOON_S);
        if (j.decision != rows[i].decision)
            fail_msg("%s: %s", rows[i].when, policy_decision_name(j.decision));
    }
}

static void an_override_ends_when_it_expires(void **state)
{
    (void)state;
    static const char text[] = RULE_HEAD
        "[rule.match]\ncommand = [\"xyzzy\"]\n[[override]]\nexempts = [\"own.x\"]\n"
        "action = \"allow\"\nagents = [\"coder\"]\nreason = \"a trial\"\nexpires = 2026-01-06\n";
    struct act act = script("xyzzy");
    assert_int_equal(decided_by(text, &act, (struct list){0}, MONDAY_NOON_S).decision,
                     DECISION_ALLOW);
    struct judgement j = decided_by(text, &act, (struct list){0}, MONDAY_NOON_S + 3 * 86400);
    assert_int_equal(j.decision, DECISION_DENY);
}

static void volumes_are_judged_by_rules_behind_the_acls(void **state)
{
    (void)state;
    static const char text[] =
        "schema = 1\n[[rule]]\nid = \"own.ledger\"\nop = [\"volume.mount\"]\n"
        "description = \"shows the ledger\"\nrisk = \"high\"\n"
        "action = \"require_approval\"\n[rule.match]\n"
        "files_any = [\"/srv/ledger\", \"/srv/ledger/**\"]\n";
    struct act act = act_of("sandbox_create");
    add_mount(&act, "/srv/ledger", "/data/ledger", "ro");
    struct judgement j = decided_by(text, &act, (struct list){0}, 0);
    assert_int_equal(j.decision, DECISION_REQUIRE_APPROVAL);
    assert_string_equal(j.rules[0], "own.ledger");
    bytes_clear(&mount_store);
    struct act other = act_of("sandbox_create");
    add_mount(&other, "/srv/books", "/data/books", "ro");
    assert_int_equal(decided_by(text, &other, (struct list){0}, 0).decision, DECISION_ALLOW);
    bytes_clear(&mount_store);
    struct act outside = act_of("sandbox_create");
    add_mount(&outside, "/opt/x", "/data/x", "ro");
    j = decided_by(text, &outside, (struct list){0}, 0);
    assert_int_equal(j.decision, DECISION_DENY);
    assert_string_equal(j.rules[0], VOLUME_NOT_ALLOWED);
}

static void what_is_not_enforced_is_said_and_decides_nothing(void **state)
{
    (void)state;
    static const char text[] = RULE_HEAD "enforce = false\n[rule.match]\ncommand = [\"xyzzy\"]\n";
    struct act act = script("xyzzy");
    add_env(&act, "A=b"); /* whose judgement is added to the command's */
    struct judgement j = decided_by(text, &act, (struct list){0}, 0);
    assert_int_equal(j.decision, DECISION_ALLOW);
    assert_int_equal(j.would, DECISION_DENY);
    assert_int_equal(j.shadow_count, 1);
    assert_string_equal(j.shadow[0], "own.x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_agent_that_is_not_approved_gets_nothing_else_checked),
        TEST(the_command_is_checked_before_the_limits),
        TEST(volumes_are_checked_behind_the_environment_and_before_the_limits),
        TEST(a_command_is_not_judged_by_the_volumes_of_its_sandbox),
        TEST(a_volume_at_a_place_of_the_sandboxs_own_is_no_act),
        TEST(every_limit_has_to_hold_something),
        TEST(argv_is_judged_as_it_runs_without_a_shell),
        TEST(paths_are_seen_from_the_acts_directory),
        TEST(home_is_the_workspace_unless_the_environment_says_otherwise),
        TEST(a_variable_that_changes_what_programs_do_is_refused),
        TEST(what_is_found_in_several_places_adds_up),
        TEST(refuses_what_is_no_act),
        TEST(refuses_what_is_no_variable),
        TEST(a_rule_asks_for_tenant_agent_and_tags_of_both),
        TEST(an_override_ends_when_it_expires),
        TEST(volumes_are_judged_by_rules_behind_the_acls),
        TEST(what_is_not_enforced_is_said_and_decides_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, free_rules);
}
