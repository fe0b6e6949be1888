/* judgement.h - what a judge decided on one act, and why. */
#pragma once

#include "engine/policy/rule.h"

enum policy_decision { DECISION_ALLOW, DECISION_REQUIRE_APPROVAL, DECISION_DENY };

enum { JUDGEMENT_RULES_MAX = 16, JUDGEMENT_ASIDE_MAX = 8 };

/* Stands among the rules of a judgement for facts with trouble. */
#define POLICY_UNANALYSABLE "unanalysable"

/* The same for commands that no rule knows, where the defaults name no other flag. */
#define POLICY_UNMATCHED "unmatched"

struct judgement {
    enum policy_decision decision;
    enum policy_risk risk;
    const char *rules[JUDGEMENT_RULES_MAX]; /* ids of all that matched, each once, the one that
                                               decided first; of the rule set */
    size_t rules_count;
    const char *shadow[JUDGEMENT_ASIDE_MAX]; /* ids that are not enforced but matched */
    size_t shadow_count;
    enum policy_decision would;                /* the decision if they were enforced */
    const char *exempted[JUDGEMENT_ASIDE_MAX]; /* ids that an override took away or softened */
    size_t exempted_count;
    bool unanalysable; /* part of the command is known only when it runs */
    char reason[256];  /* one sentence: what was seen; safe for a terminal */
    char hint[160];    /* one sentence: what the agent may do instead; "" when nothing is refused */
};

/* Adds what another judgement of the same act found: the worse one gives the reason and the first
 * rule, the risk is the higher one. */
void judgement_add(struct judgement *all, const struct judgement *one);

/* "allow", "require_approval", "deny". Static. */
const char *policy_decision_name(enum policy_decision decision);

/* "allow", "flag", "require_approval", "deny". Static. */
const char *policy_action_name(enum policy_action action);

/* "builtin", "tenant", "workspace", "agent". Static. */
const char *policy_tier_name(enum policy_tier tier);

/* "low", "medium", "high", "critical". Static. */
const char *policy_risk_name(enum policy_risk risk);
