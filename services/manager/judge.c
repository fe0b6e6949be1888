/* judge.c - verdicts from the guardian; see judge.h. */
#include "manager/judge.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/scope.h"
#include "base/text.h"
#include "engine/record/act.h"
#include "engine/record/verdict.h"
#include "net/socket.h"
#include "net/wire.h"
#include "service/service.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ACT_MAX_BYTES = 256 * 1024,
    RETRY_MS = 10,
    WAIT_SLICE_MS = 2000, /* a guardian that was restarted knows of no waiting: so it is renewed */
    PAUSE_MS = 250,       /* before a guardian that is away, or busy, is asked again */
    USE_TRIES = 3         /* of an approval that is allowed and yet refused, when nobody waits */
};

/* What is asked of the guardian. */
enum asking { ASK_VERDICT, ASK_WAIT, ASK_USE, ASK_PAUSE /* nothing, for a moment */ };

/* A question under way. */
struct question {
    enum asking asking;
    uint8_t id[WIRE_ID_BYTES]; /* a fresh one for each thing that is asked */
    struct judge *judge;
    struct op *op;
    struct judgement *into;
    struct bytes body;
    bool is_sent;
    int64_t asked_boot_ms, patience_ms;
    int uses; /* of approvals, that were refused */
    int timer;
    struct question *next;
};

struct judge {
    struct service *service;
    void *guardian; /* DEALER */
    uint8_t public_key[32];
    struct question *questions;
};

static void release(struct question *q)
{
    bytes_close(&q->body);
    free(q);
}

/* Takes a question off the list and tells its operation. Whatever the operation does, it is over
 * with this question. */
static void answer(struct question *q)
{
    struct question **at = &q->judge->questions;
    while (*at != q)
        at = &(*at)->next;
    *at = q->next;
    struct op *op = q->op;
    struct judgement *into = q->into;
    if (q->timer >= 0)
        loop_end_timer(q->judge->service->loop, q->timer);
    release(q);
    op_wake(op, WAKE_VERDICT, into);
    op_drop(op);
}

static struct question *find(struct judge *j, const uint8_t id[WIRE_ID_BYTES])
{
    for (struct question *q = j->questions; q; q = q->next)
        if (!memcmp(q->id, id, WIRE_ID_BYTES))
            return q;
    return NULL;
}

/* The guardian itself refused: its words are passed on. */
static int refused(struct view body, struct err *err)
{
    struct failure failure;
    if (schema_decode(&message_failure, body, SCHEMA_LENIENT, &failure, err))
        return err_add(err, "the guardian's answer");
    return err_set(err, ERR_GUARDIAN_UNAVAILABLE, "the guardian cannot judge this: %.180s",
                   failure.text);
}

/* Checks a verdict and keeps it; the frame is copied, because the verdict's views point into it. */
static int take_verdict(struct question *q, const struct wire_answer *a, struct err *err)
{
    struct judgement *into = q->into;
    into->has_verdict = false;
    if (a->status != WIRE_OK)
        return refused(a->body, err);
    bytes_close(&into->frame);
    into->frame = bytes_open(a->body.len);
    if (bytes_add(&into->frame, a->body.data, a->body.len, err) ||
        schema_decode(&message_verdict, bytes_view(&into->frame), SCHEMA_LENIENT, &into->verdict,
                      err) ||
        verdict_check(&into->verdict, q->judge->public_key, into->act_hash, err))
        return -1;
    into->valid_until_boot_ms = q->asked_boot_ms + into->verdict.valid_ms;
    into->has_verdict = true;
    return 0;
}

static void ask(struct question *q, enum asking asking);

static bool may_wait(const struct question *q)
{
    return clock_boot_ms() < q->into->wait_until_boot_ms;
}

/* A verdict is there: it is told, unless it waits for a person and so may we. */
static void on_verdict(struct question *q, const struct wire_answer *a)
{
    struct err err;
    const struct verdict *v = &q->into->verdict;
    if (take_verdict(q, a, &err)) {
        log_error("verdict.refused error=\"%s\"", err.text);
        q->into->err = err;
        q->into->err.code = ERR_GUARDIAN_UNAVAILABLE;
        answer(q);
    } else if (!strcmp(v->approval, "allowed") && !strcmp(v->decision, "require_approval")) {
        ask(q, ASK_USE);
    } else if (!strcmp(v->approval, "pending") && may_wait(q)) {
        ask(q, ASK_WAIT);
    } else {
        answer(q);
    }
}

/* What was asked for is used up by now, or does not hold any more: a new verdict says what does. */
static void on_used(struct question *q, const struct wire_answer *a)
{
    if (a->status == WIRE_OK) {
        on_verdict(q, a);
    } else if (may_wait(q)) {
        ask(q, ASK_PAUSE);
    } else if (++q->uses < USE_TRIES) {
        ask(q, ASK_VERDICT);
    } else {
        q->into->has_verdict = false;
        refused(a->body, &q->into->err);
        answer(q);
    }
}

