/* preflight.h - what this host can do for a sandbox, proved by doing it.
 *
 * Shared by `corral doctor`, `corral up`, the demo and the tests. Static facts (uid, cgroup layout,
 * namespaces, bwrap) explain; the level is decided by probes alone: a real sandbox is started and
 * each limit exceeded in it. Takes under two seconds and leaves nothing behind. Blocking, forks and
 * reaps its own children: run it in a program of its own (corral-manager --preflight) or before
 * there are threads. On v2 the caller has entered its leaf (cgroup_host_enter_leaf) already.
 */
#pragma once

#include "base/bytes.h"
#include "manager/runtime/runtime.h"

enum preflight_level {
    PREFLIGHT_NONE,    /* no sandbox can be started: exit 3 */
    PREFLIGHT_PARTIAL, /* isolation holds, the limits in `unenforced` do not */
    PREFLIGHT_FULL
};

enum preflight_result { PREFLIGHT_OK, PREFLIGHT_WARN, PREFLIGHT_FAIL };

struct preflight_check {
    char name[24]; /* "cgroups", "user-namespaces", "memory-limit" … */
    enum preflight_result result;
    char detail[256]; /* what was found */
    char remedy[256]; /* the one command or setting that would help; "" when ok */
};

enum { PREFLIGHT_CHECKS = 16 };

struct preflight_options {
    const char *run_dir;   /* existing, 0700, ours; the probes work in a folder below it */
    const char *init_path; /* corral-init */
    int64_t host_uid;      /* a free uid of the configured range, when root; -1: the caller's own */
};

struct preflight {
    enum preflight_level level;
    unsigned unenforced; /* enum cgroup_limit */
    struct preflight_check checks[PREFLIGHT_CHECKS];
    size_t count;
};

/* Adds one check; for the files of preflight. `remedy` "" for none. */
void preflight_add(struct preflight *p, const char *name, enum preflight_result result,
                   const char *remedy, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Runs all checks and probes. Fails only when it could not look at all (ERR_INVALID an option;
 * ERR_MEMORY); what the host lacks is in *out. */
int preflight_run(const struct preflight_options *options, struct preflight *out, struct err *err);

/* The report for people: one line a check, remedies below it, the level last. Errors as bytes_add.
 */
int preflight_show(const struct preflight *p, bool colour, struct bytes *to, struct err *err);

/* The same as one msgpack map {level, unenforced: […], checks: [{name, result, detail, remedy}]}.
 * Errors as bytes_add. */
int preflight_pack(const struct preflight *p, struct bytes *to, struct err *err);

/* "none", "partial", "full". Static. */
const char *preflight_level_name(enum preflight_level level);
