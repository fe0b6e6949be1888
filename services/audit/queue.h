/* queue.h - batches that wait to be written, the newest of them still being filled.
 *
 * Loop thread only. A zeroed struct is an empty queue.
 */
#pragma once

#include "audit/batch.h"

struct queue {
    struct batch *first, *end; /* end: being filled */
    int64_t records, bytes;    /* here and in batches taken out, until queue_written */
};

/* Appends a record, beginning another batch where the newest is full; queue->end is then the batch
 * that holds it, with room for places. ERR_MEMORY. */
int queue_add(struct queue *queue, const struct entry *entry, struct view payload, struct err *err);

/* Takes the oldest batch out; NULL when there is none. Its records count until queue_written. */
struct batch *queue_take(struct queue *queue);

/* Forgets the records of a batch that was taken out. */
void queue_written(struct queue *queue, const struct batch *batch);

/* Frees the batches. */
void queue_close(struct queue *queue);
