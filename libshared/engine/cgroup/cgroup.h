/* cgroup.h - the kernel control groups of one sandbox or one exec: limits, kill, proof of death.
 *
 * Corral speaks cgroup v2, the hybrid layout (v1 controllers beside a v2 mount, whose cgroup.kill
 * works) and pure v1 with the same calls; struct cgroup hides which. It holds nothing but paths, so
 * it can be copied, written to a lease and used by another process after cgroup_check. A sandbox is
 * a directory below cgroup_host.base in each tree; its init lives in the leaf of
 * cgroup_init_leaf, each exec in a child of cgroup_make_exec. Whatever lives in the sandbox's
 * directory dies by one cgroup_kill, double forks and setsid included.
 *
 * Calls are system calls on cgroupfs, stateless and safe in any thread; those that wait take a
 * deadline (CLOCK_BOOTTIME ns) and belong in a worker. Kernel manuals:
 * Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CGROUP_PATH_BYTES = 512 };

enum cgroup_mode {
    CGROUP_NONE,   /* no tree may be written: no limits, kill by the pid namespace alone */
    CGROUP_V1,     /* every controller on v1, no v2 mount: freeze, kill, thaw */
    CGROUP_HYBRID, /* controllers on v1, kill and populated on the v2 mount */
    CGROUP_V2
};

/* A v2 cgroup has the unified path only; v1 and hybrid have one path for each controller. */
enum cgroup_tree {
    CGROUP_TREE_UNIFIED,
    CGROUP_TREE_MEMORY,
    CGROUP_TREE_PIDS,
    CGROUP_TREE_CPU,
    CGROUP_TREE_CPUACCT,
    CGROUP_TREE_FREEZER,
    CGROUP_TREES
};

/* Limits as a set, for what a host does not enforce. */
enum cgroup_limit { CGROUP_MEMORY = 1, CGROUP_PIDS = 2, CGROUP_CPU = 4, CGROUP_LIMITS = 7 };

struct cgroup {
    enum cgroup_mode mode;
    char path[CGROUP_TREES][CGROUP_PATH_BYTES]; /* absolute directories; "" where there is none */
};

struct cgroup_limits {
    int64_t memory_bytes; /* memory and swap together; 0: no limit */
    int64_t pids;         /* processes and threads; 0: no limit */
    int64_t cpu_millis;   /* 1000 is one core; at least 10; 0: no limit */
};

struct cgroup_host; /* cgroup_host.h */

/* "memory", "pids" or "cpu" for one bit of enum cgroup_limit. Static. */
const char *cgroup_limit_name(enum cgroup_limit limit);

/* Names of the set's limits with a comma between ("memory,cpu"), "" for none; `to` has 32 bytes. */
void cgroup_limit_names(char to[32], unsigned limits);

/* The mode's name for people and leases: "none", "v1", "hybrid", "v2". Static. */
const char *cgroup_mode_name(enum cgroup_mode mode);

/* The tree's name for leases: "unified", "memory", "pids", "cpu", "cpuacct", "freezer". Static. */
const char *cgroup_tree_name(enum cgroup_tree tree);

/* Makes a sandbox's cgroup and writes its limits.
 *
 *   name         one path component: the sandbox id
 *   cg           out: its paths
 *   unenforced   out: set of enum cgroup_limit that were asked for and that, read back, do not hold
 *   err          ERR_STATE it exists already; ERR_IO. Nothing stays behind on failure.
 */
int cgroup_make(const struct cgroup_host *host, const char *name,
                const struct cgroup_limits *limits, struct cgroup *cg, unsigned *unenforced,
                struct err *err);

/* Writes the limits of a sandbox's cgroup and reads each back; cgroup_make does this by itself. A
 * limit that cannot be written is no error: it is in *unenforced. */
void cgroup_set_limits(const struct cgroup *cg, const struct cgroup_limits *limits,
                       unsigned *unenforced);

