/* on_verdict_request.c - judges one act: decide, record, sign, answer.
 *
 * Nothing here waits: the record of the verdict is on its way to the disk when the answer leaves.
 * But no verdict leaves that the journal would not take.
 */
#include "guardian/guardian.h"

#include "base/clock.h"
#include "base/rand.h"
#include "base/scope.h"
#include "base/text.h"
#include "guardian/decide.h"

#include <string.h>

enum { NS_PER_US = 1000, MOUNTS_BYTES = 64 * 1024 };

static int make_verdict(struct guardian *g, const struct act *act, const struct judgement *j,
                        struct bytes *lists, struct verdict *out, struct err *err)
{
    struct verdict v = {.approved = j->decision == DECISION_ALLOW,
                        .act_hash = {g->act_hash, sizeof g->act_hash},
                        .policy = {g->policy, sizeof g->policy},
                        .valid_ms = g->service->config.guardian.valid_ms};
    rand_id(v.verdict_id);
    text_copy(v.decision, sizeof v.decision, policy_decision_name(j->decision));
    text_copy(v.risk, sizeof v.risk, policy_risk_name(j->risk));
    text_copy(v.reason, sizeof v.reason, j->reason);
    text_copy(v.hint, sizeof v.hint, j->hint);
    for (size_t i = 0; i < j->rules_count; i++)
        if (list_add_text(lists, &v.rules, view_of(j->rules[i]), err))
            return -1;
    if (act_hash(act, g->act_hash, err) || verdict_sign(&v, &g->key, g->signature, err))
        return -1;
    *out = v;
    return 0;
}

static int record(struct guardian *g, const struct verdict_request *q, const struct verdict *v,
                  struct err *err)
{
    struct event event = {.phase = "event", .verdict = *v};
    schema_mark(&message_event, &event, "verdict");
    SCOPED(bytes_close) struct bytes command = bytes_open(ACT_SHOWN_BYTES);
    SCOPED(bytes_close) struct bytes mounts = bytes_open(MOUNTS_BYTES);
    if (act_show(&q->act, &command, &event.command_bytes, err) ||
        (!strcmp(q->act.operation, "sandbox_create") &&
         act_mounts(q->act.mounts, &mounts, &event.mounts, err)))
        return -1;
    event.command = bytes_view(&command);
    event.tags = q->tags;
    text_copy(event.kind, sizeof event.kind, v->approved ? "guardian_approval" : "guardian_denial");
    text_copy(event.status, sizeof event.status, v->approved ? "success" : "denied");
    text_copy(event.tenant, sizeof event.tenant, q->act.tenant);
    text_copy(event.principal, sizeof event.principal, q->principal);
    text_copy(event.agent, sizeof event.agent, q->act.agent);
    text_copy(event.sandbox_id, sizeof event.sandbox_id, q->act.sandbox_id);
    text_copy(event.cwd, sizeof event.cwd, q->act.cwd);
    struct list rules = v->rules;
    struct view decisive;
    if (list_next_text(&rules, &decisive))
        text_copy_view(event.rule, sizeof event.rule, decisive);
    uint64_t seq;
    return outbox_append(g->service->outbox, &event, false, &seq, err);
}

int on_verdict_request(void *state, const struct call *call, const void *in, void *out,
                       struct err *err)
{
    struct guardian *g = state;
    const struct verdict_request *q = in;
    int64_t began_ns = clock_boot_ns();
    struct judgement j;
    struct verdict v;
    bool is_approved = registry_agent_is_approved(call->registry, q->act.tenant, q->act.agent);
    struct volume_acls acls = acls_view(g->acls);
    if (decide(&g->facts, &q->act, g->rules, &acls, is_approved, &j, err) ||
        make_verdict(g, &q->act, &j, call->scratch, &v, err) || record(g, q, &v, err))
        return -1;
    tally_add(&g->tally, j.decision, j.risk, (clock_boot_ns() - began_ns) / NS_PER_US);
    *(struct verdict *)out = v;
    return 0;
}
