/* kill.c - see kill.h. */
#include "monitor/kill.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "engine/process/pid.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

enum { FREEZE_MS = 1000 };

/* A worker's view of a kill, which stays true should the lease go meanwhile. */
struct proof {
    struct lookout *lookout;
    char sandbox_id[41], tenant[65], agent[65];
    struct kill_reason reason;
    struct cgroup cgroup;
    pid_t init_pid;
    uint64_t init_start;
    bool was_frozen; /* by an earlier try */
    int64_t timeout_ms;
    int64_t ended_boot_ns;
    bool failed;
    struct err err;
};

struct kill_reason kill_reason_of(const struct finding *f, int64_t now_boot_ns)
{
    struct kill_reason reason = {.cause = "killswitch",
                                 .metric = metric_name(f->metric),
                                 .value = metric_shown(f->metric, f->value),
                                 .limit = metric_shown(f->metric, f->limit),
                                 .trigger_boot_ns = now_boot_ns};
    rule_name(reason.rule, f->metric, f->level);
    return reason;
}

/* Without a mark the cause would be lost, the kill not: it goes on. */
static void mark(struct lookout *l, const struct watched *w)
{
    struct err err;
    struct kill_mark mark = {
        .value = w->reason.value, .limit = w->reason.limit, .wall_ns = clock_wall_ns()};
    text_copy(mark.cause, sizeof mark.cause, w->reason.cause);
    text_copy(mark.rule, sizeof mark.rule, w->reason.rule);
    text_copy(mark.metric, sizeof mark.metric, w->reason.metric);
    if (lease_mark(l->leases, w->sandbox_id, &mark, &err))
        log_error("kill.unmarked sandbox=%s error=\"%s\"", w->sandbox_id, err.text);
}

static int kill_init(const struct watched *w, struct err *err)
{
    SCOPED(fd_close) int pidfd = -1;
    if (pid_open(w->init_pid, w->init_start, &pidfd, err))
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) && errno != ESRCH)
        return err_sys(err, "killing init %d", (int)w->init_pid);
    return 0;
}

static int wait_init(const struct proof *p, int64_t deadline_boot_ns, struct err *err)
{
    SCOPED(fd_close) int pidfd = -1;
    if (pid_open(p->init_pid, p->init_start, &pidfd, err))
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    return pid_wait_dead(pidfd, deadline_boot_ns, err);
}

static void prove(void *context)
{
    struct proof *p = context;
    struct err err;
    int64_t deadline = clock_boot_ns() + p->timeout_ms * MS_NS;
    bool has_cgroup = p->cgroup.mode != CGROUP_NONE;
    if (has_cgroup && p->was_frozen && cgroup_freeze(&p->cgroup, false, deadline, &err))
        log_warn("kill.thaw sandbox=%s error=\"%s\"", p->sandbox_id, err.text);
    p->failed = has_cgroup ? cgroup_wait_empty(&p->cgroup, deadline, &p->err)
                           : wait_init(p, deadline, &p->err);
    p->ended_boot_ns = clock_boot_ns();
    deadline = clock_boot_ns() + (int64_t)FREEZE_MS * MS_NS;
    if (p->failed && has_cgroup && cgroup_freeze(&p->cgroup, true, deadline, &err))
        log_warn("kill.freeze sandbox=%s error=\"%s\"", p->sandbox_id, err.text);
}

static void record(const struct proof *p, const char *kind)
{
    struct event event = {.phase = "event",
                          .duration_ms = (p->ended_boot_ns - p->reason.trigger_boot_ns) / MS_NS,
                          .value = p->reason.value,
                          .limit = p->reason.limit};
    text_copy(event.kind, sizeof event.kind, kind);
    text_copy(event.sandbox_id, sizeof event.sandbox_id, p->sandbox_id);
    text_copy(event.tenant, sizeof event.tenant, p->tenant);
    text_copy(event.agent, sizeof event.agent, p->agent);
    text_copy(event.status, sizeof event.status, p->failed ? "failure" : "success");
    text_copy(event.cause, sizeof event.cause, p->reason.cause);
    text_copy(event.rule, sizeof event.rule, p->reason.rule);
    text_copy(event.metric, sizeof event.metric, p->reason.metric);
    text_copy(event.detail, sizeof event.detail,
              p->failed ? p->err.text : "nothing in it is alive any more");
    schema_mark(&message_event, &event, "duration_ms");
    service_event(p->lookout->service, &event, true);
}

static void settle(struct watched *w, const struct proof *p)
{
    if (p->failed) {
        w->state = WATCHED_UNKILLABLE;
        w->is_frozen = true;
        w->retry_boot_ns = clock_boot_ns() + (int64_t)RETRY_MS * MS_NS;
    } else {
        w->state = WATCHED_DEAD;
        watched_release(w);
    }
}

static void on_proved(void *context)
{
    struct proof *p = context;
    struct watched *w = table_find(&p->lookout->table, p->sandbox_id);
    if (p->failed)
        log_error("kill.unkillable sandbox=%s error=\"%s\"", p->sandbox_id, p->err.text);
    else
        log_info("kill.proved sandbox=%s rule=%s ms=%lld", p->sandbox_id, p->reason.rule,
                 (long long)(p->ended_boot_ns - p->reason.trigger_boot_ns) / MS_NS);
    if (!p->failed || !p->was_frozen)
        record(p, "kill_switch");
    if (p->failed)
        record(p, "sandbox_unkillable");
    if (w)
        settle(w, p);
    free(p);
}

static struct proof *new_proof(struct lookout *l, const struct watched *w)
{
    struct proof *p = mem_new(1, sizeof *p);
    if (!p)
        return NULL;
    *p = (struct proof){.lookout = l,
                        .reason = w->reason,
                        .cgroup = w->cgroup,
                        .init_pid = w->init_pid,
                        .init_start = w->init_start,
                        .was_frozen = w->is_frozen,
                        .timeout_ms = l->service->config.manager.kill_timeout_ms};
    text_copy(p->sandbox_id, sizeof p->sandbox_id, w->sandbox_id);
    text_copy(p->tenant, sizeof p->tenant, w->tenant);
    text_copy(p->agent, sizeof p->agent, w->agent);
    return p;
}

/* When no worker can be had now, the next look tries again. */
void kill_try(struct lookout *l, struct watched *w)
{
    struct err err;
    if (w->cgroup.mode == CGROUP_NONE ? kill_init(w, &err) : cgroup_kill(&w->cgroup, &err))
        log_error("kill.failed sandbox=%s error=\"%s\"", w->sandbox_id, err.text);
    struct proof *p = new_proof(l, w);
    w->state = WATCHED_KILLING;
    if (p && !workers_run(l->service->workers, prove, on_proved, p, &err))
        return;
    free(p);
    log_warn("kill.unproved sandbox=%s error=\"no worker\"", w->sandbox_id);
    w->state = WATCHED_UNKILLABLE;
    w->retry_boot_ns = clock_boot_ns();
}

void kill_start(struct lookout *l, struct watched *w, const struct kill_reason *reason)
{
    w->reason = *reason;
    mark(l, w);
    log_warn("kill.switch sandbox=%s cause=%s rule=%s value=%lld limit=%lld", w->sandbox_id,
             reason->cause, reason->rule, (long long)reason->value, (long long)reason->limit);
    kill_try(l, w);
}
