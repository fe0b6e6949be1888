/* op_kill.c - agent_kill: every sandbox of an agent is killed first and always; the record follows.
 */
#include "manager/operations.h"
#include "manager/sandbox.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

struct kill {
    size_t waiting; /* sandboxes whose end has not been proved yet */
    int64_t killed, failed;
};

static enum op_state received(struct op *op, const struct wake *wake)
{
    const struct agent_kill *in = op->request;
    struct kill *k = op->data;
    struct err err;
    (void)wake;
    if (!call_acts_for(op->call, in->agent)) {
        err_set(&err, ERR_FORBIDDEN, "%s may not act for the agent %s", op->principal, in->agent);
        return op_refuse(op, &err);
    }
    for (struct sandbox *s = manager_of(op)->sandboxes; s; s = s->next) {
        if (strcmp(s->lease.agent, in->agent) || strcmp(s->lease.tenant, op->tenant))
            continue;
        k->waiting++;
        sandbox_end(s, "killswitch", "agent_kill", op);
    }
    return OP_ACTING;
}

static enum op_state acting(struct op *op, const struct wake *wake)
{
    struct kill *k = op->data;
    if (wake->reason == WAKE_EVENT) {
        const struct sandbox_over *over = wake->data;
        k->waiting--;
        k->killed += over->is_dead;
        k->failed += !over->is_dead;
    }
    return k->waiting ? OP_ACTING : OP_RESULTED;
}

static enum op_state resulted(struct op *op, const struct wake *wake)
{
    const struct agent_kill *in = op->request;
    const struct kill *k = op->data;
    struct err err;
    (void)wake;
    struct agent_killed out = {.killed = k->killed,
                               .failed = k->failed,
                               .proof_ms = clock_boot_ms() - op->started_boot_ms};
    op_answer(op, &message_agent_killed, &out);
    struct event event = {.kind = "kill_switch",
                          .phase = "result",
                          .rule = "agent_kill",
                          .duration_ms = out.proof_ms};
    text_copy(event.agent, sizeof event.agent, in->agent);
    text_copy(event.status, sizeof event.status, k->failed ? "failure" : "success");
    snprintf(event.detail, sizeof event.detail, "%lld sandboxes killed, %lld not proved dead",
             (long long)k->killed, (long long)k->failed);
    if (op_record_unwaited(op, &event, &err))
        log_error("record.lost op=%s error=\"%s\"", op->id, err.text);
    return OP_REPLIED;
}

const struct op_kind op_kill = {
    .operation = "agent_kill",
    .request = &message_agent_kill,
    .answer = &message_agent_killed,
    .roles = ROLE_AGENT | ROLE_OPERATOR | ROLE_ADMIN,
    .data_bytes = sizeof(struct kill),
    .step = {[OP_RECEIVED] = received,
             [OP_ACTING] = acting,
             [OP_RESULTED] = resulted,
             [OP_REPLIED] = op_step_replied,
             [OP_REFUSED] = op_step_refused},
    .doc = "Ends every sandbox of an agent; answers when each cgroup was seen empty. Waits for "
           "nobody else.",
};
