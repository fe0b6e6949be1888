/* init_link.c - frames between the manager's loop and a sandbox's init; see init_link.h.
 *
 * A pidfd travels beside the first byte of its frame. Descriptors queue in the order of arrival and
 * the frames that need one take the oldest: a frame without its descriptor, or a descriptor too
 * many, breaks the protocol.
 */
#include "manager/init_link.h"

#include "base/mem.h"
#include "base/scope.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 * 1024,
    TURN_READS = 4, /* so that one loud sandbox leaves the loop to the others */
    IN_BYTES = FRAME_MAX_BYTES + FRAME_HEAD_BYTES + READ_BYTES,
    DESCRIPTORS = FRAME_EXECS_MAX
};

struct init_link {
    struct loop *loop;
    struct init_link_owner owner;
    int socket, write_watch; /* a dup, because a descriptor has one watch; -1: nothing unsent */
    struct bytes in, out;
    int fds[DESCRIPTORS];
    size_t fd_count;
    bool is_closed;
    bool is_calling; /* inside an owner's callback: init_link_free then only marks */
    bool is_freed;
};

static void release(struct init_link *l)
{
    loop_end_fd(l->loop, l->socket);
    if (l->write_watch >= 0)
        loop_end_fd(l->loop, l->write_watch);
    fd_close(&l->write_watch);
    fd_close(&l->socket);
    while (l->fd_count)
        close(l->fds[--l->fd_count]);
    bytes_close(&l->in);
    bytes_close(&l->out);
    free(l);
}

void init_link_free(struct init_link **link)
{
    struct init_link *l = *link;
    if (!l)
        return;
    *link = NULL;
    if (l->is_calling)
        l->is_freed = true;
    else
        release(l);
}

/* Tells the owner, who may free the link there. False when it is gone. */
static bool close_link(struct init_link *l, const struct err *why)
{
    if (l->is_closed)
        return true;
    l->is_closed = true;
    loop_end_fd(l->loop, l->socket);
    l->is_calling = true;
    l->owner.closed(l->owner.context, why);
    l->is_calling = false;
    if (!l->is_freed)
        return true;
    release(l);
    return false;
}

static bool needs_fd(const struct frame *f)
{
    if (f->kind == FRAME_SPAWNED)
        return true;
    struct frame_state state;
    struct err err;
    return f->kind == FRAME_STATE && !frame_get_state(f, &state, &err) && !state.dead;
}

/* Hands one frame to the owner. False when the link is gone. */
static bool deliver(struct init_link *l, const struct frame *f)
{
    struct err err;
    int fd = -1;
    if (needs_fd(f)) {
        if (!l->fd_count) {
            err_set(&err, ERR_PEER, "init sent %s without its descriptor", frame_name(f->kind));
            return close_link(l, &err);
        }
        fd = l->fds[0];
        memmove(l->fds, l->fds + 1, --l->fd_count * sizeof l->fds[0]);
    }
    l->is_calling = true;
    l->owner.frame(l->owner.context, f, fd);
    l->is_calling = false;
    if (!l->is_freed)
        return true;
    release(l);
    return false;
}

/* Hands over every whole frame. False when the link is gone. */
static bool deliver_all(struct init_link *l)
{
    struct view cursor = bytes_view(&l->in);
    struct err err;
    while (!l->is_closed) {
        struct frame f;
        if (frame_next(&cursor, &f, &err))
            return close_link(l, &err);
        if (f.kind == FRAME_NONE)
            break;
        if (!deliver(l, &f))
            return false;
    }
    if (!l->is_closed)
        bytes_drop(&l->in, l->in.len - cursor.len);
    return true;
}

/* Queues the descriptors that came with a message. */
static int take_fds(struct init_link *l, struct msghdr *m, struct err *err)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (l->fd_count < DESCRIPTORS)
                l->fds[l->fd_count++] = fd;
            else
                close(fd);
        }
    }
    if (m->msg_flags & MSG_CTRUNC || l->fd_count == DESCRIPTORS)
        return err_set(err, ERR_PEER, "init sent more descriptors than it has commands");
    return 0;
}

/* One recvmsg. 1: read something; 0: nothing there; -1: the link is to end. */
static int receive(struct init_link *l, struct err *err)
{
    char control[CMSG_SPACE(16 * sizeof(int))];
    uint8_t *to = bytes_reserve(&l->in, READ_BYTES, err);
    if (!to)
        return -1;
    struct iovec part = {to, READ_BYTES};
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof control};
    ssize_t n = recvmsg(l->socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0)
        return err_sys(err, "reading from init");
    if (!n)
        return err_set(err, ERR_PEER, "init has closed its connection");
    bytes_grew(&l->in, (size_t)n);
    return take_fds(l, &m, err) ? -1 : 1;
}

static void on_readable(void *context)
{
    struct init_link *l = context;
    for (int i = 0; i < TURN_READS && !l->is_closed; i++) {
        struct err err;
        int got = receive(l, &err);
        if (got < 0)
            close_link(l, &err);
        if (got <= 0 || !deliver_all(l))
            return;
    }
}

static void on_writable(void *context)
{
    struct init_link *l = context;
    init_link_flush(l);
}

int init_link_new(struct loop *loop, int socket, const struct init_link_owner *owner,
                  struct init_link **link, struct err *err)
{
    struct init_link *l = mem_new(1, sizeof *l);
    if (!l)
        return err_set(err, ERR_MEMORY, "no memory for a link");
    *l = (struct init_link){.loop = loop,
                            .owner = *owner,
                            .socket = socket,
                            .write_watch = -1,
                            .in = bytes_open(IN_BYTES),
                            .out = bytes_open(INIT_LINK_UNSENT_BYTES)};
    if (fcntl(socket, F_SETFL, O_NONBLOCK)) {
        err_sys(err, "making a socket non-blocking");
    } else if (!loop_watch_fd(loop, socket, on_readable, l, err)) {
        *link = l;
        return 0;
    }
    free(l);
    return -1;
}

struct bytes *init_link_out(struct init_link *l)
{
    return &l->out;
}

static void end_write_watch(struct init_link *l)
{
    if (l->write_watch < 0)
        return;
    loop_end_fd(l->loop, l->write_watch);
    fd_close(&l->write_watch);
}

static int start_write_watch(struct init_link *l, struct err *err)
{
    if (l->write_watch >= 0)
        return 0;
    l->write_watch = fcntl(l->socket, F_DUPFD_CLOEXEC, 0);
    if (l->write_watch < 0)
        return err_sys(err, "dup of a socket");
    return loop_watch_fd_writable(l->loop, l->write_watch, on_writable, l, err);
}

void init_link_flush(struct init_link *l)
{
    struct err err;
    while (!l->is_closed && l->out.len) {
        ssize_t n = send(l->socket, l->out.data, l->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            if (start_write_watch(l, &err))
                shutdown(l->socket, SHUT_RDWR); /* the read side then tells the owner */
            return;
        }
        if (n < 0) {
            shutdown(l->socket, SHUT_RDWR);
            return;
        }
        bytes_drop(&l->out, (size_t)n);
    }
    end_write_watch(l);
}
