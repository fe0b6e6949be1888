/* op_approval_use.c - takes an approval that is allowed once: judged anew, used up on disk, then
 * the verdict leaves.
 *
 * It is used in memory from the moment its record is appended, so of two who race for it one gets
 * it; a guardian that dies before the record is on disk has given no verdict, one that dies behind
 * it has used the approval. Either way the act runs at most once (docs/decisions).
 */
#include "guardian/approving.h"
#include "guardian/verdicts.h"

#include "base/scope.h"
#include "base/text.h"

#include <string.h>

enum { LISTS_BYTES = 8 * 1024 };

/* What needs approval now, by this very one, which is allowed once: then j is turned into a yes.
 * ERR_STATE anything else; whoever asked asks for a verdict again, which says what holds. */
static int take(struct op *op, struct approval *a, struct judgement *j, struct err *err)
{
    const struct approval_use *in = op->request;
    struct guardian *g = op->service->state;
    bool is_named = false, is_new;
    if (verdicts_judge(g, op->call->registry, &in->act, in->tags, j, err))
        return -1;
    if (j->decision == DECISION_REQUIRE_APPROVAL &&
        approving_look(g, &in->act, in->principal, j, a, &is_named, &is_new, err))
        return -1;
    if (!is_named || strcmp(a->approval_id, in->approval_id) || strcmp(a->state, "allowed") ||
        strcmp(a->scope, "once"))
        return err_set(err, ERR_STATE, "the approval %s does not allow this once", in->approval_id);
    approving_allow(a, j);
    return 0;
}

static int use(struct op *op, struct err *err)
{
    const struct approval_use *in = op->request;
    struct guardian *g = op->service->state;
    struct approval a;
    struct judgement j;
    struct verdict v;
    struct event event = {.phase = "result"};
    SCOPED(bytes_close) struct bytes lists = bytes_open(LISTS_BYTES);
    SCOPED(verdict_shown_close) struct verdict_shown shown = {0};
    if (take(op, &a, &j, err) || verdicts_make(g, &in->act, &j, &a, &lists, &v, err) ||
        verdicts_fill(&in->act, in->principal, in->tags, &v, &shown, &event, err) ||
        verdicts_fill_aside(&j, &shown, &event, err))
        return -1;
    op_answer(op, &message_verdict, &v);
    if (op_record(op, &event, false, err))
        return -1;
    verdicts_count(g, &in->act, &j, 0);
    approving_end(g, approvals_find(&g->approvals, a.approval_id), "used", "");
    return 0;
}

static enum op_state received(struct op *op, const struct wake *wake)
{
    struct err err;
    if (wake->reason == WAKE_DURABLE)
        return OP_RESULTED;
    if (wake->reason != WAKE_ENTERED)
        return OP_RECEIVED;
    if (!registry_row_is_service(op->call->row, "manager"))
        err_set(&err, ERR_FORBIDDEN, "%s may not call approval_use", op->principal);
    else if (!use(op, &err))
        return OP_RECEIVED;
    return op_refuse(op, &err);
}

/* It is used, on disk: the verdict may leave. */
static enum op_state resulted(struct op *op, const struct wake *wake)
{
    (void)op;
    (void)wake;
    return OP_REPLIED;
}

const struct op_kind op_approval_use = {
    .operation = "approval_use",
    .request = &message_approval_use,
    .answer = &message_verdict,
    .roles = ROLE_SERVICE,
    .step = {[OP_RECEIVED] = received,
             [OP_RESULTED] = resulted,
             [OP_REPLIED] = op_step_replied,
             [OP_REFUSED] = op_step_refused},
    .doc = "Of the manager: uses an approval up and answers with the verdict that it makes.",
};
