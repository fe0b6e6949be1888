/* replies.c - a hash table of replies, chained also from oldest to newest; see replies.h. */
#include "service/replies.h"

#include "base/mem.h"
#include "base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096 };

/* What one principal has in the table. */
struct owner {
    char tenant[NAME_BYTES], principal[NAME_BYTES];
    size_t bytes;
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
    struct owner *owners;
    struct entry *oldest, **newest_end;
    struct entry *buckets[BUCKETS];
};

int replies_new(int64_t max_age_ns, struct replies **replies, struct err *err)
{
    struct replies *r = mem_new(1, sizeof *r);
    if (!r)
        return err_set(err, ERR_MEMORY, "no memory for stored replies");
    r->max_age_ns = max_age_ns;
    r->newest_end = &r->oldest;
    *replies = r;
    return 0;
}

/* Request ids are the clients' choice, so a client may fill a bucket: of its own bounded replies.
 */
static struct entry **bucket(struct replies *r, const uint8_t *request_id)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < REQUEST_ID_BYTES; i++)
        h = (h ^ request_id[i]) * 16777619u;
    return &r->buckets[h % BUCKETS];
}

/* Takes an entry out of both chains; `link` is what points to it in the chain of age. */
static void drop(struct replies *r, struct entry **link)
{
    struct entry *gone = *link, **at = bucket(r, gone->request_id);
    while (*at != gone)
        at = &(*at)->in_bucket;
    *at = gone->in_bucket;
    *link = gone->newer;
    if (r->newest_end == &gone->newer)
        r->newest_end = link;
    gone->owner->bytes -= gone->reply.body.len;
    r->count--;
    free(gone);
}

void replies_free(struct replies **replies)
{
    struct replies *r = *replies;
    if (!r)
        return;
    while (r->oldest)
        drop(r, &r->oldest);
    while (r->owners) {
        struct owner *next = r->owners->next;
        free(r->owners);
        r->owners = next;
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
    o->next = r->owners;
    r->owners = o;
    return o;
}

/* Drops what is too old, then this owner's oldest until `more` bytes fit. */
static void make_room(struct replies *r, const struct owner *owner, size_t more, int64_t now_ns)
{
    while (r->oldest && now_ns - r->oldest->reply.wall_ns > r->max_age_ns)
        drop(r, &r->oldest);
    for (struct entry **link = &r->oldest; *link && owner->bytes + more > PRINCIPAL_MAX_BYTES;) {
        if ((*link)->owner == owner)
            drop(r, link);
        else
            link = &(*link)->newer;
    }
}

void replies_add(struct replies *r, struct reply_key key, const struct reply *reply)
{
    assert(reply->body.len <= REPLY_MAX_BYTES);
    struct owner *owner = find_owner(r, key);
    struct entry *e = owner ? mem_new(1, sizeof *e + reply->body.len) : NULL;
    if (!e)
        return;
    make_room(r, owner, reply->body.len, reply->wall_ns);
    e->owner = owner;
    e->reply = *reply;
    memcpy(e->request_id, key.request_id, REQUEST_ID_BYTES);
    if (reply->body.len)
        memcpy(e->data, reply->body.data, reply->body.len);
    e->reply.body.data = e->data;
    owner->bytes += reply->body.len;
    struct entry **head = bucket(r, key.request_id);
    e->in_bucket = *head;
    *head = e;
    *r->newest_end = e;
    r->newest_end = &e->newer;
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
