/* json.h - JSON for people and scripts, to and from msgpack.
 *
 * What Corral sends is msgpack; this is how `-o json` shows it and how a person may write it.
 * Format: RFC 8259. Thread-safe as long as no two threads share a buffer. Both functions append to
 * `to` within its bound and leave it as it was on failure.
 */
#pragma once

#include "base/bytes.h"

/* Appends msgpack as JSON text, without a line end.
 *
 *   packed   exactly one value, as pack.h reads it, within FRAME_MAX_DEPTH and MAP_MAX_KEYS;
 *            whether a key is there twice is pack_scan's to check
 *   indent   spaces for each level, 0 to 8; 0 writes everything on one line
 *
 * Keys keep their order and integers are exact, also beyond 2^53. Texts and blobs that are UTF-8 (a
 * blob: without NUL) are strings, in which quotes, backslashes and whatever text_hides tells of
 * are escaped, so that a terminal may show them. Other texts and blobs are base64 (RFC 4648,
 * padded): under the key x as "x_base64": "…", elsewhere as {"base64": "…"}.
 *
 *   err      ERR_INVALID malformed msgpack, too deep, a key that is no UTF-8 string, a NaN or
 *            infinity, an x_base64 that is in the map already; ERR_OVERLOADED; ERR_MEMORY
 */
int json_from_pack(struct view packed, unsigned indent, struct bytes *to, struct err *err);

/* Appends the msgpack of a JSON text: any value, nothing but white space behind it.
 *
 * Strict: valid UTF-8, no key twice, no NUL in a key, integers within int64, no real that
 * overflows, at most FRAME_MAX_DEPTH deep. A text may hold NUL: whoever cannot take one refuses it
 * by its field's name. While it works it needs memory in proportion to the text: the caller bounds
 * that.
 *
 *   err      ERR_INVALID with "line:column: what", both from 1; ERR_OVERLOADED; ERR_MEMORY
 */
int json_to_pack(struct view text, struct bytes *to, struct err *err);
