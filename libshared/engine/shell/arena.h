/* arena.h - memory for one command's analysis: taken piece by piece, given back all at once.
 *
 * An arena holds at most ARENA_MAX_BYTES and counts the steps of the work done in it, so that a
 * test can prove that hostile input costs no more than its length. Owned by one thread. A zeroed
 * struct is a valid empty arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARENA_MAX_BYTES = 32 * 1024 * 1024, ARENA_SPARES = 4 };

struct arena_block;

struct arena {
    struct arena_block *newest;
    struct arena_block *spare[ARENA_SPARES]; /* the first sizes of blocks, given back, zeroed */
    size_t taken_bytes; /* of all blocks but spares, never above ARENA_MAX_BYTES */
    size_t given_bytes; /* of what was asked for, aligned */
    bool full;          /* something was refused */
    uint64_t steps;     /* characters looked at, atoms copied, nodes visited, patterns tried */
};

/* Zeroed memory, aligned for any type, valid until arena_clear or arena_close. NULL when the bound
 * is reached or there is no memory. */
void *arena_new(struct arena *a, size_t count, size_t size);

/* A NUL-terminated copy of len bytes. NULL as arena_new. */
char *arena_text(struct arena *a, const char *text, size_t len);

/* Gives everything back; one block of each of the first sizes, 240 KiB in all, is kept for the next
 * analysis, which gets the same memory in the same steps as one in a new arena. Steps start at 0
 * again. */
void arena_clear(struct arena *a);

/* Frees everything and zeroes; fine on a zeroed struct. */
void arena_close(struct arena *a);
