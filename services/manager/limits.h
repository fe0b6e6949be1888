/* limits.h - limits between messages, configuration and cgroups. */
#pragma once

#include "engine/cgroup/cgroup.h"
#include "schema/config.h"
#include "schema/message.h"

/* Fills what a request left open with the configured defaults. */
struct limits limits_filled(const struct limits *asked, const struct config *config);

struct cgroup_limits limits_of_cgroup(const struct limits *limits);

/* Reads names of limits (memory, cpu, pids; a comma between several in one text is fine).
 * ERR_INVALID names the wrong one. */
int limits_read_names(struct list names, unsigned *set, struct err *err);

/* Writes a set as a list of names into `store`. Errors as list_add_text. */
int limits_write_names(unsigned set, struct bytes *store, struct list *names, struct err *err);
