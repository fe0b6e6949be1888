/* The verdict as an answer and as a record: signed, counted, and never without a place in the
 * journal. */
#include "tests/unit/store/place.h"

#include "base/text.h"
#include "guardian/approving.h"

static struct err err;
static struct place place;
static struct service service;
static struct guardian guardian;
static struct registry *registry;
static struct bytes scratch;

static void on_durable(void *context, uint64_t seq)
{
    (void)context;
    if (seq >= 2) /* behind the record of the rules: the first verdict's */
        loop_stop(service.loop);
}

static void on_failed(void *context, const struct err *why)
{
    (void)context;
    fail_msg("%s", why->text);
}

static int open_guardian(int64_t journal_bytes)
{
    struct journal_found found;
    place = place_open();
    scratch = bytes_open(4096);
    config_defaults(&service.config);
    keys_sign_make(&guardian.key);
    static const struct service_table table = {.name = "guardian"};
    service.table = &table;
    guardian.service = &service;
    guardian.tally = (struct tally){0};
    struct registry_agent agent = {.tenant = "acme", .name = "coder"};
    struct registry_parts parts = {.agents = &agent, .agent_count = 1};
    if (loop_new(&service.loop, &err))
        return -1;
    struct outbox_options options = {.loop = service.loop,
                                     .dirfd = place.dir,
                                     .source = "guardian@test",
                                     .bound_bytes = journal_bytes,
                                     .degraded_ms = 1000,
                                     .durable = on_durable,
                                     .failed = on_failed};
    return outbox_new(&options, &service.outbox, &found, &err) ||
                   keeper_new(&service, 0, NULL, NULL, NULL, &guardian.keeper, &err) ||
                   registry_make(&parts, 0, &registry, &err)
               ? -1
               : 0;
}

/* A registry in which no agent is approved. */
static struct registry *registry_of_nobody(void)
{
    struct registry *nobody = NULL;
    struct registry_parts parts = {0};
    assert_int_equal(registry_make(&parts, 0, &nobody, &err), 0);
    return nobody;
}

static int open_roomy(void **state)
{
    (void)state;
    return open_guardian(1 << 20);
}

static int open_small(void **state)
{
    (void)state;
    return open_guardian(4096);
}

static int close_guardian(void **state)
{
    (void)state;
    outbox_free(&service.outbox);
    loop_free(&service.loop);
    registry_release(&registry);
    keeper_free(&guardian.keeper);
    tally_close(&guardian.tally);
    facts_close(&guardian.facts);
    approvals_close(&guardian.approvals);
    holds_close(&guardian.holds);
    guardian.lapse_timer = 0; /* the loop has ended it */
    bytes_close(&scratch);
    place_close(&place);
    return 0;
}

static struct verdict_request question(const char *script)
{
    return (struct verdict_request){.principal = "ci",
                                    .act = {.tenant = "acme",
                                            .agent = "coder",
                                            .operation = "command_execute",
                                            .sandbox_id = "sb_x",
                                            .user = "agent",
                                            .script = view_of(script),
                                            .limits = {.cpu_millis = 1,
                                                       .memory_mb = 1,
                                                       .pids = 1,
                                                       .workspace_mb = 1,
                                                       .exec_timeout_ms = 1}}};
}

static int ask(const struct verdict_request *q, struct verdict *v)
{
    struct call call = {.registry = registry, .scratch = &scratch};
    bytes_clear(&scratch);
    return on_verdict_request(&guardian, &call, q, v, &err);
}

static void assert_signed(const struct verdict *v, const struct act *act)
{
    uint8_t hash[ACT_HASH_BYTES];
    assert_int_equal(act_hash(act, hash, &err), 0);
    if (verdict_check(v, guardian.key.public_key, hash, &err))
        fail_msg("%s", err.text);
}

static void answers_with_a_signed_verdict_over_this_act(void **state)
{
    (void)state;
    struct verdict_request yes = question("ls"), no = question("rm -rf /");
    struct verdict v;
    assert_int_equal(ask(&yes, &v), 0);
    assert_true(v.approved);
    assert_string_equal(v.decision, "allow");
    assert_int_equal(v.valid_ms, service.config.guardian.valid_ms);
    assert_signed(&v, &yes.act);
    assert_int_equal(ask(&no, &v), 0);
    assert_false(v.approved);
    assert_string_equal(v.decision, "deny");
    assert_string_equal(v.risk, "critical");
    assert_signed(&v, &no.act);
    assert_int_equal(guardian.tally.decisions[DECISION_ALLOW], 1);
    assert_int_equal(guardian.tally.decisions[DECISION_DENY], 1);
    assert_int_equal(guardian.tally.risks[RISK_CRITICAL], 1);
}

