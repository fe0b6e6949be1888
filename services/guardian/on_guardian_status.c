/* on_guardian_status.c - the guardian at a glance. */
#include "guardian/guardian.h"

#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum {
    LISTED_AGENTS = 256, /* guardian_report.agents' own bound */
    MOST_MATCHED = 16    /* guardian_report.most_matched's */
};

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

/* Rules count once, however many sets they are in: those of everybody, and what each set adds. */
static void count_rules(const struct rulebook *book, const struct call *call,
                        struct guardian_report *report)
{
    for (size_t i = 0; i < book->count; i++) {
        const struct rulebook_set *set = &book->sets[i];
        enum policy_tier own = !i ? TIER_BUILTIN : set->agent[0] ? TIER_AGENT : TIER_TENANT;
        if (i && !(call->roles & ROLE_ADMIN) && strcmp(set->tenant, call->tenant) != 0)
            continue;
        for (size_t k = 0; k < ruleset_count(set->set); k++) {
            const struct rule *rule = ruleset_at(set->set, k);
            if (rule->tier != own)
                continue;
            report->rules++;
            report->rules_enforced += rule->enforced;
            report->tiers.builtin += own == TIER_BUILTIN;
            report->tiers.tenant += own == TIER_TENANT;
            report->tiers.agent += own == TIER_AGENT;
        }
    }
}

static void tell_rules(const struct guardian *g, const struct call *call,
                       struct guardian_report *report)
{
    static const char *const fields[] = {"rules_enforced", "tiers", "generation"};
    const struct rulebook *book = keeper_book(g->keeper);
    text_copy(report->profile, sizeof report->profile, g->service->config.guardian.profile);
    text_copy(report->refused, sizeof report->refused, keeper_refusal(g->keeper));
    if (!book)
        return;
    report->generation = book->generation;
    count_rules(book, call, report);
    for (size_t i = 0; i < COUNT(fields); i++)
        schema_mark(&message_guardian_report, report, fields[i]);
}

static int list_matches(const struct tally *t, const struct call *call, struct bytes *store,
                        struct list *to, struct err *err)
{
    struct tally_match most[MOST_MATCHED];
    size_t count =
        tally_most_matched(t, call->roles & ROLE_ADMIN ? NULL : call->tenant, most, COUNT(most));
    for (size_t i = 0; i < count; i++) {
        struct rule_count row = {.count = most[i].count};
        text_copy(row.rule, sizeof row.rule, most[i].rule);
        if (list_add(store, to, &message_rule_count, &row, err))
            return -1;
    }
    return 0;
}

/* Behind the agents: an answer has one store, which may move when it grows. */
static int list_behind(const struct guardian *g, const struct call *call,
                       struct guardian_report *report, struct err *err)
{
    SCOPED(bytes_close) struct bytes holds = bytes_open(HOLDS_MAX * 1024);
    SCOPED(bytes_close) struct bytes matches = bytes_open(MOST_MATCHED * 256);
    size_t at = call->scratch->len;
    if (holds_list(&g->holds, call, &holds, &report->holds, err) ||
        list_matches(&g->tally, call, &matches, &report->most_matched, err) ||
        bytes_add(call->scratch, holds.data, holds.len, err) ||
        bytes_add(call->scratch, matches.data, matches.len, err))
        return -1;
    const uint8_t *behind = call->scratch->data + at;
    report->agents.raw.data = call->scratch->data;
    report->holds.raw = (struct view){behind, holds.len};
    report->most_matched.raw = (struct view){behind + holds.len, matches.len};
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
        .policy = {guardian_policy(g, call->tenant, ""), POLICY_HASH_BYTES},
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
        .decisions_last_minute = tally_last_minute(t, clock_boot_ms() / 1000),
    };
    schema_mark(&message_guardian_report, &report, "decisions_last_minute");
    count_acls(g, call, &report);
    tell_rules(g, call, &report);
    if (list_agents(call, &report, err) || list_behind(g, call, &report, err))
        return -1;
    *(struct guardian_report *)out = report;
    return 0;
}
