/* verdict.h - signing and believing the guardian's word on one act.
 *
 * Ed25519 (RFC 8032) over a label and the verdict as the schema encodes it without its signature. A
 * verdict with fields that this program does not know fails its signature: no is the safe answer.
 * Whoever believes a verdict also has to use it once only and within valid_ms of its own question;
 * verdict_check cannot know either. Thread-safe.
 */
#pragma once

#include "engine/record/act.h"
#include "net/keys.h"

enum { VERDICT_SIGNATURE_BYTES = 64 };

/* Signs a verdict whose other fields are complete.
 *
 *   signature   the caller's, has to live as long as the verdict: v->signature becomes a view of it
 *   err         ERR_INVALID a field breaks its row; ERR_OVERLOADED, ERR_MEMORY. Nothing is changed.
 */
int verdict_sign(struct verdict *v, const struct sign_key *key,
                 uint8_t signature[VERDICT_SIGNATURE_BYTES], struct err *err);

/* 0 when the guardian with this public key said this about the act with this hash, and what it says
 * is whole: approved exactly when the decision is allow, valid for a time. Whether it says yes is
 * v->approved.
 *
 *   err   ERR_GUARDIAN_UNAVAILABLE says which of these does not hold; ERR_OVERLOADED, ERR_MEMORY
 */
int verdict_check(const struct verdict *v, const uint8_t public_key[KEY_BYTES],
                  const uint8_t hash[ACT_HASH_BYTES], struct err *err);
