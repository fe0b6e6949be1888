/* rules_when.c - [rule.when] and [[override]]. */
#include "engine/policy/ruleset_own.h"

#include "base/scope.h"
#include "base/text.h"
#include "engine/policy/zone.h"

#include <stdio.h>
#include <string.h>

static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
enum { DAYS = 7 };

static int read_globs(struct reading_rules *r, const struct toml_entry *e, struct rule_globs *out)
{
    if (rules_resolve(r, e, NULL, &out->items, &out->count))
        return -1;
    return out->count ? 0 : rules_wrong(r, e, "%s names nobody: its lists are empty", e->key);
}

static unsigned day_of(const char *text, size_t len)
{
    unsigned day = 0;
    while (day < DAYS && (len != 3 || memcmp(days[day], text, 3) != 0))
        day++;
    return day;
}

/* "fri", or "mon-fri", which may go over Sunday. */
static int read_days(struct reading_rules *r, const struct toml_entry *e, unsigned *out)
{
    for (size_t i = 0; e->type == TOML_TEXTS && i < e->texts.count; i++) {
        const char *text = e->texts.items[i];
        size_t len = strcspn(text, "-");
        unsigned from = day_of(text, len);
        unsigned to = text[len] ? day_of(text + len + 1, strlen(text + len + 1)) : from;
        if (from == DAYS || to == DAYS)
            return rules_wrong(r, e, "days: \"%.20s\" is none, such as mon or mon-fri", text);
        for (unsigned day = from;; day = (day + 1) % DAYS) {
            *out |= 1u << day;
            if (day == to)
                break;
        }
    }
    return *out ? 0 : rules_wrong(r, e, "days is a list such as [\"mon-fri\"]");
}

/* "08:00"; "24:00" is the day's end. */
static int read_clock(struct reading_rules *r, const struct toml_entry *e, int *out)
{
    int hour = -1, minute = -1, used = 0;
    if (e->type != TOML_TEXT || sscanf(e->text, "%2d:%2d%n", &hour, &minute, &used) != 2 ||
        used != 5 || e->text[used] || hour < 0 || minute < 0 || minute > 59 ||
        hour * 60 + minute > 24 * 60)
        return rules_wrong(r, e, "%s is a time of day such as \"08:00\"", e->key);
    *out = hour * 60 + minute;
    return 0;
}

static int read_zone(struct reading_rules *r, const struct toml_entry *e, const char *name,
                     struct rule_when *when)
{
    struct err why;
    struct zone *zone = rules_new(r, 1, sizeof *zone);
    if (!zone)
        return -1;
    if (zone_read(&r->set->arena, name, zone, &why))
        return rules_wrong(r, e, "tz: %s", why.text);
    when->zone = zone;
    return 0;
}

static int read_time_key(struct reading_rules *r, const struct toml_entry *e,
                         struct rule_when *when)
{
    if (!when->zone && read_zone(r, e, "UTC", when))
        return -1;
    if (!strcmp(e->key, "days"))
        return read_days(r, e, &when->days);
    if (!strcmp(e->key, "from"))
        return read_clock(r, e, &when->from_min);
    if (!strcmp(e->key, "to"))
        return read_clock(r, e, &when->to_min);
    if (!strcmp(e->key, "tz") && e->type == TOML_TEXT)
        return read_zone(r, e, e->text, when);
    return rules_wrong(r, e, "time has days, from, to, tz; not %.40s", e->key);
}

static int read_networks(struct reading_rules *r, const struct toml_entry *e, unsigned *out)
{
    static const char *const names[] = {"", "none", "egress-list", "internet"};
    for (size_t i = 0; e->type == TOML_TEXTS && i < e->texts.count; i++) {
        unsigned at = NETWORK_NONE;
        while (at < COUNT(names) && strcmp(names[at], e->texts.items[i]) != 0)
            at++;
        if (at == COUNT(names))
            return rules_wrong(r, e, "network: \"%.20s\" is none, egress-list or internet",
                               e->texts.items[i]);
        *out |= 1u << at;
    }
    return *out ? 0 : rules_wrong(r, e, "network is a list such as [\"internet\"]");
}

int rules_read_when(struct reading_rules *r, const struct toml_entry *e, const char *rest,
                    struct rule_when *when)
{
    if (!strcmp(rest, ".time"))
        return read_time_key(r, e, when);
    if (*rest)
        return rules_wrong(r, e, "unknown table [%.60s]", e->table);
    if (!strcmp(e->key, "tenant"))
        return read_globs(r, e, &when->tenants);
    if (!strcmp(e->key, "agent"))
        return read_globs(r, e, &when->agents);
    if (!strcmp(e->key, "tags"))
        return read_globs(r, e, &when->tags);
    if (!strcmp(e->key, "network"))
        return read_networks(r, e, &when->networks);
    if (strcmp(e->key, "interactive") != 0 || e->type != TOML_BOOL)
        return rules_wrong(r, e,
                           "when has tenant, agent, tags, time, network, interactive; not "
                           "this %.40s",
                           e->key);
    when->asks_interactive = true;
    when->interactive = e->boolean;
    return 0;
}

/* --- overrides --- */

/* The first second of the day after a date: an override holds on the whole day that it names. */
static int64_t end_of(const struct toml_date *d)
{
    return (zone_days_of(d->year, d->month, d->day) + 1) * 86400;
}

