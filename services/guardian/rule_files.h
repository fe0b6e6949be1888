/* rule_files.h - the rule directory as it stands: its generation, and whose rules lie where.
 *
 *   DIR/generation                a number that only grows; absent: 0
 *   DIR/tenants/<tenant>/         *.toml, for that tenant's agents
 *   DIR/agents/<tenant>/<agent>/  *.toml, for that agent
 *
 * Anything else that does not begin with "." is refused, because it is a mistake that nobody would
 * see. So is whatever file_open_trusted refuses. The files themselves are ruleset_load's to read.
 * Any thread.
 */
#pragma once

#include "base/err.h"
#include "net/registry.h"

#include <stddef.h>
#include <stdint.h>

enum { RULE_FOLDERS_MAX = 1024, RULE_PATH_BYTES = 1024 };

struct rule_folder {
    char tenant[NAME_BYTES];
    char agent[NAME_BYTES]; /* "": all of the tenant's */
    char path[RULE_PATH_BYTES];
};

struct rule_files {
    int64_t generation;
    struct rule_folder *folders; /* by tenant, then agent: a tenant's own before its agents' */
    size_t count;
};

/* Looks through the directory, each folder before what lies in it.
 *
 *   look     is told of each folder before it is read, to watch it from then on; NULL: nobody
 *   files    out; closed by rule_files_close
 *   err      ERR_CONFIG names the path and what is wrong with it; ERR_IO; ERR_MEMORY
 */
int rule_files_find(const char *dir, void (*look)(void *context, const char *path), void *context,
                    struct rule_files *files, struct err *err);

void rule_files_close(struct rule_files *files);
