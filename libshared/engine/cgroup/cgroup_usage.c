#include "engine/cgroup/cgroup_usage.h"

#include "base/scope.h"
#include "engine/cgroup/cgroup_io.h"
#include "engine/cgroup/cgroup_parse.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct file {
    enum cgroup_tree tree;
    const char *name;
};

/* The hybrid v2 mount has no controllers, but its cpu.stat counts time all the same. */
static const struct file v2_files[CGROUP_FILES] = {
    [CGROUP_FILE_CPU] = {CGROUP_TREE_UNIFIED, "cpu.stat"},
    [CGROUP_FILE_THROTTLED] = {CGROUP_TREE_UNIFIED, "cpu.stat"},
    [CGROUP_FILE_MEMORY] = {CGROUP_TREE_UNIFIED, "memory.current"},
    [CGROUP_FILE_MEMORY_STAT] = {CGROUP_TREE_UNIFIED, "memory.stat"},
    [CGROUP_FILE_MEMORY_PEAK] = {CGROUP_TREE_UNIFIED, "memory.peak"},
    [CGROUP_FILE_PIDS] = {CGROUP_TREE_UNIFIED, "pids.current"},
    [CGROUP_FILE_OOM] = {CGROUP_TREE_UNIFIED, "memory.events"},
};

static const struct file v1_files[CGROUP_FILES] = {
    [CGROUP_FILE_CPU] = {CGROUP_TREE_CPUACCT, "cpuacct.usage"},
    [CGROUP_FILE_THROTTLED] = {CGROUP_TREE_CPU, "cpu.stat"},
    [CGROUP_FILE_MEMORY] = {CGROUP_TREE_MEMORY, "memory.usage_in_bytes"},
    [CGROUP_FILE_MEMORY_STAT] = {CGROUP_TREE_MEMORY, "memory.stat"},
    [CGROUP_FILE_MEMORY_PEAK] = {CGROUP_TREE_MEMORY, "memory.max_usage_in_bytes"},
    [CGROUP_FILE_PIDS] = {CGROUP_TREE_PIDS, "pids.current"},
    [CGROUP_FILE_OOM] = {CGROUP_TREE_MEMORY, "memory.oom_control"},
};

static struct file file_of(enum cgroup_mode mode, unsigned which)
{
    bool unified = mode == CGROUP_V2 || (mode == CGROUP_HYBRID && which == CGROUP_FILE_CPU);
    return unified ? v2_files[which] : v1_files[which];
}

int cgroup_meter_open(const struct cgroup *cg, struct cgroup_meter *meter, struct err *err)
{
    if (cg->mode == CGROUP_NONE)
        return err_set(err, ERR_UNSUPPORTED, "no cgroup counts usage on this host");
    struct cgroup_meter opened = {.mode = cg->mode};
    unsigned count = 0;
    for (unsigned which = 0; which < CGROUP_FILES; which++) {
        struct file file = file_of(cg->mode, which);
        const char *dir = cg->path[file.tree];
        opened.fds[which] = dir[0] ? cgroup_io_open(dir, file.name, O_RDONLY) : -1;
        count += opened.fds[which] >= 0;
    }
    if (!count)
        return err_set(err, ERR_NOT_FOUND, "the cgroup is gone");
    *meter = opened;
    return 0;
}

void cgroup_meter_close(struct cgroup_meter *meter)
{
    for (unsigned which = 0; which < CGROUP_FILES; which++)
        fd_close(&meter->fds[which]);
}

/* Reads one number: the whole text, or the one behind `key`; a missing file or line is -1. */
static int read_one(const struct cgroup_meter *meter, enum cgroup_file which, const char *key,
                    int64_t *out, struct err *err)
{
    *out = -1;
    if (meter->fds[which] < 0)
        return 0;
    char buffer[CGROUP_TEXT_BYTES];
    struct view text;
    if (cgroup_io_pread(meter->fds[which], buffer, &text)) {
        if (errno == ENODEV)
            return err_set(err, ERR_NOT_FOUND, "the cgroup was removed");
        return err_sys(err, "reading cgroup file %s", file_of(meter->mode, which).name);
    }
    int failed =
        key ? cgroup_parse_keyed(text, key, out, err) : cgroup_parse_number(text, out, err);
    if (failed && err->code != ERR_NOT_FOUND)
        return err_add(err, "cgroup file %s", file_of(meter->mode, which).name);
    return 0;
}

static int read_memory(const struct cgroup_meter *meter, struct cgroup_usage *usage,
                       struct err *err)
{
    bool v2 = meter->mode == CGROUP_V2;
    int64_t cache;
    if (read_one(meter, CGROUP_FILE_MEMORY, NULL, &usage->memory_bytes, err) ||
        read_one(meter, CGROUP_FILE_MEMORY_STAT, v2 ? "inactive_file" : "total_inactive_file",
                 &cache, err) ||
        read_one(meter, CGROUP_FILE_MEMORY_PEAK, NULL, &usage->memory_peak_bytes, err))
        return -1;
    if (usage->memory_bytes >= 0 && cache > 0) /* two reads: the cache may have grown between */
        usage->memory_bytes = cache < usage->memory_bytes ? usage->memory_bytes - cache : 0;
    return 0;
}

static int read_cpu(const struct cgroup_meter *meter, struct cgroup_usage *usage, struct err *err)
{
    bool usec = meter->mode != CGROUP_V1, throttled_usec = meter->mode == CGROUP_V2;
    if (read_one(meter, CGROUP_FILE_CPU, usec ? "usage_usec" : NULL, &usage->cpu_usec, err) ||
        read_one(meter, CGROUP_FILE_THROTTLED, throttled_usec ? "throttled_usec" : "throttled_time",
                 &usage->throttled_usec, err) ||
        read_one(meter, CGROUP_FILE_THROTTLED, "nr_throttled", &usage->throttled_periods, err))
        return -1;
    if (!usec && usage->cpu_usec >= 0)
        usage->cpu_usec /= 1000; /* v1 counts nanoseconds */
    if (!throttled_usec && usage->throttled_usec >= 0)
        usage->throttled_usec /= 1000;
    return 0;
}

int cgroup_meter_read(const struct cgroup_meter *meter, struct cgroup_usage *usage, struct err *err)
{
    struct cgroup_usage read;
    if (read_cpu(meter, &read, err) || read_memory(meter, &read, err) ||
        read_one(meter, CGROUP_FILE_PIDS, NULL, &read.pids, err) ||
        read_one(meter, CGROUP_FILE_OOM, "oom_kill", &read.oom_kills, err))
        return -1;
    *usage = read;
    return 0;
}
