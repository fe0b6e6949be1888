/* names.c - how rules are written; see judgement.h. */
#include "engine/policy/judgement.h"

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
