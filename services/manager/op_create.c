/* op_create.c - sandbox_create: judged, recorded, started by a worker, answered once its init has
 * reported. */
#include "manager/judge.h"
#include "manager/limits.h"
#include "manager/operations.h"
#include "manager/quota.h"
#include "manager/sandbox.h"
#include "manager/volumes.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/scope.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAMES_BYTES = 1024 };

struct create {
    struct judgement judgement;
    char sandbox_id[41];
    struct limits limits;
    unsigned allowed; /* limits that need not hold */
    struct list unenforced;
    struct bytes unenforced_names;
    int64_t acting_boot_ms;
    const char *status;
    bool is_over;            /* it could not even begin */
    struct volumes *volumes; /* NULL: none were asked for; a worker's while it finds them */

    /* the worker's, while it is at it */
    struct manager *manager;
    struct sandbox_spec spec;
    struct sandbox_started started;
    bool failed;
    struct err err;
};

static void find_volumes(void *context)
{
    static const char *const services[] = {"manager", "guardian", "monitor", "audit"};
    struct op *op = context;
    const struct sandbox_create *in = op->request;
    const struct service *service = op->service;
    struct create *c = op->data;
    char sockets[COUNT(services)][108];
    const char *own[VOLUMES_OWN + 1] = {service->state_path, service->run_path,
                                        service->config_path, service->config.guardian.rules_dir};
    for (size_t i = 0; i < COUNT(services); i++) {
        service_socket_dir(service, services[i], sockets[i]);
        own[VOLUMES_OWN - COUNT(services) + i] = sockets[i];
    }
    c->failed = volumes_find(in->volumes, own, &c->volumes, &c->err);
}

static void ask(struct op *op)
{
    const struct sandbox_create *in = op->request;
    struct create *c = op->data;
    struct verdict_request q = {.tags = in->tags,
                                .act = {.operation = "sandbox_create",
                                        .env = in->env,
                                        .user = SANDBOX_USER,
                                        .limits = c->limits,
                                        .unenforced = in->allow_unenforced,
                                        .rules = in->rules}};
    if (c->volumes)
        q.act.mounts = c->volumes->facts;
    text_copy(q.act.tenant, sizeof q.act.tenant, op->tenant);
    text_copy(q.act.agent, sizeof q.act.agent, in->agent);
    text_copy(q.act.sandbox_id, sizeof q.act.sandbox_id, c->sandbox_id);
    text_copy(q.principal, sizeof q.principal, op->principal);
    judge_ask(manager_of(op)->judge, op, &q, in->approval_wait_ms, &c->judgement);
}

/* What can be refused without asking anybody. */
static int check(struct op *op, struct err *err)
{
    const struct sandbox_create *in = op->request;
    struct manager *m = manager_of(op);
    struct create *c = op->data;
    char names[32];
    if (!text_is_name(in->agent, 64))
        return err_set(err, ERR_INVALID, "sandbox_create.agent: letters, digits, . _ - only");
    if (!call_acts_for(op->call, in->agent))
        return err_set(err, ERR_FORBIDDEN, "%s may not act for the agent %s", op->principal,
                       in->agent);
    if (check_assignments(in->env, "sandbox_create.env", err) ||
        check_assignments(in->tags, "sandbox_create.tags", err) ||
        volumes_check(in->volumes, err) ||
        limits_read_names(in->allow_unenforced, &c->allowed, err))
        return -1;
    unsigned lacking = CGROUP_LIMITS & ~m->host.cgroups.limits & ~c->allowed;
    cgroup_limit_names(names, lacking);
    if (lacking)
        return err_set(err, ERR_UNENFORCED,
                       "this host cannot enforce %s (%.100s); --allow-unenforced %s accepts that, "
                       "on record",
                       names, m->host.cgroups.lacks, names);
    return outbox_state(m->service->outbox) >= OUTBOX_RESTRICTED
               ? err_set(err, ERR_RESTRICTED, "%s", outbox_detail(m->service->outbox))
               : 0;
}

static enum op_state received(struct op *op, const struct wake *wake)
{
    const struct sandbox_create *in = op->request;
    struct manager *m = manager_of(op);
    struct create *c = op->data;
    struct err err;
    char random[27];
    if (wake->reason == WAKE_VERDICT && c->judgement.is_void) {
        judge_again(m->judge, op, &c->judgement); /* the rules have changed */
        return OP_RECEIVED;
    }
    if (wake->reason == WAKE_VERDICT) {
        enum op_state next = judge_decide(op, &c->judgement);
        if (next == OP_JUDGED)
            c->limits.exec_timeout_ms = judge_timeout(&c->judgement, c->limits.exec_timeout_ms);
        return next;
    }
    if (wake->reason == WAKE_DONE) {
        if (c->failed)
            return op_refuse(op, &c->err);
        ask(op);
        return OP_RECEIVED;
    }
    if (wake->reason != WAKE_ENTERED)
        return OP_RECEIVED;
    if (check(op, &err))
        return op_refuse(op, &err);
    if (in->deadline_ms)
        op->deadline_boot_ms = op->started_boot_ms + in->deadline_ms;
    c->limits = limits_filled(&in->limits, &m->service->config);
    if (quota_check(m, op->call->registry, op->tenant, in->agent, &c->limits, &err))
        return op_refuse(op, &err);
    rand_id(random);
    snprintf(c->sandbox_id, sizeof c->sandbox_id, "sb_%s_%s", m->tag, random);
    if (!in->volumes.count)
        ask(op);
    else if (op_work(op, find_volumes, op, &err))
        return op_refuse(op, &err);
    return OP_RECEIVED;
}

