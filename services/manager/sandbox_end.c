/* sandbox_end.c - how a sandbox ends: killed at once, proved dead by a worker, recorded, forgotten;
 * see sandbox.h. */
#include "manager/judge.h"
#include "manager/sandbox.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 50 };

/* A worker's view of the end: nothing of the loop's is touched there. */
struct ending {
    struct manager *manager;
    char sandbox_id[41];
    struct sandbox_handle handle;
    struct cgroup cgroup;
    int64_t timeout_ms;
    bool failed;
    struct err err;
};

/* Unkillable ones are frozen, so that at least nothing in them goes on. */
static void stop(void *context)
{
    struct ending *e = context;
    struct err err;
    int64_t deadline = clock_boot_ns() + e->timeout_ms * MS_NS;
    e->failed = e->manager->runtime->stop(&e->manager->host, &e->handle, deadline, &e->err);
    if (e->failed && cgroup_freeze(&e->cgroup, true, clock_boot_ns() + S_NS, &err))
        log_warn("sandbox.freeze sandbox=%s error=\"%s\"", e->sandbox_id, err.text);
}

static void wake_execs(struct sandbox *s)
{
    while (s->execs) { /* each operation leaves the list when it is woken */
        struct exec *e = s->execs;
        struct exec_news news = {.kind = NEWS_OVER, .cause = s->cause, .rule = s->rule};
        op_wake(e->op, WAKE_EVENT, &news);
        assert(s->execs != e);
    }
}

static void wake_lookers(struct sandbox *s)
{
    while (s->lookers) {
        struct scripts *looker = s->lookers;
        struct op *op = looker->op;
        struct exec_news news = {.kind = NEWS_OVER, .cause = s->cause, .rule = s->rule};
        s->lookers = looker->next;
        looker->sandbox = NULL;
        looker->next = NULL;
        op_wake(op, WAKE_EVENT, &news);
    }
}

static void wake_waiters(struct sandbox *s, const struct sandbox_over *over)
{
    while (s->waiters) {
        struct waiter *w = s->waiters;
        struct sandbox_over news = *over;
        s->waiters = w->next;
        op_wake(w->op, WAKE_EVENT, &news);
        free(w);
    }
}

static void record(struct sandbox *s, const char *kind, const char *status, const char *detail)
{
    struct event event = {.phase = "event", .tags = s->lease.tags};
    text_copy(event.kind, sizeof event.kind, kind);
    text_copy(event.status, sizeof event.status, status);
    text_copy(event.tenant, sizeof event.tenant, s->lease.tenant);
    text_copy(event.agent, sizeof event.agent, s->lease.agent);
    text_copy(event.sandbox_id, sizeof event.sandbox_id, s->lease.sandbox_id);
    text_copy(event.cause, sizeof event.cause, s->cause);
    text_copy(event.rule, sizeof event.rule, s->rule);
    text_copy(event.detail, sizeof event.detail, detail);
    event.duration_ms = clock_boot_ms() - s->end_boot_ms;
    service_event(s->manager->service, &event, true);
}

static void on_stopped(void *context)
{
    struct ending *e = context;
    struct sandbox *s = sandbox_find(e->manager, e->sandbox_id);
    struct sandbox_over over = {.is_dead = !e->failed, .err = e->err};
    struct err err;
    assert(s && s->is_stopping); /* an ending sandbox stays in the table until here */
    text_copy(over.sandbox_id, sizeof over.sandbox_id, e->sandbox_id);
    s->is_stopping = false;
    s->launcher_pid = 0; /* reaped, or given up */
    wake_execs(s);
    wake_lookers(s);
    if (e->failed) {
        log_error("sandbox.unkillable sandbox=%s error=\"%s\"", e->sandbox_id, e->err.text);
        if (s->state != SANDBOX_UNKILLABLE)
            record(s, "sandbox_unkillable", "failure", e->err.text);
        s->state = SANDBOX_UNKILLABLE;
        wake_waiters(s, &over);
    } else {
        log_info("sandbox.ended sandbox=%s cause=%s rule=%s", e->sandbox_id, s->cause, s->rule);
        record(s, "sandbox_ended", "success", "");
        judge_tell_gone(e->manager->judge, e->sandbox_id);
        wake_waiters(s, &over);
        if (lease_remove(e->manager->leases, e->sandbox_id, &err))
            log_error("lease.kept sandbox=%s error=\"%s\"", e->sandbox_id, err.text);
        sandbox_forget(s);
    }
    free(e);
}

