/* main.c - corral-init, PID 1 of every sandbox: its start and its loop.
 *
 *   corral-init SOCKET_PATH
 *
 * It dials the manager as its first act, makes children at the manager's word (exec.h), passes
 * their output on, reaps whatever dies in the sandbox, and ends itself, and so the sandbox, at its
 * deadline. `--version` and `--help` are for people. Without a connection everything goes on and it
 * dials again. It is one thread in one poll loop; all state is struct init. Exit status: 0 at the
 * deadline, 1 when it could not start, 2 when it was not told a path.
 */
#include "init/init.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

enum {
    FD_LINE,
    FD_SIGNALS,
    FD_DEADLINE,
    FD_WATCH,
    FD_EXECS, /* EXEC_FDS for each exec from here on */
    FDS = FD_EXECS + FRAME_EXECS_MAX * EXEC_FDS
};

static void reap(struct init *init)
{
    struct signalfd_siginfo info;
    while (read(init->signals, &info, sizeof info) > 0) {
        /* SIGCHLD says that somebody died, not how many */
    }
    int status;
    struct rusage usage;
    for (pid_t pid; (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;)
        for (size_t i = 0; i < COUNT(init->execs); i++)
            if (init->execs[i] && !init->execs[i]->dead && init->execs[i]->child.pid == pid)
                exec_reaped(init->execs[i], status, &usage);
}

/* Milliseconds until something is due, rounded up; -1: nothing is. */
static int time_left_ms(const struct init *init)
{
    int64_t due = init->dial.next_boot_ns;
    for (size_t i = 0; i < COUNT(init->execs); i++)
        if (init->execs[i] && exec_due_boot_ns(init->execs[i]) < due)
            due = exec_due_boot_ns(init->execs[i]);
    if (due == INT64_MAX)
        return -1;
    int64_t left = due - clock_boot_ns();
    return left > 0 ? (int)((left + MS_NS - 1) / MS_NS) : 0;
}

static void watch(const struct init *init, struct pollfd fds[FDS])
{
    const struct line *line = &init->line;
    fds[FD_LINE] = (struct pollfd){line->fd, line->out.len ? POLLIN | POLLOUT : POLLIN, 0};
    fds[FD_SIGNALS] = (struct pollfd){init->signals, POLLIN, 0};
    fds[FD_DEADLINE] = (struct pollfd){init->deadline, POLLIN, 0};
    fds[FD_WATCH] = (struct pollfd){init->dial.watch, POLLIN, 0};
    for (size_t i = 0; i < COUNT(init->execs); i++) {
        struct pollfd *at = fds + FD_EXECS + i * EXEC_FDS;
        if (init->execs[i])
            exec_watch(init->execs[i], at);
        else
            for (int k = 0; k < EXEC_FDS; k++)
                at[k] = (struct pollfd){-1, 0, 0};
    }
}

/* Gives up the connection, or takes up a new one. */
static int change_line(struct init *init, int fd, struct err *err)
{
    line_close(&init->line);
    init->is_welcome = false;
    if (fd < 0) {
        dial_begin(&init->dial);
        return 0;
    }
    dial_end(&init->dial);
    init->line = line_open(fd);
    return talk_hello(init, err);
}

static void dial_again(struct init *init)
{
    struct err err;
    int fd = dial_try(&init->dial);
    if (fd >= 0 && change_line(init, fd, &err))
        change_line(init, -1, &err);
}

/* One round of talk with the manager. -1 once there is no reason to live on: init never belonged to
 * anybody. */
static int talk(struct init *init, const struct pollfd *line, struct err *err)
{
    if (init->line.fd < 0)
        return 0;
    if (!(line->revents & (POLLIN | POLLHUP | POLLERR)) || !talk_listen(init, err))
        if (!talk_speak(init, err))
            return 0;
    if (!init->has_token)
        return -1;
    return change_line(init, -1, err);
}

static int run(struct init *init, struct err *err)
{
    struct pollfd fds[FDS];
    for (;;) {
        watch(init, fds);
        if (poll(fds, FDS, time_left_ms(init)) < 0 && errno != EINTR)
            return err_sys(err, "polling");
        if (fds[FD_DEADLINE].revents)
            return 0;
        for (size_t i = 0; i < COUNT(init->execs); i++)
            if (init->execs[i])
                exec_react(init->execs[i], fds + FD_EXECS + i * EXEC_FDS);
        if (fds[FD_SIGNALS].revents)
            reap(init);
        int64_t now = clock_boot_ns();
        for (size_t i = 0; i < COUNT(init->execs); i++)
            if (init->execs[i])
                exec_settle(init->execs[i], now);
        if (fds[FD_WATCH].revents || init->dial.next_boot_ns <= now)
            dial_again(init);
        if (talk(init, &fds[FD_LINE], err))
            return -1;
        if (!init_sweep(init))
            line_trim(&init->line);
    }
}

/* Closes what was inherited but 2, where the log goes, and puts /dev/null on the descriptors that
 * children use, so that nothing else of ours ever lies there. */
static int hold_low_fds(struct err *err)
{
    syscall(SYS_close_range, 3, ~0U, 0);
    SCOPED(fd_close) int null = open("/dev/null", O_RDWR);
    SCOPED(fd_close) int high = fcntl(null, F_DUPFD_CLOEXEC, SPAWN_RESERVED_FDS);
    if (high < 0)
        return err_sys(err, "opening /dev/null");
    for (int fd = 0; fd < SPAWN_RESERVED_FDS; fd++) {
        if (fd == 2 && fcntl(2, F_GETFD) >= 0)
            continue;
        if (dup3(high, fd, fd < SPAWN_SCRIPT_FD ? 0 : O_CLOEXEC) < 0)
            return err_sys(err, "putting /dev/null on descriptor %d", fd);
    }
    fd_take(&null); /* it lies among them */
    return 0;
}

/* Leaves nothing of whoever started init: no descriptors but 2, no handlers, no mask of theirs. */
static int settle_in(int *signals, struct err *err)
{
    if (hold_low_fds(err))
        return -1;
    for (int signo = 1; signo < NSIG; signo++)
        signal(signo, SIG_DFL);
    sigset_t all, child;
    sigfillset(&all);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_SETMASK, &all, NULL);
    *signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (*signals < 0)
        return err_sys(err, "making a signalfd");
    umask(022);
    return 0;
}

