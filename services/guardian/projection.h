/* projection.h - guardian.db: what the guardian's journal says, in tables, each in a file of its
 * own.
 *
 * The ledger sees every record. Beyond that a record goes to the tables that own its kind, in the
 * order of the rows in projection.c. A new table adds there its schema, behind the others, and a
 * row for each kind that changes it. Everything runs on the projection's worker (see
 * service/projection.h); what the loop has to know it is told by the operations themselves.
 */
#pragma once

#include "service/projection.h"

extern const struct projection_table guardian_projection;

/* Takes one event of a kind that the table owns, of any phase and status, into its table. Other
 * fields than those of its kind say nothing. ERR_STORE. */
typedef int guardian_apply(struct db *db, const struct journal_record *record,
                           const struct event *event, struct err *err);
