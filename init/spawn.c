/* spawn.c - clone, gate, execve; see spawn.h. */
#include "init/spawn.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { STACK_BYTES = 16 * 1024, NAME_BYTES = 256 };

struct launch {
    _Alignas(16) char stack[STACK_BYTES];
    char path[PATH_MAX + NAME_BYTES]; /* where the child puts together what it tries to execute */
    char *texts; /* one block: argv, env, cwd; the pointers below lead into it */
    char **argv, **env;
    const char *cwd;
    const char *search;                     /* PATH; NULL: argv[0] is a path itself */
    int in, out, err, script, gate, status; /* the child's ends; in and script may be -1 */
};

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
static char script_path[] = "/proc/self/fd/3";

/* A system call without errno: the result or -errno. */
static long raw(long number, long a, long b, long c, long d)
{
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
#else
#error "spawn.c knows the system call instruction of x86-64 and aarch64 only"
#endif
}

static _Noreturn void give_up(bool at_chdir, long result)
{
    struct failed_step step = {.at_chdir = at_chdir, .error = (int)-result};
    raw(SYS_write, SPAWN_STATUS_FD, (long)&step, sizeof step, 0);
    for (;;)
        raw(SYS_exit_group, 127, 0, 0, 0);
}

/* Puts "<directory>/<name>" into l->path; false when it is too long. */
static bool candidate(struct launch *l, const char *directory, size_t len)
{
    size_t name_len = strlen(l->argv[0]);
    if (len >= PATH_MAX || name_len + 2 > NAME_BYTES)
        return false;
    memcpy(l->path, directory, len);
    l->path[len] = '/';
    memcpy(l->path + len + 1, l->argv[0], name_len + 1);
    return true;
}

/* Tries the directories of PATH as execvp(3) does, except that an empty one is not the current
 * directory and that nothing is handed to a shell. Returns -errno. */
static long search_and_execute(struct launch *l)
{
    long result = -ENOENT;
    bool was_forbidden = false;
    for (const char *at = l->search; *at;) {
        size_t len = strcspn(at, ":");
        if (len && candidate(l, at, len)) {
            long r = raw(SYS_execve, (long)l->path, (long)l->argv, (long)l->env, 0);
            if (r != -ENOENT && r != -ENOTDIR && r != -EACCES)
                return r;
            was_forbidden |= r == -EACCES;
        }
        at += len + (at[len] == ':');
    }
    return was_forbidden ? -EACCES : result;
}

static void place_fd(int fd, int at)
{
    if (fd >= 0)
        raw(SYS_dup3, fd, at, 0, 0);
}

/* The child. It runs in init's memory: nothing here may allocate, touch errno or return. */
static int run_child(void *context)
{
    struct launch *l = context;
    raw(SYS_setsid, 0, 0, 0, 0);
    place_fd(l->in, 0);
    place_fd(l->out, 1);
    place_fd(l->err, 2);
    raw(SYS_dup3, l->gate, SPAWN_GATE_FD, O_CLOEXEC, 0);
    raw(SYS_dup3, l->status, SPAWN_STATUS_FD, O_CLOEXEC, 0);
    place_fd(l->script, SPAWN_SCRIPT_FD);
    /* other children's pipes are among these: a copy here would keep their ends from being seen */
    raw(SYS_close_range, SPAWN_RESERVED_FDS, ~0U, 0, 0);

    char go;
    if (raw(SYS_read, SPAWN_GATE_FD, (long)&go, 1, 0) != 1)
        for (;;)
            raw(SYS_exit_group, 127, 0, 0, 0);
    long result = raw(SYS_chdir, (long)l->cwd, 0, 0, 0);
    if (result < 0)
        give_up(true, result);
    uint64_t nothing = 0;
    raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&nothing, 0, sizeof nothing);
    result = l->search ? search_and_execute(l)
                       : raw(SYS_execve, (long)l->argv[0], (long)l->argv, (long)l->env, 0);
    give_up(false, result);
}

void launch_free(struct launch **launch)
{
    if (!*launch)
        return;
    free((*launch)->texts);
    free((*launch)->argv);
    free((*launch)->env);
    free(*launch);
    *launch = NULL;
}

/* An array of pointers to the texts, NULL behind the last. */
static char **pointers(char *texts, size_t len)
{
    struct view left = {(const uint8_t *)texts, len};
    char **to = mem_new(frame_texts(left) + 1, sizeof *to);
    for (size_t i = 0; to && left.len; i++)
        to[i] = texts + (len - left.len), frame_text(&left);
    return to;
}

