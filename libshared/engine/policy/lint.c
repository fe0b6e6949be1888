/* lint.c - see lint.h. Conditions, exemptions and lists; matches in lint_match.c, rules beside
 * rules in lint_shadow.c. */
#include "engine/policy/lint.h"

#include "base/scope.h"
#include "base/text.h"
#include "engine/policy/judgement.h"
#include "engine/policy/lint_own.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int lint_rule(struct linting *l, const struct rule *rule, const char *kind, const char *advice,
              const char *format, ...)
{
    char problem[400];
    va_list list;
    va_start(list, format);
    vsnprintf(problem, sizeof problem, format, list);
    va_end(list);
    const struct lint_finding finding = {kind, rule->file, rule->line, rule->id, problem, advice};
    return l->found(l->context, &finding, l->err);
}

/* --- conditions --- */

/* True when nobody whom the file is for is among those whom the condition names. */
static bool nobody_left(const struct rule_globs *when, const struct rule_globs *scope)
{
    if (!when->count || !scope->count)
        return false;
    for (size_t i = 0; i < scope->count; i++)
        for (size_t k = 0; k < when->count; k++)
            if (strchr(scope->items[i], '*') || text_matches(when->items[k], scope->items[i]))
                return false;
    return true;
}

int lint_when(struct linting *l, const struct rule *rule)
{
    const struct rule_when *when = &rule->when;
    if (nobody_left(&when->tenants, &rule->scope.tenants) ||
        nobody_left(&when->agents, &rule->scope.agents))
        return lint_rule(l, rule, "cannot-match", "name those whom the file is for, or nobody",
                         "can never match: its condition names others than its file is for");
    if (!when->zone || when->from_min != when->to_min)
        return 0;
    if (when->from_min)
        return lint_rule(l, rule, "when-always", "give from and to different times",
                         "from and to are both %02d:%02d, which is all of the day",
                         when->from_min / 60, when->from_min % 60);
    return when->days && when->days != 0x7f
               ? 0
               : lint_rule(l, rule, "when-always", "give days, or from and to; or remove the time",
                           "its time is all of the week");
}

/* --- exemptions --- */

static int say(struct linting *l, const struct rule_override *o, const char *kind,
               const char *advice, const char *problem)
{
    const struct lint_finding finding = {kind, o->file, o->line, "", problem, advice};
    return l->found(l->context, &finding, l->err);
}

static enum policy_action floor_of(const struct linting *l, enum policy_risk risk)
{
    return l->set->defaults.risk_floor[risk];
}

/* An action and what makes no difference to it: flags are allowed. */
static unsigned weight(enum policy_action action)
{
    return action < ACTION_REQUIRE_APPROVAL ? 0 : action;
}

/* What the floor leaves of an exemption: judge.c gives what it lets pass a low risk, and what is
 * to be approved a high one at most. */
static bool floor_undoes(const struct linting *l, const struct rule_override *o,
                         const struct rule *rule)
{
    enum policy_risk risk = weight(o->action) == 0   ? RISK_LOW
                            : rule->risk > RISK_HIGH ? RISK_HIGH
                                                     : rule->risk;
    unsigned least = weight(floor_of(l, risk));
    return least > weight(o->action) && least >= weight(rule->action);
}

static bool has_override(const struct rule *rule, const struct rule_override *o)
{
    size_t i = 0;
    while (i < rule->overrides_count && rule->overrides[i] != o)
        i++;
    return i < rule->overrides_count;
}

int lint_override(struct linting *l, const struct rule_override *o)
{
    char why[LINT_WHY_BYTES], problem[LINT_WHY_BYTES + 64];
    size_t milder = 0, undone = 0, never = 0, matches = 0;
    if (o->expires_s && l->now_s >= o->expires_s)
        return say(l, o, "override-expired", "remove it, or give it a later date",
                   "has expired: it softens nothing any more");
    for (const struct rule_match *m = o->only; m; m = m->next, matches++)
        never += lint_contradicts(m, why);
    if (never && never == matches) {
        snprintf(problem, sizeof problem, "its only can never match: %s", why);
        return say(l, o, "cannot-match", "mend the keys of only", problem);
    }
    for (size_t i = 0; i < l->set->count; i++) {
        const struct rule *rule = l->set->rules[i];
        if (!has_override(rule, o) || o->action >= rule->action)
            continue;
        milder++;
        undone += floor_undoes(l, o, rule);
    }
    if (!milder)
        return say(l, o, "softens-nothing", "name rules that are more severe and not locked",
                   "softens nothing: what it exempts is locked, or no more severe than its action");
    return undone == milder
               ? say(l, o, "softens-nothing",
                     "choose an action that the floor leaves, or name "
                     "rules of a lower risk",
                     "softens nothing: risk_floor makes it as severe as the rules it exempts")
               : 0;
}

