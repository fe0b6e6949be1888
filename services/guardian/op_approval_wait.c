/* op_approval_wait.c - answers once an approval is decided or over, or when the time is up. */
#include "guardian/approving.h"

#include "base/clock.h"
#include "base/scope.h"

#include <string.h>

/* The manager waits for those who asked it; others for what they may see. */
static bool is_there(const struct op *op, struct err *err)
{
    const struct approval_wait *in = op->request;
    const struct guardian *g = op->service->state;
    if (!registry_row_is_service(op->call->row, "manager"))
        return approvals_find_for(&g->approvals, op->call, in->approval_id, err);
    if (approvals_find(&g->approvals, in->approval_id))
        return true;
    err_set(err, ERR_NOT_FOUND, "no approval %s", in->approval_id);
    return false;
}

static enum op_state received(struct op *op, const struct wake *wake)
{
    struct err err;
    (void)wake;
    return is_there(op, &err) ? OP_ACTING : op_refuse(op, &err);
}

static void enter(struct op *op)
{
    const struct approval_wait *in = op->request;
    struct approval_waiter *w = op->data;
    struct guardian *g = op->service->state;
    *w = (struct approval_waiter){op, in->approval_id, g->waiters};
    g->waiters = w;
    op_timer(op, in->wait_ms);
}

static void leave(struct op *op)
{
    struct guardian *g = op->service->state;
    struct approval_waiter **at = &g->waiters;
    while (*at && *at != op->data)
        at = &(*at)->next;
    if (*at)
        *at = (*at)->next;
}

static void answer(struct op *op, const struct approval_item *item)
{
    struct approval_row row;
    struct err err;
    SCOPED(bytes_close) struct bytes command = bytes_open(ACT_SHOWN_BYTES);
    if (item && !approval_row_now(item, clock_boot_ms(), &command, &row, &err)) {
        op_answer(op, &message_approval_row, &row);
        return;
    }
    if (!item)
        err_set(&err, ERR_NOT_FOUND, "the approval is not kept any more");
    op_fail(op, &err);
}

static enum op_state acting(struct op *op, const struct wake *wake)
{
    const struct approval_wait *in = op->request;
    const struct guardian *g = op->service->state;
    const struct approval_item *item = approvals_find(&g->approvals, in->approval_id);
    bool is_pending = item && approval_is(item, "pending");
    if (wake->reason == WAKE_ENTERED && is_pending)
        enter(op);
    if (wake->reason != WAKE_TIMER && is_pending)
        return OP_ACTING;
    leave(op);
    answer(op, item);
    return OP_REPLIED;
}

const struct op_kind op_approval_wait = {
    .operation = "approval_wait",
    .request = &message_approval_wait,
    .answer = &message_approval_row,
    .roles = ROLE_AGENT | ROLE_OPERATOR | ROLE_OBSERVER | ROLE_ADMIN | ROLE_SERVICE,
    .only_waits = true,
    .data_bytes = sizeof(struct approval_waiter),
    .step = {[OP_RECEIVED] = received,
             [OP_ACTING] = acting,
             [OP_REPLIED] = op_step_replied,
             [OP_REFUSED] = op_step_refused},
    .close = leave,
    .doc = "Waits until an approval is decided or over.",
};
