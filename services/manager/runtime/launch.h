/* launch.h - from a manager's thread to bwrap in the right cgroups under the right uid.
 *
 * vfork, because fork copies the page tables of a large process. Between vfork and exec the child
 * shares memory with a stopped thread of the manager: only raw system calls there, never glibc's
 * set*id wrappers, which would change the uid of all of the manager's threads.
 *
 * Born into the unified cgroup by clone3 where that is possible: joining it later costs a grace
 * period of the kernel, as much as all the rest of a start.
 *
 * With a uid of its own the child also enters a mount namespace of its own, in which the generated
 * /etc lies on /etc and the sandbox's directory on /run: bwrap, by then a nobody, could not reach
 * either in the manager's private directory. Volumes are put into that namespace as mounts that
 * were made from their descriptors, so no path is looked up again. Without a uid bwrap itself binds
 * the descriptors, which become COMMAND_VOLUME_FD and up.
 */
#pragma once

#include "engine/cgroup/cgroup.h"

enum { LAUNCH_VOLUMES = 16 };

/* What bwrap binds into the sandbox. */
struct launch_volume {
    int fd;   /* O_PATH, what was judged */
    int tree; /* a detached mount of it, put at <COMMAND_VOLUMES>/<its number>; -1 without uid */
    bool is_directory, is_writable;
    const char *host_path;
};

struct launch {
    const char *const *argv; /* argv[0] a path */
    const char *etc;         /* the two directories that go on /etc and /run; only with a uid */
    const char *door;
    int64_t uid;                         /* and gid; -1: stay as we are */
    const struct cgroup *cgroup;         /* joined first */
    int filter_fd;                       /* becomes COMMAND_FILTER_FD */
    int words_fd;                        /* becomes stderr */
    const struct launch_volume *volumes; /* at most LAUNCH_VOLUMES */
    size_t volume_count;
};

/* Starts it. The child must be reaped by the caller. ERR_RUNTIME names the step that failed in the
 * child, which is reaped then; ERR_STATE names the volume that the uid may not use; ERR_IO. */
int launch_start(const struct launch *plan, pid_t *pid, struct err *err);
