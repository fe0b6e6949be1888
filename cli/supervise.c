/* supervise.c - the supervisor's loop; see supervise.h. */
#include "cli/supervise.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    READY_LIMIT_MS = 60000, /* a start that takes longer has failed */
    STOP_PATIENCE_MS = 5000,
    CONFIG_EXIT_CODE = 2,
    FAILED_EXIT_CODE = 125
};

struct supervisor {
    const struct supervise *options;
    struct child children[PARTS];
    int signal_fd;
    int64_t ready_limit_ms; /* when the start has failed */
    bool announced;         /* all were ready */
    bool stopping;
    int stop_at;        /* the part that is asked to end; those above have ended */
    int64_t kill_at_ms; /* when it is killed */
    bool failed;        /* `failure` says why it stops */
    struct err *failure;
};

static int note_pids(struct supervisor *s, struct err *err)
{
    struct uplock lock = {.supervisor = process_of(getpid())};
    for (enum part part = 0; part < PARTS; part++)
        lock.services[part] = s->children[part].process;
    return uplock_write(s->options->lock_fd, &lock, err);
}

/* Asks the next service to end: from manager to audit. */
static void stop_next(struct supervisor *s)
{
    while (s->stop_at >= 0 && !child_runs(&s->children[s->stop_at]))
        s->stop_at--;
    if (s->stop_at < 0)
        return;
    child_signal(&s->children[s->stop_at], SIGTERM);
    s->kill_at_ms = clock_boot_ms() + STOP_PATIENCE_MS;
}

static void stop(struct supervisor *s)
{
    if (s->stopping)
        return;
    s->stopping = true;
    s->stop_at = PARTS - 1;
    stop_next(s);
}

/* Stops everything for what *s->failure says. */
static void fail(struct supervisor *s)
{
    s->failed = true;
    stop(s);
}

static void start(struct supervisor *s, struct child *child)
{
    struct err err;
    if (!child_start(child, &s->options->child, &err)) {
        if (note_pids(s, &err))
            trail_say(&child->trail, "up: %s", err.text);
        return;
    }
    trail_say(&child->trail, "up: %s", err.text); /* no memory or no descriptors: later again */
    child->state = CHILD_PAUSED;
    child->start_at_ms = clock_boot_ms() + BACKOFF_LAST_MS;
}

/* It will not be started again: while starting up that ends the whole. */
static void give_up(struct supervisor *s, struct child *child, enum err_code code, const char *why)
{
    child->state = CHILD_GIVEN_UP;
    if (!s->announced) {
        dprintf(STDERR_FILENO, "the %s's last words:\n", part_name(child->part));
        trail_show(&child->trail);
        err_set(s->failure, code, "the %s %s", part_name(child->part), why);
        fail(s);
        return;
    }
    trail_say(&child->trail, "up: the %s %s; it stays down until the next corral up",
              part_name(child->part), why);
    bool any = false;
    for (enum part part = 0; part < PARTS; part++)
        any |= s->children[part].state != CHILD_GIVEN_UP;
    if (!any)
        stop(s);
}

static void on_end(struct supervisor *s, struct child *child)
{
    int64_t now = clock_boot_ms(), pause = 0;
    struct child_end end = child_collect(child);
    if (s->stopping) {
        stop_next(s);
        return;
    }
    if (end.exit_code >= 0)
        trail_say(&child->trail, "up: the %s ended with exit code %d", child->trail.name,
                  end.exit_code);
    else
        trail_say(&child->trail, "up: the %s ended by signal %d, %s", child->trail.name, end.signal,
                  strsignal(end.signal));
    if (end.exit_code == CONFIG_EXIT_CODE) {
        give_up(s, child, ERR_CONFIG, "refused its configuration");
    } else if (!backoff_next(&child->backoff, now, now - child->started_ms, &pause)) {
        give_up(s, child, ERR_STATE, "ended 5 times within 30 s");
    } else {
        child->state = CHILD_PAUSED;
        child->start_at_ms = now + pause;
    }
}

static void on_ready(struct supervisor *s, struct child *child)
{
    if (!child_read_ready(child) || s->stopping)
        return;
    if (s->announced)
        trail_say(&child->trail, "up: the %s runs again", child->trail.name);
    for (enum part part = 0; part < PARTS; part++)
        if (s->children[part].state != CHILD_READY)
            return;
    if (s->announced)
        return;
    s->announced = true;
    if (s->options->ready(s->options->context, s->failure))
        fail(s);
}

