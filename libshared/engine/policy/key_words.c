/* key_words.c - the keys about a command's name, arguments and surroundings; see key_tests.h. */
#include "base/scope.h"
#include "base/text.h"
#include "engine/policy/key_tests.h"

#include <string.h>

static bool has(const struct subject *s, const struct rule_key *key, const char *text)
{
    for (size_t i = 0; i < key->count; i++, s->facts->arena.steps++)
        if (text_matches(key->items[i], text))
            return true;
    return false;
}

bool test_command(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return s->c->name && has(s, key, s->c->name);
}

bool test_context_any(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return s->c->context & key->bits;
}

bool test_context_all(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return (s->c->context & key->bits) == key->bits;
}

bool test_trouble(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return s->facts->trouble.kinds & key->bits;
}

bool test_in_script(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return s->context->is_script == key->flag;
}

bool test_swept(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return s->c->swept == key->flag;
}

bool test_endless(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return !(s->c->context & CONTEXT_ENDLESS) == !key->flag;
}

static bool any_changes(const struct command_fact *c)
{
    bool changes = false;
    for (size_t i = 0; i < c->argv.count; i++)
        changes |= c->argv.items[i].changes;
    for (size_t i = 0; i < c->redirects_count; i++)
        changes |= c->redirects[i].target.changes;
    return changes;
}

static bool says_the_same(const struct command_fact *a, const struct command_fact *b)
{
    if (a->argv.count != b->argv.count || a->redirects_count != b->redirects_count)
        return false;
    for (size_t i = 0; i < a->argv.count; i++)
        if (strcmp(a->argv.items[i].text, b->argv.items[i].text) != 0)
            return false;
    for (size_t i = 0; i < a->redirects_count; i++)
        if (strcmp(a->redirects[i].target.text, b->redirects[i].target.text) != 0)
            return false;
    return true;
}

static bool is_another_round(const struct command_fact *a, const struct command_fact *b)
{
    return a->origin == b->origin && a->wrapper == b->wrapper && a->choice == b->choice;
}

/* A command is recorded again where its values differ; what runs it may be what varies. */
static bool varies(struct facts *facts, const struct command_fact *c)
{
    for (; c; c = c->wrapper) {
        if (any_changes(c))
            return true;
        for (const struct command_fact *o = facts->first; c->origin && o;
             o = o->next, facts->arena.steps++)
            if (is_another_round(o, c) && !says_the_same(o, c))
                return true;
    }
    return false;
}

bool test_varies(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return varies(s->facts, s->c) == key->flag;
}

bool test_depth(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return s->c->depth >= key->number;
}

bool test_redirects(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    for (size_t i = 0; i < s->c->redirects_count; i++)
        if (key->bits & 1u << s->c->redirects[i].op)
            return true;
    return false;
}

static size_t count_operands(const struct command_fact *c)
{
    size_t count = 0;
    for (struct operands walk = {0}; subject_operand(c, &walk);)
        count++;
    return count;
}

/* An argument that may become several, or none. */
static bool has_splitting(const struct command_fact *c)
{
    for (size_t i = 1; i < c->argv.count; i++)
        if (c->argv.items[i].splits)
            return true;
    return c->swept;
}

bool test_operands_min(const struct subject *s, const struct rule_key *key, bool sure)
{
    return (double)count_operands(s->c) >= key->number || (!sure && has_splitting(s->c));
}

bool test_operands_max(const struct subject *s, const struct rule_key *key, bool sure)
{
    return (double)count_operands(s->c) <= key->number && !(sure && has_splitting(s->c));
}

bool test_args_unknown(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    bool unknown = false;
    for (size_t i = 1; i < s->c->argv.count; i++)
        unknown |= s->c->argv.items[i].kind != ARG_LITERAL;
    return unknown == key->flag;
}

bool test_first_operand(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    struct operands walk = {0};
    const struct arg *first = subject_operand(s->c, &walk);
    return first && has(s, key, first->text);
}

bool test_operands_any(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    for (struct operands walk = {0};;) {
        const struct arg *operand = subject_operand(s->c, &walk);
        if (!operand)
            return false;
        if (has(s, key, operand->text))
            return true;
    }
}

static bool has_arg(const struct subject *s, const char *pattern)
{
    const struct command_fact *c = s->c;
    for (size_t i = 1; i < c->argv.count; i++, s->facts->arena.steps++)
        if (text_matches(pattern, c->argv.items[i].text))
            return true;
    return false;
}

bool test_args_any(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    for (size_t i = 0; i < key->count; i++)
        if (has_arg(s, key->items[i]))
            return true;
    return false;
}

bool test_args_all(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    for (size_t i = 0; i < key->count; i++)
        if (!has_arg(s, key->items[i]))
            return false;
    return true;
}

/* "-r" in a cluster; "--recursive" abbreviated as getopt_long allows. For commands whose options no
 * table knows. */
static bool is_flag(const struct arg *a, const char *flag)
{
    if (a->text[0] != '-' || !a->text[1])
        return false;
    if (strchr(flag, '*'))
        return text_matches(flag, a->text);
    if (flag[1] != '-')
        return flag[2] ? !strcmp(a->text, flag) : a->text[1] != '-' && strchr(a->text, flag[1]);
    size_t len = strcspn(a->text, "=");
    return len > 2 && !strncmp(a->text, flag, len);
}

static bool has_flag(const struct subject *s, const char *flag)
{
    const struct command_fact *c = s->c;
    for (size_t i = 0; i < c->options_count; i++, s->facts->arena.steps++)
        if (text_matches(flag, c->options[i].name))
            return true;
    for (size_t i = 1; !c->options_count && i < c->argv.count; i++, s->facts->arena.steps++) {
        if (!strcmp(c->argv.items[i].text, "--"))
            return false;
        if (is_flag(&c->argv.items[i], flag))
            return true;
    }
    return false;
}

