/* gate.c - the way of a child into its cgroup; see gate.h. */
#include "manager/gate.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "engine/process/pid.h"
#include "manager/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int gate_ask(struct sandbox *s, struct gate *gate, struct err *err)
{
    struct gate asked = {.number = s->next_exec, .state = GATE_ASKED};
    struct frame_prepare prepare = {.id = asked.number};
    if (s->cgroup.mode != CGROUP_NONE && frame_put_prepare(init_link_out(s->link), &prepare, err))
        return -1;
    s->next_exec++;
    *gate = asked;
    return 0;
}

/* A child on its way. The sandbox may be over before it is there, so the worker has copies. */
struct move {
    struct manager *manager;
    char sandbox_id[SANDBOX_ID_BYTES];
    pid_t init_pid;
    struct cgroup sandbox;
    int pidfd;
    struct gate gate;
    bool failed;
    struct err err;
};

/* The kernel's word on where a process is: /proc/PID/cgroup names the sandbox in one of its lines.
 */
static bool is_inside(pid_t pid, const char *sandbox_id)
{
    char path[64];
    struct err err;
    SCOPED(bytes_close) struct bytes text = {0};
    snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
    return !file_read(AT_FDCWD, path, 16 * 1024, &text, &err) && text.len &&
           strstr((const char *)text.data, sandbox_id);
}

/* A process that ended meanwhile is in no cgroup any more: that is nobody's lie. */
static bool has_ended(int pidfd)
{
    struct pollfd look = {.fd = pidfd, .events = POLLIN};
    return poll(&look, 1, 0) == 1;
}

static int make_cgroup(struct move *m, struct err *err)
{
    struct gate *gate = &m->gate;
    struct cgroup_usage before;
    if (cgroup_make_exec(&m->sandbox, gate->number, &gate->cgroup, err))
        return -1;
    if (!cgroup_meter_open(&gate->cgroup, &gate->meter, err)) {
        gate->has_cgroup = true;
        if (!cgroup_meter_read(&gate->meter, &before, err)) {
            gate->oom_kills = before.oom_kills;
            return 0;
        }
        cgroup_meter_close(&gate->meter);
        gate->has_cgroup = false;
    }
    struct err ignored;
    cgroup_remove(&gate->cgroup, clock_boot_ns(), &ignored);
    return -1;
}

static void move(void *context)
{
    struct move *m = context;
    pid_t pid;
    m->failed = true;
    if (pid_of_pidfd(m->pidfd, &pid, &m->err))
        return;
    if (!is_inside(pid, m->sandbox_id) || pid == m->init_pid) {
        if (has_ended(m->pidfd))
            err_set(&m->err, ERR_NOT_FOUND, "process %d is gone", (int)pid);
        else
            err_set(&m->err, ERR_PEER, "init gave a process that is not its sandbox's");
        return;
    }
    if (make_cgroup(m, &m->err))
        return;
    if (!cgroup_add(&m->gate.cgroup, pid, &m->err))
        m->failed = false;
    else
        gate_close(&m->gate);
}

/* Nobody may be waiting any more: the sandbox is over, or the command ended at its gate. */
static void moved(void *context)
{
    struct move *m = context;
    struct sandbox *s = sandbox_find(m->manager, m->sandbox_id);
    struct gate *gate = s ? sandbox_gate(s, m->gate.number) : NULL;
    fd_close(&m->pidfd);
    if (gate && !m->failed) {
        *gate = m->gate;
        gate->state = GATE_READY;
    } else if (!m->failed) {
        gate_leave(m->manager->service, &m->gate);
    }
    if (gate)
        sandbox_moved(s, m->gate.number, m->failed ? &m->err : NULL);
    free(m);
}

int gate_move(struct sandbox *s, struct gate *gate, int pidfd, struct err *err)
{
    SCOPED(fd_close) int held = pidfd;
    if (gate->state != GATE_ASKED)
        return err_set(err, ERR_PEER, "init made one child twice");
    if (s->cgroup.mode == CGROUP_NONE) {
        gate->state = GATE_READY;
        return 0;
    }
    struct move *m = mem_new(1, sizeof *m);
    if (!m)
        return err_set(err, ERR_MEMORY, "no memory to move a process");
    *m = (struct move){.manager = s->manager,
                       .init_pid = (pid_t)s->lease.init_pid,
                       .sandbox = s->cgroup,
                       .pidfd = held,
                       .gate = *gate};
    text_copy(m->sandbox_id, sizeof m->sandbox_id, s->lease.sandbox_id);
    if (workers_run(s->manager->service->workers, move, moved, m, err)) {
        free(m);
        return -1;
    }
    fd_take(&held);
    gate->state = GATE_MOVING;
    return 0;
}

void gate_close(struct gate *gate)
{
    struct err err;
    bool populated = true;
    if (!gate->has_cgroup)
        return;
    gate->has_cgroup = false;
    cgroup_meter_close(&gate->meter);
    if (!cgroup_populated(&gate->cgroup, &populated, &err) && !populated &&
        cgroup_remove(&gate->cgroup, clock_boot_ns(), &err))
        log_debug("exec.cgroup_kept path=%s error=\"%s\"", gate->cgroup.path[CGROUP_TREE_UNIFIED],
                  err.text);
}

static void close_copy(void *context)
{
    gate_close(context);
}

void gate_leave(struct service *service, struct gate *gate)
{
    struct err err;
    struct gate *copy = gate->has_cgroup ? mem_new(1, sizeof *copy) : NULL;
    if (copy) {
        *copy = *gate;
        if (!workers_run(service->workers, close_copy, free, copy, &err)) {
            gate->has_cgroup = false;
            return;
        }
        free(copy);
    }
    gate_close(gate);
}
