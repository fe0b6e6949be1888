/* judgement.c - see judgement.h. */
#include "engine/policy/judgement.h"

#include <string.h>

const char *policy_action_name(enum policy_action action)
{
    static const char *const names[] = {"allow", "flag", "require_approval", "deny"};
    return names[action];
}

const char *policy_tier_name(enum policy_tier tier)
{
    static const char *const names[] = {"builtin", "tenant", "workspace", "agent"};
    return names[tier];
}

static size_t add_ids(const char **to, size_t count, size_t room, const char *const *ids,
                      size_t ids_count)
{
    for (size_t i = 0; i < ids_count; i++) {
        size_t at = 0;
        while (at < count && strcmp(to[at], ids[i]) != 0)
            at++;
        if (at == count && at < room)
            to[count++] = ids[i];
    }
    return count;
}

void judgement_add(struct judgement *all, const struct judgement *one)
{
    bool is_worse = one->decision > all->decision;
    struct judgement first = is_worse ? *one : *all;
    const struct judgement *second = is_worse ? all : one;
    if (second->risk > first.risk)
        first.risk = second->risk;
    if (second->would > first.would)
        first.would = second->would;
    first.unanalysable = all->unanalysable || one->unanalysable;
    first.rules_count = add_ids(first.rules, first.rules_count, JUDGEMENT_RULES_MAX, second->rules,
                                second->rules_count);
    first.shadow_count = add_ids(first.shadow, first.shadow_count, JUDGEMENT_ASIDE_MAX,
                                 second->shadow, second->shadow_count);
    first.exempted_count = add_ids(first.exempted, first.exempted_count, JUDGEMENT_ASIDE_MAX,
                                   second->exempted, second->exempted_count);
    *all = first;
}
