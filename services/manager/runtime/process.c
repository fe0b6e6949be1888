/* The process runtime.
 *
 * start:  cgroup with limits -> directory with init and its socket -> bwrap in both -> init knocks.
 * stop:   kill the cgroup -> populated 0 -> reap -> remove the cgroup, then the directory.
 * Below run_dir: init (the copy that sandboxes run), etc-<version>, seccomp.bpf, and s/<sandbox
 * id>/ with a hard link of init and, while somebody is expected, init.sock. A sandbox exists as
 * long as it has a directory under s/ or a cgroup; whatever start made, it or stop removes.
 */
#include "manager/runtime/process.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/scope.h"
#include "base/text.h"
#include "engine/process/pid.h"
#include "manager/runtime/command.h"
#include "manager/runtime/door.h"
#include "manager/runtime/etc.h"
#include "manager/runtime/filter.h"
#include "manager/runtime/launch.h"
#include "manager/runtime/trees.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
    RUN_DIR_MAX = 54, /* 107 of a unix socket path less "/s/<40>/init.sock" */
    INIT_MAX_BYTES = 64 * 1024 * 1024,
    SIZE_MIN_BYTES = 64 * 1024,
    UNDO_MS = 5000
};

#define ETC_NAME "etc-" CORRAL_VERSION

/* The paths of one sandbox. */
struct place {
    char dir[RUNTIME_PATH_BYTES + SANDBOX_ID_BYTES];
    char etc[RUNTIME_PATH_BYTES];
};

static bool is_id(const char *sandbox_id)
{
    return text_is_name(sandbox_id, 40) && !strchr(sandbox_id, '.');
}

static void place_of(const struct runtime_host *host, const char *sandbox_id, struct place *place)
{
    snprintf(place->dir, sizeof place->dir, "%.200s/s/%.40s", host->run_dir, sandbox_id);
    snprintf(place->etc, sizeof place->etc, "%.200s/" ETC_NAME, host->run_dir);
}

static int find_bwrap(char to[RUNTIME_PATH_BYTES], struct err *err)
{
    const char *path = getenv("PATH");
    for (const char *at = path ? path : "/usr/bin:/bin"; *at;) {
        size_t len = strcspn(at, ":");
        int n = snprintf(to, RUNTIME_PATH_BYTES, "%.*s/bwrap", (int)len, at);
        if (at[0] == '/' && n < RUNTIME_PATH_BYTES && !access(to, X_OK))
            return 0;
        at += len + (at[len] == ':');
    }
    return err_set(err, ERR_UNSUPPORTED, "bwrap is not in PATH; apt-get install bubblewrap");
}

static int copy_init(const char *init_path, const char *to, struct err *err)
{
    char target[PATH_MAX];
    SCOPED(bytes_close) struct bytes program = {0};
    if (!realpath(init_path, target))
        return err_sys(err, "%s", init_path);
    if (file_read(AT_FDCWD, target, INIT_MAX_BYTES, &program, err))
        return -1;
    return file_replace_volatile(AT_FDCWD, to, program.data, program.len, 0555, err);
}

/* Debian mounts /run noexec. Root lifts that for a sandbox's mounts (launch.c); nobody else can. */
static int check_exec(const char *run_dir, struct err *err)
{
    struct statvfs fs;
    if (statvfs(run_dir, &fs))
        return err_sys(err, "statvfs %s", run_dir);
    if (geteuid() && fs.f_flag & ST_NOEXEC)
        return err_set(err, ERR_UNSUPPORTED, "%s is mounted noexec, so init cannot run from there",
                       run_dir);
    return 0;
}

static int prepare(const struct runtime_host *host, const char *init_path, struct err *err)
{
    char path[RUNTIME_PATH_BYTES];
    snprintf(path, sizeof path, "%.200s/s", host->run_dir);
    if (dir_make(path, 0700, err))
        return -1;
    snprintf(path, sizeof path, "%.200s/" ETC_NAME, host->run_dir);
    if (etc_build(path, err))
        return err_add(err, "the sandboxes' /etc");
    snprintf(path, sizeof path, "%.200s/seccomp.bpf", host->run_dir);
    return filter_write(path, err) || copy_init(init_path, host->init_path, err) ? -1 : 0;
}

