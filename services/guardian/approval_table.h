/* approval_table.h - in guardian.db: the approvals, as the record says.
 *
 * An approval appears with its request, moves with the result of each decision and use, and ends
 * with the event that says so; what no longer stands is kept for a while. approvals.h has the same
 * in memory, and is made from here at every start.
 */
#pragma once

#include "guardian/approvals.h"
#include "guardian/projection.h"

/* A migration. */
extern const char approval_schema[];

/* Owns approval_requested, approval_decide, approval_use, approval_expired and approval_void; of
 * agent_revoke it takes that it voids what is open. */
guardian_apply approval_apply, approval_apply_revocation;

/* Fills an empty queue. Times go on where they were within a boot; in another one the wall clock
 * says how much is left, never more than there was. ERR_STORE, ERR_MEMORY. */
int approval_load(struct db *db, struct approvals *approvals, struct err *err);
