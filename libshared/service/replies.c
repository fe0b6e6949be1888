/* replies.c - a hash table of replies, chained also by owner from oldest to newest; see replies.h.
 */
#include "service/replies.h"

#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096 };

/* What one principal has in the table. */
struct owner {
    char tenant[NAME_BYTES], principal[NAME_BYTES];
    size_t bytes; /* what its entries take */
    struct entry *oldest, **newest_end;
    struct owner *next;
};

struct entry {
    struct owner *owner;
    uint8_t request_id[REQUEST_ID_BYTES];
    struct reply reply; /* body points to data */
    struct entry *in_bucket, *newer;
    uint8_t data[];
};

struct replies {
    int64_t max_age_ns;
    size_t count;
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
    struct owner *owners;
    struct entry *buckets[BUCKETS];
};

int replies_new(int64_t max_age_ns, struct replies **replies, struct err *err)
{
    struct replies *r = mem_new(1, sizeof *r);
    if (!r)
        return err_set(err, ERR_MEMORY, "no memory for stored replies");
    r->max_age_ns = max_age_ns;
    rand_fill(r->hash_key, sizeof r->hash_key);
    *replies = r;
    return 0;
}

/* Request ids are the clients' choice, so the hash has a key: nobody fills a bucket. */
static struct entry **bucket(struct replies *r, const uint8_t *request_id)
{
    uint64_t h;
    crypto_shorthash((uint8_t *)&h, request_id, REQUEST_ID_BYTES, r->hash_key);
    return &r->buckets[h % BUCKETS];
}

static size_t size_of(size_t body_bytes)
{
    return sizeof(struct entry) + body_bytes;
}

/* Takes the owner's oldest entry out of both chains. */
static void drop_oldest(struct replies *r, struct owner *owner)
{
    struct entry *gone = owner->oldest, **at = bucket(r, gone->request_id);
    while (*at != gone)
        at = &(*at)->in_bucket;
    *at = gone->in_bucket;
    owner->oldest = gone->newer;
    if (!owner->oldest)
        owner->newest_end = &owner->oldest;
    owner->bytes -= size_of(gone->reply.body.len);
    r->count--;
    free(gone);
}

void replies_free(struct replies **replies)
{
    struct replies *r = *replies;
    if (!r)
        return;
    while (r->owners) {
        struct owner *owner = r->owners;
        while (owner->oldest)
            drop_oldest(r, owner);
        r->owners = owner->next;
        free(owner);
    }
    free(r);
    *replies = NULL;
}

static struct owner *find_owner(struct replies *r, struct reply_key key)
{
    for (struct owner *o = r->owners; o; o = o->next)
        if (!strcmp(o->principal, key.principal) && !strcmp(o->tenant, key.tenant))
            return o;
    struct owner *o = mem_new(1, sizeof *o);
    if (!o)
        return NULL;
    text_copy(o->tenant, sizeof o->tenant, key.tenant);
    text_copy(o->principal, sizeof o->principal, key.principal);
    o->newest_end = &o->oldest;
    o->next = r->owners;
    r->owners = o;
    return o;
}

/* Drops what is too old, whosever it is, then this owner's oldest until `more` bytes fit. */
static void make_room(struct replies *r, struct owner *owner, size_t more, int64_t now_ns)
{
    for (struct owner *o = r->owners; o; o = o->next)
        while (o->oldest && now_ns - o->oldest->reply.wall_ns > r->max_age_ns)
            drop_oldest(r, o);
    while (owner->oldest && owner->bytes + more > PRINCIPAL_MAX_BYTES)
        drop_oldest(r, owner);
}

void replies_add(struct replies *r, struct reply_key key, const struct reply *reply)
{
    assert(reply->body.len <= REPLY_MAX_BYTES);
    struct owner *owner = find_owner(r, key);
    size_t size = size_of(reply->body.len);
    struct entry *e = owner ? mem_new(1, size) : NULL;
    if (!e)
        return;
    make_room(r, owner, size, reply->wall_ns);
    e->owner = owner;
    e->reply = *reply;
    memcpy(e->request_id, key.request_id, REQUEST_ID_BYTES);
    if (reply->body.len)
        memcpy(e->data, reply->body.data, reply->body.len);
    e->reply.body.data = e->data;
    owner->bytes += size;
    struct entry **head = bucket(r, key.request_id);
    e->in_bucket = *head;
    *head = e;
    *owner->newest_end = e;
    owner->newest_end = &e->newer;
    r->count++;
}

bool replies_find(struct replies *r, struct reply_key key, int64_t now_wall_ns, struct reply *out)
{
    for (struct entry *e = *bucket(r, key.request_id); e; e = e->in_bucket) {
        if (memcmp(e->request_id, key.request_id, REQUEST_ID_BYTES) ||
            strcmp(e->owner->principal, key.principal) || strcmp(e->owner->tenant, key.tenant))
            continue;
        if (now_wall_ns - e->reply.wall_ns > r->max_age_ns)
            return false;
        *out = e->reply;
        return true;
    }
    return false;
}

size_t replies_count(const struct replies *r)
{
    return r->count;
}
