/* agents.h - in guardian.db: which agents are approved, by which keys, as the record says.
 *
 * Agents change with the result of their operation, and the ledger keeps what has no result yet.
 * registry.json says the same for all services; where the two differ at start, this is what holds.
 */
#pragma once

#include "guardian/change.h"
#include "guardian/projection.h"

/* Migrations. */
extern const char agents_schema[], agents_settings_schema[];

/* Owns agent_approve and agent_revoke. */
guardian_apply agents_apply;

/* Calls `each` with a change that makes a registry say what the record says: one for each key of an
 * approved agent, one for each revoked agent. Its failure ends the walk. ERR_STORE. */
int agents_each(struct db *db,
                int (*each)(void *context, const struct change *change, struct err *err),
                void *context, struct err *err);

/* The newest generation of the registry in the record; 0 when there is none. ERR_STORE. */
int agents_generation(struct db *db, int64_t *generation, struct err *err);
