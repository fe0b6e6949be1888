/* history.c - see history.h. */
#include "monitor/history.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_ROOM = 16 };

/* Into a larger block, oldest first. */
static void grow(struct history *h)
{
    size_t room = h->room ? 2 * h->room : FIRST_ROOM;
    room = room < h->bound ? room : h->bound;
    struct look *looks = mem_new(room, sizeof *looks);
    if (!looks)
        return;
    for (size_t i = 0; i < h->count; i++)
        looks[i] = *history_at(h, h->count - 1 - i);
    free(h->looks);
    h->looks = looks;
    h->room = room;
    h->next = h->count % room;
}

void history_add(struct history *h, const struct look *look)
{
    assert(h->bound > 0);
    if (h->count == h->room && h->room < h->bound)
        grow(h);
    if (!h->room)
        return;
    h->looks[h->next] = *look;
    h->next = (h->next + 1) % h->room;
    h->count += h->count < h->room;
}

const struct look *history_at(const struct history *h, size_t back)
{
    return back < h->count ? &h->looks[(h->next + h->room - 1 - back) % h->room] : NULL;
}

void history_close(struct history *h)
{
    free(h->looks);
    *h = (struct history){.bound = h->bound};
}
