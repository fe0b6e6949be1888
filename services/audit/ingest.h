/* ingest.h - the rules by which records are taken, without sockets, threads or database.
 *
 * A source is one service on one host. It is bound to the principal that spoke for it first. Its
 * records are taken in the order of (epoch, seq), none left out:
 *
 *     committed   up to here they are in the database: what an answer promises (`upto`)
 *     taken       up to here they are in a batch, or committed
 *     last        the newest that the source says it has
 *
 * A record that continues `taken` is taken, from wherever it comes: the live publication, which
 * loses records, or a push that we asked for. What does not continue is left, and the source is
 * asked to push from taken + 1. It is asked at its first hello, at a gap, or when the live
 * publication had a whole hello's time to deliver and did not, and only for what there is room for.
 *
 * What cannot be repaired is recorded, as events of a source of our own (audit@<instance>):
 *
 *   source_bound          a source speaks for the first time
 *   source_refused        somebody speaks for a source who may not, or from an older epoch
 *   source_epoch_changed  a new journal; the old one ended at the seq that we know of it
 *   records_missing       a source no longer has what we never got
 *   fork_detected         the same seq with other content: critical
 *
 * Loop thread only.
 */
#pragma once

#include "audit/batch.h"
#include "engine/record/redact.h"
#include "schema/message.h"
#include "service/call.h"

enum {
    INGEST_RECORDS = 8 * BATCH_RECORDS, /* taken and not yet committed */
    INGEST_BYTES = 24 * 1024 * 1024,    /* of their payloads */
    INGEST_WINDOW = 1024,               /* records that one source is asked for at once, */
    INGEST_WINDOW_MIN = 64              /* and fewer than this only when no more are missing */
};

struct ingest;

/* Who sends, as ZAP and the registry say. */
struct sender {
    const char *service; /* "" when the key is no service's */
    const char *tenant, *principal;
    const struct address *from;
};

struct ingest_options {
    const char *own_source;          /* audit@<instance> */
    const struct redactor *redactor; /* of its own events; outlives it */
    /* Sends an answer to a source's journal. */
    void (*answer)(void *context, const struct address *to, const struct record_answer *answer);
    void *context;
};

/* ERR_MEMORY. */
int ingest_new(const struct ingest_options *options, struct ingest **ingest, struct err *err);
void ingest_free(struct ingest **ingest);

/* Puts a source back as the database has it; before anything else. Errors of
 * sources_add. */
int ingest_restore(struct ingest *ingest, const struct place *place, struct err *err);

/* Once all are restored: gives our own source its epoch, `epoch` when it is new. ERR_MEMORY. */
int ingest_start(struct ingest *ingest, int64_t epoch, struct err *err);

/* A journal presents itself. The answer goes out at once.
 *
 *   err      ERR_FORBIDDEN the sender may not speak for this source; ERR_STATE its epoch is older
 *            than one we know; ERR_OVERLOADED it would be one source too many (sources.h), or
 *            too much waits already; ERR_MEMORY
 */
int ingest_hello(struct ingest *ingest, const struct sender *sender,
                 const struct record_hello *hello, struct err *err);

/* Records, live or pushed. What cannot be taken is left, not refused. Errors as ingest_hello. */
int ingest_push(struct ingest *ingest, const struct sender *sender, const struct record_push *push,
                int64_t received_ns, struct err *err);

/* An event of our own becomes a record of our own source, at the end of what was taken; the bound
 * for others' records does not hold for it, twice the bound does. ERR_INVALID it breaks its schema;
 * ERR_OVERLOADED; ERR_MEMORY. */
int ingest_event(struct ingest *ingest, const struct event *event, struct err *err);

/* True when a whole batch waits; *any: when anything waits. */
bool ingest_waits(const struct ingest *ingest, bool *any);

/* Takes the oldest batch out; NULL when nothing waits. The caller gives it back to
 * ingest_committed. */
struct batch *ingest_take(struct ingest *ingest);

/* The batch is durable: answers go to its sources, forks in it become events; frees it. */
void ingest_committed(struct ingest *ingest, struct batch **batch);

/* Our own source's epoch, newest seq and newest committed seq. */
struct place ingest_own_place(const struct ingest *ingest, int64_t *last);
