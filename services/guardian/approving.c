/* approving.c - the queue of acts that wait for a person; see approving.h. */
#include "guardian/approving.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/scope.h"
#include "base/text.h"
#include "guardian/decide.h"
#include "guardian/notice.h"

#include <stdio.h>
#include <string.h>

static int64_t patience_ms(const struct guardian *g)
{
    return g->service->config.guardian.approval_ttl_seconds * 1000;
}

/* Records an end that nobody asked for. One that the journal does not take is found again by the
 * next start. */
static void record_end(struct guardian *g, const struct approval_item *item, const char *kind,
                       const char *why)
{
    const struct approval *a = &item->shown;
    struct event event = {.phase = "event"};
    text_copy(event.kind, sizeof event.kind, kind);
    text_copy(event.approval_id, sizeof event.approval_id, a->approval_id);
    text_copy(event.tenant, sizeof event.tenant, a->act.tenant);
    text_copy(event.agent, sizeof event.agent, a->act.agent);
    text_copy(event.principal, sizeof event.principal, a->principal);
    text_copy(event.sandbox_id, sizeof event.sandbox_id, a->act.sandbox_id);
    text_copy(event.detail, sizeof event.detail, why);
    service_event(g->service, &event, false);
}

/* A step that is woken takes its waiter off the list. */
static void wake_waiters(struct guardian *g, const struct approval_item *item)
{
    struct approval_waiter *w = g->waiters;
    while (w) {
        bool is_its = !strcmp(w->approval_id, item->shown.approval_id);
        if (is_its)
            op_wake(w->op, WAKE_EVENT, NULL);
        w = is_its ? g->waiters : w->next;
    }
}

void approving_end(struct guardian *g, struct approval_item *item, const char *state,
                   const char *why)
{
    text_copy(item->shown.state, sizeof item->shown.state, state);
    if (*why)
        text_copy(item->shown.approver_reason, sizeof item->shown.approver_reason, why);
    wake_waiters(g, item);
}

static void end_recorded(struct guardian *g, struct approval_item *item, const char *state,
                         const char *why)
{
    record_end(g, item, !strcmp(state, "expired") ? "approval_expired" : "approval_void", why);
    approving_end(g, item, state, why);
}

static void set_timer(struct guardian *g);

/* Ends what has lapsed. What was denied needs no end: it may just be asked again. */
static void on_lapse(void *context)
{
    struct guardian *g = context;
    int64_t now = clock_boot_ms();
    g->lapse_timer = 0;
    for (struct approval_item *i = g->approvals.first; i; i = i->next)
        if (approval_is_open(i) && !i->is_deciding && i->lapses_boot_ms <= now)
            end_recorded(g, i, "expired", "");
    set_timer(g);
}

/* One timer, for the one that lapses first; it is kept as its number plus one. */
static void set_timer(struct guardian *g)
{
    int64_t first = INT64_MAX;
    struct err err;
    for (const struct approval_item *i = g->approvals.first; i; i = i->next)
        if (approval_is_open(i) && !i->is_deciding && i->lapses_boot_ms < first)
            first = i->lapses_boot_ms;
    if (g->lapse_timer)
        loop_end_timer(g->service->loop, g->lapse_timer - 1);
    g->lapse_timer = 0;
    if (first == INT64_MAX)
        return;
    int64_t delay_ms = first - clock_boot_ms();
    int timer = loop_timer(g->service->loop, delay_ms > 0 ? delay_ms : 0, false, on_lapse, g, &err);
    if (timer < 0)
        service_fail("approval.timer", &err); /* an approval must not outlive its time */
    g->lapse_timer = timer + 1;
}

void approving_allow(const struct approval *a, struct judgement *j)
{
    char reason[2 * sizeof j->reason];
    snprintf(reason, sizeof reason, "Approved by %s (%s, %s)%s%s", a->approver, a->approval_id,
             a->scope, a->approver_reason[0] ? ": " : "", a->approver_reason);
    text_copy(j->reason, sizeof j->reason, reason);
    j->hint[0] = 0;
    j->decision = DECISION_ALLOW;
}

