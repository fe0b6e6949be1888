/* reconcile.c - see reconcile.h. */
#include "manager/reconcile.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "manager/sandbox.h"
#include "service/dispatch.h"
#include "service/ledger.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RELINK_MS = 5000, REPLY_BYTES = 4096 };

/* Writes the result that a dead manager could not, and keeps it for the client that asks again. */
static void record_result(struct manager *m, const struct event *intent, const char *status,
                          const char *cause, bool is_ok, const struct message *message,
                          const void *answer)
{
    struct err err;
    struct bytes reply = bytes_open(REPLY_BYTES);
    struct event result = *intent;
    result.present = 0;
    result.verdict = (struct verdict){0};
    result.act_hash = (struct view){0};
    result.command = (struct view){0};
    result.mounts = (struct list){0};
    text_copy(result.phase, sizeof result.phase, "result");
    text_copy(result.status, sizeof result.status, status);
    text_copy(result.cause, sizeof result.cause, cause);
    text_copy(result.answer, sizeof result.answer, is_ok ? "ok" : "error");
    if (schema_encode(message, answer, &reply, &err))
        service_fail("reconcile.answer", &err);
    result.reply = bytes_view(&reply);
    service_event(m->service, &result, true);
    dispatch_restore(m->service->dispatch, &result, clock_wall_ns());
    bytes_close(&reply);
}

static void record_lost(struct manager *m, const struct event *intent)
{
    struct failure failure = {.code = "lost"};
    snprintf(failure.text, sizeof failure.text,
             "the manager died while this %s ran; whether it took effect is not known",
             intent->kind);
    log_warn("intent.lost kind=%s op=%s sandbox=%s", intent->kind, intent->op_id,
             intent->sandbox_id);
    record_result(m, intent, "failure", "lost", false, &message_failure, &failure);
}

static void record_created(struct manager *m, const struct event *intent, const struct sandbox *s)
{
    struct sandbox_created created = {.limits = s->lease.limits, .unenforced = s->lease.unenforced};
    text_copy(created.sandbox_id, sizeof created.sandbox_id, s->lease.sandbox_id);
    text_copy(created.verdict_id, sizeof created.verdict_id, intent->verdict.verdict_id);
    record_result(m, intent, "success", "", true, &message_sandbox_created, &created);
}

/* A sandbox being found again, with the create that waits for it, if its result is missing. */
struct relink {
    struct manager *manager;
    char sandbox_id[41];
    struct sandbox_handle handle;
    int64_t life_deadline_boot_ns;
    struct bytes intent; /* an encoded event; empty: none */
    struct sandbox_started started;
    bool failed;
    struct err err;
};

static void relink(void *context)
{
    struct relink *r = context;
    struct manager *m = r->manager;
    int64_t deadline = clock_boot_ns() + (int64_t)RELINK_MS * MS_NS;
    if (!r->handle.init_pid)
        r->failed = err_set(&r->err, ERR_NOT_FOUND, "it had not started");
    else
        r->failed = m->runtime->relink(&m->host, &r->handle, r->life_deadline_boot_ns, deadline,
                                       &r->started, &r->err);
}

static void settle_create(struct relink *r, const struct sandbox *s)
{
    struct event intent;
    struct err err;
    if (!r->intent.len)
        return;
    if (schema_decode(&message_event, bytes_view(&r->intent), SCHEMA_LENIENT, &intent, &err))
        service_fail("reconcile.intent", &err);
    if (s)
        record_created(r->manager, &intent, s);
    else
        record_lost(r->manager, &intent);
}

static void relinked(void *context)
{
    struct relink *r = context;
    struct manager *m = r->manager;
    struct err err;
    struct sandbox *s = sandbox_find(m, r->sandbox_id);
    assert(s && s->state == SANDBOX_STARTING);
    if (r->failed)
        log_warn("sandbox.not_relinked sandbox=%s error=\"%s\"", r->sandbox_id, r->err.text);
    if (!r->failed && !sandbox_adopt(s, &r->started, &err)) {
        log_info("sandbox.relinked sandbox=%s", r->sandbox_id);
        settle_create(r, s);
        if (s->cause[0])
            sandbox_end(s, s->cause, s->rule, NULL);
    } else {
        settle_create(r, NULL);
        s->state = SANDBOX_ENDING;
        sandbox_end(s, "", "", NULL);
    }
    bytes_close(&r->intent);
    free(r);
}

/* What start-up reads before it acts. */
struct start {
    struct manager *manager;
    struct bytes creates; /* intents of creates, encoded one behind the other */
    struct list create_list;
    struct err err;
    bool failed;
};

