/* stream.c - one output stream of an exec; see stream.h. */
#include "init/stream.h"

#include "base/mem.h"
#include "base/scope.h"
#include "init/frame.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct stream stream_open(int fd, int64_t window)
{
    return (struct stream){.fd = fd, .window = window, .limit = window, .owed = -1};
}

void stream_begin(struct stream *s, int64_t window)
{
    assert(!s->end);
    s->window = s->limit = window;
}

void stream_close(struct stream *s)
{
    fd_close(&s->fd);
    free(s->ring);
    s->ring = NULL;
    s->from = s->sent = s->end;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The manager has asked for what lies a window behind this offset. */
static int64_t acked(const struct stream *s)
{
    return most(s->acked, least(s->sent, s->limit - s->window));
}

static int64_t room(const struct stream *s)
{
    return s->window ? FRAME_RING_BYTES - (s->end - acked(s)) : FRAME_RING_BYTES;
}

bool stream_has_room(const struct stream *s)
{
    return s->fd >= 0 && room(s) > 0;
}

/* Bytes have come in: `kept` of them lie in the ring. */
static void grew(struct stream *s, int64_t n, bool kept)
{
    s->end += n;
    int64_t oldest = kept ? most(s->from, s->end - FRAME_RING_BYTES) : s->end;
    s->dropped += most(0, oldest - s->sent);
    s->from = oldest;
    s->sent = most(s->sent, oldest);
    s->limit = most(s->limit, s->sent);
    s->acked = most(s->acked, s->from);
    if (s->owed >= 0)
        s->owed -= n;
}

void stream_fill(struct stream *s)
{
    if (!stream_has_room(s))
        return;
    uint8_t first[4096]; /* most streams end without a byte, and so without a ring */
    int64_t at = s->end % FRAME_RING_BYTES;
    int64_t n = least(room(s), s->ring ? FRAME_CHUNK_BYTES : (int64_t)sizeof first);
    n = least(n, FRAME_RING_BYTES - at);
    if (s->owed >= 0)
        n = least(n, s->owed);
    ssize_t got = n ? read(s->fd, s->ring ? s->ring + at : first, (size_t)n) : 0;
    if (got > 0 && !s->ring && (s->ring = mem_new(1, FRAME_RING_BYTES)))
        memcpy(s->ring + at, first, (size_t)got);
    if (got > 0)
        grew(s, got, s->ring); /* without memory for a ring they are dropped */
    if ((got < 0 && errno != EAGAIN && errno != EINTR) || got == 0 || s->owed == 0)
        fd_close(&s->fd);
}

void stream_settle(struct stream *s)
{
    int waiting = 0;
    if (s->fd < 0 || s->owed >= 0)
        return;
    if (ioctl(s->fd, FIONREAD, &waiting) || waiting <= 0)
        fd_close(&s->fd);
    else
        s->owed = waiting;
}

struct view stream_next(const struct stream *s)
{
    int64_t at = s->sent % FRAME_RING_BYTES;
    int64_t n = least(least(s->end, s->limit) - s->sent, FRAME_CHUNK_BYTES);
    n = least(n, FRAME_RING_BYTES - at);
    return n > 0 ? (struct view){s->ring + at, (size_t)n} : (struct view){0};
}

void stream_sent(struct stream *s, size_t n)
{
    assert((int64_t)n <= s->end - s->sent);
    s->sent += (int64_t)n;
}

int stream_credit(struct stream *s, int64_t bytes, int64_t from, struct err *err)
{
    if (from > s->end)
        return err_set(err, ERR_PEER, "credit from %lld where the stream ends at %lld",
                       (long long)from, (long long)s->end);
    if (from >= 0) {
        s->sent = most(from, s->from);
        s->limit = s->sent;
        s->acked = s->sent;
    }
    s->limit = bytes > INT64_MAX - s->limit ? INT64_MAX : s->limit + bytes;
    return 0;
}

void stream_hold(struct stream *s)
{
    s->acked = acked(s);
    s->limit = s->sent;
}
