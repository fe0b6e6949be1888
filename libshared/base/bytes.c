/* bytes.c - a bounded growing buffer; see bytes.h. */
#include "base/bytes.h"

#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

struct bytes bytes_open(size_t bound)
{
    return (struct bytes){.bound = bound};
}

void bytes_close(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){0};
}

uint8_t *bytes_reserve(struct bytes *b, size_t len, struct err *err)
{
    if (len > b->bound - b->len) {
        err_set(err, ERR_OVERLOADED, "more than %zu bytes", b->bound);
        return NULL;
    }
    size_t needed = b->len + len + 1;
    if (needed > b->room) {
        size_t room = b->room ? b->room : FIRST_ROOM;
        while (room < needed)
            room = room > SIZE_MAX / 2 ? needed : room * 2;
        uint8_t *data = mem_resize(b->data, room);
        if (!data) {
            err_set(err, ERR_MEMORY, "no memory for %zu bytes", room);
            return NULL;
        }
        b->data = data;
        b->room = room;
    }
    return b->data + b->len;
}

void bytes_grew(struct bytes *b, size_t len)
{
    assert(b->len + len < b->room);
    b->len += len;
    b->data[b->len] = 0;
}

int bytes_add(struct bytes *b, const void *data, size_t len, struct err *err)
{
    uint8_t *to = bytes_reserve(b, len, err);
    if (!to)
        return -1;
    if (len)
        memcpy(to, data, len);
    bytes_grew(b, len);
    return 0;
}

int bytes_addf(struct bytes *b, struct err *err, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    uint8_t *to = n < 0 ? NULL : bytes_reserve(b, (size_t)n, err);
    if (n < 0)
        err_set(err, ERR_INVALID, "a text cannot be formatted");
    if (to) {
        vsnprintf((char *)to, (size_t)n + 1, format, again);
        bytes_grew(b, (size_t)n);
    }
    va_end(again);
    return to ? 0 : -1;
}

void bytes_drop(struct bytes *b, size_t n)
{
    assert(n <= b->len);
    if (!n)
        return;
    b->len -= n;
    memmove(b->data, b->data + n, b->len + 1);
}

void bytes_cut(struct bytes *b, size_t len)
{
    assert(len <= b->len);
    b->len = len;
    if (b->data)
        b->data[len] = 0;
}

void bytes_clear(struct bytes *b)
{
    bytes_cut(b, 0);
}

struct view bytes_view(const struct bytes *b)
{
    return (struct view){b->data, b->len};
}

struct view view_of(const char *text)
{
    return (struct view){(const uint8_t *)text, strlen(text)};
}

bool view_equal(struct view a, struct view b)
{
    return a.len == b.len && (!a.len || !memcmp(a.data, b.data, a.len));
}