/* While it is pending the same is asked again. One that nobody answered in time has expired for
 * whoever asked, too; it may be asked for anew. */
static void on_waited(struct question *q, const struct wire_answer *a)
{
    struct approval_row row;
    struct err err;
    if (a->status != WIRE_OK ||
        schema_decode(&message_approval_row, a->body, SCHEMA_LENIENT, &row, &err))
        ask(q, ASK_PAUSE);
    else if ((q->into->is_expired = !strcmp(row.state, "expired")) ||
             (q->into->is_void = !strcmp(row.state, "void")))
        answer(q);
    else if (strcmp(row.state, "pending") != 0)
        ask(q, ASK_VERDICT);
    else if (may_wait(q))
        ask(q, ASK_WAIT);
    else
        answer(q);
}

static void on_answer(void *context)
{
    struct judge *j = context;
    for (;;) {
        struct err err;
        struct wire_answer a;
        SCOPED(net_message_close) struct net_message m = {0};
        int got = net_recv_unnamed(j->guardian, &m, &err);
        if (!got)
            return;
        if (got < 0 || wire_parse_answer(m.frames, m.count, &a, &err)) {
            log_warn("verdict.dropped error=\"%s\"", err.text);
            if (got < 0 && err.code != ERR_PEER)
                return;
            continue;
        }
        struct question *q = find(j, a.id);
        if (!q)
            continue; /* too late: it was answered with no */
        if (q->into->is_given_up)
            answer(q);
        else if (q->asking == ASK_WAIT)
            on_waited(q, &a);
        else if (q->asking == ASK_USE)
            on_used(q, &a);
        else
            on_verdict(q, &a);
    }
}

int judge_new(struct service *service, struct judge **judge, struct err *err)
{
    struct judge *j = mem_new(1, sizeof *j);
    if (!j)
        return err_set(err, ERR_MEMORY, "no memory for the judge");
    j->service = service;
    if (!text_unhex(j->public_key, sizeof j->public_key, service->verdict_key)) {
        err_set(err, ERR_CONFIG, "services.json: verdict_key is not 64 hex digits");
    } else if (!service_connect(service, "guardian", &j->guardian, err) &&
               !loop_watch_socket(service->loop, j->guardian, on_answer, j, err)) {
        *judge = j;
        return 0;
    }
    judge_free(&j);
    return -1;
}

void judge_free(struct judge **judge)
{
    struct judge *j = *judge;
    if (!j)
        return;
    while (j->questions) {
        struct question *q = j->questions;
        j->questions = q->next;
        release(q);
    }
    if (j->guardian)
        loop_end_socket(j->service->loop, j->guardian);
    net_close(&j->guardian);
    free(j);
    *judge = NULL;
}

static void start_timer(struct question *q, int64_t delay_ms);

static const char *operation_of(enum asking asking)
{
    return asking == ASK_WAIT  ? "approval_wait"
           : asking == ASK_USE ? "approval_use"
                               : "verdict_request";
}

/* Sends, or leaves it for the next try: a guardian that has just been restarted is back within
 * moments. */
static void try_send(struct question *q)
{
    struct err err;
    struct wire_request w = {.body = bytes_view(&q->body)};
    text_copy(w.operation, sizeof w.operation, operation_of(q->asking));
    memcpy(w.id, q->id, sizeof w.id);
    struct wire_frames f = wire_request_frames(&w);
    q->is_sent = !net_send(q->judge->guardian, f.frames, f.count, &err);
}

/* The guardian's time is over. Who waits for a person goes on waiting for the guardian, too. */
static void on_silence(struct question *q)
{
    if (q->asking == ASK_PAUSE) {
        ask(q, ASK_VERDICT);
    } else if (may_wait(q) && q->into->has_verdict) {
        ask(q, ASK_PAUSE);
    } else {
        q->into->has_verdict = false;
        err_set(&q->into->err, ERR_GUARDIAN_UNAVAILABLE,
                "the guardian %s within %lld ms, so the answer is no",
                q->is_sent ? "has not answered" : "could not be reached",
                (long long)q->patience_ms);
        answer(q);
    }
}

static void on_time(void *context)
{
    struct question *q = context;
    int64_t left_ms = q->asked_boot_ms + q->patience_ms - clock_boot_ms();
    q->timer = -1;
    if (q->into->err.code || q->into->is_given_up) {
        answer(q); /* it could not even be asked, or nobody wants to know */
    } else if (left_ms <= 0) {
        on_silence(q);
    } else {
        if (!q->is_sent)
            try_send(q);
        start_timer(q, q->is_sent || left_ms < RETRY_MS ? left_ms : RETRY_MS);
    }
}

