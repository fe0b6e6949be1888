/* gate.h - a child of init's that waits at its gate, and its way into a cgroup of its own.
 *
 *     asked ──SPAWNED and a pidfd──▶ moving ──a worker has moved it──▶ ready: the gate may open
 *
 * A move waits for a grace period of the kernel (cgroup_add), so a worker makes it, and a sandbox
 * keeps one such child in stock, which is moved while nobody waits: sandbox_stock. Where there is
 * no cgroup nothing is moved and nothing kept in stock. While the kernel moves a process it lets
 * nobody make or remove a cgroup either, so a worker does that as well.
 *
 * Loop thread only, but for what the worker does on a copy.
 */
#pragma once

#include "engine/cgroup/cgroup.h"
#include "engine/cgroup/cgroup_usage.h"

struct sandbox;
struct service;

enum gate_state { GATE_ASKED, GATE_MOVING, GATE_READY };

struct gate {
    uint32_t number; /* the exec's; 0: there is no child */
    enum gate_state state;
    bool has_cgroup; /* once ready: what follows is there */
    struct cgroup cgroup;
    struct cgroup_meter meter;
    int64_t oom_kills; /* before anything ran */
};

/* Takes a fresh number and puts PREPARE into the link; the caller flushes it. Without cgroups SPAWN
 * alone makes the child. ERR_OVERLOADED, ERR_MEMORY. */
int gate_ask(struct sandbox *sandbox, struct gate *gate, struct err *err);

/* Init has made the child. Takes the pidfd; a worker makes sure that it is a process of the
 * sandbox's, makes the cgroup and moves it in. sandbox_moved is told how that went; without cgroups
 * the gate is ready at once. ERR_PEER it is not waited for; ERR_OVERLOADED no worker, ERR_MEMORY.
 */
int gate_move(struct sandbox *sandbox, struct gate *gate, int pidfd, struct err *err);

/* Closes the meter and removes the cgroup; one in which something goes on in the background stays
 * until the sandbox ends. gate_leave has it done by a worker, gate_close does it. */
void gate_leave(struct service *service, struct gate *gate);
void gate_close(struct gate *gate);