static void what_needs_approval_is_not_approved(void **state)
{
    (void)state;
    struct verdict_request q = question("\"$X\"");
    struct verdict v;
    assert_int_equal(ask(&q, &v), 0);
    assert_string_equal(v.decision, "require_approval");
    assert_false(v.approved);
    assert_signed(&v, &q.act);
}

static void what_is_asked_again_attaches_to_its_approval(void **state)
{
    (void)state;
    struct verdict_request q = question("\"$X\""), other = question("\"$Y\"");
    struct verdict first, again, another;
    assert_int_equal(ask(&q, &first), 0);
    assert_int_equal(ask(&q, &again), 0);
    assert_int_equal(ask(&other, &another), 0);
    assert_string_equal(first.approval, "pending");
    assert_string_equal(first.approval_id, again.approval_id);
    assert_string_not_equal(first.approval_id, another.approval_id);
}

/* What a person said, as it is once it is on disk. */
static struct approval_item *allow(const char *approval_id, const char *scope)
{
    struct approval_item *item = approvals_find(&guardian.approvals, approval_id);
    assert_non_null(item);
    struct approval to = {.state = "allowed", .approver = "acme/ann"};
    text_copy(to.scope, sizeof to.scope, scope);
    approving_decided(&guardian, item, &to, 60 * 1000);
    return item;
}

static void another_policy_voids_what_was_allowed(void **state)
{
    (void)state;
    struct verdict_request q = question("\"$X\"");
    struct verdict first, allowed, later;
    assert_int_equal(ask(&q, &first), 0);
    struct approval_item *item = allow(first.approval_id, "session");
    assert_int_equal(ask(&q, &allowed), 0);
    assert_true(allowed.approved);
    assert_string_equal(allowed.approver, "acme/ann");
    assert_string_equal(allowed.approval_id, first.approval_id);
    assert_signed(&allowed, &q.act);
    item->policy[0] ^= 1; /* it was given under another one */
    assert_int_equal(ask(&q, &later), 0);
    assert_false(later.approved);
    assert_string_equal(item->shown.state, "void");
    assert_string_equal(later.approval, "pending");
    assert_string_not_equal(later.approval_id, first.approval_id);
}

static void a_sweep_voids_what_another_policy_left(void **state)
{
    (void)state;
    struct verdict_request q = question("\"$X\"");
    struct verdict first;
    assert_int_equal(registry_slot_new(registry_of_nobody(), &service.registry, &err), 0);
    assert_int_equal(ask(&q, &first), 0);
    struct approval_item *item = approvals_find(&guardian.approvals, first.approval_id);
    item->policy[0] ^= 1;
    approving_sweep(&guardian);
    assert_string_equal(item->shown.state, "void");
    assert_string_equal(item->shown.approver_reason, "the policy changed");
    assert_int_equal(ask(&q, &first), 0);
    item = approvals_find(&guardian.approvals, first.approval_id);
    approving_sweep(&guardian);
    assert_string_equal(item->shown.approver_reason, "the agent was revoked");
    registry_slot_free(&service.registry);
}

static void what_is_allowed_once_has_to_be_taken(void **state)
{
    (void)state;
    struct verdict_request q = question("\"$X\"");
    struct verdict first, v;
    assert_int_equal(ask(&q, &first), 0);
    allow(first.approval_id, "once");
    assert_int_equal(ask(&q, &v), 0);
    assert_false(v.approved);
    assert_string_equal(v.approval, "allowed");
}

static void a_decision_after_a_revocation_allows_nothing(void **state)
{
    (void)state;
    struct verdict_request q = question("\"$X\"");
    struct verdict first;
    assert_int_equal(ask(&q, &first), 0);
    approving_revoked(&guardian, "acme", "coder");
    const struct approval_item *item = allow(first.approval_id, "session");
    assert_string_equal(item->shown.state, "void");
}