static void deny(const struct approval *a, struct judgement *j)
{
    char reason[2 * sizeof j->reason];
    snprintf(reason, sizeof reason, "%s denied it (%s)%s%s", a->approver, a->approval_id,
             a->approver_reason[0] ? ": " : "", a->approver_reason);
    decide_refuse(j, j->risk, DENIAL_BY_PERSON, reason, "Do it another way, or ask later.");
}

/* What needed approval and cannot even be asked for. */
static void deny_unasked(struct judgement *j, const char *rule, const char *why)
{
    char reason[2 * sizeof j->reason], was[120];
    text_copy(was, sizeof was, j->reason);
    snprintf(reason, sizeof reason, "%s It needs approval: %s", was, why);
    decide_refuse(j, j->risk, rule, reason, "Do it another way.");
}

/* The agent that waits must not fill the queue for the others. */
static bool has_room(struct guardian *g, const struct act *act)
{
    size_t own, all = approvals_open(&g->approvals, act->tenant, act->agent, &own);
    return (int64_t)own < g->service->config.guardian.approvals_per_agent &&
           (int64_t)all < g->service->config.guardian.approvals_open;
}

static int look_for_room(struct guardian *g, const struct act *act, struct judgement *j,
                         struct approval *named, bool *is_new, struct err *err)
{
    SCOPED(bytes_close) struct bytes packed = bytes_open(APPROVAL_ACT_BYTES);
    if (!has_room(g, act)) {
        deny_unasked(j, DENIAL_FULL, "too many acts wait for a person already.");
    } else if (schema_encode(&message_act, act, &packed, err)) {
        if (err->code != ERR_OVERLOADED)
            return -1;
        deny_unasked(j, DENIAL_TOO_LARGE, "it is too large to be shown to a person.");
    } else {
        *is_new = true;
        *named = (struct approval){.state = "pending"};
        rand_id(named->approval_id);
    }
    return 0;
}

/* True when what matches does not carry the act any more, and has been ended. Nobody is asked about
 * an act that can no longer be shown in full. */
static bool ends_now(struct guardian *g, struct approval_item *item)
{
    if (!approval_is_open(item) || item->is_deciding)
        return false;
    const struct act *act = &item->shown.act;
    const uint8_t *policy = guardian_policy(g, act->tenant, act->agent);
    const char *why = NULL;
    if (memcmp(item->policy, policy, POLICY_HASH_BYTES) != 0)
        why = "the policy changed";
    else if (item->is_redacted && approval_is(item, "pending"))
        why = "the guardian restarted, and the act's secrets were not kept; ask again";
    if (!why && item->lapses_boot_ms > clock_boot_ms())
        return false;
    end_recorded(g, item, why ? "void" : "expired", why ? why : "");
    return true;
}

int approving_look(struct guardian *g, const struct act *act, const char *principal,
                   struct judgement *j, struct approval *named, bool *is_named, bool *is_new,
                   struct err *err)
{
    uint8_t hash[ACT_HASH_BYTES];
    *is_new = *is_named = false;
    if (!strcmp(g->service->config.guardian.approvals, "deny")) {
        deny_unasked(j, DENIAL_NOBODY, "nobody is here to give it.");
        return 0;
    }
    if (approval_hash(act, hash, err))
        return -1;
    struct approval_item *item =
        approvals_match(&g->approvals, act, principal, hash, clock_boot_ms());
    if (item && ends_now(g, item))
        item = NULL;
    if (!item) {
        int failed = look_for_room(g, act, j, named, is_new, err);
        *is_named = *is_new;
        return failed;
    }
    *named = item->shown;
    *is_named = true;
    if (item->is_deciding)
        text_copy(named->state, sizeof named->state, "pending");
    else if (approval_is(item, "denied"))
        deny(named, j);
    else if (approval_is(item, "allowed") && strcmp(item->shown.scope, "once") != 0)
        approving_allow(named, j);
    return 0;
}

