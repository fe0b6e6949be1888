/* mem.c - allocation with a place to fail; see mem.h. */
#include "base/mem.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

void *mem_new(size_t count, size_t size)
{
    size_t total;
    if (fault_hit(FAULT_ALLOC) || __builtin_mul_overflow(count, size, &total))
        return NULL; /* calloc sees the overflow too, but under a sanitizer it ends the process */
    return calloc(count, size);
}

void *mem_resize(void *old, size_t size)
{
    return fault_hit(FAULT_ALLOC) ? NULL : realloc(old, size);
}

char *mem_text(const char *text)
{
    return fault_hit(FAULT_ALLOC) ? NULL : strdup(text);
}
