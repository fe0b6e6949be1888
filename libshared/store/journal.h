/* journal.h - a service's durable, ordered record of everything it did: the truth that databases
 * are projected from.
 *
 * A journal is a directory: <epoch>/<first_seq>.seg, twenty digits each, in the format of
 * segment.h. Records are numbered densely from 1 over all restarts; a journal that was lost starts
 * a new, larger epoch. There is one writer process (the state directory's lock sees to that).
 *
 * The loop thread appends and never waits: a record gets its seq at once and goes to the journal's
 * own sync thread, which writes and fdatasyncs immediately when idle; what arrives meanwhile is the
 * next batch. Then journal_fd becomes readable and journal_durable has grown. Any failed write or
 * sync is final: nothing becomes durable after it, appends say ERR_STORE, and the service ends
 * (a failed fsync must not be tried again; the next start reads what the disk has).
 *
 * Room: beside the segment being written the next one is kept allocated (`spare`). Ordinary appends
 * leave the last reserve_bytes of the allocated room, and of the queue, to journal_append_urgent:
 * the records of a kill need neither disk space nor memory that is not there already.
 *
 * Threads: unless said otherwise a function belongs to the loop thread.
 */
#pragma once

#include "store/segment.h"

enum { RECORD_EVENT = 1 }; /* the type of a record whose payload is an `event` */

struct journal;
struct journal_cursor;

struct journal_options {
    uint8_t source[SEGMENT_SOURCE_BYTES]; /* whose journal; another one's is refused */
    uint64_t known_epoch; /* newest epoch known outside the journal (projection, audit); 0: none */
    uint64_t known_seq;   /* newest seq of known_epoch seen outside; the journal must reach it */
    size_t segment_bytes; /* SEGMENT_MIN_BYTES to SEGMENT_MAX_BYTES, a multiple of 4096; 0: 8 MiB */
    size_t queue_bytes;   /* waiting for the sync thread, at least 64 KiB; 0: 4 MiB */
    size_t reserve_bytes; /* for urgent records, at most segment_bytes / 2; 0: an eighth of it */
};

/* What opening found, for the service to record. */
struct journal_found {
    bool fresh;        /* there was no journal: a new epoch began, earlier records are lost */
    size_t torn_bytes; /* cut from the tail: records of a batch that was never durable */
};

/* Opens or makes the journal `name` in dirfd, recovers it, syncs it and starts its thread. All
 * that is found is read and checked: the time grows with what audit has not yet acknowledged.
 *
 *   epoch    an existing journal keeps its own; a new one gets max(known_epoch + 1, wall ns)
 *   err      ERR_STORE damage before an intact later record, a segment missing between others,
 *            another source, fewer records than known_seq: the text names segment, offset, seq;
 *            nothing was changed, and a person decides. ERR_IO; ERR_MEMORY
 */
int journal_open(int dirfd, const char *name, const struct journal_options *options,
                 struct journal **out, struct journal_found *found, struct err *err);

/* Writes and syncs what is queued, ends the thread, frees; fine on NULL. Free the cursors first. */
void journal_free(struct journal **j);

/* Takes a record; it is durable once journal_durable() >= *seq.
 *
 *   payload  at most journal_payload_max(); copied
 *   err      ERR_OVERLOADED the queue or the disk is full; ERR_STORE the journal has failed;
 *            ERR_INVALID the payload is too large. On failure no seq was used.
 */
int journal_append(struct journal *j, uint16_t type, struct view payload, uint64_t *seq,
                   struct err *err);

/* The same, allowed to use the reserve: for kill, terminate and seal records only. */
int journal_append_urgent(struct journal *j, uint16_t type, struct view payload, uint64_t *seq,
                          struct err *err);

/* Largest payload: 256 KiB, or an eighth of a segment when that is less. */
size_t journal_payload_max(const struct journal *j);

/* An eventfd for the loop, readable after durable or first grew or the journal failed. Borrowed. */
int journal_fd(const struct journal *j);

/* Makes journal_fd unreadable again; call it before looking at what has changed. */
void journal_fd_clear(struct journal *j);

/* The newest durable seq; 0: none yet in this epoch. Any thread. */
uint64_t journal_durable(const struct journal *j);

/* True once a write or sync failed; *err then says which. Any thread. */
bool journal_failed(struct journal *j, struct err *err);

uint64_t journal_epoch(const struct journal *j);

/* The oldest seq still held (the next one to come when none is) and the newest one appended. */
uint64_t journal_first(struct journal *j);
uint64_t journal_last(struct journal *j);

/* Bytes of headers and records held in all segments, queued ones included: the outbox's size. */
uint64_t journal_bytes(struct journal *j);

/* Lets the sync thread remove whole segments whose records are all <= upto, oldest first; never the
 * one being written. The caller passes min(acknowledged, applied). */
void journal_trim(struct journal *j, uint64_t upto);

/* Reads durable records from from_seq on (from 1), also while others are appended. A cursor belongs
 * to one thread at a time, any thread. ERR_NOT_FOUND from_seq was trimmed; ERR_MEMORY. */
int journal_cursor_open(struct journal *j, uint64_t from_seq, struct journal_cursor **out,
                        struct err *err);
void journal_cursor_free(struct journal_cursor **cursor);

/* 1: *record is the next one, its payload valid until the next call; 0: no more are durable now,
 * ask again later; -1: ERR_STORE the record is damaged (segment, offset, seq named, never skipped),
 * ERR_NOT_FOUND it was trimmed meanwhile, ERR_IO. */
int journal_next(struct journal_cursor *cursor, struct journal_record *record, struct err *err);