int process_open(const char *instance, const char *run_dir, const char *init_path,
                 struct runtime_host *host, struct err *err)
{
    struct runtime_host opened = {0};
    SCOPED(fd_close) int dir = -1;
    if (strlen(run_dir) > RUN_DIR_MAX)
        return err_set(err, ERR_INVALID, "run directory %.80s: at most %d bytes", run_dir,
                       RUN_DIR_MAX);
    if (dir_open_private(run_dir, &dir, err) || check_exec(run_dir, err) ||
        find_bwrap(opened.bwrap_path, err))
        return -1;
    text_copy(opened.run_dir, sizeof opened.run_dir, run_dir);
    snprintf(opened.init_path, sizeof opened.init_path, "%s/init", run_dir);
    if (prepare(&opened, init_path, err))
        return -1;
    /* An init whose launcher died first would become a zombie of whoever reaps on this host. */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1))
        return err_sys(err, "becoming a subreaper");
    if (cgroup_host_open(instance, &opened.cgroups, err))
        return -1;
    *host = opened;
    return 0;
}

void process_close(const struct runtime_host *host)
{
    struct err ignored;
    cgroup_host_remove(&host->cgroups);
    SCOPED(fd_close) int dir = open(host->run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || (unlinkat(dir, "s", AT_REMOVEDIR) && errno != ENOENT))
        return; /* sandboxes live on and need the rest */
    dir_remove(dir, ETC_NAME, &ignored);
    unlinkat(dir, "init", 0);
    unlinkat(dir, "seccomp.bpf", 0);
}

static int check_spec(const struct sandbox_spec *spec, struct err *err)
{
    if (!is_id(spec->sandbox_id))
        return err_set(err, ERR_INVALID, "sandbox_id: 1 to 40 of A-Z a-z 0-9 _ -");
    if (!text_is_name(spec->hostname, 63))
        return err_set(err, ERR_INVALID, "hostname: 1 to 63 of A-Z a-z 0-9 . _ -");
    if (spec->workspace_bytes < SIZE_MIN_BYTES || spec->tmp_bytes < SIZE_MIN_BYTES)
        return err_set(err, ERR_INVALID, "workspace and tmp: at least %d bytes", SIZE_MIN_BYTES);
    if (spec->host_uid == 0)
        return err_set(err, ERR_INVALID, "host_uid: a sandbox never runs as root");
    if (spec->volume_count > SANDBOX_VOLUMES)
        return err_set(err, ERR_INVALID, "volumes: at most %d", SANDBOX_VOLUMES);
    if (spec->host_uid < 0 && !geteuid())
        return err_set(err, ERR_INVALID, "host_uid: root must give a sandbox a uid of its own");
    return 0;
}

/* The sandbox's directory: init in it, owned by init's uid and closed to all others. */
static int make_dir(const struct runtime_host *host, const struct sandbox_spec *spec,
                    const struct place *place, struct err *err)
{
    char init[sizeof place->dir + 8];
    snprintf(init, sizeof init, "%s/init", place->dir);
    if (mkdir(place->dir, 0700))
        return errno == EEXIST
                   ? err_set(err, ERR_STATE, "sandbox %s has a directory", spec->sandbox_id)
                   : err_sys(err, "making %s", place->dir);
    if (link(host->init_path, init))
        err_sys(err, "linking %s", init);
    else if (spec->host_uid >= 0 && chown(place->dir, (uid_t)spec->host_uid, (gid_t)spec->host_uid))
        err_sys(err, "chown of %s", place->dir);
    else
        return 0;
    unlink(init);
    rmdir(place->dir);
    return -1;
}

