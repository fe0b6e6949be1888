/* journal_sync.c - the thread that writes and syncs; see journal.h and journal_own.h.
 *
 * One turn: take what is queued, write it, sync it, publish it; then trim, then work on the spare.
 * A batch that does not fit goes in parts: the part in the old segment is synced before the new
 * segment gets its name, so a segment that has a successor is complete.
 */
#include "store/journal_own.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/scope.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ZERO_STEP_BYTES = 256 * 1024, ZERO_BLOCK_BYTES = 16 * 1024 };

void segment_name(char to[SEGMENT_NAME_BYTES], uint64_t first_seq)
{
    snprintf(to, SEGMENT_NAME_BYTES, "%020llu.seg", (unsigned long long)first_seq);
}

int segment_list_reserve(struct segment_list *list, struct err *err)
{
    if (list->count < list->room)
        return 0;
    size_t room = list->room ? list->room * 2 : 16;
    struct segment *items = mem_resize(list->items, room * sizeof *items);
    if (!items)
        return err_set(err, ERR_MEMORY, "no memory for %zu segments", room);
    list->items = items;
    list->room = room;
    return 0;
}

static void wake_loop(struct journal *j)
{
    eventfd_write(j->wake, 1);
}

int journal_write_zeros(int fd, size_t from, size_t len, struct err *err)
{
    static const uint8_t zeros[ZERO_BLOCK_BYTES];
    while (len) {
        size_t part = len < sizeof zeros ? len : sizeof zeros;
        if (file_write_all_at(fd, zeros, part, (int64_t)from, err))
            return -1;
        from += part;
        len -= part;
    }
    return 0;
}

/* posix_fallocate as a write that tests can fail. */
static int allocate(int fd, size_t len, struct err *err)
{
    do {
        if (!fault_hit(FAULT_WRITE))
            errno = posix_fallocate(fd, 0, (off_t)len);
    } while (errno == EINTR);
    return errno ? err_sys(err, "allocating %zu bytes", len) : 0;
}

/* An allocated file for the next segment. One left over from an earlier run is taken: giving it
 * back first could lose the room to somebody else. */
