/* rules_rule.c - [[rule]]: what a rule is made of, and what it may not be. */
#include "engine/policy/ruleset_own.h"
#include "engine/policy/when.h"

#include "base/scope.h"

#include <string.h>

enum { ID_MAX = 64 };

static const struct {
    const char *name;
    enum policy_op op;
} ops[] = {{"exec", OP_EXEC},
           {"file.read", OP_FILE_READ},
           {"file.write", OP_FILE_WRITE},
           {"file.delete", OP_FILE_DELETE},
           {"net.connect", OP_NET_CONNECT},
           {"net.listen", OP_NET_LISTEN},
           {"volume.mount", OP_VOLUME_MOUNT}};

static int read_flag(struct reading_rules *r, const struct toml_entry *e, bool *out)
{
    if (e->type != TOML_BOOL)
        return rules_wrong(r, e, "%s is true or false", e->key);
    *out = e->boolean;
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

/* A rule of the same id: of this tier and for the same askers, or of a higher tier. */
static const struct rule *find_same(const struct ruleset *set, const struct rule *rule, bool higher)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct rule *other = set->rules[i];
        if (strcmp(other->id, rule->id) != 0)
            continue;
        if (higher ? other->tier < rule->tier
                   : other->tier == rule->tier &&
                         when_same_globs(&other->scope.tenants, &rule->scope.tenants) &&
                         when_same_globs(&other->scope.agents, &rule->scope.agents))
            return other;
    }
    return higher && set->base ? find_same(set->base, rule, higher) : NULL;
}

/* True when a rule is of the layer that is being read, not of its base. */
static bool is_own(const struct ruleset *set, const struct rule *rule)
{
    return rule->index < set->count && set->rules[rule->index] == rule;
}

static int check_whole(struct reading_rules *r, const struct rule_draft *d)
{
    const struct rule *rule = d->rule;
    if (!rule->description || !d->has_risk || !d->has_action)
        return rules_wrong(r, d->at, "rule %s needs description, risk and action", rule->id);
    if (!rule->matches)
        return rules_wrong(r, d->at, "rule %s has no [rule.match]", rule->id);
    if (asks_raw(rule) && rule->action != ACTION_FLAG)
        return rules_wrong(r, d->at, "rule %s: raw_regex only in rules with action = \"flag\"",
                           rule->id);
    if (rule->tier == TIER_WORKSPACE) {
        r->workspace_examples += rule->examples_count[0] + rule->examples_count[1];
        if (r->workspace_examples > RULESET_MAX_WORKSPACE_EXAMPLES)
            return rules_wrong(r, d->at, "more than %d examples", RULESET_MAX_WORKSPACE_EXAMPLES);
    }
    if ((rule->examples_count[0] || rule->examples_count[1]) && !(rule->ops & OP_EXEC))
        return rules_wrong(r, d->at, "rule %s: examples are commands, and op has no exec",
                           rule->id);
    return 0;
}

/* A lower tier makes a rule more severe by its id alone: the same matches, another consequence. */
static int raise(struct reading_rules *r, const struct rule_draft *d, const struct rule *original)
{
    struct rule *rule = d->rule;
    const struct rule_match **tail = &rule->matches;
    rule->action = d->has_action ? rule->action : original->action;
    rule->risk = d->has_risk ? rule->risk : original->risk;
    if (rule->action < original->action || rule->risk < original->risk)
        return rules_wrong(r, d->at, "rule %s of %s may be made more severe, not less", rule->id,
                           original->file);
    rule->description = rule->description ? rule->description : original->description;
    rule->message = rule->message[0] ? rule->message : original->message;
    rule->ops = original->ops;
    if (!is_own(r->set, original))
        return rule->examples_count[0] || rule->examples_count[1]
                   ? rules_wrong(r, d->at, "rule %s: the examples of %s are its own", rule->id,
                                 original->file)
                   : 0; /* its base says when it matches: see judge.c */
    for (const struct rule_match *m = original->matches; m; m = m->next) {
        struct rule_match *copy = rules_new(r, 1, sizeof *copy);
        if (!copy)
            return -1;
        *copy = *m;
        copy->next = NULL;
        *tail = copy;
        tail = &copy->next;
    }
    return 0;
}

static int check_rule(struct reading_rules *r, const struct rule_draft *d)
{
    struct rule *rule = d->rule;
    if (!rule->id)
        return rules_wrong(r, d->at, "a rule without an id");
    if (!is_id(rule->id))
        return rules_wrong(r, d->at, "id \"%.70s\": up to %d of a-z 0-9 . - _, a letter first",
                           rule->id, ID_MAX);
    const struct rule *same = find_same(r->set, rule, false);
    const struct rule *higher = find_same(r->set, rule, true);
    if (same)
        return rules_wrong(r, d->at, "rule %s is there already: %s:%d", rule->id, same->file,
                           same->line);
    if (higher && !rule->matches)
        return raise(r, d, higher);
    if (rule->tier > TIER_TENANT && (rule->locked || rule->action == ACTION_ALLOW))
        return rules_wrong(r, d->at, "rule %s: only builtin and tenant rules allow, or are locked",
                           rule->id);
    return check_whole(r, d);
}

