/* pack.h - msgpack: a writer, and a reader that trusts no byte.
 *
 * The writer is msgpack-c's packer behind a sticky error: write everything, ask once with pack_end.
 * Integers take their shortest form, so equal values give equal bytes and may be hashed. The reader
 * walks the raw bytes in place and allocates nothing (docs/decisions/001-msgpack-reader.md); texts
 * and blobs are views into them. Every length is compared with what is left before it is believed.
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
#pragma once

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct pack {
    struct bytes *to;
    struct err *err;
    bool failed; /* sticky: the first failure is in *err, later writes do nothing */
};

/* Starts writing at the end of `to`. Both pointers are borrowed until pack_end. */
struct pack pack_begin(struct bytes *to, struct err *err);

/* 0, or -1 when any write failed; *err then says why (ERR_OVERLOADED, ERR_MEMORY). */
int pack_end(struct pack *p);

void pack_map(struct pack *p, size_t pairs);
void pack_array(struct pack *p, size_t items);
void pack_nil(struct pack *p);
void pack_bool(struct pack *p, bool value);
void pack_int(struct pack *p, int64_t value);
void pack_real(struct pack *p, double value);
void pack_text(struct pack *p, const char *text);
void pack_str(struct pack *p, struct view text);
void pack_blob(struct pack *p, struct view data);
void pack_raw(struct pack *p, struct view packed); /* bytes that are msgpack already */

enum pack_type {
    PACK_NIL,
    PACK_BOOL,
    PACK_INT,
    PACK_REAL,
    PACK_TEXT,
    PACK_BLOB,
    PACK_ARRAY,
    PACK_MAP
};

struct value {
    enum pack_type type;
    union {
        bool boolean;
        int64_t integer;
        double real;
        struct view bytes; /* PACK_TEXT (not checked for UTF-8) and PACK_BLOB: into the frame */
        uint32_t count;    /* PACK_ARRAY: items that follow; PACK_MAP: pairs that follow */
    };
};

/* Reads one value and moves the cursor behind it (for arrays and maps: behind the header).
 * ERR_INVALID: cut short, ext type, unsigned integer above INT64_MAX, or a count that cannot fit in
 * what is left. */
int pack_next(struct view *cursor, struct value *out, struct err *err);

/* Moves the cursor behind one whole value, nested ones included; linear, at most depth 16.
 * ERR_INVALID. */
int pack_skip(struct view *cursor, struct err *err);

enum {
    FRAME_MAX_BYTES = 256 * 1024,
    FRAME_MAX_DEPTH = 16,
    FRAME_MAX_NODES = 10000,
    MAP_MAX_KEYS = 128
};

/* The pre-scan of every frame from outside: exactly one map and nothing behind it, within the four
 * bounds above, only string keys, no key twice in a map, no ext types. Linear: keys are compared
 * only within maps of <= MAP_MAX_KEYS pairs. ERR_INVALID. */
int pack_scan(struct view frame, struct err *err);
