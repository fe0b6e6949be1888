#include "engine/cgroup/cgroup_io.h"

#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int cgroup_io_path(char to[CGROUP_PATH_BYTES], const char *dir, const char *name)
{
    if (snprintf(to, CGROUP_PATH_BYTES, "%s/%s", dir, name) < CGROUP_PATH_BYTES)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

int cgroup_io_open(const char *dir, const char *name, int flags)
{
    char path[CGROUP_PATH_BYTES];
    if (cgroup_io_path(path, dir, name))
        return -1;
    return open(path, flags | O_CLOEXEC | O_NOFOLLOW);
}

int cgroup_io_write(const char *dir, const char *name, const char *text)
{
    SCOPED(fd_close) int fd = cgroup_io_open(dir, name, O_WRONLY);
    if (fd < 0)
        return -1;
    size_t len = strlen(text);
    ssize_t n;
    do
        n = write(fd, text, len);
    while (n < 0 && errno == EINTR);
    if (n >= 0 && (size_t)n != len)
        errno = EIO;
    return n >= 0 && (size_t)n == len ? 0 : -1;
}

int cgroup_io_pread(int fd, char buffer[CGROUP_TEXT_BYTES], struct view *text)
{
    size_t len = 0;
    while (len < CGROUP_TEXT_BYTES) {
        ssize_t n = pread(fd, buffer + len, CGROUP_TEXT_BYTES - len, (off_t)len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (!n) {
            *text = (struct view){(const uint8_t *)buffer, len};
            return 0;
        }
        len += (size_t)n;
    }
    errno = EOVERFLOW;
    return -1;
}

int cgroup_io_read(const char *dir, const char *name, char buffer[CGROUP_TEXT_BYTES],
                   struct view *text)
{
    SCOPED(fd_close) int fd = cgroup_io_open(dir, name, O_RDONLY);
    return fd < 0 ? -1 : cgroup_io_pread(fd, buffer, text);
}

bool cgroup_io_is_own_tree(const char path[CGROUP_TREES][CGROUP_PATH_BYTES], unsigned tree)
{
    if (!path[tree][0])
        return false;
    for (unsigned earlier = 0; earlier < tree; earlier++)
        if (!strcmp(path[earlier], path[tree]))
            return false;
    return true;
}
