/* key_hosts.c - the keys about hosts; see key_tests.h. */
#include "base/text.h"
#include "engine/policy/key_tests.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* An address in 16 bytes, IPv4 as IPv6 sees it. False when the text is none. */
static bool read_address(const char *text, uint8_t to[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, 0xff};
    if (inet_pton(AF_INET6, text, to) == 1)
        return true;
    memcpy(to, mapped, sizeof mapped);
    return inet_pton(AF_INET, text, to + 12) == 1;
}

/* "10.0.0.0/8" has the address. */
static bool range_has(const char *range, const char *host)
{
    uint8_t of_range[16], of_host[16];
    char base[64];
    const char *slash = strchr(range, '/');
    if (!text_copy_view(base, sizeof base,
                        (struct view){(const uint8_t *)range, (size_t)(slash - range)}) ||
        !read_address(base, of_range) || !read_address(host, of_host))
        return false;
    long bits = strtol(slash + 1, NULL, 10) + (strchr(base, ':') ? 0 : 96);
    for (int i = 0; i < 16 && bits > 0; i++, bits -= 8) {
        uint8_t mask = (uint8_t)(bits >= 8 ? 0xff : 0xff << (8 - bits));
        if ((of_range[i] ^ of_host[i]) & mask)
            return false;
    }
    return true;
}

static bool is_among(const char *const *items, size_t count, const char *host)
{
    for (size_t i = 0; i < count; i++)
        if (strchr(items[i], '/') ? range_has(items[i], host) : text_matches(items[i], host))
            return true;
    return false;
}

bool test_hosts_any(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    for (const struct host_fact *h = s->c->hosts; h; h = h->next)
        if (is_among(key->items, key->count, h->name))
            return true;
    return false;
}

static bool is_unknown(const struct host_fact *h)
{
    return strchr(h->name, HOLE) != NULL;
}

bool test_hosts_outside(const struct subject *s, const struct rule_key *key, bool sure)
{
    bool outside = false;
    for (const struct host_fact *h = s->c->hosts; h; h = h->next)
        outside |= !h->is_local && !h->listens && !(sure && is_unknown(h)) &&
                   !is_among(s->known_hosts->items, s->known_hosts->count, h->name);
    return outside == key->flag;
}

bool test_hosts_unknown(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    bool unknown = false;
    for (const struct host_fact *h = s->c->hosts; h; h = h->next)
        unknown |= is_unknown(h);
    return unknown == key->flag;
}

bool test_schemes(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    for (const struct host_fact *h = s->c->hosts; h; h = h->next)
        for (size_t i = 0; h->scheme && i < key->count; i++)
            if (text_matches(key->items[i], h->scheme))
                return true;
    return false;
}

bool test_ports(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    for (const struct host_fact *h = s->c->hosts; h; h = h->next) {
        for (size_t i = 0; h->port && i < key->count; i++) {
            char *end;
            unsigned long from = strtoul(key->items[i], &end, 10);
            unsigned long to = *end == '-' ? strtoul(end + 1, NULL, 10) : from;
            if (h->port >= from && h->port <= to)
                return true;
        }
    }
    return false;
}

bool test_listens(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    bool listens = false;
    for (const struct host_fact *h = s->c->hosts; h; h = h->next)
        listens |= h->listens;
    return listens == key->flag;
}
