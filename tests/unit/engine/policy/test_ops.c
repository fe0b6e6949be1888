/* Operations that are no commands: files, volumes, connections, by the same rules. */
#include "tests/unit/engine/policy/rules.h"

static struct facts room;

static int close_room(void **state)
{
    (void)state;
    facts_close(&room);
    return 0;
}

static struct judgement judge_file(const struct ruleset *set, enum policy_op op, const char *path,
                                   bool writable)
{
    struct policy_context context = rules_context();
    struct judgement j;
    policy_judge_file(&room, &context, set, op, path, writable, &j);
    return j;
}

static void a_rule_is_about_the_operations_that_it_names(void **state)
{
    (void)state;
    SCOPED(ruleset_free)
    struct ruleset *set = rules_of(DENIES "op = ['exec', 'file.write', 'file.delete']\n"
                                          "[rule.match]\nfiles_any = ['/workspace/.git/**']\n");
    static const char path[] = "/workspace/./x/../.git/config";
    assert_int_equal(judge_file(set, OP_FILE_WRITE, path, true).decision, DECISION_DENY);
    assert_int_equal(judge_file(set, OP_FILE_DELETE, path, true).decision, DECISION_DENY);
    assert_int_equal(judge_file(set, OP_FILE_READ, path, false).decision, DECISION_ALLOW);
    assert_int_equal(judge_file(set, OP_FILE_WRITE, "/workspace/x", true).decision, DECISION_ALLOW);
    struct policy_context context = rules_context();
    assert_int_equal(rules_judge(set, &context, "echo x > .git/config").decision, DECISION_DENY);
}

static void the_touch_of_an_operation_is_that_of_a_command(void **state)
{
    (void)state;
    SCOPED(ruleset_free)
    struct ruleset *set =
        rules_of(DENIES "op = ['file.read', 'file.write', 'file.delete', 'volume.mount']\n"
                        "[[rule.match]]\nwrites_any = ['/a']\n"
                        "[[rule.match]]\nreads_any = ['/b']\n"
                        "[[rule.match]]\ndeletes_any = ['/c']\n");
    static const struct {
        enum policy_op op;
        const char *path;
        bool writable;
        bool matches;
    } cases[] = {
        {OP_FILE_WRITE, "/a", true, true},    {OP_FILE_READ, "/a", false, false},
        {OP_FILE_READ, "/b", false, true},    {OP_FILE_WRITE, "/b", true, false},
        {OP_FILE_DELETE, "/c", true, true},   {OP_FILE_WRITE, "/c", true, false},
        {OP_VOLUME_MOUNT, "/a", true, true},  {OP_VOLUME_MOUNT, "/a", false, false},
        {OP_VOLUME_MOUNT, "/b", false, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct judgement j = judge_file(set, cases[i].op, cases[i].path, cases[i].writable);
        if (rules_has(&j, "t") != cases[i].matches)
            fail_msg("operation %d on %s", cases[i].op, cases[i].path);
    }
}

static void a_connection_is_judged_by_host_and_port(void **state)
{
    (void)state;
    SCOPED(ruleset_free)
    struct ruleset *set =
        rules_of(DENIES "op = ['net.connect']\n"
                        "[[rule.match]]\nhosts_any = ['169.254.0.0/16', '*.bad.example']\n"
                        "[[rule.match]]\nports_any = ['22']\nhosts_outside = true\n");
    static const struct {
        enum policy_op op;
        const char *host;
        unsigned port;
        enum policy_decision decision;
    } cases[] = {
        {OP_NET_CONNECT, "169.254.169.254", 80, DECISION_DENY},
        {OP_NET_CONNECT, "x.bad.example", 443, DECISION_DENY},
        {OP_NET_CONNECT, "good.example", 443, DECISION_ALLOW},
        {OP_NET_CONNECT, "good.example", 22, DECISION_DENY},
        {OP_NET_CONNECT, "127.0.0.1", 22, DECISION_ALLOW},
        {OP_NET_CONNECT, "pypi.org", 22, DECISION_ALLOW},
        {OP_NET_LISTEN, "169.254.169.254", 80, DECISION_ALLOW},
    };
    struct policy_context context = rules_context();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct judgement j;
        policy_judge_net(&room, &context, set, cases[i].op, cases[i].host, cases[i].port, &j);
        if (j.decision != cases[i].decision)
            fail_msg("%s:%u", cases[i].host, cases[i].port);
    }
}

static void hosts_of_a_tenant_are_not_outside(void **state)
{
    (void)state;
    SCOPED(ruleset_free)
    struct ruleset *set = rules_of("[lists]\nhosts = ['*.acme.example']\n" DENIES
                                   "[rule.match]\nhosts_outside = true\n");
    struct policy_context context = rules_context();
    assert_false(rules_judge(set, &context, "wget https://git.acme.example/x").decision ==
                 DECISION_DENY);
    assert_int_equal(rules_judge(set, &context, "wget https://git.other.example/x").decision,
                     DECISION_DENY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_is_about_the_operations_that_it_names),
        cmocka_unit_test(the_touch_of_an_operation_is_that_of_a_command),
        cmocka_unit_test(a_connection_is_judged_by_host_and_port),
        cmocka_unit_test(hosts_of_a_tenant_are_not_outside),
    };
    return cmocka_run_group_tests(tests, NULL, close_room);
}
