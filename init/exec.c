/* exec.c - the life of one exec; see exec.h. */
#include "init/exec.h"
#include "init/look.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Writes what the pipe takes; a child that closed its stdin takes everything and reads nothing. */
static void feed(struct exec *exec)
{
    if (exec->child.in < 0 || !exec->input.len) {
        if (!exec->input_open)
            fd_close(&exec->child.in);
        return;
    }
    ssize_t n = write(exec->child.in, exec->input.data, exec->input.len);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        fd_close(&exec->child.in);
        n = (ssize_t)exec->input.len;
    }
    exec->taken += n;
    bytes_drop(&exec->input, (size_t)n);
    if (!exec->input.len) {
        bytes_close(&exec->input);
        exec->input = bytes_open(FRAME_STDIN_BYTES);
        if (!exec->input_open)
            fd_close(&exec->child.in);
    }
}

int exec_new(uint32_t id, struct exec **out, struct failure *failure)
{
    struct exec *exec = mem_new(1, sizeof *exec);
    if (!exec) {
        *failure = (struct failure){"clone", ENOMEM};
        return -1;
    }
    if (spawn_prepare(&exec->child, failure)) {
        free(exec);
        return -1;
    }
    exec->id = id;
    exec->gated = true;
    exec->input = bytes_open(FRAME_STDIN_BYTES);
    exec->drained_boot_ns = INT64_MAX;
    for (int i = 0; i < 2; i++)
        exec->out[i] = stream_open(exec->child.out[i], 0);
    *out = exec;
    return 0;
}

/* The child finds its gate closed for good, and dies. */
static void turn_away(struct exec *exec, struct failure why)
{
    exec->failure = why;
    fd_close(&exec->child.gate);
}

void exec_order(struct exec *exec, const struct frame_spawn *order)
{
    struct err err;
    struct failure failure;
    exec->ordered = true;
    if (exec->dead)
        return;
    if (bytes_add(&exec->input, order->stdin.data, order->stdin.len, &err)) {
        turn_away(exec, (struct failure){"clone", ENOMEM});
        return;
    }
    if (spawn_order(&exec->child, order, &failure)) {
        turn_away(exec, failure);
        return;
    }
    exec->input_open = order->open_stdin;
    exec->drain_ms = order->drain_ms;
    for (int i = 0; i < 2; i++)
        stream_begin(&exec->out[i], order->window_bytes);
    feed(exec);
}

/* Closes what leads to the child, but for its output and its status. */
static void close_child(struct child *child)
{
    fd_close(&child->gate);
    fd_close(&child->script);
    fd_close(&child->in);
    fd_close(&child->pidfd);
}

/* Lets go of everything that only matters while the manager asks for this exec. */
static void close_pipes(struct exec *exec)
{
    close_child(&exec->child);
    bytes_close(&exec->input);
    stream_close(&exec->out[0]);
    stream_close(&exec->out[1]);
}

void exec_free(struct exec **exec)
{
    if (!*exec)
        return;
    assert((*exec)->dead);
    close_pipes(*exec);
    fd_close(&(*exec)->child.status);
    launch_free(&(*exec)->child.launch);
    free(*exec);
    *exec = NULL;
}

int exec_open_gate(struct exec *exec, struct err *err)
{
    if (exec->dead || exec->failure.stage)
        return 0;
    if (!exec->ordered)
        return err_set(err, ERR_PEER, "exec %u has no order", exec->id);
    if (!exec->gated)
        return err_set(err, ERR_PEER, "the gate of exec %u is open already", exec->id);
    if (write(exec->child.gate, "", 1) == 1)
        exec->gated = false;
    else if (errno != EPIPE) /* dead, though not yet reaped: still gated */
        return err_sys(err, "opening the gate of exec %u", exec->id);
    fd_close(&exec->child.gate);
    return 0;
}

int exec_check(struct exec *exec, const struct frame_check *m, struct err *err)
{
    if (exec->dead || exec->failure.stage)
        return 0;
    if (!exec->ordered || !exec->gated)
        return err_set(err, ERR_PEER, "check: exec %u is not between order and gate", exec->id);
    int error = look_compare(m);
    if (error)
        turn_away(exec, (struct failure){"check", error});
    return 0;
}

int exec_add_input(struct exec *exec, const struct frame_stdin *m, struct err *err)
{
    if (exec->dead)
        return 0;
    if (!exec->input_open)
        return err_set(err, ERR_PEER, "stdin of exec %u is closed", exec->id);
    exec->input_open = !m->eof;
    if (exec->child.in < 0) {
        exec->taken += (int64_t)m->data.len;
        return 0;
    }
    if (bytes_add(&exec->input, m->data.data, m->data.len, err)) {
        if (err->code == ERR_OVERLOADED)
            err->code = ERR_PEER;
        return err_add(err, "stdin of exec %u", exec->id);
    }
    feed(exec);
    return 0;
}

void exec_signal(struct exec *exec, int signo)
{
    if (exec->dead)
        return;
    /* not reaped, so the number is still its own; the group exists once the child called setsid */
    if (kill(-exec->child.pid, signo) && errno == ESRCH)
        kill(exec->child.pid, signo);
}

void exec_forget(struct exec *exec)
{
    exec->id = 0;
    close_pipes(exec);
}

