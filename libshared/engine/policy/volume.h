/* volume.h - may this part of a host be seen in this sandbox? A pure function of what the manager
 * found (struct mount) and the volume ACLs: nothing here looks at a file, so nothing here can be
 * raced.
 *
 * A volume is allowed when one ACL of its tenant and agent covers its real path at a boundary of
 * components, its container path, its mode and its patterns, and no ACL over that path blocks it.
 * Sensitive paths are refused whatever the ACLs say, unless one names that very path as sensitive.
 * What is seen of a path that no ACL covers does not depend on what is there.
 *
 * A pattern is relative to its ACL's host_path and is compared name by name: * and ? stand for
 * characters of one name, a name ** for any number of names. What lies below a match matches, too.
 */
#pragma once

#include "engine/policy/judge.h"
#include "schema/message.h"

#include <stdbool.h>

/* Ids beside those of the rules. */
#define VOLUME_NOT_ALLOWED "volume_not_allowed" /* no ACL covers it */
#define VOLUME_SENSITIVE "volume_sensitive"     /* keys, the system, sockets, Corral's own */
#define VOLUME_TYPE "volume_type"               /* neither directory nor regular file, or absent */
#define VOLUME_SUBMOUNT "volume_submount"       /* another file system is mounted below it */
#define VOLUME_BLOCKED "volume_blocked"         /* a blocked pattern */
#define VOLUME_PATTERN "volume_pattern"         /* no allowed pattern */
#define VOLUME_MODE "volume_mode"               /* rw, and the ACL says ro */

/* Volume ACLs; borrowed. */
struct volume_acls {
    const struct volume_acl *const *rows;
    size_t count;
};

/* True for an absolute path without empty component, ".", ".." and "/" at its end; "/" is normal.
 */
bool volume_path_is_normal(const char *path);

/* True when `path` is `root` or lies below it; both normal. */
bool volume_path_is_within(const char *path, const char *root);

/* Why a normal path of a host is sensitive ("holds keys or credentials", …); NULL when it is not.
 * What lies above a sensitive path is sensitive, too. Static. */
const char *volume_sensitive_path(const char *path);

/* The directories of the system that are sensitive with all in them, ended by NULL. Static. */
const char *const *volume_sensitive_trees(void);

/* Names that make the directory that they lie in sensitive, ended by NULL; some have a "/". Static.
 */
const char *const *volume_sensitive_names(void);

/* Checks where volumes are to be in the sandbox: normal, no place of the sandbox's own, no two at
 * one place or one in the other. `mounts` are records of `message`, which is message_volume or
 * message_mount. ERR_INVALID names the path. */
int volume_check_places(struct list mounts, const struct message *message, struct err *err);

/* Checks the form of an ACL that is to be added: paths, patterns, agent. ERR_INVALID names the
 * field; ERR_FORBIDDEN host_path is sensitive and the ACL does not say so. */
int volume_check_acl(const struct acl_add *acl, struct err *err);

/* Whether a pattern matches a path relative to its root ("" is the root), or a directory above it.
 * With `or_holds` also whether something below the path may match. */
bool volume_pattern_matches(const char *pattern, const char *path, bool or_holds);

/* Judges the mounts of an act, in their order; the first one that is refused ends it.
 *
 *   mounts   of struct mount
 *   out      its rules are static; risk medium for what is writable or could be exchanged by
 *            others, otherwise low
 */
void volume_judge(struct list mounts, const char *tenant, const char *agent,
                  const struct volume_acls *acls, struct judgement *out);
