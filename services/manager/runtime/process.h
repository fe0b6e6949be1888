/* process.h - the process runtime: bubblewrap, our own cgroups, a seccomp filter. No daemon, no
 * image: the sandbox's root is the host's /usr, read-only, with a generated /etc.
 */
#pragma once

#include "manager/runtime/runtime.h"

extern const struct runtime runtime_process;

/* Prepares a host for the process runtime: opens the cgroups, writes the generated /etc and a copy
 * of corral-init below run_dir (so that a sandbox's uid can read them wherever Corral is
 * installed), finds bwrap in PATH. The process becomes a subreaper (PR_SET_CHILD_SUBREAPER), so
 * that stop can reap an init that outlived its launcher.
 *
 *   instance    letters, digits, '-', at most 32: names our cgroups
 *   run_dir     existing, 0700, ours; at most 54 bytes, because a unix socket path has 107
 *   init_path   the corral-init to run
 *   err         ERR_UNSUPPORTED bwrap is missing, or run_dir is noexec and we are not root;
 * ERR_INVALID a path is too long; ERR_IO
 */
int process_open(const char *instance, const char *run_dir, const char *init_path,
                 struct runtime_host *host, struct err *err);

/* Removes what process_open made, as far as no sandbox uses it. */
void process_close(const struct runtime_host *host);
