/* op_agent_revoke.c - takes an agent's approval and keys away. See op_change.h. */
#include "guardian/guardian.h"

#include "base/text.h"
#include "guardian/op_change.h"

static enum op_state received(struct op *op, const struct wake *wake)
{
    (void)wake;
    const struct agent_revoke *in = op->request;
    struct change change = {.is_approval = false};
    text_copy(change.agent, sizeof change.agent, in->agent);

    return op_change_begin(op, &change, in->tenant);
}

const struct op_kind op_agent_revoke = {
    .operation = "agent_revoke",
    .request = &message_agent_revoke,
    .answer = &message_agent_changed,
    .roles = ROLE_OPERATOR | ROLE_ADMIN,
    .data_bytes = sizeof(struct writing),
    .step = {[OP_RECEIVED] = received,
             [OP_JUDGED] = op_change_judged,
             [OP_INTENDED] = op_change_intended,
             [OP_ACTING] = op_change_acting,
             [OP_RESULTED] = op_change_resulted,
             [OP_REPLIED] = op_step_replied,
             [OP_REFUSED] = op_step_refused},
    .doc = "Takes an agent's approval and keys away.",
};
