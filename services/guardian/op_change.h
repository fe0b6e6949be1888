/* op_change.h - what agent_approve and agent_revoke share: everything behind reading their request.
 * The kind's data is a struct writing.
 */
#pragma once

#include "guardian/writer.h"
#include "service/op.h"

/* Takes names from a request and begins: OP_JUDGED, or OP_REFUSED with the answer set. An operator
 * changes agents of its own tenant, an admin of any. `tenant` may be "", the caller's own. */
enum op_state op_change_begin(struct op *op, const struct change *change, const char *tenant);

op_step op_change_judged, op_change_intended, op_change_acting, op_change_resulted;

/* The answer to a change that is in the registry. */
struct agent_changed change_answer(const struct change *change, int64_t generation);

/* What both records of a change say of it. `change` has to outlive the event. */
void change_fill(const struct change *change, struct event *event);
