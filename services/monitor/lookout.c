/* lookout.c - see lookout.h. */
#include "monitor/lookout.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "monitor/kill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    BEAT_MS = 1000,
    GRACE_MS = 2000 /* what a sandbox's init gets to end itself at its deadline */
};

static void on_ignored(void *context, const char *sandbox_id, const char *why)
{
    struct lookout *l = context;
    struct event event = {.kind = "lease_ignored", .phase = "event", .status = "failure"};
    text_copy(event.sandbox_id, sizeof event.sandbox_id, sandbox_id);
    text_copy(event.detail, sizeof event.detail, why);
    log_warn("lease.ignored sandbox=%s why=\"%s\"", sandbox_id, why);
    service_event(l->service, &event, false);
}

/* What is known stays watched while the directory cannot be read. */
static void sync_table(struct lookout *l)
{
    struct err err;
    bool was_blind = l->is_blind;
    l->is_blind = table_sync(&l->table, &err);
    if (l->is_blind && !was_blind)
        log_error("leases.unread error=\"%s\"", err.text);
    if (!l->is_blind && was_blind)
        log_info("leases.read again");
}

static void tell(struct lookout *l, const struct watched *w, const struct finding *f)
{
    struct event event = {.kind = "resource_exceeded",
                          .phase = "event",
                          .value = metric_shown(f->metric, f->value),
                          .limit = metric_shown(f->metric, f->limit)};
    bool is_off = f->value < 0; /* its threshold was taken away, and nothing was measured */
    if (is_off)
        event.value = 0;
    text_copy(event.status, sizeof event.status, f->is_cleared ? "success" : "failure");
    text_copy(event.metric, sizeof event.metric, metric_name(f->metric));
    rule_name(event.rule, f->metric, f->level);
    snprintf(event.detail, sizeof event.detail, "%s",
             f->is_cleared ? "below the threshold again" : "over the threshold");
    if (!is_off)
        schema_mark(&message_event, &event, "value");
    log_info("alarm.%s sandbox=%s rule=%s value=%lld limit=%lld",
             f->is_cleared ? "cleared" : "raised", w->sandbox_id, event.rule,
             (long long)event.value, (long long)event.limit);
    text_copy(event.sandbox_id, sizeof event.sandbox_id, w->sandbox_id);
    text_copy(event.tenant, sizeof event.tenant, w->tenant);
    text_copy(event.agent, sizeof event.agent, w->agent);
    service_event(l->service, &event, false);
}

static void look_at(struct lookout *l, struct watched *w)
{
    struct look seen = watched_look(w, clock_boot_ns());
    struct finding found[FINDINGS_MAX], fatal;
    size_t count = rules_judge(&w->rules, &seen, &w->alarms, found);
    for (size_t i = 0; i < count; i++)
        tell(l, w, &found[i]);
    if (rules_kill(&w->rules, &seen, &fatal) && watched_is_alive(w)) {
        struct kill_reason reason = kill_reason_of(&fatal, seen.boot_ns);
        kill_start(l, w, &reason);
    } else if (seen.boot_ns > w->deadline_boot_ns + (int64_t)GRACE_MS * MS_NS &&
               watched_is_alive(w)) {
        struct kill_reason reason = {
            .cause = "timeout", .rule = "lifetime", .metric = "", .trigger_boot_ns = seen.boot_ns};
        kill_start(l, w, &reason);
    }
}

static void look(void *context)
{
    struct lookout *l = context;
    int64_t begun = clock_boot_ns();
    sync_table(l);
    for (size_t i = 0; i < l->table.count; i++) {
        struct watched *w = l->table.rows[i];
        if (w->state == WATCHED_LIVE)
            look_at(l, w);
        else if (w->state == WATCHED_UNKILLABLE && clock_boot_ns() >= w->retry_boot_ns)
            kill_try(l, w);
    }
    log_debug("monitor.look sandboxes=%zu us=%lld", l->table.count,
              (long long)(clock_boot_ns() - begun) / 1000);
}

static void beat(void *context)
{
    struct lookout *l = context;
    struct err err;
    if (lease_beat(l->leases, LEASE_MONITOR_ALIVE, &err))
        log_warn("heartbeat.failed error=\"%s\"", err.text);
}

/* Which names changed does not matter: the pass over the directory is cheap. */
static void on_change(void *context)
{
    struct lookout *l = context;
    char events[4096];
    while (read(l->changes, events, sizeof events) > 0)
        ;
    sync_table(l);
}

/* Without inotify a new sandbox is seen at the next look. */
static void watch_directory(struct lookout *l, const char *path)
{
    struct err err;
    l->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (l->changes >= 0 && inotify_add_watch(l->changes, path, IN_MOVED_TO | IN_DELETE) >= 0 &&
        !loop_watch_fd(l->service->loop, l->changes, on_change, l, &err))
        return;
    log_warn("leases.unwatched error=\"no inotify\"");
    fd_close(&l->changes);
}

static int start(struct lookout *l, struct err *err)
{
    char path[300];
    struct loop *loop = l->service->loop;
    snprintf(path, sizeof path, "%s/leases", l->service->state_path);
    if (dir_open_private(path, &l->leases, err))
        return err_add(err, "lease directory");
    l->table.leases = l->leases;
    watch_directory(l, path);
    beat(l);
    look(l);
    return loop_timer(loop, BEAT_MS, true, beat, l, err) < 0 ||
                   loop_timer(loop, l->service->config.monitor.interval_ms, true, look, l, err) < 0
               ? -1
               : 0;
}

int lookout_open(struct service *service, void **state, struct err *err)
{
    struct lookout *l = mem_new(1, sizeof *l);
    if (!l)
        return err_set(err, ERR_MEMORY, "no memory for the monitor");
    *l = (struct lookout){.service = service,
                          .table = {.leases = -1,
                                    .history = (size_t)service->config.monitor.history,
                                    .ignored = on_ignored,
                                    .context = l},
                          .leases = -1,
                          .changes = -1};
    *state = l; /* lookout_close releases what there is */
    service->state = l;
    return start(l, err);
}

void lookout_close(void *state)
{
    struct lookout *l = state;
    if (l->changes >= 0)
        loop_end_fd(l->service->loop, l->changes);
    fd_close(&l->changes);
    table_close(&l->table);
    fd_close(&l->leases);
    free(l);
}

void lookout_status(void *state, struct service_status *status)
{
    const struct lookout *l = state;
    status->sandboxes = (int64_t)table_live(&l->table);
    schema_mark(&message_service_status, status, "sandboxes");
}
