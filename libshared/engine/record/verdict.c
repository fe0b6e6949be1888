/* verdict.c - signing and believing the guardian's word on one act; see verdict.h. */
#include "engine/record/verdict.h"

#include "base/scope.h"
#include "data/pack.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

_Static_assert(VERDICT_SIGNATURE_BYTES == crypto_sign_BYTES, "Ed25519");

/* In front of what is signed, so that a signature of the guardian's key over anything else is none
 * over a verdict. */
static const char LABEL[] = "corral verdict 1\n";

/* The bytes under the signature. */
static int signed_bytes(const struct verdict *v, struct bytes *to, struct err *err)
{
    struct verdict unsigned_one = *v;
    size_t count;
    const struct field *rows = message_verdict.rows(&count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].offset == offsetof(struct verdict, signature))
            unsigned_one.present &= ~(1ull << i);
    unsigned_one.signature = (struct view){0};
    return bytes_add(to, LABEL, sizeof LABEL - 1, err) ||
                   schema_encode(&message_verdict, &unsigned_one, to, err)
               ? -1
               : 0;
}

int verdict_sign(struct verdict *v, const struct sign_key *key,
                 uint8_t signature[VERDICT_SIGNATURE_BYTES], struct err *err)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(FRAME_MAX_BYTES);
    if (signed_bytes(v, &text, err))
        return -1;
    assert(sodium_init() >= 0);
    crypto_sign_detached(signature, NULL, text.data, text.len, key->secret_key);
    v->signature = (struct view){signature, VERDICT_SIGNATURE_BYTES};
    return 0;
}

static int refuse(struct err *err, const char *why)
{
    return err_set(err, ERR_GUARDIAN_UNAVAILABLE, "the verdict %s", why);
}

static int check_signature(const struct verdict *v, const uint8_t public_key[KEY_BYTES],
                           struct err *err)
{
    if (v->signature.len != VERDICT_SIGNATURE_BYTES)
        return refuse(err, "is not signed");
    SCOPED(bytes_close) struct bytes text = bytes_open(FRAME_MAX_BYTES);
    if (signed_bytes(v, &text, err)) {
        if (err->code != ERR_INVALID)
            return -1;
        err->code = ERR_GUARDIAN_UNAVAILABLE;
        return err_add(err, "the verdict breaks its form");
    }
    assert(sodium_init() >= 0);
    if (crypto_sign_verify_detached(v->signature.data, text.data, text.len, public_key))
        return refuse(err, "is not signed by this Corral's guardian");
    return 0;
}

int verdict_check(const struct verdict *v, const uint8_t public_key[KEY_BYTES],
                  const uint8_t hash[ACT_HASH_BYTES], struct err *err)
{
    if (check_signature(v, public_key, err))
        return -1;
    if (v->act_hash.len != ACT_HASH_BYTES || sodium_memcmp(v->act_hash.data, hash, ACT_HASH_BYTES))
        return refuse(err, "is about another act");
    if (v->approved != !strcmp(v->decision, "allow"))
        return refuse(err, "contradicts itself: approved and decision disagree");
    return 0;
}