void sandbox_abandon(struct sandbox *s)
{
    struct err err;
    struct sandbox_over over = {.is_dead = true};
    text_copy(over.sandbox_id, sizeof over.sandbox_id, s->lease.sandbox_id);
    wake_waiters(s, &over);
    if (lease_remove(s->manager->leases, s->lease.sandbox_id, &err))
        log_error("lease.kept sandbox=%s error=\"%s\"", s->lease.sandbox_id, err.text);
    sandbox_forget(s);
}

/* Hands the proof of death to a worker; when all are busy, soon again. The kill itself has been
 * done. */
static void start_stop(void *context)
{
    struct sandbox *s = context;
    struct manager *m = s->manager;
    struct err err;
    struct ending *e = mem_new(1, sizeof *e);
    if (e) {
        *e = (struct ending){.manager = m,
                             .handle = sandbox_handle(s),
                             .cgroup = s->cgroup,
                             .timeout_ms = m->service->config.manager.kill_timeout_ms};
        text_copy(e->sandbox_id, sizeof e->sandbox_id, s->lease.sandbox_id);
        if (!workers_run(m->service->workers, stop, on_stopped, e, &err))
            return;
        free(e);
    }
    if (loop_timer(m->service->loop, RETRY_MS, false, start_stop, s, &err) < 0)
        service_fail("sandbox.stop", &err);
}

/* Whoever killed has marked why; without a mark it was the deadline, or it is simply gone. */
static void find_cause(struct sandbox *s, const char *cause, const char *rule)
{
    struct kill_mark mark;
    struct err err;
    if (!lease_read_mark(s->manager->leases, s->lease.sandbox_id, &mark, &err)) {
        text_copy(s->cause, sizeof s->cause, mark.cause);
        text_copy(s->rule, sizeof s->rule, mark.rule);
    } else if (*cause) {
        text_copy(s->cause, sizeof s->cause, cause);
        text_copy(s->rule, sizeof s->rule, rule);
    } else if (clock_boot_ns() >= s->lease.deadline_boot_ns) {
        text_copy(s->cause, sizeof s->cause, "timeout");
        text_copy(s->rule, sizeof s->rule, "lifetime");
    } else {
        text_copy(s->cause, sizeof s->cause, "sandbox_gone");
    }
}

static void mark(struct sandbox *s)
{
    struct err err;
    struct kill_mark m = {.wall_ns = clock_wall_ns()};
    text_copy(m.cause, sizeof m.cause, s->cause);
    text_copy(m.rule, sizeof m.rule, s->rule);
    if (lease_mark(s->manager->leases, s->lease.sandbox_id, &m, &err))
        log_warn("lease.unmarked sandbox=%s error=\"%s\"", s->lease.sandbox_id, err.text);
}

void sandbox_end(struct sandbox *s, const char *cause, const char *rule, struct op *op)
{
    struct err err;
    if (op) {
        struct waiter *w = mem_new(1, sizeof *w);
        if (!w) {
            err_set(&err, ERR_MEMORY, "no memory for a waiter");
            service_fail("sandbox.end", &err);
        }
        *w = (struct waiter){op, s->waiters};
        s->waiters = w;
    }
    if (!s->cause[0]) {
        s->end_boot_ms = clock_boot_ms();
        find_cause(s, cause, rule);
        mark(s);
    }
    if (s->is_stopping || s->state == SANDBOX_STARTING)
        return; /* a start under way ends when its worker comes back and sees the cause */
    if (s->state != SANDBOX_UNKILLABLE)
        s->state = SANDBOX_ENDING;
    if (s->cgroup.mode != CGROUP_NONE && cgroup_kill(&s->cgroup, &err))
        log_warn("sandbox.kill sandbox=%s error=\"%s\"", s->lease.sandbox_id, err.text);
    s->is_stopping = true;
    start_stop(s);
}
