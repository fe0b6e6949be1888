/* op_trends.c - audit_trends; see trends.h. */
#include "audit/op_trends.h"

#include "audit/trends.h"
#include "audit/op_question.h"
#include "base/clock.h"

static int ask(struct db *db, const struct logs_scope *scope, const void *request,
               struct bytes *rooms, void *answer, struct err *err)
{
    return trends_of(db, scope, request, clock_wall_ns(), rooms, answer, err);
}

static enum op_state on_received(struct op *op, const struct wake *wake)
{
    (void)wake;
    return op_question_begin(op, ask);
}

const struct op_kind op_trends = {
    .operation = "audit_trends",
    .request = &message_audit_trends,
    .answer = &message_record_trends,
    QUESTION_KIND(on_received),
    .doc = "How operations ended over time, what denied, how long commands took. Scoped as "
           "logs_query is.",
};
