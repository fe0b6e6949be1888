/* line.h - one end of the connection between corral-init and the manager: a non-blocking unix
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
    LINE_FDS = FRAME_EXECS_MAX, /* descriptors on their way in one direction */
    LINE_OUT_BYTES =
        2 * 1024 * 1024,        /* waiting to be sent; a peer that lets more pile up is lost */
    LINE_READ_BYTES = 64 * 1024 /* at most read at once */
};

struct line {
    int fd; /* -1: closed */
    struct bytes in, out;
    size_t in_used; /* bytes of `in` that are frames handed out already */
    struct {
        int fd;
        size_t at; /* leaves with the byte of `out` here */
    } passing[LINE_FDS];
    size_t passing_count;
    int arrived[LINE_FDS];
    size_t arrived_count;
};

/* Takes a connected socket and makes it non-blocking. */
struct line line_open(int fd);

/* Closes everything, descriptors on their way included; fine when closed. fd is then -1. */
void line_close(struct line *line);

/* Reads what has come, at most LINE_READ_BYTES. Views into earlier frames end here.
 * ERR_UNAVAILABLE the other end closed; ERR_PEER more descriptors than LINE_FDS, or several with
 * one byte; ERR_IO. */
int line_receive(struct line *line, struct err *err);

/* The next frame that is whole, valid until line_receive; kind FRAME_NONE when there is none.
 * ERR_PEER. */
int line_next(struct line *line, struct frame *out, struct err *err);

/* The oldest descriptor that came and was not taken, now the caller's; -1 when there is none. */
int line_take_fd(struct line *line);

/* Lets a duplicate of `fd` travel with the frame that is put into line->out next. ERR_OVERLOADED
 * too many wait; ERR_IO. */
int line_pass(struct line *line, int fd, struct err *err);

/* Sends what the socket takes of line->out. ERR_UNAVAILABLE the other end closed; ERR_IO. */
int line_flush(struct line *line, struct err *err);

/* Gives back memory that empty buffers still hold. */
void line_trim(struct line *line);
