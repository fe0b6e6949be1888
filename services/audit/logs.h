/* logs.h - questions about the record: filters, who may see what, pages.
 *
 * A page is newest first. Its cursor is the gseq of its last row, so pages are complete and without
 * repeats while records are added: what is new stands before the first page. A page ends at the
 * limit asked for, or earlier where the frame that carries it would pass a bound of the protocol.
 *
 * With from_gseq it is oldest first from that number on. Records get their numbers when they are
 * stored, densely and in order, so whoever goes on from `next`, or from behind the last row while
 * there is none, meets each record once.
 */
#pragma once

#include "schema/message.h"
#include "service/call.h"
#include "store/db.h"

/* What a caller may see, taken from its call; plain data that may be kept. */
struct logs_scope {
    bool all_tenants; /* admin */
    bool all_agents;  /* operator, observer */
    char tenant[NAME_BYTES];
    char agents[REGISTRY_MAX_PATTERNS][NAME_BYTES]; /* of an agent's key; "" ends the list */
};

struct logs_scope logs_scope(const struct call *call);

/* Answers a question on a reader's connection; its deadline is the caller's (db_set_deadline).
 *
 *   rows  room for the page's rows, empty; *page points into it
 *   err   ERR_DEADLINE the question took too long; ERR_INVALID cursor with from_gseq; ERR_STORE;
 *         ERR_MEMORY
 */
int logs_page(struct db *db, const struct logs_scope *scope, const struct logs_query *query,
              struct bytes *rows, struct logs_page *page, struct err *err);