/* Before "--" an argument may become any option when it runs. */
static bool may_have_any_flag(const struct command_fact *c)
{
    for (size_t i = 1; i < c->argv.count && strcmp(c->argv.items[i].text, "--") != 0; i++)
        if (c->argv.items[i].splits)
            return true;
    return false;
}

static bool flags_may_be_any(const struct subject *s, bool sure)
{
    return !sure && s->match->flags_unknown && may_have_any_flag(s->c);
}

bool test_flags_any(const struct subject *s, const struct rule_key *key, bool sure)
{
    for (size_t i = 0; i < key->count; i++)
        if (has_flag(s, key->items[i]))
            return true;
    return flags_may_be_any(s, sure);
}

bool test_flags_all(const struct subject *s, const struct rule_key *key, bool sure)
{
    bool any = flags_may_be_any(s, sure);
    for (size_t i = 0; i < key->count; i++)
        if (!any && !has_flag(s, key->items[i]))
            return false;
    return true;
}

bool test_flags_unknown(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return s->match->asks_flags || may_have_any_flag(s->c) == key->flag;
}

/* The pattern's part before "=" is the option, what stands behind it its value. */
static bool option_has(const struct option_fact *o, const char *pattern)
{
    const char *value = strchr(pattern, '=');
    size_t len = value ? (size_t)(value - pattern) : strlen(pattern);
    char name[64];
    if (!o->value || !value || len >= sizeof name)
        return false;
    memcpy(name, pattern, len);
    name[len] = 0;
    return text_matches(name, o->name) && text_matches(value + 1, o->value->text);
}

bool test_option_values(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    for (size_t i = 0; i < key->count; i++)
        for (size_t k = 0; k < s->c->options_count; k++)
            if (option_has(&s->c->options[k], key->items[i]))
                return true;
    return false;
}

/* NAME, or NAME=value with a value that matches. */
static bool is_set(const struct subject *s, const struct rule_key *key, struct view name,
                   const char *value)
{
    s->facts->arena.steps += key->count;
    for (size_t i = 0; i < key->count; i++) {
        const char *pattern = key->items[i], *equals = strchr(pattern, '=');
        size_t len = equals ? (size_t)(equals - pattern) : strlen(pattern);
        char of_name[64], wanted[64];
        if (!text_copy_view(of_name, sizeof of_name, name) ||
            !text_copy_view(wanted, sizeof wanted, (struct view){(const uint8_t *)pattern, len}) ||
            !text_matches(wanted, of_name))
            continue;
        if (!equals || text_matches(equals + 1, value))
            return true;
    }
    return false;
}

static bool exports(const char *name)
{
    static const char *const setters[] = {"env",     "export",   "declare",
                                          "typeset", "readonly", "local"};
    for (size_t i = 0; i < COUNT(setters); i++)
        if (!strcmp(name, setters[i]))
            return true;
    return false;
}

/* A variable with its value, and a test of both. */
typedef bool variable_test(const struct subject *s, const struct rule_key *key, struct view name,
                           const char *value);

/* printf -v NAME format…, read NAME <<< value: the name, and what its value is made of. */
static const char *set_by_builtin(const struct command_fact *c, const char **value)
{
    const struct arg *a = c->argv.items;
    size_t last = c->argv.count - 1;
    if (!strcmp(c->name, "printf") && last >= 3 && !strcmp(a[1].text, "-v")) {
        *value = a[last].text;
        return a[2].text;
    }
    for (size_t i = 0; !strcmp(c->name, "read") && last && i < c->redirects_count; i++)
        if (c->redirects[i].op == REDIRECT_HERESTRING) {
            *value = c->redirects[i].target.text;
            return a[last].text;
        }
    return NULL;
}

/* NAME=value before a command, alone, or as an argument of env, export and their kin. What has no
 * "=" is a program to env, and a name to the others. */
static bool any_variable(const struct subject *s, const struct rule_key *key, variable_test *holds)
{
    const struct command_fact *c = s->c;
    for (size_t i = 0; i < c->assigns_count; i++)
        if (holds(s, key, view_of(c->assigns[i].name), c->assigns[i].value.text))
            return true;
    const char *set = NULL, *to = c->name && c->argv.count ? set_by_builtin(c, &set) : NULL;
    if (to && holds(s, key, view_of(to), set))
        return true;
    bool is_env = c->name && !strcmp(c->name, "env");
    for (size_t i = 1; c->name && exports(c->name) && i < c->argv.count; i++) {
        const char *text = c->argv.items[i].text;
        size_t len = strcspn(text, "=");
        const char *value = text[len] ? text + len + 1 : "";
        if (is_env && !text[len])
            continue;
        if (holds(s, key, (struct view){(const uint8_t *)text, len - (len && text[len - 1] == '+')},
                  value))
            return true;
    }
    return false;
}

bool test_env(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return any_variable(s, key, is_set);
}

static bool reads_like(const struct subject *s, const struct rule_key *key, struct view name,
                       const char *value)
{
    SCOPED(bytes_close) struct bytes line = bytes_open(128 * 1024);
    struct err err;
    if (bytes_addf(&line, &err, "%.*s=%s", (int)name.len, (const char *)name.data, value))
        return true; /* no memory: it may */
    return test_regexes(s, key, bytes_view(&line));
}

bool test_env_regex(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    return any_variable(s, key, reads_like);
}

bool test_wrappers(const struct subject *s, const struct rule_key *key, bool sure)
{
    (void)sure;
    for (const struct command_fact *w = s->c->wrapper; w; w = w->wrapper)
        if (w->name && has(s, key, w->name))
            return true;
    return false;
}
