/* leaf.h - what of a record is under its leaf of the hash tree: everything that is not derived.
 *
 * The text of a leaf, whose hash is SHA-256(0x00 || text), is
 *
 *     gseq       8 bytes
 *     source     1 byte, its length; so many bytes, its name
 *     epoch, seq, time_ns, boot_ns, received_ns, type   8 bytes each
 *     body       the rest
 *
 * Numbers are big-endian two's complement. The leaf of gseq g is leaf g - 1 of the tree.
 */
#pragma once

#include "engine/record/merkle.h"

enum { LEAF_SOURCE_BYTES = 255 };

struct leaf {
    int64_t gseq;
    const char *source; /* at most LEAF_SOURCE_BYTES; what is behind them is not hashed */
    int64_t epoch, seq, time_ns, boot_ns, received_ns, type;
    struct view body;
};

struct merkle_hash leaf_hash(const struct leaf *leaf);
