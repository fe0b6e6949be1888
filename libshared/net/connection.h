/* connection.h - the file with all that a client needs: where the services are, and its own keys.
 *
 * JSON (schema message `connection`), mode 0600, owned by the uid that reads it: refused otherwise,
 * as are a secret key that does not belong to the public one and the keys of keys.h that everyone
 * knows.
 */
#pragma once

#include "base/bytes.h"
#include "net/keys.h"
#include "schema/message.h"

/* A connection and the bytes that its list of services points into. A zeroed struct is closed. */
struct connection_file {
    struct connection connection;
    struct bytes packed;
};

/* Reads a file, relative to dirfd (AT_FDCWD works). ERR_NOT_FOUND; ERR_INVALID; ERR_IO. */
int connection_load(int dirfd, const char *path, struct connection_file *file, struct err *err);

/* Wipes the secrets and frees. SCOPED works. */
void connection_close(struct connection_file *file);

/* Writes a file, replacing any old one atomically and durably. Errors of schema_json; ERR_IO. */
int connection_save(int dirfd, const char *path, const struct connection *connection,
                    struct err *err);

/* Finds a service by its name. ERR_NOT_FOUND the file does not name it. */
int connection_find(const struct connection *connection, const char *service,
                    struct endpoint *endpoint, struct err *err);

/* The client's own pair; the caller wipes it. */
struct key_pair connection_keys(const struct connection *connection);
