/* journal.c - opening, appending, and the questions the loop asks; see journal.h. */
#include "store/journal_own.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/scope.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEFAULT_SEGMENT_BYTES = 8 * 1024 * 1024,
    DEFAULT_QUEUE_BYTES = 4 * 1024 * 1024,
    SEGMENT_STEP = 4096,
    PARTS = 8 /* of a segment: the largest payload, the reserve unless told otherwise */
};

/* Bounds and defaults of the options; a wrong one is a bug of the caller. */
static void set_options(struct journal *j, const struct journal_options *options)
{
    j->segment_bytes = options->segment_bytes ? options->segment_bytes : DEFAULT_SEGMENT_BYTES;
    j->queue_bytes = options->queue_bytes ? options->queue_bytes : DEFAULT_QUEUE_BYTES;
    j->reserve_bytes = options->reserve_bytes ? options->reserve_bytes : j->segment_bytes / PARTS;
    assert(j->segment_bytes >= SEGMENT_MIN_BYTES && j->segment_bytes <= SEGMENT_MAX_BYTES);
    assert(j->segment_bytes % SEGMENT_STEP == 0);
    assert(j->queue_bytes >= SEGMENT_MIN_BYTES);
    assert(j->reserve_bytes <= j->segment_bytes / 2);
    memcpy(j->source, options->source, sizeof j->source);
}

static struct journal *journal_new(const struct journal_options *options, struct err *err)
{
    struct journal *j = mem_new(1, sizeof *j);
    if (!j) {
        err_set(err, ERR_MEMORY, "no memory for a journal");
        return NULL;
    }
    j->dir = j->wake = j->fd = j->spare.fd = -1;
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->work, NULL);
    set_options(j, options);
    return j;
}

/* Frees a journal whose thread does not run. */
static void journal_drop(struct journal **at)
{
    struct journal *j = TAKE(*at);
    if (!j)
        return;
    fd_close(&j->fd);
    fd_close(&j->spare.fd);
    fd_close(&j->dir);
    fd_close(&j->wake);
    bytes_close(&j->pending);
    bytes_close(&j->batch);
    free(j->segments.items);
    pthread_cond_destroy(&j->work);
    pthread_mutex_destroy(&j->lock);
    free(j);
}

/* Both queues in full, so that appending never allocates. */
static int allocate_queues(struct journal *j, struct err *err)
{
    size_t bound = j->queue_bytes + j->reserve_bytes;
    j->pending = bytes_open(bound);
    j->batch = bytes_open(bound);
    if (!bytes_reserve(&j->pending, bound, err) || !bytes_reserve(&j->batch, bound, err))
        return err_add(err, "the journal's queue");
    return 0;
}

static int open_root(int dirfd, const char *name, int *out, struct err *err)
{
    bool made = !mkdirat(dirfd, name, 0700);
    if (!made && errno != EEXIST)
        return err_sys(err, "mkdir %s", name);
    SCOPED(fd_close)
    int root = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (root < 0)
        return err_sys(err, "opening %s", name);
    if (made && dir_sync(dirfd, err))
        return -1;
    *out = fd_take(&root);
    return 0;
}

/* The thread takes no signals: the service reads them from a signalfd in its loop. */
static int start_thread(struct journal *j, struct err *err)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    errno = pthread_create(&j->thread, NULL, journal_sync_run, j);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return errno ? err_sys(err, "starting the journal's thread") : 0;
}

int journal_open(int dirfd, const char *name, const struct journal_options *options,
                 struct journal **out, struct journal_found *found, struct err *err)
{
    assert(name && options && out && found && err);
    SCOPED(journal_drop) struct journal *j = journal_new(options, err);
    SCOPED(fd_close) int root = -1;
    struct journal_found seen = {0};
    if (!j || allocate_queues(j, err))
        return -1;
    if (open_root(dirfd, name, &root, err) || journal_recover(j, root, options, &seen, err))
        return err_add(err, "journal %s", name);
    journal_make_spare(j, &j->spare_error); /* without one, only what fits now is taken */
    j->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (j->wake < 0)
        return err_sys(err, "eventfd");
    if (start_thread(j, err))
        return -1;
    *out = TAKE(j);
    *found = seen;
    return 0;
}

void journal_free(struct journal **at)
{
    struct journal *j = *at;
    if (!j)
        return;
    pthread_mutex_lock(&j->lock);
    j->stop = true;
    pthread_cond_signal(&j->work);
    pthread_mutex_unlock(&j->lock);
    pthread_join(j->thread, NULL);
    journal_drop(at);
}

size_t journal_payload_max(const struct journal *j)
{
    size_t part = j->segment_bytes / PARTS;
    return part < SEGMENT_PAYLOAD_MAX ? part : SEGMENT_PAYLOAD_MAX;
}

