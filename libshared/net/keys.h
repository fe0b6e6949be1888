/* keys.h - key pairs and their files: CURVE pairs for sockets, an Ed25519 pair for signatures.
 *
 * A key file is text, mode 0600, owned by the uid that reads it; '#' begins a comment line:
 *
 *     kind = "curve"                 or "ed25519"
 *     public-key = "…"               curve: 40 characters of Z85; ed25519: 64 hex digits
 *     secret-key = "…"               the same; ed25519: the 32-byte seed
 *
 * Each line stands exactly once and nothing else may. Refused on every way in: files open to
 * others, a public key that does not belong to the secret one, the key pairs printed in
 * zmq_curve(7), all-zero keys and the other points of small order: the shared secret with such a
 * public key is the same for everyone, so whoever connects could claim it.
 * Secrets are wiped by keys_wipe and keys_sign_wipe (SCOPED works). Functions are thread-safe.
 */
#pragma once

#include "base/err.h"

#include <stdint.h>

enum { KEY_TEXT_BYTES = 41, KEY_BYTES = 32 };

struct key_pair {
    char public_key[KEY_TEXT_BYTES]; /* Z85 (ZeroMQ RFC 32), NUL-terminated */
    char secret_key[KEY_TEXT_BYTES];
};

struct sign_key {
    uint8_t public_key[32];
    uint8_t secret_key[64]; /* libsodium's form: seed, then public key */
};

/* A fresh CURVE pair from the kernel's randomness. */
void keys_make(struct key_pair *pair);

/* Zeroes the pair in a way that the compiler keeps. */
void keys_wipe(struct key_pair *pair);

/* Checks that a text is a public key one may trust: Z85, none of the refused keys above.
 * ERR_INVALID. */
int keys_check_public(const char *z85, struct err *err);

/* Checks the public key of a pair and that the secret one belongs to it. ERR_INVALID. */
int keys_check_pair(const struct key_pair *pair, struct err *err);

/* The Z85 text of 32 bytes. */
void keys_show(char z85[KEY_TEXT_BYTES], const uint8_t raw[KEY_BYTES]);

/* Reads a CURVE key file, relative to dirfd (AT_FDCWD works). ERR_INVALID names file and line;
 * ERR_NOT_FOUND; ERR_IO. */
int keys_load(int dirfd, const char *path, struct key_pair *pair, struct err *err);

/* Writes a key file, mode 0600, replacing any old one atomically and durably. ERR_IO. */
int keys_save(int dirfd, const char *path, const struct key_pair *pair, struct err *err);

/* The same four for the signing key. */
void keys_sign_make(struct sign_key *key);
void keys_sign_wipe(struct sign_key *key);
int keys_sign_load(int dirfd, const char *path, struct sign_key *key, struct err *err);
int keys_sign_save(int dirfd, const char *path, const struct sign_key *key, struct err *err);
