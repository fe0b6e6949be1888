/* arena.c - see arena.h. Blocks double in size up to those that are kept; what needs more gets
 * large pages. */
#include "engine/shell/arena.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_LEAST_BYTES = 16 * 1024 };

struct arena_block {
    struct arena_block *older;
    size_t size, used; /* of data */
    bool large;        /* of mem_new_large */
    _Alignas(max_align_t) unsigned char data[];
};

/* Where a spare block of this size is kept; NULL for sizes that are not. */
static struct arena_block **spare_of(struct arena *a, size_t size)
{
    for (size_t i = 0; i < ARENA_SPARES; i++)
        if (size == (size_t)BLOCK_LEAST_BYTES << i)
            return &a->spare[i];
    return NULL;
}

static struct arena_block *block_new(struct arena *a, size_t size)
{
    struct arena_block **spare = spare_of(a, size);
    struct arena_block *block = spare ? *spare : NULL;
    if (block)
        *spare = NULL;
    return block ? block : mem_new(1, sizeof *block + size);
}

/* The size of the next block: twice the one before, then that of a large page, or what is needed.
 */
static size_t next_size(const struct arena *a, size_t need)
{
    const size_t large = MEM_LARGE_BYTES - sizeof(struct arena_block);
    size_t size = a->newest ? a->newest->size * 2 : BLOCK_LEAST_BYTES;
    if (size > (size_t)BLOCK_LEAST_BYTES << (ARENA_SPARES - 1))
        size = large;
    return size < need && need <= large ? large : size < need ? need : size;
}

static struct arena_block *block_add(struct arena *a, size_t need)
{
    size_t size = next_size(a, need);
    if (size > ARENA_MAX_BYTES - a->taken_bytes)
        return NULL;
    bool large = size == MEM_LARGE_BYTES - sizeof(struct arena_block);
    struct arena_block *block = large ? mem_new_large() : block_new(a, size);
    if (!block)
        return NULL;
    block->older = a->newest;
    block->size = size;
    block->large = large;
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
    a->given_bytes += need;
    return piece;
}

char *arena_text(struct arena *a, const char *text, size_t len)
{
    char *copy = len < ARENA_MAX_BYTES ? arena_new(a, len + 1, 1) : NULL;
    if (copy && len)
        memcpy(copy, text, len);
    return copy;
}

/* Keeps a block for later where one of its size is wanted and not yet there. */
static void block_drop(struct arena *a, struct arena_block *block)
{
    struct arena_block **spare = spare_of(a, block->size);
    if (block->large) {
        mem_free_large(block);
        return;
    }
    if (!spare || *spare) {
        free(block);
        return;
    }
    memset(block->data, 0, block->used); /* arena_new promises zeroes */
    block->used = 0;
    *spare = block;
}

void arena_clear(struct arena *a)
{
    while (a->newest) {
        struct arena_block *older = a->newest->older;
        block_drop(a, a->newest);
        a->newest = older;
    }
    a->taken_bytes = a->given_bytes = 0;
    a->full = false;
    a->steps = 0;
}

void arena_close(struct arena *a)
{
    arena_clear(a);
    for (size_t i = 0; i < ARENA_SPARES; i++)
        free(a->spare[i]);
    *a = (struct arena){0};
}
