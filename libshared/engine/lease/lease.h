/* lease.h - the lease directory: what lives on this host, for whoever must watch it or kill it.
 *
 *   leases/<sandbox_id>        message `lease`, written by the manager before the sandbox starts
 * and again once it runs leases/<sandbox_id>.kill   message `kill_mark`, written before a kill by
 * whoever kills; the first one stays leases/manager.alive       its mtime is the manager's
 * heartbeat; monitor.alive the monitor's
 *
 * Files are replaced atomically and not synced: a reboot ends every sandbox, and the boot id tells.
 * Whoever reads checks: a file that is not of this directory's owner, garbled or of another boot is
 * not believed. Functions work on a descriptor of the directory (dir_open_private) and may run on
 * any thread.
 */
#pragma once

#include "engine/cgroup/cgroup.h"
#include "schema/message.h"

#include <stdbool.h>

#define LEASE_MANAGER_ALIVE "manager.alive"
#define LEASE_MONITOR_ALIVE "monitor.alive"

/* A lease with the bytes that its lists point into. */
struct lease_file {
    struct lease lease;
    struct bytes bytes;
};

/* True for the name of a lease in the directory: a sandbox id, "sb_<tag>_<26 base32>". */
bool lease_is_id(const char *name);

/* Writes or replaces a lease. ERR_INVALID, ERR_IO. */
int lease_write(int dirfd, const struct lease *lease, struct err *err);

/* Reads a lease; lease_close releases it. ERR_NOT_FOUND; ERR_INVALID garbled, or of another name.
 */
int lease_read(int dirfd, const char *sandbox_id, struct lease_file *out, struct err *err);
void lease_close(struct lease_file *file);

/* True when the lease was written in this boot: everything else of it is history. */
bool lease_is_of_this_boot(const struct lease *lease);

/* Removes a lease with its kill mark. ERR_IO. */
int lease_remove(int dirfd, const char *sandbox_id, struct err *err);

/* Calls `each` with the id of every lease. ERR_IO. */
int lease_each(int dirfd, void (*each)(void *context, const char *sandbox_id), void *context,
               struct err *err);

/* Writes a kill mark unless there is one: the first cause is the cause. ERR_IO. */
int lease_mark(int dirfd, const char *sandbox_id, const struct kill_mark *mark, struct err *err);

/* Reads a kill mark. ERR_NOT_FOUND; ERR_INVALID. */
int lease_read_mark(int dirfd, const char *sandbox_id, struct kill_mark *out, struct err *err);

/* Says that the caller is alive. ERR_IO. */
int lease_beat(int dirfd, const char *name, struct err *err);

/* Milliseconds since the heartbeat; -1 when there was none. */
int64_t lease_beat_age_ms(int dirfd, const char *name);

/* Writes a cgroup's paths into a lease; the texts go into `store`, opened by the caller. Errors as
 * list_add_text. */
int lease_set_cgroup(struct lease *lease, const struct cgroup *cg, struct bytes *store,
                     struct err *err);

/* Reads them back. What the file says is checked against the kernel with cgroup_check. ERR_INVALID;
 * ERR_NOT_FOUND the cgroup is gone. */
int lease_cgroup(const struct lease *lease, struct cgroup *cg, struct err *err);
