/* on_verdict_request.c - judges one act: decide, look among the approvals, sign, record, answer.
 *
 * Nothing here waits: the record of the verdict is on its way to the disk when the answer leaves.
 * But no verdict leaves that the journal would not take.
 */
#include "guardian/guardian.h"

#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"
#include "guardian/approving.h"
#include "guardian/verdicts.h"

#include <string.h>

enum { NS_PER_US = 1000 };

static int record(struct guardian *g, const struct verdict_request *q, const struct judgement *j,
                  const struct verdict *v, struct err *err)
{
    struct event event = {.phase = "event"};
    uint64_t seq;
    SCOPED(verdict_shown_close) struct verdict_shown shown = {0};
    text_copy(event.kind, sizeof event.kind, v->approved ? "guardian_approval" : "guardian_denial");
    return verdicts_fill(&q->act, q->principal, q->tags, v, &shown, &event, err) ||
                   verdicts_fill_aside(j, &shown, &event, err) ||
                   outbox_append(g->service->outbox, &event, false, &seq, err)
               ? -1
               : 0;
}

int on_verdict_request(void *state, const struct call *call, const void *in, void *out,
                       struct err *err)
{
    struct guardian *g = state;
    const struct verdict_request *q = in;
    int64_t began_ns = clock_boot_ns();
    struct judgement j;
    struct verdict v;
    struct approval a;
    bool is_new = false, is_named = false;
    if (verdicts_judge(g, call->registry, &q->act, q->tags, &j, err))
        return -1;
    if (j.decision == DECISION_REQUIRE_APPROVAL &&
        approving_look(g, &q->act, q->principal, &j, &a, &is_named, &is_new, err))
        return -1;
    if (verdicts_make(g, &q->act, &j, is_named ? &a : NULL, call->scratch, &v, err) ||
        (is_new && approving_file(g, q, &v, err)) || record(g, q, &j, &v, err))
        return -1;
    verdicts_count(g, &q->act, &j, (clock_boot_ns() - began_ns) / NS_PER_US);
    *(struct verdict *)out = v;
    return 0;
}
