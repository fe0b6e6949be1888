/* place.h - where one Corral lives on this host: its directories, uids and endpoints.
 *
 * The state directory names the instance: the first eight hex digits of a hash of its real path.
 * The run directory holds the sockets, in a short path, since a unix path has 107 bytes. As root
 * the guardian and the audit have uids of their own and all services share a group.
 */
#pragma once

#include "base/err.h"
#include "schema/config.h"

#include <stdbool.h>
#include <sys/types.h>

/* The services, in the order of their start; they end in the opposite order. */
enum part { PART_AUDIT, PART_GUARDIAN, PART_MONITOR, PART_MANAGER, PARTS };

enum {
    PLACE_STATE_BYTES = 201, /* services keep paths below it in 256 bytes */
    PLACE_RUN_BYTES = 49,    /* and socket paths below the run directory in 107 */
    INSTANCE_BYTES = 9
};

struct place {
    char state[PLACE_STATE_BYTES]; /* real path */
    char run[PLACE_RUN_BYTES];
    char instance[INSTANCE_BYTES];
    struct {
        uid_t uid;
        gid_t gid;
    } owner[PARTS]; /* of each service's process and files */
};

/* "audit", "guardian", "monitor", "manager". Static. */
const char *part_name(enum part part);

/* The real path of the state directory: `path`, or by default /var/lib/corral as root, else
 * $XDG_STATE_HOME/corral or ~/.local/state/corral. ERR_UNAVAILABLE Corral was never started there;
 * ERR_INVALID too long, not ours, or open to others; ERR_IO. */
int place_state(const char *path, char state[PLACE_STATE_BYTES], struct err *err);

/* Makes what is missing of the state directory and of the run directory and checks what was there.
 * ERR_INVALID, ERR_IO. */
int place_make(const char *path, const struct config *config, struct place *place, struct err *err);

/* Removes the run directory, unless a sandbox is left that needs its socket there. No service of
 * this place may run. ERR_IO. */
int place_clear_run(const struct place *place, struct err *err);

/* The endpoint of a service's socket: ipc://<run>/<service>/<name>. */
void place_endpoint(const struct place *place, enum part part, const char *name, char to[256]);

/* Acts as a service's uid and group until place_be_self, so that what is made is the service's and
 * what is read is read with its rights; other groups of ours are given up for good. Both do nothing
 * when not root. ERR_IO, ERR_INVALID the host does not map that uid. */
int place_be(const struct place *place, enum part part, struct err *err);
void place_be_self(void);
