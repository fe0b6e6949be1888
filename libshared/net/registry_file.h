/* registry_file.h - the registry at rest on one host.
 *
 * The file is lines of JSON (schema/messages/registry.def): a registry_head, then as many
 * registered_key lines, then as many registered_agent lines as the head says. One line a key keeps
 * every line within the bounds of a message and a difference between two versions readable. It is
 * parsed whole and strictly: one wrong line refuses the file, and whoever has a registry keeps it.
 * Replaced atomically, so a reader sees the old file or the new one.
 */
#pragma once

#include "base/bytes.h"
#include "net/registry.h"

/* Parses a file's text. now_s as registry_make. ERR_INVALID begins with the line's number or is of
 * registry_make; ERR_MEMORY. */
int registry_parse(struct view text, int64_t now_s, struct registry **to, struct err *err);

/* Appends the text of a registry; errors as bytes_add. */
int registry_print(const struct registry *registry, struct bytes *to, struct err *err);

/* Reads a file, relative to dirfd (AT_FDCWD works). ERR_NOT_FOUND; ERR_INVALID also for a symlink
 * and for a file that group or others may write; ERR_IO. */
int registry_load(int dirfd, const char *path, int64_t now_s, struct registry **to,
                  struct err *err);

/* Replaces the file atomically and durably, mode 0644: there is no secret in it, and services under
 * uids of their own read it. ERR_IO; ERR_MEMORY. */
int registry_save(int dirfd, const char *path, const struct registry *registry, struct err *err);
