/* approving.h - the queue of acts that wait for a person: filing, deciding, lapsing, voiding, each
 * with its record.
 *
 * The durable queue is the journal and guardian.db (approval_table.h); g->approvals is what the
 * loop knows of it. An approval is in force once its decision is on disk, and one for once is used
 * up on disk before its verdict leaves (op_approval_use.c).
 */
#pragma once

#include "engine/policy/denial.h"
#include "guardian/guardian.h"
#include "service/op.h"

/* Turns a judgement of require_approval into what the approvals make of it: allow by one for the
 * session or a time; deny after a no, or where none can be filed; or it stays.
 *
 *   named    out, with *is_named: the approval that the verdict names
 *   is_new   out: it does not exist yet, and has to be filed
 *   err      errors of act_hash
 */
int approving_look(struct guardian *g, const struct act *act, const char *principal,
                   struct judgement *j, struct approval *named, bool *is_named, bool *is_new,
                   struct err *err);

/* Makes a judgement the yes of this approval. */
void approving_allow(const struct approval *a, struct judgement *j);

/* Files the request for approval that the verdict names. ERR_RESTRICTED the journal is full. */
int approving_file(struct guardian *g, const struct verdict_request *q, const struct verdict *v,
                   struct err *err);

/* A decision that is on disk takes force now, and whoever waits is told. */
void approving_decided(struct guardian *g, struct approval_item *item, const struct approval *to,
                       int64_t ttl_ms);

/* Ends an approval: state used, expired or void; whoever waits is told. The record is the
 * caller's. */
void approving_end(struct guardian *g, struct approval_item *item, const char *state,
                   const char *why);

/* Voids what is open of a revoked agent; its revocation is the record. */
void approving_revoked(struct guardian *g, const char *tenant, const char *agent);

/* The same, with a record each, for what is open in a sandbox that has ended. A word that is lost
 * costs nothing but a place until the approval lapses: no other sandbox has its acts. */
void approving_sandbox_gone(struct guardian *g, const char *sandbox_id);

/* Ends, with a record each, what the policy in force or the list of approved agents no longer
 * carries, and what has lapsed: at start, and after each change of the rules. */
void approving_sweep(struct guardian *g);

/* Somebody waits for a decision (op_approval_wait.c). */
struct approval_waiter {
    struct op *op;
    const char *approval_id;
    struct approval_waiter *next;
};
