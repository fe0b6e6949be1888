/* denial.h - what the guardian denies for besides rules: the ids that a verdict and its record then
 * have in a rule's place.
 */
#pragma once

#include <stdbool.h>

#define DENIAL_HELD "held" /* the agent, its tenant or the host is */

/* No rules that were given are valid, and none ever was in force. */
#define DENIAL_NO_RULES "no_valid_rules"

/* The sandbox's own rules are wrong, or do not go with the ones in force. */
#define DENIAL_SANDBOX_RULES "sandbox_rules"

#define DENIAL_NOT_APPROVED "agent_not_approved" /* the agent */
#define DENIAL_LIMITS "limits"                   /* one of them would hold nothing */

/* For what needed approval. */
#define DENIAL_BY_PERSON "approval_denied"
#define DENIAL_NOBODY "no_approver"  /* guardian.approvals is "deny" */
#define DENIAL_FULL "approvals_full" /* approvals_per_agent or approvals_open */
#define DENIAL_TOO_LARGE "approval_too_large"

/* True for one of these: no rule decided. */
bool denial_is_one(const char *id);
