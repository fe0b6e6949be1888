/* verdicts.c - from an act to a signed verdict and its record; see verdicts.h. */
#include "guardian/conditions.h"
#include "guardian/verdicts.h"

#include "base/clock.h"
#include "base/rand.h"
#include "base/scope.h"
#include "base/text.h"
#include "guardian/decide.h"

#include <stdio.h>
#include <string.h>

enum { MOUNTS_BYTES = 64 * 1024, IDS_BYTES = 1024, NS_PER_S = 1000000000 };

void verdict_shown_close(struct verdict_shown *shown)
{
    bytes_close(&shown->command);
    bytes_close(&shown->mounts);
    bytes_close(&shown->shadow);
    bytes_close(&shown->exempted);
}

static void hold_back(const struct hold *hold, struct judgement *out)
{
    char since[32], reason[3 * sizeof out->reason];
    clock_show(since, hold->since_ns);
    const char *what = !strcmp(hold->scope, "host")     ? "This host"
                       : !strcmp(hold->scope, "tenant") ? "The tenant"
                                                        : "The agent";
    snprintf(reason, sizeof reason, "%s is held by %s since %s: %s", what, hold->by, since,
             hold->reason);
    decide_refuse(out, RISK_HIGH, DENIAL_HELD, reason,
                  "Wait until an operator releases it: corral hold release.");
}

/* Nothing is judged without rules: they may have forbidden it. */
static void refuse_unruled(const struct guardian *g, struct judgement *out)
{
    char reason[2 * sizeof out->reason];
    snprintf(reason, sizeof reason, "No valid rule set: %s", keeper_refusal(g->keeper));
    decide_refuse(out, RISK_HIGH, DENIAL_NO_RULES, reason,
                  "An operator has to mend the rule files: corral guardian-status.");
}

static void refuse_own_rules(const struct err *why, struct judgement *out)
{
    char reason[2 * sizeof out->reason];
    snprintf(reason, sizeof reason, "The sandbox's own rules are refused: %s", why->text);
    decide_refuse(out, RISK_HIGH, DENIAL_SANDBOX_RULES, reason,
                  "Mend them and make the sandbox anew; they may only add rules and raise them.");
}

/* Finds the rules to judge by; false: the answer is no, and set. */
static bool find_rules(struct guardian *g, const struct act *act, struct decide_setting *setting,
                       struct judgement *out)
{
    const struct rulebook *book = keeper_book(g->keeper);
    struct err why;
    if (!book) {
        refuse_unruled(g, out);
        return false;
    }
    setting->rules = rulebook_find(book, act->tenant, act->agent);
    if (!setting->agent || !act->rules.len ||
        !workspaces_find(&g->workspaces, setting->rules, act->rules, &setting->rules, &why))
        return true;
    refuse_own_rules(&why, out);
    return false;
}

int verdicts_judge(struct guardian *g, const struct registry *registry, const struct act *act,
                   struct list tags, struct judgement *out, struct err *err)
{
    struct volume_acls acls = acls_view(g->acls);
    const struct hold *hold = holds_against(&g->holds, act->tenant, act->agent);
    struct decide_setting setting = {.acls = &acls,
                                     .agent =
                                         registry_find_agent(registry, act->tenant, act->agent),
                                     .tags = tags,
                                     .now_s = clock_wall_ns() / NS_PER_S};
    if (find_rules(g, act, &setting, out) && decide(&g->facts, act, &setting, out, err))
        return -1;
    if (hold)
        hold_back(hold, out);
    return 0;
}

static void name_approval(const struct approval *a, struct verdict *v)
{
    text_copy(v->approval_id, sizeof v->approval_id, a->approval_id);
    if (v->approved)
        text_copy(v->approver, sizeof v->approver, a->approver);
    else if (!strcmp(v->decision, "require_approval"))
        text_copy(v->approval, sizeof v->approval, a->state);
}

/* Before it is signed, so that the record's verdict is the one that was signed. */
static int redact_reason(struct guardian *g, struct verdict *v, struct err *err)
{
    SCOPED(redacted_close) struct redacted redacted = {0};
    return redact_message(outbox_redactor(g->service->outbox), &message_verdict, v, &redacted, err);
}

