/* trouble.c - see trouble.h. */
#include "engine/shell/trouble.h"

#include "base/scope.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

void trouble_add(struct trouble *t, enum trouble_kind kind, const char *format, ...)
{
    bool first = !t->kinds;
    t->kinds |= kind;
    if (!first)
        return;
    char raw[sizeof t->why];
    va_list list;
    va_start(list, format);
    int n = vsnprintf(raw, sizeof raw, format, list);
    va_end(list);
    struct err err;
    SCOPED(bytes_close) struct bytes shown = bytes_open(sizeof raw * 10);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof raw ? (size_t)n : sizeof raw - 1;
    if (text_show(&shown, raw, len, &err) || !shown.data)
        text_copy(t->why, sizeof t->why, "its text could not be shown");
    else
        text_copy(t->why, sizeof t->why, (const char *)shown.data);
}

static bool is_joined_emoji(uint32_t before, uint32_t point)
{
    return point == 0x200d && before >= 0x2600;
}

void trouble_look(struct trouble *t, struct view text)
{
    uint32_t before = 0;
    while (text.len) {
        uint32_t point;
        size_t n = text_decode(text.data, text.len, &point);
        if (!n) {
            trouble_add(t, TROUBLE_INVISIBLE, "it has bytes that are no UTF-8");
            return;
        }
        bool fine = point == '\t' || point == '\n' || is_joined_emoji(before, point);
        if (!fine && text_hides(point)) {
            trouble_add(t, TROUBLE_INVISIBLE, "it has the invisible character U+%04X", point);
            return;
        }
        before = point;
        text.data += n;
        text.len -= n;
    }
}
