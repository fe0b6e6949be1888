/* op_agent_approve.c - marks an agent approved and registers its key. See op_change.h. */
#include "guardian/guardian.h"

#include "base/text.h"
#include "guardian/op_change.h"

static enum op_state received(struct op *op, const struct wake *wake)
{
    (void)wake;
    const struct agent_approve *in = op->request;
    struct change change = {.is_approval = true};
    text_copy(change.agent, sizeof change.agent, in->agent);
    text_copy(change.public_key, sizeof change.public_key, in->public_key);
    change.has_settings = schema_has(&message_agent_approve, in, "settings");
    change.settings = in->settings;
    return op_change_begin(op, &change, in->tenant);
}

const struct op_kind op_agent_approve = {
    .operation = "agent_approve",
    .request = &message_agent_approve,
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
    .doc = "Approves an agent and registers its key; again with another key: a second one beside "
           "the first; without one: changes what is set for it.",
};
