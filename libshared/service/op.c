/* op.c - drives operations through their states; see op.h. */
#include "service/op.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "service/dispatch.h"
#include "service/replies.h"
#include "service/service.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[OP_STATES] = {"received", "judged",  "intended", "acting",
                                                   "resulted", "replied", "refused"};

/* Row: from; column: to. The drawing in op.h. */
static const bool moves[OP_STATES][OP_STATES] = {
    [OP_RECEIVED] =
        {[OP_JUDGED] = true, [OP_ACTING] = true, [OP_RESULTED] = true, [OP_REFUSED] = true},
    [OP_JUDGED] = {[OP_INTENDED] = true, [OP_REFUSED] = true},
    [OP_INTENDED] = {[OP_ACTING] = true},
    [OP_ACTING] = {[OP_RESULTED] = true, [OP_REPLIED] = true},
    [OP_RESULTED] = {[OP_REPLIED] = true},
};

bool op_may_move(enum op_state from, enum op_state to)
{
    return moves[from][to];
}

const char *op_state_name(enum op_state state)
{
    return state_names[state];
}

static void pass_failpoint(const struct op *op)
{
    char point[80];
    snprintf(point, sizeof point, "%s.%s", op->kind->operation, state_names[op->state]);
    fault_point(point);
}

/* Ends the operation once it is over and nothing is under way that would come back to it. */
static void end_if_over(struct op *op)
{
    if (!op->has_ended || op->under_way || op->is_stepping)
        return;
    assert(!op->waits_for_seq);
    op_timer_end(op);
    if (op->kind->close)
        op->kind->close(op);
    dispatch_end(op->service->dispatch, op);
}

void op_wake(struct op *op, enum wake_reason reason, void *data)
{
    assert(!op->is_stepping); /* what wakes an operation comes from the loop, never from its step */
    struct wake wake = {reason, data};
    op->is_stepping = true;
    while (!op->has_ended) {
        assert(op->kind->step[op->state]);
        enum op_state next = op->kind->step[op->state](op, &wake);
        if (next == op->state)
            break;
        assert(op_may_move(op->state, next));
        op->state = next;
        pass_failpoint(op);
        wake = (struct wake){WAKE_ENTERED, NULL};
    }
    op->is_stepping = false;
    op->call = NULL;
    end_if_over(op);
}

/* What every record of an operation says. */
static void fill(const struct op *op, struct event *event)
{
    text_copy(event->op_id, sizeof event->op_id, op->id);
    if (!event->kind[0])
        text_copy(event->kind, sizeof event->kind, op->kind->operation);
    if (!event->tenant[0])
        text_copy(event->tenant, sizeof event->tenant, op->tenant);
    if (strcmp(event->tenant, op->tenant) != 0)
        text_copy(event->principal_tenant, sizeof event->principal_tenant, op->tenant);
    text_copy(event->principal, sizeof event->principal, op->principal);
    event->request_id = (struct view){op->request_id, sizeof op->request_id};
    event->body_hash = (struct view){op->body_hash, sizeof op->body_hash};
    if (strcmp(event->phase, "result"))
        return;
    const struct bytes *kept = op->stored.len ? &op->stored : &op->reply;
    text_copy(event->answer, sizeof event->answer, op->reply_is_ok ? "ok" : "error");
    if (kept->len <= REPLY_MAX_BYTES)
        event->reply = bytes_view(kept);
}

static int append(struct op *op, struct event *event, bool urgent, uint64_t *seq, struct err *err)
{
    fill(op, event);
    if (outbox_append(op->service->outbox, event, urgent, seq, err))
        return -1;
    op->is_recorded = op->is_recorded || !strcmp(event->phase, "result");
    return 0;
}

int op_record(struct op *op, struct event *event, bool urgent, struct err *err)
{
    if (append(op, event, urgent, &op->waits_for_seq, err))
        return -1;
    dispatch_wait(op->service->dispatch, op);
    return 0;
}

int op_record_unwaited(struct op *op, struct event *event, struct err *err)
{
    uint64_t seq;
    return append(op, event, true, &seq, err);
}

