/* preflight_probe.h - the proofs: a real sandbox is started, and each of its limits exceeded. */
#pragma once

#include "manager/preflight.h"

/* Adds the checks "sandbox", "isolation", "memory-limit", "pids-limit", "cpu-limit".
 *
 *   host         of process_open
 *   works        out: a sandbox started and is what it should be
 *   unenforced   out: limits that were exceeded and did not hold
 */
void preflight_probe(const struct runtime_host *host, int64_t host_uid, struct preflight *p,
                     bool *works, unsigned *unenforced);
