/* rules_read.c - the tables of a rule file: lists, defaults, rules. Entries come in the order of
 * the text, so a rule is what stands between its [[rule]] and the next. */
#include "engine/policy/ruleset_own.h"

#include "base/mem.h"
#include "base/scope.h"

#include <stdlib.h>
#include <string.h>

enum { MATCH_MAX_KEYS = 64, ID_MAX = 64 };

static const char *const action_names[] = {"allow", "flag", "require_approval", "deny", NULL};
static const char *const risk_names[] = {"low", "medium", "high", "critical", NULL};
static const struct {
    const char *name;
    enum policy_op op;
} ops[] = {{"exec", OP_EXEC},
           {"file.read", OP_FILE_READ},
           {"file.write", OP_FILE_WRITE},
           {"file.delete", OP_FILE_DELETE},
           {"net.connect", OP_NET_CONNECT},
           {"net.listen", OP_NET_LISTEN}};

static int read_name(struct reading_rules *r, const struct toml_entry *e, const char *const *names,
                     unsigned *out)
{
    for (unsigned i = 0; e->type == TOML_TEXT && names[i]; i++)
        if (!strcmp(names[i], e->text)) {
            *out = i;
            return 0;
        }
    return rules_wrong(r, e, "%s is one of %s, %s, %s, %s", e->key, names[0], names[1], names[2],
                       names[3]);
}

static int read_text(struct reading_rules *r, const struct toml_entry *e, const char **out)
{
    if (e->type != TOML_TEXT || !e->text[0])
        return rules_wrong(r, e, "%s is a text", e->key);
    return (*out = rules_text(r, e->text)) ? 0 : -1;
}

static int read_flag(struct reading_rules *r, const struct toml_entry *e, bool *out)
{
    if (e->type != TOML_BOOL)
        return rules_wrong(r, e, "%s is true or false", e->key);
    *out = e->boolean;
    return 0;
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
    struct rule_list list = {.tier = r->text->tier, .name = rules_text(r, e->key)};
    if (!list.name || rules_texts(r, e, &list.items, &list.count))
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
        if (read_name(r, e, action_names, &value))
            return -1;
        out->action = value;
        return 0;
    }
    if (!strcmp(e->key, "risk")) {
        if (read_name(r, e, risk_names, &value))
            return -1;
        out->risk = value;
        return 0;
    }
    if (!strcmp(e->key, "flag"))
        return read_text(r, e, &out->flag);
    return rules_wrong(r, e, "unknown key %.40s", e->key);
}

static int read_default(struct reading_rules *r, const struct toml_entry *e)
{
    struct policy_defaults *d = &r->set->defaults;
    if (r->text->tier > TIER_TENANT)
        return rules_wrong(r, e, "only a profile or a tenant sets defaults");
    if (!strcmp(e->table, "defaults.unmatched"))
        return read_verdict(r, e, &d->unmatched);
    if (strcmp(e->table, "defaults.unanalyzable") != 0)
        return rules_wrong(r, e, "unknown key %.60s", e->key[0] ? e->key : e->table);
    if (read_verdict(r, e, &d->unanalysable))
        return -1;
    if (d->unanalysable.action < ACTION_REQUIRE_APPROVAL)
        return rules_wrong(r, e, "what cannot be understood is never allowed");
    return 0;
}

/* --- rules --- */

/* A rule that is being read. */
struct draft {
    struct rule *rule;
    const struct rule_match **tail;
    const struct toml_entry *at, *match_at; /* where it and its match at hand begin */
    size_t index, match;
    bool in_match, has_risk, has_action;
    struct rule_key keys[MATCH_MAX_KEYS];
    size_t keys_count;
};

static int by_row(const void *a, const void *b)
{
    const struct key_row *x = ((const struct rule_key *)a)->row;
    const struct key_row *y = ((const struct rule_key *)b)->row;
    return (x > y) - (x < y);
}

static void remember_feeds(struct ruleset *set, const struct rule_match *m)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->keys[i].row->kind == KIND_FEEDS || m->keys[i].row->kind == KIND_FED_PATHS)
            ((const struct rule_key **)set->questions.keys)[m->keys[i].feed] = &m->keys[i];
}