static enum op_state judged(struct op *op, const struct wake *wake)
{
    const struct sandbox_create *in = op->request;
    struct create *c = op->data;
    struct err err;
    if (wake->reason == WAKE_DURABLE)
        return OP_INTENDED;
    if (wake->reason != WAKE_ENTERED)
        return OP_JUDGED;
    struct event intent = {.phase = "intent",
                           .limits = c->limits,
                           .unenforced = in->allow_unenforced,
                           .tags = in->tags};
    text_copy(intent.agent, sizeof intent.agent, in->agent);
    text_copy(intent.sandbox_id, sizeof intent.sandbox_id, c->sandbox_id);
    schema_mark(&message_event, &intent, "limits");
    manager_fill_agent(op, &intent);
    if (c->volumes) {
        intent.mounts = c->volumes->kept;
        volumes_show(c->volumes, intent.detail, sizeof intent.detail);
    }
    judge_fill(&c->judgement, &intent);
    return op_record(op, &intent, false, &err) ? op_refuse(op, &err) : OP_JUDGED;
}

/* Who asks for much is looked at sooner: warnings at half of the usual, or at half of the limit
 * where there are none. */
static void warn_early(struct thresholds *t)
{
    t->warning_percent = t->warning_percent ? (t->warning_percent + 1) / 2 : 50;
}

static struct lease first_lease(const struct op *op)
{
    const struct sandbox_create *in = op->request;
    const struct create *c = op->data;
    const struct config *config = &op->service->config;
    int64_t life_ns = config->sandbox.lifetime_seconds * S_NS;
    struct lease lease = {.created_ns = clock_wall_ns(),
                          .deadline_boot_ns = clock_boot_ns() + life_ns,
                          .limits = c->limits,
                          .tags = in->tags,
                          .env = in->env,
                          .rules = in->rules};
    text_copy(lease.sandbox_id, sizeof lease.sandbox_id, c->sandbox_id);
    text_copy(lease.tenant, sizeof lease.tenant, op->tenant);
    text_copy(lease.agent, sizeof lease.agent, in->agent);
    text_copy(lease.runtime, sizeof lease.runtime, manager_of(op)->runtime->name);
    text_copy(lease.boot_id, sizeof lease.boot_id, clock_boot_id());
    if (c->volumes)
        lease.mounts = c->volumes->kept;
    manager_thresholds(config, &lease);
    if (judge_has_condition(&c->judgement, "high_cpu"))
        warn_early(&lease.cpu);
    if (judge_has_condition(&c->judgement, "high_memory"))
        warn_early(&lease.memory);
    return lease;
}

static void start(void *context)
{
    struct create *c = context;
    int64_t timeout_ms = c->manager->service->config.manager.start_timeout_ms;
    int64_t deadline = clock_boot_ns() + timeout_ms * MS_NS;
    c->failed =
        (c->volumes && volumes_check_again(c->volumes, &c->err)) ||
        c->manager->runtime->start(&c->manager->host, &c->spec, deadline, &c->started, &c->err);
}

static int begin(struct op *op, struct err *err)
{
    struct create *c = op->data;
    struct manager *m = manager_of(op);
    struct lease lease = first_lease(op);
    struct sandbox *s;
    SCOPED(registry_release) struct registry *registry = registry_hold(op->service->registry);
    if (quota_check(m, registry, op->tenant, lease.agent, &c->limits, err) ||
        sandbox_check_room(m, err) || sandbox_new(m, &lease, &s, err))
        return -1;
    c->manager = m;
    c->spec = (struct sandbox_spec){.limits = limits_of_cgroup(&c->limits),
                                    .workspace_bytes = c->limits.workspace_mb << 20,
                                    .tmp_bytes = m->service->config.sandbox.tmp_mb << 20,
                                    .host_uid = s->host_uid,
                                    .deadline_boot_ns = lease.deadline_boot_ns,
                                    .allow_unenforced = c->allowed};
    if (c->volumes) {
        c->spec.volumes = c->volumes->items;
        c->spec.volume_count = c->volumes->count;
    }
    text_copy(c->spec.sandbox_id, sizeof c->spec.sandbox_id, c->sandbox_id);
    text_copy(c->spec.hostname, sizeof c->spec.hostname, "sandbox");
    if (!sandbox_write_lease(s, err) && !op_work(op, start, c, err))
        return 0;
    sandbox_abandon(s);
    return -1;
}