static int harden(struct err *err)
{
    if (prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return err_sys(err, "setting undumpable and no_new_privs");
    if (getpid() != 1 && prctl(PR_SET_CHILD_SUBREAPER, 1))
        return err_sys(err, "becoming a subreaper");
    /* rings come from mmap and go back to the kernel; a fixed threshold keeps it so */
    mallopt(M_MMAP_THRESHOLD, FRAME_RING_BYTES / 4);
    return 0;
}

static int start(struct init *init, const char *path, struct err *err)
{
    int fd = -1;
    if (harden(err) || settle_in(&init->signals, err) || dial_open(path, &init->dial, err) ||
        dial_connect(&init->dial, &fd, err))
        return -1;
    init->deadline = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (init->deadline < 0)
        return err_sys(err, "making a timerfd");
    init->started_boot_ns = clock_boot_ns();
    return change_line(init, fd, err);
}

int main(int argc, char **argv)
{
    static struct init init = {.line = {.fd = -1}};
    struct err err;
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        puts("corral-init " CORRAL_VERSION);
        return 0;
    }
    if (argc != 2 || argv[1][0] != '/') {
        bool help = argc == 2 && !strcmp(argv[1], "--help");
        fputs("usage: corral-init SOCKET_PATH   PID 1 of a sandbox, started by corral-manager\n",
              help ? stdout : stderr);
        return help ? 0 : 2;
    }
    if (start(&init, argv[1], &err) || run(&init, &err)) {
        log_error("init.end cause=%s error=%s", err_name(err.code), err.text);
        return 1;
    }
    return 0;
}