static int end_match(struct reading_rules *r, struct draft *d)
{
    if (!d->in_match)
        return 0;
    d->in_match = false;
    if (!d->keys_count)
        return rules_wrong(r, d->match_at, "a match without keys would match everything");
    struct rule_match *m = rules_new(r, 1, sizeof *m);
    struct rule_key *keys = m ? rules_new(r, d->keys_count, sizeof *keys) : NULL;
    if (!keys)
        return -1;
    qsort(d->keys, d->keys_count, sizeof *keys, by_row);
    memcpy(keys, d->keys, d->keys_count * sizeof *keys);
    *m = (struct rule_match){.keys = keys, .count = d->keys_count, .rule = d->rule};
    for (size_t i = 0; i < m->count; i++) {
        const struct key_row *row = keys[i].row;
        bool no = key_takes_list(row->kind) || row->kind == KIND_NUMBER
                      ? keys[i].negated
                      : keys[i].negated == keys[i].flag;
        m->needs |= no ? 0 : row->needs;
        m->asks_paths |= row->kind == KIND_PATHS;
        m->paths_unknown |= !strcmp(row->name, "paths_unknown") && !no;
        m->asks_flags |= !strncmp(row->name, "flags_a", strlen("flags_a"));
        m->flags_unknown |= !strcmp(row->name, "flags_unknown") && !no;
    }
    remember_feeds(r->set, m);
    *d->tail = m;
    d->tail = (const struct rule_match **)&m->next;
    return 0;
}

