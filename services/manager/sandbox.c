/* sandbox.c - the table of sandboxes; see sandbox.h. How one ends is in sandbox_end.c. */
#include "manager/sandbox.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIST_BYTES = 256 * 1024 };

/* Copies a list and makes it point into `bytes`. */
static int keep(struct list *list, struct bytes *bytes, struct err *err)
{
    *bytes = bytes_open(LIST_BYTES);
    if (bytes_add(bytes, list->raw.data, list->raw.len, err))
        return -1;
    list->raw = bytes_view(bytes);
    return 0;
}

static int keep_text(struct view *text, struct bytes *bytes, struct err *err)
{
    *bytes = bytes_open(LIST_BYTES);
    if (bytes_add(bytes, text->data, text->len, err))
        return -1;
    *text = bytes_view(bytes);
    return 0;
}

static int keep_lists(struct sandbox *s, struct err *err)
{
    return keep(&s->lease.env, &s->env, err) || keep(&s->lease.tags, &s->tags, err) ||
                   keep(&s->lease.unenforced, &s->unenforced_names, err) ||
                   keep(&s->lease.cgroups, &s->cgroup_names, err) ||
                   keep(&s->lease.mounts, &s->mounts, err) ||
                   keep_text(&s->lease.rules, &s->rules, err)
               ? -1
               : 0;
}

static void release(struct sandbox *s)
{
    init_link_free(&s->link);
    gate_close(&s->spare);
    bytes_close(&s->env);
    bytes_close(&s->tags);
    bytes_close(&s->unenforced_names);
    bytes_close(&s->cgroup_names);
    bytes_close(&s->mounts);
    bytes_close(&s->rules);
    free(s);
}

/* By id, ascending, so that a page of a list can go on behind an id. */
static void insert(struct manager *m, struct sandbox *s)
{
    struct sandbox **at = &m->sandboxes;
    while (*at && strcmp((*at)->lease.sandbox_id, s->lease.sandbox_id) < 0)
        at = &(*at)->next;
    s->next = *at;
    *at = s;
    m->sandbox_count++;
}

static int take_uid(struct manager *m, struct sandbox *s, struct err *err)
{
    if (s->lease.host_uid) {
        s->host_uid = s->lease.host_uid;
        return uids_mark(&m->uids, s->host_uid, err);
    }
    if (uids_take(&m->uids, &s->host_uid, err))
        return -1;
    s->lease.host_uid = s->host_uid < 0 ? 0 : s->host_uid;
    return 0;
}

int sandbox_check_room(const struct manager *m, struct err *err)
{
    int64_t most = m->service->config.manager.max_sandboxes;
    if ((int64_t)m->sandbox_count < most)
        return 0;
    return err_set(err, ERR_QUOTA, "%zu of %lld sandboxes live on this host; end one first",
                   m->sandbox_count, (long long)most);
}

int sandbox_new(struct manager *m, const struct lease *lease, struct sandbox **sandbox,
                struct err *err)
{
    struct sandbox *s = mem_new(1, sizeof *s);
    if (!s)
        return err_set(err, ERR_MEMORY, "no memory for a sandbox");
    s->manager = m;
    s->lease = *lease;
    s->host_uid = -1;
    if (keep_lists(s, err) || take_uid(m, s, err)) {
        release(s);
        return -1;
    }
    insert(m, s);
    *sandbox = s;
    return 0;
}

void sandbox_forget(struct sandbox *s)
{
    struct manager *m = s->manager;
    assert(!s->execs && !s->waiters && !s->is_stopping);
    uids_give(&m->uids, s->host_uid);
    struct sandbox **at = &m->sandboxes;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    m->sandbox_count--;
    release(s);
}

struct sandbox *sandbox_find(struct manager *m, const char *sandbox_id)
{
    for (struct sandbox *s = m->sandboxes; s; s = s->next)
        if (!strcmp(s->lease.sandbox_id, sandbox_id))
            return s;
    return NULL;
}

/* Absent and not yours answer alike, byte for byte. */
struct sandbox *sandbox_find_for(struct manager *m, const struct call *call, const char *sandbox_id,
                                 struct err *err)
{
    struct sandbox *s = sandbox_find(m, sandbox_id);
    if (s && call_sees(call, s->lease.tenant, s->lease.agent))
        return s;
    err_set(err, ERR_NOT_FOUND, "no sandbox %s", sandbox_id);
    return NULL;
}