static void approval_is_of_one_tenants_agent(void **state)
{
    (void)state;
    struct verdict_request q = question("ls");
    struct verdict v;
    text_copy(q.act.tenant, sizeof q.act.tenant, "other");
    assert_int_equal(ask(&q, &v), 0);
    assert_string_equal(v.reason, "Agent coder is not approved for sandbox operations");
    assert_signed(&v, &q.act);
}

static void each_verdict_has_its_own_id(void **state)
{
    (void)state;
    struct verdict_request q = question("ls");
    struct verdict one, other;
    assert_int_equal(ask(&q, &one), 0);
    assert_int_equal(ask(&q, &other), 0);
    assert_string_not_equal(one.verdict_id, other.verdict_id);
}

static void next_event(struct journal_cursor *cursor, struct event *event)
{
    struct journal_record record;
    assert_int_equal(journal_next(cursor, &record, &err), 1);
    assert_int_equal(schema_decode(&message_event, record.payload, SCHEMA_STRICT, event, &err), 0);
}

static void records_what_it_said_about_what(void **state)
{
    (void)state;
    struct verdict_request q = question("sudo su");
    struct verdict v;
    struct event event;
    struct journal_record record;
    SCOPED(journal_cursor_free) struct journal_cursor *cursor = NULL;
    assert_int_equal(ask(&q, &v), 0);
    loop_run(service.loop);
    struct journal *journal = outbox_journal(service.outbox);
    assert_int_equal(journal_cursor_open(journal, 1, &cursor, &err), 0);
    next_event(cursor, &event);
    assert_string_equal(event.kind, "rules_loaded"); /* by which it was judged */
    next_event(cursor, &event);
    assert_string_equal(event.kind, "guardian_denial");
    assert_string_equal(event.phase, "event");
    assert_string_equal(event.status, "denied");
    assert_string_equal(event.tenant, "acme");
    assert_string_equal(event.agent, "coder");
    assert_string_equal(event.principal, "ci");
    assert_string_equal(event.sandbox_id, "sb_x");
    assert_string_equal(event.rule, "priv.sudo");
    assert_true(view_equal(event.command, view_of("sudo su")));
    assert_int_equal(event.command_bytes, 7);
    assert_string_equal(event.verdict.verdict_id, v.verdict_id);
    assert_signed(&event.verdict, &q.act);
    assert_int_equal(journal_next(cursor, &record, &err), 0);
}

static void the_longest_command_still_has_a_record(void **state)
{
    (void)state;
    static char script[65536 + 1];
    memset(script, 'a', sizeof script - 1);
    struct verdict_request q = question(script);
    struct verdict v;
    assert_int_equal(ask(&q, &v), 0);
    assert_signed(&v, &q.act);
}

static void says_nothing_that_the_journal_would_not_take(void **state)
{
    (void)state;
    struct verdict_request q = question("ls");
    struct verdict v = {.verdict_id = "untouched"};
    int64_t said = 0;
    while (!ask(&q, &v)) { /* until the small journal is over its bound */
        text_copy(v.verdict_id, sizeof v.verdict_id, "untouched");
        said++;
    }
    assert_int_equal(err.code, ERR_RESTRICTED);
    assert_string_equal(v.verdict_id, "untouched");
    assert_true(said > 0);
    assert_int_equal(guardian.tally.decisions[DECISION_ALLOW], said);
}

#define TEST(name, open) cmocka_unit_test_setup_teardown(name, open, close_guardian)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_with_a_signed_verdict_over_this_act, open_roomy),
        TEST(what_needs_approval_is_not_approved, open_roomy),
        TEST(what_is_asked_again_attaches_to_its_approval, open_roomy),
        TEST(another_policy_voids_what_was_allowed, open_roomy),
        TEST(a_sweep_voids_what_another_policy_left, open_roomy),
        TEST(what_is_allowed_once_has_to_be_taken, open_roomy),
        TEST(a_decision_after_a_revocation_allows_nothing, open_roomy),
        TEST(approval_is_of_one_tenants_agent, open_roomy),
        TEST(each_verdict_has_its_own_id, open_roomy),
        TEST(records_what_it_said_about_what, open_roomy),
        TEST(the_longest_command_still_has_a_record, open_roomy),
        TEST(says_nothing_that_the_journal_would_not_take, open_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
