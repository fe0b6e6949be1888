/* verify.h - is a record whole and as it was signed? Looks at a copy of audit.db, or at one that is
 * in use, and changes nothing.
 *
 * One pass in the order of gseq, in one read transaction. Checked are
 *
 *   the schema          the objects that tables.h makes, and no others
 *   signers             each key signed by the one before
 *   records             gseq dense from 1; the leaf from body and columns; the columns that are
 *                       derived, derived anew
 *   sources             seq goes on within (source, epoch), or the audit's own events say why not
 *                       (moved.h); the table of sources says what the records say
 *   the tree            leaves, tiles, and the root, signature and place of every checkpoint
 *
 * What cannot be known from the database alone: whether its first signer is the real one (give the
 * public key), and whether it is an older copy of itself. Indexes are not looked at; PRAGMA
 * integrity_check does that.
 *
 * The first finding ends the pass, but for a gap, behind which it goes on: tampering says more.
 */
#pragma once

#include "engine/record/note.h"

/* What the CLI exits with. */
enum verify_result { VERIFY_OK = 0, VERIFY_TAMPERED = 1, VERIFY_GAP = 3, VERIFY_SIGNATURE = 4 };

struct verify_options {
    const char *path; /* of the database */
    bool has_key;     /* one of the signers is this one */
    uint8_t public_key[KEY_BYTES];
    char origin[ORIGIN_BYTES];                                  /* of the key; "": not known */
    void (*progress)(void *context, int64_t done, int64_t all); /* records; may be NULL */
    void *context;
};

struct verified {
    enum verify_result result;
    char kind[32]; /* of the finding: what is wrong; "" when all is well */
    int64_t gseq;  /* of the first bad record; 0 when it is none's */
    char detail[200];
    int64_t records, checkpoints, signers, sources; /* that were looked at */
    struct merkle_hash root;                        /* over the records looked at */
    int64_t bytes;                                  /* of the database's pages */
    int64_t signed_ns;                              /* time of the newest checkpoint */
    char origin[ORIGIN_BYTES];
    char newest_key[NOTE_KEY_BYTES]; /* that signed it, a line as in checkpoint.pub */
};

/* 0: *out says what was found. -1: there was nothing that could be looked at.
 *
 *   err   ERR_NOT_FOUND; ERR_STORE no database of this version, or damaged as a file; ERR_MEMORY
 */
int verify_record(const struct verify_options *options, struct verified *out, struct err *err);
