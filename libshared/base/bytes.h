/* bytes.h - a buffer that grows up to a bound set when it is opened, and a borrowed view of bytes.
 *
 * struct bytes owns its memory: open with bytes_open, close with bytes_close (SCOPED works). A
 * zeroed struct is a valid empty buffer with bound 0. data is always NUL-terminated behind len once
 * anything was added, so it can be read as text. Not thread-safe.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct bytes {
    uint8_t *data; /* NULL while empty */
    size_t len;    /* bytes in use, without the NUL */
    size_t room;   /* allocated */
    size_t bound;  /* len never exceeds this */
};

/* Borrowed bytes; whoever hands one out says until when it lives. */
struct view {
    const uint8_t *data;
    size_t len;
};

/* An empty buffer that may hold up to `bound` bytes. Allocates nothing yet. */
struct bytes bytes_open(size_t bound);

/* Frees and zeroes; fine on a zeroed struct. */
void bytes_close(struct bytes *b);

/* Appends. ERR_OVERLOADED the bound would be passed; ERR_MEMORY. Untouched on failure. */
int bytes_add(struct bytes *b, const void *data, size_t len, struct err *err);

/* Appends formatted text. Errors as bytes_add. */
int bytes_addf(struct bytes *b, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Makes room for len more bytes and returns where they start (bytes_grew then counts them in); NULL
 * with err as bytes_add. */
uint8_t *bytes_reserve(struct bytes *b, size_t len, struct err *err);

/* Counts in bytes written behind len after bytes_reserve. */
void bytes_grew(struct bytes *b, size_t len);

/* Removes the first n bytes (n <= len). */
void bytes_drop(struct bytes *b, size_t n);

/* Forgets what lies behind the first len bytes (len <= b->len): undoes additions. */
void bytes_cut(struct bytes *b, size_t len);

/* Empties without freeing. */
void bytes_clear(struct bytes *b);

/* A view of the whole buffer, valid until the next change. */
struct view bytes_view(const struct bytes *b);

/* A view of a NUL-terminated text, valid as long as the text. */
struct view view_of(const char *text);

bool view_equal(struct view a, struct view b);
