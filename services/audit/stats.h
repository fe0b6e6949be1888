/* stats.h - what the record holds, as far as the caller may see it: counts by type and by status,
 * the first and the last time; for who may see everything also the database and its sources.
 */
#pragma once

#include "audit/logs.h"

enum { STATS_ROOMS = 3 };

/* One pass over the whole record. `rooms` for the lists of *out. ERR_DEADLINE (db_set_deadline);
 * ERR_STORE; ERR_MEMORY. */
int stats_of(struct db *db, const struct logs_scope *scope, struct bytes rooms[STATS_ROOMS],
             struct record_stats *out, struct err *err);