void exec_watch(const struct exec *exec, struct pollfd fds[EXEC_FDS])
{
    for (int i = 0; i < 2; i++)
        fds[i] = (struct pollfd){stream_has_room(&exec->out[i]) ? exec->out[i].fd : -1, POLLIN, 0};
    fds[2] = (struct pollfd){exec->input.len ? exec->child.in : -1, POLLOUT, 0};
    fds[3] = (struct pollfd){exec->child.status, POLLIN, 0};
}

/* A failed step, or end of file: the child has called execve or died and so left init's memory. */
static void read_status(struct exec *exec)
{
    struct failed_step step;
    ssize_t n = read(exec->child.status, &step, sizeof step);
    if (n < 0)
        return;
    if (n == sizeof step) {
        exec->failure = (struct failure){step.at_chdir ? "chdir" : "exec", step.error};
        return; /* end of file comes next */
    }
    fd_close(&exec->child.status);
    launch_free(&exec->child.launch);
}

void exec_react(struct exec *exec, const struct pollfd fds[EXEC_FDS])
{
    for (int i = 0; i < 2; i++)
        if (fds[i].revents)
            stream_fill(&exec->out[i]);
    if (fds[2].revents)
        feed(exec);
    if (fds[3].revents && exec->child.status >= 0)
        read_status(exec);
}

void exec_reaped(struct exec *exec, int wait_status, const struct rusage *usage)
{
    if (exec->child.status >= 0)
        read_status(exec);
    if (exec->gated && !exec->failure.stage)
        exec->failure = (struct failure){"gate", ESRCH};
    exec->dead = true;
    exec->gated = false;
    exec->wait_status = wait_status;
    exec->usage = *usage;
    exec->drained_boot_ns = clock_boot_ns() + exec->drain_ms * MS_NS;
    close_child(&exec->child);
    bytes_close(&exec->input);
}

static bool is_ended(const struct exec *exec)
{
    return exec->dead && exec->out[0].fd < 0 && exec->out[1].fd < 0;
}

int64_t exec_due_boot_ns(const struct exec *exec)
{
    return is_ended(exec) ? INT64_MAX : exec->drained_boot_ns;
}

void exec_settle(struct exec *exec, int64_t now_boot_ns)
{
    if (now_boot_ns < exec->drained_boot_ns)
        return;
    exec->drained_boot_ns = INT64_MAX;
    stream_settle(&exec->out[0]);
    stream_settle(&exec->out[1]);
}

static int speak_end(const struct exec *exec, struct line *line, struct err *err)
{
    if (exec->failure.stage)
        return frame_put_failed(&line->out,
                                &(struct frame_failed){.id = exec->id,
                                                       .stage = view_of(exec->failure.stage),
                                                       .error = exec->failure.error},
                                err);
    const struct rusage *u = &exec->usage;
    bool signalled = WIFSIGNALED(exec->wait_status);
    struct frame_exited m = {
        .id = exec->id,
        .signalled = signalled,
        .status = signalled ? WTERMSIG(exec->wait_status) : WEXITSTATUS(exec->wait_status),
        .user_us = u->ru_utime.tv_sec * 1000000 + u->ru_utime.tv_usec,
        .system_us = u->ru_stime.tv_sec * 1000000 + u->ru_stime.tv_usec,
        .max_rss_kib = u->ru_maxrss,
        .stdout_bytes = exec->out[0].end,
        .stderr_bytes = exec->out[1].end,
        .stdout_dropped_bytes = exec->out[0].dropped,
        .stderr_dropped_bytes = exec->out[1].dropped,
    };
    return frame_put_exited(&line->out, &m, err);
}

int exec_speak(struct exec *exec, struct line *line, bool *spoke, struct err *err)
{
    bool has_more = false;
    for (int i = 0; i < 2; i++) {
        struct stream *s = &exec->out[i];
        struct view chunk = stream_next(s);
        struct frame_output m = {.id = exec->id, .stream = i + 1, .offset = s->sent, .data = chunk};
        if (!chunk.len)
            continue;
        if (frame_put_output(&line->out, &m, err))
            return -1;
        stream_sent(s, chunk.len);
        has_more |= stream_next(s).len > 0;
        *spoke = true;
    }
    if (exec->taken != exec->taken_told) {
        struct frame_taken m = {.id = exec->id, .bytes = exec->taken};
        if (frame_put_taken(&line->out, &m, err))
            return -1;
        exec->taken_told = exec->taken;
        *spoke = true;
    }
    if (has_more || !is_ended(exec) || exec->told)
        return 0;
    if (speak_end(exec, line, err))
        return -1;
    exec->told = true;
    *spoke = true;
    return 0;
}

int exec_announce(struct exec *exec, struct line *line, struct err *err)
{
    struct frame_spawned m = {.id = exec->id};
    return line_pass(line, exec->child.pidfd, err) || frame_put_spawned(&line->out, &m, err) ? -1
                                                                                             : 0;
}

int exec_resume(struct exec *exec, struct line *line, struct err *err)
{
    struct frame_state m = {
        .id = exec->id,
        .gated = exec->gated,
        .dead = exec->dead,
        .stdout_from = exec->out[0].from,
        .stdout_bytes = exec->out[0].end,
        .stderr_from = exec->out[1].from,
        .stderr_bytes = exec->out[1].end,
        .stdin_bytes = exec->taken,
    };
    stream_hold(&exec->out[0]);
    stream_hold(&exec->out[1]);
    exec->taken_told = exec->taken;
    exec->told = false;
    if (!exec->dead && line_pass(line, exec->child.pidfd, err))
        return -1;
    return frame_put_state(&line->out, &m, err);
}
