/* recover.c - goes on where an earlier life ended; see recover.h. */
#include "guardian/recover.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "guardian/agents.h"
#include "guardian/op_change.h"
#include "service/ledger.h"
#include "service/service.h"

#include <stdlib.h>
#include <string.h>

/* An intent without a result. */
struct unfinished {
    struct bytes payload;
    struct event intent; /* points into payload */
    struct change change;
    bool has_failed;
    struct err err;
    struct unfinished *next;
};

struct recovery {
    struct service *service;
    int64_t now_s;
    struct registry *registry; /* as it is to be */
    bool is_changed;
    struct unfinished *first, **end;
};

static void recovery_close(struct recovery *r)
{
    registry_release(&r->registry);
    while (r->first) {
        struct unfinished *u = r->first;
        r->first = u->next;
        bytes_close(&u->payload);
        free(u);
    }
}

static int apply(struct recovery *r, const struct change *change, struct err *err)
{
    struct registry *next = NULL;
    if (change_holds(change, r->registry))
        return 0;
    if (change_apply(change, r->registry, r->now_s, &next, err))
        return -1;
    registry_release(&r->registry);
    r->registry = next;
    r->is_changed = true;
    return 0;
}

/* What the record says of an agent. One that a hand-made file gives no place to is reported, and
 * keeps nobody else from being served. */
static int restore(void *context, const struct change *change, struct err *err)
{
    struct err why;
    (void)err;
    if (apply(context, change, &why))
        log_error("agent.not_restored agent=%s tenant=%s error=\"%s\"", change->agent,
                  change->tenant, why.text);
    return 0;
}

static int keep(void *context, const struct event *intent, struct err *err)
{
    struct recovery *r = context;
    struct unfinished *u = mem_new(1, sizeof *u);
    if (!u)
        return err_set(err, ERR_MEMORY, "no memory for an unfinished change");
    *r->end = u;
    r->end = &u->next;
    u->payload = bytes_open(64 * 1024);
    if (schema_encode(&message_event, intent, &u->payload, err) ||
        schema_decode(&message_event, bytes_view(&u->payload), SCHEMA_LENIENT, &u->intent, err))
        return -1;
    u->change.is_approval = !strcmp(intent->kind, "agent_approve");
    text_copy(u->change.tenant, sizeof u->change.tenant, intent->tenant);
    text_copy(u->change.agent, sizeof u->change.agent, intent->agent);
    text_copy_view(u->change.public_key, sizeof u->change.public_key, intent->public_key);
    u->change.has_settings = schema_has(&message_event, &u->intent, "settings");
    u->change.settings = u->intent.settings;
    return 0;
}

/* A registry that is not later than one that the record knows was put back from somewhere. */
static int raise_generation(struct recovery *r, int64_t known, struct err *err)
{
    struct registry *next = NULL;
    struct registry_parts parts = registry_parts(r->registry);
    int64_t least = known + r->is_changed;
    if (parts.generation >= least)
        return 0;
    parts.generation = known + 1;
    if (registry_make(&parts, r->now_s, &next, err))
        return -1;
    registry_release(&r->registry);
    r->registry = next;
    r->is_changed = true;
    return 0;
}

static int settle(struct recovery *r, struct db *db, struct writer *writer, struct err *err)
{
    int64_t known = 0;
    if (agents_generation(db, &known, err) || agents_each(db, restore, r, err) ||
        ledger_each_open(db, keep, r, err))
        return -1;
    for (struct unfinished *u = r->first; u; u = u->next)
        u->has_failed = apply(r, &u->change, &u->err);
    if (raise_generation(r, known, err))
        return -1;
    if (!r->is_changed)
        return 0;
    struct registry *fresh = NULL;
    struct registry_parts parts = registry_parts(r->registry);
    if (registry_make(&parts, r->now_s, &fresh, err))
        return -1;
    if (!writer_save(writer, fresh, err))
        return 0;
    registry_release(&fresh);
    return -1;
}

static void fill_result(const struct recovery *r, const struct unfinished *u, struct event *result)
{
    const struct event *intent = &u->intent;
    *result = (struct event){.phase = "result",
                             .request_id = intent->request_id,
                             .body_hash = intent->body_hash,
                             .detail = "finished after a restart"};
    text_copy(result->kind, sizeof result->kind, intent->kind);
    text_copy(result->op_id, sizeof result->op_id, intent->op_id);
    text_copy(result->principal, sizeof result->principal, intent->principal);
    text_copy(result->principal_tenant, sizeof result->principal_tenant, intent->principal_tenant);
    change_fill(&u->change, result);
    text_copy(result->status, sizeof result->status, u->has_failed ? "failure" : "success");
    text_copy(result->answer, sizeof result->answer, u->has_failed ? "error" : "ok");
    if (u->has_failed)
        text_copy(result->detail, sizeof result->detail, u->err.text);
    else
        result->generation = registry_generation(r->registry);
}

/* Records the result and gives the request id its answer. The answer may be asked for before the
 * record is on disk: intent and file are, and from them every next start comes to the same answer.
 */
static int finish(struct recovery *r, const struct unfinished *u, struct err *err)
{
    struct event result;
    uint64_t seq;
    fill_result(r, u, &result);
    SCOPED(bytes_close) struct bytes reply = bytes_open(4096);
    struct failure failure = service_failure(&u->err);
    struct agent_changed changed = change_answer(&u->change, result.generation);
    int failed = u->has_failed ? schema_encode(&message_failure, &failure, &reply, err)
                               : schema_encode(&message_agent_changed, &changed, &reply, err);
    if (failed)
        return -1;
    result.reply = bytes_view(&reply);
    if (outbox_append(r->service->outbox, &result, true, &seq, err))
        return -1;
    dispatch_restore(r->service->dispatch, &result, clock_wall_ns());
    log_info("agent.finished kind=%s agent=%s tenant=%s status=%s", result.kind, result.agent,
             result.tenant, result.status);
    return 0;
}

int recover(struct service *service, struct writer *writer, struct err *err)
{
    struct db *db = projection_db(service->projection);
    SCOPED(recovery_close)
    struct recovery r = {.service = service,
                         .now_s = clock_wall_ns() / S_NS,
                         .registry = registry_hold(service->registry)};
    r.end = &r.first;
    if (ledger_restore(db, service->dispatch, err) || settle(&r, db, writer, err))
        return err_add(err, "going on after a restart");
    for (const struct unfinished *u = r.first; u; u = u->next)
        if (finish(&r, u, err))
            return err_add(err, "going on after a restart");
    return 0;
}
