#include "manager/preflight_probe.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "manager/runtime/probe.h"
#include "manager/runtime/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { MIB = 1 << 20, MEMORY_MIB = 32, PIDS = 16, CPU_MILLIS = 100 };

/* Patience with a slow machine. Init ends the sandbox by itself once all steps may have used
 * theirs: start, a probe of each limit, stop. */
enum { STEP_MS = 20000, STEPS = 5 };

static const char probe_id[] = "sb_preflight";

static int64_t soon(void)
{
    return clock_boot_ns() + STEP_MS * (int64_t)MS_NS;
}

/* The CPU limit comes with its own probe: it would slow down the others. */
static const struct cgroup_limits loose = {MEMORY_MIB * (int64_t)MIB, PIDS, 0};
static const struct cgroup_limits tight = {MEMORY_MIB * (int64_t)MIB, PIDS, CPU_MILLIS};

static struct sandbox_spec spec_of(int64_t host_uid)
{
    struct sandbox_spec spec = {.hostname = "preflight",
                                .limits = loose,
                                .workspace_bytes = MIB,
                                .tmp_bytes = MIB,
                                .host_uid = host_uid,
                                .deadline_boot_ns =
                                    clock_boot_ns() + STEPS * STEP_MS * (int64_t)MS_NS,
                                .allow_unenforced = CGROUP_LIMITS};
    text_copy(spec.sandbox_id, sizeof spec.sandbox_id, probe_id);
    return spec;
}

/* The value of a line of init's /proc/PID/status; "" when there is none. */
static void read_status(const struct bytes *status, const char *key, char to[64])
{
    const char *at = status->len ? strstr((const char *)status->data, key) : NULL;
    to[0] = 0;
    if (!at)
        return;
    at += strlen(key);
    at += strspn(at, "\t ");
    snprintf(to, 64, "%.*s", (int)strcspn(at, "\n"), at);
}

/* What the kernel says about the sandbox's init, which all inside descend from. */
static bool prove_isolation(const struct sandbox_started *sandbox, struct preflight *p)
{
    static const struct {
        const char *key, *wanted;
    } lines[] = {{"\nCapEff:", "0000000000000000"},
                 {"\nCapBnd:", "0000000000000000"},
                 {"\nNoNewPrivs:", "1"},
                 {"\nSeccomp:", "2"}};
    struct err err;
    char path[64], value[64];
    SCOPED(bytes_close) struct bytes status = {0};
    snprintf(path, sizeof path, "/proc/%d/status", (int)sandbox->init_pid);
    if (file_read(AT_FDCWD, path, 65536, &status, &err)) {
        preflight_add(p, "isolation", PREFLIGHT_FAIL, "", "%s", err.text);
        return false;
    }
    for (size_t i = 0; i < COUNT(lines); i++) {
        read_status(&status, lines[i].key, value);
        if (strcmp(value, lines[i].wanted)) {
            preflight_add(p, "isolation", PREFLIGHT_FAIL, "", "init has %s %s, not %s",
                          lines[i].key + 1, value, lines[i].wanted);
            return false;
        }
    }
    preflight_add(p, "isolation", PREFLIGHT_OK, "",
                  "no capabilities, no new privileges, seccomp filter on");
    return true;
}

struct proof {
    enum cgroup_limit limit;
    const char *name, *line;
    bool (*holds)(const struct probe_result *result, const struct cgroup_usage *sandbox);
    const char *seen; /* what happened when it holds */
};

static bool was_killed_for_memory(const struct probe_result *result,
                                  const struct cgroup_usage *sandbox)
{
    (void)sandbox;
    return result->usage.oom_kills > 0 && (result->signalled || result->status);
}

static bool was_refused_a_fork(const struct probe_result *result,
                               const struct cgroup_usage *sandbox)
{
    (void)sandbox;
    return result->signalled || result->status;
}

static bool was_throttled(const struct probe_result *result, const struct cgroup_usage *sandbox)
{
    (void)result;
    return sandbox->throttled_periods > 0;
}

