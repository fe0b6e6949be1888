/* op_delete.c - sandbox_delete: the sandbox is killed first and always; its record follows, without
 * being waited for. */
#include "manager/operations.h"
#include "manager/sandbox.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <string.h>

struct delete
{
    char tenant[NAME_BYTES], agent[NAME_BYTES];
    bool is_dead;
    struct err err;
};

static enum op_state received(struct op *op, const struct wake *wake)
{
    const struct sandbox_delete *in = op->request;
    struct delete *d = op->data;
    struct err err;
    (void)wake;
    struct sandbox *s = sandbox_find_for(manager_of(op), op->call, in->sandbox_id, &err);
    if (!s)
        return op_refuse(op, &err);
    if (!(op->roles & ROLE_ADMIN) && !call_acts_for(op->call, s->lease.agent)) {
        err_set(&err, ERR_FORBIDDEN, "%s may look at this sandbox, not end it", op->principal);
        return op_refuse(op, &err);
    }
    text_copy(d->tenant, sizeof d->tenant, s->lease.tenant);
    text_copy(d->agent, sizeof d->agent, s->lease.agent);
    sandbox_end(s, "sandbox_gone", "deleted", op);
    return OP_ACTING;
}

static enum op_state acting(struct op *op, const struct wake *wake)
{
    struct delete *d = op->data;
    if (wake->reason != WAKE_EVENT)
        return OP_ACTING;
    const struct sandbox_over *over = wake->data;
    d->is_dead = over->is_dead;
    d->err = over->err;
    return OP_RESULTED;
}

static void answer(struct op *op)
{
    const struct sandbox_delete *in = op->request;
    struct delete *d = op->data;
    struct sandbox_deleted out = {.proof_ms = clock_boot_ms() - op->started_boot_ms};
    struct err err;
    text_copy(out.sandbox_id, sizeof out.sandbox_id, in->sandbox_id);
    if (d->is_dead) {
        op_answer(op, &message_sandbox_deleted, &out);
    } else {
        err_set(&err, ERR_RUNTIME, "%s is still alive and frozen; it is tried again: %.150s",
                in->sandbox_id, d->err.text);
        op_fail(op, &err);
    }
}

/* The kill has happened; a journal in trouble must not hold its answer back. */
static enum op_state resulted(struct op *op, const struct wake *wake)
{
    const struct sandbox_delete *in = op->request;
    struct delete *d = op->data;
    struct err err;
    (void)wake;
    answer(op);
    struct event event = {.phase = "result", .duration_ms = clock_boot_ms() - op->started_boot_ms};
    text_copy(event.tenant, sizeof event.tenant, d->tenant);
    text_copy(event.agent, sizeof event.agent, d->agent);
    text_copy(event.sandbox_id, sizeof event.sandbox_id, in->sandbox_id);
    text_copy(event.status, sizeof event.status, d->is_dead ? "success" : "failure");
    if (op_record_unwaited(op, &event, &err))
        log_error("record.lost op=%s error=\"%s\"", op->id, err.text);
    return OP_REPLIED;
}

const struct op_kind op_delete = {
    .operation = "sandbox_delete",
    .request = &message_sandbox_delete,
    .answer = &message_sandbox_deleted,
    .roles = ROLE_AGENT | ROLE_OPERATOR | ROLE_ADMIN,
    .data_bytes = sizeof(struct delete),
    .step = {[OP_RECEIVED] = received,
             [OP_ACTING] = acting,
             [OP_RESULTED] = resulted,
             [OP_REPLIED] = op_step_replied,
             [OP_REFUSED] = op_step_refused},
    .doc = "Ends a sandbox; answers when its cgroup was seen empty. Waits for nobody else.",
};
