/* summary.h - what an agent did in some days: counts, durations, what its commands used.
 *
 * Every record that is no intent counts as one operation: the result of what had an intent, and
 * what happened by itself, such as a verdict or a kill. Days end at `now_ns`, by the clocks of the
 * services that wrote the records.
 */
#pragma once

#include "audit/logs.h"

enum { SUMMARY_DAYS = 30, SUMMARY_ROOMS = 2 };

/* Answers within what the caller may see; all zero for an agent without records.
 *
 *   rooms  for the lists of *out
 *   err    ERR_DEADLINE (db_set_deadline); ERR_STORE; ERR_MEMORY
 */
int summary_of(struct db *db, const struct logs_scope *scope, const struct audit_summary *in,
               int64_t now_ns, struct bytes rooms[SUMMARY_ROOMS], struct agent_summary *out,
               struct err *err);
