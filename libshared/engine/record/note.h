/* note.h - what the audit signs: checkpoints of the record's tree, and its own next key.
 *
 * A signed note (C2SP signed-note, Ed25519) is a text and a line with who signed it:
 *
 *     corral.audit/<16 hex digits>           the origin: this record, by its first key
 *     <size>                                 leaves of the tree
 *     <root>                                 base64
 *     time <ns since 1970>
 *     after <size>                           of the checkpoint that is kept before this one; 0:
 * none
 *
 *     — <origin> <base64: 4 bytes of a hash of name and key, 64 bytes of signature>
 *
 * is a checkpoint (C2SP tlog-checkpoint; time and after are its extension lines). A signer's
 * note says instead, behind the origin, "signer <size>", the new public key in hex, and the time:
 * the old key signs which key signs from that size on. A public key is shown as C2SP has it, too:
 * "<origin>+<8 hex digits>+<base64>", one line.
 *
 * Reading is strict: a note that this file would not have written, byte for byte, is none.
 * Thread-safe.
 */
#pragma once

#include "engine/record/merkle.h"
#include "net/keys.h"

enum {
    ORIGIN_BYTES = 30,    /* "corral.audit/", 16 digits, NUL */
    NOTE_BYTES = 400,     /* with its NUL */
    NOTE_KEY_BYTES = 128, /* a public key's line, with its NUL */
};

struct checkpoint {
    int64_t size; /* 0: nothing is recorded yet */
    struct merkle_hash root;
    int64_t time_ns;
    int64_t after; /* size of the checkpoint that is kept before this one; 0: none is */
};

/* From tree size `first_size` on this key signs. */
struct signer {
    int64_t first_size;
    uint8_t public_key[KEY_BYTES];
    int64_t time_ns;
};

/* The origin of the record whose first signer has this key. */
void note_origin(const uint8_t first_key[KEY_BYTES], char origin[ORIGIN_BYTES]);

void checkpoint_sign(const struct checkpoint *c, const char *origin, const struct sign_key *key,
                     char note[NOTE_BYTES]);
void signer_sign(const struct signer *s, const char *origin, const struct sign_key *by,
                 char note[NOTE_BYTES]);

/* Reads a checkpoint that this key signed. ERR_INVALID it is no checkpoint of this origin;
 * ERR_FORBIDDEN it is, and the signature is not this key's. */
int checkpoint_read(struct view note, const char *origin, const uint8_t public_key[KEY_BYTES],
                    struct checkpoint *out, struct err *err);
int signer_read(struct view note, const char *origin, const uint8_t by[KEY_BYTES],
                struct signer *out, struct err *err);

/* A public key as a line of text, without its end. */
void note_key_show(const char *origin, const uint8_t public_key[KEY_BYTES],
                   char to[NOTE_KEY_BYTES]);

/* Reads such a line, or 64 hex digits, blanks around it aside; `origin` is "" for the latter.
 * ERR_INVALID. */
int note_key_read(const char *text, char origin[ORIGIN_BYTES], uint8_t public_key[KEY_BYTES],
                  struct err *err);
