/* filter.h - the system calls that a sandbox may make.
 *
 * An allow-list in the manner of docker's default profile, less what no unprivileged program in a
 * sandbox needs. What is refused as a matter of policy answers EPERM; what is not listed ENOSYS, so
 * that libraries fall back to older calls. No new namespaces (clone's flags are looked at; clone3,
 * whose flags a filter cannot see, is ENOSYS), no mounts, no ptrace and its kin, no io_uring,
 * userfaultfd, bpf, perf, keys; limits and priorities only of oneself (pid 0), because init runs
 * under the same uid; sockets only unix, inet, inet6 and netlink (vsock knows no namespaces).
 * seccomp(2); moby's profiles/seccomp/default.json.
 */
#pragma once

#include "base/err.h"

/* Writes the filter for this machine's architecture as a BPF program, which bwrap --seccomp reads.
 * Replaces `path` (mode 0600). ERR_RUNTIME libseccomp's refusal; ERR_IO. */
int filter_write(const char *path, struct err *err);