int sandbox_join(struct sandbox *s, struct exec *exec, struct op *op, struct err *err)
{
    struct gate gate = s->spare;
    if (!gate.number && gate_ask(s, &gate, err))
        return -1;
    s->spare = (struct gate){0};
    *exec = (struct exec){.gate = gate, .op = op, .next = s->execs};
    s->execs = exec;
    return 0;
}

void sandbox_leave(struct sandbox *s, struct exec *exec)
{
    struct exec **at = &s->execs;
    while (*at != exec)
        at = &(*at)->next;
    *at = exec->next;
}

struct sandbox_handle sandbox_handle(const struct sandbox *s)
{
    struct sandbox_handle h = {.init_pid = (pid_t)s->lease.init_pid,
                               .init_start_ticks = (uint64_t)s->lease.init_start,
                               .launcher_pid = s->launcher_pid,
                               .host_uid = s->host_uid};
    text_copy(h.sandbox_id, sizeof h.sandbox_id, s->lease.sandbox_id);
    if (s->lease.token.len == sizeof h.token)
        memcpy(h.token, s->lease.token.data, sizeof h.token);
    return h;
}

struct sandbox_row sandbox_row(const struct sandbox *s)
{
    static const char *const states[] = {"starting", "running", "ending", "unkillable"};
    struct sandbox_row row = {.created_ns = s->lease.created_ns,
                              .limits = s->lease.limits,
                              .unenforced = s->lease.unenforced,
                              .tags = s->lease.tags,
                              .mounts = s->lease.mounts,
                              .host_uid = s->lease.host_uid,
                              .init_pid = s->lease.init_pid};
    text_copy(row.sandbox_id, sizeof row.sandbox_id, s->lease.sandbox_id);
    text_copy(row.tenant, sizeof row.tenant, s->lease.tenant);
    text_copy(row.agent, sizeof row.agent, s->lease.agent);
    text_copy(row.state, sizeof row.state, states[s->state]);
    text_copy(row.runtime, sizeof row.runtime, s->lease.runtime);
    for (const struct exec *e = s->execs; e; e = e->next)
        row.execs++;
    int64_t left_ns = s->lease.deadline_boot_ns - clock_boot_ns();
    row.lifetime_left_ms = left_ns > 0 ? left_ns / MS_NS : 0;
    return row;
}

int sandbox_write_lease(struct sandbox *s, struct err *err)
{
    return lease_write(s->manager->leases, &s->lease, err);
}

static struct exec *find_exec(struct sandbox *s, uint32_t number)
{
    for (struct exec *e = s->execs; e; e = e->next)
        if (e->gate.number == number)
            return e;
    return NULL;
}

struct gate *sandbox_gate(struct sandbox *s, uint32_t number)
{
    struct exec *e = find_exec(s, number);
    if (e)
        return &e->gate;
    return s->spare.number == number ? &s->spare : NULL;
}

void sandbox_stock(struct sandbox *s)
{
    struct err err;
    if (s->spare.number || s->cgroup.mode == CGROUP_NONE)
        return;
    if (gate_ask(s, &s->spare, &err))
        log_warn("sandbox.stock sandbox=%s error=\"%s\"", s->lease.sandbox_id, err.text);
}

/* It died, or never came. The next command asks for its own, so whoever kills spares from inside
 * costs a command no more than one. */
static void drop_spare(struct sandbox *s)
{
    struct err err;
    struct frame_forget forget = {.id = s->spare.number};
    gate_leave(s->manager->service, &s->spare);
    s->spare = (struct gate){0};
    if (!s->link)
        return;
    if (frame_put_forget(init_link_out(s->link), &forget, &err))
        log_warn("sandbox.stock sandbox=%s error=\"%s\"", s->lease.sandbox_id, err.text);
    else
        init_link_flush(s->link);
}

void sandbox_moved(struct sandbox *s, uint32_t number, const struct err *why)
{
    struct exec *e = find_exec(s, number);
    struct exec_news news = {.kind = NEWS_MOVED, .why = why};
    if (e) {
        op_wake(e->op, WAKE_EVENT, &news);
    } else if (why) {
        log_info("sandbox.spare_lost sandbox=%s why=\"%s\"", s->lease.sandbox_id, why->text);
        drop_spare(s);
        if (why->code == ERR_PEER)
            sandbox_end(s, "sandbox_gone", "init.protocol", NULL);
    }
}