static enum op_state intended(struct op *op, const struct wake *wake)
{
    struct create *c = op->data;
    (void)wake;
    c->acting_boot_ms = clock_boot_ms();
    c->status = "failure";
    c->is_over = begin(op, &c->err);
    if (c->is_over)
        op_fail(op, &c->err);
    return OP_ACTING;
}

static void answer(struct op *op)
{
    struct create *c = op->data;
    struct sandbox_created out = {.limits = c->limits, .unenforced = c->unenforced};
    text_copy(out.sandbox_id, sizeof out.sandbox_id, c->sandbox_id);
    text_copy(out.verdict_id, sizeof out.verdict_id, c->judgement.verdict.verdict_id);
    op_answer(op, &message_sandbox_created, &out);
    c->status = "success";
}

/* Takes over what the worker started. A sandbox that somebody ended meanwhile is ended now. */
static void adopt(struct op *op, struct sandbox *s)
{
    struct create *c = op->data;
    struct err err;
    c->unenforced_names = bytes_open(NAMES_BYTES);
    bytes_close(&s->unenforced_names);
    s->unenforced_names = bytes_open(NAMES_BYTES);
    if (limits_write_names(c->started.unenforced, &c->unenforced_names, &c->unenforced, &err) ||
        limits_write_names(c->started.unenforced, &s->unenforced_names, &s->lease.unenforced, &err))
        service_fail("sandbox.names", &err);
    if (sandbox_adopt(s, &c->started, &err)) {
        op_fail(op, &err);
        s->state = SANDBOX_ENDING;
        sandbox_end(s, "sandbox_gone", "adopt", NULL);
    } else if (s->cause[0]) {
        err_set(&err, ERR_STATE, "the sandbox was ended while it started: %s", s->cause);
        op_fail(op, &err);
        sandbox_end(s, s->cause, s->rule, NULL);
    } else {
        answer(op);
    }
}

static enum op_state acting(struct op *op, const struct wake *wake)
{
    struct create *c = op->data;
    if (wake->reason == WAKE_ENTERED)
        return c->is_over ? OP_RESULTED : OP_ACTING;
    if (wake->reason != WAKE_DONE)
        return OP_ACTING;
    struct sandbox *s = sandbox_find(manager_of(op), c->sandbox_id);
    if (c->failed) {
        log_warn("sandbox.start_failed sandbox=%s error=\"%s\"", c->sandbox_id, c->err.text);
        op_fail(op, &c->err);
        sandbox_abandon(s);
    } else {
        adopt(op, s);
    }
    return OP_RESULTED;
}

static void fill_denial(const struct create *c, struct event *result)
{
    judge_fill(&c->judgement, result);
    if (c->volumes)
        result->mounts = c->volumes->kept;
}

static enum op_state resulted(struct op *op, const struct wake *wake)
{
    const struct sandbox_create *in = op->request;
    struct create *c = op->data;
    struct err err;
    if (wake->reason == WAKE_DURABLE)
        return OP_REPLIED;
    if (wake->reason != WAKE_ENTERED)
        return OP_RESULTED;
    struct event result = {.phase = "result", .tags = in->tags, .unenforced = c->unenforced};
    text_copy(result.agent, sizeof result.agent, in->agent);
    text_copy(result.sandbox_id, sizeof result.sandbox_id, c->sandbox_id);
    text_copy(result.status, sizeof result.status, c->status ? c->status : "denied");
    if (!c->status)
        fill_denial(c, &result); /* it is its own intent */
    else
        result.duration_ms = clock_boot_ms() - c->acting_boot_ms;
    manager_fill_agent(op, &result);
    if (c->is_over || c->failed)
        text_copy(result.detail, sizeof result.detail, c->err.text);
    if (op_record(op, &result, true, &err))
        service_fail("journal.refused",
                     &err); /* the restart finds the intent and says what became of it */
    return OP_RESULTED;
}

static void close_create(struct op *op)
{
    struct create *c = op->data;
    judgement_close(&c->judgement);
    volumes_free(&c->volumes);
    bytes_close(&c->unenforced_names);
}

const struct op_kind op_create = {
    .operation = "sandbox_create",
    .request = &message_sandbox_create,
    .answer = &message_sandbox_created,
    .roles = ROLE_AGENT | ROLE_OPERATOR | ROLE_ADMIN,
    .data_bytes = sizeof(struct create),
    .step = {[OP_RECEIVED] = received,
             [OP_JUDGED] = judged,
             [OP_INTENDED] = intended,
             [OP_ACTING] = acting,
             [OP_RESULTED] = resulted,
             [OP_REPLIED] = op_step_replied,
             [OP_REFUSED] = op_step_refused},
    .close = close_create,
    .doc = "Makes a sandbox, once the guardian has allowed it.",
};
