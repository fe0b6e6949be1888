/* mem.h - our own allocations, so that a test can fail the N-th one. Freed with free(3). */
#pragma once

#include <stddef.h>

/* Zeroed memory for `count` things of `size` bytes; NULL when there is none or the product
 * overflows. */
void *mem_new(size_t count, size_t size);

/* Grows or shrinks; NULL leaves the old block as it was. */
void *mem_resize(void *old, size_t size);

/* A heap copy of a text; NULL when there is no memory. */
char *mem_text(const char *text);
