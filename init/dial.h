/* dial.h - finding the manager again: when to try the socket's path next.
 *
 * A manager that comes back binds the path anew, which inotify on its folder shows at once. Where
 * there is no inotify, and between bind and listen, a timer tries.
 */
#pragma once

#include "base/err.h"

#include <stdint.h>

enum { DIAL_RETRY_MS = 200 };

struct dial {
    const char *path;     /* borrowed */
    int watch;            /* inotify on the folder; -1: none */
    int64_t next_boot_ns; /* when to try without being woken; INT64_MAX: at no time */
};

/* Prepares for `path`, at most 107 bytes; opens nothing. ERR_INVALID. */
int dial_open(const char *path, struct dial *out, struct err *err);

/* Connects; never waits. ERR_NOT_FOUND there is no socket; ERR_UNAVAILABLE nobody listens on it, or
 * the listener's queue is full; ERR_IO. */
int dial_connect(const struct dial *dial, int *fd, struct err *err);

/* The connection is lost: begins to watch the folder; the first try is due at once. */
void dial_begin(struct dial *dial);

/* Tries once: the socket, or -1 and the next try's time is set. */
int dial_try(struct dial *dial);

/* Ends the watch. */
void dial_end(struct dial *dial);
