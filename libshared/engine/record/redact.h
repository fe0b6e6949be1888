/* redact.h - takes secrets out of what is recorded, before it is.
 *
 * What base/secret.h finds is replaced by [redacted:KIND:LEN:HASH]: its kind, its bytes, and 8 hex
 * digits of a keyed BLAKE2b (RFC 7693) over them, so that the same secret is recognised again and
 * cannot be guessed from its hash. The key is random and each service's own: the same secret has
 * another hash in another service's records.
 *
 * What stands for a secret is passed over, so that a text which was redacted comes out as it went
 * in; only a text made for it, where a mark gives what follows another meaning, may lose some more
 * to a second pass. Thread-safe.
 */
#pragma once

#include "base/secret.h"
#include "schema/message.h"

enum { REDACT_KEY_BYTES = 32 };

struct redactor {
    uint8_t key[REDACT_KEY_BYTES];
};

/* Reads the key from redact.key in a service's state directory, or makes it there, 0600. ERR_CONFIG
 * it is no key; ERR_IO. */
int redactor_open(int dirfd, struct redactor *redactor, struct err *err);

/* Appends the text without its secrets and adds their number to *count. Errors as bytes_add. */
int redact_text(const struct redactor *redactor, enum secret_form form, struct view text,
                struct bytes *to, int64_t *count, struct err *err);

/* The same for a message that is encoded: for each text and blob in it, none of which gets longer,
 * so that the message stays one. ERR_INVALID it is none; errors as bytes_add. */
int redact_packed(const struct redactor *redactor, struct view message, struct bytes *to,
                  int64_t *count, struct err *err);

/* What a redacted message points to. A zeroed one is empty. */
struct redacted {
    struct redacted_part *parts;
    int64_t count; /* of secrets that were found */
};

void redacted_close(struct redacted *redacted);

/* Redacts a message's struct in place, by the rows of redact.def; its new views live until
 * redacted_close. Texts end where their bounds are. event.command may be longer than its bound, and
 * with argv_words its words have a NUL between them, in whose place comes a blank. ERR_MEMORY; the
 * message is then not to be used. */
int redact_message(const struct redactor *redactor, const struct message *message, void *in,
                   struct redacted *redacted, struct err *err);
