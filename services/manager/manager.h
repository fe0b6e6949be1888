/* manager.h - the manager's state: the sandboxes of this host and what is needed to make and end
 * them.
 *
 * The loop thread owns everything here. What blocks (starting, ending, looking at the host) runs in
 * workers, on copies.
 */
#pragma once

#include "engine/lease/lease.h"
#include "manager/runtime/runtime.h"
#include "engine/shell/facts.h"
#include "manager/runtime/uids.h"
#include "service/service.h"

struct judge;
struct look;
struct sandbox;

struct manager {
    struct service *service;
    const struct runtime *runtime;
    struct runtime_host host;
    struct uids uids;
    struct sandbox *sandboxes; /* by id, ascending; see sandbox.h */
    size_t sandbox_count;
    struct judge *judge;
    struct facts facts;     /* room to read commands in */
    int leases;             /* the lease directory */
    char tag[9];            /* of this host, in sandbox ids */
    bool is_looking;        /* a reconcile job is under way */
    struct look *last_look; /* what the last one saw; see reconcile.c */
};

/* The hooks of main.c's table. */
int manager_open(struct service *service, void **state, struct err *err);
void manager_close(void *state);
void manager_registry_changed(void *state);
void manager_status(void *state, struct service_status *status);

/* The corral-init beside this program. ERR_CONFIG, ERR_IO. */
int manager_init_path(char path[256], struct err *err);

/* The manager behind an operation. */
static inline struct manager *manager_of(const struct op *op)
{
    return op->service->state;
}
