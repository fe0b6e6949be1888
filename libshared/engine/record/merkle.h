/* merkle.h - the hash tree over the record: RFC 6962 section 2.1, with SHA-256.
 *
 * A tree of n leaves has one root, and whoever knows it can be shown that a leaf is in it by at
 * most 63 hashes. Leaves and nodes are hashed behind different first bytes, 0 and 1, so that none
 * can pass for the other.
 *
 * struct merkle is the frontier of a tree that grows: the roots of the full subtrees that its size
 * is made of, one for each bit that is set. It appends in O(1) on average and holds no leaves.
 * Subtrees of 256, 256^2, … leaves are called tiles of level 1, 2, …: whoever keeps them can put a
 * frontier back, or find a path, with at most 255 hashes of each level.
 *
 * Nothing here fails or allocates, but for what the caller's own functions do. Thread-safe.
 */
#pragma once

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    MERKLE_HASH_BYTES = 32,
    MERKLE_LEVELS = 63,         /* a size is an int64_t */
    MERKLE_TILE_BITS = 8,       /* 256 leaves, or 256 tiles of the level below */
    MERKLE_TILE_LEVELS = 7,     /* 256^7 < 2^63 */
    MERKLE_PATH = MERKLE_LEVELS /* hashes of an inclusion proof, at most */
};

struct merkle_hash {
    uint8_t bytes[MERKLE_HASH_BYTES];
};

/* A zeroed struct is the empty tree. */
struct merkle {
    int64_t size;                            /* leaves */
    struct merkle_hash peaks[MERKLE_LEVELS]; /* [k]: of the full subtree of 2^k, if bit k is set */
};

bool merkle_equal(const struct merkle_hash *a, const struct merkle_hash *b);

/* SHA-256(0x00 || data). */
struct merkle_hash merkle_leaf(struct view data);

/* SHA-256(0x01 || left || right). */
struct merkle_hash merkle_node(const struct merkle_hash *left, const struct merkle_hash *right);

/* Appends a leaf's hash. Returns how many tiles it completed, those of levels 1 to that number;
 * tiles[level - 1] is then each one's hash, and its index is size / 256^level - 1. */
int merkle_append(struct merkle *tree, const struct merkle_hash *leaf,
                  struct merkle_hash tiles[MERKLE_TILE_LEVELS]);

/* Appends a full subtree of 2^bits leaves, 0 <= bits < MERKLE_LEVELS; the size must be a multiple
 * of that. */
void merkle_append_full(struct merkle *tree, unsigned bits, const struct merkle_hash *root);

/* The root; of the empty tree SHA-256 of nothing. */
struct merkle_hash merkle_root(const struct merkle *tree);

/* Where hashes of a tree that is kept are: that of the full subtree of 2^bits leaves whose first
 * leaf is index * 2^bits. */
struct merkle_source {
    int (*full)(void *context, unsigned bits, int64_t index, struct merkle_hash *out,
                struct err *err);
    void *context;
};

/* The inclusion proof of leaf `index` (from 0) in the tree of `size` leaves, 0 <= index < size: the
 * hashes beside its way to the root, from the leaf upwards. Fails with what the source fails with.
 */
int merkle_path(const struct merkle_source *source, int64_t index, int64_t size,
                struct merkle_hash path[MERKLE_PATH], size_t *count, struct err *err);

/* True when the path shows that `leaf` is leaf `index` of the tree with this size and root. */
bool merkle_includes(const struct merkle_hash *leaf, int64_t index, int64_t size,
                     const struct merkle_hash *path, size_t count, const struct merkle_hash *root);
