/* path.h - where an argument that is a path lies: workspace, home, system, device, … */
#pragma once

#include "engine/policy/rule.h"
#include "engine/shell/facts.h"

/* The places of one sandbox; absolute and normal paths. */
struct policy_context {
    const char *cwd;
    const char *home;
    const char *workspace;
};

/* The classes of one argument, seen from each directory the command may run in. */
unsigned path_classes(const struct policy_context *context, const struct cwds *cwds,
                      const struct arg *a);

/* True when one of the patterns matches the argument's normal path, seen from each directory. */
bool path_matches(const struct cwds *cwds, const struct arg *a, const char *const *patterns);
