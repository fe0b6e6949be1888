/* trends.h - how operations ended over time, what denied them, how long commands took.
 *
 * Only records of phase result count, so an operation counts once: a denied one, too, has a result
 * beside the guardian's own record of its verdict.
 */
#pragma once

#include "audit/logs.h"

enum { TRENDS_HOURLY_DAYS = 14, TRENDS_ROOMS = 2 };

/* Answers within what the caller may see. Parts are whole hours or days of UTC, the last one up to
 * `now_ns`; quantiles are values that were measured (nearest rank).
 *
 *   rooms  for the lists of *out
 *   err    ERR_INVALID too many days by hour; ERR_DEADLINE (db_set_deadline); ERR_STORE; ERR_MEMORY
 */
int trends_of(struct db *db, const struct logs_scope *scope, const struct audit_trends *in,
              int64_t now_ns, struct bytes rooms[TRENDS_ROOMS], struct record_trends *out,
              struct err *err);