static int open_spare(const struct journal *j, int *out, struct err *err)
{
    SCOPED(fd_close)
    int fd = openat(j->dir, JOURNAL_SPARE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    struct stat st;
    if (fd < 0 || fstat(fd, &st))
        return err_sys(err, "opening it");
    if (st.st_size > (off_t)j->segment_bytes && ftruncate(fd, (off_t)j->segment_bytes))
        return err_sys(err, "shortening it");
    if (allocate(fd, j->segment_bytes, err)) {
        unlinkat(j->dir, JOURNAL_SPARE, 0);
        return -1;
    }
    *out = fd_take(&fd);
    return 0;
}

int journal_make_spare(struct journal *j, struct err *err)
{
    assert(j->spare.fd < 0);
    pthread_mutex_lock(&j->lock);
    int listed = segment_list_reserve(&j->segments, err);
    pthread_mutex_unlock(&j->lock);
    int fd = -1;
    if (listed || open_spare(j, &fd, err))
        return err_add(err, "the next segment");
    j->spare = (struct spare){.fd = fd};
    pthread_mutex_lock(&j->lock);
    j->has_spare = true;
    j->spare_error = (struct err){0};
    pthread_mutex_unlock(&j->lock);
    return 0;
}

int journal_zero_spare(struct journal *j, size_t bytes, struct err *err)
{
    size_t left = j->segment_bytes - j->spare.zeroed;
    size_t part = bytes < left ? bytes : left;
    if (journal_write_zeros(j->spare.fd, j->spare.zeroed, part, err) || file_sync(j->spare.fd, err))
        return err_add(err, "the next segment");
    j->spare.zeroed += part;
    return 0;
}

static uint32_t random_salt(void)
{
    uint32_t salt = 0;
    while (!salt)
        rand_fill(&salt, sizeof salt);
    return salt;
}

int journal_switch(struct journal *j, uint64_t first, struct err *err)
{
    assert(j->spare.fd >= 0);
    struct segment_header header = {
        .epoch = j->epoch,
        .first_seq = first,
        .before_first = j->segments.count ? j->header.first_seq : 0,
        .before_tail = j->tail,
        .salt = random_salt(),
    };
    memcpy(header.source, j->source, sizeof header.source);
    uint8_t head[SEGMENT_HEADER_BYTES];
    char name[SEGMENT_NAME_BYTES];
    segment_header_write(head, &header);
    segment_name(name, first);
    fault_point("journal.switch");
    if (file_write_all_at(j->spare.fd, head, sizeof head, 0, err) || file_sync(j->spare.fd, err))
        return err_add(err, "segment %s", name);
    if (renameat(j->dir, JOURNAL_SPARE, j->dir, name))
        return err_sys(err, "naming segment %s", name);
    fault_point("journal.named");
    if (dir_sync(j->dir, err))
        return err_add(err, "segment %s", name);
    fd_close(&j->fd);
    j->fd = fd_take(&j->spare.fd);
    j->header = header;
    pthread_mutex_lock(&j->lock);
    assert(j->segments.count < j->segments.room); /* reserved with the spare */
    j->segments.items[j->segments.count++] = (struct segment){first, SEGMENT_HEADER_BYTES};
    j->fill = SEGMENT_HEADER_BYTES;
    j->size = j->segment_bytes;
    j->has_spare = false;
    pthread_mutex_unlock(&j->lock);
    return 0;
}

/* Allocates a spare when there is none; a full disk is no failure of the journal, appends say so.
 */
static void try_spare(struct journal *j)
{
    struct err why;
    if (j->spare.fd >= 0)
        return;
    if (!journal_make_spare(j, &why)) {
        wake_loop(j); /* there is room again */
        return;
    }
    pthread_mutex_lock(&j->lock);
    j->spare_error = why;
    pthread_mutex_unlock(&j->lock);
}

/* Seals the records that fit into the segment; their bytes. */
static size_t seal_part(struct journal *j, uint8_t *records, size_t len)
{
    size_t done = 0;
    while (done < len) {
        size_t size = segment_record_size(records + done);
        if (size > j->size - j->fill - done)
            break;
        j->tail =
            segment_record_seal(records + done, done ? 0 : SEGMENT_BATCH_FIRST, j->header.salt);
        j->written++;
        done += size;
    }
    return done;
}

/* Makes sealed records durable and says so. */
static int write_part(struct journal *j, const uint8_t *records, size_t len, struct err *err)
{
    fault_point("journal.write");
    if (file_write_all_at(j->fd, records, len, (int64_t)j->fill, err))
        return -1;
    fault_point("journal.sync");
    if (file_sync(j->fd, err))
        return -1;
    pthread_mutex_lock(&j->lock);
    j->fill += len;
    j->writing -= len;
    j->segments.items[j->segments.count - 1].used += len;
    pthread_mutex_unlock(&j->lock);
    atomic_store(&j->durable, j->written);
    fault_point("journal.durable");
    wake_loop(j);
    return 0;
}

static int write_batch(struct journal *j, struct err *err)
{
    size_t at = 0;
    while (at < j->batch.len) {
        size_t part = seal_part(j, j->batch.data + at, j->batch.len - at);
        if (part && write_part(j, j->batch.data + at, part, err))
            return err_add(err, "segment %llu, record %llu",
                           (unsigned long long)j->header.first_seq,
                           (unsigned long long)journal_durable(j) + 1);
        at += part;
        if (at == j->batch.len)
            break;
        if (journal_switch(j, j->written + 1, err))
            return -1;
        try_spare(j);
    }
    return 0;
}

/* Called under the lock. */
static bool trim_is_due(const struct journal *j)
{
    return j->segments.count > 1 && j->segments.items[1].first - 1 <= j->trim_upto;
}

/* Forgets the oldest segment when it may go; its first seq, or 0. */
static uint64_t take_oldest(struct journal *j)
{
    uint64_t first = 0;
    pthread_mutex_lock(&j->lock);
    if (trim_is_due(j)) {
        struct segment *items = j->segments.items;
        first = items[0].first;
        memmove(items, items + 1, --j->segments.count * sizeof *items);
    }
    pthread_mutex_unlock(&j->lock);
    return first;
}

/* Each removal is synced before the next: a crash must not bring an older segment back without its
 * successor. */
static int trim(struct journal *j, struct err *err)
{
    for (uint64_t first = take_oldest(j); first; first = take_oldest(j)) {
        char name[SEGMENT_NAME_BYTES];
        segment_name(name, first);
        if (unlinkat(j->dir, name, 0))
            return err_sys(err, "removing segment %s", name);
        if (dir_sync(j->dir, err))
            return err_add(err, "removing segment %s", name);
        try_spare(j);
        wake_loop(j);
    }
    return 0;
}

static bool spare_is_unfinished(const struct journal *j)
{
    return j->spare.fd >= 0 && j->spare.zeroed < j->segment_bytes;
}

/* Waits for work and takes the queue; false when the thread should end. */
static bool take_work(struct journal *j, bool *want_spare)
{
    pthread_mutex_lock(&j->lock);
    while (!j->pending.len && !j->stop && !j->want_spare && !trim_is_due(j) &&
           !spare_is_unfinished(j))
        pthread_cond_wait(&j->work, &j->lock);
    bool go_on = j->pending.len || !j->stop;
    struct bytes empty = j->batch;
    j->batch = j->pending;
    j->pending = empty;
    j->writing = j->batch.len;
    *want_spare = j->want_spare;
    j->want_spare = false;
    pthread_mutex_unlock(&j->lock);
    return go_on;
}

static int turn(struct journal *j, bool want_spare, struct err *err)
{
    size_t batch_bytes = j->batch.len;
    if (write_batch(j, err) || trim(j, err))
        return -1;
    bytes_clear(&j->batch);
    if (want_spare)
        try_spare(j);
    if (spare_is_unfinished(j)) /* in steps, so that a batch never waits for a whole segment */
        return journal_zero_spare(j, batch_bytes + ZERO_STEP_BYTES, err);
    return 0;
}

static void fail(struct journal *j, const struct err *why)
{
    pthread_mutex_lock(&j->lock);
    j->failed = true;
    j->failure = *why;
    pthread_mutex_unlock(&j->lock);
    wake_loop(j);
}

void *journal_sync_run(void *journal)
{
    struct journal *j = journal;
    struct err why;
    bool want_spare;
    pthread_setname_np(pthread_self(), "journal");
    while (take_work(j, &want_spare)) {
        if (turn(j, want_spare, &why)) {
            fail(j, &why);
            break;
        }
    }
    return NULL;
}