static void start_timer(struct question *q, int64_t delay_ms)
{
    struct err err;
    q->timer = loop_timer(q->judge->service->loop, delay_ms, false, on_time, q, &err);
    if (q->timer < 0)
        service_fail("judge.timer", &err);
}

static int encode_wait(struct question *q, struct err *err)
{
    struct approval_wait wait = {.wait_ms = q->patience_ms};
    text_copy(wait.approval_id, sizeof wait.approval_id, q->into->verdict.approval_id);
    return schema_encode(&message_approval_wait, &wait, &q->body, err);
}

static int encode_use(struct question *q, struct err *err)
{
    struct verdict_request asked;
    struct approval_use use = {0};
    if (schema_decode(&message_verdict_request, bytes_view(&q->into->request), SCHEMA_LENIENT,
                      &asked, err))
        return -1;
    use.act = asked.act;
    use.tags = asked.tags;
    text_copy(use.principal, sizeof use.principal, asked.principal);
    text_copy(use.approval_id, sizeof use.approval_id, q->into->verdict.approval_id);
    return schema_encode(&message_approval_use, &use, &q->body, err);
}

static int encode(struct question *q, struct err *err)
{
    bytes_clear(&q->body);
    if (q->asking == ASK_WAIT)
        return encode_wait(q, err);
    if (q->asking == ASK_USE)
        return encode_use(q, err);
    return bytes_add(&q->body, q->into->request.data, q->into->request.len, err);
}

static int64_t patience_ms(const struct question *q)
{
    int64_t left_ms = q->into->wait_until_boot_ms - clock_boot_ms();
    if (q->asking == ASK_WAIT)
        return left_ms < 1 ? 1 : left_ms < WAIT_SLICE_MS ? left_ms : WAIT_SLICE_MS;
    return q->asking == ASK_PAUSE ? PAUSE_MS : q->judge->service->config.manager.verdict_timeout_ms;
}

/* Asks the next thing of the same question. Failures are told from the timer: an operation is never
 * woken inside its own step. */
static void ask(struct question *q, enum asking asking)
{
    q->asking = asking;
    q->asked_boot_ms = clock_boot_ms();
    q->patience_ms = patience_ms(q);
    q->is_sent = asking == ASK_PAUSE;
    rand_fill(q->id, sizeof q->id);
    if (q->timer >= 0)
        loop_end_timer(q->judge->service->loop, q->timer);
    q->timer = -1;
    if (asking != ASK_PAUSE) {
        if (encode(q, &q->into->err)) {
            start_timer(q, 0);
            return;
        }
        try_send(q);
    }
    if (asking == ASK_WAIT) /* its answer comes at the end of the wait, and needs time, too */
        q->patience_ms += q->judge->service->config.manager.verdict_timeout_ms;
    start_timer(q, q->is_sent ? q->patience_ms : RETRY_MS);
}

static struct question *new_question(struct judge *j, struct op *op, struct judgement *into)
{
    struct err err;
    struct question *q = mem_new(1, sizeof *q);
    if (!q) {
        err_set(&err, ERR_MEMORY, "no memory for a question to the guardian");
        service_fail("judge.ask", &err);
    }
    *q = (struct question){.judge = j,
                           .op = op,
                           .into = into,
                           .timer = -1,
                           .body = bytes_open(ACT_MAX_BYTES),
                           .next = j->questions};
    j->questions = q;
    op_hold(op);
    return q;
}

void judge_again(struct judge *j, struct op *op, struct judgement *into)
{
    into->is_void = into->has_verdict = false;
    ask(new_question(j, op, into), ASK_VERDICT);
}

void judge_tell_gone(struct judge *j, const char *sandbox_id)
{
    struct err err;
    struct sandbox_gone gone = {0};
    struct wire_request w = {.operation = "sandbox_gone"};
    SCOPED(bytes_close) struct bytes body = bytes_open(256);
    text_copy(gone.sandbox_id, sizeof gone.sandbox_id, sandbox_id);
    rand_fill(w.id, sizeof w.id);
    if (schema_encode(&message_sandbox_gone, &gone, &body, &err))
        return;
    w.body = bytes_view(&body);
    struct wire_frames f = wire_request_frames(&w);
    net_send(j->guardian, f.frames, f.count, &err);
}

void judge_ask(struct judge *j, struct op *op, const struct verdict_request *request,
               int64_t wait_ms, struct judgement *into)
{
    struct question *q = new_question(j, op, into);
    if (wait_ms) {
        int64_t until = clock_boot_ms() + wait_ms;
        into->wait_until_boot_ms = until < op->deadline_boot_ms ? until : op->deadline_boot_ms;
    }
    into->request = bytes_open(ACT_MAX_BYTES);
    if (act_hash(&request->act, into->act_hash, &into->err) ||
        schema_encode(&message_verdict_request, request, &into->request, &into->err))
        start_timer(q, 0);
    else
        ask(q, ASK_VERDICT);
}