/* Makes the cgroup and refuses when a limit does not hold that must. */
static int make_cgroup(const struct runtime_host *host, const struct sandbox_spec *spec,
                       struct sandbox_started *started, struct err *err)
{
    struct err ignored;
    char names[32];
    if (cgroup_make(&host->cgroups, spec->sandbox_id, &spec->limits, &started->cgroup,
                    &started->unenforced, err))
        return -1;
    unsigned missed = started->unenforced & ~spec->allow_unenforced;
    if (!missed)
        return 0;
    cgroup_remove(&started->cgroup, clock_boot_ns() + UNDO_MS * (int64_t)MS_NS, &ignored);
    cgroup_limit_names(names, missed);
    return err_set(err, ERR_UNENFORCED, "this host does not enforce %s%s%s", names,
                   host->cgroups.lacks[0] ? ": " : "", host->cgroups.lacks);
}

/* Puts bwrap's own words behind the error, if it left any. */
static void add_words(int words_fd, struct err *err)
{
    char words[160];
    ssize_t n = read(words_fd, words, sizeof words - 1);
    if (n <= 0)
        return;
    words[n] = 0;
    words[strcspn(words, "\n")] = 0;
    struct err cause = *err;
    err_set(err, cause.code, "%.80s: %s", cause.text, words);
}

/* Runs bwrap and waits at the door until its init has knocked. *launcher is ours to reap in any
 * case, once it is above 0. */
static int launch(const struct runtime_host *host, const struct sandbox_spec *spec,
                  const struct place *place, int64_t deadline_boot_ns, pid_t *launcher,
                  struct sandbox_started *started, struct err *err)
{
    char filter[RUNTIME_PATH_BYTES];
    struct command command;
    bool own_uid = spec->host_uid >= 0;
    struct cgroup leaf = cgroup_init_leaf(&started->cgroup);
    snprintf(filter, sizeof filter, "%.200s/seccomp.bpf", host->run_dir);
    if (command_build(spec, host->bwrap_path, own_uid ? "/etc" : place->etc,
                      own_uid ? "/run" : place->dir, command_is_merged(), &command, err))
        return -1;
    SCOPED(fd_close) int filter_fd = open(filter, O_RDONLY | O_CLOEXEC);
    SCOPED(fd_close) int door = -1;
    SCOPED(fd_close) int words_out = -1;
    int words[2];
    if (filter_fd < 0)
        return err_sys(err, "opening %s", filter);
    if (pipe2(words, O_CLOEXEC | O_NONBLOCK))
        return err_sys(err, "making a pipe");
    SCOPED(fd_close) int words_in = words[0];
    words_out = words[1];
    if (door_open(place->dir, spec->host_uid, &door, err))
        return -1;
    SCOPED(trees_close) struct trees trees = {0};
    if (trees_make(spec, &trees, err))
        return -1;
    struct launch plan = {.argv = command.argv,
                          .etc = place->etc,
                          .door = place->dir,
                          .uid = spec->host_uid,
                          .cgroup = &leaf,
                          .filter_fd = filter_fd,
                          .words_fd = words_out,
                          .volumes = trees.volumes,
                          .volume_count = trees.count};
    if (launch_start(&plan, launcher, err))
        return -1;
    fd_close(&words_out);
    SCOPED(fd_close) int launcher_pidfd = (int)syscall(SYS_pidfd_open, *launcher, 0);
    struct door_guest guest;
    rand_fill(started->token, sizeof started->token);
    if (door_admit(door, launcher_pidfd, 0, started->token, spec->deadline_boot_ns,
                   deadline_boot_ns, &guest, err)) {
        add_words(words_in, err);
        return -1;
    }
    door_remove(place->dir);
    started->socket = guest.socket;
    started->pidfd = guest.pidfd;
    started->init_pid = guest.pid;
    started->init_start_ticks = guest.start_ticks;
    started->newest_exec = guest.newest_exec;
    started->launcher_pid = *launcher;
    return 0;
}

static int process_stop(const struct runtime_host *host, const struct sandbox_handle *handle,
                        int64_t deadline_boot_ns, struct err *err);

/* Ends what a failed start began. The init of a sandbox that never knocked is bwrap's only child.
 */
