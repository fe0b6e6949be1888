#include "manager/runtime/filter.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/scope.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum { NAME_BYTES = 40 };

/* Allowed whatever the arguments. Names that this libseccomp or architecture lacks are skipped. */
static const char allowed[] =
    /* files */
    "access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 "
    "faccessat faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 "
    "fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock "
    "fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate "
    "ftruncate64 futimesat getcwd getdents getdents64 getxattr inotify_add_watch "
    "inotify_init inotify_init1 inotify_rm_watch ioctl lchown lchown32 lgetxattr link linkat "
    "listxattr llistxattr _llseek lremovexattr lseek lsetxattr lstat lstat64 mkdir mkdirat "
    "mknod mknodat newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev "
    "pwritev2 read readahead readlink readlinkat readv removexattr rename renameat renameat2 "
    "rmdir sendfile sendfile64 setxattr splice stat stat64 statfs statfs64 statx symlink "
    "symlinkat sync sync_file_range sync_file_range2 syncfs tee truncate truncate64 umask "
    "unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice write writev "
    /* memory */
    "arch_prctl brk cachestat get_robust_list madvise membarrier memfd_create mincore mlock "
    "mlock2 mlockall mmap mmap2 mprotect mremap mseal msync munlock munlockall munmap "
    "pkey_alloc pkey_free pkey_mprotect remap_file_pages set_robust_list set_tid_address "
    "set_thread_area get_thread_area map_shadow_stack rseq "
    /* processes, users, signals */
    "alarm capget capset execve execveat exit exit_group fork getcpu getegid getegid32 "
    "geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpgid getpgrp "
    "getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 "
    "getrlimit getrusage getsid gettid getuid getuid32 ioprio_get kill landlock_add_rule "
    "landlock_create_ruleset landlock_restrict_self pause pidfd_open pidfd_send_signal prctl "
    "restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn "
    "rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo "
    "sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr "
    "sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 "
    "sched_yield seccomp setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups "
    "setgroups32 setitimer setpgid setregid setregid32 setresgid setresgid32 setresuid "
    "setresuid32 setreuid setreuid32 setrlimit setsid setuid setuid32 sigaltstack signalfd "
    "signalfd4 sigprocmask sigreturn sysinfo tgkill time times tkill ugetrlimit uname vfork "
    "wait4 waitid waitpid "
    /* time */
    "clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep "
    "clock_nanosleep_time64 gettimeofday nanosleep timer_create timer_delete "
    "timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 "
    "timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 "
    /* waiting, pipes, sockets, System V IPC (in a namespace of its own) */
    "accept accept4 bind connect epoll_create epoll_create1 epoll_ctl epoll_pwait "
    "epoll_pwait2 epoll_wait eventfd eventfd2 futex futex_requeue futex_time64 futex_wait "
    "futex_waitv futex_wake getpeername getsockname getsockopt io_cancel io_destroy "
    "io_getevents io_pgetevents io_setup io_submit ipc listen mq_getsetattr mq_notify "
    "mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 "
    "mq_unlink msgctl msgget msgrcv msgsnd _newselect pipe pipe2 poll ppoll ppoll_time64 "
    "pselect6 pselect6_time64 recv recvfrom recvmmsg recvmmsg_time64 recvmsg select semctl "
    "semget semop semtimedop semtimedop_time64 send sendmmsg sendmsg sendto setsockopt shmat "
    "shmctl shmdt shmget shutdown ";

/* Known and refused: EPERM says "not here", where ENOSYS would say "old kernel". */
static const char refused[] =
    "acct add_key adjtimex bpf chroot clock_adjtime clock_settime delete_module "
    "fanotify_init fanotify_mark finit_module fsconfig fsmount fsopen fspick init_module "
    "ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mbind migrate_pages "
    "modify_ldt mount mount_setattr move_mount move_pages name_to_handle_at "
    "open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root process_madvise "
    "process_mrelease process_vm_readv process_vm_writev ptrace quotactl quotactl_fd reboot "
    "request_key set_mempolicy set_mempolicy_home_node setdomainname sethostname setns "
    "settimeofday swapoff swapon syslog umount umount2 unshare userfaultfd vhangup ";

/* Calls that name a process in their first argument: 0, oneself, or nothing. */
static const char only_oneself[] =
    "prlimit64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler ";

/* Calls whose first argument says what kind of thing the second names; kind 0 or 1 is a process. */
static const struct {
    const char *name;
    scmp_datum_t process;
} only_own_process[] = {{"setpriority", 0}, {"ioprio_set", 1}};

static const scmp_datum_t families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

/* Adds one rule; a call that this architecture does not have needs none. */
static int add(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned count,
               const struct scmp_arg_cmp *conditions)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return 0;
    int failed = seccomp_rule_add_array(filter, action, number, count, conditions);
    return failed == -EDOM ? 0 : failed;
}

/* Takes the next name off a list; false at its end. */
static bool next_name(const char **list, char to[NAME_BYTES])
{
    size_t len = strcspn(*list, " ");
    if (!len)
        return false;
    assert(len < NAME_BYTES);
    memcpy(to, *list, len);
    to[len] = 0;
    *list += len + 1; /* every name has a blank behind it */
    return true;
}

static int add_each(scmp_filter_ctx filter, uint32_t action, const char *list)
{
    char name[NAME_BYTES];
    int failed = 0;
    while (!failed && next_name(&list, name))
        failed = add(filter, action, name, 0, NULL);
    return failed;
}

/* Argument `number` compared with `value`. */
static struct scmp_arg_cmp when(unsigned number, enum scmp_compare how, scmp_datum_t value)
{
    return (struct scmp_arg_cmp){.arg = number, .op = how, .datum_a = value};
}

