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
    const struct launch_volume *volume; /* that the uid may not use; otherwise NULL */
};

struct child {
    const struct launch *plan;
    int joins[CGROUP_TREES];
    int null_fd;
    int volumes[LAUNCH_VOLUMES], trees[LAUNCH_VOLUMES]; /* of the plan, out of the way */
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

/* Nothing of the host's /sys is in a sandbox, so the volumes' own mounts are laid there, where
 * bwrap finds them whatever the directories above their places let its uid do. */
static void show_volumes(struct child *child)
{
    const struct launch *plan = child->plan;
    if (plan->volume_count && mount("tmpfs", COMMAND_VOLUMES, "tmpfs",
                                    MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=256k"))
        give_up(child, "making room for volumes");
    for (size_t i = 0; i < plan->volume_count; i++) {
        char path[] = COMMAND_VOLUMES "/0";
        path[sizeof path - 2] = (char)('a' + i);
        int file = -1;
        if (plan->volumes[i].is_directory
                ? mkdir(path, 0700)
                : (file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
            give_up(child, "making a place for a volume");
        if (file >= 0)
            close(file);
        if (syscall(SYS_move_mount, child->trees[i], "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH))
            give_up(child, "putting a volume in place");
    }
}

/* By now the child is what the sandbox will be on this host. */
static void check_volumes(struct child *child)
{
    const struct launch *plan = child->plan;
    for (size_t i = 0; i < plan->volume_count; i++) {
        const struct launch_volume *v = &plan->volumes[i];
        int read = v->is_directory ? R_OK | X_OK : R_OK;
        bool may_read =
            !syscall(SYS_faccessat2, child->volumes[i], "", read, AT_EMPTY_PATH | AT_EACCESS);
        if (may_read && (!v->is_writable || !syscall(SYS_faccessat2, child->volumes[i], "", W_OK,
                                                     AT_EMPTY_PATH | AT_EACCESS)))
            continue;
        child->failure.volume = v;
        give_up(child, may_read ? "write" : "read");
    }
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

/* Puts the volumes' descriptors where nothing is placed, then, for bwrap, where it is told. */
static void place_volumes(struct child *child, int above)
{
    const struct launch *plan = child->plan;
    for (size_t i = 0; i < plan->volume_count; i++) {
        const struct launch_volume *v = &plan->volumes[i];
        child->volumes[i] = fcntl(v->fd, F_DUPFD_CLOEXEC, above);
        child->trees[i] = v->tree < 0 ? -1 : fcntl(v->tree, F_DUPFD_CLOEXEC, above);
        if (child->volumes[i] < 0 || (v->tree >= 0 && child->trees[i] < 0))
            give_up(child, "placing the descriptors of volumes");
    }
    for (size_t i = 0; plan->uid < 0 && i < plan->volume_count; i++)
        if (dup2(child->volumes[i], COMMAND_VOLUME_FD + (int)i) < 0)
            give_up(child, "placing the descriptors of volumes");
}

/* Only 0, 1, 2, the filter and, where bwrap binds them itself, the volumes go on. All are
 * duplicated upwards first, so that none is overwritten before it is in place. */
static void place_descriptors(struct child *child)
{
    enum { ABOVE = 64 };
    const struct launch *plan = child->plan;
    int null_fd = fcntl(child->null_fd, F_DUPFD_CLOEXEC, ABOVE);
    int words = fcntl(child->plan->words_fd, F_DUPFD_CLOEXEC, ABOVE);
    int filter = fcntl(child->plan->filter_fd, F_DUPFD_CLOEXEC, ABOVE);
    if (null_fd < 0 || words < 0 || filter < 0)
        give_up(child, "placing descriptors");
    place_volumes(child, ABOVE);
    if (dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(words, 2) < 0 ||
        dup2(filter, COMMAND_FILTER_FD) < 0)
        give_up(child, "placing descriptors");
    /* Kernels before 5.11 lack this; every descriptor of ours is close-on-exec anyway. */
    unsigned kept = plan->uid < 0 ? (unsigned)plan->volume_count : 0;
    syscall(SYS_close_range, COMMAND_VOLUME_FD + kept, ~0U, CLOSE_RANGE_CLOEXEC);
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
        show_volumes(child);
        become(child, (uid_t)plan->uid);
    }
    check_volumes(child);
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

/* Why the child gave up. */
static int explain(const struct child *child, struct err *err)
{
    const struct launch_volume *v = child->failure.volume;
    const char *step = child->failure.step, *why = strerror(child->failure.error);
    if (!v)
        return err_set(err, ERR_RUNTIME, "%s: %s", step, why);
    return err_set(err, ERR_STATE, "the volume %.120s: uid %lld of the sandbox may not %s it: %s",
                   v->host_path, (long long)(child->plan->uid < 0 ? geteuid() : child->plan->uid),
                   step, why);
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
        return explain(&child, err);
    }
    *pid = started;
    return 0;
}
