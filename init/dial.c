/* dial.c - connecting to the manager; see dial.h. */
#include "init/dial.h"

#include "base/clock.h"
#include "base/scope.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>

int dial_open(const char *path, struct dial *out, struct err *err)
{
    size_t most = sizeof((struct sockaddr_un *)NULL)->sun_path - 1;
    if (!*path || strlen(path) > most)
        return err_set(err, ERR_INVALID, "the socket path has %zu bytes; 1 to %zu are possible",
                       strlen(path), most);
    *out = (struct dial){.path = path, .watch = -1, .next_boot_ns = INT64_MAX};
    return 0;
}

int dial_connect(const struct dial *dial, int *fd, struct err *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strcpy(to.sun_path, dial->path);
    SCOPED(fd_close) int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0)
        return err_sys(err, "making a socket");
    if (connect(s, (struct sockaddr *)&to, sizeof to)) {
        int error = errno;
        err_sys(err, "connecting to %s", dial->path);
        if (error == ENOENT)
            err->code = ERR_NOT_FOUND;
        if (error == ECONNREFUSED || error == EAGAIN)
            err->code = ERR_UNAVAILABLE;
        return -1;
    }
    *fd = fd_take(&s);
    return 0;
}

void dial_begin(struct dial *dial)
{
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(dial->path, '/');
    if (slash)
        memcpy(folder, dial->path, (size_t)(slash - dial->path) + 1);
    dial_end(dial);
    dial->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (dial->watch >= 0 &&
        inotify_add_watch(dial->watch, folder, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0)
        fd_close(&dial->watch);
    dial->next_boot_ns = clock_boot_ns();
}

/* Empties the watch; false when the folder is no longer watched. */
static bool drain(int watch)
{
    _Alignas(struct inotify_event) char events[4096];
    ssize_t n;
    bool alive = true;
    while ((n = read(watch, events, sizeof events)) > 0) {
        for (char *at = events; at < events + n;) {
            const struct inotify_event *e = (struct inotify_event *)at;
            alive &= !(e->mask & IN_IGNORED);
            at += sizeof *e + e->len;
        }
    }
    return alive;
}

int dial_try(struct dial *dial)
{
    struct err err;
    int fd = -1;
    if (dial->watch >= 0 && !drain(dial->watch))
        fd_close(&dial->watch);
    int failed = dial_connect(dial, &fd, &err);
    bool is_woken = failed && err.code == ERR_NOT_FOUND && dial->watch >= 0;
    dial->next_boot_ns = is_woken ? INT64_MAX : clock_boot_ns() + DIAL_RETRY_MS * (int64_t)MS_NS;
    return fd;
}

void dial_end(struct dial *dial)
{
    fd_close(&dial->watch);
    dial->next_boot_ns = INT64_MAX;
}
