/* on_approvals.c - lists and shows approvals to whoever may see them; hears of ended sandboxes. */
#include "guardian/approving.h"

#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"

#include <string.h>

enum { PAGE_BYTES = 200 * 1024, PAGE_ROWS = 128 /* approval_rows.approvals' own bound */ };

static bool is_wanted(const struct call *call, const struct approval_list *in,
                      const struct approval_item *item)
{
    const struct act *act = &item->shown.act;
    return call_sees(call, act->tenant, act->agent) &&
           (!in->state[0] || approval_is(item, in->state)) &&
           (!in->agent[0] || !strcmp(act->agent, in->agent));
}

/* A page ends before the frame does, or at its bound of rows; `next` says where to go on. */
int on_approval_list(void *state, const struct call *call, const void *request, void *answer,
                     struct err *err)
{
    const struct guardian *g = state;
    const struct approval_list *in = request;
    struct approval_rows *out = answer;
    const struct approval_item *item = g->approvals.first;
    SCOPED(bytes_close) struct bytes command = bytes_open(ACT_SHOWN_BYTES);
    if (in->after[0]) {
        item = approvals_find_for(&g->approvals, call, in->after, err);
        if (!item)
            return err_add(err, "the page before");
        item = item->next;
    }
    for (const char *last = ""; item; item = item->next) {
        struct approval_row row;
        if (!is_wanted(call, in, item))
            continue;
        if (out->approvals.count == PAGE_ROWS || call->scratch->len > PAGE_BYTES) {
            text_copy(out->next, sizeof out->next, last);
            return 0;
        }
        if (approval_row_now(item, clock_boot_ms(), &command, &row, err) ||
            list_add(call->scratch, &out->approvals, &message_approval_row, &row, err))
            return -1;
        last = item->shown.approval_id;
    }
    return 0;
}

int on_approval_show(void *state, const struct call *call, const void *request, void *answer,
                     struct err *err)
{
    const struct guardian *g = state;
    const struct approval_show *in = request;
    const struct approval_item *item =
        approvals_find_for(&g->approvals, call, in->approval_id, err);
    if (!item)
        return -1;
    *(struct approval *)answer = approval_now(item, clock_boot_ms());
    return 0;
}

int on_sandbox_gone(void *state, const struct call *call, const void *request, void *answer,
                    struct err *err)
{
    const struct sandbox_gone *in = request;
    (void)call;
    (void)answer;
    (void)err;
    approving_sandbox_gone(state, in->sandbox_id);
    return 0;
}
