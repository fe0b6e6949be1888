/* cgroup_parse.h - the texts of /proc and cgroupfs, as pure functions.
 *
 * Everything is read with the suspicion due to a stranger's file: a container may show a forged
 * /proc, and a parser that trusts one line gives the sandbox's limits away. No function allocates.
 */
#pragma once

#include "base/bytes.h"
#include "engine/cgroup/cgroup.h"

struct cgroup_places {
    enum cgroup_mode mode;
    char own[CGROUP_TREES][CGROUP_PATH_BYTES]; /* our cgroup's directory; "" where not visible */
};

/* Joins mounts and memberships: where, in this mount namespace, our own cgroup of each hierarchy
 * is. A hierarchy whose mount does not show our cgroup (a mount root elsewhere, a path with "..")
 * is left out. `mountinfo` is /proc/self/mountinfo (proc(5)), `membership` /proc/self/cgroup
 * (cgroups(7)). ERR_INVALID names the line. */
int cgroup_parse_places(struct view mountinfo, struct view membership, struct cgroup_places *out,
                        struct err *err);

/* A whole decimal number with an optional newline behind it; "max" is INT64_MAX. ERR_INVALID
 * anything else, or above INT64_MAX (v1 writes such values for "no limit": those are INT64_MAX
 * too, rounded down to a page). */
int cgroup_parse_number(struct view text, int64_t *out, struct err *err);

/* The number behind `key ` at the start of a line of a flat keyed file. ERR_NOT_FOUND no such line;
 * ERR_INVALID no number there. */
int cgroup_parse_keyed(struct view text, const char *key, int64_t *out, struct err *err);

/* True when a text of names separated by blanks (cgroup.controllers) or commas has this one. */
bool cgroup_parse_has(struct view text, const char *name);

/* Takes one pid from the front of a cgroup.procs text. 0 and true, then false at its end;
 * ERR_INVALID for anything but lines of pids. *pid is 0 for a process of another pid namespace. */
int cgroup_parse_pid(struct view *cursor, bool *more, pid_t *pid, struct err *err);
