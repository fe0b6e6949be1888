/* runtime.h - what makes and ends sandboxes: one table of functions for each kind of runtime.
 *
 * A runtime starts a sandbox whose PID 1 is corral-init, hands over the connected socket to it and
 * later proves the sandbox dead. It does not know execs, leases, quotas or messages. Every call
 * blocks up to the deadline it is given (CLOCK_BOOTTIME ns) and belongs in a worker thread; calls
 * for different sandboxes may run at the same time, calls for one sandbox may not.
 */
#pragma once

#include "engine/cgroup/cgroup.h"
#include "engine/cgroup/cgroup_host.h"

enum {
    SANDBOX_ID_BYTES = 64,
    SANDBOX_VOLUMES = 16,
    RUNTIME_PATH_BYTES = 256,
    RUNTIME_TOKEN_BYTES = 32
};

/* What a runtime needs of this host: filled once at start (process_open), then only read. */
struct runtime_host {
    struct cgroup_host cgroups;
    char run_dir[RUNTIME_PATH_BYTES];   /* the instance's private directory, 0700, short */
    char init_path[RUNTIME_PATH_BYTES]; /* corral-init, copied below run_dir */
    char bwrap_path[RUNTIME_PATH_BYTES];
};

/* A directory or regular file of the host that is to be seen in a sandbox. What is mounted is what
 * `fd` is, not what the path leads to. nosuid and nodev always; it holds one file system. */
struct sandbox_volume {
    int fd; /* O_PATH; borrowed */
    dev_t device;
    ino_t inode;
    bool is_directory, is_writable;
    char host_path[1025];     /* without links; for the words of errors */
    char container_path[513]; /* absolute and normal, no place of the sandbox's own */
};

struct sandbox_spec {
    char sandbox_id[SANDBOX_ID_BYTES];
    char hostname[64];
    struct cgroup_limits limits;
    int64_t workspace_bytes;   /* hard size of /workspace, at least 64 KiB; lives in memory */
    int64_t tmp_bytes;         /* hard size of each of /tmp, /var/tmp, /dev/shm; at least 64 KiB */
    int64_t host_uid;          /* the sandbox's own uid and gid on the host; -1: the caller's own */
    int64_t deadline_boot_ns;  /* end of the sandbox's life, kept by init itself; 0: none */
    unsigned allow_unenforced; /* enum cgroup_limit: limits that need not hold */
    const struct sandbox_volume *volumes; /* borrowed until start has returned */
    size_t volume_count;
};

/* A running sandbox. Plain data but for the two descriptors, which the receiver closes. */
struct sandbox_started {
    int socket; /* connected to init, HELLO to EXECS exchanged; blocking, close-on-exec */
    int pidfd;  /* of init; readable once init and so everything in its pid namespace is dead */
    uint8_t token[RUNTIME_TOKEN_BYTES]; /* init proves itself with it when it dials again */
    pid_t init_pid;                     /* as this host sees it */
    uint64_t init_start_ticks;          /* field 22 of /proc/PID/stat: pid and this are unique */
    uint32_t newest_exec;               /* init's word: the largest number of an exec so far */
    pid_t launcher_pid;                 /* our child until stop, which reaps it; 0 after relink */
    unsigned unenforced;                /* enum cgroup_limit: asked for, not held by this host */
    struct cgroup cgroup;
};

/* Which sandbox to stop or find again; what a lease or the store remembers. */
struct sandbox_handle {
    char sandbox_id[SANDBOX_ID_BYTES];
    pid_t init_pid;            /* 0: not known */
    uint64_t init_start_ticks; /* checked before init_pid is believed */
    pid_t launcher_pid;        /* 0: not ours to reap */
    int64_t host_uid;          /* -1: the caller's own */
    uint8_t token[RUNTIME_TOKEN_BYTES];
};

struct runtime {
    const char *name;

    /* Starts a sandbox and returns when its init has answered.
     *
     *   deadline_boot_ns   everything is undone when it passes
     *   err   ERR_UNENFORCED names the limit; ERR_RUNTIME has the runtime's own words; ERR_DEADLINE
     *         Also ERR_STATE the id is in use, or the host does not let the sandbox's uid use a
     *         volume; ERR_UNSUPPORTED the kernel is too old for volumes; ERR_IO. Nothing is left
     *         behind on failure.
     */
    int (*start)(const struct runtime_host *host, const struct sandbox_spec *spec,
                 int64_t deadline_boot_ns, struct sandbox_started *out, struct err *err);

    /* Kills the sandbox (rungs 1 and 2 of the kill ladder), reaps, and removes its cgroup and
     * directory. 0 means proven dead. Fine when nothing is left of it. Where no cgroup may be
     * written only init_pid leads to the processes, and without it they live until init's own
     * deadline. ERR_DEADLINE something is still alive: the caller goes on with `unkillable`;
     * ERR_IO. */
    int (*stop)(const struct runtime_host *host, const struct sandbox_handle *handle,
                int64_t deadline_boot_ns, struct err *err);

    /* After a restart of the manager: listens again, waits for init to dial and prove the token.
     * Every field of *out is filled but unenforced and launcher_pid, which are 0. ERR_NOT_FOUND it
     * is dead; ERR_PEER wrong token; ERR_DEADLINE. */
    int (*relink)(const struct runtime_host *host, const struct sandbox_handle *handle,
                  int64_t life_deadline_boot_ns, int64_t deadline_boot_ns,
                  struct sandbox_started *out, struct err *err);

    /* Calls `each` with the id of every sandbox of this instance that left a trace on the host (a
     * cgroup or a directory), each once, alive or not. ERR_IO; ERR_MEMORY. */
    int (*list)(const struct runtime_host *host,
                void (*each)(void *context, const char *sandbox_id), void *context,
                struct err *err);
};