static bool is_id(const char *id)
{
    size_t len = strlen(id);
    return len && len <= ID_MAX && id[0] >= 'a' && id[0] <= 'z' &&
           !id[strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789.-_")];
}

/* A pattern over raw text may raise a risk where nothing was understood, and do nothing else. */
static bool asks_raw(const struct rule *rule)
{
    for (const struct rule_match *m = rule->matches; m; m = m->next)
        for (size_t i = 0; i < m->count; i++)
            if (!strcmp(m->keys[i].row->name, "raw_regex"))
                return true;
    return false;
}

static int check_rule(struct reading_rules *r, const struct draft *d)
{
    const struct rule *rule = d->rule;
    if (!rule->id)
        return rules_wrong(r, d->at, "a rule without an id");
    if (!is_id(rule->id))
        return rules_wrong(r, d->at, "id \"%.70s\": up to %d of a-z 0-9 . - _, a letter first",
                           rule->id, ID_MAX);
    if (!rule->description || !d->has_risk || !d->has_action)
        return rules_wrong(r, d->at, "rule %s needs description, risk and action", rule->id);
    if (!rule->matches)
        return rules_wrong(r, d->at, "rule %s has no [rule.match]", rule->id);
    if (asks_raw(rule) && rule->action != ACTION_FLAG)
        return rules_wrong(r, d->at, "rule %s: raw_regex only in rules with action = \"flag\"",
                           rule->id);
    if (rule->locked && rule->tier > TIER_TENANT)
        return rules_wrong(r, d->at, "rule %s: only builtin and tenant rules are locked", rule->id);
    if ((rule->examples_count[0] || rule->examples_count[1]) && !(rule->ops & OP_EXEC))
        return rules_wrong(r, d->at, "rule %s: examples are commands, and op has no exec",
                           rule->id);
    for (size_t i = 0; i < r->set->count; i++)
        if (!strcmp(r->set->rules[i]->id, rule->id))
            return rules_wrong(r, d->at, "rule %s is there already: %s:%d", rule->id,
                               r->set->rules[i]->file, r->set->rules[i]->line);
    return 0;
}

static int end_rule(struct reading_rules *r, struct draft *d)
{
    struct ruleset *set = r->set;
    if (!d->rule)
        return 0;
    if (end_match(r, d) || check_rule(r, d))
        return -1;
    if (set->count == RULESET_MAX_RULES)
        return rules_wrong(r, d->at, "more than %d rules", RULESET_MAX_RULES);
    if (set->count == set->room) {
        size_t room = set->room ? set->room * 2 : 128;
        const struct rule **rules = rules_new(r, room, sizeof *rules);
        if (!rules)
            return -1;
        if (set->count)
            memcpy(rules, set->rules, set->count * sizeof *rules);
        set->rules = rules;
        set->room = room;
    }
    d->rule->index = set->count;
    set->rules[set->count++] = d->rule;
    d->rule = NULL;
    return 0;
}

static int begin_rule(struct reading_rules *r, const struct toml_entry *e, size_t index,
                      struct draft *d)
{
    if (d->rule && d->index == index)
        return 0;
    if (end_rule(r, d))
        return -1;
    struct rule *rule = rules_new(r, 1, sizeof *rule);
    char *file = rule ? rules_text(r, r->text->name) : NULL;
    if (!file)
        return -1;
    *rule = (struct rule){.message = "",
                          .tier = r->text->tier,
                          .ops = OP_EXEC,
                          .enforced = true,
                          .file = file,
                          .line = e->line};
    *d = (struct draft){.rule = rule, .tail = &rule->matches, .at = e, .index = index};
    return 0;
}

static int read_ops(struct reading_rules *r, const struct toml_entry *e, struct rule *rule)
{
    if (e->type != TOML_TEXTS || !e->texts.count)
        return rules_wrong(r, e, "op is a list such as [\"exec\"]");
    rule->ops = 0;
    for (size_t i = 0; i < e->texts.count; i++) {
        size_t at = 0;
        while (at < COUNT(ops) && strcmp(ops[at].name, e->texts.items[i]) != 0)
            at++;
        if (at == COUNT(ops))
            return rules_wrong(r, e, "op: \"%.40s\" is none", e->texts.items[i]);
        rule->ops |= ops[at].op;
    }
    return 0;
}

static int read_rule_key(struct reading_rules *r, const struct toml_entry *e, struct draft *d)
{
    struct rule *rule = d->rule;
    unsigned value;
    if (!e->key[0])
        return 0; /* [[rule]] and nothing else: check_rule says what is missing */
    if (!strcmp(e->key, "id"))
        return read_text(r, e, &rule->id);
    if (!strcmp(e->key, "description"))
        return read_text(r, e, &rule->description);
    if (!strcmp(e->key, "message"))
        return read_text(r, e, &rule->message);
    if (!strcmp(e->key, "locked"))
        return read_flag(r, e, &rule->locked);
    if (!strcmp(e->key, "enforce"))
        return read_flag(r, e, &rule->enforced);
    if (!strcmp(e->key, "op"))
        return read_ops(r, e, rule);
    if (!strcmp(e->key, "tags"))
        return rules_texts(r, e, &rule->tags, &rule->tags_count);
    if (!strcmp(e->key, "risk")) {
        d->has_risk = true;
        if (read_name(r, e, risk_names, &value))
            return -1;
        rule->risk = value;
        return 0;
    }
    if (strcmp(e->key, "action") != 0)
        return rules_wrong(r, e, "unknown key %.40s in a rule", e->key);
    d->has_action = true;
    if (read_name(r, e, action_names, &value))
        return -1;
    rule->action = value;
    return 0;
}

static int read_match_key(struct reading_rules *r, const struct toml_entry *e, size_t match,
                          struct draft *d)
{
    if (!d->in_match || d->match != match) {
        if (end_match(r, d))
            return -1;
        d->in_match = true;
        d->match = match;
        d->match_at = e;
        d->keys_count = 0;
    }
    if (!e->key[0])
        return 0;
    if (d->keys_count == MATCH_MAX_KEYS)
        return rules_wrong(r, e, "more than %d keys in a match", MATCH_MAX_KEYS);
    return rules_read_key(r, e, &d->keys[d->keys_count++]);
}

static int read_example(struct reading_rules *r, const struct toml_entry *e, struct rule *rule)
{
    bool yes = !strcmp(e->key, "match");
    if (!yes && strcmp(e->key, "no_match") != 0)
        return rules_wrong(r, e, "unknown key %.40s: examples have match and no_match", e->key);
    return rules_texts(r, e, &rule->examples[yes], &rule->examples_count[yes]);
}

static int read_rule_entry(struct reading_rules *r, const struct toml_entry *e, const char *rest,
                           struct draft *d)
{
    size_t match = 0;
    if (!*rest)
        return read_rule_key(r, e, d);
    if (!strcmp(rest, ".match"))
        return read_match_key(r, e, 0, d);
    if (!strcmp(rest, ".examples"))
        return read_example(r, e, d->rule);
    const char *end = rules_element(rest, ".match", &match);
    if (end && !*end)
        return read_match_key(r, e, match, d);
    return rules_wrong(r, e, "unknown table [rule%.60s]", rest);
}

static int read_top(struct reading_rules *r, const struct toml_entry *e)
{
    if (strcmp(e->key, "schema") != 0)
        return rules_wrong(r, e, "unknown key %.40s", e->key);
    if (e->type != TOML_INT || e->integer != 1)
        return rules_wrong(r, e, "schema is 1, the only one there is");
    return 0;
}

static int read_entry(struct reading_rules *r, const struct toml_entry *e, struct draft *d)
{
    size_t index;
    const char *rest = rules_element(e->table, "rule", &index);
    if (rest)
        return begin_rule(r, e, index, d) || read_rule_entry(r, e, rest, d) ? -1 : 0;
    if (!e->table[0])
        return read_top(r, e);
    if (!strcmp(e->table, "lists"))
        return 0;
    if (!strncmp(e->table, "defaults", 8) && (!e->table[8] || e->table[8] == '.'))
        return read_default(r, e);
    return rules_wrong(r, e, "unknown table [%.60s]", e->table);
}

int rules_read(struct reading_rules *r)
{
    struct draft *d = mem_new(1, sizeof *d);
    if (!d)
        return err_set(r->err, ERR_MEMORY, "no memory for rules");
    int failed = 0;
    for (size_t i = 0; !failed && i < toml_count(r->text->toml); i++)
        failed = read_entry(r, toml_at(r->text->toml, i), d);
    failed = failed || end_rule(r, d) ? -1 : 0;
    free(d);
    return failed;
}
