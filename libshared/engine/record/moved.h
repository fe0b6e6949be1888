/* moved.h - the audit's own words on how far a source is: its events that explain why the records
 * of a source do not simply go on.
 *
 *   source_bound           the source speaks for the first time: its records begin with seq 1
 *   source_epoch_changed   a new journal: seq begins with 1 again
 *   records_missing        records that will never come are passed over
 *
 * What is written here is read again by whoever checks the record. Thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { MOVED_SOURCE_BYTES = 81, MOVED_OWNER_BYTES = 130, MOVED_DETAIL_BYTES = 256 };

enum moved_kind { MOVED_BOUND, MOVED_EPOCH, MOVED_MISSING };

struct moved {
    enum moved_kind kind;
    char source[MOVED_SOURCE_BYTES];
    char owner[MOVED_OWNER_BYTES]; /* bound: <tenant>/<principal> */
    int64_t id;                    /* bound: the source's, in table `source`; 0 with epoch 0 */
    int64_t epoch;                 /* bound: 0 when an older Corral wrote it; otherwise the old one,
                                      or the one in which records are missing */
    int64_t first, last;           /* missing: these; epoch: `last` of the old epoch is known */
    int64_t next_epoch;            /* epoch: begins */
};

/* The event's kind. Static. */
const char *moved_name(enum moved_kind kind);

/* The event's detail. */
void moved_show(const struct moved *moved, char detail[MOVED_DETAIL_BYTES]);

/* Reads what moved_show wrote; false when the event is another one, or not written like that. */
bool moved_read(const char *kind, const char *detail, struct moved *out);
