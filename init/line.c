/* line.c - frames and descriptors over a unix socket; see line.h. */
#include "init/line.h"

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

struct line line_open(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return (struct line){.fd = fd,
                         .in = bytes_open(FRAME_HEAD_BYTES + FRAME_MAX_BYTES + LINE_READ_BYTES),
                         .out = bytes_open(LINE_OUT_BYTES)};
}

void line_close(struct line *line)
{
    for (size_t i = 0; i < line->passing_count; i++)
        fd_close(&line->passing[i].fd);
    for (size_t i = 0; i < line->arrived_count; i++)
        fd_close(&line->arrived[i]);
    bytes_close(&line->in);
    bytes_close(&line->out);
    fd_close(&line->fd);
    *line = (struct line){.fd = -1};
}

static int keep_fd(struct line *line, struct msghdr *message, struct err *err)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        int fd;
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
        if (line->arrived_count == LINE_FDS) {
            close(fd);
            return err_set(err, ERR_PEER, "more than %d descriptors wait", LINE_FDS);
        }
        line->arrived[line->arrived_count++] = fd;
    }
    if (message->msg_flags & MSG_CTRUNC)
        return err_set(err, ERR_PEER, "more than one descriptor with a message");
    return 0;
}

int line_receive(struct line *line, struct err *err)
{
    bytes_drop(&line->in, line->in_used);
    line->in_used = 0;
    size_t room = line->in.bound - line->in.len;
    size_t most = room < LINE_READ_BYTES ? room : LINE_READ_BYTES;
    if (!most)
        return 0; /* whole frames still wait in `in` */
    uint8_t *to = bytes_reserve(&line->in, most, err);
    if (!to)
        return -1;
    union control control;
    struct iovec part = {to, most};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_LEN(sizeof(int))};
    ssize_t n = recvmsg(line->fd, &message, MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0 && errno != ECONNRESET)
        return err_sys(err, "reading the connection");
    if (n <= 0)
        return err_set(err, ERR_UNAVAILABLE, "the other end closed the connection");
    bytes_grew(&line->in, (size_t)n);
    return keep_fd(line, &message, err);
}

int line_next(struct line *line, struct frame *out, struct err *err)
{
    size_t left = line->in.len - line->in_used;
    if (!left) { /* in.data may be NULL still */
        *out = (struct frame){0};
        return 0;
    }
    struct view cursor = {line->in.data + line->in_used, left};
    if (frame_next(&cursor, out, err))
        return -1;
    line->in_used = line->in.len - cursor.len;
    return 0;
}

int line_take_fd(struct line *line)
{
    if (!line->arrived_count)
        return -1;
    int fd = line->arrived[0];
    memmove(line->arrived, line->arrived + 1, --line->arrived_count * sizeof line->arrived[0]);
    return fd;
}

int line_pass(struct line *line, int fd, struct err *err)
{
    if (line->passing_count == LINE_FDS)
        return err_set(err, ERR_OVERLOADED, "%d descriptors wait to be sent", LINE_FDS);
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return err_sys(err, "duplicating a descriptor");
    line->passing[line->passing_count].fd = copy;
    line->passing[line->passing_count++].at = line->out.len;
    return 0;
}

/* The first descriptor left with the bytes just sent. */
static void passed(struct line *line)
{
    fd_close(&line->passing[0].fd);
    memmove(line->passing, line->passing + 1, --line->passing_count * sizeof line->passing[0]);
}

/* Sends from byte `at` up to where the next descriptor belongs; -1 with errno. */
static ssize_t send_some(struct line *line, size_t at)
{
    bool with_fd = line->passing_count && line->passing[0].at == at;
    size_t next = line->passing_count > with_fd ? line->passing[with_fd].at : line->out.len;
    struct iovec part = {line->out.data + at, next - at};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union control control;
    memset(&control, 0, sizeof control);
    if (with_fd) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_LEN(sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.head), &line->passing[0].fd, sizeof(int));
    }
    ssize_t n = sendmsg(line->fd, &message, MSG_NOSIGNAL);
    if (n > 0 && with_fd)
        passed(line);
    return n;
}

int line_flush(struct line *line, struct err *err)
{
    size_t sent = 0;
    int failed = 0;
    while (sent < line->out.len && !failed) {
        ssize_t n = send_some(line, sent);
        if (n >= 0)
            sent += (size_t)n;
        else if (errno == EAGAIN)
            break;
        else if (errno == EPIPE || errno == ECONNRESET)
            failed = err_set(err, ERR_UNAVAILABLE, "the other end closed the connection");
        else if (errno != EINTR)
            failed = err_sys(err, "writing the connection");
    }
    bytes_drop(&line->out, sent);
    for (size_t i = 0; i < line->passing_count; i++)
        line->passing[i].at -= sent;
    return failed;
}

void line_trim(struct line *line)
{
    if (!line->out.len) {
        size_t bound = line->out.bound;
        bytes_close(&line->out);
        line->out = bytes_open(bound);
    }
    if (line->in.len == line->in_used) {
        size_t bound = line->in.bound;
        bytes_close(&line->in);
        line->in = bytes_open(bound);
        line->in_used = 0;
    }
}
