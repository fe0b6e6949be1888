/* leaf.c - what of a record is under its leaf; see leaf.h. */
#include "engine/record/leaf.h"

#include "base/scope.h"

#include <sodium.h>
#include <string.h>

static void put(uint8_t **at, int64_t value)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        *(*at)++ = (uint8_t)((uint64_t)value >> shift);
}

struct merkle_hash leaf_hash(const struct leaf *leaf)
{
    uint8_t head[1 + 8 + 1 + LEAF_SOURCE_BYTES + 6 * 8], *at = head;
    size_t name = strnlen(leaf->source, LEAF_SOURCE_BYTES);
    const int64_t numbers[] = {leaf->epoch,   leaf->seq,         leaf->time_ns,
                               leaf->boot_ns, leaf->received_ns, leaf->type};
    struct merkle_hash hash;
    crypto_hash_sha256_state state;
    *at++ = 0;
    put(&at, leaf->gseq);
    *at++ = (uint8_t)name;
    memcpy(at, leaf->source, name);
    at += name;
    for (size_t i = 0; i < COUNT(numbers); i++)
        put(&at, numbers[i]);
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, head, (size_t)(at - head));
    crypto_hash_sha256_update(&state, leaf->body.data, leaf->body.len);
    crypto_hash_sha256_final(&state, hash.bytes);
    return hash;
}
