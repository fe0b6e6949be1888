/* match.c - see match.h. */
#include "engine/policy/match.h"

#include "engine/policy/index.h"
#include "engine/policy/when.h"

bool match_holds(const struct rule_match *m, struct subject *s)
{
    if (m->needs & ~s->has)
        return false;
    s->match = m;
    for (size_t i = 0; i < m->count; i++) {
        const struct rule_key *key = &m->keys[i];
        if (key->row->test(s, key, key->negated) == key->negated)
            return false;
    }
    return true;
}

bool rule_holds(const struct rule *rule, struct subject *s)
{
    for (const struct rule_match *m = rule->matches; m && rule->ops & s->op; m = m->next)
        if (match_holds(m, s))
            return true;
    return false;
}

static void try_match(const struct rule_match *m, struct subject *s,
                      void (*found)(void *context, const struct rule *rule), void *context)
{
    const struct rule *rule = m->rule;
    if (rule->ops & s->op &&
        (!rule->conditional ||
         (when_holds(&rule->when, s->context) && when_holds(&rule->scope, s->context))) &&
        match_holds(m, s))
        found(context, rule);
}

void rules_try(const struct ruleset *set, struct subject *s,
               void (*found)(void *context, const struct rule *rule), void *context)
{
    /* what only shows its help does nothing that a rule on its name is about */
    bool acts = s->c->name && !s->c->looks_only;
    const struct index_name *named = acts ? index_find(&set->index, s->c->name) : NULL;
    for (const struct index_entry *e = named ? named->first : NULL; e; e = e->next)
        try_match(e->match, s, found, context);
    for (size_t i = 0; i < set->index.others_count; i++)
        try_match(set->index.others[i], s, found, context);
}
