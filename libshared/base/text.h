/* text.h - texts: copying into fixed arrays, UTF-8, showing what a stranger wrote, hex and base64.
 */
#pragma once

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies a NUL-terminated text into an array of `size` bytes, cut at a character boundary. True
 * when nothing was cut. */
bool text_copy(char *to, size_t size, const char *from);

/* As text_copy for a view; stops at a NUL. */
bool text_copy_view(char *to, size_t size, struct view from);

/* True for well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, up to U+10FFFF). NUL is
 * allowed. */
bool text_is_utf8(const void *data, size_t len);

/* Decodes the character at data[0..len), len > 0: returns its bytes (1 to 4) and sets *point; 0
 * when it is no well-formed UTF-8, *point is then undefined. */
size_t text_decode(const void *data, size_t len, uint32_t *point);

/* True for characters that move the cursor, hide or reorder text: C0, DEL, C1, bidi controls,
 * zero-width characters, line separators, tag characters. */
bool text_hides(uint32_t point);

/* Appends bytes made safe for a terminal: valid UTF-8 stays, but C0, DEL, C1, bidi controls,
 * zero-width characters, line separators and tag characters appear as \n, \t, \xNN or \u{N}; a
 * broken byte as \xNN; a backslash as \\. Errors as bytes_add. */
int text_show(struct bytes *to, const void *data, size_t len, struct err *err);

/* Lower-case hex; `to` has 2 * len + 1 bytes. */
void text_hex(char *to, const void *data, size_t len);

/* Reads exactly 2 * len hex digits (either case). False when the text is anything else. */
bool text_unhex(void *to, size_t len, const char *hex);

/* 26 characters of lower-case base32 (RFC 4648 alphabet, no padding) from 16 bytes; `to` has 27
 * bytes. */
void text_base32(char to[27], const uint8_t data[16]);

/* True when `text` matches the pattern, in which * stands for any run of characters and nothing
 * else is special. */
bool text_matches(const char *pattern, const char *text);

/* True for names of agents, tenants, principals, tags' keys: 1 to `max` of [A-Za-z0-9._-], first
 * one a letter or digit. */
bool text_is_name(const char *text, size_t max);
