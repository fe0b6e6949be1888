/* holds.h - who is held: an agent, a tenant, or the whole host gets no verdict but deny.
 *
 * A hold is in force from the moment it is asked for; it is released once its release is durable.
 * guardian.db has the same table and fills memory at every start. Of one thing there is one hold.
 * Loop thread only, but for the projection's functions.
 */
#pragma once

#include "guardian/projection.h"
#include "schema/message.h"

enum { HOLDS_MAX = 256 /* hold_rows.holds' own bound */ };

/* A zeroed one is empty. */
struct holds {
    struct hold *rows; /* in the order in which they were added */
    size_t count;
};

void holds_close(struct holds *holds);

/* The hold of exactly this thing, by scope, tenant and agent; NULL when it is not held. */
struct hold *holds_find(const struct holds *holds, const struct hold *what);

/* The hold that keeps this agent from acting: its own, its tenant's or the host's; NULL: none. */
const struct hold *holds_against(const struct holds *holds, const char *tenant, const char *agent);

/* ERR_STATE it is held already, the text says by whom; ERR_QUOTA there are HOLDS_MAX; ERR_MEMORY.
 */
int holds_add(struct holds *holds, const struct hold *hold, struct err *err);

/* Fine when there is none. */
void holds_remove(struct holds *holds, const struct hold *what);

/* A migration; owns hold_add and hold_release. */
extern const char hold_schema[];
guardian_apply hold_apply;

/* Fills an empty table. ERR_STORE, ERR_MEMORY. */
int holds_load(struct db *db, struct holds *holds, struct err *err);