/* Commands are lost with the manager that watched them; creates wait for what the leases say. */
static int take_intent(void *context, const struct event *intent, struct err *err)
{
    struct start *start = context;
    if (!strcmp(intent->kind, "sandbox_create"))
        return list_add(&start->creates, &start->create_list, &message_event, intent, err);
    record_lost(start->manager, intent);
    return 0;
}

static int find_create(const struct start *start, const char *sandbox_id, struct bytes *to,
                       struct err *err)
{
    struct list rest = start->create_list;
    struct event intent;
    while (list_next(&rest, &message_event, &intent))
        if (!strcmp(intent.sandbox_id, sandbox_id))
            return schema_encode(&message_event, &intent, to, err);
    return 0;
}

static int start_relink(struct start *start, struct sandbox *s, struct err *err)
{
    struct manager *m = start->manager;
    struct relink *r = mem_new(1, sizeof *r);
    if (!r)
        return err_set(err, ERR_MEMORY, "no memory to find a sandbox again");
    *r = (struct relink){.manager = m,
                         .handle = sandbox_handle(s),
                         .life_deadline_boot_ns = s->lease.deadline_boot_ns,
                         .intent = bytes_open(64 * 1024)};
    text_copy(r->sandbox_id, sizeof r->sandbox_id, s->lease.sandbox_id);
    if (!find_create(start, r->sandbox_id, &r->intent, err) &&
        !workers_run(m->service->workers, relink, relinked, r, err))
        return 0;
    bytes_close(&r->intent);
    free(r);
    return -1;
}

/* A lease that another boot wrote, or that nobody can read: what it speaks of is no more. */
static void drop_lease(struct manager *m, const char *sandbox_id, const struct lease *lease,
                       const char *why)
{
    struct err err;
    struct event event = {
        .kind = "sandbox_ended", .phase = "event", .status = "failure", .cause = "lost"};
    text_copy(event.sandbox_id, sizeof event.sandbox_id, sandbox_id);
    text_copy(event.detail, sizeof event.detail, why);
    if (lease) {
        text_copy(event.tenant, sizeof event.tenant, lease->tenant);
        text_copy(event.agent, sizeof event.agent, lease->agent);
    }
    log_warn("lease.dropped sandbox=%s why=\"%s\"", sandbox_id, why);
    service_event(m->service, &event, true);
    if (lease_remove(m->leases, sandbox_id, &err))
        log_error("lease.kept sandbox=%s error=\"%s\"", sandbox_id, err.text);
}

static void take_lease(void *context, const char *sandbox_id)
{
    struct start *start = context;
    struct manager *m = start->manager;
    struct lease_file file;
    struct sandbox *s;
    struct err err;
    if (lease_read(m->leases, sandbox_id, &file, &err)) {
        drop_lease(m, sandbox_id, NULL, err.text);
        return;
    }
    if (!lease_is_of_this_boot(&file.lease)) {
        drop_lease(m, sandbox_id, &file.lease, "the host has been restarted since");
    } else if (sandbox_new(m, &file.lease, &s, &start->err)) {
        start->failed = true;
    } else {
        if (file.lease.token.len == sizeof s->token)
            memcpy(s->token, file.lease.token.data, sizeof s->token);
        s->lease.token = (struct view){s->token, file.lease.token.len ? sizeof s->token : 0};
        if (lease_cgroup(&file.lease, &s->cgroup, &err))
            s->cgroup = (struct cgroup){.mode = CGROUP_NONE}; /* the runtime finds it by its name */
        start->failed = start->failed || start_relink(start, s, &start->err);
    }
    lease_close(&file);
}

/* Creates that left no lease left nothing. */
static void settle_rest(struct start *start)
{
    struct list rest = start->create_list;
    struct event intent;
    while (list_next(&rest, &message_event, &intent))
        if (!sandbox_find(start->manager, intent.sandbox_id))
            record_lost(start->manager, &intent);
}

int reconcile_start(struct manager *m, struct err *err)
{
    struct start start = {.manager = m, .creates = bytes_open(64 * 1024 * 1024)};
    struct db *db = projection_db(m->service->projection);
    int failed = ledger_restore(db, m->service->dispatch, err) ||
                 ledger_each_open(db, take_intent, &start, err) ||
                 lease_each(m->leases, take_lease, &start, err);
    if (!failed && start.failed) {
        *err = start.err;
        failed = -1;
    }
    if (!failed)
        settle_rest(&start);
    bytes_close(&start.creates);
    if (failed)
        return err_add(err, "reconciling with the last life");
    reconcile_look(m);
    return 0;
}

