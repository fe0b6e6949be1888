/* op_approval_decide.c - a person's answer to an act that waits.
 *
 * The result is written while the operation is received: there is no act between intent and result.
 * The decision is in force, and answered, once it is on disk.
 */
#include "guardian/approving.h"

#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

struct deciding {
    struct approval to; /* state, scope, approver and reason as decided */
    int64_t ttl_ms;
};

static bool is_yes(const struct approval_decide *in)
{
    return !strcmp(in->decision, "allow");
}

static int check_request(const struct approval_decide *in, struct err *err)
{
    bool is_ttl = !strcmp(in->scope, "ttl");
    if (!is_yes(in) && (in->scope[0] || in->ttl_ms))
        return err_set(err, ERR_INVALID, "approval_decide: scope and ttl_ms go with allow");
    if (is_ttl != (in->ttl_ms != 0))
        return err_set(err, ERR_INVALID, "approval_decide.ttl_ms: goes with scope ttl");
    return 0;
}

static int check_state(const struct approval_decide *in, const struct approval_item *item,
                       struct err *err)
{
    const struct approval *a = &item->shown;
    if (item->is_deciding)
        return err_set(err, ERR_STATE, "somebody is deciding on %s just now", a->approval_id);
    if (!approval_is(item, "pending") && (is_yes(in) || !approval_is(item, "allowed")))
        return err_set(err, ERR_STATE, "%s is %s%s%s already", a->approval_id, a->state,
                       a->approver[0] ? " by " : "", a->approver);
    if (!strcmp(in->scope, "session") && !strcmp(a->act.operation, "sandbox_create"))
        return err_set(err, ERR_INVALID,
                       "approval_decide.scope: a sandbox that is not made yet has no session");
    return 0;
}

/* The one that is decided on; NULL with err. A key that acts as an agent decides nothing, whatever
 * else it may do. */
static struct approval_item *find(struct op *op, struct err *err)
{
    const struct approval_decide *in = op->request;
    struct guardian *g = op->service->state;
    if (op->call->roles & ROLE_AGENT) {
        err_set(err, ERR_FORBIDDEN, "%s acts as an agent: it decides on no approval",
                op->principal);
        return NULL;
    }
    struct approval_item *item = approvals_find_for(&g->approvals, op->call, in->approval_id, err);
    return item && !check_request(in, err) && !check_state(in, item, err) ? item : NULL;
}

/* For a session the sandbox itself is the bound: the act names it. None lives longer than this. */
static int64_t ttl_ms(const struct op *op)
{
    const struct approval_decide *in = op->request;
    const struct config *config = &op->service->config;
    if (in->ttl_ms)
        return in->ttl_ms;
    return (!strcmp(in->scope, "session") ? config->sandbox.lifetime_seconds
                                          : config->guardian.approval_ttl_seconds) *
           1000;
}

static void decide_to(const struct op *op, const struct approval_item *item, struct deciding *d)
{
    const struct approval_decide *in = op->request;
    d->ttl_ms = ttl_ms(op);
    d->to = item->shown;
    d->to.decided_ns = clock_wall_ns();
    d->to.left_ms = d->ttl_ms;
    text_copy(d->to.state, sizeof d->to.state, is_yes(in) ? "allowed" : "denied");
    text_copy(d->to.scope, sizeof d->to.scope, in->scope[0] ? in->scope : is_yes(in) ? "once" : "");
    snprintf(d->to.approver, sizeof d->to.approver, "%s/%s", op->tenant, op->principal);
    text_copy(d->to.approver_reason, sizeof d->to.approver_reason, in->reason);
}

static int record(struct op *op, const struct deciding *d, struct err *err)
{
    const struct act *act = &d->to.act;
    struct event event = {.phase = "result", .ttl_ms = d->ttl_ms};
    text_copy(event.status, sizeof event.status,
              !strcmp(d->to.state, "allowed") ? "success" : "denied");
    text_copy(event.approval_id, sizeof event.approval_id, d->to.approval_id);
    text_copy(event.scope, sizeof event.scope, d->to.scope);
    text_copy(event.boot_id, sizeof event.boot_id, clock_boot_id());
    text_copy(event.detail, sizeof event.detail, d->to.approver_reason);
    text_copy(event.tenant, sizeof event.tenant, act->tenant);
    text_copy(event.agent, sizeof event.agent, act->agent);
    text_copy(event.sandbox_id, sizeof event.sandbox_id, act->sandbox_id);
    return op_record(op, &event, false, err);
}

static enum op_state received(struct op *op, const struct wake *wake)
{
    struct deciding *d = op->data;
    struct approval_row row;
    struct err err;
    if (wake->reason == WAKE_DURABLE)
        return OP_RESULTED;
    if (wake->reason != WAKE_ENTERED)
        return OP_RECEIVED;
    SCOPED(bytes_close) struct bytes command = bytes_open(ACT_SHOWN_BYTES);
    struct approval_item *item = find(op, &err);
    if (!item)
        return op_refuse(op, &err);
    decide_to(op, item, d);
    struct approval_item as_decided = {.shown = d->to,
                                       .lapses_boot_ms = clock_boot_ms() + d->ttl_ms};
    if (approval_row_now(&as_decided, clock_boot_ms(), &command, &row, &err))
        return op_refuse(op, &err);
    op_answer(op, &message_approval_row, &row);
    if (record(op, d, &err))
        return op_refuse(op, &err);
    item->is_deciding = true;
    return OP_RECEIVED;
}

/* It is on disk. The approval may have gone meanwhile: its agent was revoked. */
static enum op_state resulted(struct op *op, const struct wake *wake)
{
    const struct deciding *d = op->data;
    struct guardian *g = op->service->state;
    (void)wake;
    struct approval_item *item = approvals_find(&g->approvals, d->to.approval_id);
    if (item)
        approving_decided(g, item, &d->to, d->ttl_ms);
    return OP_REPLIED;
}

const struct op_kind op_approval_decide = {
    .operation = "approval_decide",
    .request = &message_approval_decide,
    .answer = &message_approval_row,
    .roles = ROLE_OPERATOR | ROLE_ADMIN,
    .data_bytes = sizeof(struct deciding),
    .step = {[OP_RECEIVED] = received,
             [OP_RESULTED] = resulted,
             [OP_REPLIED] = op_step_replied,
             [OP_REFUSED] = op_step_refused},
    .doc = "Allows or denies an act that waits for a person.",
};
