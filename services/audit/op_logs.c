/* op_logs.c - logs_query: a page of the record for whoever may see it.
 *
 * It changes nothing and so is not recorded: received -> acting -> replied.
 */
#include "audit/op_logs.h"

#include "audit/audit.h"
#include "audit/logs.h"
#include "base/clock.h"
#include "data/pack.h"

struct logs_data {
    struct logs_scope scope;
    struct readers *readers;
    const struct logs_query *query; /* the operation's request */
    int64_t timeout_ms, deadline_boot_ms;
    /* from the worker */
    struct bytes rows;
    struct logs_page page;
    struct err err;
    bool failed;
};

static int ask(struct logs_data *d, struct db *db, struct err *err)
{
    db_set_deadline(db, d->deadline_boot_ms);
    int failed = logs_page(db, &d->scope, d->query, &d->rows, &d->page, err);
    db_set_deadline(db, 0);
    if (failed && err->code == ERR_DEADLINE)
        return err_set(err, ERR_DEADLINE,
                       "no answer within %lld ms or the request's own deadline; narrow the "
                       "question by agent, sandbox or time",
                       (long long)d->timeout_ms);
    return failed;
}

/* On a worker. */
static void run(void *context)
{
    struct logs_data *d = context;
    struct db *db;
    d->failed = readers_take(d->readers, &db, &d->err);
    if (d->failed)
        return;
    d->failed = ask(d, db, &d->err);
    readers_give(d->readers, &db);
}

static enum op_state on_received(struct op *op, const struct wake *wake)
{
    (void)wake;
    struct logs_data *d = op->data;
    struct err err;
    d->scope = logs_scope(op->call);
    d->readers = audit_readers(op->service->state);
    d->query = op->request;
    d->rows = bytes_open(FRAME_MAX_BYTES);
    d->timeout_ms = op->service->config.audit.query_timeout_ms;
    d->deadline_boot_ms = clock_boot_ms() + d->timeout_ms;
    if (op->deadline_boot_ms < d->deadline_boot_ms)
        d->deadline_boot_ms = op->deadline_boot_ms;
    if (op_work(op, run, d, &err)) {
        return op_refuse(op, &err);
    }
    return OP_ACTING;
}

/* A cancelled question runs to its end: its time is bounded. */
static enum op_state on_acting(struct op *op, const struct wake *wake)
{
    struct logs_data *d = op->data;
    if (wake->reason != WAKE_DONE)
        return OP_ACTING;
    if (d->failed)
        op_fail(op, &d->err);
    else
        op_answer(op, &message_logs_page, &d->page);
    return OP_REPLIED;
}

static void on_close(struct op *op)
{
    struct logs_data *d = op->data;
    bytes_close(&d->rows);
}

const struct op_kind op_logs = {
    .operation = "logs_query",
    .request = &message_logs_query,
    .answer = &message_logs_page,
    .roles = ROLE_AGENT | ROLE_OPERATOR | ROLE_ADMIN | ROLE_OBSERVER,
    .data_bytes = sizeof(struct logs_data),
    .step = {[OP_RECEIVED] = on_received,
             [OP_ACTING] = on_acting,
             [OP_REPLIED] = op_step_replied,
             [OP_REFUSED] = op_step_refused},
    .close = on_close,
    .doc = "A page of the record, newest first: of an agent's key what its agents did, of an "
           "operator's or observer's what happened in its tenant, of an admin's everything.",
};
