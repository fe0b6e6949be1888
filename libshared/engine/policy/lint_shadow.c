/* lint_shadow.c - rules that decide nothing because another one always decides as much; see
 * lint_own.h. */
#include "engine/policy/cover.h"
#include "engine/policy/lint_own.h"
#include "engine/policy/when.h"
#include "engine/policy/judgement.h"

#include <string.h>

/* True when `wide` asks for nothing of this kind, or for the same. */
static bool globs_hold(const struct rule_globs *wide, const struct rule_globs *narrow)
{
    return !wide->count || when_same_globs(wide, narrow);
}

/* True when the wide condition holds wherever the narrow one does. Two zones are two, whatever
 * they are. */
static bool when_covers(const struct rule_when *wide, const struct rule_when *narrow)
{
    return globs_hold(&wide->tenants, &narrow->tenants) &&
           globs_hold(&wide->agents, &narrow->agents) && globs_hold(&wide->tags, &narrow->tags) &&
           (!wide->networks || wide->networks == narrow->networks) &&
           (!wide->asks_interactive ||
            (narrow->asks_interactive && wide->interactive == narrow->interactive)) &&
           !wide->zone;
}

/* What softens the wide rule has to soften the narrow one, or that one still decides. */
static bool softened_alike(const struct rule *wide, const struct rule *narrow)
{
    for (size_t i = 0; i < wide->overrides_count; i++) {
        size_t at = 0;
        while (at < narrow->overrides_count && narrow->overrides[at] != wide->overrides[i])
            at++;
        if (at == narrow->overrides_count)
            return false;
    }
    return true;
}

static bool matches_cover(const struct rule *wide, const struct rule *narrow)
{
    char why[LINT_WHY_BYTES];
    bool any = false;
    for (const struct rule_match *m = narrow->matches; m; m = m->next) {
        if (lint_contradicts(m, why))
            continue; /* found already */
        any = true;
        const struct rule_match *other = wide->matches;
        while (other && !cover_match(other, m))
            other = other->next;
        if (!other)
            return false;
    }
    return any;
}

static bool shadows(const struct rule *wide, const struct rule *narrow)
{
    return wide != narrow && wide->enforced && narrow->enforced && !(narrow->ops & ~wide->ops) &&
           wide->action >= narrow->action && wide->risk >= narrow->risk &&
           (wide->tier <= TIER_TENANT || narrow->tier > TIER_TENANT) &&
           when_covers(&wide->when, &narrow->when) && when_covers(&wide->scope, &narrow->scope) &&
           softened_alike(wide, narrow) && matches_cover(wide, narrow);
}

/* Of two that shadow each other the later one is superfluous, of two of one id the one that was
 * to raise the other. A rule of a higher tier may well say what a lower one says, too. */
static bool is_superfluous(const struct rule *narrow, const struct rule *wide)
{
    if (wide->tier > narrow->tier)
        return false;
    if (!strcmp(narrow->id, wide->id))
        return narrow->tier > wide->tier;
    return wide->index < narrow->index || !shadows(narrow, wide);
}

static int say(struct linting *l, const struct rule *rule, const struct rule *by)
{
    if (!strcmp(rule->id, by->id))
        return lint_rule(l, rule, "raises-nothing", "make it more severe, or remove it",
                         "is no more severe than the rule of this id in %s:%d", by->file, by->line);
    if (rule->action == ACTION_ALLOW && by->action == ACTION_DENY)
        return lint_rule(l, rule, "shadowed",
                         by->locked ? "remove it: nothing softens a locked rule"
                                    : "remove it, or soften the other one by an override",
                         "allows only what %s%s denies", by->locked ? "the locked " : "", by->id);
    return lint_rule(l, rule, "shadowed", "remove it, make it more severe, or narrow the other one",
                     "decides nothing: %s (%s, %s) holds wherever it does", by->id,
                     policy_action_name(by->action), policy_risk_name(by->risk));
}

int lint_shadowed(struct linting *l, const struct rule *rule)
{
    for (size_t i = 0; i < l->set->count; i++) {
        const struct rule *other = l->set->rules[i];
        if (shadows(other, rule) && is_superfluous(rule, other))
            return say(l, rule, other);
    }
    return 0;
}
