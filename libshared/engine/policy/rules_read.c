/* rules_read.c - the tables of a rule file: lists and defaults here, rules in rules_rule.c,
 * overrides in rules_when.c. Entries come in the order of the text, so a rule is what stands
 * between its
 * [[rule]] and the next. */
#include "engine/policy/ruleset_own.h"

#include "base/mem.h"
#include "base/scope.h"

#include <stdlib.h>
#include <string.h>

int rules_read_name(struct reading_rules *r, const struct toml_entry *e, enum names_of of,
                    unsigned *out)
{
    static const char *const names[][4] = {
        {"allow", "flag", "require_approval", "deny"},
        {"low", "medium", "high", "critical"},
    };
    for (unsigned i = 0; e->type == TOML_TEXT && i < COUNT(names[of]); i++)
        if (!strcmp(names[of][i], e->text)) {
            *out = i;
            return 0;
        }
    return rules_wrong(r, e, "%s is one of %s, %s, %s, %s", e->key, names[of][0], names[of][1],
                       names[of][2], names[of][3]);
}

int rules_read_text(struct reading_rules *r, const struct toml_entry *e, const char **out)
{
    if (e->type != TOML_TEXT || !e->text[0])
        return rules_wrong(r, e, "%s is a text", e->key);
    return (*out = rules_text(r, e->text)) ? 0 : -1;
}

/* --- lists --- */

static int read_list(struct reading_rules *r, const struct toml_entry *e)
{
    bool hosts = !strcmp(e->key, "hosts");
    if (e->type != TOML_TEXTS)
        return rules_wrong(r, e, "list %s is a list of texts", e->key);
    if (hosts && r->text->tier > TIER_TENANT)
        return rules_wrong(r, e, "only a tenant says which hosts are his");
    for (size_t i = 0; i < r->lists_count && !hosts; i++)
        if (!strcmp(r->lists[i].name, e->key))
            return rules_wrong(r, e, "list %.40s is there already", e->key);
    if (r->lists_count == r->lists_room) {
        size_t room = r->lists_room ? r->lists_room * 2 : 64;
        struct rule_list *lists = mem_resize(r->lists, room * sizeof *lists);
        if (!lists)
            return err_set(r->err, ERR_MEMORY, "no memory for lists");
        r->lists = lists;
        r->lists_room = room;
    }
    struct rule_list list = {.tier = r->text->tier,
                             .name = rules_text(r, e->key),
                             .file = rules_text(r, r->text->name),
                             .line = e->line,
                             .used = hosts || !strcmp(e->key, "registries")};
    if (!list.name || !list.file || rules_texts(r, e, &list.items, &list.count))
        return -1;
    r->lists[r->lists_count++] = list;
    return 0;
}

int rules_read_lists(struct reading_rules *r)
{
    for (size_t i = 0; i < toml_count(r->text->toml); i++) {
        const struct toml_entry *e = toml_at(r->text->toml, i);
        if (!strcmp(e->table, "lists") && e->key[0] && read_list(r, e))
            return -1;
    }
    return 0;
}

/* --- defaults --- */

static int read_verdict(struct reading_rules *r, const struct toml_entry *e,
                        struct default_verdict *out)
{
    unsigned value;
    if (!strcmp(e->key, "action")) {
        if (rules_read_name(r, e, NAMES_OF_ACTIONS, &value))
            return -1;
        out->action = value;
        return 0;
    }
    if (!strcmp(e->key, "risk")) {
        if (rules_read_name(r, e, NAMES_OF_RISKS, &value))
            return -1;
        out->risk = value;
        return 0;
    }
    if (!strcmp(e->key, "flag"))
        return rules_read_text(r, e, &out->flag);
    return rules_wrong(r, e, "unknown key %.40s", e->key);
}