/* Ids that the runtime found traces of. */
struct look {
    struct manager *manager;
    int64_t started_boot_ms;
    char (*ids)[SANDBOX_ID_BYTES];
    size_t count, room;
    bool failed;
    struct err err;
};

static void add_id(void *context, const char *sandbox_id)
{
    struct look *l = context;
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 64;
        void *ids = mem_resize(l->ids, room * sizeof l->ids[0]);
        if (!ids) {
            l->failed = err_set(&l->err, ERR_MEMORY, "no memory for a list of sandboxes");
            return;
        }
        l->ids = ids;
        l->room = room;
    }
    text_copy(l->ids[l->count++], SANDBOX_ID_BYTES, sandbox_id);
}

static bool has_id(const struct look *l, const char *sandbox_id)
{
    for (size_t i = 0; i < l->count; i++)
        if (!strcmp(l->ids[i], sandbox_id))
            return true;
    return false;
}

static void list(void *context)
{
    struct look *l = context;
    if (l->manager->runtime->list(&l->manager->host, add_id, l, &l->err))
        l->failed = true;
}

/* An orphan on its way out. */
struct orphan {
    struct manager *manager;
    struct sandbox_handle handle;
    bool failed;
    struct err err;
};

static void stop_orphan(void *context)
{
    struct orphan *o = context;
    int64_t timeout_ms = o->manager->service->config.manager.kill_timeout_ms;
    o->failed = o->manager->runtime->stop(&o->manager->host, &o->handle,
                                          clock_boot_ns() + timeout_ms * MS_NS, &o->err);
}

static void orphan_stopped(void *context)
{
    struct orphan *o = context;
    struct event event = {.kind = "sandbox_orphan", .phase = "event"};
    text_copy(event.sandbox_id, sizeof event.sandbox_id, o->handle.sandbox_id);
    text_copy(event.status, sizeof event.status, o->failed ? "failure" : "success");
    text_copy(event.detail, sizeof event.detail, o->failed ? o->err.text : "killed and removed");
    log_warn("sandbox.orphan sandbox=%s %s", o->handle.sandbox_id, event.detail);
    service_event(o->manager->service, &event, true);
    free(o);
}

/* The next look finds again what could not be handed to a worker now. */
static void end_orphan(struct manager *m, const char *sandbox_id)
{
    struct err err;
    struct orphan *o = mem_new(1, sizeof *o);
    if (!o)
        return;
    *o = (struct orphan){.manager = m, .handle = {.host_uid = -1}};
    text_copy(o->handle.sandbox_id, sizeof o->handle.sandbox_id, sandbox_id);
    if (workers_run(m->service->workers, stop_orphan, orphan_stopped, o, &err))
        free(o);
}

/* Unknown ids count once they are seen twice: one may have ended between the worker's look and now.
 */
static void compare(struct manager *m, struct look *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (!sandbox_find(m, l->ids[i]) && (!m->last_look || has_id(m->last_look, l->ids[i])))
            end_orphan(m, l->ids[i]);
    for (struct sandbox *s = m->sandboxes, *next; s; s = next) {
        next = s->next;
        bool is_unkillable = s->state == SANDBOX_UNKILLABLE && !s->is_stopping;
        bool was_there = s->state == SANDBOX_RUNNING && s->adopted_boot_ms < l->started_boot_ms;
        if (is_unkillable || (was_there && !has_id(l, s->lease.sandbox_id)))
            sandbox_end(s, "sandbox_gone", "missing", NULL);
    }
}

void reconcile_free_look(struct manager *m)
{
    if (!m->last_look)
        return;
    free(m->last_look->ids);
    free(m->last_look);
    m->last_look = NULL;
}

static void looked(void *context)
{
    struct look *l = context;
    struct manager *m = l->manager;
    m->is_looking = false;
    if (l->failed) {
        log_warn("reconcile.look error=\"%s\"", l->err.text);
        free(l->ids);
        free(l);
        return;
    }
    compare(m, l);
    reconcile_free_look(m);
    m->last_look = l;
}

void reconcile_look(void *manager)
{
    struct manager *m = manager;
    struct err err;
    struct look *l = m->is_looking ? NULL : mem_new(1, sizeof *l);
    if (!l)
        return;
    l->manager = m;
    l->started_boot_ms = clock_boot_ms();
    m->is_looking = !workers_run(m->service->workers, list, looked, l, &err);
    if (!m->is_looking)
        free(l);
}
