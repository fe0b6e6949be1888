/* op_summary.c - audit_summary; see summary.h. */
#include "audit/op_summary.h"

#include "audit/summary.h"
#include "audit/op_question.h"
#include "base/clock.h"

static int ask(struct db *db, const struct logs_scope *scope, const void *request,
               struct bytes *rooms, void *answer, struct err *err)
{
    return summary_of(db, scope, request, clock_wall_ns(), rooms, answer, err);
}

static enum op_state on_received(struct op *op, const struct wake *wake)
{
    (void)wake;
    return op_question_begin(op, ask);
}

const struct op_kind op_summary = {
    .operation = "audit_summary",
    .request = &message_audit_summary,
    .answer = &message_agent_summary,
    QUESTION_KIND(on_received),
    .doc = "What an agent did in some days: counts, durations, use. Scoped as logs_query is.",
};
