/* link.c - frames and descriptors over a unix socket; see link.h. */
#include "init/link.h"

#include "base/scope.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

/* One descriptor (with its padding, where two would fit, so that lengths are given by CMSG_LEN).
 * The kernel never merges bytes across the message that carries one. */
union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
};

struct link link_open(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return (struct link){.fd = fd,
                         .in = bytes_open(FRAME_HEAD_BYTES + FRAME_MAX_BYTES + LINK_READ_BYTES),
                         .out = bytes_open(LINK_OUT_BYTES)};
}

void link_close(struct link *link)
{
    for (size_t i = 0; i < link->passing_count; i++)
        fd_close(&link->passing[i].fd);
    for (size_t i = 0; i < link->arrived_count; i++)
        fd_close(&link->arrived[i]);
    bytes_close(&link->in);
    bytes_close(&link->out);
    fd_close(&link->fd);
    *link = (struct link){.fd = -1};
}

static int keep_fd(struct link *link, struct msghdr *message, struct err *err)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        int fd;
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
        if (link->arrived_count == LINK_FDS) {
            close(fd);
            return err_set(err, ERR_PEER, "more than %d descriptors wait", LINK_FDS);
        }
        link->arrived[link->arrived_count++] = fd;
    }
    if (message->msg_flags & MSG_CTRUNC)
        return err_set(err, ERR_PEER, "more than one descriptor with a message");
    return 0;
}

int link_receive(struct link *link, struct err *err)
{
    bytes_drop(&link->in, link->in_used);
    link->in_used = 0;
    size_t room = link->in.bound - link->in.len;
    size_t most = room < LINK_READ_BYTES ? room : LINK_READ_BYTES;
    if (!most)
        return 0; /* whole frames still wait in `in` */
    uint8_t *to = bytes_reserve(&link->in, most, err);
    if (!to)
        return -1;
    union control control;
    struct iovec part = {to, most};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_LEN(sizeof(int))};
    ssize_t n = recvmsg(link->fd, &message, MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0 && errno != ECONNRESET)
        return err_sys(err, "reading the connection");
    if (n <= 0)
        return err_set(err, ERR_UNAVAILABLE, "the other end closed the connection");
    bytes_grew(&link->in, (size_t)n);
    return keep_fd(link, &message, err);
}

int link_next(struct link *link, struct frame *out, struct err *err)
{
    size_t left = link->in.len - link->in_used;
    if (!left) { /* in.data may be NULL still */
        *out = (struct frame){0};
        return 0;
    }
    struct view cursor = {link->in.data + link->in_used, left};
    if (frame_next(&cursor, out, err))
        return -1;
    link->in_used = link->in.len - cursor.len;
    return 0;
}

int link_take_fd(struct link *link)
{
    if (!link->arrived_count)
        return -1;
    int fd = link->arrived[0];
    memmove(link->arrived, link->arrived + 1, --link->arrived_count * sizeof link->arrived[0]);
    return fd;
}

int link_pass(struct link *link, int fd, struct err *err)
{
    if (link->passing_count == LINK_FDS)
        return err_set(err, ERR_OVERLOADED, "%d descriptors wait to be sent", LINK_FDS);
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return err_sys(err, "duplicating a descriptor");
    link->passing[link->passing_count].fd = copy;
    link->passing[link->passing_count++].at = link->out.len;
    return 0;
}

/* The first descriptor left with the bytes just sent. */
static void passed(struct link *link)
{
    fd_close(&link->passing[0].fd);
    memmove(link->passing, link->passing + 1, --link->passing_count * sizeof link->passing[0]);
}

/* Sends from byte `at` up to where the next descriptor belongs; -1 with errno. */
static ssize_t send_some(struct link *link, size_t at)
{
    bool with_fd = link->passing_count && link->passing[0].at == at;
    size_t next = link->passing_count > with_fd ? link->passing[with_fd].at : link->out.len;
    struct iovec part = {link->out.data + at, next - at};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union control control;
    memset(&control, 0, sizeof control);
    if (with_fd) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_LEN(sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.head), &link->passing[0].fd, sizeof(int));
    }
    ssize_t n = sendmsg(link->fd, &message, MSG_NOSIGNAL);
    if (n > 0 && with_fd)
        passed(link);
    return n;
}

int link_flush(struct link *link, struct err *err)
{
    size_t sent = 0;
    int failed = 0;
    while (sent < link->out.len && !failed) {
        ssize_t n = send_some(link, sent);
        if (n >= 0)
            sent += (size_t)n;
        else if (errno == EAGAIN)
            break;
        else if (errno == EPIPE || errno == ECONNRESET)
            failed = err_set(err, ERR_UNAVAILABLE, "the other end closed the connection");
        else if (errno != EINTR)
            failed = err_sys(err, "writing the connection");
    }
    bytes_drop(&link->out, sent);
    for (size_t i = 0; i < link->passing_count; i++)
        link->passing[i].at -= sent;
    return failed;
}

void link_trim(struct link *link)
{
    if (!link->out.len) {
        size_t bound = link->out.bound;
        bytes_close(&link->out);
        link->out = bytes_open(bound);
    }
    if (link->in.len == link->in_used) {
        size_t bound = link->in.bound;
        bytes_close(&link->in);
        link->in = bytes_open(bound);
        link->in_used = 0;
    }
}
