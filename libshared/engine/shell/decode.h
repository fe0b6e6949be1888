/* decode.h - texts made by the filters that people hide commands with; see produce.h. */
#pragma once

#include "engine/shell/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum { MADE_MAX_BYTES = 64 * 1024 };

/* A text in the making, of the arena. */
struct made {
    struct arena *arena;
    char *text; /* NULL while it is empty */
    size_t len, room;
    bool failed; /* too long, no memory, or not what the filter reads */
};

void made_add(struct made *m, const char *text, size_t len);
void made_put(struct made *m, int c);

/* The escape behind a backslash, at *at, as echo -e, printf and tr read it: \n, \x41, \101, \u263a.
 * Moves *at behind it. False for \c, which ends the output. `zero`: octal has a 0 in front. */
bool decode_escape(struct made *to, const char **at, bool zero);

/* Each appends what the filter makes of a text; *failed when it is not known. */
void decode_base64(struct made *to, const char *text, size_t len);
void decode_base32(struct made *to, const char *text, size_t len);
void decode_hex(struct made *to, const char *text, size_t len);
void decode_dump(struct made *to, const char *text, size_t len); /* xxd -r */
void decode_reversed(struct made *to, const char *text, size_t len);
void decode_lines(struct made *to, const char *text, size_t len); /* tac */

/* tr: characters of `from` become those of `with`; NULL: they are deleted. */
void decode_translated(struct made *to, const char *text, size_t len, const char *from,
                       const char *with);
