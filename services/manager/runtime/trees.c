/* trees.c - mounts made from descriptors; see trees.h. */
#include "manager/runtime/trees.h"

#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>

void trees_close(struct trees *trees)
{
    for (size_t i = 0; i < trees->count; i++)
        fd_close(&trees->volumes[i].tree);
}

/* A mount of what the descriptor is, attached nowhere yet: of that one file system only, and
 * private, so that nothing that the host mounts later appears in it. */
static int make_tree(const struct sandbox_volume *v, int *tree, struct err *err)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                                          (v->is_writable ? 0 : MOUNT_ATTR_RDONLY),
                              .propagation = MS_PRIVATE};
    SCOPED(fd_close)
    int fd =
        (int)syscall(SYS_open_tree, v->fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    if (fd < 0 || syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof attr))
        return errno == ENOSYS
                   ? err_set(err, ERR_UNSUPPORTED, "volumes need mount_setattr of Linux 5.12")
                   : err_sys(err, "making a mount of the volume %.150s", v->host_path);
    *tree = fd_take(&fd);
    return 0;
}

int trees_make(const struct sandbox_spec *spec, struct trees *trees, struct err *err)
{
    _Static_assert((int)LAUNCH_VOLUMES == (int)SANDBOX_VOLUMES, "one bound");
    for (size_t i = 0; i < spec->volume_count; i++) {
        const struct sandbox_volume *v = &spec->volumes[i];
        int tree = -1;
        if (spec->host_uid >= 0 && make_tree(v, &tree, err))
            return -1;
        trees->volumes[trees->count++] =
            (struct launch_volume){v->fd, tree, v->is_directory, v->is_writable, v->host_path};
    }
    return 0;
}
