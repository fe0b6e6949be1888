#include "manager/runtime/launch.h"

#include "base/scope.h"
#include "manager/runtime/command.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child leaves in the shared memory when it fails. */
struct failure {
    const char *step;
    int error;
};

struct child {
    const struct launch *plan;
    int joins[CGROUP_TREES];
    int null_fd;
    volatile struct failure failure;
};

static void __attribute__((noreturn)) give_up(struct child *child, const char *step)
{
    child->failure.step = step;
    child->failure.error = errno;
    syscall(SYS_exit_group, 127);
    __builtin_unreachable();
}

/* Handlers are the manager's and point into it; ignored signals would stay ignored after exec. */
static void reset_signals(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int signo = 1; signo < NSIG; signo++)
        sigaction(signo, &standard, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void show_directories(struct child *child)
{
    if (unshare(CLONE_NEWNS))
        give_up(child, "making a mount namespace");
    if (mount("", "/", "", MS_REC | MS_PRIVATE, NULL))
        give_up(child, "making mounts private");
    if (mount(child->plan->etc, "/etc", "", MS_BIND, NULL))
        give_up(child, "putting the generated /etc in place");
    if (mount(child->plan->door, "/run", "", MS_BIND, NULL))
        give_up(child, "putting the sandbox's directory in place");
    /* Lifts the noexec of Debian's /run from this one mount, for init. In a user namespace the flag
     * may be locked; bwrap will then say that it cannot run init. */
    mount("", "/run", "", MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV, NULL);
}

static void become(struct child *child, uid_t uid)
{
    if (syscall(SYS_setgroups, 0, NULL))
        give_up(child, "dropping supplementary groups");
    if (syscall(SYS_setresgid, uid, uid, uid))
        give_up(child, "changing to the sandbox's gid");
    if (syscall(SYS_setresuid, uid, uid, uid))
        give_up(child, "changing to the sandbox's uid");
}

/* Only 0, 1, 2 and the filter go on. All are duplicated upwards first, so that none is overwritten
 * before it is in place. */
static void place_descriptors(struct child *child)
{
    enum { ABOVE = 16 };
    int null_fd = fcntl(child->null_fd, F_DUPFD_CLOEXEC, ABOVE);
    int words = fcntl(child->plan->words_fd, F_DUPFD_CLOEXEC, ABOVE);
    int filter = fcntl(child->plan->filter_fd, F_DUPFD_CLOEXEC, ABOVE);
    if (null_fd < 0 || words < 0 || filter < 0 || dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 ||
        dup2(words, 2) < 0 || dup2(filter, COMMAND_FILTER_FD) < 0)
        give_up(child, "placing descriptors");
    /* Kernels before 5.11 lack this; every descriptor of ours is close-on-exec anyway. */
    syscall(SYS_close_range, COMMAND_FILTER_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC);
}

static void __attribute__((noreturn)) run_child(struct child *child)
{
    static char *const no_env[] = {NULL};
    const struct launch *plan = child->plan;
    reset_signals();
    if (cgroup_join(child->joins))
        give_up(child, "joining the sandbox's cgroup");
    place_descriptors(child);
    if (plan->uid >= 0) {
        show_directories(child);
        become(child, (uid_t)plan->uid);
    }
    umask(022);
    if (chdir("/"))
        give_up(child, "changing to /");
    syscall(SYS_execve, plan->argv[0], plan->argv, no_env);
    give_up(child, "running bwrap");
}

#if defined(__x86_64__)
enum { STACK_BYTES = 64 * 1024 };

/* clone3 with CLONE_VM needs a stack of its own for the child and so assembly: a C function cannot
 * return twice on two stacks. The child calls run(child), which does not return. */
static long clone_onto(struct clone_args *args, void (*run)(struct child *), struct child *child)
{
    long result;
    register void (*function)(struct child *) __asm__("r8") = run;
    register struct child *argument __asm__("r9") = child;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%r9, %%rdi\n\t"
                     "call *%%r8\n\t"
                     "hlt\n"
                     "1:"
                     : "=a"(result)
                     : "0"(SYS_clone3), "D"(args), "S"(sizeof *args), "r"(function), "r"(argument)
                     : "rcx", "r11", "memory");
    return result;
}

/* The child's stack lies in this frame, which waits until the child has gone on to exec. */
static pid_t spawn_into(int cgroup_fd, struct child *child)
{
    _Alignas(16) uint8_t stack[STACK_BYTES];
    struct clone_args args = {.flags = CLONE_VM | CLONE_VFORK | CLONE_INTO_CGROUP,
                              .exit_signal = SIGCHLD,
                              .stack = (uintptr_t)stack,
                              .stack_size = sizeof stack,
                              .cgroup = (unsigned)cgroup_fd};
    long result = clone_onto(&args, run_child, child);
    if (result < 0)
        errno = (int)-result;
    return result < 0 ? -1 : (pid_t)result;
}
#else
static pid_t spawn_into(int cgroup_fd, struct child *child)
{
    (void)cgroup_fd;
    (void)child;
    errno = ENOSYS;
    return -1;
}
#endif

/* Born into the unified cgroup where the kernel (5.7) and what surrounds us allow it; else joined
 * there. A child that was born there must not join again. */
static pid_t spawn_best(int cgroup_fd, struct child *child)
{
    int join = child->joins[CGROUP_TREE_UNIFIED];
    if (cgroup_fd >= 0) {
        child->joins[CGROUP_TREE_UNIFIED] = -1;
        pid_t pid = spawn_into(cgroup_fd, child);
        child->joins[CGROUP_TREE_UNIFIED] = join;
        if (pid >= 0)
            return pid;
    }
    pid_t pid = vfork();
    if (!pid)
        run_child(child);
    return pid;
}

static pid_t spawn(int cgroup_fd, struct child *child)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = spawn_best(cgroup_fd, child);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return pid;
}

int launch_start(const struct launch *plan, pid_t *pid, struct err *err)
{
    struct child child = {.plan = plan};
    SCOPED(fd_close) int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0)
        return err_sys(err, "opening /dev/null");
    SCOPED(fd_close) int cgroup_fd = -1;
    if (cgroup_open_dir(plan->cgroup, &cgroup_fd, err) ||
        cgroup_open_join(plan->cgroup, child.joins, err))
        return -1;
    child.null_fd = null_fd;
    pid_t started = spawn(cgroup_fd, &child);
    int error = errno;
    for (unsigned tree = 0; tree < CGROUP_TREES; tree++)
        fd_close(&child.joins[tree]);
    errno = error;
    if (started < 0)
        return err_sys(err, "vfork");
    if (child.failure.step) {
        waitpid(started, NULL, 0);
        return err_set(err, ERR_RUNTIME, "%s: %s", child.failure.step,
                       strerror(child.failure.error));
    }
    *pid = started;
    return 0;
}
