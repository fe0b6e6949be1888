/* op_hold.c - hold_add and hold_release: nobody held gets a verdict but deny.
 *
 * A hold is in force before its record is on disk, a release behind it: whatever a crash takes
 * away, nobody acts who was answered to be held.
 */
#include "guardian/guardian.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "service/op.h"

#include <stdio.h>
#include <string.h>

/* hold_add and hold_release have the same rows. */
_Static_assert(sizeof(struct hold_add) == sizeof(struct hold_release), "one shape");

static int read_scope(struct op *op, const struct hold_add *in, struct hold *what, struct err *err)
{
    bool is_host = !strcmp(in->scope, "host"), is_agent = !strcmp(in->scope, "agent");
    text_copy(what->scope, sizeof what->scope, in->scope);
    text_copy(what->agent, sizeof what->agent, in->agent);
    if (!is_host)
        text_copy(what->tenant, sizeof what->tenant, in->tenant[0] ? in->tenant : op->tenant);
    if (is_agent != (in->agent[0] != 0) || (is_host && in->tenant[0]))
        return err_set(err, ERR_INVALID, "hold: scope %s %s", in->scope,
                       is_agent  ? "needs agent"
                       : is_host ? "goes without agent and tenant"
                                 : "goes without agent");
    if ((is_agent && !text_is_name(in->agent, 64)) || (!is_host && !text_is_name(what->tenant, 64)))
        return err_set(err, ERR_INVALID, "hold: a name has letters, digits, . _ - only");
    if (!in->reason[0])
        return err_set(err, ERR_INVALID, "hold.reason: say why");
    return 0;
}

static int check(struct op *op, struct hold *what, struct err *err)
{
    const struct hold_add *in = op->request;
    if (op->call->roles & ROLE_AGENT)
        return err_set(err, ERR_FORBIDDEN, "%s acts as an agent: it holds nobody", op->principal);
    if (read_scope(op, in, what, err))
        return -1;
    if (!(op->call->roles & ROLE_ADMIN) && strcmp(what->tenant, op->tenant) != 0)
        return err_set(err, ERR_FORBIDDEN, "%s may hold and release in tenant %s only",
                       op->principal, op->tenant);
    return 0;
}

/* The record; a host's names the caller's tenant. */
static int record(struct op *op, const struct hold *what, bool urgent, struct err *err)
{
    const struct hold_add *in = op->request;
    struct event event = {.phase = "result", .status = "success"};
    text_copy(event.scope, sizeof event.scope, what->scope);
    text_copy(event.tenant, sizeof event.tenant, what->tenant);
    text_copy(event.agent, sizeof event.agent, what->agent);
    text_copy(event.detail, sizeof event.detail, in->reason);
    return op_record(op, &event, urgent, err);
}

static int add(struct op *op, struct err *err)
{
    const struct hold_add *in = op->request;
    struct guardian *g = op->service->state;
    struct hold hold = {.since_ns = clock_wall_ns()};
    if (check(op, &hold, err))
        return -1;
    snprintf(hold.by, sizeof hold.by, "%s/%s", op->tenant, op->principal);
    text_copy(hold.reason, sizeof hold.reason, in->reason);
    if (holds_add(&g->holds, &hold, err))
        return -1;
    op_answer(op, &message_hold, &hold);
    if (!record(op, &hold, true, err))
        return 0;
    holds_remove(&g->holds, &hold);
    return -1;
}

static int release(struct op *op, struct err *err)
{
    struct guardian *g = op->service->state;
    struct hold *what = op->data;
    if (check(op, what, err))
        return -1;
    const struct hold *there = holds_find(&g->holds, what);
    if (!there)
        return err_set(err, ERR_NOT_FOUND, "there is no such hold");
    op_answer(op, &message_hold, there);
    return record(op, what, false, err);
}

static enum op_state go_on(struct op *op, const struct wake *wake,
                           int (*begin)(struct op *op, struct err *err))
{
    struct err err;
    if (wake->reason == WAKE_DURABLE)
        return OP_RESULTED;
    if (wake->reason == WAKE_ENTERED && begin(op, &err))
        return op_refuse(op, &err);
    return OP_RECEIVED;
}

static enum op_state add_received(struct op *op, const struct wake *wake)
{
    return go_on(op, wake, add);
}

static enum op_state add_resulted(struct op *op, const struct wake *wake)
{
    (void)op;
    (void)wake;
    return OP_REPLIED;
}

static enum op_state release_received(struct op *op, const struct wake *wake)
{
    return go_on(op, wake, release);
}

static enum op_state release_resulted(struct op *op, const struct wake *wake)
{
    struct guardian *g = op->service->state;
    (void)wake;
    holds_remove(&g->holds, op->data);
    return OP_REPLIED;
}

const struct op_kind op_hold_add = {
    .operation = "hold_add",
    .request = &message_hold_add,
    .answer = &message_hold,
    .roles = ROLE_OPERATOR | ROLE_ADMIN,
    .step = {[OP_RECEIVED] = add_received,
             [OP_RESULTED] = add_resulted,
             [OP_REPLIED] = op_step_replied,
             [OP_REFUSED] = op_step_refused},
    .doc = "Holds an agent, a tenant or the host: nothing of it is allowed until it is released.",
};

const struct op_kind op_hold_release = {
    .operation = "hold_release",
    .request = &message_hold_release,
    .answer = &message_hold,
    .roles = ROLE_OPERATOR | ROLE_ADMIN,
    .data_bytes = sizeof(struct hold),
    .step = {[OP_RECEIVED] = release_received,
             [OP_RESULTED] = release_resulted,
             [OP_REPLIED] = op_step_replied,
             [OP_REFUSED] = op_step_refused},
    .doc = "Releases a hold.",
};

/* True when the caller may see a hold: of agents as everything of theirs; of its tenant; of the
 * host, which concerns everybody. */
static bool sees(const struct call *call, const struct hold *hold)
{
    if (!strcmp(hold->scope, "host"))
        return true;
    return !strcmp(hold->scope, "tenant")
               ? call->roles & ROLE_ADMIN || !strcmp(call->tenant, hold->tenant)
               : call_sees(call, hold->tenant, hold->agent);
}

int holds_list(const struct holds *holds, const struct call *call, struct bytes *store,
               struct list *to, struct err *err)
{
    for (size_t i = 0; i < holds->count; i++)
        if (sees(call, &holds->rows[i]) && list_add(store, to, &message_hold, &holds->rows[i], err))
            return -1;
    return 0;
}

int on_hold_list(void *state, const struct call *call, const void *in, void *out, struct err *err)
{
    const struct guardian *g = state;
    struct hold_rows *rows = out;
    (void)in;
    return holds_list(&g->holds, call, call->scratch, &rows->holds, err);
}
