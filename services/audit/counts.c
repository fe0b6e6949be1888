/* counts.c - how many of each name; see counts.h. */
#include "audit/counts.h"

#include "base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char others[] = "(others)";

static void add_to(struct counted *row, int64_t number)
{
    if (__builtin_add_overflow(row->count, number, &row->count))
        row->count = INT64_MAX;
}

void counts_add(struct counts *c, const char *name, int64_t number)
{
    assert(number >= 0);
    if (c->count == COUNTS_NAMES - 1)
        text_copy(c->rows[c->count++].name, sizeof c->rows->name, others);
    for (size_t i = 0; i < c->count; i++)
        if (!strcmp(c->rows[i].name, name)) {
            add_to(&c->rows[i], number);
            return;
        }
    if (c->count == COUNTS_NAMES) {
        add_to(&c->rows[COUNTS_NAMES - 1], number);
        return;
    }
    text_copy(c->rows[c->count].name, sizeof c->rows->name, name);
    c->rows[c->count++].count = number;
}

static int compare(const void *a, const void *b)
{
    const struct counted *one = a, *two = b;
    if (one->count != two->count)
        return one->count < two->count ? 1 : -1;
    return strcmp(one->name, two->name);
}

int counts_list(struct counts *c, size_t most, struct bytes *room, struct list *list,
                struct err *err)
{
    struct counted rest = {.count = 0};
    qsort(c->rows, c->count, sizeof *c->rows, compare);
    size_t own = c->count > most ? most - 1 : c->count;
    for (size_t i = 0; i < own; i++)
        if (c->rows[i].count && list_add(room, list, &message_counted, &c->rows[i], err))
            return -1;
    for (size_t i = own; i < c->count; i++)
        add_to(&rest, c->rows[i].count);
    text_copy(rest.name, sizeof rest.name, others);
    return rest.count ? list_add(room, list, &message_counted, &rest, err) : 0;
}
