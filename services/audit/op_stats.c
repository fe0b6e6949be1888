/* op_stats.c - audit_stats; see stats.h. */
#include "audit/op_stats.h"

#include "audit/stats.h"
#include "audit/op_question.h"

static int ask(struct db *db, const struct logs_scope *scope, const void *request,
               struct bytes *rooms, void *answer, struct err *err)
{
    (void)request;
    return stats_of(db, scope, rooms, answer, err);
}

static enum op_state on_received(struct op *op, const struct wake *wake)
{
    (void)wake;
    return op_question_begin(op, ask);
}

const struct op_kind op_stats = {
    .operation = "audit_stats",
    .request = &message_audit_stats,
    .answer = &message_record_stats,
    QUESTION_KIND(on_received),
    .doc = "What the record holds, counted. Scoped as logs_query is; the database and its sources "
           "are an admin's.",
};
