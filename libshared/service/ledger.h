/* ledger.h - what a service's database keeps of its operations, so that a new life goes on where
 * the last one ended: intents that have no result, and the replies that were given.
 *
 * The two tables are part of a projection: its migrations begin with ledger_schema and its apply
 * calls ledger_apply. The other functions are for the service's start, while the database is the
 * loop thread's.
 */
#pragma once

#include "service/dispatch.h"
#include "service/projection.h"

/* Replies that are kept of one principal; its oldest go first, whatever others do. In memory their
 * own bounds hold (replies.h). */
enum { LEDGER_REPLIES = 4096 };

/* A migration. */
extern const char ledger_schema[];

/* Takes an intent down and crosses it out when its result comes; keeps that result's reply for its
 * request id. Events by themselves pass. ERR_STORE. */
int ledger_apply(struct db *db, const struct journal_record *record, const struct event *event,
                 struct err *err);

/* Puts the replies back, oldest first, so that a request id that was answered stays answered.
 * ERR_STORE. */
int ledger_restore(struct db *db, struct dispatch *dispatch, struct err *err);

/* Calls `each` for every intent without a result, in the order in which they were recorded; its
 * failure ends the walk. The event's views live until `each` returns. ERR_STORE. */
int ledger_each_open(struct db *db,
                     int (*each)(void *context, const struct event *intent, struct err *err),
                     void *context, struct err *err);
