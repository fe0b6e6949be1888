/* manager.c - the manager's start and end, its heartbeat, what a change of the registry means for
 * running commands. */
#include "manager/manager.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "manager/judge.h"
#include "manager/operations.h"
#include "manager/reconcile.h"
#include "manager/runtime/process.h"
#include "manager/sandbox.h"
#include "service/dispatch.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BEAT_MS = 1000 };

int check_assignments(struct list texts, const char *field, struct err *err)
{
    struct view text;
    while (list_next_text(&texts, &text)) {
        size_t key = 0;
        while (key < text.len && (isalnum(text.data[key]) || strchr("_.-", text.data[key])))
            key++;
        if (!key || key == text.len || text.data[key] != '=' || isdigit(text.data[0]) ||
            strchr(".-", text.data[0]))
            return err_set(err, ERR_INVALID, "%s: \"%.*s\" is not KEY=VALUE", field,
                           (int)(text.len > 64 ? 64 : text.len), (const char *)text.data);
    }
    return 0;
}

void manager_fill_agent(const struct op *op, struct event *event)
{
    SCOPED(registry_release) struct registry *registry = registry_hold(op->service->registry);
    const struct registry_agent *agent = registry_find_agent(registry, op->tenant, event->agent);
    if (agent)
        text_copy(event->agent_version, sizeof event->agent_version, agent->settings.version);
}

static struct thresholds three(int64_t warning, int64_t critical, int64_t kill)
{
    return (struct thresholds){
        .warning_percent = warning, .critical_percent = critical, .kill_percent = kill};
}

void manager_thresholds(const struct config *c, struct lease *lease)
{
    lease->cpu = three(c->monitor.cpu_warning_percent, c->monitor.cpu_critical_percent,
                       c->monitor.cpu_kill_percent);
    lease->memory = three(c->monitor.memory_warning_percent, c->monitor.memory_critical_percent,
                          c->monitor.memory_kill_percent);
    lease->processes = three(c->monitor.pids_warning_percent, c->monitor.pids_critical_percent,
                             c->monitor.pids_kill_percent);
    lease->disk = three(c->monitor.disk_warning_percent, c->monitor.disk_critical_percent,
                        c->monitor.disk_kill_percent);
    static const char *const records[] = {"cpu", "memory", "processes", "disk"};
    for (size_t i = 0; i < COUNT(records); i++)
        schema_mark(&message_lease, lease, records[i]);
}

/* Up to eight letters and digits of the host's name. */
static void make_tag(const char *host, char tag[9])
{
    size_t n = 0;
    for (; *host && n < 8; host++)
        if (isalnum((unsigned char)*host))
            tag[n++] = (char)tolower((unsigned char)*host);
    if (!n)
        tag[n++] = 'h';
    tag[n] = 0;
}

int manager_init_path(char path[256], struct err *err)
{
    ssize_t n = readlink("/proc/self/exe", path, 255);
    char *slash;
    if (n < 0)
        return err_sys(err, "reading /proc/self/exe");
    path[n] = 0;
    slash = strrchr(path, '/');
    if ((size_t)(slash - path) + sizeof "/corral-init" > 256)
        return err_set(err, ERR_CONFIG, "the path of this program is too long");
    strcpy(slash, "/corral-init");
    return access(path, X_OK) ? err_sys(err, "%s", path) : 0;
}

/* The runtime's own directory below --run, which other services' uids may enter: nothing of a
 * sandbox's is theirs. */
static int open_runtime(struct manager *m, struct err *err)
{
    const struct service *s = m->service;
    char init[256], run[RUNTIME_PATH_BYTES], leases[300];
    SCOPED(fd_close) int fd = -1;
    snprintf(run, sizeof run, "%s/s", s->run_path);
    snprintf(leases, sizeof leases, "%s/leases", s->state_path);
    m->runtime = &runtime_process;
    if (mkdir(run, 0700) && errno != EEXIST)
        return err_sys(err, "mkdir %s", run);
    if (dir_open_private(leases, &m->leases, err))
        return service_unusable(err);
    return manager_init_path(init, err) || dir_open_private(run, &fd, err) ||
                   cgroup_host_enter_leaf(err) ||
                   process_open(s->instance, run, init, &m->host, err)
               ? -1
               : 0;
}

