/* supervise.h - runs the four services until told to stop.
 *
 * Starts audit, guardian, monitor, manager; tells once when all are ready; starts again what ends,
 * with pauses (backoff.h); forwards SIGHUP; at SIGTERM or SIGINT ends manager, monitor, guardian,
 * audit, each by SIGTERM and after five seconds by SIGKILL. A service that exits with 2 has a
 * configuration error and is not started again. Until all are ready a service that is given up ends
 * the whole; later it stays down, which `corral status` shows, and the others go on: they refuse
 * what they cannot do without it, and killing still works.
 */
#pragma once

#include "cli/child.h"

struct supervise {
    struct child_options child;
    int lock_fd; /* of uplock_take */
    /* All are ready. -1 with *err stops them again. */
    int (*ready)(void *context, struct err *err);
    void *context;
};

/* Returns what `corral up` exits with: 0, or 125 when a service had been given up; -1 when it did
 * not get so far: ERR_CONFIG a service refused its configuration; ERR_STATE one ended too often or
 * did not become ready; ERR_IO. Its last log lines are on stderr then. All services have ended. */
int supervise(const struct supervise *options, struct err *err);
