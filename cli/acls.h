/* acls.h - volume ACLs as the guardian lists them, for the commands that show or name one. */
#pragma once

#include "cli/connect.h"

enum { ACL_ID_BYTES = 27 };

/* Calls `take` for each volume ACL that may be seen, by id; stops when it returns non-zero, and
 * returns that. Errors as connect_ask: -1. */
int acls_each(struct connect *connect,
              int (*take)(void *context, const struct volume_acl *acl, struct err *err),
              void *context, struct err *err);

/* The whole id of the ACL whose id begins with `prefix`. ERR_NOT_FOUND none does; ERR_INVALID
 * several do; errors as connect_ask. */
int acls_find(struct connect *connect, const char *prefix, char id[ACL_ID_BYTES], struct err *err);

/* A path of this host as it is asked for: made absolute, without "/" at its end. ERR_INVALID too
 * long; ERR_IO. */
int acls_host_path(const char *path, char to[1025], struct err *err);
