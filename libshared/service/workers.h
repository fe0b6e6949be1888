/* workers.h - threads for what blocks: databases, starting and ending sandboxes, whole files.
 *
 * A job runs on a worker thread, then its `done` runs on the loop thread. Jobs start in the order
 * given, but several at a time; what must not overlap is the giver's business. The queue is
 * bounded.
 */
#pragma once

#include "base/err.h"
#include "service/loop.h"

#include <stddef.h>

struct workers;

/* Starts `threads` threads; at most `bound` jobs wait. ERR_MEMORY, ERR_IO. */
int workers_new(struct loop *loop, size_t threads, size_t bound, struct workers **workers,
                struct err *err);

/* Lets running and waiting jobs end, calls their `done`, joins the threads; what those `done` hand
 * over is run to its end, too. Fine on NULL. Loop thread. */
void workers_free(struct workers **workers);

/* Hands a job over. `context` belongs to the job until `done` (not NULL) has been called. Loop
 * thread. ERR_OVERLOADED the queue is full: neither function will be called. */
int workers_run(struct workers *workers, void (*job)(void *context), void (*done)(void *context),
                void *context, struct err *err);

/* Jobs given and not yet done. Loop thread. */
size_t workers_busy(const struct workers *workers);
