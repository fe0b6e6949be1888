/* mem.h - our own allocations, so that a test can fail the N-th one. Freed with free(3). */
#pragma once

#include <stddef.h>

enum { MEM_LARGE_BYTES = 2 * 1024 * 1024 };

/* Zeroed memory for `count` things of `size` bytes; NULL when there is none or the product
 * overflows. */
void *mem_new(size_t count, size_t size);

/* Grows or shrinks; NULL leaves the old block as it was. */
void *mem_resize(void *old, size_t size);

/* Zeroed memory of MEM_LARGE_BYTES, aligned to them, in one large page where the kernel has such
 * (madvise(2), MADV_HUGEPAGE): for what is filled at once, since each page fault costs
 * microseconds. Given back with mem_free_large. */
void *mem_new_large(void);

/* Gives it back to the kernel; fine on NULL. */
void mem_free_large(void *memory);

/* A heap copy of a text; NULL when there is no memory. */
char *mem_text(const char *text);
