/* on_guardian_status.c - the guardian at a glance. */
#include "guardian/guardian.h"

#include "base/scope.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { LISTED_AGENTS = 256 /* guardian_report.agents' own bound */ };

static int list_agents(const struct call *call, struct guardian_report *report, struct err *err)
{
    struct registry_parts parts = registry_parts(call->registry);
    for (size_t i = 0; i < parts.agent_count; i++) {
        const struct registry_agent *agent = &parts.agents[i];
        char name[2 * NAME_BYTES];
        if (!call_sees(call, agent->tenant, agent->name) || report->agents_total++ >= LISTED_AGENTS)
            continue;
        snprintf(name, sizeof name, "%s/%s", agent->tenant, agent->name);
        if (list_add_text(call->scratch, &report->agents, view_of(name), err))
            return -1;
    }
    return 0;
}

static void count_acls(const struct guardian *g, const struct call *call,
                       struct guardian_report *report)
{
    struct volume_acls acls = acls_view(g->acls);
    for (size_t i = 0; i < acls.count; i++)
        report->acls += call_sees(call, acls.rows[i]->tenant, "");
    schema_mark(&message_guardian_report, report, "acls");
}

/* Behind the agents: an answer has one store, which may move when it grows. */
static int list_holds(const struct guardian *g, const struct call *call,
                      struct guardian_report *report, struct err *err)
{
    SCOPED(bytes_close) struct bytes holds = bytes_open(HOLDS_MAX * 1024);
    size_t at = call->scratch->len;
    if (holds_list(&g->holds, call, &holds, &report->holds, err) ||
        bytes_add(call->scratch, holds.data, holds.len, err))
        return -1;
    report->agents.raw.data = call->scratch->data;
    report->holds.raw = (struct view){call->scratch->data + at, holds.len};
    return 0;
}

static int64_t count_pending(const struct call *call, const struct approvals *approvals)
{
    int64_t count = 0;
    for (const struct approval_item *i = approvals->first; i; i = i->next)
        count +=
            approval_is(i, "pending") && call_sees(call, i->shown.act.tenant, i->shown.act.agent);
    return count;
}

int on_guardian_status(void *state, const struct call *call, const void *in, void *out,
                       struct err *err)
{
    (void)in;
    struct guardian *g = state;
    const struct tally *t = &g->tally;
    struct guardian_report report = {
        .rules = (int64_t)ruleset_count(g->rules),
        .policy = {ruleset_hash(g->rules), POLICY_HASH_BYTES},
        .allowed = t->decisions[DECISION_ALLOW],
        .denied = t->decisions[DECISION_DENY],
        .approval_required = t->decisions[DECISION_REQUIRE_APPROVAL],
        .risks = {.low = t->risks[RISK_LOW],
                  .medium = t->risks[RISK_MEDIUM],
                  .high = t->risks[RISK_HIGH],
                  .critical = t->risks[RISK_CRITICAL]},
        .latency_p50_us = tally_latency_us(t, 50),
        .latency_p99_us = tally_latency_us(t, 99),
        .approvals_pending = count_pending(call, &g->approvals),
    };
    count_acls(g, call, &report);
    if (list_agents(call, &report, err) || list_holds(g, call, &report, err))
        return -1;
    *(struct guardian_report *)out = report;
    return 0;
}
