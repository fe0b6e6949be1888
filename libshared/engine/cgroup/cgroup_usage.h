/* cgroup_usage.h - what a cgroup used: CPU time, memory, processes, OOM kills, on kept descriptors.
 *
 * Opening a file of cgroupfs costs more than reading it, so a meter keeps its files open and preads
 * them. A meter is owned by one thread. What a host does not count is -1, never a made-up 0.
 */
#pragma once

#include "engine/cgroup/cgroup.h"

struct cgroup_usage {
    int64_t cpu_usec;          /* user and system time of all that ever ran inside */
    int64_t throttled_usec;    /* time that the cpu limit kept it waiting */
    int64_t throttled_periods; /* periods of 100 ms in which it was held back */
    int64_t memory_bytes;      /* without the inactive page cache, as `docker stats` counts */
    int64_t memory_peak_bytes; /* highest memory.current, cache included */
    int64_t pids;              /* processes and threads now */
    int64_t oom_kills;         /* v1: kills in this very cgroup; v2: children's included */
};

enum cgroup_file {
    CGROUP_FILE_CPU,
    CGROUP_FILE_THROTTLED,
    CGROUP_FILE_MEMORY,
    CGROUP_FILE_MEMORY_STAT,
    CGROUP_FILE_MEMORY_PEAK,
    CGROUP_FILE_PIDS,
    CGROUP_FILE_OOM,
    CGROUP_FILES
};

struct cgroup_meter {
    enum cgroup_mode mode;
    int fds[CGROUP_FILES]; /* -1: the host has no such file */
};

/* Opens the files there are. A zeroed struct is no meter: close only what was opened. ERR_NOT_FOUND
 * the cgroup is gone; ERR_UNSUPPORTED mode none; ERR_IO. */
int cgroup_meter_open(const struct cgroup *cg, struct cgroup_meter *meter, struct err *err);

void cgroup_meter_close(struct cgroup_meter *meter);

/* Reads all counters. ERR_NOT_FOUND the cgroup was removed meanwhile; ERR_INVALID a file holds what
 * no kernel writes; ERR_IO. */
int cgroup_meter_read(const struct cgroup_meter *meter, struct cgroup_usage *usage,
                      struct err *err);
