/* child.c - a service's process; see child.h. */
#include "cli/child.h"

#include "base/clock.h"
#include "base/scope.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_FD = 3, ARGS = 16 };

int child_open(struct child *child, enum part part, const struct child_options *options,
               struct err *err)
{
    *child = (struct child){.part = part, .pidfd = -1, .ready_fd = -1, .log_fds = {-1, -1}};
    if (trail_open(&child->trail, part_name(part), options->to_files ? options->place->state : NULL,
                   err))
        return -1;
    if (pipe2(child->log_fds, O_CLOEXEC) || fcntl(child->log_fds[0], F_SETFL, O_NONBLOCK))
        return err_sys(err, "making a pipe for the %s's log", part_name(part));
    return 0;
}

void child_close(struct child *child)
{
    assert(!child_runs(child));
    fd_close(&child->log_fds[0]);
    fd_close(&child->log_fds[1]);
    trail_close(&child->trail);
}

bool child_runs(const struct child *child)
{
    return child->pidfd >= 0;
}

/* The words of the command line; numbers are printed into `numbers`. */
static void build(const struct child *child, const struct child_options *o, const char *path,
                  char numbers[2][16], const char *argv[ARGS])
{
    const struct place *place = o->place;
    size_t n = 0;
    argv[n++] = path;
    argv[n++] = "--state";
    argv[n++] = place->state;
    argv[n++] = "--run";
    argv[n++] = place->run;
    argv[n++] = "--ready-fd";
    argv[n++] = "3";
    if (o->config_path) {
        argv[n++] = "--config";
        argv[n++] = o->config_path;
    }
    if (place->owner[child->part].uid != geteuid()) {
        snprintf(numbers[0], 16, "%u", (unsigned)place->owner[child->part].uid);
        snprintf(numbers[1], 16, "%u", (unsigned)place->owner[child->part].gid);
        argv[n++] = "--uid";
        argv[n++] = numbers[0];
        argv[n++] = "--gid";
        argv[n++] = numbers[1];
    }
    argv[n] = NULL;
    assert(n < ARGS);
}

/* In the new process: descriptors, signals, a process group of its own (a terminal's ^C is for the
 * supervisor, which ends the services in order), and the program. */
static _Noreturn void become(const struct child *child, int ready, const char *const argv[])
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    int null = open("/dev/null", O_RDONLY);
    if (dup2(null, STDIN_FILENO) < 0 || dup2(child->log_fds[1], STDOUT_FILENO) < 0 ||
        dup2(child->log_fds[1], STDERR_FILENO) < 0)
        _exit(127);
    /* dup2 of a descriptor onto itself would leave it close-on-exec */
    if (ready == READY_FD ? fcntl(ready, F_SETFD, 0) : dup2(ready, READY_FD) < 0)
        _exit(127);
    if (null > READY_FD)
        close(null);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    dprintf(STDERR_FILENO, "cannot start %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

int child_start(struct child *child, const struct child_options *options, struct err *err)
{
    assert(!child_runs(child));
    char path[PATH_MAX], numbers[2][16];
    const char *argv[ARGS];
    snprintf(path, sizeof path, "%s/corral-%s", options->bin, part_name(child->part));
    build(child, options, path, numbers, argv);
    int ready[2];
    if (pipe2(ready, O_CLOEXEC))
        return err_sys(err, "making a pipe for the %s", part_name(child->part));
    pid_t pid = fork();
    if (!pid)
        become(child, ready[1], argv);
    close(ready[1]);
    if (pid < 0) {
        close(ready[0]);
        return err_sys(err, "starting the %s", part_name(child->part));
    }
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        err_sys(err, "opening a pidfd of the %s", part_name(child->part));
        kill(pid, SIGKILL); /* our child, not collected yet: the pid is its */
        waitpid(pid, NULL, 0);
        close(ready[0]);
        return -1;
    }
    child->ready_fd = ready[0];
    child->pidfd = pidfd;
    child->process = process_of(pid);
    child->started_ms = clock_boot_ms();
    child->state = CHILD_STARTING;
    return 0;
}

void child_read_log(struct child *child)
{
    char part[4096];
    ssize_t n;
    while ((n = read(child->log_fds[0], part, sizeof part)) > 0)
        trail_take(&child->trail, part, (size_t)n);
}

bool child_read_ready(struct child *child)
{
    char words[16];
    ssize_t n = read(child->ready_fd, words, sizeof words);
    if (n < 0 && errno == EINTR)
        return false;
    fd_close(&child->ready_fd);
    if (n > 0)
        child->state = CHILD_READY;
    return n > 0;
}

struct child_end child_collect(struct child *child)
{
    siginfo_t info = {0};
    int n;
    do
        n = waitid(P_PID, (id_t)child->process.pid, &info, WEXITED);
    while (n < 0 && errno == EINTR);
    child_read_log(child);
    fd_close(&child->pidfd);
    fd_close(&child->ready_fd);
    child->process = (struct process){0};
    child->state = CHILD_ENDED;
    if (!n && info.si_code == CLD_EXITED)
        return (struct child_end){.exit_code = info.si_status};
    return (struct child_end){.exit_code = -1, .signal = info.si_status};
}

void child_signal(const struct child *child, int signal)
{
    if (child_runs(child))
        syscall(SYS_pidfd_send_signal, child->pidfd, signal, NULL, 0);
}