int verdicts_make(struct guardian *g, const struct act *act, const struct judgement *j,
                  const struct approval *approval, struct bytes *lists, struct verdict *out,
                  struct err *err)
{
    struct verdict v = {.approved = j->decision == DECISION_ALLOW,
                        .act_hash = {g->act_hash, sizeof g->act_hash},
                        .policy = {guardian_policy(g, act->tenant, act->agent), POLICY_HASH_BYTES},
                        .valid_ms = g->service->config.guardian.valid_ms};
    rand_id(v.verdict_id);
    text_copy(v.decision, sizeof v.decision, policy_decision_name(j->decision));
    text_copy(v.risk, sizeof v.risk, policy_risk_name(j->risk));
    text_copy(v.reason, sizeof v.reason, j->reason);
    text_copy(v.hint, sizeof v.hint, j->hint);
    if (approval)
        name_approval(approval, &v);
    for (size_t i = 0; i < j->rules_count; i++)
        if (list_add_text(lists, &v.rules, view_of(j->rules[i]), err))
            return -1;
    bytes_clear(&g->conditions);
    if (v.approved && conditions_fill(act, &g->service->config, &g->conditions, &v, err))
        return -1;
    if (redact_reason(g, &v, err) || act_hash(act, g->act_hash, err) ||
        verdict_sign(&v, &g->key, g->signature, err))
        return -1;
    *out = v;
    return 0;
}

int verdicts_fill(const struct act *act, const char *principal, struct list tags,
                  const struct verdict *v, struct verdict_shown *shown, struct event *event,
                  struct err *err)
{
    shown->command = bytes_open(ACT_WHOLE_BYTES);
    shown->mounts = bytes_open(MOUNTS_BYTES);
    if (act_command(act, &shown->command, &event->command_bytes, err) ||
        (!strcmp(act->operation, "sandbox_create") &&
         act_mounts(act->mounts, &shown->mounts, &event->mounts, err)))
        return -1;
    event->verdict = *v;
    schema_mark(&message_event, event, "verdict");
    event->command = bytes_view(&shown->command);
    if (!act->script.len)
        event->argv_words = (int64_t)act->argv.count;
    event->tags = tags;
    text_copy(event->status, sizeof event->status, v->approved ? "success" : "denied");
    text_copy(event->tenant, sizeof event->tenant, act->tenant);
    text_copy(event->principal, sizeof event->principal, principal);
    text_copy(event->agent, sizeof event->agent, act->agent);
    text_copy(event->sandbox_id, sizeof event->sandbox_id, act->sandbox_id);
    text_copy(event->cwd, sizeof event->cwd, act->cwd);
    text_copy(event->approval_id, sizeof event->approval_id, v->approval_id);
    struct list rules = v->rules;
    struct view decisive;
    if (list_next_text(&rules, &decisive))
        text_copy_view(event->rule, sizeof event->rule, decisive);
    return 0;
}

static int list_ids(const char *const *ids, size_t count, struct bytes *store, struct list *to,
                    struct err *err)
{
    *store = bytes_open(IDS_BYTES);
    for (size_t i = 0; i < count; i++)
        if (list_add_text(store, to, view_of(ids[i]), err))
            return -1;
    return 0;
}

int verdicts_fill_aside(const struct judgement *j, struct verdict_shown *shown, struct event *event,
                        struct err *err)
{
    if (j->shadow_count)
        text_copy(event->would, sizeof event->would, policy_decision_name(j->would));
    return list_ids(j->shadow, j->shadow_count, &shown->shadow, &event->shadow, err) ||
                   list_ids(j->exempted, j->exempted_count, &shown->exempted, &event->exempted, err)
               ? -1
               : 0;
}

void verdicts_count(struct guardian *g, const struct act *act, const struct judgement *j,
                    int64_t latency_us)
{
    tally_add(&g->tally, j->decision, j->risk, latency_us, clock_boot_ms() / 1000);
    for (size_t i = 0; i < j->rules_count; i++)
        tally_match(&g->tally, j->rules[i], act->tenant);
}
