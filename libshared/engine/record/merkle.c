/* merkle.c - the hash tree over the record; see merkle.h. */
#include "engine/record/merkle.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

_Static_assert(MERKLE_HASH_BYTES == crypto_hash_sha256_BYTES, "SHA-256");

static const uint8_t LEAF = 0, NODE = 1;

bool merkle_equal(const struct merkle_hash *a, const struct merkle_hash *b)
{
    return !memcmp(a->bytes, b->bytes, MERKLE_HASH_BYTES);
}

struct merkle_hash merkle_leaf(struct view data)
{
    struct merkle_hash hash;
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, &LEAF, 1);
    crypto_hash_sha256_update(&state, data.data, data.len);
    crypto_hash_sha256_final(&state, hash.bytes);
    return hash;
}

struct merkle_hash merkle_node(const struct merkle_hash *left, const struct merkle_hash *right)
{
    struct merkle_hash hash;
    uint8_t text[1 + 2 * MERKLE_HASH_BYTES];
    text[0] = NODE;
    memcpy(text + 1, left->bytes, MERKLE_HASH_BYTES);
    memcpy(text + 1 + MERKLE_HASH_BYTES, right->bytes, MERKLE_HASH_BYTES);
    crypto_hash_sha256(hash.bytes, text, sizeof text);
    return hash;
}

/* Carries like binary addition: two full subtrees of one height become one. */
static int carry(struct merkle *tree, unsigned bits, const struct merkle_hash *root,
                 struct merkle_hash *tiles)
{
    struct merkle_hash hash = *root;
    int count = 0;
    assert(bits < MERKLE_LEVELS && !(tree->size & ((1ll << bits) - 1)));
    for (unsigned k = bits;; k++) {
        if (tiles && k && k % MERKLE_TILE_BITS == 0)
            tiles[count++] = hash;
        if (!(tree->size >> k & 1)) {
            tree->peaks[k] = hash;
            break;
        }
        hash = merkle_node(&tree->peaks[k], &hash);
    }
    tree->size += 1ll << bits;
    return count;
}

int merkle_append(struct merkle *tree, const struct merkle_hash *leaf,
                  struct merkle_hash tiles[MERKLE_TILE_LEVELS])
{
    return carry(tree, 0, leaf, tiles);
}

void merkle_append_full(struct merkle *tree, unsigned bits, const struct merkle_hash *root)
{
    carry(tree, bits, root, NULL);
}

struct merkle_hash merkle_root(const struct merkle *tree)
{
    struct merkle_hash root;
    bool any = false;
    crypto_hash_sha256(root.bytes, NULL, 0);
    for (unsigned k = 0; k < MERKLE_LEVELS; k++) {
        if (!(tree->size >> k & 1))
            continue;
        root = any ? merkle_node(&tree->peaks[k], &root) : tree->peaks[k];
        any = true;
    }
    return root;
}

/* The bits of the largest power of two below n, n > 1: where RFC 6962 divides n leaves. */
static unsigned split(int64_t n)
{
    return 63u - (unsigned)__builtin_clzll((unsigned long long)n - 1);
}

/* The root of the leaves start … end - 1; start is a multiple of the power of two that their number
 * fits into. */
static int range(const struct merkle_source *source, int64_t start, int64_t end,
                 struct merkle_hash *out, struct err *err)
{
    struct merkle tree = {0};
    for (int64_t at = start; at < end;) {
        unsigned bits = 63u - (unsigned)__builtin_clzll((unsigned long long)(end - at));
        struct merkle_hash full;
        if (source->full(source->context, bits, at >> bits, &full, err))
            return -1;
        merkle_append_full(&tree, bits, &full);
        at += 1ll << bits;
    }
    *out = merkle_root(&tree);
    return 0;
}

int merkle_path(const struct merkle_source *source, int64_t index, int64_t size,
                struct merkle_hash path[MERKLE_PATH], size_t *count, struct err *err)
{
    struct merkle_hash down[MERKLE_PATH];
    size_t n = 0;
    int64_t start = 0, end = size;
    assert(index >= 0 && index < size);
    while (end - start > 1) {
        int64_t middle = start + (1ll << split(end - start));
        bool left = index < middle;
        if (range(source, left ? middle : start, left ? end : middle, &down[n], err))
            return -1;
        n++;
        *(left ? &end : &start) = middle;
    }
    for (size_t i = 0; i < n; i++)
        path[i] = down[n - 1 - i];
    *count = n;
    return 0;
}

/* RFC 9162 section 2.1.3.2: `last` walks with `at` to tell a right edge, where the tree is cut off
 * and a level has no sibling. */
bool merkle_includes(const struct merkle_hash *leaf, int64_t index, int64_t size,
                     const struct merkle_hash *path, size_t count, const struct merkle_hash *root)
{
    if (index < 0 || index >= size)
        return false;
    int64_t at = index, last = size - 1;
    struct merkle_hash hash = *leaf;
    for (size_t i = 0; i < count; i++) {
        if (!last)
            return false;
        if (at & 1 || at == last) {
            hash = merkle_node(&path[i], &hash);
            while (!(at & 1) && at) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = merkle_node(&hash, &path[i]);
        }
        at >>= 1;
        last >>= 1;
    }
    return !last && merkle_equal(&hash, root);
}
