/* judge_decide.c - what an operation does with the guardian's word; see judge.h. */
#include "manager/judge.h"

#include "base/clock.h"
#include "base/text.h"
#include "service/service.h"

#include <stdio.h>
#include <string.h>

void judgement_close(struct judgement *j)
{
    bytes_close(&j->frame);
    bytes_close(&j->request);
}

void judge_give_up(struct judgement *j)
{
    j->is_given_up = true;
}

/* Why it may not happen, in words that help an agent on. */
static void fail(struct op *op, const struct verdict *v, enum err_code code, const char *text)
{
    struct failure f = {.rules = v->rules};
    struct list rules = v->rules;
    struct view rule;
    text_copy(f.code, sizeof f.code, err_name(code));
    text_copy(f.text, sizeof f.text, text);
    text_copy(f.reason, sizeof f.reason, v->reason);
    text_copy(f.hint, sizeof f.hint, v->hint);
    text_copy(f.risk, sizeof f.risk, v->risk);
    text_copy(f.verdict_id, sizeof f.verdict_id, v->verdict_id);
    text_copy(f.approval_id, sizeof f.approval_id, v->approval_id);
    if (list_next_text(&rules, &rule))
        text_copy_view(f.rule, sizeof f.rule, rule);
    op_fail_with(op, &f);
}

enum op_state judge_decide(struct op *op, struct judgement *j)
{
    struct err err;
    char text[512];
    const struct verdict *v = &j->verdict;
    if (!j->has_verdict)
        return op_refuse(op, &j->err);
    if (!strcmp(v->decision, "deny")) {
        snprintf(text, sizeof text, "denied: %.200s", v->reason);
        fail(op, v, ERR_DENIED, text);
        return OP_RESULTED;
    }
    if (!v->approved) {
        snprintf(text, sizeof text,
                 j->is_expired ? "nobody decided on %s in time: %.150s"
                               : "needs approval (%s): %.150s",
                 v->approval_id, v->reason);
        fail(op, v, ERR_APPROVAL_PENDING, text);
        return OP_REFUSED;
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
