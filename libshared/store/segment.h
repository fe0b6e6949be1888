/* segment.h - the journal's format on disk: one segment, its header and its records.
 *
 * Pure functions over bytes; files and threads are in journal.h. All integers are little-endian.
 *
 *   header, 64 bytes:  0 "CORRALJ" and the version byte 1    8 source (16 bytes)    24 epoch u64
 *                     32 first_seq u64    40 first_seq of the segment before (0: this is the first)
 *                     48 head crc of the last record before (0: none)    52 salt u32, never 0
 *                     56 zero u32    60 crc32c of bytes 0-59
 *   record, 40 bytes:  0 len u32    4 crc32c of payload and padding    8 seq u64    16 wall ns i64
 *                     24 boottime ns i64    32 type u16    34 flags u16    36 crc32c of bytes 0-35
 *                     then the payload, padded with zeros to a multiple of 8
 *
 * Behind the last record everything is zero. Both record checksums start from the segment's random
 * salt, so that a payload cannot contain the image of a record that recovery would believe.
 *
 * Why SEGMENT_BATCH_FIRST: the records of one batch are written together and synced once. A power
 * cut may leave any subset of the newest batch, which is a torn tail and is cut. A batch begins
 * only after the sync of the one before; so an intact first record of a batch behind a damaged
 * record proves that the damaged one had been durable: that is corruption, and recovery refuses.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SEGMENT_HEADER_BYTES = 64,
    SEGMENT_RECORD_BYTES = 40, /* in front of each payload */
    SEGMENT_PAYLOAD_MAX = 256 * 1024,
    SEGMENT_MIN_BYTES = 64 * 1024,
    SEGMENT_MAX_BYTES = 64 * 1024 * 1024,
    SEGMENT_SOURCE_BYTES = 16
};

enum {
    SEGMENT_BATCH_FIRST = 1, /* everything before this record was synced before it was written */
    SEGMENT_URGENT = 2       /* appended with journal_append_urgent */
};

struct segment_header {
    uint8_t source[SEGMENT_SOURCE_BYTES];
    uint64_t epoch;
    uint64_t first_seq;    /* from 1; at most INT64_MAX */
    uint64_t before_first; /* first_seq of the segment before; 0: none */
    uint32_t before_tail;  /* head crc of the last record before; 0: none */
    uint32_t salt;         /* random, not 0 */
};

struct journal_record {
    uint64_t seq;
    int64_t wall_ns; /* clocks when it was appended */
    int64_t boot_ns;
    uint16_t type;  /* the service's own numbering */
    uint16_t flags; /* SEGMENT_* */
    struct view payload;
};

/* What a scan found. */
struct segment_scan {
    struct segment_header header;
    uint64_t last_seq; /* first_seq - 1: no record */
    uint32_t tail;     /* head crc of the last record; before_tail when there is none */
    size_t end;        /* where the next record belongs */
    size_t torn;       /* bytes from `end` to the last one that is not zero; 0: a clean end */
};

/* Bytes that a record with this payload takes, a multiple of 8. */
size_t segment_record_bytes(size_t payload_len);

void segment_header_write(uint8_t to[SEGMENT_HEADER_BYTES], const struct segment_header *header);

/* Reads and checks a header. ERR_STORE. */
int segment_header_read(struct view from, struct segment_header *out, struct err *err);

/* Writes a record without its checksums; `to` has segment_record_bytes(payload.len) bytes. */
void segment_record_write(uint8_t *to, const struct journal_record *record);

/* Bytes of a written record. */
size_t segment_record_size(const uint8_t *record);

/* Adds flags and the checksums to a written record; returns its head crc. */
uint32_t segment_record_seal(uint8_t *record, uint16_t flags, uint32_t salt);

/* True for an intact record at the start of `from`. out->payload points into `from`. */
bool segment_record_read(struct view from, uint32_t salt, struct journal_record *out, size_t *size);

/* Walks a whole segment. A torn tail is reported in *out; damage before a later batch, or a record
 * out of order, is ERR_STORE with offset and seq. Linear in the length. */
int segment_scan(struct view whole, struct segment_scan *out, struct err *err);
