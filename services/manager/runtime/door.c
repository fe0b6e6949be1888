#include "manager/runtime/door.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/scope.h"
#include "engine/process/pid.h"
#include "init/frame.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

enum {
    FIRST_BYTES = 512, /* of a frame; a HELLO with its token has 90 */
    BACKLOG = 8
};

#ifndef SO_PEERPIDFD
enum { SO_PEERPIDFD = 77 }; /* since Linux 6.5 */
#endif

static int path_of(const char *dir, struct sockaddr_un *to, struct err *err)
{
    *to = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((size_t)snprintf(to->sun_path, sizeof to->sun_path, "%s/" DOOR_NAME, dir) >=
        sizeof to->sun_path)
        return err_set(err, ERR_INVALID, "the socket path %.100s… has more than %zu bytes", dir,
                       sizeof to->sun_path - 1);
    return 0;
}

int door_open(const char *dir, int64_t uid, int *fd, struct err *err)
{
    struct sockaddr_un at;
    if (path_of(dir, &at, err))
        return -1;
    SCOPED(fd_close) int opened = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (opened < 0)
        return err_sys(err, "making a socket");
    unlink(at.sun_path);
    if (bind(opened, (struct sockaddr *)&at, sizeof at))
        return err_sys(err, "binding %s", at.sun_path);
    /* Connecting needs write permission; the directory keeps everybody else out. */
    if (chmod(at.sun_path, 0600) || (uid >= 0 && lchown(at.sun_path, (uid_t)uid, (gid_t)uid)) ||
        listen(opened, BACKLOG)) {
        err_sys(err, "listening at %s", at.sun_path);
        unlink(at.sun_path);
        return -1;
    }
    *fd = fd_take(&opened);
    return 0;
}

void door_remove(const char *dir)
{
    struct sockaddr_un at;
    struct err ignored;
    if (!path_of(dir, &at, &ignored))
        unlink(at.sun_path);
}

/* Waits until `fd` is readable. ERR_RUNTIME the launcher ended first. */
static int wait_for(int fd, int launcher, int64_t deadline_boot_ns, struct err *err)
{
    for (;;) {
        int64_t left = deadline_boot_ns - clock_boot_ns();
        if (left <= 0)
            return err_set(err, ERR_DEADLINE, "the sandbox's init did not answer in time");
        struct timespec timeout = {left / S_NS, left % S_NS};
        struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = launcher, .events = POLLIN}};
        if (ppoll(fds, COUNT(fds), &timeout, NULL) < 0 && errno != EINTR)
            return err_sys(err, "waiting for the sandbox's init");
        if (fds[0].revents)
            return 0;
        if (fds[1].revents)
            return err_set(err, ERR_RUNTIME, "the launcher ended");
    }
}

/* A connection that is being let in. */
struct visit {
    int socket, launcher;
    int64_t deadline_boot_ns;
    uint8_t buffer[FIRST_BYTES];
};

static int read_bytes(struct visit *v, size_t from, size_t to, struct err *err)
{
    while (from < to) {
        if (wait_for(v->socket, v->launcher, v->deadline_boot_ns, err))
            return -1;
        ssize_t n = recv(v->socket, v->buffer + from, to - from, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n <= 0)
            return err_set(err, ERR_PEER, "init closed the connection before it was let in");
        from += (size_t)n;
    }
    return 0;
}

/* Reads the next frame, which must be of this kind, and no byte more: what follows may bring
 * descriptors. The frame lies in the visit's buffer. */
static int read_frame(struct visit *v, enum frame_kind kind, struct frame *frame, struct err *err)
{
    if (read_bytes(v, 0, FRAME_HEAD_BYTES, err))
        return -1;
    const uint8_t *head = v->buffer;
    size_t len = ((size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3]);
    if (len < FRAME_HEAD_BYTES - sizeof(uint32_t) || len > FIRST_BYTES - sizeof(uint32_t))
        return err_set(err, ERR_PEER, "init said something else than %s", frame_name(kind));
    struct view cursor = {v->buffer, len + sizeof(uint32_t)};
    if (read_bytes(v, FRAME_HEAD_BYTES, cursor.len, err) || frame_next(&cursor, frame, err))
        return -1;
    if (frame->kind != kind)
        return err_set(err, ERR_PEER, "init said %s, not %s", frame_name(frame->kind),
                       frame_name(kind));
    return 0;
}

