/* refusals.c - which refusals have been recorded; see refusals.h. */
#include "audit/refusals.h"

#include "base/text.h"

#include <string.h>

bool refusals_know(const struct refusals *r, const char *text)
{
    for (size_t i = 0; i < REFUSALS_KEPT; i++)
        if (!strcmp(r->texts[i], text))
            return true;
    return false;
}

void refusals_add(struct refusals *r, const char *text)
{
    text_copy(r->texts[r->next++ % REFUSALS_KEPT], sizeof r->texts[0], text);
}
