/* watched.c - see watched.h. */
#include "monitor/watched.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "engine/process/pid.h"
#include "monitor/workspace.h"

#include <stdlib.h>

enum { STRETCH_MS = 50 }; /* half of the shortest interval */

struct watched *watched_new(const char *sandbox_id, size_t history)
{
    struct watched *w = mem_new(1, sizeof *w);
    if (!w)
        return NULL;
    text_copy(w->sandbox_id, sizeof w->sandbox_id, sandbox_id);
    w->workspace = -1;
    w->before_usec = -1;
    w->history.bound = history;
    return w;
}

void watched_release(struct watched *w)
{
    if (w->is_metered)
        cgroup_meter_close(&w->meter);
    w->is_metered = false;
    w->before_usec = -1;
    fd_close(&w->workspace);
}

void watched_free(struct watched **watched)
{
    struct watched *w = *watched;
    if (!w)
        return;
    watched_release(w);
    history_close(&w->history);
    free(w);
    *watched = NULL;
}

/* A host that shows less than all is measured as far as it goes. */
static void open_measures(struct watched *w)
{
    struct err err;
    watched_release(w);
    if (workspace_open(w->init_pid, w->init_start, &w->workspace, &err))
        log_debug("workspace.unseen sandbox=%s error=\"%s\"", w->sandbox_id, err.text);
    if (w->cgroup.mode == CGROUP_NONE)
        return;
    w->is_metered = !cgroup_meter_open(&w->cgroup, &w->meter, &err);
    w->is_stale = !w->is_metered;
}

static void take(struct watched *w, const struct lease *lease)
{
    text_copy(w->tenant, sizeof w->tenant, lease->tenant);
    text_copy(w->agent, sizeof w->agent, lease->agent);
    w->deadline_boot_ns = lease->deadline_boot_ns;
    w->init_pid = (pid_t)lease->init_pid;
    w->init_start = (uint64_t)lease->init_start;
    w->rules = rules_of(lease);
}

int watched_load(struct watched *w, const struct lease *lease, struct err *err)
{
    struct cgroup cgroup = {.mode = CGROUP_NONE};
    bool is_started = lease->init_pid != 0;
    if (is_started && lease_cgroup(lease, &cgroup, err)) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        watched_release(w);
        is_started = false;
        w->is_stale = true;
    } else {
        w->is_stale = false;
    }
    take(w, lease);
    if (is_started && w->state != WATCHED_DEAD) {
        w->cgroup = cgroup;
        open_measures(w);
        if (w->state < WATCHED_LIVE)
            w->state = WATCHED_LIVE;
    } else if (w->state < WATCHED_LIVE) {
        w->state = WATCHED_STARTING;
    }
    return 0;
}

/* Looks that follow close on each other (a stopped monitor catches up) share one stretch: the
 * kernel counts in steps, and a step over next to no time would be a wild figure. */
static void read_cpu(struct watched *w, int64_t usec, struct look *look)
{
    if (w->before_usec >= 0 && look->boot_ns - w->before_boot_ns < (int64_t)STRETCH_MS * MS_NS)
        return;
    look->value[METRIC_CPU] = cpu_between(w->before_usec, w->before_boot_ns, usec, look->boot_ns);
    w->before_usec = usec;
    w->before_boot_ns = look->boot_ns;
}

/* Files that vanish under us: the sandbox ends, or its cgroup is another one now. Its lease tells.
 */
static void read_meter(struct watched *w, struct look *look)
{
    struct err err;
    struct cgroup_usage usage;
    if (cgroup_meter_read(&w->meter, &usage, &err)) {
        log_debug("meter.lost sandbox=%s error=\"%s\"", w->sandbox_id, err.text);
        watched_release(w);
        w->is_stale = true;
        return;
    }
    read_cpu(w, usage.cpu_usec, look);
    look->value[METRIC_MEMORY] = usage.memory_bytes;
    look->value[METRIC_PIDS] = usage.pids;
    if (usage.pids == 0)
        fd_close(&w->workspace); /* dead: it must not keep the memory of its files */
}

struct look watched_look(struct watched *w, int64_t now_boot_ns)
{
    struct err err;
    struct look look = {.boot_ns = now_boot_ns, .value = {-1, -1, -1, -1}};
    if (w->is_metered)
        read_meter(w, &look);
    if (w->workspace >= 0 && workspace_used(w->workspace, &look.value[METRIC_DISK], &err))
        fd_close(&w->workspace);
    history_add(&w->history, &look);
    return look;
}

bool watched_is_alive(const struct watched *w)
{
    struct err err;
    bool populated = true;
    SCOPED(fd_close) int pidfd = -1;
    if (w->cgroup.mode == CGROUP_NONE)
        return !pid_open(w->init_pid, w->init_start, &pidfd, &err);
    return cgroup_populated(&w->cgroup, &populated, &err) || populated;
}
