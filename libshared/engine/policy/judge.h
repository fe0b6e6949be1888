/* judge.h - the decision on one command: every rule on every record, the most severe action wins.
 *
 * deny > require_approval > flag > allow; the risk is the highest of all that matched. Facts with
 * trouble (shell/trouble.h) are at least require_approval. File order of the rules means nothing.
 * Pure and without allocation of its own; any number of threads may judge, each with its own facts.
 */
#pragma once

#include "engine/policy/path.h"
#include "engine/policy/rule.h"

#include <stdint.h>

enum policy_decision { DECISION_ALLOW, DECISION_REQUIRE_APPROVAL, DECISION_DENY };

enum { JUDGEMENT_RULES_MAX = 16, POLICY_HASH_BYTES = 32 };

/* Stands among the rules of a judgement for facts with trouble. */
#define POLICY_UNANALYSABLE "unanalysable"

struct judgement {
    enum policy_decision decision;
    enum policy_risk risk;
    const char *rules[JUDGEMENT_RULES_MAX]; /* ids of all that matched, each once, the one that
                                               decided first; of the rule set */
    size_t rules_count;
    bool unanalysable; /* part of the command is known only when it runs */
    char reason[256];  /* one sentence: what was seen; safe for a terminal */
    char hint[160];    /* one sentence: what the agent may do instead; "" when nothing is refused */
};

/* A set of rules; borrowed. */
struct rule_set {
    const struct rule *rules;
    size_t count;
};

/* The default rules: rm_rf, format_disk, system_shutdown, network_scan, privilege_escalation,
 * package_install. Static. */
struct rule_set policy_default_rules(void);

/* BLAKE2b-256 over all that the rules say: names in the record which rules decided. */
void policy_hash(struct rule_set rules, uint8_t hash[POLICY_HASH_BYTES]);

/* Judges what facts.h found. */
void policy_judge(const struct facts *f, const struct policy_context *context,
                  struct rule_set rules, struct judgement *out);

/* "allow", "require_approval", "deny". Static. */
const char *policy_decision_name(enum policy_decision decision);

/* "low", "medium", "high", "critical". Static. */
const char *policy_risk_name(enum policy_risk risk);