static void on_spawned(struct sandbox *s, struct gate *gate, int pidfd)
{
    struct err err;
    uint32_t number = gate->number;
    if (gate_move(s, gate, pidfd, &err))
        sandbox_moved(s, number, &err);
    else if (gate->state == GATE_READY)
        sandbox_moved(s, number, NULL);
}

/* A command that init still runs and nobody here waits for: left by a manager that died. Its result
 * is in the record as lost, so it must not go on. */
static void end_stray(struct sandbox *s, const struct frame *frame)
{
    struct err err;
    struct cgroup cg;
    if (!cgroup_find_exec(&s->cgroup, frame->id, &cg, &err) && cgroup_kill(&cg, &err))
        log_warn("exec.stray sandbox=%s error=\"%s\"", s->lease.sandbox_id, err.text);
    struct frame_signal kill = {.id = frame->id, .signo = 9};
    struct frame_forget forget = {.id = frame->id};
    if (frame_put_signal(init_link_out(s->link), &kill, &err) ||
        frame_put_forget(init_link_out(s->link), &forget, &err))
        log_warn("exec.stray sandbox=%s error=\"%s\"", s->lease.sandbox_id, err.text);
    else
        init_link_flush(s->link);
}

static void on_seen(struct sandbox *s, const struct frame *frame)
{
    struct err err;
    if (!scripts_seen(s, frame, &err))
        return;
    log_warn("sandbox.peer sandbox=%s error=\"%s\"", s->lease.sandbox_id, err.text);
    sandbox_end(s, "sandbox_gone", "init.protocol", NULL);
}

static void on_frame(void *context, const struct frame *frame, int fd)
{
    struct sandbox *s = context;
    struct gate *gate = frame->id ? sandbox_gate(s, frame->id) : NULL;
    if (gate && frame->kind == FRAME_SPAWNED) {
        on_spawned(s, gate, fd);
        return;
    }
    fd_close(&fd);
    if (frame->kind == FRAME_SEEN) {
        on_seen(s, frame);
        return;
    }
    struct exec_news news = {.kind = NEWS_FRAME, .frame = frame};
    if (gate && gate != &s->spare)
        op_wake(find_exec(s, frame->id)->op, WAKE_EVENT, &news);
    else if (gate && (frame->kind == FRAME_FAILED || frame->kind == FRAME_EXITED))
        drop_spare(s);
    else if (!gate && frame->kind == FRAME_STATE)
        end_stray(s, frame);
}

static void on_closed(void *context, const struct err *why)
{
    struct sandbox *s = context;
    log_info("sandbox.link_closed sandbox=%s why=\"%s\"", s->lease.sandbox_id, why->text);
    init_link_free(&s->link);
    sandbox_end(s, "", "", NULL);
}

int sandbox_adopt(struct sandbox *s, struct sandbox_started *started, struct err *err)
{
    close(started->pidfd); /* the link ends when init does, and pid 1's end is everybody's */
    s->cgroup = started->cgroup;
    s->launcher_pid = started->launcher_pid;
    s->lease.init_pid = started->init_pid;
    s->lease.init_start = (int64_t)started->init_start_ticks;
    memcpy(s->token, started->token, sizeof s->token);
    s->lease.token = (struct view){s->token, sizeof s->token};
    struct init_link_owner owner = {on_frame, on_closed, s};
    bytes_close(&s->cgroup_names);
    s->cgroup_names = bytes_open(LIST_BYTES);
    if (lease_set_cgroup(&s->lease, &s->cgroup, &s->cgroup_names, err) ||
        sandbox_write_lease(s, err) ||
        init_link_new(s->manager->service->loop, started->socket, &owner, &s->link, err)) {
        close(started->socket);
        return -1;
    }
    s->next_exec = started->newest_exec + 1;
    sandbox_stock(s);
    init_link_flush(s->link);
    s->state = SANDBOX_RUNNING;
    s->adopted_boot_ms = clock_boot_ms();
    return 0;
}
