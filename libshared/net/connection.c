/* connection.c - connection files; see connection.h. */
#include "net/connection.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"

#include <sodium.h>
#include <string.h>

enum { FILE_BYTES = 16 * 1024 };

struct key_pair connection_keys(const struct connection *connection)
{
    struct key_pair pair;
    text_copy(pair.public_key, sizeof pair.public_key, connection->public_key);
    text_copy(pair.secret_key, sizeof pair.secret_key, connection->secret_key);
    return pair;
}

void connection_close(struct connection_file *file)
{
    sodium_memzero(&file->connection, sizeof file->connection);
    if (file->packed.data)
        sodium_memzero(file->packed.data, file->packed.room);
    bytes_close(&file->packed);
}

/* Decodes and checks what does not depend on the file. */
static int parse(struct view text, struct connection_file *file, struct err *err)
{
    file->packed = bytes_open(FILE_BYTES);
    if (schema_from_json(&message_connection, text, &file->packed, &file->connection, err))
        return -1;
    SCOPED(keys_wipe) struct key_pair pair = connection_keys(&file->connection);
    if (keys_check_pair(&pair, err))
        return -1;
    struct list services = file->connection.services;
    for (struct endpoint e; list_next(&services, &message_endpoint, &e);)
        if (keys_check_public(e.server_key, err))
            return err_add(err, "server_key of %s", e.service);
    return 0;
}

int connection_load(int dirfd, const char *path, struct connection_file *to, struct err *err)
{
    SCOPED(connection_close) struct connection_file file = {0};
    SCOPED(fd_close) int fd = -1;
    uint8_t text[FILE_BYTES + 1]; /* here and not in the heap, to be wiped */
    size_t got = 0;
    if (file_open_private(dirfd, path, &fd, err) ||
        file_read_at(fd, text, sizeof text, 0, &got, err))
        return err_add(err, "connection file");
    int result = got > FILE_BYTES ? err_set(err, ERR_INVALID, "more than %d bytes", FILE_BYTES)
                                  : parse((struct view){text, got}, &file, err);
    sodium_memzero(text, sizeof text);
    if (result)
        return err_add(err, "connection file %s", path);
    *to = file;
    file = (struct connection_file){0};
    return 0;
}

int connection_save(int dirfd, const char *path, const struct connection *connection,
                    struct err *err)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(FILE_BYTES);
    int result = schema_json(&message_connection, connection, 2, &text, err) ||
                         bytes_add(&text, "\n", 1, err) ||
                         file_replace(dirfd, path, text.data, text.len, 0600, err)
                     ? -1
                     : 0;
    if (text.data)
        sodium_memzero(text.data, text.room);
    return result ? err_add(err, "connection file %s", path) : 0;
}

int connection_find(const struct connection *connection, const char *service,
                    struct endpoint *endpoint, struct err *err)
{
    struct list services = connection->services;
    for (struct endpoint e; list_next(&services, &message_endpoint, &e);)
        if (!strcmp(e.service, service)) {
            *endpoint = e;
            return 0;
        }
    return err_set(err, ERR_NOT_FOUND,
                   "the connection file names no %s: an agent's reaches the manager only, the "
                   "operator's is admin.json",
                   service);
}
