/* act.h - the hash of an act: what a verdict, an approval and the record mean by "this very act".
 *
 * BLAKE2b-256 (RFC 7693), keyed with a label, over the act as the schema encodes it: fields in
 * table order, integers in their shortest form, every text and list with its length in front, so
 * two acts with equal hashes are equal in every field. Thread-safe.
 */
#pragma once

#include "schema/message.h"

enum { ACT_HASH_BYTES = 32 };

/* Hashes an act, decoded or made by hand. Lists and blobs must be those of schema/message.h: made
 * by list_add_text or the decoder.
 *
 *   hash   out; untouched on failure
 *   err    ERR_INVALID a field breaks its row; ERR_OVERLOADED larger than a frame; ERR_MEMORY
 */
int act_hash(const struct act *act, uint8_t hash[ACT_HASH_BYTES], struct err *err);

/* The hash of a script's bytes, as struct script and the record have it; another label, so that it
 * is never an act's. */
void script_hash(struct view text, uint8_t hash[ACT_HASH_BYTES]);

enum { ACT_SHOWN_BYTES = 4096, ACT_WHOLE_BYTES = 1 << 20 };

/* Appends the act's command for a person: its script, or its argv with spaces between, cut at a
 * character so that at most ACT_SHOWN_BYTES are added; a script that is no UTF-8 is escaped.
 * Nothing for an act without a command.
 *
 *   full_bytes   out: the command's whole length
 *   err          ERR_MEMORY, ERR_OVERLOADED the bound of `to`
 */
int act_show(const struct act *act, struct bytes *to, int64_t *full_bytes, struct err *err);

/* Appends the act's whole command as outbox_append takes it: its script as act_show has it, or its
 * argv with a NUL between the words (a blank where there is a script, too). Nothing for an act
 * without a command.
 *
 *   full_bytes   out: the command's length
 *   err          ERR_MEMORY, ERR_OVERLOADED the bound of `to`: ACT_WHOLE_BYTES is enough
 */
int act_command(const struct act *act, struct bytes *to, int64_t *full_bytes, struct err *err);

/* The mounts of an act as records and leases keep them: what is where and what it is, without the
 * lists of what was found on the way. Errors as list_add. */
int act_mounts(struct list mounts, struct bytes *store, struct list *out, struct err *err);
