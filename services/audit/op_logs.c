/* op_logs.c - logs_query: a page of the record for whoever may see it. */
#include "audit/op_logs.h"

#include "audit/logs.h"
#include "audit/op_question.h"

static int ask(struct db *db, const struct logs_scope *scope, const void *request,
               struct bytes *rooms, void *answer, struct err *err)
{
    return logs_page(db, scope, request, &rooms[0], answer, err);
}

static enum op_state on_received(struct op *op, const struct wake *wake)
{
    (void)wake;
    return op_question_begin(op, ask);
}

const struct op_kind op_logs = {
    .operation = "logs_query",
    .request = &message_logs_query,
    .answer = &message_logs_page,
    QUESTION_KIND(on_received),
    .doc = "A page of the record, newest first or on from a number: of an agent's key what its "
           "agents did, of an operator's or observer's what happened in its tenant, of an admin's "
           "everything.",
};
