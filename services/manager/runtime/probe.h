/* probe.h - one command in a sandbox, run and waited for on the spot: what preflight needs to prove
 * a limit. The manager itself runs commands without waiting.
 */
#pragma once

#include "engine/cgroup/cgroup_usage.h"
#include "manager/runtime/runtime.h"

struct probe_result {
    bool signalled;
    int status;                /* exit code, or the signal's number */
    struct cgroup_usage usage; /* of the command's cgroup; all -1 where there is none */
};

/* Runs `sh -c line` as exec `number` in a sandbox that was just started, in a cgroup of its own
 * where one may be made, and ends whatever it leaves behind. Output is thrown away. The socket
 * stays the caller's.
 *
 *   err   ERR_DEADLINE; ERR_PEER init broke the protocol; ERR_RUNTIME it could not run; ERR_IO
 */
int probe_run(const struct sandbox_started *sandbox, uint32_t number, const char *line,
              int64_t deadline_boot_ns, struct probe_result *out, struct err *err);
