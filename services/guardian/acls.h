/* acls.h - the volume ACLs: in guardian.db as the record says, and in memory for whoever judges.
 *
 * An ACL is added and removed by one record, the result of its operation: it is in force, or gone,
 * once that record is on disk, and a process that dies before that has changed nothing. Loop thread
 * only, but for acls_apply.
 */
#pragma once

#include "engine/policy/volume.h"
#include "guardian/projection.h"

enum { ACLS_OF_TENANT = 256 }; /* most of one tenant */

/* A migration. */
extern const char acls_schema[];

/* Owns acl_add and acl_remove. */
guardian_apply acls_apply;

struct acls;

/* Reads what the database has. ERR_STORE, ERR_MEMORY. */
int acls_load(struct db *db, struct acls **acls, struct err *err);

/* Fine on NULL. */
void acls_free(struct acls **acls);

/* All of them, by id; valid until the next change. None on NULL. */
struct volume_acls acls_view(const struct acls *acls);

/* By id; NULL. */
const struct volume_acl *acls_find(const struct acls *acls, const char *acl_id);

/* How many a tenant has. */
size_t acls_count(const struct acls *acls, const char *tenant);

/* Takes an ACL (copied, lists too) into force; one of the same id is replaced. ERR_MEMORY. */
int acls_put(struct acls *acls, const struct volume_acl *acl, struct err *err);

/* Takes it away; fine when it is not there. */
void acls_drop(struct acls *acls, const char *acl_id);