/* All bits of `mask` in the first argument equal those of `value`. */
static struct scmp_arg_cmp when_masked(scmp_datum_t mask, scmp_datum_t value)
{
    return (struct scmp_arg_cmp){
        .arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

/* Allows `name` when argument `number` has the value, and refuses it with EPERM otherwise. */
static int add_only(scmp_filter_ctx filter, const char *name, unsigned number, scmp_datum_t value)
{
    struct scmp_arg_cmp same = when(number, SCMP_CMP_EQ, value);
    struct scmp_arg_cmp other = when(number, SCMP_CMP_NE, value);
    int failed = add(filter, SCMP_ACT_ALLOW, name, 1, &same);
    return failed ? failed : add(filter, SCMP_ACT_ERRNO(EPERM), name, 1, &other);
}

static int add_own_process(scmp_filter_ctx filter)
{
    int failed = 0;
    char name[NAME_BYTES];
    for (const char *list = only_oneself; !failed && next_name(&list, name);)
        failed = add_only(filter, name, 0, 0);
    for (size_t i = 0; !failed && i < COUNT(only_own_process); i++) {
        struct scmp_arg_cmp own[] = {when(0, SCMP_CMP_EQ, only_own_process[i].process),
                                     when(1, SCMP_CMP_EQ, 0)};
        struct scmp_arg_cmp kind[] = {when(0, SCMP_CMP_NE, only_own_process[i].process)};
        struct scmp_arg_cmp who[] = {when(0, SCMP_CMP_EQ, only_own_process[i].process),
                                     when(1, SCMP_CMP_NE, 0)};
        const char *call = only_own_process[i].name;
        failed = add(filter, SCMP_ACT_ALLOW, call, 2, own);
        failed = failed ? failed : add(filter, SCMP_ACT_ERRNO(EPERM), call, 1, kind);
        failed = failed ? failed : add(filter, SCMP_ACT_ERRNO(EPERM), call, 2, who);
    }
    return failed;
}

/* clone without any namespace flag. The flags are the first argument on all architectures that
 * Corral is built for; clone3 hides them in memory. */
static int add_clone(scmp_filter_ctx filter)
{
    static const scmp_datum_t flags[] = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                         CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};
    scmp_datum_t all = 0;
    int failed = 0;
    for (size_t i = 0; !failed && i < COUNT(flags); i++) {
        struct scmp_arg_cmp has = when_masked(flags[i], flags[i]);
        failed = add(filter, SCMP_ACT_ERRNO(EPERM), "clone", 1, &has);
        all |= flags[i];
    }
    struct scmp_arg_cmp none = when_masked(all, 0);
    return failed ? failed : add(filter, SCMP_ACT_ALLOW, "clone", 1, &none);
}

static int add_sockets(scmp_filter_ctx filter)
{
    struct scmp_arg_cmp beyond = when(0, SCMP_CMP_GT, AF_NETLINK);
    struct scmp_arg_cmp local = when(0, SCMP_CMP_EQ, AF_UNIX);
    int failed = add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), "socket", 1, &beyond);
    for (size_t i = 0; !failed && i < COUNT(families); i++) {
        struct scmp_arg_cmp family = when(0, SCMP_CMP_EQ, families[i]);
        failed = add(filter, SCMP_ACT_ALLOW, "socket", 1, &family);
    }
    return failed ? failed : add(filter, SCMP_ACT_ALLOW, "socketpair", 1, &local);
}

static int add_personality(scmp_filter_ctx filter)
{
    struct scmp_arg_cmp linux_only = when(0, SCMP_CMP_EQ, 0);
    struct scmp_arg_cmp query = when(0, SCMP_CMP_EQ, 0xffffffff);
    int failed = add(filter, SCMP_ACT_ALLOW, "personality", 1, &linux_only);
    return failed ? failed : add(filter, SCMP_ACT_ALLOW, "personality", 1, &query);
}

static int add_all(scmp_filter_ctx filter)
{
    int failed = add_each(filter, SCMP_ACT_ALLOW, allowed);
    failed = failed ? failed : add_each(filter, SCMP_ACT_ERRNO(EPERM), refused);
    failed = failed ? failed : add_own_process(filter);
    failed = failed ? failed : add_clone(filter);
    failed = failed ? failed : add_sockets(filter);
    return failed ? failed : add_personality(filter);
}

static void filter_release(scmp_filter_ctx *filter)
{
    if (*filter)
        seccomp_release(*filter);
}

/* libseccomp writes to a descriptor only: a memfd in between makes the replacement atomic. */
static int export(scmp_filter_ctx filter, const char *path, struct err *err)
{
    enum { PROGRAM_BYTES = 4096 * 8 }; /* BPF_MAXINSNS instructions */
    uint8_t program[PROGRAM_BYTES];
    size_t len;
    SCOPED(fd_close) int fd = memfd_create("seccomp", MFD_CLOEXEC);
    if (fd < 0)
        return err_sys(err, "making a memfd");
    int failed = seccomp_export_bpf(filter, fd);
    if (failed)
        return err_set(err, ERR_RUNTIME, "exporting the seccomp filter: %s", strerror(-failed));
    if (file_read_at(fd, program, sizeof program, 0, &len, err))
        return -1;
    return file_replace_volatile(AT_FDCWD, path, program, len, 0600, err);
}

int filter_write(const char *path, struct err *err)
{
    SCOPED(filter_release) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (!filter)
        return err_set(err, ERR_MEMORY, "making a seccomp filter");
    int failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
    failed = failed ? failed : seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    failed = failed ? failed : add_all(filter);
    if (failed)
        return err_set(err, ERR_RUNTIME, "building the seccomp filter: %s", strerror(-failed));
    return export(filter, path, err);
}
