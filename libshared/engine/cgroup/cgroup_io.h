/* cgroup_io.h - single reads and writes of cgroupfs files. Used inside engine/cgroup only.
 *
 * cgroupfs wants each value in one write and answers with errno, which callers here need to tell
 * apart; so these return 0 or -1 with errno and no text.
 */
#pragma once

#include "base/bytes.h"
#include "engine/cgroup/cgroup.h"

enum { CGROUP_TEXT_BYTES = 16384 }; /* memory.stat, the longest, has 3 KiB */

/* "<dir>/<name>" into `to`. -1 with ENAMETOOLONG when it does not fit. */
int cgroup_io_path(char to[CGROUP_PATH_BYTES], const char *dir, const char *name);

/* Opens "<dir>/<name>", close-on-exec. */
int cgroup_io_open(const char *dir, const char *name, int flags);

/* Writes `text` in one write(2). */
int cgroup_io_write(const char *dir, const char *name, const char *text);

/* Reads from the start of an open file; *text views the buffer. EOVERFLOW when it does not fit. */
int cgroup_io_pread(int fd, char buffer[CGROUP_TEXT_BYTES], struct view *text);

/* Opens, reads, closes. */
int cgroup_io_read(const char *dir, const char *name, char buffer[CGROUP_TEXT_BYTES],
                   struct view *text);

/* True when `tree` has a path that no earlier tree has (cpu and cpuacct may be one mount). */
bool cgroup_io_is_own_tree(const char path[CGROUP_TREES][CGROUP_PATH_BYTES], unsigned tree);