static int keep_rule(struct reading_rules *r, struct rule *rule)
{
    struct ruleset *set = r->set;
    if (set->count == set->room) {
        size_t room = set->room ? set->room * 2 : 128;
        struct rule **rules = rules_new(r, room, sizeof *rules);
        if (!rules)
            return -1;
        if (set->count)
            memcpy(rules, set->rules, set->count * sizeof *rules);
        set->rules = rules;
        set->room = room;
    }
    static const struct rule_when anything;
    rule->conditional = memcmp(&rule->when, &anything, sizeof anything) != 0 ||
                        memcmp(&rule->scope, &anything, sizeof anything) != 0;
    rule->index = set->count;
    set->rules[set->count++] = rule;
    for (const struct rule_match *m = rule->matches; m; m = m->next)
        ((struct rule_match *)m)->rule = rule;
    return 0;
}

int rules_end_rule(struct reading_rules *r, struct rule_draft *d)
{
    struct rule *rule = d->rule;
    if (!rule)
        return 0;
    int failed = rules_end_match(r, &d->match) || check_rule(r, d);
    d->rule = NULL;
    if (failed)
        return -1;
    if (r->set->count == RULESET_MAX_RULES)
        return rules_wrong(r, d->at, "more than %d rules", RULESET_MAX_RULES);
    return keep_rule(r, rule);
}

static int begin_rule(struct reading_rules *r, const struct toml_entry *e, size_t index,
                      struct rule_draft *d)
{
    if (d->rule && d->index == index)
        return 0;
    if (rules_end_rule(r, d))
        return -1;
    struct rule *rule = rules_new(r, 1, sizeof *rule);
    char *file = rule ? rules_text(r, r->text->name) : NULL;
    if (!file)
        return -1;
    *rule = (struct rule){.message = "",
                          .tier = r->text->tier,
                          .ops = OP_EXEC,
                          .enforced = true,
                          .scope = r->text->scope,
                          .file = file,
                          .line = e->line};
    d->rule = rule;
    d->at = e;
    d->index = index;
    d->has_risk = d->has_action = false;
    d->match = (struct match_draft){.tail = &rule->matches};
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

static int read_rule_key(struct reading_rules *r, const struct toml_entry *e, struct rule_draft *d)
{
    struct rule *rule = d->rule;
    unsigned value;
    if (!e->key[0])
        return 0; /* [[rule]] and nothing else: check_rule says what is missing */
    if (!strcmp(e->key, "id"))
        return rules_read_text(r, e, &rule->id);
    if (!strcmp(e->key, "description"))
        return rules_read_text(r, e, &rule->description);
    if (!strcmp(e->key, "message"))
        return rules_read_text(r, e, &rule->message);
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
        if (rules_read_name(r, e, NAMES_OF_RISKS, &value))
            return -1;
        rule->risk = value;
        return 0;
    }
    if (strcmp(e->key, "action") != 0)
        return rules_wrong(r, e, "unknown key %.40s in a rule", e->key);
    d->has_action = true;
    if (rules_read_name(r, e, NAMES_OF_ACTIONS, &value))
        return -1;
    rule->action = value;
    return 0;
}

static int read_example(struct reading_rules *r, const struct toml_entry *e, struct rule *rule)
{
    bool yes = !strcmp(e->key, "match");
    if (!yes && strcmp(e->key, "no_match") != 0)
        return rules_wrong(r, e, "unknown key %.40s: examples have match and no_match", e->key);
    return rules_texts(r, e, &rule->examples[yes], &rule->examples_count[yes]);
}

int rules_read_rule(struct reading_rules *r, const struct toml_entry *e, size_t index,
                    const char *rest, struct rule_draft *d)
{
    size_t match = 0;
    if (begin_rule(r, e, index, d))
        return -1;
    if (!*rest)
        return read_rule_key(r, e, d);
    if (!strcmp(rest, ".match"))
        return rules_read_match_key(r, e, 0, &d->match);
    if (!strcmp(rest, ".examples"))
        return read_example(r, e, d->rule);
    if (!strncmp(rest, ".when", 5) && (!rest[5] || rest[5] == '.'))
        return rules_read_when(r, e, rest + 5, &d->rule->when);
    const char *end = rules_element(rest, ".match", &match);
    if (end && !*end)
        return rules_read_match_key(r, e, match, &d->match);
    return rules_wrong(r, e, "unknown table [rule%.60s]", rest);
}
