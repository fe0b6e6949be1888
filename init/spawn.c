/* spawn.c - clone, gate, execve; see spawn.h. */
#include "init/spawn.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
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
    int in, out, err, script, gate, status; /* the child's ends */

    /* the order; there before the gate opens */
    char *texts; /* one block: argv, env, cwd; the pointers below lead into it */
    char **argv, **env;
    const char *cwd;
    const char *search; /* PATH; NULL: argv[0] is a path itself */
    bool has_in, has_script;
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

/* Puts the child's descriptors where they belong. Those above 2 are for us, or for an order that
 * wants them. */
static void place_fds(const struct launch *l)
{
    raw(SYS_dup3, l->out, 1, 0, 0);
    raw(SYS_dup3, l->err, 2, 0, 0);
    raw(SYS_dup3, l->script, SPAWN_SCRIPT_FD, O_CLOEXEC, 0);
    raw(SYS_dup3, l->gate, SPAWN_GATE_FD, O_CLOEXEC, 0);
    raw(SYS_dup3, l->status, SPAWN_STATUS_FD, O_CLOEXEC, 0);
    raw(SYS_dup3, l->in, SPAWN_IN_FD, O_CLOEXEC, 0);
    /* other children's pipes are among these: a copy here would keep their ends from being seen */
    raw(SYS_close_range, SPAWN_RESERVED_FDS, ~0U, 0, 0);
}

/* The directory was judged by this name, so nothing on the way may be a symbolic link by now. */
static long change_directory(const char *path)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_NO_SYMLINKS};
    long fd = raw(SYS_openat2, AT_FDCWD, (long)path, (long)&how, sizeof how);
    return fd < 0 ? fd : raw(SYS_fchdir, fd, 0, 0, 0);
}

/* The child. It runs in init's memory: nothing here may allocate, touch errno or return. */
static int run_child(void *context)
{
    struct launch *l = context;
    raw(SYS_setsid, 0, 0, 0, 0);
    place_fds(l);

    char go;
    if (raw(SYS_read, SPAWN_GATE_FD, (long)&go, 1, 0) != 1)
        for (;;)
            raw(SYS_exit_group, 127, 0, 0, 0);
    if (l->has_in)
        raw(SYS_dup3, SPAWN_IN_FD, 0, 0, 0); /* otherwise 0 is init's /dev/null */
    if (l->has_script)
        raw(SYS_fcntl, SPAWN_SCRIPT_FD, F_SETFD, 0, 0);
    long result = change_directory(l->cwd);
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

/* Copies the order to where the child will look for it. -1: no memory. */
static int launch_fill(struct launch *l, const struct frame_spawn *order)
{
    size_t argv = order->argv.len, env = order->env.len, cwd = order->cwd.len;
    if (!(l->texts = mem_new(1, argv + env + cwd + 1)))
        return -1;
    memcpy(l->texts, order->argv.data, argv);
    if (env)
        memcpy(l->texts + argv, order->env.data, env);
    memcpy(l->texts + argv + env, order->cwd.data, cwd);
    l->cwd = l->texts + argv + env;
    l->argv = pointers(l->texts, argv);
    l->env = pointers(l->texts + argv, env);
    if (!l->argv || !l->env)
        return -1;
    l->has_in = order->stdin.data || order->open_stdin;
    l->has_script = order->script.data != NULL;
    if (l->has_script)
        l->argv[order->script_arg] = script_path;
    if (!strchr(l->argv[0], '/'))
        l->search = search_path(l->env);
    return 0;
}

static int script_file(void)
{
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create("script", flags | 0x10u /* MFD_EXEC, since 6.3 */);
    return fd < 0 ? memfd_create("script", flags) : fd;
}

/* Fills the file so that nobody can change it any more. -1 with errno. */
static int write_script(int fd, struct view script)
{
    struct err err;
    if (file_write_all(fd, script.data, script.len, &err) || lseek(fd, 0, SEEK_SET))
        return -1;
    return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
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

static int pipes_make(struct pipes *p)
{
    return pipe_make(&p->in) || unblock(p->in.write) || pipe_make(&p->out) ||
                   unblock(p->out.read) || pipe_make(&p->err) || unblock(p->err.read) ||
                   pipe_make(&p->gate) || pipe_make(&p->status) || unblock(p->status.read)
               ? -1
               : 0;
}

static int fail(struct failure *failure, const char *stage)
{
    *failure = (struct failure){stage, errno};
    return -1;
}

int spawn_prepare(struct child *child, struct failure *failure)
{
    SCOPED(launch_free) struct launch *launch = mem_new(1, sizeof *launch);
    if (!launch) {
        errno = ENOMEM;
        return fail(failure, "clone");
    }
    SCOPED(fd_close) int script = script_file();
    if (script < 0)
        return fail(failure, "script");
    SCOPED(pipes_close) struct pipes p = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    if (pipes_make(&p))
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
                            .script = fd_take(&script),
                            .in = fd_take(&p.in.write),
                            .out = {fd_take(&p.out.read), fd_take(&p.err.read)},
                            .launch = TAKE(launch)};
    return 0;
}

int spawn_order(struct child *child, const struct frame_spawn *order, struct failure *failure)
{
    if (order->script.data && write_script(child->script, order->script))
        return fail(failure, "script");
    fd_close(&child->script);
    if (launch_fill(child->launch, order)) {
        errno = ENOMEM;
        return fail(failure, "clone");
    }
    if (!child->launch->has_in)
        fd_close(&child->in);
    return 0;
}