static void undo(const struct runtime_host *host, const struct sandbox_spec *spec, pid_t launcher)
{
    struct err ignored;
    struct sandbox_handle handle = {.launcher_pid = launcher};
    text_copy(handle.sandbox_id, sizeof handle.sandbox_id, spec->sandbox_id);
    if (launcher > 0 && pid_first_child(launcher, &handle.init_pid, &ignored) == 0)
        pid_start_ticks(handle.init_pid, &handle.init_start_ticks, &ignored);
    process_stop(host, &handle, clock_boot_ns() + UNDO_MS * (int64_t)MS_NS, &ignored);
}

static int process_start(const struct runtime_host *host, const struct sandbox_spec *spec,
                         int64_t deadline_boot_ns, struct sandbox_started *out, struct err *err)
{
    struct place place;
    struct err ignored;
    struct sandbox_started started = {.socket = -1, .pidfd = -1};
    pid_t launcher = 0;
    if (check_spec(spec, err))
        return -1;
    place_of(host, spec->sandbox_id, &place);
    if (make_dir(host, spec, &place, err))
        return -1;
    if (make_cgroup(host, spec, &started, err)) {
        dir_remove(AT_FDCWD, place.dir, &ignored);
        return -1;
    }
    if (launch(host, spec, &place, deadline_boot_ns, &launcher, &started, err)) {
        undo(host, spec, launcher);
        return err_add(err, "starting %s", spec->sandbox_id);
    }
    *out = started;
    return 0;
}

/* Without cgroups: the death of a pid namespace's init is the death of all in it, and bwrap's child
 * is that init. */
static int kill_by_pid(const struct sandbox_handle *handle, int64_t deadline_boot_ns,
                       struct err *err)
{
    SCOPED(fd_close) int init = -1;
    if (handle->init_pid && pid_open(handle->init_pid, handle->init_start_ticks, &init, err) &&
        err->code != ERR_NOT_FOUND)
        return -1;
    if (init >= 0 && syscall(SYS_pidfd_send_signal, init, SIGKILL, NULL, 0) && errno != ESRCH)
        return err_sys(err, "killing init of %s", handle->sandbox_id);
    if (init >= 0 && pid_wait_dead(init, deadline_boot_ns, err))
        return -1;
    if (handle->launcher_pid > 0)
        kill(handle->launcher_pid, SIGKILL); /* our own child, not reaped yet: the pid is its */
    return 0;
}

static int kill_by_cgroup(const struct cgroup *cg, int64_t deadline_boot_ns, struct err *err)
{
    return cgroup_kill(cg, err) || cgroup_wait_empty(cg, deadline_boot_ns, err) ? -1 : 0;
}

/* Reaps a dying child, if it is ours: after a restart of the manager it is another's. */
static int reap(pid_t pid, int64_t deadline_boot_ns, struct err *err)
{
    SCOPED(fd_close) int pidfd = -1;
    if (pid <= 0 || waitpid(pid, NULL, WNOHANG) != 0)
        return 0;
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0)
        return err_sys(err, "opening a pidfd of %d", (int)pid);
    if (pid_wait_dead(pidfd, deadline_boot_ns, err))
        return err_add(err, "reaping %d", (int)pid);
    waitpid(pid, NULL, WNOHANG);
    return 0;
}

/* The launcher first: what it did not reap itself becomes our child at its end. */
static int reap_both(const struct sandbox_handle *handle, int64_t deadline_boot_ns, struct err *err)
{
    return reap(handle->launcher_pid, deadline_boot_ns, err) ||
                   reap(handle->init_pid, deadline_boot_ns, err)
               ? -1
               : 0;
}

