/* link.h - one end of the connection between corral-init and the manager: a non-blocking unix
 * stream socket with frames and descriptors in both directions.
 *
 * Descriptors travel in order, apart from the bytes: the n-th frame that announces one (SPAWNED;
 * STATE of a child that lives) has the n-th that arrived, and it is there once the frame is. Not
 * thread-safe.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "init/frame.h"

enum {
    LINK_FDS = FRAME_EXECS_MAX, /* descriptors on their way in one direction */
    LINK_OUT_BYTES =
        2 * 1024 * 1024,        /* waiting to be sent; a peer that lets more pile up is lost */
    LINK_READ_BYTES = 64 * 1024 /* at most read at once */
};

struct link {
    int fd; /* -1: closed */
    struct bytes in, out;
    size_t in_used; /* bytes of `in` that are frames handed out already */
    struct {
        int fd;
        size_t at; /* leaves with the byte of `out` here */
    } passing[LINK_FDS];
    size_t passing_count;
    int arrived[LINK_FDS];
    size_t arrived_count;
};

/* Takes a connected socket and makes it non-blocking. */
struct link link_open(int fd);

/* Closes everything, descriptors on their way included; fine when closed. fd is then -1. */
void link_close(struct link *link);

/* Reads what has come, at most LINK_READ_BYTES. Views into earlier frames end here.
 * ERR_UNAVAILABLE the other end closed; ERR_PEER more descriptors than LINK_FDS, or several with
 * one byte; ERR_IO. */
int link_receive(struct link *link, struct err *err);

/* The next frame that is whole, valid until link_receive; kind FRAME_NONE when there is none.
 * ERR_PEER. */
int link_next(struct link *link, struct frame *out, struct err *err);

/* The oldest descriptor that came and was not taken, now the caller's; -1 when there is none. */
int link_take_fd(struct link *link);

/* Lets a duplicate of `fd` travel with the frame that is put into link->out next. ERR_OVERLOADED
 * too many wait; ERR_IO. */
int link_pass(struct link *link, int fd, struct err *err);

/* Sends what the socket takes of link->out. ERR_UNAVAILABLE the other end closed; ERR_IO. */
int link_flush(struct link *link, struct err *err);

/* Gives back memory that empty buffers still hold. */
void link_trim(struct link *link);
