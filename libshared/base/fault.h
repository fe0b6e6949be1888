/* fault.h - the places where tests make Corral fail.
 *
 * Built with CORRAL_FAULTS (presets dev, tsan, coverage; never release) two environment variables
 * are read; without it everything here compiles to nothing. Thread-safe: the counters are atomic.
 *
 * CORRAL_FAILPOINT=name[:N][,…] - the process kills itself with SIGKILL when it passes a point of
 * that name for the N-th time (the first, when no N is given).
 *
 * CORRAL_FAULT=kind:N[:always|:ready] - the N-th call (from 1) of that kind fails; "always" lets
 * every later one fail too, "ready" counts only what a service does once it is ready. Kinds: alloc,
 * write, fsync, sqlite.
 */
#pragma once

#include <stdbool.h>

enum fault_kind { FAULT_ALLOC, FAULT_WRITE, FAULT_FSYNC, FAULT_SQLITE, FAULT_KINDS };

#ifdef CORRAL_FAULTS
/* Dies by SIGKILL when CORRAL_FAILPOINT says so. */
void fault_point(const char *name);
/* True when this call must fail; errno is then ENOMEM (alloc), ENOSPC (write) or EIO (fsync,
 * sqlite). */
bool fault_hit(enum fault_kind kind);
/* From here on calls are counted that CORRAL_FAULT wants counted from "ready" on. */
void fault_begin(void);
/* For in-process tests: the N-th call from now fails (0: none), persistently if `always`; resets
 * the count. */
void fault_set(enum fault_kind kind, long nth, bool always);
/* Calls of this kind since the last fault_set. */
long fault_count(enum fault_kind kind);
#else
static inline void fault_point(const char *name)
{
    (void)name;
}
static inline void fault_begin(void)
{
}
static inline bool fault_hit(enum fault_kind kind)
{
    (void)kind;
    return false;
}
#endif
