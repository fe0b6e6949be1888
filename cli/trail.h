/* trail.h - the log lines of one service on their way through the supervisor.
 *
 * Bytes from the service's stderr become lines. Each goes to DIR/<service>.log (rotated once at
 * TRAIL_FILE_BYTES) or, with a prefix, to the supervisor's stderr; the newest TRAIL_LINES are kept,
 * to be shown when the service is given up. Lines that would move a terminal's cursor are escaped.
 * A stderr that takes nothing does not stop the services: lines are dropped and counted.
 */
#pragma once

#include "base/err.h"
#include "cli/place.h"
#include "cli/table.h"

#include <stddef.h>
#include <stdint.h>

enum { TRAIL_LINES = 20, TRAIL_LINE_BYTES = 1152, TRAIL_FILE_BYTES = 1024 * 1024 };

struct trail {
    const char *name;                  /* of the service; static */
    struct screen screen;              /* of stderr */
    char path[PLACE_STATE_BYTES + 16]; /* of the file; "" for stderr */
    int file;                          /* -1: none */
    int64_t file_bytes;
    uint64_t dropped; /* lines that stderr did not take */
    char lines[TRAIL_LINES][TRAIL_LINE_BYTES];
    uint64_t count; /* of all lines; the newest is lines[(count - 1) % TRAIL_LINES] */
    char partial[TRAIL_LINE_BYTES]; /* a line whose end has not come */
    size_t partial_bytes;
};

/* Lines to a file in the directory `state`, or to stderr when it is NULL. ERR_IO. */
int trail_open(struct trail *trail, const char *name, const char *state, struct err *err);
void trail_close(struct trail *trail);

/* Takes what the service wrote. Lines longer than TRAIL_LINE_BYTES are cut in two. */
void trail_take(struct trail *trail, const char *data, size_t len);

/* Adds a line of the supervisor's own. */
void trail_say(struct trail *trail, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes the newest lines to stderr, indented. */
void trail_show(const struct trail *trail);
