/* lookout.h - the monitor's state: what it watches, when it looks.
 *
 * One timer looks at all sandboxes in one pass on the loop thread, a few reads each; another beats
 * the heart. Only the proof of a death waits, in a worker (kill.h). Nothing here needs the manager
 * or any other service.
 */
#pragma once

#include "monitor/table.h"
#include "service/service.h"

struct lookout {
    struct service *service;
    struct table table;
    int leases;    /* the lease directory */
    int changes;   /* inotify on it; -1: none */
    bool is_blind; /* the last listing failed */
};

/* The hooks of main.c's table. */
int lookout_open(struct service *service, void **state, struct err *err);
void lookout_close(void *state);
void lookout_status(void *state, struct service_status *status);