static bool is_for_all(const struct rule_globs *globs)
{
    for (size_t i = 0; i < globs->count; i++)
        if (!strcmp(globs->items[i], "*"))
            return true;
    return !globs->count;
}

/* True when an override is for everyone at any time, so that the rule never decides as it says. */
static bool always_holds(const struct rule_override *o)
{
    return !o->only && !o->expires_s && !o->when.tags.count && is_for_all(&o->when.tenants) &&
           is_for_all(&o->when.agents) && is_for_all(&o->scope.tenants) &&
           is_for_all(&o->scope.agents);
}

static int lint_always(struct linting *l, const struct rule *rule)
{
    for (size_t i = 0; i < rule->overrides_count; i++) {
        const struct rule_override *o = rule->overrides[i];
        if (always_holds(o) && o->action < rule->action && !floor_undoes(l, o, rule) &&
            lint_rule(l, rule, "always-softened",
                      "narrow the override, or give the rule its action",
                      "is always softened to %s by the override at %s:%d",
                      policy_action_name(o->action), o->file, o->line))
            return -1;
    }
    enum policy_action least = floor_of(l, rule->risk);
    bool others_floor = rule->tier == TIER_BUILTIN && l->set->sources_count;
    if (!rule->enforced || others_floor || weight(least) <= weight(rule->action))
        return 0;
    return lint_rule(l, rule, "floor-decides", "give it the floor's action, or a lower risk",
                     "says %s, but risk_floor makes it %s for the risk %s",
                     policy_action_name(rule->action), policy_action_name(least),
                     policy_risk_name(rule->risk));
}

/* --- all of it --- */

/* Two rules of one id are one to overrides and the record. */
static int lint_id(struct linting *l, const struct rule *rule)
{
    for (size_t i = 0; i < l->set->count; i++) {
        const struct rule *other = l->set->rules[i];
        bool raises =
            rule->matches && other->matches && rule->matches->keys == other->matches->keys;
        if (other != rule && other->tier < rule->tier && !raises && !strcmp(other->id, rule->id))
            return lint_rule(l, rule, "id-twice",
                             "give it an id of its own, or leave its matches out to raise that one",
                             "has the id of the rule in %s:%d, but matches of its own", other->file,
                             other->line);
    }
    return 0;
}

/* The builtin lists are also there for a tenant's rules: nobody has to use them. */
static int lint_lists(struct linting *l)
{
    for (size_t i = 0; i < l->set->lists_count; i++) {
        const struct rule_list *list = &l->set->lists[i];
        const struct lint_finding finding = {
            "list-unused",
            list->file,
            list->line,
            list->name,
            "is a list that no rule uses",
            "remove it, or write @ and its name where it is meant"};
        if (!list->used && list->tier != TIER_BUILTIN && l->found(l->context, &finding, l->err))
            return -1;
    }
    return 0;
}

int ruleset_lint(const struct ruleset *set, int64_t now_s, lint_found *found, void *context,
                 struct err *err)
{
    struct linting l = {set, now_s, found, context, err};
    for (size_t i = 0; i < set->count; i++) {
        const struct rule *rule = set->rules[i];
        if (lint_matches(&l, rule) || lint_when(&l, rule) || lint_id(&l, rule) ||
            lint_always(&l, rule) || lint_shadowed(&l, rule))
            return -1;
    }
    for (size_t i = 0; i < set->overrides_count; i++)
        if (lint_override(&l, set->overrides[i]))
            return -1;
    return lint_lists(&l);
}
