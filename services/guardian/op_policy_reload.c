/* op_policy_reload.c - looks at the rule directory now and says what came of it. */
#include "guardian/guardian.h"

#include "base/clock.h"
#include "base/text.h"
#include "service/op.h"

#include <stdio.h>

struct reload {
    struct keeper_wait wait;
    bool is_loaded;
    struct err err;
};

static enum op_state received(struct op *op, const struct wake *wake)
{
    struct err err;
    struct outbox *outbox = op->service->outbox;
    (void)wake;
    if (outbox_state(outbox) < OUTBOX_RESTRICTED)
        return OP_ACTING;
    err_set(&err, ERR_RESTRICTED, "%s", outbox_detail(outbox));
    return op_refuse(op, &err);
}

static enum op_state acting(struct op *op, const struct wake *wake)
{
    struct guardian *g = op->service->state;
    struct reload *r = op->data;
    if (wake->reason == WAKE_ENTERED)
        keeper_wait(g->keeper, &r->wait, op);
    if (wake->reason != WAKE_EVENT)
        return OP_ACTING;
    const struct keeper_outcome *outcome = wake->data;
    r->is_loaded = outcome->is_loaded;
    r->err = outcome->err;
    return OP_RESULTED;
}

static void answer(struct op *op, struct event *result)
{
    const struct guardian *g = op->service->state;
    const struct rulebook *book = keeper_book(g->keeper);
    struct reload *r = op->data;
    if (r->is_loaded) {
        struct policy_reloaded reloaded = {.generation = book->generation,
                                           .rules = rulebook_count(book),
                                           .policy = {book->hash, sizeof book->hash}};
        op_answer(op, &message_policy_reloaded, &reloaded);
        snprintf(result->detail, sizeof result->detail, "generation %lld",
                 (long long)book->generation);
        return;
    }
    text_copy(result->detail, sizeof result->detail, r->err.text);
    err_add(&r->err, "refused, %s",
            book ? "the last good rules stay in force" : "nothing is allowed");
    op_fail(op, &r->err);
}

static enum op_state resulted(struct op *op, const struct wake *wake)
{
    const struct reload *r = op->data;
    struct err err;
    if (wake->reason == WAKE_DURABLE)
        return OP_REPLIED;
    if (wake->reason != WAKE_ENTERED)
        return OP_RESULTED;
    struct event result = {.phase = "result"};
    text_copy(result.status, sizeof result.status, r->is_loaded ? "success" : "failure");
    result.duration_ms = clock_boot_ms() - op->started_boot_ms;
    answer(op, &result);
    if (op_record(op, &result, true, &err))
        service_fail("policy_reload.result", &err);
    return OP_RESULTED;
}

const struct op_kind op_policy_reload = {
    .operation = "policy_reload",
    .request = &message_nothing,
    .answer = &message_policy_reloaded,
    .roles = ROLE_OPERATOR | ROLE_ADMIN,
    .data_bytes = sizeof(struct reload),
    .step = {[OP_RECEIVED] = received,
             [OP_ACTING] = acting,
             [OP_RESULTED] = resulted,
             [OP_REPLIED] = op_step_replied,
             [OP_REFUSED] = op_step_refused},
    .doc = "Looks at the rule directory now, and answers once its rules are in force or refused.",
};
