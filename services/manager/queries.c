/* queries.c - lists, looks, and words to running operations. */
#include "manager/queries.h"

#include "base/text.h"
#include "manager/operations.h"
#include "manager/sandbox.h"
#include "service/dispatch.h"

#include <string.h>

enum { PAGE_BYTES = 200 * 1024, PAGE_ROWS = 256 };

/* A page ends before the frame does, or at its bound of rows; `next` says where to go on. */
int on_sandbox_list(void *state, const struct call *call, const void *request, void *answer,
                    struct err *err)
{
    struct manager *m = state;
    const struct sandbox_list *in = request;
    struct sandbox_rows *out = answer;
    const char *last = "";
    for (const struct sandbox *s = m->sandboxes; s; s = s->next) {
        if (strcmp(s->lease.sandbox_id, in->after) <= 0 ||
            (in->agent[0] && strcmp(s->lease.agent, in->agent)) ||
            !call_sees(call, s->lease.tenant, s->lease.agent))
            continue;
        if (out->sandboxes.count == PAGE_ROWS || call->scratch->len > PAGE_BYTES) {
            text_copy(out->next, sizeof out->next, last);
            return 0;
        }
        struct sandbox_row row = sandbox_row(s);
        if (list_add(call->scratch, &out->sandboxes, &message_sandbox_row, &row, err))
            return -1;
        last = s->lease.sandbox_id;
    }
    return 0;
}

int on_sandbox_inspect(void *state, const struct call *call, const void *request, void *answer,
                       struct err *err)
{
    const struct sandbox_inspect *in = request;
    const struct sandbox *s = sandbox_find_for(state, call, in->sandbox_id, err);
    if (!s)
        return -1;
    *(struct sandbox_row *)answer = sandbox_row(s);
    return 0;
}

/* An operation is its principal's alone; others hear that there is none. */
static struct op *find_own(struct manager *m, const struct call *call, const char *op_id,
                           struct err *err)
{
    struct op *op = dispatch_find(m->service->dispatch, op_id);
    if (op && !strcmp(op->principal, call->principal) && !strcmp(op->tenant, call->tenant))
        return op;
    err_set(err, ERR_NOT_FOUND, "no operation %s in progress", op_id);
    return NULL;
}

int on_op_credit(void *state, const struct call *call, const void *request, void *answer,
                 struct err *err)
{
    const struct op_credit *in = request;
    struct op *op = find_own(state, call, in->op_id, err);
    (void)answer;
    if (!op)
        return -1;
    exec_credit(op, in->bytes);
    return 0;
}

int on_op_cancel(void *state, const struct call *call, const void *request, void *answer,
                 struct err *err)
{
    const struct op_cancel *in = request;
    struct op *op = find_own(state, call, in->op_id, err);
    (void)answer;
    if (!op)
        return -1;
    if (op->kind != &op_exec || (op->state != OP_ACTING && op->state != OP_RECEIVED))
        return err_set(err, ERR_STATE, "%s cannot be cancelled now", in->op_id);
    op_wake(op, WAKE_CANCEL, "cancelled");
    return 0;
}
