/* trees.h - the volumes of one launch, with the detached mounts that are made of their descriptors.
 */
#pragma once

#include "manager/runtime/launch.h"
#include "manager/runtime/runtime.h"

struct trees {
    struct launch_volume volumes[LAUNCH_VOLUMES];
    size_t count;
};

/* Makes them: with a uid each volume gets a mount, nosuid, nodev and private, read only unless it
 * is writable; without one they stay descriptors. Close them in any case.
 *
 *   err   ERR_UNSUPPORTED the kernel is too old; ERR_IO
 */
int trees_make(const struct sandbox_spec *spec, struct trees *trees, struct err *err);

/* Closes the mounts: one that was put somewhere lives on there, the others are gone. */
void trees_close(struct trees *trees);
