/* on_policy_show.c - the rules that an agent is judged by, a page at a time. */
#include "guardian/guardian.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { PAGE = 128 /* policy_page.rules' own bound */ };

static int add_rule(struct bytes *store, struct list *to, const struct rule *rule, struct err *err)
{
    char description[256], message[256];
    text_copy(description, sizeof description, rule->description);
    text_copy(message, sizeof message, rule->message);
    struct rule_row row = {.enforced = rule->enforced,
                           .locked = rule->locked,
                           .description = view_of(description),
                           .message = view_of(message)};
    text_copy(row.rule, sizeof row.rule, rule->id);
    text_copy(row.tier, sizeof row.tier, policy_tier_name(rule->tier));
    text_copy(row.action, sizeof row.action, policy_action_name(rule->action));
    text_copy(row.risk, sizeof row.risk, policy_risk_name(rule->risk));
    snprintf(row.file, sizeof row.file, "%.240s:%d", rule->file, rule->line);
    return list_add(store, to, &message_rule_row, &row, err);
}

static size_t count_all(const struct ruleset *set)
{
    return ruleset_count(set) + (ruleset_base(set) ? count_all(ruleset_base(set)) : 0);
}

/* Rule i of a set and those that it is a layer on, the base's first. */
static const struct rule *rule_at(const struct ruleset *set, size_t i)
{
    const struct ruleset *base = ruleset_base(set);
    size_t below = base ? count_all(base) : 0;
    return i < below ? rule_at(base, i) : ruleset_at(set, i - below);
}

int on_policy_show(void *state, const struct call *call, const void *in, void *out, struct err *err)
{
    const struct guardian *g = state;
    const struct policy_show *q = in;
    const struct rulebook *book = keeper_book(g->keeper);
    const char *tenant = q->tenant[0] ? q->tenant : call->tenant;
    if (strcmp(tenant, call->tenant) != 0 && !(call->roles & ROLE_ADMIN))
        return err_set(err, ERR_FORBIDDEN, "%s may see the rules of tenant %s only",
                       call->principal, call->tenant);
    if (!book)
        return err_set(err, ERR_STATE, "no valid rule set: %.200s", keeper_refusal(g->keeper));
    const struct ruleset *set = rulebook_find(book, tenant, q->agent);
    struct policy_page page = {.generation = book->generation,
                               .policy = {ruleset_hash(set), POLICY_HASH_BYTES}};
    size_t count = count_all(set), at = (size_t)q->after, end = at + PAGE;
    for (; at < count && at < end; at++)
        if (add_rule(call->scratch, &page.rules, rule_at(set, at), err))
            return -1;
    page.next = at < count ? (int64_t)at : 0;
    *(struct policy_page *)out = page;
    return 0;
}
