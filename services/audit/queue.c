/* queue.c - batches that wait to be written; see queue.h. */
#include "audit/queue.h"

int queue_add(struct queue *q, const struct entry *entry, struct view payload, struct err *err)
{
    if (!q->end || !batch_has_room(q->end, payload.len)) {
        struct batch *batch;
        if (batch_new(&batch, err))
            return -1;
        if (q->end)
            q->end->next = batch;
        else
            q->first = batch;
        q->end = batch;
    }
    if (batch_add(q->end, entry, payload, err))
        return -1;
    q->records++;
    q->bytes += (int64_t)payload.len;
    return 0;
}

struct batch *queue_take(struct queue *q)
{
    struct batch *batch = q->first;
    if (!batch)
        return NULL;
    q->first = batch->next;
    if (!q->first)
        q->end = NULL;
    batch->next = NULL;
    return batch;
}

void queue_written(struct queue *q, const struct batch *batch)
{
    q->records -= (int64_t)batch->count;
    q->bytes -= (int64_t)batch->payloads.len;
}

void queue_close(struct queue *q)
{
    for (struct batch *batch; (batch = queue_take(q));)
        batch_free(&batch);
    *q = (struct queue){0};
}
