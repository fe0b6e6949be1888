/* match.c - see match.h. */
#include "engine/policy/match.h"

#include "base/text.h"
#include "engine/policy/index.h"
#include "engine/policy/when.h"

/* The keys from the first one to look at. */
static bool keys_hold(const struct rule_match *m, struct subject *s, size_t first)
{
    s->match = m;
    for (size_t i = first; i < m->count; i++) {
        const struct rule_key *key = &m->keys[i];
        s->facts->arena.steps++;
        if (key->row->test(s, key, key->negated) == key->negated)
            return false;
    }
    return true;
}

bool match_holds(const struct rule_match *m, struct subject *s)
{
    return !(m->needs & ~s->has) && keys_hold(m, s, 0);
}

bool rule_holds(const struct rule *rule, struct subject *s)
{
    for (const struct rule_match *m = rule->matches; m && rule->ops & s->op; m = m->next)
        if (match_holds(m, s))
            return true;
    return false;
}

bool match_asks_text(const struct rule_match *m)
{
    return m->needs & NEED_TROUBLE;
}

static bool context_holds(const struct rule *rule, const struct policy_context *context)
{
    return !rule->conditional ||
           (when_holds(&rule->when, context) && when_holds(&rule->scope, context));
}

static void try_entries(const struct index_name *entries, struct subject *s,
                        void (*found)(void *context, const struct rule *rule), void *context)
{
    for (size_t i = 0; i < entries->count && !subject_is_spent(s); i++) {
        const struct index_entry *e = &entries->entries[i];
        if (e->needs & ~s->has || !(e->ops & s->op) || (e->acts && s->c->looks_only))
            continue;
        if (keys_hold(e->match, s, e->named) && context_holds(e->match->rule, s->context))
            found(context, e->match->rule);
    }
}

void rules_try(const struct ruleset *set, struct subject *s,
               void (*found)(void *context, const struct rule *rule), void *context)
{
    const struct rule_index *index = &set->index;
    const char *name = s->c->name;
    const struct index_name *named = name ? index_find(index, name) : NULL;
    if (named)
        try_entries(named, s, found, context);
    for (size_t i = 0; name && *name && i < index->patterns_count; i++)
        if (text_matches(index->patterns[i].name, name))
            try_entries(&index->patterns[i], s, found, context);
    try_entries(&index->others, s, found, context);
}