/* Where the sandbox's init and launcher belong: a leaf on v2, the sandbox's own cgroup elsewhere.
 */
struct cgroup cgroup_init_leaf(const struct cgroup *sandbox);

/* Makes the cgroup of exec `number` below its sandbox: for killing, usage and the OOM counter; the
 * limits are the sandbox's. ERR_STATE the number is in use; ERR_UNSUPPORTED mode none; ERR_IO. */
int cgroup_make_exec(const struct cgroup *sandbox, uint32_t number, struct cgroup *exec,
                     struct err *err);

/* The struct of an exec's cgroup by its number, whether or not it exists. ERR_UNSUPPORTED, ERR_IO.
 */
int cgroup_find_exec(const struct cgroup *sandbox, uint32_t number, struct cgroup *exec,
                     struct err *err);

/* Refuses a struct whose paths came from a file unless each is an existing directory of cgroupfs
 * below a corral-… directory, without "..". ERR_INVALID; ERR_NOT_FOUND it is gone. */
int cgroup_check(const struct cgroup *cg, struct err *err);

/* Moves a process (host view) in. Moving another process costs the kernel an RCU grace period,
 * about 10 ms on an idle host (cgroup_threadgroup_rwsem); cgroup_join and clone3 into
 * cgroup_open_dir are the cheap ways. ERR_NOT_FOUND the process is gone; ERR_IO. */
int cgroup_add(const struct cgroup *cg, pid_t pid, struct err *err);

/* Opens what cgroup_join needs, -1 where there is no tree. The caller closes each. ERR_IO. */
int cgroup_open_join(const struct cgroup *cg, int fds[CGROUP_TREES], struct err *err);

/* Moves the calling process, which must have a single thread, in; async-signal-safe, for a child
 * between vfork and exec. A thread that moves itself through v1's "tasks" waits for nobody; only
 * the unified tree costs a grace period. 0, or -1 with errno. */
int cgroup_join(const int fds[CGROUP_TREES]);

/* The directory of the unified tree, for clone3 with CLONE_INTO_CGROUP; -1 where there is no such
 * tree. The caller closes it. ERR_IO. */
int cgroup_open_dir(const struct cgroup *cg, int *fd, struct err *err);

/* Rung 1 of the kill ladder: SIGKILL to everything inside, forks under way included. Does not
 * wait; cgroup_wait_empty proves the death. Fine when empty or gone. ERR_UNSUPPORTED mode none;
 * ERR_IO. */
int cgroup_kill(const struct cgroup *cg, struct err *err);

/* True while a live process is inside, children's included. False proves death; so does a cgroup
 * that is gone. ERR_UNSUPPORTED mode none; ERR_IO. */
int cgroup_populated(const struct cgroup *cg, bool *populated, struct err *err);

/* A descriptor whose POLLPRI says "ask cgroup_populated again" (cgroup.events). The caller closes
 * it. ERR_UNSUPPORTED on pure v1, which has no such event; ERR_NOT_FOUND; ERR_IO. */
int cgroup_open_events(const struct cgroup *cg, int *fd, struct err *err);

/* Blocks until nothing is alive inside. ERR_DEADLINE; ERR_UNSUPPORTED; ERR_IO. */
int cgroup_wait_empty(const struct cgroup *cg, int64_t deadline_boot_ns, struct err *err);

/* Stops or continues everything inside; returns once the kernel says so. ERR_DEADLINE;
 * ERR_UNSUPPORTED no freezer; ERR_IO. */
int cgroup_freeze(const struct cgroup *cg, bool frozen, int64_t deadline_boot_ns, struct err *err);

/* Removes the directories, children first, waiting while the kernel says EBUSY. Fine when gone.
 * ERR_DEADLINE something still lives inside; ERR_IO. */
int cgroup_remove(const struct cgroup *cg, int64_t deadline_boot_ns, struct err *err);
