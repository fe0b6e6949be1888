/* signing.h - the key that the audit signs its checkpoints with: in the audit's own directory, and
 * its history in table `signer`.
 *
 *   checkpoint.key    the key that signs now, mode 0600, in the form of net/keys.h
 *   checkpoint.pub    its public half, a line of note.h, to be kept elsewhere and checked by. Once
 *                     it is there, the whole record is under signed checkpoints: a record that is
 *                     not then is one that somebody changed, and the audit does not start.
 *   checkpoint.next   a new key until its row of `signer` is committed
 *
 * Once a day a new key takes over: the old one signs its public half and is overwritten. Whoever
 * takes the key then cannot sign what is older than a day.
 */
#pragma once

#include "engine/record/note.h"
#include "store/db.h"

#include <stdbool.h>

struct signing {
    int dirfd;
    struct sign_key key, next; /* next: while has_next, of a row that is not committed */
    bool has_next;
    bool is_begun;    /* table `signer` has rows */
    bool is_complete; /* checkpoint.pub is there */
    int64_t since_ns; /* wall clock: the key's age */
    int64_t retry_ns; /* no new key before; 0 none failed */
    char origin[ORIGIN_BYTES];
    struct stmt *add;
};

/* Finds or makes the key in the directory `path`. A zeroed struct is closed.
 *
 *   err   ERR_STORE no key here is the one that the record was last signed by, or the table of
 *         signers is not what they signed; ERR_IO; ERR_INVALID the file is open to others
 */
int signing_open(struct signing *s, const char *path, struct db *db, struct err *err);
void signing_close(struct signing *s);

/* The first row of `signer`, in the open transaction. */
int signing_begin(struct signing *s, struct err *err);

/* In the transaction that makes the tree `size` leaves large: when the key is a day old, a new one
 * signs from this size on. A disk that takes no new key leaves the old one in place for a minute.
 */
int signing_renew(struct signing *s, int64_t size, struct err *err);

/* The key that signs now. */
const struct sign_key *signing_key(const struct signing *s);

/* How the transaction ended. */
void signing_committed(struct signing *s);
void signing_undo(struct signing *s);

/* Writes checkpoint.pub. ERR_IO. */
int signing_publish(struct signing *s, struct err *err);
