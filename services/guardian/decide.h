/* decide.h - may this act happen? A plain function of the act, the rules, and whether its agent is
 * approved.
 *
 * Checks in this order, and the first one that refuses ends it: the agent is approved; the command
 * (every fact of its script or argv) and each variable of its environment, by the rules; the limits
 * hold something. Between command and limits a sandbox that is to be made has its volumes judged
 * (engine/policy/volume.h).
 */
#pragma once

#include "engine/policy/judge.h"
#include "engine/policy/volume.h"
#include "schema/message.h"

/* Where sandboxes have their workspace; it is their HOME too unless the act's environment says
 * otherwise. */
#define DECIDE_WORKSPACE "/workspace"

/* Ids beside those of the rules. */
#define DECIDE_NOT_APPROVED "agent_not_approved"
#define DECIDE_LIMITS "limits"

/* Makes a judgement that denies: what else the guardian has to say no to, it says like this. `rule`
 * is kept. */
void decide_refuse(struct judgement *out, enum policy_risk risk, const char *rule,
                   const char *reason, const char *hint);

/* Decides.
 *
 *   room       facts to work in, reused from call to call
 *   act        decoded
 *   rules      in force; out->rules points into them
 *   acls       in force
 *   err        ERR_INVALID the act is none that can be judged: an operation that needs no verdict,
 * a command without or with both of argv and script, a directory or a variable without its form.
 * Nobody may act then, either.
 */
int decide(struct facts *room, const struct act *act, const struct ruleset *rules,
           const struct volume_acls *acls, bool agent_is_approved, struct judgement *out,
           struct err *err);
