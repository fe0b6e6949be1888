/* op_change.c - agent_approve and agent_revoke from their intent to their result; see op_change.h.
 *
 * The change is in force once registry.json has it. Wherever the process ends before the result is
 * recorded, the next start finds the intent and finishes it (recover.h): there is no half.
 */
#include "guardian/op_change.h"

#include "base/clock.h"
#include "base/text.h"
#include "guardian/approving.h"
#include "guardian/guardian.h"

#include <string.h>

struct agent_changed change_answer(const struct change *change, int64_t generation)
{
    struct agent_changed changed = {.generation = generation};
    text_copy(changed.agent, sizeof changed.agent, change->agent);
    text_copy(changed.tenant, sizeof changed.tenant, change->tenant);
    return changed;
}

void change_fill(const struct change *change, struct event *event)
{
    text_copy(event->tenant, sizeof event->tenant, change->tenant);
    text_copy(event->agent, sizeof event->agent, change->agent);
    event->public_key = view_of(change->public_key);
    event->settings = change->settings;
    if (change->has_settings)
        schema_mark(&message_event, event, "settings");
}

static int check(struct op *op, const struct change *change, struct err *err)
{
    if (strcmp(change->tenant, op->tenant) != 0 && !(op->call->roles & ROLE_ADMIN))
        return err_set(err, ERR_FORBIDDEN, "%s may change agents of tenant %s only", op->principal,
                       op->tenant);
    return change_check(change, op->call->registry, clock_wall_ns() / S_NS, err);
}

enum op_state op_change_begin(struct op *op, const struct change *change, const char *tenant)
{
    struct writing *w = op->data;
    struct err err;
    w->op = op;
    w->change = *change;
    text_copy(w->change.tenant, sizeof w->change.tenant, tenant[0] ? tenant : op->tenant);
    if (!check(op, &w->change, &err))
        return OP_JUDGED;
    return op_refuse(op, &err);
}

enum op_state op_change_judged(struct op *op, const struct wake *wake)
{
    struct writing *w = op->data;
    struct event intent = {.phase = "intent"};
    struct err err;
    if (wake->reason == WAKE_DURABLE)
        return OP_INTENDED;
    if (wake->reason != WAKE_ENTERED)
        return OP_JUDGED;
    change_fill(&w->change, &intent);
    if (!op_record(op, &intent, false, &err))
        return OP_JUDGED;
    return op_refuse(op, &err);
}

enum op_state op_change_intended(struct op *op, const struct wake *wake)
{
    (void)wake;
    struct guardian *g = op->service->state;
    struct writing *w = op->data;
    w->has_failed = writer_add(g->writer, w, &w->err);
    return OP_ACTING;
}

enum op_state op_change_acting(struct op *op, const struct wake *wake)
{
    const struct writing *w = op->data;
    (void)wake;
    return w->is_under_way ? OP_ACTING : OP_RESULTED;
}

static void answer(struct op *op, struct event *result)
{
    struct writing *w = op->data;
    if (w->has_failed) {
        text_copy(result->status, sizeof result->status, "failure");
        text_copy(result->detail, sizeof result->detail, w->err.text);
        op_fail(op, &w->err);
        return;
    }
    struct agent_changed changed = change_answer(&w->change, w->generation);
    text_copy(result->status, sizeof result->status, "success");
    result->generation = w->generation;
    if (!w->change.is_approval)
        approving_revoked(op->service->state, changed.tenant, changed.agent);
    op_answer(op, &message_agent_changed, &changed);
}

/* A result may use the journal's reserve: what has happened is recorded even where no new work is
 * taken. If that fails, too, the next start records it. */
enum op_state op_change_resulted(struct op *op, const struct wake *wake)
{
    const struct writing *w = op->data;
    struct event result = {.phase = "result"};
    struct err err;
    if (wake->reason == WAKE_DURABLE)
        return OP_REPLIED;
    if (wake->reason != WAKE_ENTERED)
        return OP_RESULTED;
    change_fill(&w->change, &result);
    answer(op, &result);
    result.duration_ms = clock_boot_ms() - op->started_boot_ms;
    if (op_record(op, &result, true, &err))
        service_fail("agent.result", &err);
    return OP_RESULTED;
}
