/* manager_db.h - manager.db: intents without a result, and the replies of finished requests,
 * projected from the journal. */
#pragma once

#include "service/projection.h"

extern const struct projection_table manager_projection;

/* Calls `each` for every intent that has no result; views live until it returns. ERR_STORE. */
int manager_db_each_intent(struct db *db, void (*each)(void *context, const struct event *intent),
                           void *context, struct err *err);

/* Calls `each` for every stored result not older than since_wall_ns, oldest first. ERR_STORE. */
int manager_db_each_result(struct db *db, int64_t since_wall_ns,
                           void (*each)(void *context, const struct event *result, int64_t wall_ns),
                           void *context, struct err *err);