/* What a risk makes of a milder decision, whatever rule or override made it. */
static int read_floor(struct reading_rules *r, const struct toml_entry *e)
{
    static const char *const risks[] = {"low", "medium", "high", "critical"};
    unsigned action;
    for (size_t i = 0; i < COUNT(risks); i++) {
        if (strcmp(e->key, risks[i]) != 0)
            continue;
        if (rules_read_name(r, e, NAMES_OF_ACTIONS, &action))
            return -1;
        r->set->defaults.risk_floor[i] = action;
        return 0;
    }
    return rules_wrong(r, e, "risk_floor has low, medium, high, critical; not %.40s", e->key);
}

static int read_no_approver(struct reading_rules *r, const struct toml_entry *e)
{
    unsigned action;
    if (rules_read_name(r, e, NAMES_OF_ACTIONS, &action))
        return -1;
    if (action < ACTION_REQUIRE_APPROVAL)
        return rules_wrong(r, e, "no_approver is deny, or require_approval");
    r->set->defaults.no_approver = action;
    return 0;
}

static int read_default(struct reading_rules *r, const struct toml_entry *e)
{
    struct policy_defaults *d = &r->set->defaults;
    if (r->text->tier > TIER_TENANT)
        return rules_wrong(r, e, "only a profile or a tenant sets defaults");
    if (!strcmp(e->table, "defaults.unmatched"))
        return read_verdict(r, e, &d->unmatched);
    if (!strcmp(e->table, "defaults.risk_floor"))
        return read_floor(r, e);
    if (!strcmp(e->table, "defaults") && !strcmp(e->key, "no_approver"))
        return read_no_approver(r, e);
    if (!strcmp(e->table, "defaults.unanalyzable_script"))
        return read_verdict(r, e, &d->unanalysable_script);
    if (strcmp(e->table, "defaults.unanalyzable") != 0)
        return rules_wrong(r, e, "unknown key %.60s", e->key[0] ? e->key : e->table);
    if (read_verdict(r, e, &d->unanalysable))
        return -1;
    if (d->unanalysable.action < ACTION_REQUIRE_APPROVAL)
        return rules_wrong(r, e, "what cannot be understood is never allowed");
    return 0;
}

static int read_top(struct reading_rules *r, const struct toml_entry *e)
{
    if (!strcmp(e->key, "generation"))
        return 0; /* files.c read it */
    if (strcmp(e->key, "schema") != 0)
        return rules_wrong(r, e, "unknown key %.40s", e->key);
    if (e->type != TOML_INT || e->integer != 1)
        return rules_wrong(r, e, "schema is 1, the only one there is");
    r->has_schema = true;
    return 0;
}

static int read_entry(struct reading_rules *r, const struct toml_entry *e, struct rule_draft *rule,
                      struct override_draft *override)
{
    size_t index;
    const char *rest;
    if (!e->table[0])
        return read_top(r, e);
    if (!r->has_schema)
        return rules_wrong(r, e, "schema = 1 has to stand before the first table");
    if ((rest = rules_element(e->table, "rule", &index)))
        return rules_read_rule(r, e, index, rest, rule);
    if ((rest = rules_element(e->table, "override", &index)))
        return rules_read_override(r, e, index, rest, override);
    if (!strcmp(e->table, "lists"))
        return 0;
    if (!strncmp(e->table, "defaults", 8) && (!e->table[8] || e->table[8] == '.'))
        return read_default(r, e);
    return rules_wrong(r, e, "unknown table [%.60s]", e->table);
}

/* The drafts of the text at hand. */
struct drafts {
    struct rule_draft rule;
    struct override_draft override;
};

int rules_read(struct reading_rules *r)
{
    struct drafts *d = mem_new(1, sizeof *d);
    if (!d)
        return err_set(r->err, ERR_MEMORY, "no memory for rules");
    int failed = 0;
    r->has_schema = false;
    for (size_t i = 0; !failed && i < toml_count(r->text->toml); i++)
        failed = read_entry(r, toml_at(r->text->toml, i), &d->rule, &d->override);
    failed = failed || rules_end_rule(r, &d->rule) || rules_end_override(r, &d->override) ? -1 : 0;
    free(d);
    return failed;
}