static int read_override_key(struct reading_rules *r, const struct toml_entry *e,
                             struct rule_override *o)
{
    if (!e->key[0])
        return 0;
    if (!strcmp(e->key, "agents"))
        return read_globs(r, e, &o->when.agents);
    if (!strcmp(e->key, "tenants"))
        return read_globs(r, e, &o->when.tenants);
    if (!strcmp(e->key, "tags"))
        return read_globs(r, e, &o->when.tags);
    if (!strcmp(e->key, "exempts"))
        return rules_resolve(r, e, NULL, &o->exempts, &o->exempts_count);
    if (!strcmp(e->key, "expires")) {
        if (e->type != TOML_DATE)
            return rules_wrong(r, e, "expires is a date such as 2027-01-31");
        o->expires_s = end_of(&e->date);
        return 0;
    }
    if (!strcmp(e->key, "reason") && e->type == TOML_TEXT && e->text[0])
        return (o->reason = rules_text(r, e->text)) ? 0 : -1;
    if (strcmp(e->key, "action") != 0 || e->type != TOML_TEXT)
        return rules_wrong(r, e,
                           "an override has agents, tenants, tags, exempts, action, only, "
                           "reason, expires; not this %.40s",
                           e->key);
    unsigned action = 0;
    static const char *const names[] = {"allow", "flag", "require_approval"};
    while (action < COUNT(names) && strcmp(names[action], e->text) != 0)
        action++;
    o->action = action;
    return action < COUNT(names)
               ? 0
               : rules_wrong(r, e, "action is one of allow, flag, require_approval");
}

static int check_override(struct reading_rules *r, const struct toml_entry *at,
                          const struct rule_override *o)
{
    if (r->text->tier != TIER_TENANT)
        return rules_wrong(r, at, "only a tenant's rule files soften rules");
    if (!o->when.agents.count && !o->when.tenants.count && !o->when.tags.count)
        return rules_wrong(r, at, "an override says for whom: agents, tenants or tags");
    if (!o->exempts_count)
        return rules_wrong(r, at, "an override says what it exempts");
    return o->reason ? 0 : rules_wrong(r, at, "an override gives a reason");
}

int rules_end_override(struct reading_rules *r, struct override_draft *d)
{
    struct ruleset *set = r->set;
    struct rule_override *o = d->override;
    if (!o)
        return 0;
    d->override = NULL;
    if (rules_end_match(r, &d->only) || check_override(r, d->at, o))
        return -1;
    o->only = d->matches;
    if (set->overrides_count == RULESET_MAX_OVERRIDES)
        return rules_wrong(r, d->at, "more than %d overrides", RULESET_MAX_OVERRIDES);
    if (!set->overrides &&
        !(set->overrides = rules_new(r, RULESET_MAX_OVERRIDES, sizeof *set->overrides)))
        return -1;
    set->overrides[set->overrides_count++] = o;
    return 0;
}

static int begin_override(struct reading_rules *r, const struct toml_entry *e, size_t index,
                          struct override_draft *d)
{
    if (d->override && d->index == index)
        return 0;
    if (rules_end_override(r, d))
        return -1;
    struct rule_override *o = rules_new(r, 1, sizeof *o);
    char *file = o ? rules_text(r, r->text->name) : NULL;
    if (!file)
        return -1;
    *o = (struct rule_override){.scope = r->text->scope, .file = file, .line = e->line};
    d->override = o;
    d->at = e;
    d->index = index;
    d->matches = NULL;
    d->only = (struct match_draft){.tail = &d->matches};
    return 0;
}

int rules_read_override(struct reading_rules *r, const struct toml_entry *e, size_t index,
                        const char *rest, struct override_draft *d)
{
    size_t match = 0;
    if (begin_override(r, e, index, d))
        return -1;
    if (!*rest)
        return read_override_key(r, e, d->override);
    if (!strcmp(rest, ".only"))
        return rules_read_match_key(r, e, 0, &d->only);
    const char *end = rules_element(rest, ".only", &match);
    if (end && !*end)
        return rules_read_match_key(r, e, match, &d->only);
    return rules_wrong(r, e, "unknown table [%.60s]", e->table);
}

/* Whether an override may soften a rule: by name, and never what is locked or of a lower tier. */
static bool softens(const struct rule_override *o, const struct rule *rule)
{
    if (rule->locked || rule->tier > TIER_TENANT)
        return false;
    for (size_t i = 0; i < o->exempts_count; i++)
        if (text_matches(o->exempts[i], rule->id))
            return true;
    return false;
}

/* An id that is written out has to be that of a rule which may be softened. */
static int check_exempts(struct reading_rules *r, const struct rule_override *o)
{
    for (size_t i = 0; i < o->exempts_count; i++) {
        const struct rule *named = NULL;
        for (size_t k = 0; k < r->set->count && !named; k++)
            if (text_matches(o->exempts[i], r->set->rules[k]->id))
                named = r->set->rules[k];
        if (!named)
            return err_set(r->err, ERR_CONFIG, "%s:%d:1: exempts: there is no rule %.60s", o->file,
                           o->line, o->exempts[i]);
        if (named->locked && !strchr(o->exempts[i], '*'))
            return err_set(r->err, ERR_CONFIG, "%s:%d:1: exempts: rule %s is locked", o->file,
                           o->line, named->id);
    }
    return 0;
}

int rules_attach_overrides(struct reading_rules *r)
{
    struct ruleset *set = r->set;
    for (size_t i = 0; i < set->overrides_count; i++)
        if (check_exempts(r, set->overrides[i]))
            return -1;
    for (size_t i = 0; i < set->count && set->overrides_count; i++) {
        struct rule *rule = set->rules[i];
        const struct rule_override **list = rules_new(r, set->overrides_count, sizeof *list);
        if (!list)
            return -1;
        for (size_t k = 0; k < set->overrides_count; k++)
            if (softens(set->overrides[k], rule))
                list[rule->overrides_count++] = set->overrides[k];
        rule->overrides = list;
    }
    return 0;
}
