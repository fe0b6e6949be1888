/* ruleset.c - see ruleset.h. Lists are read before rules, because a rule may use one of another
 * file; the index and the examples come last, because they need all rules. */
#include "engine/policy/ruleset_own.h"

#include "base/mem.h"
#include "base/scope.h"
#include "engine/policy/builtin.h"
#include "engine/policy/files.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int rules_wrong(struct reading_rules *r, const struct toml_entry *e, const char *format, ...)
{
    char text[sizeof r->err->text];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return err_set(r->err, ERR_CONFIG, "%s:%d:%d: %s", r->text->name, e->line, e->column, text);
}

void *rules_new(struct reading_rules *r, size_t count, size_t size)
{
    void *room = arena_new(&r->set->arena, count ? count : 1, size);
    if (!room)
        err_set(r->err, ERR_MEMORY, "no memory for rules, or more than %d MiB of them",
                ARENA_MAX_BYTES >> 20);
    return room;
}

char *rules_text(struct reading_rules *r, const char *text)
{
    size_t len = strlen(text);
    char *copy = rules_new(r, len + 1, 1);
    return copy ? memcpy(copy, text, len) : NULL;
}

int rules_texts(struct reading_rules *r, const struct toml_entry *e, const char *const **items,
                size_t *count)
{
    if (e->type != TOML_TEXTS)
        return rules_wrong(r, e, "%s is a list of texts", e->key);
    const char **copy = rules_new(r, e->texts.count, sizeof *copy);
    for (size_t i = 0; copy && i < e->texts.count; i++)
        if (!(copy[i] = rules_text(r, e->texts.items[i])))
            return -1;
    *items = copy;
    *count = e->texts.count;
    return copy ? 0 : -1;
}

const char *rules_element(const char *table, const char *array, size_t *index)
{
    size_t len = strlen(array);
    if (strncmp(table, array, len) != 0 || table[len] != '[')
        return NULL;
    char *end;
    *index = strtoul(table + len + 1, &end, 10);
    return *end == ']' ? end + 1 : NULL;
}

void ruleset_free(struct ruleset **set)
{
    struct ruleset *s = *set;
    for (size_t i = 0; s && i < s->regexes_count; i++)
        regex_free(&s->regexes[i]);
    if (s) {
        free(s->regexes);
        arena_close(&s->arena);
        free(s);
    }
    *set = NULL;
}

static int add_builtin(struct texts_of_rules *texts, const char *profile, struct err *err)
{
    size_t count;
    const struct builtin_file *files = builtin_files(&count);
    static const char folder[] = "rules/profile/";
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        const char *name = files[i].name;
        if (!strncmp(name, folder, sizeof folder - 1)) {
            size_t len = strcspn(name + sizeof folder - 1, ".");
            if (strlen(profile) != len || memcmp(name + sizeof folder - 1, profile, len) != 0)
                continue;
            found = true;
        }
        struct view text = {(const uint8_t *)files[i].text, files[i].len};
        if (texts_add(texts, name, TIER_BUILTIN, text, err))
            return -1;
    }
    return found ? 0 : err_set(err, ERR_CONFIG, "there is no profile \"%.40s\"", profile);
}

/* The lists `hosts` and `registries`, whoever wrote them. */
static int find_known_hosts(struct reading_rules *r)
{
    if (r->set->base) {
        r->set->known_hosts = r->set->base->known_hosts;
        return 0;
    }
    const char **items = NULL;
    size_t count = 0;
    for (size_t i = 0; i < r->lists_count; i++)
        if (!strcmp(r->lists[i].name, "hosts") || !strcmp(r->lists[i].name, "registries"))
            count += r->lists[i].count;
    if (!(items = rules_new(r, count, sizeof *items)))
        return -1;
    r->set->known_hosts = (struct known_hosts){.items = items};
    for (size_t i = 0; i < r->lists_count; i++)
        if (!strcmp(r->lists[i].name, "hosts") || !strcmp(r->lists[i].name, "registries"))
            for (size_t k = 0; k < r->lists[i].count; k++)
                items[r->set->known_hosts.count++] = r->lists[i].items[k];
    return 0;
}

static int one_glob(struct reading_rules *r, const char *text, struct rule_globs *out)
{
    const char **items = rules_new(r, 1, sizeof *items);
    if (!items || !(items[0] = rules_text(r, text)))
        return -1;
    *out = (struct rule_globs){items, 1};
    return 0;
}

