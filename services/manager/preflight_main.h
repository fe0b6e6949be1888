/* preflight_main.h - corral-manager --preflight [--json]: the host's report, for `corral doctor`,
 * `up`, demo and tests. */
#pragma once

#include <stdbool.h>

/* The option hook of the service table: true when argv asks for the preflight. Exit code: 0 full or
 * partial, 3 none, 1 it could not look,
 * 2 wrong options. */
bool preflight_option(int argc, char **argv, int *exit_code);
