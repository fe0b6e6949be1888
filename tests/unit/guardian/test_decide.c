/* Decisions on acts: the order of checks, the environment, the limits, and what is no act. */
#include "base/scope.h"
#include "base/text.h"
#include "guardian/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct err err;
static struct facts room;
static struct ruleset *rules;
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
    return 0;
}

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

static struct judgement decided(const struct act *act, bool is_approved)
{
    struct judgement j;
    if (decide(&room, act, rules, &acls, is_approved, &j, &err))
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
        assert_string_equal(j.rules[0], DECIDE_NOT_APPROVED);
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
    assert_decided(&act, DECISION_DENY, DECIDE_LIMITS);
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
    assert_string_equal(decided(&act, false).rules[0], DECIDE_NOT_APPROVED);
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
    assert_int_equal(decide(&room, &act, rules, &acls, true, &j, &err), -1);
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
        assert_decided(&act, DECISION_DENY, DECIDE_LIMITS);
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
    assert_int_equal(decide(&room, act, rules, &acls, true, &j, &err), -1);
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
    };
    return cmocka_run_group_tests(tests, NULL, free_rules);
}
