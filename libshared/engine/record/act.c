/* act.c - the hash of an act; see act.h. */
#include "engine/record/act.h"

#include "base/scope.h"
#include "data/pack.h"

#include <assert.h>
#include <sodium.h>

_Static_assert(ACT_HASH_BYTES == crypto_generichash_BYTES, "BLAKE2b-256");

/* The key separates this hash from every other use of BLAKE2b in Corral. */
static const uint8_t LABEL[] = "corral act hash 1";

int act_hash(const struct act *act, uint8_t hash[ACT_HASH_BYTES], struct err *err)
{
    SCOPED(bytes_close) struct bytes encoded = bytes_open(FRAME_MAX_BYTES);
    if (schema_encode(&message_act, act, &encoded, err))
        return -1;
    assert(sodium_init() >= 0);
    int failed = crypto_generichash(hash, ACT_HASH_BYTES, encoded.data, encoded.len, LABEL,
                                    sizeof LABEL - 1);
    assert(!failed); /* only sizes outside the library's constants can fail */
    return 0;
}
