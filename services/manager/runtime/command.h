/* command.h - the bwrap command line of a sandbox: what is visible inside, and how. A pure
 * function, so that the wall can be read, printed and compared.
 *
 * Inside: / is a tmpfs, read-only once built; /usr is the host's, read-only, with an empty
 * /usr/local; bin, sbin and lib* link into it; /etc is generated (etc.h); /run/corral has
 * corral-init and its socket, read-only; /dev is minimal and read-only; /proc is of the own pid
 * namespace; /workspace, /tmp, /var/tmp and /dev/shm are writable with hard sizes. /workspace is
 * home and working directory: the one place whose size the agent asked for. Volumes lie where the
 * spec says. Nothing else of the host is there.
 */
#pragma once

#include "manager/runtime/runtime.h"

enum {
    COMMAND_ARGS = 256,
    COMMAND_TEXT_BYTES = 4096,
    COMMAND_FILTER_FD = 3,
    COMMAND_VOLUME_FD = 4
};

/* Where a launcher with a uid of its own sees the volumes, as a, b, c, … */
#define COMMAND_VOLUMES "/sys"

struct command {
    const char *argv[COMMAND_ARGS]; /* ended by NULL; constants, or into text */
    size_t count;
    char text[COMMAND_TEXT_BYTES];
    size_t used;
};

/* Fills in the command, which points into the spec. The seccomp program is descriptor
 * COMMAND_FILTER_FD of the launcher; volumes are at COMMAND_VOLUMES, or, when the spec has no uid,
 * descriptors from COMMAND_VOLUME_FD on.
 *
 *   etc, door   where the launcher sees the generated /etc and the sandbox's directory
 *   merged      the host's /bin, /sbin and /lib are links into /usr (command_is_merged)
 *   err         ERR_INVALID the texts do not fit
 */
int command_build(const struct sandbox_spec *spec, const char *bwrap, const char *etc,
                  const char *door, bool merged, struct command *out, struct err *err);

/* True on hosts whose /bin is a link to usr/bin. */
bool command_is_merged(void);
