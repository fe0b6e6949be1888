#include "manager/runtime/probe.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/scope.h"
#include "init/line.h"
#include "engine/process/pid.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

struct probe {
    struct line line;
    uint32_t number;
    struct cgroup cgroup; /* mode none: the command has none of its own */
    int64_t deadline_boot_ns;
    bool ended;
    struct probe_result result;
};

static void probe_close(struct probe *p)
{
    line_close(&p->line);
}

static int say_spawn(struct probe *p, const char *line, struct err *err)
{
    static const char env[] = "PATH=/usr/bin:/bin";
    SCOPED(bytes_close) struct bytes argv = bytes_open(4096);
    if (bytes_addf(&argv, err, "sh%c-c%c%s", 0, 0, line))
        return -1;
    struct frame_spawn spawn = {.id = p->number,
                                .argv = {argv.data, argv.len + 1},
                                .env = {(const uint8_t *)env, sizeof env},
                                .cwd = view_of("/workspace"),
                                .script_arg = -1};
    return frame_put_spawn(&p->line.out, &spawn, err);
}

static int move_and_open(struct probe *p, struct err *err)
{
    SCOPED(fd_close) int pidfd = line_take_fd(&p->line);
    pid_t pid;
    if (pidfd < 0)
        return err_set(err, ERR_PEER, "init sent no pidfd");
    if (p->cgroup.mode != CGROUP_NONE &&
        (pid_of_pidfd(pidfd, &pid, err) || cgroup_add(&p->cgroup, pid, err)))
        return -1;
    struct frame_open_gate gate = {.id = p->number};
    return frame_put_open_gate(&p->line.out, &gate, err);
}

static int on_exited(struct probe *p, const struct frame *frame, struct err *err)
{
    struct frame_exited exited;
    if (frame_get_exited(frame, &exited, err))
        return -1;
    p->ended = true;
    p->result.signalled = exited.signalled;
    p->result.status = (int)exited.status;
    struct frame_forget forget = {.id = p->number};
    return frame_put_forget(&p->line.out, &forget, err);
}

static int on_failed(const struct frame *frame, struct err *err)
{
    struct frame_failed failed;
    if (frame_get_failed(frame, &failed, err))
        return -1;
    return err_set(err, ERR_RUNTIME, "%.*s: %s", (int)failed.stage.len,
                   (const char *)failed.stage.data, strerror((int)failed.error));
}

/* Answers every whole frame that is there. What belongs to no command of ours is skipped. */
static int listen_to(struct probe *p, struct err *err)
{
    for (;;) {
        struct frame frame;
        if (line_next(&p->line, &frame, err))
            return -1;
        if (frame.kind == FRAME_NONE)
            return 0;
        if (frame.id != p->number)
            continue;
        int failed = frame.kind == FRAME_SPAWNED  ? move_and_open(p, err)
                     : frame.kind == FRAME_EXITED ? on_exited(p, &frame, err)
                     : frame.kind == FRAME_FAILED ? on_failed(&frame, err)
                                                  : 0;
        if (failed)
            return -1;
    }
}

static int wait_io(const struct probe *p, struct err *err)
{
    int64_t left = p->deadline_boot_ns - clock_boot_ns();
    if (left <= 0)
        return err_set(err, ERR_DEADLINE, "the command did not end in time");
    struct timespec timeout = {left / S_NS, left % S_NS};
    struct pollfd fd = {p->line.fd, p->line.out.len ? POLLIN | POLLOUT : POLLIN, 0};
    if (ppoll(&fd, 1, &timeout, NULL) < 0 && errno != EINTR)
        return err_sys(err, "waiting for init");
    return 0;
}

static int converse(struct probe *p, struct err *err)
{
    for (;;) {
        if (line_flush(&p->line, err))
            return -1;
        if (p->ended && !p->line.out.len)
            return 0;
        if (wait_io(p, err) || line_receive(&p->line, err) || listen_to(p, err))
            return -1;
    }
}

static void measure(struct probe *p)
{
    struct err ignored;
    struct cgroup_meter meter;
    if (cgroup_meter_open(&p->cgroup, &meter, &ignored))
        return;
    cgroup_meter_read(&meter, &p->result.usage, &ignored);
    cgroup_meter_close(&meter);
}

static int clear_away(const struct probe *p, struct err *err)
{
    if (p->cgroup.mode == CGROUP_NONE)
        return 0;
    return cgroup_kill(&p->cgroup, err) ||
                   cgroup_wait_empty(&p->cgroup, p->deadline_boot_ns, err) ||
                   cgroup_remove(&p->cgroup, p->deadline_boot_ns, err)
               ? -1
               : 0;
}

int probe_run(const struct sandbox_started *sandbox, uint32_t number, const char *line,
              int64_t deadline_boot_ns, struct probe_result *out, struct err *err)
{
    struct err ignored;
    int socket = fcntl(sandbox->socket, F_DUPFD_CLOEXEC, 0);
    if (socket < 0)
        return err_sys(err, "duplicating init's socket");
    SCOPED(probe_close)
    struct probe p = {.number = number,
                      .deadline_boot_ns = deadline_boot_ns,
                      .result.usage = {-1, -1, -1, -1, -1, -1, -1},
                      .line = line_open(socket)};
    if (sandbox->cgroup.mode != CGROUP_NONE &&
        cgroup_make_exec(&sandbox->cgroup, number, &p.cgroup, err))
        return -1;
    if (say_spawn(&p, line, err) || converse(&p, err)) {
        clear_away(&p, &ignored);
        return -1;
    }
    measure(&p);
    if (clear_away(&p, err))
        return -1;
    *out = p.result;
    return 0;
}
