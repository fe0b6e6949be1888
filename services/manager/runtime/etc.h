/* etc.h - the /etc that every sandbox sees: a few generated files, and of the host's own only what
 * programs cannot do without and everybody may read anyway.
 */
#pragma once

#include "base/err.h"

/* Builds the directory `path` once; fine when it is there. passwd and group know root, agent (1000)
 * and nobody; hosts knows localhost; hostname is a link to what the kernel says. Copied from the
 * host where world-readable: ld.so.cache, localtime, ssl/certs, openssl.cnf, services, protocols,
 * and the links of /etc/alternatives. ERR_IO; nothing half-built stays under `path`. */
int etc_build(const char *path, struct err *err);
