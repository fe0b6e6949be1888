/* decide.h - may this act happen? A plain function of the act, the rules, and who acts where.
 *
 * Checks in this order, and the first one that refuses ends it: the agent is approved; the command
 * (every fact of its script or argv), each file that it runs (script.h), and each variable of its
 * environment, by the rules; the limits hold something. Between command and limits a sandbox that
 * is to be made has its volumes judged (engine/policy/volume.h).
 */
#pragma once

#include "engine/policy/denial.h"
#include "engine/policy/judge.h"
#include "engine/policy/volume.h"
#include "net/registry.h"
#include "schema/message.h"

/* Where sandboxes have their workspace; it is their HOME too unless the act's environment says
 * otherwise. */
#define DECIDE_WORKSPACE "/workspace"

/* Makes a judgement that denies: what else the guardian has to say no to, it says like this. `rule`
 * is kept: an id of denial.h. */
void decide_refuse(struct judgement *out, enum policy_risk risk, const char *rule,
                   const char *reason, const char *hint);

/* Beside the act: what is in force, and who acts where. */
struct decide_setting {
    const struct ruleset *rules; /* out->rules points into them */
    const struct volume_acls *acls;
    const struct registry_agent *agent; /* NULL: not approved */
    struct list tags;                   /* the sandbox's: of texts */
    int64_t now_s;                      /* of the wall clock, since 1970 */
};

/* Decides.
 *
 *   room       facts to work in, reused from call to call
 *   act        decoded
 *   err        ERR_INVALID the act is none that can be judged: an operation that needs no verdict,
 * a command without or with both of argv and script, a directory or a variable without its form.
 * Nobody may act then, either.
 */
int decide(struct facts *room, const struct act *act, const struct decide_setting *setting,
           struct judgement *out, struct err *err);
