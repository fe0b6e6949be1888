#include "manager/preflight_host.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/scope.h"
#include "engine/cgroup/delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUN_DIR_MAX = 46 }; /* 54 of process_open, less the folder of the probes */

/* The least that docker (default seccomp profile, no user namespaces of its own) has to be told. */
static const char *container_remedy(void)
{
    return geteuid()
               ? "in a container: docker run --security-opt seccomp=unconfined "
                 "--security-opt systempaths=unconfined (with AppArmor apparmor=unconfined too)"
               : "in a container: docker run --cap-add SYS_ADMIN --security-opt "
                 "seccomp=unconfined --security-opt systempaths=unconfined (with AppArmor "
                 "apparmor=unconfined too)";
}

static void look_at_user(const struct preflight_options *options, struct preflight *p)
{
    if (geteuid())
        preflight_add(p, "user", PREFLIGHT_OK, "",
                      "uid %u: sandboxes share it; limits need a delegated cgroup",
                      (unsigned)geteuid());
    else
        preflight_add(p, "user", PREFLIGHT_OK, "",
                      "root: each sandbox has a host uid of its own, such as %lld",
                      (long long)options->host_uid);
}

static void look_at_paths(const struct preflight_options *options, struct preflight *p)
{
    size_t len = strlen(options->run_dir);
    if (len <= RUN_DIR_MAX)
        preflight_add(p, "paths", PREFLIGHT_OK, "", "%s", options->run_dir);
    else
        preflight_add(p, "paths", PREFLIGHT_FAIL, "choose a shorter run directory",
                      "%.60s… has %zu bytes; unix sockets leave room for %d", options->run_dir, len,
                      RUN_DIR_MAX);
}

/* The first line that a program prints; "" when it cannot be run. */
static void first_line(const char *command, char to[64])
{
    to[0] = 0;
    FILE *out = popen(command, "re");
    if (!out)
        return;
    if (!fgets(to, 64, out))
        to[0] = 0;
    to[strcspn(to, "\n")] = 0;
    if (pclose(out))
        to[0] = 0;
}

static void look_at_bwrap(struct preflight *p)
{
    char version[64];
    int major = 0, minor = 0;
    first_line("bwrap --version 2>/dev/null", version);
    if (sscanf(version, "bubblewrap %d.%d", &major, &minor) != 2)
        preflight_add(p, "bubblewrap", PREFLIGHT_FAIL, "apt-get install bubblewrap",
                      "bwrap is not in PATH or does not run");
    else if (!major && minor < 7)
        preflight_add(p, "bubblewrap", PREFLIGHT_FAIL, "install bubblewrap 0.7 or later",
                      "%s has no --size for /workspace", version);
    else
        preflight_add(p, "bubblewrap", PREFLIGHT_OK, "", "%s", version);
}

/* A sysctl's number; -1 when the kernel does not have it. */
static long read_sysctl(const char *path)
{
    struct err ignored;
    SCOPED(bytes_close) struct bytes text = {0};
    if (file_read(AT_FDCWD, path, 64, &text, &ignored) || !text.len)
        return -1;
    return atol((const char *)text.data);
}

static bool has_outer_filter(void)
{
    struct err ignored;
    SCOPED(bytes_close) struct bytes text = {0};
    return !file_read(AT_FDCWD, "/proc/self/status", 65536, &text, &ignored) && text.len &&
           strstr((const char *)text.data, "\nSeccomp:\t2");
}