/* A job on its way through the workers. */
struct job {
    struct op *op;
    void (*run)(void *context);
    void *context;
};

static void run_job(void *context)
{
    struct job *job = context;
    job->run(job->context);
}

static void job_done(void *context)
{
    struct job *job = context;
    struct op *op = job->op;
    void *data = job->context;
    free(job);
    op->under_way--;
    if (op->has_ended)
        end_if_over(op);
    else
        op_wake(op, WAKE_DONE, data);
}

int op_work(struct op *op, void (*run)(void *context), void *context, struct err *err)
{
    struct job *job = mem_new(1, sizeof *job);
    if (!job)
        return err_set(err, ERR_MEMORY, "no memory for a job");
    *job = (struct job){op, run, context};
    if (workers_run(op->service->workers, run_job, job_done, job, err)) {
        free(job);
        return -1;
    }
    op->under_way++;
    return 0;
}

static void on_timer(void *context)
{
    struct op *op = context;
    op->timer = -1;
    op_wake(op, WAKE_TIMER, NULL);
}

void op_timer(struct op *op, int64_t delay_ms)
{
    struct err err;
    op_timer_end(op);
    op->timer =
        loop_timer(op->service->loop, delay_ms < 0 ? 0 : delay_ms, false, on_timer, op, &err);
    if (op->timer < 0)
        service_fail("op.timer", &err); /* a deadline that nobody keeps must not be */
}

void op_timer_end(struct op *op)
{
    if (op->timer >= 0)
        loop_end_timer(op->service->loop, op->timer);
    op->timer = -1;
}

void op_hold(struct op *op)
{
    op->under_way++;
}

void op_drop(struct op *op)
{
    assert(op->under_way);
    op->under_way--;
    end_if_over(op);
}

/* Encodes into one of the operation's buffers; what does not fit its own schema is a bug. */
static void encode(struct bytes *to, const struct message *message, const void *in)
{
    struct err err;
    bytes_close(to);
    *to = bytes_open(1 << 20);
    if (schema_encode(message, in, to, &err))
        service_fail("op.answer", &err);
}

void op_answer(struct op *op, const struct message *message, const void *answer)
{
    encode(&op->reply, message, answer);
    op->reply_is_ok = true;
}

void op_store(struct op *op, const struct message *message, const void *answer)
{
    encode(&op->stored, message, answer);
}

void op_fail_with(struct op *op, const struct failure *failure)
{
    encode(&op->reply, &message_failure, failure);
    op->reply_is_ok = false;
}

void op_fail(struct op *op, const struct err *err)
{
    struct failure failure = service_failure(err);
    op_fail_with(op, &failure);
}

enum op_state op_refuse(struct op *op, const struct err *err)
{
    op_fail(op, err);
    return OP_REFUSED;
}

/* True when one of those attached was reached. */
static bool send_all(struct op *op, const char *status, struct view body)
{
    bool is_sent = false;
    for (size_t i = 0; i < op->to_count; i++)
        is_sent |= service_send(op->service, &op->to[i], op->tenant, op->principal, status, body);
    return is_sent;
}

bool op_send_data(struct op *op, const struct message *message, const void *data)
{
    struct err err;
    struct bytes body = bytes_open(1 << 20);
    if (schema_encode(message, data, &body, &err))
        service_fail("op.data", &err);
    bool is_sent = send_all(op, "data", bytes_view(&body));
    bytes_close(&body);
    return is_sent;
}

enum op_state op_step_replied(struct op *op, const struct wake *wake)
{
    (void)wake;
    if (op->is_recorded)
        dispatch_remember(op->service->dispatch, op);
    send_all(op, op->reply_is_ok ? "ok" : "error", bytes_view(&op->reply));
    op->has_ended = true;
    return OP_REPLIED;
}

enum op_state op_step_refused(struct op *op, const struct wake *wake)
{
    (void)wake;
    assert(!op->reply_is_ok && op->reply.len);
    send_all(op, "error", bytes_view(&op->reply));
    op->has_ended = true;
    return OP_REFUSED;
}
