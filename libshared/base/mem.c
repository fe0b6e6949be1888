/* mem.c - allocation with a place to fail; see mem.h. */
#include "base/mem.h"

#include "base/fault.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

/* Takes twice as much address space and gives back what is in front and behind. */
void *mem_new_large(void)
{
    const size_t size = MEM_LARGE_BYTES;
    if (fault_hit(FAULT_ALLOC))
        return NULL;
    char *space = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (space == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)space % size;
    if (before)
        munmap(space, before);
    munmap(space + before + size, size - before);
    madvise(space + before, size, MADV_HUGEPAGE); /* advice: small pages do as well */
    return space + before;
}

void mem_free_large(void *memory)
{
    if (memory)
        munmap(memory, MEM_LARGE_BYTES);
}

char *mem_text(const char *text)
{
    return fault_hit(FAULT_ALLOC) ? NULL : strdup(text);
}
