/* batch.c - what one transaction will hold; see batch.h. */
#include "audit/batch.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

int batch_new(struct batch **out, struct err *err)
{
    struct batch *batch = mem_new(1, sizeof *batch);
    if (!batch)
        return err_set(err, ERR_MEMORY, "no memory for a batch");
    batch->payloads = bytes_open(BATCH_BYTES);
    *out = batch;
    return 0;
}

void batch_free(struct batch **batch)
{
    if (!*batch)
        return;
    bytes_close(&(*batch)->payloads);
    free(*batch);
    *batch = NULL;
}

bool batch_has_room(const struct batch *batch, size_t bytes)
{
    return batch->count < BATCH_RECORDS && batch->place_count + 2 <= BATCH_PLACES &&
           bytes <= batch->payloads.bound - batch->payloads.len;
}

int batch_add(struct batch *batch, const struct entry *entry, struct view payload, struct err *err)
{
    assert(batch_has_room(batch, payload.len));
    size_t at = batch->payloads.len;
    if (bytes_add(&batch->payloads, payload.data, payload.len, err))
        return -1;
    struct entry *added = &batch->entries[batch->count++];
    *added = *entry;
    added->at = at;
    added->bytes = payload.len;
    return 0;
}

void batch_place(struct batch *batch, const struct place *place)
{
    for (size_t i = 0; i < batch->place_count; i++)
        if (batch->places[i].source == place->source) {
            batch->places[i] = *place;
            return;
        }
    assert(batch->place_count < BATCH_PLACES);
    batch->places[batch->place_count++] = *place;
}

struct view batch_payload(const struct batch *batch, const struct entry *entry)
{
    return (struct view){batch->payloads.data + entry->at, entry->bytes};
}