static int read_hello(struct visit *v, struct frame_hello *hello, struct err *err)
{
    struct frame frame;
    return read_frame(v, FRAME_HELLO, &frame, err) ? -1 : frame_get_hello(&frame, hello, err);
}

/* EXECS is read here, because its number has to be known before the first command comes. */
static int read_execs(struct visit *v, uint32_t *newest, struct err *err)
{
    struct frame frame;
    struct frame_execs execs;
    if (read_frame(v, FRAME_EXECS, &frame, err) || frame_get_execs(&frame, &execs, err))
        return -1;
    *newest = (uint32_t)execs.newest;
    return 0;
}

static int check_hello(const struct frame_hello *hello, bool first,
                       const uint8_t token[RUNTIME_TOKEN_BYTES], struct err *err)
{
    if (hello->version != FRAME_VERSION)
        return err_set(err, ERR_PEER, "init speaks version %lld, the manager %d",
                       (long long)hello->version, FRAME_VERSION);
    if (first != (hello->token.data == NULL))
        return err_set(err, ERR_PEER, "init %s a token", first ? "brought" : "did not bring");
    if (!first && sodium_memcmp(hello->token.data, token, RUNTIME_TOKEN_BYTES))
        return err_set(err, ERR_PEER, "init's token is wrong");
    return 0;
}

static int say_welcome(int socket, const uint8_t token[RUNTIME_TOKEN_BYTES],
                       int64_t life_deadline_boot_ns, struct err *err)
{
    SCOPED(bytes_close) struct bytes out = bytes_open(FIRST_BYTES);
    struct frame_welcome welcome = {.token = {token, RUNTIME_TOKEN_BYTES},
                                    .deadline_boot_ns = life_deadline_boot_ns};
    if (frame_put_welcome(&out, &welcome, err))
        return -1;
    /* An empty socket buffer takes it whole. */
    if (send(socket, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)out.len)
        return err_sys(err, "answering init");
    return 0;
}

static int identify(int socket, struct door_guest *guest, struct err *err)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &len))
        return err_sys(err, "asking who connected");
    if (peer.pid <= 0)
        return err_set(err, ERR_PEER, "init is in no pid namespace that the manager sees");
    SCOPED(fd_close) int pidfd = -1;
    len = sizeof pidfd;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len))
        pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
    if (pidfd < 0)
        return err_sys(err, "opening a pidfd of init");
    if (pid_start_ticks(peer.pid, &guest->start_ticks, err))
        return -1;
    guest->pid = peer.pid;
    guest->pidfd = fd_take(&pidfd);
    return 0;
}

static pid_t peer_of(int socket)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &len) ? 0 : peer.pid;
}

/* Accepts until the one who is waited for has come. Others of the sandbox have the same uid and may
 * knock too while the door is open again; they are turned away unheard. */
static int accept_init(int fd, int launcher, pid_t pid, int64_t deadline_boot_ns, int *to,
                       struct err *err)
{
    for (;;) {
        if (wait_for(fd, launcher, deadline_boot_ns, err))
            return -1;
        SCOPED(fd_close) int socket = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (socket < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            return err_sys(err, "accepting init's connection");
        if (socket >= 0 && (!pid || peer_of(socket) == pid)) {
            *to = fd_take(&socket);
            return 0;
        }
    }
}

int door_admit(int fd, int launcher, pid_t pid, const uint8_t token[RUNTIME_TOKEN_BYTES],
               int64_t life_deadline_boot_ns, int64_t deadline_boot_ns, struct door_guest *guest,
               struct err *err)
{
    struct frame_hello hello;
    struct door_guest come = {.socket = -1, .pidfd = -1};
    SCOPED(fd_close) int socket = -1;
    if (accept_init(fd, launcher, pid, deadline_boot_ns, &socket, err) ||
        identify(socket, &come, err))
        return -1;
    SCOPED(fd_close) int pidfd = come.pidfd;
    struct visit v = {.socket = socket, .launcher = launcher, .deadline_boot_ns = deadline_boot_ns};
    if (read_hello(&v, &hello, err) || check_hello(&hello, !pid, token, err) ||
        say_welcome(socket, token, life_deadline_boot_ns, err) ||
        read_execs(&v, &come.newest_exec, err))
        return -1;
    come.socket = fd_take(&socket);
    fd_take(&pidfd);
    *guest = come;
    return 0;
}
