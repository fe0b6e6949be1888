/* monitor.c - see monitor.h. */
#include "monitor/monitor.h"

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
    struct monitor *m = context;
    struct event event = {.kind = "lease_ignored", .phase = "event", .status = "failure"};
    text_copy(event.sandbox_id, sizeof event.sandbox_id, sandbox_id);
    text_copy(event.detail, sizeof event.detail, why);
    log_warn("lease.ignored sandbox=%s why=\"%s\"", sandbox_id, why);
    service_event(m->service, &event, false);
}

/* What is known stays watched while the directory cannot be read. */
static void sync_table(struct monitor *m)
{
    struct err err;
    bool was_blind = m->is_blind;
    m->is_blind = table_sync(&m->table, &err);
    if (m->is_blind && !was_blind)
        log_error("leases.unread error=\"%s\"", err.text);
    if (!m->is_blind && was_blind)
        log_info("leases.read again");
}

static void tell(struct monitor *m, const struct watched *w, const struct finding *f)
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
    service_event(m->service, &event, false);
}

static void judge(struct monitor *m, struct watched *w, const struct look *look)
{
    struct finding found[FINDINGS_MAX], fatal;
    size_t count = rules_judge(&w->rules, look, &w->alarms, found);
    for (size_t i = 0; i < count; i++)
        tell(m, w, &found[i]);
    if (rules_kill(&w->rules, look, &fatal) && watched_is_alive(w)) {
        struct kill_reason reason = kill_reason_of(&fatal, look->boot_ns);
        kill_start(m, w, &reason);
    } else if (look->boot_ns > w->deadline_boot_ns + (int64_t)GRACE_MS * MS_NS &&
               watched_is_alive(w)) {
        struct kill_reason reason = {
            .cause = "timeout", .rule = "lifetime", .metric = "", .trigger_boot_ns = look->boot_ns};
        kill_start(m, w, &reason);
    }
}

static void look(void *context)
{
    struct monitor *m = context;
    sync_table(m);
    int64_t begun = clock_boot_ns();
    for (size_t i = 0; i < m->table.count; i++) {
        struct watched *w = m->table.rows[i];
        if (w->state == WATCHED_LIVE)
            judge(m, w, watched_look(w, clock_boot_ns()));
        else if (w->state == WATCHED_UNKILLABLE && clock_boot_ns() >= w->retry_boot_ns)
            kill_try(m, w);
    }
    log_debug("monitor.look sandboxes=%zu us=%lld", m->table.count,
              (long long)(clock_boot_ns() - begun) / 1000);
}

static void beat(void *context)
{
    struct monitor *m = context;
    struct err err;
    if (lease_beat(m->leases, LEASE_MONITOR_ALIVE, &err))
        log_warn("heartbeat.failed error=\"%s\"", err.text);
}

/* Which names changed does not matter: the pass over the directory is cheap. */
static void on_change(void *context)
{
    struct monitor *m = context;
    char events[4096];
    while (read(m->changes, events, sizeof events) > 0)
        ;
    sync_table(m);
}

/* Without inotify a new sandbox is seen at the next look. */
static void watch_directory(struct monitor *m, const char *path)
{
    struct err err;
    m->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (m->changes >= 0 && inotify_add_watch(m->changes, path, IN_MOVED_TO | IN_DELETE) >= 0 &&
        !loop_watch_fd(m->service->loop, m->changes, on_change, m, &err))
        return;
    log_warn("leases.unwatched error=\"no inotify\"");
    fd_close(&m->changes);
}

static int start(struct monitor *m, struct err *err)
{
    char path[300];
    struct loop *loop = m->service->loop;
    snprintf(path, sizeof path, "%s/leases", m->service->state_path);
    if (dir_open_private(path, &m->leases, err))
        return err_add(err, "lease directory");
    m->table.leases = m->leases;
    watch_directory(m, path);
    beat(m);
    look(m);
    return loop_timer(loop, BEAT_MS, true, beat, m, err) < 0 ||
                   loop_timer(loop, m->service->config.monitor.interval_ms, true, look, m, err) < 0
               ? -1
               : 0;
}

int monitor_open(struct service *service, void **state, struct err *err)
{
    struct monitor *m = mem_new(1, sizeof *m);
    if (!m)
        return err_set(err, ERR_MEMORY, "no memory for the monitor");
    *m = (struct monitor){.service = service,
                          .table = {.leases = -1,
                                    .history = (size_t)service->config.monitor.history,
                                    .ignored = on_ignored,
                                    .context = m},
                          .leases = -1,
                          .changes = -1};
    *state = m; /* monitor_close releases what there is */
    service->state = m;
    return start(m, err);
}

void monitor_close(void *state)
{
    struct monitor *m = state;
    if (m->changes >= 0)
        loop_end_fd(m->service->loop, m->changes);
    fd_close(&m->changes);
    table_close(&m->table);
    fd_close(&m->leases);
    free(m);
}

void monitor_status(void *state, struct service_status *status)
{
    const struct monitor *m = state;
    status->sandboxes = (int64_t)table_live(&m->table);
    schema_mark(&message_service_status, status, "sandboxes");
}