static int process_stop(const struct runtime_host *host, const struct sandbox_handle *handle,
                        int64_t deadline_boot_ns, struct err *err)
{
    struct place place;
    struct cgroup cg;
    if (!is_id(handle->sandbox_id))
        return err_set(err, ERR_INVALID, "sandbox_id: 1 to 40 of A-Z a-z 0-9 _ -");
    place_of(host, handle->sandbox_id, &place);
    if (cgroup_host_find(&host->cgroups, handle->sandbox_id, &cg, err))
        return -1;
    if (cg.mode == CGROUP_NONE ? kill_by_pid(handle, deadline_boot_ns, err)
                               : kill_by_cgroup(&cg, deadline_boot_ns, err))
        return err_add(err, "killing %s", handle->sandbox_id);
    if (reap_both(handle, deadline_boot_ns, err) || cgroup_remove(&cg, deadline_boot_ns, err))
        return -1;
    return dir_remove(AT_FDCWD, place.dir, err);
}

static int process_relink(const struct runtime_host *host, const struct sandbox_handle *handle,
                          int64_t life_deadline_boot_ns, int64_t deadline_boot_ns,
                          struct sandbox_started *out, struct err *err)
{
    struct place place;
    struct door_guest guest;
    struct sandbox_started found = {0};
    SCOPED(fd_close) int init = -1;
    SCOPED(fd_close) int door = -1;
    if (!is_id(handle->sandbox_id) || handle->init_pid <= 0)
        return err_set(err, ERR_NOT_FOUND, "no init of %.40s is known", handle->sandbox_id);
    place_of(host, handle->sandbox_id, &place);
    if (pid_open(handle->init_pid, handle->init_start_ticks, &init, err) ||
        cgroup_host_find(&host->cgroups, handle->sandbox_id, &found.cgroup, err) ||
        door_open(place.dir, handle->host_uid, &door, err))
        return -1;
    int failed = door_admit(door, init, handle->init_pid, handle->token, life_deadline_boot_ns,
                            deadline_boot_ns, &guest, err);
    door_remove(place.dir);
    if (failed)
        return err_add(err, "finding %s again", handle->sandbox_id);
    found.socket = guest.socket;
    found.pidfd = guest.pidfd;
    found.init_pid = guest.pid;
    found.init_start_ticks = guest.start_ticks;
    found.newest_exec = guest.newest_exec;
    memcpy(found.token, handle->token, sizeof found.token);
    *out = found;
    return 0;
}

/* Sandbox ids, each once. */
struct names {
    char (*list)[SANDBOX_ID_BYTES];
    size_t count, room;
    bool failed;
};

static void names_close(struct names *names)
{
    free(names->list);
    *names = (struct names){0};
}

static void names_add(void *context, const char *name)
{
    struct names *names = context;
    for (size_t i = 0; i < names->count; i++)
        if (!strcmp(names->list[i], name))
            return;
    if (names->count == names->room) {
        size_t room = names->room ? 2 * names->room : 64;
        void *list = mem_resize(names->list, room * sizeof *names->list);
        if (!list) {
            names->failed = true;
            return;
        }
        names->list = list;
        names->room = room;
    }
    text_copy(names->list[names->count++], SANDBOX_ID_BYTES, name);
}

static int list_dirs(const struct runtime_host *host, struct names *names, struct err *err)
{
    char path[RUNTIME_PATH_BYTES];
    snprintf(path, sizeof path, "%.200s/s", host->run_dir);
    DIR *dir = opendir(path);
    if (!dir)
        return err_sys(err, "listing %s", path);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir))
        if (is_id(e->d_name))
            names_add(names, e->d_name);
    closedir(dir);
    return 0;
}

static int process_list(const struct runtime_host *host,
                        void (*each)(void *context, const char *sandbox_id), void *context,
                        struct err *err)
{
    SCOPED(names_close) struct names names = {0};
    if (list_dirs(host, &names, err) || cgroup_host_list(&host->cgroups, names_add, &names, err))
        return -1;
    if (names.failed)
        return err_set(err, ERR_MEMORY, "listing sandboxes");
    for (size_t i = 0; i < names.count; i++)
        each(context, names.list[i]);
    return 0;
}

const struct runtime runtime_process = {
    .name = "process",
    .start = process_start,
    .stop = process_stop,
    .relink = process_relink,
    .list = process_list,
};
