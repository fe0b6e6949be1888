/* replies.h - the answers of finished requests, kept for clients that ask again with the same
 * request id.
 *
 * Bounds: REPLY_MAX_BYTES each, PRINCIPAL_MAX_BYTES of memory a principal (its oldest go first), an
 * age. Nothing that one principal does costs another one its replies, or the loop more time. Loop
 * thread only.
 */
#pragma once

#include "base/bytes.h"
#include "service/call.h"

enum { REPLY_MAX_BYTES = 16 * 1024, PRINCIPAL_MAX_BYTES = 16 * 1024 * 1024 };

struct replies;

struct reply_key {
    const char *tenant, *principal;
    const uint8_t *request_id; /* REQUEST_ID_BYTES */
};

struct reply {
    uint8_t body_hash[32]; /* of the request */
    bool is_ok;
    int64_t wall_ns;  /* when it was given */
    struct view body; /* valid until the next change */
};

/* Keeps replies for max_age_ns. ERR_MEMORY. */
int replies_new(int64_t max_age_ns, struct replies **replies, struct err *err);
void replies_free(struct replies **replies);

/* Keeps a copy. Without memory nothing is kept and nothing is lost but the convenience: the record
 * has the result. */
void replies_add(struct replies *replies, struct reply_key key, const struct reply *reply);

/* False when there is none, or it is too old at now_wall_ns. */
bool replies_find(struct replies *replies, struct reply_key key, int64_t now_wall_ns,
                  struct reply *out);

size_t replies_count(const struct replies *replies);
