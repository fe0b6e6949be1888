/* arena.c - see arena.h. Blocks double in size, so an analysis costs few allocations. */
#include "engine/shell/arena.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_LEAST_BYTES = 16 * 1024, BLOCK_MOST_BYTES = 1024 * 1024 };

struct arena_block {
    struct arena_block *older;
    size_t size, used; /* of data */
    _Alignas(max_align_t) unsigned char data[];
};

static struct arena_block *block_add(struct arena *a, size_t need)
{
    size_t size = a->newest ? a->newest->size * 2 : BLOCK_LEAST_BYTES;
    if (size > BLOCK_MOST_BYTES)
        size = BLOCK_MOST_BYTES;
    if (size < need)
        size = need;
    if (size > ARENA_MAX_BYTES - a->taken_bytes)
        return NULL;
    struct arena_block *block = mem_new(1, sizeof *block + size);
    if (!block)
        return NULL;
    block->older = a->newest;
    block->size = size;
    a->newest = block;
    a->taken_bytes += size;
    return block;
}

void *arena_new(struct arena *a, size_t count, size_t size)
{
    size_t need, align = _Alignof(max_align_t);
    if (__builtin_mul_overflow(count, size, &need) || need > ARENA_MAX_BYTES) {
        a->full = true;
        return NULL;
    }
    need = need ? (need + align - 1) / align * align : align;
    struct arena_block *block = a->newest;
    if (!block || need > block->size - block->used)
        block = block_add(a, need);
    if (!block) {
        a->full = true;
        return NULL;
    }
    void *piece = block->data + block->used;
    block->used += need;
    return piece;
}

char *arena_text(struct arena *a, const char *text, size_t len)
{
    char *copy = len < ARENA_MAX_BYTES ? arena_new(a, len + 1, 1) : NULL;
    if (copy && len)
        memcpy(copy, text, len);
    return copy;
}

void arena_clear(struct arena *a)
{
    struct arena_block *kept = a->newest;
    while (kept && kept->older) {
        struct arena_block *older = kept->older;
        free(kept);
        kept = older;
    }
    if (kept && kept->size > BLOCK_LEAST_BYTES) {
        free(kept);
        kept = NULL;
    }
    if (kept) {
        memset(kept->data, 0, kept->used); /* arena_new promises zeroes */
        kept->used = 0;
    }
    *a = (struct arena){.newest = kept, .taken_bytes = kept ? kept->size : 0};
}

void arena_close(struct arena *a)
{
    while (a->newest) {
        struct arena_block *older = a->newest->older;
        free(a->newest);
        a->newest = older;
    }
    *a = (struct arena){0};
}
