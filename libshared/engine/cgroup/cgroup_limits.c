/* cgroup_set_limits: write, read back, and say what does not hold. */
#include "base/bytes.h"
#include "base/scope.h"
#include "engine/cgroup/cgroup_io.h"
#include "engine/cgroup/cgroup_parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CPU_PERIOD_US = 100000, CPU_US_PER_MILLI = CPU_PERIOD_US / 1000 };

/* Writes a number (0 becomes `none`, the file's word for no limit) and reads it back. Kernels round
 * memory down to whole pages. */
static bool holds(const char *dir, const char *name, int64_t value, const char *none)
{
    char text[32];
    struct view back;
    char buffer[CGROUP_TEXT_BYTES];
    struct err ignored;
    int64_t got;
    snprintf(text, sizeof text, "%lld", (long long)value);
    if (!dir[0] || cgroup_io_write(dir, name, value ? text : none))
        return false;
    if (!value)
        return true;
    if (cgroup_io_read(dir, name, buffer, &back) || cgroup_parse_number(back, &got, &ignored))
        return false;
    return got <= value && value - got < sysconf(_SC_PAGESIZE);
}

/* True when the host has no swap at all, so that a missing swap limit limits nothing. */
static bool has_no_swap(void)
{
    char buffer[CGROUP_TEXT_BYTES];
    struct view text;
    if (cgroup_io_read("/proc", "swaps", buffer, &text))
        return false;
    const uint8_t *line = text.len ? memchr(text.data, '\n', text.len) : NULL;
    return line && (size_t)(line - text.data) + 1 == text.len; /* a heading and nothing below it */
}

static bool is_missing(const char *dir, const char *name)
{
    char path[CGROUP_PATH_BYTES];
    return !cgroup_io_path(path, dir, name) && access(path, F_OK) && errno == ENOENT;
}

/* v2 limits memory and swap apart: no swap at all makes the sum the memory limit. */
static bool memory_holds_v2(const char *dir, int64_t bytes)
{
    if (!holds(dir, "memory.max", bytes, "max"))
        return false;
    if (is_missing(dir, "memory.swap.max"))
        return has_no_swap();
    char buffer[CGROUP_TEXT_BYTES];
    struct view back;
    return !cgroup_io_write(dir, "memory.swap.max", bytes ? "0" : "max") &&
           !cgroup_io_read(dir, "memory.swap.max", buffer, &back) &&
           view_equal(back, view_of(bytes ? "0\n" : "max\n"));
}

/* v1: memsw is the sum and must never be below the memory limit, so raising starts with it. */
static bool memory_holds_v1(const char *dir, int64_t bytes)
{
    bool counts_swap = !is_missing(dir, "memory.memsw.limit_in_bytes");
    if (!holds(dir, "memory.limit_in_bytes", bytes, "-1")) {
        if (!counts_swap || !holds(dir, "memory.memsw.limit_in_bytes", bytes, "-1"))
            return false;
        return holds(dir, "memory.limit_in_bytes", bytes, "-1");
    }
    return counts_swap ? holds(dir, "memory.memsw.limit_in_bytes", bytes, "-1") : has_no_swap();
}

static bool cpu_holds_v2(const char *dir, int64_t millis)
{
    char text[64], buffer[CGROUP_TEXT_BYTES];
    struct view back;
    if (millis)
        snprintf(text, sizeof text, "%lld %d\n", (long long)millis * CPU_US_PER_MILLI,
                 CPU_PERIOD_US);
    else
        snprintf(text, sizeof text, "max %d\n", CPU_PERIOD_US);
    return !cgroup_io_write(dir, "cpu.max", text) &&
           !cgroup_io_read(dir, "cpu.max", buffer, &back) && view_equal(back, view_of(text));
}

static bool cpu_holds_v1(const char *dir, int64_t millis)
{
    return holds(dir, "cpu.cfs_period_us", CPU_PERIOD_US, "") &&
           holds(dir, "cpu.cfs_quota_us", millis * CPU_US_PER_MILLI, "-1");
}

void cgroup_set_limits(const struct cgroup *cg, const struct cgroup_limits *limits,
                       unsigned *unenforced)
{
    const char *unified = cg->path[CGROUP_TREE_UNIFIED];
    bool v2 = cg->mode == CGROUP_V2;
    unsigned missed = 0;
    bool memory = v2 ? memory_holds_v2(unified, limits->memory_bytes)
                     : memory_holds_v1(cg->path[CGROUP_TREE_MEMORY], limits->memory_bytes);
    bool pids = holds(v2 ? unified : cg->path[CGROUP_TREE_PIDS], "pids.max", limits->pids, "max");
    bool cpu = v2 ? cpu_holds_v2(unified, limits->cpu_millis)
                  : cpu_holds_v1(cg->path[CGROUP_TREE_CPU], limits->cpu_millis);
    if (limits->memory_bytes && !memory)
        missed |= CGROUP_MEMORY;
    if (limits->pids && !pids)
        missed |= CGROUP_PIDS;
    if (limits->cpu_millis && !cpu)
        missed |= CGROUP_CPU;
    *unenforced = missed;
}
