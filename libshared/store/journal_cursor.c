/* journal_cursor.c - reading durable records while others are written; see journal.h.
 *
 * A cursor has its own descriptor and a buffer of one largest record. Bytes read ahead may be older
 * than the newest durable record; so a record that does not check out is read once more before it
 * is called damaged.
 */
#include "store/journal_own.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/scope.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_AHEAD_BYTES = 64 * 1024, BUFFER_BYTES = SEGMENT_RECORD_BYTES + SEGMENT_PAYLOAD_MAX };

struct journal_cursor {
    struct journal *j;
    uint64_t wanted;  /* the next seq to hand out */
    uint64_t segment; /* first seq of the open one */
    int fd;           /* of that segment; -1: none yet */
    uint32_t salt;
    uint64_t at_seq; /* of the record at `offset` */
    size_t offset;   /* in the file, where `buffer` begins */
    size_t taken;    /* bytes of the buffer behind which the record at_seq begins */
    size_t filled;   /* valid bytes in the buffer */
    uint8_t *buffer;
};

/* The first seq of the segment that holds `seq`; 0: trimmed. */
static uint64_t segment_of(struct journal *j, uint64_t seq)
{
    pthread_mutex_lock(&j->lock);
    const struct segment *items = j->segments.items;
    size_t low = 0, high = j->segments.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (items[middle].first <= seq)
            low = middle + 1;
        else
            high = middle;
    }
    uint64_t first = low ? items[low - 1].first : 0;
    pthread_mutex_unlock(&j->lock);
    return first;
}

static int trimmed(uint64_t seq, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "record %llu was trimmed from the journal",
                   (unsigned long long)seq);
}

/* Opens the segment and stands before its first record. */
static int open_segment(struct journal_cursor *c, uint64_t first, struct err *err)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, first);
    SCOPED(fd_close) int fd = openat(c->j->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return segment_of(c->j, c->wanted) ? err_set(err, ERR_STORE, "segment %s is missing", name)
                                           : trimmed(c->wanted, err);
    if (fd < 0)
        return err_sys(err, "opening segment %s", name);
    uint8_t head[SEGMENT_HEADER_BYTES];
    size_t got;
    struct segment_header header;
    if (file_read_at(fd, head, sizeof head, 0, &got, err) ||
        segment_header_read((struct view){head, got}, &header, err))
        return err_add(err, "segment %s", name);
    if (header.epoch != c->j->epoch || header.first_seq != first)
        return err_set(err, ERR_STORE, "segment %s was replaced by another", name);
    fd_close(&c->fd);
    c->fd = fd_take(&fd);
    c->segment = c->at_seq = first;
    c->salt = header.salt;
    c->offset = SEGMENT_HEADER_BYTES;
    c->taken = c->filled = 0;
    return 0;
}

/* Reads up to `len` bytes from the record at_seq on. */
static int refill(struct journal_cursor *c, size_t len, struct err *err)
{
    size_t got;
    if (file_read_at(c->fd, c->buffer, len, (int64_t)(c->offset + c->taken), &got, err))
        return err_add(err, "segment %llu", (unsigned long long)c->segment);
    c->offset += c->taken;
    c->taken = 0;
    c->filled = got;
    return 0;
}

static bool record_in_buffer(struct journal_cursor *c, struct journal_record *out, size_t *size)
{
    struct view rest = {c->buffer + c->taken, c->filled - c->taken};
    return segment_record_read(rest, c->salt, out, size) && out->seq == c->at_seq;
}

/* The record at_seq, which is durable. */
static int read_record(struct journal_cursor *c, struct journal_record *out, struct err *err)
{
    static const size_t attempts[] = {READ_AHEAD_BYTES, BUFFER_BYTES};
    size_t size;
    bool intact = record_in_buffer(c, out, &size);
    for (size_t i = 0; i < COUNT(attempts) && !intact; i++) {
        if (refill(c, attempts[i], err))
            return -1;
        intact = record_in_buffer(c, out, &size);
    }
    if (!intact) {
        char name[SEGMENT_NAME_BYTES];
        segment_name(name, c->segment);
        return err_set(err, ERR_STORE, "segment %s, offset %zu: record %llu is damaged", name,
                       c->offset + c->taken, (unsigned long long)c->at_seq);
    }
    c->taken += size;
    c->at_seq++;
    return 0;
}

/* The segment of the wanted record is open. */
static int enter_segment(struct journal_cursor *c, struct err *err)
{
    uint64_t first = segment_of(c->j, c->wanted);
    if (!first)
        return trimmed(c->wanted, err);
    return c->fd >= 0 && first == c->segment ? 0 : open_segment(c, first, err);
}

int journal_next(struct journal_cursor *c, struct journal_record *record, struct err *err)
{
    assert(c && record && err);
    if (c->wanted > journal_durable(c->j))
        return 0;
    if (enter_segment(c, err))
        return -1;
    struct journal_record found;
    do {
        if (read_record(c, &found, err))
            return -1;
    } while (found.seq < c->wanted);
    c->wanted++;
    *record = found;
    return 1;
}

int journal_cursor_open(struct journal *j, uint64_t from_seq, struct journal_cursor **out,
                        struct err *err)
{
    assert(j && from_seq && out && err);
    if (!segment_of(j, from_seq))
        return trimmed(from_seq, err);
    SCOPED(journal_cursor_free) struct journal_cursor *c = mem_new(1, sizeof *c);
    if (c) {
        *c = (struct journal_cursor){.j = j, .wanted = from_seq, .fd = -1};
        c->buffer = mem_new(1, BUFFER_BYTES);
    }
    if (!c || !c->buffer)
        return err_set(err, ERR_MEMORY, "no memory for a cursor");
    *out = TAKE(c);
    return 0;
}

void journal_cursor_free(struct journal_cursor **at)
{
    struct journal_cursor *c = TAKE(*at);
    if (!c)
        return;
    fd_close(&c->fd);
    free(c->buffer);
    free(c);
}