int approving_file(struct guardian *g, const struct verdict_request *q, const struct verdict *v,
                   struct err *err)
{
    uint64_t seq;
    uint8_t hash[ACT_HASH_BYTES];
    struct approval_item *item;
    struct event event = {.kind = "approval_requested",
                          .phase = "event",
                          .verdict = *v,
                          .tags = q->tags,
                          .ttl_ms = patience_ms(g)};
    SCOPED(bytes_close) struct bytes act = bytes_open(APPROVAL_ACT_BYTES);
    if (schema_encode(&message_act, &q->act, &act, err) || approval_hash(&q->act, hash, err))
        return -1;
    event.act = bytes_view(&act);
    event.act_hash = (struct view){hash, sizeof hash};
    schema_mark(&message_event, &event, "verdict");
    text_copy(event.approval_id, sizeof event.approval_id, v->approval_id);
    text_copy(event.boot_id, sizeof event.boot_id, clock_boot_id());
    text_copy(event.tenant, sizeof event.tenant, q->act.tenant);
    text_copy(event.agent, sizeof event.agent, q->act.agent);
    text_copy(event.principal, sizeof event.principal, q->principal);
    text_copy(event.sandbox_id, sizeof event.sandbox_id, q->act.sandbox_id);
    int64_t lapses = clock_boot_ms() + event.ttl_ms;
    if (outbox_append(g->service->outbox, &event, false, &seq, err) ||
        approvals_add(&g->approvals, &event, clock_wall_ns(), lapses, &item, err))
        return -1;
    log_info("approval.requested id=%s tenant=%s agent=%s", v->approval_id, q->act.tenant,
             q->act.agent);
    set_timer(g);
    notice_send(g->notices, item);
    return 0;
}

void approving_decided(struct guardian *g, struct approval_item *item, const struct approval *to,
                       int64_t ttl_ms)
{
    struct approval *a = &item->shown;
    item->is_deciding = false;
    if (!approval_is_open(item))
        return; /* its agent was revoked meanwhile */
    text_copy(a->state, sizeof a->state, to->state);
    text_copy(a->scope, sizeof a->scope, to->scope);
    text_copy(a->approver, sizeof a->approver, to->approver);
    text_copy(a->approver_reason, sizeof a->approver_reason, to->approver_reason);
    a->decided_ns = to->decided_ns;
    item->lapses_boot_ms = clock_boot_ms() + ttl_ms;
    log_info("approval.decided id=%s state=%s by=%s", a->approval_id, a->state, a->approver);
    set_timer(g);
    wake_waiters(g, item);
}

void approving_revoked(struct guardian *g, const char *tenant, const char *agent)
{
    for (struct approval_item *i = g->approvals.first; i; i = i->next)
        if (approval_is_open(i) && !strcmp(i->shown.act.tenant, tenant) &&
            !strcmp(i->shown.act.agent, agent))
            approving_end(g, i, "void", "the agent was revoked");
}

void approving_sandbox_gone(struct guardian *g, const char *sandbox_id)
{
    for (struct approval_item *i = g->approvals.first; i; i = i->next)
        if (approval_is_open(i) && !i->is_deciding &&
            !strcmp(i->shown.act.sandbox_id, sandbox_id) &&
            !strcmp(i->shown.act.operation, "command_execute"))
            end_recorded(g, i, "void", "the sandbox ended");
}

void approving_sweep(struct guardian *g)
{
    SCOPED(registry_release) struct registry *registry = registry_hold(g->service->registry);
    for (struct approval_item *i = g->approvals.first; i; i = i->next) {
        const struct act *act = &i->shown.act;
        if (!ends_now(g, i) && approval_is_open(i) && !i->is_deciding &&
            !registry_agent_is_approved(registry, act->tenant, act->agent))
            end_recorded(g, i, "void", "the agent was revoked");
    }
    set_timer(g);
}
