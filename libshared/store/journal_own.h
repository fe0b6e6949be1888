/* journal_own.h - the inside of a journal, shared by its files:
 *
 *   journal.c          open, append, questions
 *   journal_recover.c  what is on disk at start
 *   journal_sync.c     the sync thread: batches, the change of segments, trimming
 *   journal_cursor.c   reading
 *
 * Who touches what: `lock` guards the fields so marked; the sync thread alone owns the last group,
 * and writes guarded fields only under the lock.
 */
#pragma once

#include "store/journal.h"

#include <pthread.h>
#include <stdatomic.h>

#define JOURNAL_SPARE "spare"

enum { SEGMENT_NAME_BYTES = 32 };

/* A segment on disk. Its last seq is the next one's first - 1. */
struct segment {
    uint64_t first;
    uint64_t used; /* bytes of header and records */
};

struct segment_list {
    struct segment *items; /* ascending, the last one is being written */
    size_t count, room;
};

/* The allocated next segment. Zeroing it spares the later syncs the file system's own journal. */
struct spare {
    int fd;        /* -1: none */
    size_t zeroed; /* bytes from the start that are written and synced */
};

struct journal {
    int dir; /* of the epoch */
    int wake;
    uint64_t epoch;
    uint8_t source[SEGMENT_SOURCE_BYTES];
    size_t segment_bytes, queue_bytes, reserve_bytes;
    atomic_uint_fast64_t durable;

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;

    /* under lock */
    struct segment_list segments;
    struct bytes pending; /* encoded records for the next batch, allocated in full at open */
    size_t writing;       /* bytes of the batch the thread has taken and not yet written */
    uint64_t last;        /* newest seq given out */
    uint64_t trim_upto;
    size_t fill, size; /* of the segment being written */
    bool has_spare;
    bool want_spare; /* an append was refused for room: try again to allocate */
    bool stop, failed;
    struct err failure;     /* set once, when failed */
    struct err spare_error; /* why there is no spare */

    /* the sync thread's own */
    struct bytes batch;
    int fd; /* the segment being written */
    struct segment_header header;
    uint32_t tail;    /* head crc of the newest record written */
    uint64_t written; /* its seq */
    struct spare spare;
};

/* "00000000000000000001.seg" */
void segment_name(char to[SEGMENT_NAME_BYTES], uint64_t first_seq);

/* Room for one more segment in the list. ERR_MEMORY. */
int segment_list_reserve(struct segment_list *list, struct err *err);

/* Finds or makes the epoch's directory below `root` and fills in dir, epoch, segments, last, tail,
 * fd, fill, size. The torn tail is cut and everything synced. Errors as journal_open. */
int journal_recover(struct journal *j, int root, const struct journal_options *options,
                    struct journal_found *found, struct err *err);

/* Allocates the spare; on failure *err says why and there is none. ERR_IO; ERR_MEMORY. */
int journal_make_spare(struct journal *j, struct err *err);

/* Writes and syncs up to `bytes` more zeros of the spare. ERR_IO. */
int journal_zero_spare(struct journal *j, size_t bytes, struct err *err);

/* Writes zeros. ERR_IO. */
int journal_write_zeros(int fd, size_t from, size_t len, struct err *err);

/* Turns the spare into the segment that begins with `first`. ERR_IO. */
int journal_switch(struct journal *j, uint64_t first, struct err *err);

/* The sync thread's body; `journal` is a struct journal. */
void *journal_sync_run(void *journal);
