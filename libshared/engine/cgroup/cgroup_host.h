/* cgroup_host.h - which control groups this process may use, and where Corral's tree stands.
 *
 * Read from /proc/self/mountinfo and /proc/self/cgroup. The tree "corral-<instance>" is made below
 * the service's OWN cgroup in every hierarchy, so a container's or a user's delegation is enough
 * and nothing outside it is touched. On v2 a cgroup with controllers for its children must hold no
 * process itself (cgroup-v2.rst, "No Internal Process Constraint"): the service first moves into
 * the leaf CGROUP_LEAF, and the tree becomes that leaf's sibling.
 */
#pragma once

#include "engine/cgroup/cgroup.h"

#define CGROUP_LEAF "corral-services"

struct cgroup_host {
    enum cgroup_mode mode;
    unsigned limits;                            /* enum cgroup_limit: what could be switched on */
    char base[CGROUP_TREES][CGROUP_PATH_BYTES]; /* "<own>/corral-<instance>"; "" where none */
    char lacks[256]; /* for people: why the mode or a limit is missing; "" when nothing is */
};

/* Moves the calling process (all threads) into the leaf when the layout is v2 and it is in no leaf
 * yet; does nothing on v1, hybrid, in the root cgroup, and where the own cgroup may not be written.
 * Call it before cgroup_host_open and before starting children. ERR_INVALID as cgroup_host_open;
 * ERR_IO. */
int cgroup_host_enter_leaf(struct err *err);

/* Finds the hierarchies, makes the base directories and switches on what can be. What the host
 * lacks is no error but a lower mode, fewer limits and a sentence in host->lacks.
 *
 *   instance   letters, digits, '-', at most 32
 *   err        ERR_INVALID instance, or /proc says what no kernel writes; ERR_IO
 */
int cgroup_host_open(const char *instance, struct cgroup_host *host, struct err *err);

/* Removes the base directories when they are empty; what still holds a sandbox stays. */
void cgroup_host_remove(const struct cgroup_host *host);

/* The struct of a sandbox's cgroup by its name, whether or not it exists. ERR_INVALID too long or
 * no plain name. */
int cgroup_host_find(const struct cgroup_host *host, const char *name, struct cgroup *cg,
                     struct err *err);

/* Calls `each` with the name of every sandbox directory in any of the trees; a name may come more
 * than once. ERR_IO. */
int cgroup_host_list(const struct cgroup_host *host, void (*each)(void *context, const char *name),
                     void *context, struct err *err);
