/* rules_key.c - the value of one key of a match, by its kind; lists in lists. */
#include "engine/policy/ruleset_own.h"

#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "engine/policy/path.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX_DEPTH = 8, LIST_MAX_ITEMS = 4096 };

/* A list that grows while others are put into it. */
struct growing {
    const char **items;
    size_t count, room;
    unsigned *bits; /* NULL: tags of paths are no tags here */
};

static struct rule_list *find_list(const struct reading_rules *r, const char *name)
{
    for (size_t i = 0; i < r->lists_count; i++)
        if (!strcmp(r->lists[i].name, name))
            return &r->lists[i];
    return NULL;
}

static int add_item(struct reading_rules *r, const struct toml_entry *e, struct growing *to,
                    const char *item)
{
    if (to->count == LIST_MAX_ITEMS)
        return rules_wrong(r, e, "%s: more than %d entries", e->key, LIST_MAX_ITEMS);
    if (to->count == to->room) {
        size_t room = to->room ? to->room * 2 : 16;
        const char **items = rules_new(r, room, sizeof *items);
        if (!items)
            return -1;
        if (to->count)
            memcpy(items, to->items, to->count * sizeof *items);
        to->items = items;
        to->room = room;
    }
    char *copy = rules_text(r, item);
    to->items[to->count++] = copy;
    return copy ? 0 : -1;
}

static int add_items(struct reading_rules *r, const struct toml_entry *e, struct growing *to,
                     const char *const *items, size_t count, int depth)
{
    if (depth > LIST_MAX_DEPTH)
        return rules_wrong(r, e, "%s: lists nested deeper than %d, or within themselves", e->key,
                           LIST_MAX_DEPTH);
    for (size_t i = 0; i < count; i++) {
        unsigned tag = to->bits ? path_tag(items[i]) : 0;
        if (items[i][0] != '@') {
            if (add_item(r, e, to, items[i]))
                return -1;
            continue;
        }
        if (tag) {
            *to->bits |= tag;
            continue;
        }
        struct rule_list *list = find_list(r, items[i] + 1);
        if (!list)
            return rules_wrong(r, e, "%s: there is no list %.60s", e->key, items[i]);
        /* `hosts` may be given in several files */
        for (; list < r->lists + r->lists_count; list++) {
            if (strcmp(list->name, items[i] + 1) != 0)
                continue;
            list->used = true;
            if (add_items(r, e, to, list->items, list->count, depth + 1))
                return -1;
        }
    }
    return 0;
}

int rules_resolve(struct reading_rules *r, const struct toml_entry *e, unsigned *bits,
                  const char *const **items, size_t *count)
{
    struct growing to = {.bits = bits};
    if (e->type != TOML_TEXTS)
        return rules_wrong(r, e, "%s is a list of texts", e->key);
    if (!e->texts.count)
        return rules_wrong(r, e, "%s is empty: nothing could match it", e->key);
    if (add_items(r, e, &to, e->texts.items, e->texts.count, 0))
        return -1;
    *items = to.items;
    *count = to.count;
    return 0;
}

static int read_bits(struct reading_rules *r, const struct toml_entry *e, struct rule_key *out)
{
    if (e->type != TOML_TEXTS || !e->texts.count)
        return rules_wrong(r, e, "%s is a list of names", e->key);
    for (size_t i = 0; i < e->texts.count; i++) {
        unsigned bit = 0;
        const char *name;
        size_t at = 0;
        while ((name = key_name_at(out->row->kind, at++, &bit)))
            if (!strcmp(name, e->texts.items[i]))
                break;
        if (!name)
            return rules_wrong(r, e, "%s: \"%.40s\" is no name for it", e->key, e->texts.items[i]);
        out->bits |= bit;
    }
    return 0;
}

static int read_paths(struct reading_rules *r, const struct toml_entry *e, struct rule_key *out)
{
    if (rules_resolve(r, e, &out->bits, &out->items, &out->count))
        return -1;
    for (size_t i = 0; i < out->count; i++) {
        const char *item = out->items[i];
        bool home = item[0] == '~' && (!item[1] || item[1] == '/');
        if (item[0] != '/' && !home && strncmp(item, "**/", 3) != 0)
            return rules_wrong(r, e, "%s: \"%.60s\" begins with none of / ~ **/ @", e->key, item);
    }
    return 0;
}

/* "10.0.0.0/8" */
static bool is_range(const char *text)
{
    char base[64], *end;
    uint8_t address[16];
    const char *slash = strchr(text, '/');
    if (!text_copy_view(base, sizeof base,
                        (struct view){(const uint8_t *)text, (size_t)(slash - text)}))
        return false;
    long bits = strtol(slash + 1, &end, 10), most = strchr(base, ':') ? 128 : 32;
    return end > slash + 1 && !*end && bits >= 0 && bits <= most &&
           inet_pton(most == 128 ? AF_INET6 : AF_INET, base, address) == 1;
}