static const char *search_path(char **env)
{
    for (; *env; env++)
        if (!strncmp(*env, "PATH=", 5))
            return *env + 5;
    return default_path;
}

/* Copies the order into memory that the child can use; NULL when there is none. */
static struct launch *launch_new(const struct frame_spawn *order)
{
    SCOPED(launch_free) struct launch *l = mem_new(1, sizeof *l);
    size_t argv = order->argv.len, env = order->env.len, cwd = order->cwd.len;
    if (!l || !(l->texts = mem_new(1, argv + env + cwd + 1)))
        return NULL;
    memcpy(l->texts, order->argv.data, argv);
    if (env)
        memcpy(l->texts + argv, order->env.data, env);
    memcpy(l->texts + argv + env, order->cwd.data, cwd);
    l->cwd = l->texts + argv + env;
    l->argv = pointers(l->texts, argv);
    l->env = pointers(l->texts + argv, env);
    if (!l->argv || !l->env)
        return NULL;
    if (order->script.data)
        l->argv[order->script_arg] = script_path;
    if (!strchr(l->argv[0], '/'))
        l->search = search_path(l->env);
    return TAKE(l);
}

/* A memfd with the script that nobody can change any more; -1 with errno. */
static int sealed_script(struct view script)
{
    struct err err;
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    SCOPED(fd_close) int fd = memfd_create("script", flags | 0x10u /* MFD_EXEC, since 6.3 */);
    if (fd < 0)
        fd = memfd_create("script", flags);
    if (fd < 0)
        return -1;
    if (file_write_all(fd, script.data, script.len, &err))
        return -1;
    if (lseek(fd, 0, SEEK_SET) ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
        return -1;
    return fd_take(&fd);
}

struct pipe {
    int read, write;
};

static void pipe_close(struct pipe *p)
{
    fd_close(&p->read);
    fd_close(&p->write);
}

static int pipe_make(struct pipe *p)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return -1;
    *p = (struct pipe){ends[0], ends[1]};
    return 0;
}

static int unblock(int fd)
{
    return fcntl(fd, F_SETFL, O_NONBLOCK);
}

struct pipes {
    struct pipe in, out, err, gate, status;
};

static void pipes_close(struct pipes *p)
{
    pipe_close(&p->in);
    pipe_close(&p->out);
    pipe_close(&p->err);
    pipe_close(&p->gate);
    pipe_close(&p->status);
}

static int pipes_make(struct pipes *p, bool with_stdin)
{
    if (with_stdin && (pipe_make(&p->in) || unblock(p->in.write)))
        return -1;
    return pipe_make(&p->out) || unblock(p->out.read) || pipe_make(&p->err) ||
                   unblock(p->err.read) || pipe_make(&p->gate) || pipe_make(&p->status) ||
                   unblock(p->status.read)
               ? -1
               : 0;
}

static int fail(struct failure *failure, const char *stage)
{
    *failure = (struct failure){stage, errno};
    return -1;
}

int spawn(const struct frame_spawn *order, struct child *child, struct failure *failure)
{
    SCOPED(launch_free) struct launch *launch = launch_new(order);
    if (!launch) {
        errno = ENOMEM;
        return fail(failure, "clone");
    }
    SCOPED(fd_close) int script = order->script.data ? sealed_script(order->script) : -1;
    if (order->script.data && script < 0)
        return fail(failure, "script");
    SCOPED(pipes_close) struct pipes p = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    if (pipes_make(&p, order->stdin.data || order->open_stdin))
        return fail(failure, "pipe");
    launch->in = p.in.read;
    launch->out = p.out.write;
    launch->err = p.err.write;
    launch->script = script;
    launch->gate = p.gate.read;
    launch->status = p.status.write;
    int pidfd = -1;
    pid_t pid = clone(run_child, launch->stack + STACK_BYTES, CLONE_VM | CLONE_PIDFD | SIGCHLD,
                      launch, &pidfd);
    if (pid < 0)
        return fail(failure, "clone");
    *child = (struct child){.pid = pid,
                            .pidfd = pidfd,
                            .gate = fd_take(&p.gate.write),
                            .status = fd_take(&p.status.read),
                            .in = fd_take(&p.in.write),
                            .out = {fd_take(&p.out.read), fd_take(&p.err.read)},
                            .launch = TAKE(launch)};
    return 0;
}