static void on_signal(struct supervisor *s)
{
    struct signalfd_siginfo info;
    if (read(s->signal_fd, &info, sizeof info) != sizeof info)
        return;
    if (info.ssi_signo != SIGHUP) {
        stop(s);
        return;
    }
    for (enum part part = 0; part < PARTS; part++)
        child_signal(&s->children[part], SIGHUP);
}

/* Does what is due; returns when the next thing is, in ms, or -1. */
static int timers(struct supervisor *s)
{
    int64_t now = clock_boot_ms(), next = INT64_MAX;
    if (s->stopping) {
        if (now >= s->kill_at_ms && s->stop_at >= 0) {
            child_signal(&s->children[s->stop_at], SIGKILL);
            s->kill_at_ms = now + STOP_PATIENCE_MS;
        }
        return (int)(s->kill_at_ms - now);
    }
    if (!s->announced && now >= s->ready_limit_ms) {
        err_set(s->failure, ERR_STATE, "not every service became ready within %d s",
                READY_LIMIT_MS / 1000);
        fail(s);
        return 0;
    }
    if (!s->announced)
        next = s->ready_limit_ms;
    for (enum part part = 0; part < PARTS; part++) {
        struct child *child = &s->children[part];
        if (child->state == CHILD_PAUSED && now >= child->start_at_ms)
            start(s, child);
        if (child->state == CHILD_PAUSED && child->start_at_ms < next)
            next = child->start_at_ms;
    }
    return next == INT64_MAX ? -1 : (int)(next - now);
}

static bool any_runs(const struct supervisor *s)
{
    for (enum part part = 0; part < PARTS; part++)
        if (child_runs(&s->children[part]))
            return true;
    return false;
}

static void turn(struct supervisor *s, int wait_ms)
{
    enum { EACH = 3 };
    struct pollfd waits[1 + EACH * PARTS] = {{.fd = s->signal_fd, .events = POLLIN}};
    for (enum part part = 0; part < PARTS; part++) {
        const struct child *c = &s->children[part];
        int fds[EACH] = {c->log_fds[0], c->ready_fd, c->pidfd};
        for (size_t i = 0; i < EACH; i++)
            waits[1 + EACH * part + i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    }
    if (poll(waits, COUNT(waits), wait_ms) <= 0)
        return;
    for (enum part part = 0; part < PARTS; part++) {
        const struct pollfd *own = &waits[1 + EACH * part];
        struct child *child = &s->children[part];
        if (own[0].revents)
            child_read_log(child);
        if (own[1].revents)
            on_ready(s, child);
        if (own[2].revents)
            on_end(s, child);
    }
    if (waits[0].revents)
        on_signal(s);
}

static sigset_t our_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    return signals;
}

/* From here on the loop takes them from a descriptor. */
static int take_signals(int *fd, struct err *err)
{
    sigset_t signals = our_signals();
    sigprocmask(SIG_BLOCK, &signals, NULL);
    *fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return *fd < 0 ? err_sys(err, "signalfd") : 0;
}

/* Everything has ended: another SIGTERM must not change the exit code. */
static void ignore_signals(void)
{
    sigset_t signals = our_signals();
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    sigprocmask(SIG_UNBLOCK, &signals, NULL);
}

static int run(struct supervisor *s, struct err *err)
{
    if (take_signals(&s->signal_fd, err))
        return -1;
    for (enum part part = 0; part < PARTS; part++)
        if (child_open(&s->children[part], part, &s->options->child, err))
            return -1;
    s->ready_limit_ms = clock_boot_ms() + READY_LIMIT_MS;
    for (enum part part = 0; part < PARTS; part++)
        start(s, &s->children[part]);
    while (!s->stopping || any_runs(s))
        turn(s, timers(s));
    if (s->failed)
        return -1;
    for (enum part part = 0; part < PARTS; part++)
        if (s->children[part].state == CHILD_GIVEN_UP)
            return FAILED_EXIT_CODE;
    return 0;
}

int supervise(const struct supervise *options, struct err *err)
{
    struct supervisor *s = mem_new(1, sizeof *s);
    if (!s)
        return err_set(err, ERR_MEMORY, "no memory for the supervisor");
    s->options = options;
    s->failure = err;
    s->signal_fd = -1;
    for (enum part part = 0; part < PARTS; part++)
        s->children[part] =
            (struct child){.pidfd = -1, .ready_fd = -1, .log_fds = {-1, -1}, .trail = {.file = -1}};
    int code = run(s, err);
    ignore_signals();
    for (enum part part = 0; part < PARTS; part++)
        child_close(&s->children[part]);
    fd_close(&s->signal_fd);
    free(s);
    return code;
}