/* True when `size` more bytes are sure to find allocated room, `kept` bytes of it left over. What
 * is queued and does not fit behind `fill` goes to the spare; at the end of a segment less than one
 * record may stay unused. Called under the lock. */
static bool has_room(const struct journal *j, size_t size, size_t kept)
{
    size_t room = j->size - j->fill;
    size_t needed = j->pending.len + j->writing + size + kept;
    if (j->has_spare) {
        room += j->segment_bytes - SEGMENT_HEADER_BYTES;
        needed += segment_record_bytes(journal_payload_max(j));
    }
    return needed <= room;
}

/* Says why a record of `size` bytes cannot be taken now. Called under the lock. */
static int check_append(struct journal *j, size_t size, bool urgent, struct err *err)
{
    if (j->failed)
        return err_set(err, ERR_STORE, "the journal has failed: %.200s", j->failure.text);
    size_t bound = j->queue_bytes + (urgent ? j->reserve_bytes : 0);
    if (j->pending.len > bound || size > bound - j->pending.len)
        return err_set(err, ERR_OVERLOADED, "the journal's queue is full");
    if (!has_room(j, size, urgent ? 0 : j->reserve_bytes)) {
        j->want_spare = true;
        pthread_cond_signal(&j->work);
        return err_set(err, ERR_OVERLOADED, "the journal has no room left%s%.180s",
                       j->spare_error.code ? ": " : "", j->spare_error.text);
    }
    return 0;
}

static int append(struct journal *j, struct journal_record *record, uint64_t *seq, struct err *err)
{
    size_t size = segment_record_bytes(record->payload.len);
    pthread_mutex_lock(&j->lock);
    int result = check_append(j, size, record->flags & SEGMENT_URGENT, err);
    if (!result) {
        uint8_t *to = bytes_reserve(&j->pending, size, err);
        assert(to); /* allocated at open, and check_append has counted */
        record->seq = ++j->last;
        segment_record_write(to, record);
        bytes_grew(&j->pending, size);
        *seq = record->seq;
        pthread_cond_signal(&j->work);
    }
    pthread_mutex_unlock(&j->lock);
    return result;
}

static int append_flagged(struct journal *j, uint16_t type, uint16_t flags, struct view payload,
                          uint64_t *seq, struct err *err)
{
    assert(j && seq && err);
    if (payload.len > journal_payload_max(j))
        return err_set(err, ERR_INVALID, "a record of %zu bytes: at most %zu", payload.len,
                       journal_payload_max(j));
    struct journal_record record = {
        .wall_ns = clock_wall_ns(),
        .boot_ns = clock_boot_ns(),
        .type = type,
        .flags = flags,
        .payload = payload,
    };
    return append(j, &record, seq, err);
}

int journal_append(struct journal *j, uint16_t type, struct view payload, uint64_t *seq,
                   struct err *err)
{
    return append_flagged(j, type, 0, payload, seq, err);
}

int journal_append_urgent(struct journal *j, uint16_t type, struct view payload, uint64_t *seq,
                          struct err *err)
{
    return append_flagged(j, type, SEGMENT_URGENT, payload, seq, err);
}

int journal_fd(const struct journal *j)
{
    return j->wake;
}

void journal_fd_clear(struct journal *j)
{
    eventfd_t count;
    eventfd_read(j->wake, &count); /* EAGAIN: it was clear */
}

uint64_t journal_durable(const struct journal *j)
{
    return atomic_load(&j->durable);
}

bool journal_failed(struct journal *j, struct err *err)
{
    pthread_mutex_lock(&j->lock);
    bool failed = j->failed;
    if (failed)
        *err = j->failure;
    pthread_mutex_unlock(&j->lock);
    return failed;
}

uint64_t journal_epoch(const struct journal *j)
{
    return j->epoch;
}

uint64_t journal_first(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    uint64_t first = j->segments.items[0].first;
    pthread_mutex_unlock(&j->lock);
    return first;
}

uint64_t journal_last(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    uint64_t last = j->last;
    pthread_mutex_unlock(&j->lock);
    return last;
}

uint64_t journal_bytes(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    uint64_t sum = j->pending.len + j->writing;
    for (size_t i = 0; i < j->segments.count; i++)
        sum += j->segments.items[i].used;
    pthread_mutex_unlock(&j->lock);
    return sum;
}

void journal_trim(struct journal *j, uint64_t upto)
{
    pthread_mutex_lock(&j->lock);
    if (upto > j->trim_upto) {
        j->trim_upto = upto;
        pthread_cond_signal(&j->work);
    }
    pthread_mutex_unlock(&j->lock);
}