static int read_hosts(struct reading_rules *r, const struct toml_entry *e, struct rule_key *out)
{
    if (rules_resolve(r, e, NULL, &out->items, &out->count))
        return -1;
    for (size_t i = 0; i < out->count; i++)
        if (strchr(out->items[i], '/') && !is_range(out->items[i]))
            return rules_wrong(r, e, "%s: \"%.60s\" is no range such as 10.0.0.0/8", e->key,
                               out->items[i]);
    return 0;
}

static bool is_ports(const char *text)
{
    char *end;
    unsigned long from = strtoul(text, &end, 10), to = from;
    bool digits = end > text && text[0] != '-' && text[0] != '+';
    if (digits && *end == '-') {
        const char *second = end + 1;
        to = strtoul(second, &end, 10);
        digits = end > second && *second >= '0' && *second <= '9';
    }
    return digits && !*end && from <= to && to <= 65535;
}

static int read_ports(struct reading_rules *r, const struct toml_entry *e, struct rule_key *out)
{
    if (rules_resolve(r, e, NULL, &out->items, &out->count))
        return -1;
    for (size_t i = 0; i < out->count; i++)
        if (!is_ports(out->items[i]))
            return rules_wrong(r, e, "%s: \"%.40s\" is no port or range of ports", e->key,
                               out->items[i]);
    return 0;
}

static int keep_regex(struct reading_rules *r, struct regex *regex)
{
    struct ruleset *set = r->set;
    if (set->regexes_count == set->regexes_room) {
        size_t room = set->regexes_room ? set->regexes_room * 2 : 32;
        struct regex **items = mem_resize(set->regexes, room * sizeof(struct regex *));
        if (!items) {
            regex_free(&regex);
            return err_set(r->err, ERR_MEMORY, "no memory for patterns");
        }
        set->regexes = items;
        set->regexes_room = room;
    }
    set->regexes[set->regexes_count++] = regex;
    return 0;
}

static int read_regexes(struct reading_rules *r, const struct toml_entry *e, struct rule_key *out)
{
    if (rules_resolve(r, e, NULL, &out->items, &out->count))
        return -1;
    const struct regex **regexes = rules_new(r, out->count, sizeof(struct regex *));
    for (size_t i = 0; regexes && i < out->count; i++) {
        struct regex *regex;
        struct err why;
        if (regex_new(out->items[i], &regex, &why))
            return rules_wrong(r, e, "%s: %s", e->key, why.text);
        if (keep_regex(r, regex))
            return -1;
        regexes[i] = regex;
    }
    out->regexes = regexes;
    return regexes ? 0 : -1;
}

/* Gives the key its place among the questions about sources. */
static int ask_feed(struct reading_rules *r, const struct toml_entry *e, struct rule_key *out)
{
    struct feed_questions *q = &r->set->questions;
    if (q->count == FEED_MAX_QUESTIONS)
        return rules_wrong(r, e, "more than %d keys about what feeds a command",
                           FEED_MAX_QUESTIONS);
    if (!q->keys && !(q->keys = rules_new(r, FEED_MAX_QUESTIONS, sizeof *q->keys)))
        return -1;
    out->feed = (unsigned)q->count++;
    return 0;
}

static int read_one(struct reading_rules *r, const struct toml_entry *e, struct rule_key *out)
{
    if (out->row->kind == KIND_FLAG) {
        if (e->type != TOML_BOOL)
            return rules_wrong(r, e, "%s is true or false", e->key);
        out->flag = e->boolean;
        return 0;
    }
    bool real = e->type == TOML_REAL;
    if ((!real && e->type != TOML_INT) || (real ? e->real < 0 : e->integer < 0))
        return rules_wrong(r, e, "%s is a number, 0 or more", e->key);
    out->number = real ? e->real : (double)e->integer;
    return 0;
}

int rules_read_key(struct reading_rules *r, const struct toml_entry *e, struct rule_key *out)
{
    bool negated = !strncmp(e->key, "not_", 4);
    const struct key_row *row = key_find(e->key + (negated ? 4 : 0));
    if (!row)
        return rules_wrong(r, e, "unknown key %.60s", e->key);
    *out = (struct rule_key){.row = row, .negated = negated};
    switch (row->kind) {
    case KIND_GLOBS:
        return rules_resolve(r, e, NULL, &out->items, &out->count);
    case KIND_PATHS:
        return read_paths(r, e, out);
    case KIND_HOSTS:
        return read_hosts(r, e, out);
    case KIND_PORTS:
        return read_ports(r, e, out);
    case KIND_REGEXES:
        if (r->text->tier == TIER_WORKSPACE)
            return rules_wrong(r, e, "%s: a workspace's rules have no regular expressions", e->key);
        return read_regexes(r, e, out);
    case KIND_FEEDS:
        return rules_resolve(r, e, NULL, &out->items, &out->count) || ask_feed(r, e, out) ? -1 : 0;
    case KIND_FED_PATHS:
        return read_paths(r, e, out) || ask_feed(r, e, out) ? -1 : 0;
    case KIND_CONTEXTS:
    case KIND_TROUBLES:
    case KIND_REDIRECTS:
        return read_bits(r, e, out);
    default:
        return read_one(r, e, out);
    }
}