static int open_uids(struct manager *m, struct err *err)
{
    const struct config *c = &m->service->config;
    int64_t count = geteuid() == 0 ? c->manager.uid_count : 0;
    return uids_open(c->manager.uid_first, count, &m->uids, err);
}

static void beat(void *context)
{
    struct manager *m = context;
    struct err err;
    if (lease_beat(m->leases, LEASE_MANAGER_ALIVE, &err))
        log_warn("heartbeat.failed error=\"%s\"", err.text);
}

static int start_timers(struct manager *m, struct err *err)
{
    struct loop *loop = m->service->loop;
    beat(m);
    return loop_timer(loop, BEAT_MS, true, beat, m, err) < 0 ||
                   loop_timer(loop, m->service->config.manager.reconcile_ms, true, reconcile_look,
                              m, err) < 0
               ? -1
               : 0;
}

int manager_open(struct service *service, void **state, struct err *err)
{
    struct manager *m = mem_new(1, sizeof *m);
    if (!m)
        return err_set(err, ERR_MEMORY, "no memory for the manager");
    m->service = service;
    m->leases = -1;
    make_tag(service->host, m->tag);
    *state = m; /* manager_close releases what there is */
    service->state = m;
    if (open_runtime(m, err) || open_uids(m, err) || judge_new(service, &m->judge, err) ||
        reconcile_start(m, err) || start_timers(m, err))
        return -1;
    log_info("manager.open runtime=%s cgroups=%s%s%s", m->runtime->name,
             cgroup_mode_name(m->host.cgroups.mode), m->host.cgroups.lacks[0] ? " lacks=" : "",
             m->host.cgroups.lacks);
    return 0;
}

/* Sandboxes outlive the manager: their leases find them again. */
void manager_close(void *state)
{
    struct manager *m = state;
    reconcile_free_look(m);
    for (struct sandbox *s = m->sandboxes; s; s = s->next) {
        s->execs = NULL;        /* their operations are gone */
        s->is_stopping = false; /* no worker is: it waited for one that was free */
        while (s->waiters) {
            struct waiter *next = s->waiters->next;
            free(s->waiters);
            s->waiters = next;
        }
    }
    while (m->sandboxes)
        sandbox_forget(m->sandboxes);
    judge_free(&m->judge);
    facts_close(&m->facts);
    uids_close(&m->uids);
    process_close(&m->host);
    fd_close(&m->leases);
    free(m);
}

/* An operation that must not go on: its agent was revoked. Collected first, because waking changes
 * the list. */
struct revoked {
    const struct registry *registry;
    struct op *op;
    const struct op *after; /* everything up to this one was looked at */
    bool is_past;
};

static bool is_revoked(const struct registry *registry, struct op *op)
{
    if (op->kind != &op_exec || op->state != OP_ACTING)
        return false;
    const struct command_execute *in = op->request;
    struct sandbox *s = sandbox_find(op->service->state, in->sandbox_id);
    return s && !registry_agent_is_approved(registry, s->lease.tenant, s->lease.agent);
}

static void count_revoked(void *context, struct op *op)
{
    struct revoked *r = context;
    if (!r->is_past)
        r->is_past = r->after == op;
    else if (!r->op && is_revoked(r->registry, op))
        r->op = op;
}

/* A cancel never removes an operation at once (its cgroup has to be seen empty first), so the walk
 * can go on behind it. */
void manager_registry_changed(void *state)
{
    struct manager *m = state;
    SCOPED(registry_release) struct registry *registry = registry_hold(m->service->registry);
    struct revoked r = {.registry = registry, .is_past = true};
    do {
        r.op = NULL;
        dispatch_each(m->service->dispatch, count_revoked, &r);
        if (r.op)
            op_wake(r.op, WAKE_CANCEL, "revoked");
        r.after = r.op;
        r.is_past = false;
    } while (r.op);
}

void manager_status(void *state, struct service_status *status)
{
    const struct manager *m = state;
    status->sandboxes = (int64_t)m->sandbox_count;
    schema_mark(&message_service_status, status, "sandboxes");
}