/* For whom a text's rules are. */
static int read_scope(struct reading_rules *r, struct rule_text *text)
{
    const struct ruleset_source *source = text->source;
    if (source && source->tenant && one_glob(r, source->tenant, &text->scope.tenants))
        return -1;
    return source && source->agent ? one_glob(r, source->agent, &text->scope.agents) : 0;
}

static int read_all(struct reading_rules *r, const struct texts_of_rules *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        r->text = &texts->items[i];
        if (read_scope(r, &texts->items[i]) || rules_read_lists(r))
            return -1;
    }
    if (find_known_hosts(r))
        return -1;
    for (size_t i = 0; i < texts->count; i++) {
        r->text = &texts->items[i];
        if (rules_read(r))
            return -1;
    }
    return rules_attach_overrides(r) || rules_index(r) || rules_check_examples(r) ? -1 : 0;
}

/* A layer knows its base's lists, and decides nothing about what no rule knows: its base has. */
static int begin_layer(struct reading_rules *r, const struct ruleset *base)
{
    struct ruleset *set = r->set;
    set->base = base;
    set->defaults = base->defaults;
    set->defaults.unmatched = (struct default_verdict){.flag = ""};
    if (!base->lists_count)
        return 0;
    if (!(r->lists = mem_new(base->lists_count, sizeof *r->lists)))
        return err_set(r->err, ERR_MEMORY, "no memory for lists");
    memcpy(r->lists, base->lists, base->lists_count * sizeof *r->lists);
    r->lists_count = r->lists_room = base->lists_count;
    return 0;
}

static int keep_lists(struct reading_rules *r)
{
    struct rule_list *lists = rules_new(r, r->lists_count, sizeof *lists);
    if (!lists)
        return -1;
    if (r->lists_count)
        memcpy(lists, r->lists, r->lists_count * sizeof *lists);
    r->set->lists = lists;
    r->set->lists_count = r->lists_count;
    return 0;
}

static int check_tiers(const struct ruleset_options *options, struct err *err)
{
    for (size_t i = 0; options->base && i < options->sources_count; i++)
        if (options->sources[i].tier <= TIER_TENANT)
            return err_set(err, ERR_CONFIG, "%s: a tenant's rules are no layer",
                           options->sources[i].path);
    return 0;
}

int ruleset_load(const struct ruleset_options *options, struct ruleset **out, struct err *err)
{
    SCOPED(texts_close) struct texts_of_rules texts = {0};
    SCOPED(ruleset_free) struct ruleset *set = mem_new(1, sizeof *set);
    if (!set)
        return err_set(err, ERR_MEMORY, "no memory for rules");
    set->defaults.unmatched.flag = set->defaults.unanalysable.flag = "";
    set->defaults.unanalysable.action = ACTION_REQUIRE_APPROVAL;
    set->defaults.no_approver = ACTION_DENY;
    set->defaults.unanalysable_script = set->defaults.unanalysable;
    struct reading_rules r = {.set = set, .err = err};
    if (check_tiers(options, err))
        return -1;
    if (!options->base &&
        add_builtin(&texts, options->profile ? options->profile : RULESET_DEV, err))
        return -1;
    set->sources_count = options->sources_count;
    set->generations = rules_new(&r, options->sources_count, sizeof *set->generations);
    for (size_t i = 0; i < options->sources_count; i++)
        if (!set->generations ||
            texts_add_source(&texts, &options->sources[i], &set->generations[i], err))
            return -1;
    int failed = options->base ? begin_layer(&r, options->base) : 0;
    failed = failed || read_all(&r, &texts) || keep_lists(&r) ? -1 : 0;
    free(r.lists);
    if (failed)
        return -1;
    rules_hash(set);
    *out = TAKE(set);
    return 0;
}

const uint8_t *ruleset_hash(const struct ruleset *set)
{
    return set->hash;
}

int64_t ruleset_generation(const struct ruleset *set, size_t i)
{
    assert(i < set->sources_count);
    return set->generations[i];
}

const struct ruleset *ruleset_base(const struct ruleset *set)
{
    return set->base;
}

size_t ruleset_count(const struct ruleset *set)
{
    return set->count;
}

const struct rule *ruleset_at(const struct ruleset *set, size_t i)
{
    assert(i < set->count);
    return set->rules[i];
}