/* The one setting that most likely stands in the way of user namespaces. */
static const char *namespace_remedy(void)
{
    if (!read_sysctl("/proc/sys/user/max_user_namespaces"))
        return "sysctl -w user.max_user_namespaces=15000";
    if (!read_sysctl("/proc/sys/kernel/unprivileged_userns_clone"))
        return "sysctl -w kernel.unprivileged_userns_clone=1";
    if (read_sysctl("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
        return "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
    return container_remedy();
}

/* What the launcher and bwrap do, in this order. */
enum step { STEP_NAMESPACES, STEP_PROC, STEP_ROOT };

/* In a child of the new pid namespace, whose /proc is asked for. Returns errno, 0 for none. */
static int try_mounts(enum step step)
{
    if (mount("", "/", "", MS_REC | MS_SLAVE, NULL))
        return errno;
    if (step == STEP_PROC)
        return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) ? errno : 0;
    return mount("/tmp", "/tmp", NULL, MS_BIND | MS_REC, NULL) || chdir("/tmp") ||
                   syscall(SYS_pivot_root, ".", ".")
               ? errno
               : 0;
}

/* The errno that a child exits with. */
static int wait_for_errno(pid_t pid)
{
    int status;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

/* In a child: everything up to the step. Returns the errno of what fails, 0 for none. */
static int try_namespaces(int64_t uid, enum step step)
{
    if (uid >= 0 &&
        (unshare(CLONE_NEWNS) || syscall(SYS_setgroups, 0, NULL) ||
         syscall(SYS_setresgid, uid, uid, uid) || syscall(SYS_setresuid, uid, uid, uid)))
        return errno;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
                CLONE_NEWUTS | CLONE_NEWCGROUP))
        return errno;
    if (step == STEP_NAMESPACES)
        return 0;
    pid_t pid = fork();
    if (pid < 0)
        return errno;
    if (!pid)
        _exit(try_mounts(step));
    return wait_for_errno(pid);
}

static int try_in_child(int64_t uid, enum step step)
{
    pid_t pid = fork();
    if (pid < 0)
        return errno;
    if (!pid)
        _exit(try_namespaces(uid, step));
    return wait_for_errno(pid);
}

/* Each step needs the one before it, so the first that fails is the one to tell of. */
static void look_at_namespaces(const struct preflight_options *options, struct preflight *p)
{
    static const struct {
        const char *name, *ok, *fails;
    } steps[] = {
        [STEP_NAMESPACES] = {"namespaces", "user, pid, mount, net, ipc, uts, cgroup",
                             "making user and other namespaces"},
        [STEP_PROC] = {"proc", "a fresh /proc can be mounted", "mounting a fresh /proc"},
        [STEP_ROOT] = {"root", "a root of its own can be entered", "entering a root of its own"},
    };
    int64_t uid = geteuid() ? -1 : options->host_uid;
    for (enum step step = 0; step < COUNT(steps); step++) {
        int error = try_in_child(uid, step);
        if (error) {
            preflight_add(p, steps[step].name, PREFLIGHT_FAIL,
                          step == STEP_NAMESPACES ? namespace_remedy() : container_remedy(),
                          "%s: %s%s", steps[step].fails, strerror(error),
                          has_outer_filter() ? " (an outer seccomp filter is on)" : "");
            return;
        }
        preflight_add(p, steps[step].name, PREFLIGHT_OK, "", "%s", steps[step].ok);
    }
}

void preflight_look_at_host(const struct preflight_options *options, struct preflight *p)
{
    look_at_user(options, p);
    look_at_paths(options, p);
    look_at_bwrap(p);
    look_at_namespaces(options, p);
}

static const char cgroup_container_remedy[] =
    "in a container: docker run --cgroupns host -v /sys/fs/cgroup:/sys/fs/cgroup, or --privileged";

/* The way to limits that are missing. */
static const char *cgroup_remedy(void)
{
    struct err ignored;
    struct delegate_facts facts;
    const char *why = "";
    if (delegate_look(&facts, &ignored))
        return cgroup_container_remedy;
    switch (delegate_decide(&facts, &why)) {
    case DELEGATE_REEXEC:
        return "systemd-run --scope -p Delegate=yes corral up (with --user when not root); corral "
               "up "
               "does this by itself";
    case DELEGATE_IMPOSSIBLE:
        return why;
    default:
        return geteuid() ? "run as root, or on a host with cgroup v2 and systemd"
                         : cgroup_container_remedy;
    }
}

void preflight_look_at_cgroups(const struct cgroup_host *cgroups, struct preflight *p)
{
    char names[32];
    cgroup_limit_names(names, cgroups->limits);
    if (cgroups->limits == CGROUP_LIMITS)
        preflight_add(p, "cgroups", PREFLIGHT_OK, "", "%s: limits of %s",
                      cgroup_mode_name(cgroups->mode), names);
    else
        preflight_add(p, "cgroups", PREFLIGHT_WARN, cgroup_remedy(), "%s: %s%s; %.180s",
                      cgroup_mode_name(cgroups->mode), names[0] ? "limits of " : "no limits", names,
                      cgroups->lacks);
}
