/* stream.h - stdout or stderr of an exec: the pipe, the ring of its newest bytes, and the credit.
 *
 * Offsets count the stream's bytes from 0:
 *     from <= sent <= end       from: oldest byte kept; sent: next to go out; end: behind the
 * newest end - from <= FRAME_RING_BYTES sent <= limit             limit: how far the manager lets
 * us send With a window nothing is overwritten before the manager has asked for what lies a window
 * behind it: acked = limit - window, and the pipe is read only while end - acked <
 * FRAME_RING_BYTES, so a child that is faster than its reader blocks. Without a window the pipe is
 * always read and the ring overwrites its oldest bytes.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct stream {
    int fd;        /* read end of the pipe; -1: nothing will come any more */
    uint8_t *ring; /* FRAME_RING_BYTES, made at the first byte; NULL before */
    int64_t window;
    int64_t from, sent, end, limit;
    int64_t acked;   /* at least this far, whatever limit says now */
    int64_t dropped; /* overwritten before they were sent */
    int64_t owed;    /* bytes still to be read before the end; -1 while only EOF ends it */
};

/* Takes the read end of a pipe. window: 0 to FRAME_RING_BYTES. */
struct stream stream_open(int fd, int64_t window);

/* Gives another window to a stream that has had no byte yet. */
void stream_begin(struct stream *s, int64_t window);

/* Closes the pipe and frees the ring. */
void stream_close(struct stream *s);

/* True while there is a pipe and room for its bytes. */
bool stream_has_room(const struct stream *s);

/* Reads once from the pipe, if it has something; closes it at EOF and when nothing is owed. */
void stream_fill(struct stream *s);

/* The child is dead: only what is in the pipe now is still to be read, whoever holds its other end.
 */
void stream_settle(struct stream *s);

/* The next bytes that may be sent, at most FRAME_CHUNK_BYTES, at offset s->sent; empty when there
 * is none or no credit. Valid until stream_fill. */
struct view stream_next(const struct stream *s);

/* Counts in bytes of stream_next that were sent. */
void stream_sent(struct stream *s, size_t n);

/* More may be sent; from >= 0 starts over there or at the oldest byte kept. ERR_PEER from lies
 * behind the end. */
int stream_credit(struct stream *s, int64_t bytes, int64_t from, struct err *err);

/* The connection is lost: no credit until stream_credit with `from`. */
void stream_hold(struct stream *s);
