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

enum { ACT_MAX_BYTES = 256 * 1024, RETRY_MS = 10 };

/* A question under way. */
struct question {
    uint8_t id[WIRE_ID_BYTES];
    struct judge *judge;
    struct op *op;
    struct judgement *into;
    struct bytes body;
    bool is_sent;
    int64_t asked_boot_ms;
    int timer;
    struct question *next;
};

struct judge {
    struct service *service;
    void *guardian; /* DEALER */
    uint8_t public_key[32];
    struct question *questions;
};

void judgement_close(struct judgement *j)
{
    bytes_close(&j->frame);
}

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

/* The guardian itself refused to judge: its words are passed on. */
static int refused(struct view body, struct err *err)
{
    struct failure failure;
    if (schema_decode(&message_failure, body, SCHEMA_LENIENT, &failure, err))
        return err_add(err, "the guardian's answer");
    return err_set(err, ERR_GUARDIAN_UNAVAILABLE, "the guardian cannot judge this: %.180s",
                   failure.text);
}

/* Checks an answer and keeps it; the frame is copied, because the verdict's views point into it. */
static int take(const struct judge *j, struct question *q, const struct wire_answer *a,
                struct err *err)
{
    struct judgement *into = q->into;
    if (a->status != WIRE_OK)
        return refused(a->body, err);
    into->frame = bytes_open(a->body.len);
    if (bytes_add(&into->frame, a->body.data, a->body.len, err) ||
        schema_decode(&message_verdict, bytes_view(&into->frame), SCHEMA_LENIENT, &into->verdict,
                      err) ||
        verdict_check(&into->verdict, j->public_key, into->act_hash, err))
        return -1;
    into->valid_until_boot_ms = q->asked_boot_ms + into->verdict.valid_ms;
    into->has_verdict = true;
    return 0;
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
        if (take(j, q, &a, &err)) {
            log_error("verdict.refused error=\"%s\"", err.text);
            q->into->err = err;
            q->into->err.code = ERR_GUARDIAN_UNAVAILABLE;
        }
        answer(q);
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

/* Sends, or leaves it for the next try: a guardian that has just been restarted is back within
 * moments. */
static void try_send(struct question *q)
{
    struct err err;
    struct wire_request w = {.operation = "verdict_request", .body = bytes_view(&q->body)};
    memcpy(w.id, q->id, sizeof w.id);
    struct wire_frames f = wire_request_frames(&w);
    q->is_sent = !net_send(q->judge->guardian, f.frames, f.count, &err);
}

static void on_time(void *context)
{
    struct question *q = context;
    int64_t patience_ms = q->judge->service->config.manager.verdict_timeout_ms;
    int64_t left_ms = q->asked_boot_ms + patience_ms - clock_boot_ms();
    q->timer = -1;
    if (q->into->err.code) {
        answer(q); /* it could not even be asked */
    } else if (left_ms <= 0) {
        err_set(&q->into->err, ERR_GUARDIAN_UNAVAILABLE,
                "the guardian %s within %lld ms, so the answer is no",
                q->is_sent ? "has not answered" : "could not be reached", (long long)patience_ms);
        answer(q);
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

/* Failures are told from the timer: an operation is never woken inside its own step. */
static void ask(struct question *q, const struct verdict_request *request)
{
    struct judgement *into = q->into;
    q->asked_boot_ms = clock_boot_ms();
    q->body = bytes_open(ACT_MAX_BYTES);
    if (act_hash(&request->act, into->act_hash, &into->err) ||
        schema_encode(&message_verdict_request, request, &q->body, &into->err)) {
        start_timer(q, 0);
        return;
    }
    try_send(q);
    start_timer(q, q->is_sent ? q->judge->service->config.manager.verdict_timeout_ms : RETRY_MS);
}

void judge_ask(struct judge *j, struct op *op, const struct verdict_request *request,
               struct judgement *into)
{
    struct err err;
    struct question *q = mem_new(1, sizeof *q);
    if (!q) {
        err_set(&err, ERR_MEMORY, "no memory for a question to the guardian");
        service_fail("judge.ask", &err);
    }
    *q = (struct question){.judge = j, .op = op, .into = into, .timer = -1, .next = j->questions};
    rand_fill(q->id, sizeof q->id);
    j->questions = q;
    op_hold(op);
    ask(q, request);
}

/* The policy's no, in words that help an agent on. */
static void deny(struct op *op, const struct verdict *v)
{
    struct failure f = {.rules = v->rules};
    struct list rules = v->rules;
    struct view rule;
    text_copy(f.code, sizeof f.code, err_name(ERR_DENIED));
    snprintf(f.text, sizeof f.text, "denied: %.200s", v->reason);
    text_copy(f.reason, sizeof f.reason, v->reason);
    text_copy(f.hint, sizeof f.hint, v->hint);
    text_copy(f.risk, sizeof f.risk, v->risk);
    text_copy(f.verdict_id, sizeof f.verdict_id, v->verdict_id);
    if (list_next_text(&rules, &rule))
        text_copy_view(f.rule, sizeof f.rule, rule);
    op_fail_with(op, &f);
}

enum op_state judge_decide(struct op *op, struct judgement *j)
{
    struct err err;
    const struct verdict *v = &j->verdict;
    if (!j->has_verdict)
        return op_refuse(op, &j->err);
    if (!strcmp(v->decision, "deny")) {
        deny(op, v);
        return OP_RESULTED;
    }
    if (!v->approved) {
        err_set(&err, ERR_APPROVAL_PENDING, "needs approval: %.150s", v->reason);
        return op_refuse(op, &err);
    }
    int64_t now = clock_boot_ms();
    if (now > j->valid_until_boot_ms) {
        err_set(&err, ERR_GUARDIAN_UNAVAILABLE, "the verdict came too late to be used");
        return op_refuse(op, &err);
    }
    if (now > op->deadline_boot_ms) {
        err_set(&err, ERR_DEADLINE, "the deadline passed before work began");
        return op_refuse(op, &err);
    }
    return OP_JUDGED;
}

int64_t judge_timeout(const struct judgement *j, int64_t asked_ms)
{
    int64_t most_ms = j->verdict.timeout_override_ms;
    return most_ms && most_ms < asked_ms ? most_ms : asked_ms;
}

bool judge_has_condition(const struct judgement *j, const char *name)
{
    struct list rest = j->verdict.conditions;
    for (struct view v; list_next_text(&rest, &v);)
        if (view_equal(v, view_of(name)))
            return true;
    return false;
}

void judge_fill(const struct judgement *j, struct event *event)
{
    struct list rules = j->verdict.rules;
    struct view rule;
    event->verdict = j->verdict;
    event->act_hash = (struct view){j->act_hash, sizeof j->act_hash};
    schema_mark(&message_event, event, "verdict");
    if (list_next_text(&rules, &rule))
        text_copy_view(event->rule, sizeof event->rule, rule);
}
