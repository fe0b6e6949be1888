/* batch.h - records on their way into the database: what one transaction will hold.
 *
 * A batch is filled on the loop thread, written by the writer thread, looked at once more on the
 * loop thread and freed: it belongs to one of them at a time. It owns copies of the payloads.
 *
 * Beside the records it carries places: how far a source is once the batch is committed. Whoever
 * adds a record and the place that goes with it puts both into the same batch, so that a database
 * never has one without the other.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    BATCH_RECORDS = 512,
    BATCH_BYTES = 4 * 1024 * 1024, /* of payloads; more than 512 of the usual size */
    BATCH_PLACES = 64,             /* sources in one batch */
    SOURCE_BYTES = 81,             /* <service>@<host id> and its NUL */
    OWNER_BYTES = 130              /* <tenant>/<principal> and its NUL */
};

/* One record as its source wrote it. */
struct entry {
    int64_t source; /* id */
    int64_t epoch, seq;
    int64_t wall_ns, boot_ns; /* of the source's clocks */
    int64_t received_ns;      /* wall clock here */
    int64_t type;
    size_t at, bytes; /* of the payload in batch.payloads */
    bool is_known;    /* taken before: to be compared with what is stored, not stored again */
    bool is_fork;     /* out, after writing: it was known with other content */
};

/* What table `source` says once the batch is committed. */
struct place {
    int64_t source; /* id */
    char name[SOURCE_BYTES], owner[OWNER_BYTES];
    int64_t epoch, upto;
};

struct batch {
    struct entry entries[BATCH_RECORDS];
    size_t count;
    struct place places[BATCH_PLACES];
    size_t place_count;
    struct bytes payloads;
    struct batch *next; /* in the queue that holds it */
};

/* ERR_MEMORY. */
int batch_new(struct batch **batch, struct err *err);
void batch_free(struct batch **batch);

/* True while a record of so many bytes fits, with places for its source and one more. */
bool batch_has_room(const struct batch *batch, size_t bytes);

/* Adds a record that fits; `entry` without its payload's position. ERR_MEMORY. */
int batch_add(struct batch *batch, const struct entry *entry, struct view payload, struct err *err);

/* Sets a source's place, which must have room: an earlier one in this batch is replaced. */
void batch_place(struct batch *batch, const struct place *place);

/* The payload of an entry, as long as the batch lives unchanged. */
struct view batch_payload(const struct batch *batch, const struct entry *entry);