static const struct proof proofs[] = {
    {CGROUP_MEMORY, "memory-limit", "head -c 64M /dev/zero | tail -c 64M > /dev/null",
     was_killed_for_memory, "64 MiB under a limit of 32 MiB: killed, and the counter says so"},
    {CGROUP_PIDS, "pids-limit", "i=0; while [ $i -lt 32 ]; do sleep 5 & i=$((i + 1)); done; exit 0",
     was_refused_a_fork, "32 processes under a limit of 16: refused"},
    {CGROUP_CPU, "cpu-limit", "timeout 0.3 sh -c 'while :; do :; done'", was_throttled,
     "a busy loop under a limit of a tenth of a core: held back"},
};

/* The usage of the whole sandbox; all -1 where it is not counted. */
static struct cgroup_usage usage_of(const struct sandbox_started *sandbox)
{
    struct err ignored;
    struct cgroup_meter meter;
    struct cgroup_usage usage = {-1, -1, -1, -1, -1, -1, -1};
    if (cgroup_meter_open(&sandbox->cgroup, &meter, &ignored))
        return usage;
    cgroup_meter_read(&meter, &usage, &ignored);
    cgroup_meter_close(&meter);
    return usage;
}

/* Exceeds one limit. One that was not accepted is not tried: nothing would stop the attempt. */
static bool prove_limit(const struct sandbox_started *sandbox, const struct proof *proof,
                        uint32_t number, struct preflight *p)
{
    static const char remedy[] =
        "corral run --allow-unenforced accepts it, on record; see the cgroups line";
    struct err err;
    struct probe_result result;
    unsigned unenforced = sandbox->unenforced;
    if (proof->limit == CGROUP_CPU)
        cgroup_set_limits(&sandbox->cgroup, &tight, &unenforced);
    if (unenforced & proof->limit) {
        preflight_add(p, proof->name, PREFLIGHT_WARN, remedy, "the kernel does not take it here");
        return false;
    }
    if (probe_run(sandbox, number, proof->line, soon(), &result, &err)) {
        preflight_add(p, proof->name, PREFLIGHT_WARN, remedy, "the probe failed: %.200s", err.text);
        return false;
    }
    struct cgroup_usage usage = usage_of(sandbox);
    bool holds = proof->holds(&result, &usage);
    if (holds)
        preflight_add(p, proof->name, PREFLIGHT_OK, "", "%s", proof->seen);
    else
        preflight_add(p, proof->name, PREFLIGHT_WARN, remedy, "taken, but exceeded without harm");
    return holds;
}

static void stop(const struct runtime_host *host, const struct sandbox_started *sandbox,
                 struct preflight *p, bool *works)
{
    struct err err;
    struct sandbox_handle handle = {.init_pid = sandbox->init_pid,
                                    .init_start_ticks = sandbox->init_start_ticks,
                                    .launcher_pid = sandbox->launcher_pid};
    text_copy(handle.sandbox_id, sizeof handle.sandbox_id, probe_id);
    if (!runtime_process.stop(host, &handle, soon(), &err))
        return;
    *works = false;
    preflight_add(p, "kill", PREFLIGHT_FAIL, "", "%s", err.text);
}

void preflight_probe(const struct runtime_host *host, int64_t host_uid, struct preflight *p,
                     bool *works, unsigned *unenforced)
{
    struct err err;
    struct sandbox_started sandbox;
    struct sandbox_spec spec = spec_of(host_uid);
    *works = false;
    *unenforced = CGROUP_LIMITS;
    int64_t begin = clock_boot_ns();
    if (runtime_process.start(host, &spec, soon(), &sandbox, &err)) {
        preflight_add(p, "sandbox", PREFLIGHT_FAIL, "", "%s", err.text);
        return;
    }
    preflight_add(p, "sandbox", PREFLIGHT_OK, "", "started in %lld ms",
                  (long long)((clock_boot_ns() - begin) / MS_NS));
    *works = prove_isolation(&sandbox, p);
    for (size_t i = 0; i < COUNT(proofs); i++)
        if (prove_limit(&sandbox, &proofs[i], (uint32_t)i + 1, p))
            *unenforced &= ~(unsigned)proofs[i].limit;
    fd_close(&sandbox.socket);
    fd_close(&sandbox.pidfd);
    stop(host, &sandbox, p, works);
}
