/* preflight_host.h - what the host says about itself: uid, control groups, namespaces, bubblewrap,
 * paths. These checks explain a level and name the way out; they do not decide it.
 */
#pragma once

#include "manager/preflight.h"

/* Adds the checks "user", "paths", "bubblewrap", "namespaces", "proc", "root". */
void preflight_look_at_host(const struct preflight_options *options, struct preflight *p);

/* Adds the check "cgroups". */
void preflight_look_at_cgroups(const struct cgroup_host *cgroups, struct preflight *p);
