/* op_question.c - asking the record on a worker; see op_question.h. */
#include "audit/op_question.h"

#include "audit/audit.h"
#include "base/clock.h"
#include "data/pack.h"

static int ask(struct op_question *q, struct db *db, struct err *err)
{
    db_set_deadline(db, q->deadline_boot_ms);
    int failed =
        db_exec(db, "BEGIN", err) || q->ask(db, &q->scope, q->request, q->rooms, &q->answer, err);
    db_set_deadline(db, 0);
    db_rollback(db);
    if (failed && err->code == ERR_DEADLINE)
        return err_set(err, ERR_DEADLINE,
                       "no answer within %lld ms or the request's own deadline; narrow the "
                       "question by agent, sandbox or time",
                       (long long)q->timeout_ms);
    return failed ? -1 : 0;
}

/* On a worker. */
static void run(void *context)
{
    struct op_question *q = context;
    struct db *db;
    q->failed = readers_take(q->readers, &db, &q->err);
    if (q->failed)
        return;
    q->failed = ask(q, db, &q->err);
    readers_give(q->readers, &db);
}

enum op_state op_question_begin(struct op *op, question_ask *asks)
{
    struct op_question *q = op->data;
    struct err err;
    q->ask = asks;
    q->scope = logs_scope(op->call);
    q->readers = audit_readers(op->service->state);
    q->request = op->request;
    for (int i = 0; i < QUESTION_ROOMS; i++)
        q->rooms[i] = bytes_open(FRAME_MAX_BYTES);
    q->timeout_ms = op->service->config.audit.query_timeout_ms;
    q->deadline_boot_ms = clock_boot_ms() + q->timeout_ms;
    if (op->deadline_boot_ms < q->deadline_boot_ms)
        q->deadline_boot_ms = op->deadline_boot_ms;
    return op_work(op, run, q, &err) ? op_refuse(op, &err) : OP_ACTING;
}

/* A cancelled question runs to its end: its time is bounded. */
enum op_state op_question_acting(struct op *op, const struct wake *wake)
{
    struct op_question *q = op->data;
    if (wake->reason != WAKE_DONE)
        return OP_ACTING;
    if (q->failed)
        op_fail(op, &q->err);
    else
        op_answer(op, op->kind->answer, &q->answer);
    return OP_REPLIED;
}

void op_question_close(struct op *op)
{
    struct op_question *q = op->data;
    for (int i = 0; i < QUESTION_ROOMS; i++)
        bytes_close(&q->rooms[i]);
}
