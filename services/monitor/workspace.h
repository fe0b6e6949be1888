/* workspace.h - how full a sandbox's /workspace is, seen from outside.
 *
 * The way there leads through /proc/<init>/root, a tree that the sandbox made: each step is opened
 * by path only (O_PATH), so that nothing planted there can block us or be run, and no symlink is
 * followed. An open descriptor keeps the file system of a dead sandbox in memory: close it soon.
 */
#pragma once

#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

/* Opens /workspace of the sandbox whose init this is. ERR_NOT_FOUND that init is dead, though
 * another process may have its pid; ERR_IO it cannot be opened. */
int workspace_open(pid_t init_pid, uint64_t init_start, int *fd, struct err *err);

/* Bytes in use on its file system. ERR_IO. */
int workspace_used(int fd, int64_t *bytes, struct err *err);
