/* The seccomp filter, felt by a child that is under it. */
#include "manager/runtime/filter.h"

#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef SYS_io_uring_setup
enum { SYS_io_uring_setup = 425 };
#endif

struct trial {
    const char *what;
    long call;
    long args[6];
    int wanted; /* errno; 0: anything but EPERM and ENOSYS */
};

/* Calls that fail for another reason without the filter would prove nothing; each of these either
 * succeeds for root without it, or fails otherwise (EFAULT, EINVAL, EBADF). */
static const struct trial trials[] = {
    {"mount", SYS_mount, {0}, EPERM},
    {"umount2", SYS_umount2, {0}, EPERM},
    {"pivot_root", SYS_pivot_root, {0}, EPERM},
    {"chroot", SYS_chroot, {0}, EPERM},
    {"unshare", SYS_unshare, {CLONE_NEWUSER}, EPERM},
    {"unshare nothing", SYS_unshare, {0}, EPERM},
    {"setns", SYS_setns, {-1}, EPERM},
    {"ptrace", SYS_ptrace, {PTRACE_TRACEME}, EPERM},
    {"process_vm_readv", SYS_process_vm_readv, {1}, EPERM},
    {"process_vm_writev", SYS_process_vm_writev, {1}, EPERM},
    {"pidfd_getfd", SYS_pidfd_getfd, {-1, -1}, EPERM},
    {"kcmp", SYS_kcmp, {1, 1}, EPERM},
    {"bpf", SYS_bpf, {0}, EPERM},
    {"perf_event_open", SYS_perf_event_open, {0}, EPERM},
    {"userfaultfd", SYS_userfaultfd, {-1}, EPERM},
    {"io_uring_setup", SYS_io_uring_setup, {0}, ENOSYS},
    {"keyctl", SYS_keyctl, {0}, EPERM},
    {"add_key", SYS_add_key, {0}, EPERM},
    {"sethostname", SYS_sethostname, {0, -1}, EPERM},
    {"personality without randomisation", SYS_personality, {ADDR_NO_RANDOMIZE}, ENOSYS},
    {"personality of linux", SYS_personality, {PER_LINUX}, 0},
    {"personality query", SYS_personality, {0xffffffff}, 0},
    {"clone3", SYS_clone3, {0}, ENOSYS},
    {"clone of a user namespace", SYS_clone, {CLONE_NEWUSER | SIGCHLD}, EPERM},
    {"clone of a mount namespace", SYS_clone, {CLONE_NEWNS | SIGCHLD}, EPERM},
    {"clone of many", SYS_clone, {CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | SIGCHLD}, EPERM},
    {"prlimit64 of another", SYS_prlimit64, {1, RLIMIT_NOFILE}, EPERM},
    {"prlimit64 of another, in the upper half", SYS_prlimit64, {1L << 32, RLIMIT_NOFILE}, EPERM},
    {"prlimit64 of oneself", SYS_prlimit64, {0, RLIMIT_NOFILE}, 0},
    {"sched_setaffinity of another", SYS_sched_setaffinity, {1}, EPERM},
    {"sched_setscheduler of another", SYS_sched_setscheduler, {1}, EPERM},
    {"setpriority of another", SYS_setpriority, {PRIO_PROCESS, 1, 19}, EPERM},
    {"setpriority of a user", SYS_setpriority, {PRIO_USER, 0, 0}, EPERM},
    {"setpriority of oneself", SYS_setpriority, {PRIO_PROCESS, 0, 1}, 0},
    {"ioprio_set of another", SYS_ioprio_set, {1, 1, 0}, EPERM},
    {"ioprio_set of oneself", SYS_ioprio_set, {1, 0, 0}, 0},
    {"a vsock", SYS_socket, {AF_VSOCK, SOCK_STREAM}, EAFNOSUPPORT},
    {"an af_alg", SYS_socket, {AF_ALG, SOCK_SEQPACKET}, EAFNOSUPPORT},
    {"a family in the upper half", SYS_socket, {(1L << 32) | AF_VSOCK, SOCK_STREAM}, EAFNOSUPPORT},
    {"a unix socket", SYS_socket, {AF_UNIX, SOCK_STREAM}, 0},
    {"an inet socket", SYS_socket, {AF_INET, SOCK_STREAM}, 0},
    {"a call of the future", SYS_io_uring_setup + 100000, {0}, ENOSYS},
    {"getpid", SYS_getpid, {0}, 0},
};

static void put_on(const struct bytes *program)
{
    struct sock_fprog filter = {.len = (unsigned short)(program->len / sizeof(struct sock_filter)),
                                .filter = (struct sock_filter *)program->data};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
        _exit(99);
}

/* Tries one call in a child under the filter; its errno, 0 when it succeeded. */
static int try(const struct bytes *program, const struct trial *trial)
{
    int *result = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(result != MAP_FAILED);
    *result = -1;
    pid_t pid = fork();
    if (!pid) {
        const long *a = trial->args;
        put_on(program);
        long got = syscall(trial->call, a[0], a[1], a[2], a[3], a[4], a[5]);
        *result = got < 0 ? errno : 0;
        _exit(0);
    }
    int status, seen;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    seen = *result;
    munmap(result, 4096);
    return seen;
}

static void read_program(struct bytes *program)
{
    struct err err;
    char dir[] = "/tmp/corral-test-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/filter", dir);
    if (filter_write(path, &err))
        fail_msg("%s", err.text);
    assert_int_equal(file_read(AT_FDCWD, path, 65536, program, &err), 0);
    assert_int_equal(dir_remove(AT_FDCWD, dir, &err), 0);
}

static void refuses_and_allows_what_it_says(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes program = {0};
    read_program(&program);
    for (size_t i = 0; i < COUNT(trials); i++) {
        int got = try(&program, &trials[i]);
        bool right = trials[i].wanted ? got == trials[i].wanted : got != EPERM && got != ENOSYS;
        if (!right)
            fail_msg("%s: errno %d (%s)", trials[i].what, got, strerror(got));
    }
}

static void *nothing(void *unused)
{
    return unused;
}

static void run_ordinary_things(void)
{
    FILE *out = popen("echo popen", "re");
    char line[16] = "";
    void *(*body)(void *) = nothing;
    pthread_t thread;
    if (!out || !fgets(line, sizeof line, out) || strcmp(line, "popen\n") || pclose(out))
        _exit(1);
    if (pthread_create(&thread, NULL, body, NULL) || pthread_join(thread, NULL))
        _exit(2);
    pid_t pid = fork();
    if (!pid)
        _exit(0);
    if (waitpid(pid, NULL, 0) != pid)
        _exit(3);
    _exit(0);
}

static void lets_ordinary_programs_run(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes program = {0};
    read_program(&program);
    int status;
    pid_t pid = fork();
    if (!pid) {
        put_on(&program);
        run_ordinary_things();
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_and_allows_what_it_says),
        cmocka_unit_test(lets_ordinary_programs_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
