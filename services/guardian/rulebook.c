/* rulebook.c - see rulebook.h. */
#include "guardian/rulebook.h"

#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define LABEL "corral-rulebook-v1"

void rulebook_free(struct rulebook **book)
{
    struct rulebook *b = *book;
    for (size_t i = 0; b && i < b->count; i++)
        ruleset_free(&b->sets[i].set);
    if (b)
        free(b->sets);
    free(b);
    *book = NULL;
}

static int order(const struct rulebook_set *set, const char *tenant, const char *agent)
{
    int by_tenant = strcmp(set->tenant, tenant);
    return by_tenant ? by_tenant : strcmp(set->agent, agent);
}

static const struct rulebook_set *find(const struct rulebook *book, const char *tenant,
                                       const char *agent)
{
    size_t low = 0, high = book->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order(&book->sets[middle], tenant, agent) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there = low < book->count && !order(&book->sets[low], tenant, agent);
    return is_there ? &book->sets[low] : NULL;
}

const struct ruleset *rulebook_find(const struct rulebook *book, const char *tenant,
                                    const char *agent)
{
    const struct rulebook_set *set = find(book, tenant, agent);
    if (!set)
        set = find(book, tenant, "");
    return set ? set->set : book->sets[0].set;
}

/* Everybody's rules are in each tenant's set, too, and count once. */
int64_t rulebook_count(const struct rulebook *book)
{
    int64_t count = (int64_t)ruleset_count(book->sets[0].set);
    for (size_t i = 1; i < book->count; i++) {
        const struct rulebook_set *set = &book->sets[i];
        for (size_t k = 0; k < ruleset_count(set->set); k++)
            count += ruleset_at(set->set, k)->tier != TIER_BUILTIN;
    }
    return count;
}

/* Adds the set of a scope; `folder` NULL is everybody's. An agent's rules are a layer on its
 * tenant's. */
static int add(struct rulebook *book, const struct rulebook_options *o,
               const struct rule_folder *folder, struct err *err)
{
    struct rulebook_set *to = &book->sets[book->count];
    struct ruleset_source source = {0};
    struct ruleset_options options = {
        .profile = o->profile, .sources = &source, .sources_count = folder != NULL};
    if (folder) {
        source.tier = folder->agent[0] ? TIER_AGENT : TIER_TENANT;
        source.path = folder->path;
        if (folder->agent[0])
            options.base = rulebook_find(book, folder->tenant, "");
    }
    if (ruleset_load(&options, &to->set, err))
        return -1;
    if (folder) {
        text_copy(to->tenant, sizeof to->tenant, folder->tenant);
        text_copy(to->agent, sizeof to->agent, folder->agent);
    }
    book->count++;
    return 0;
}

/* Folders are in order, so a tenant's own comes right before its agents'. */
static int add_all(struct rulebook *book, const struct rulebook_options *o,
                   const struct rule_files *files, struct err *err)
{
    if (add(book, o, NULL, err))
        return -1;
    for (size_t i = 0; i < files->count; i++)
        if (add(book, o, &files->folders[i], err))
            return -1;
    return 0;
}

static void take_hash(struct rulebook *book)
{
    crypto_generichash_state s;
    uint8_t generation[8];
    assert(sodium_init() >= 0);
    crypto_generichash_init(&s, (const uint8_t *)LABEL, sizeof LABEL - 1, sizeof book->hash);
    for (size_t i = 0; i < sizeof generation; i++)
        generation[i] = (uint8_t)((uint64_t)book->generation >> 8 * i);
    crypto_generichash_update(&s, generation, sizeof generation);
    for (size_t i = 0; i < book->count; i++) {
        const struct rulebook_set *set = &book->sets[i];
        crypto_generichash_update(&s, (const uint8_t *)set->tenant, strlen(set->tenant) + 1);
        crypto_generichash_update(&s, (const uint8_t *)set->agent, strlen(set->agent) + 1);
        crypto_generichash_update(&s, ruleset_hash(set->set), POLICY_HASH_BYTES);
    }
    crypto_generichash_final(&s, book->hash, sizeof book->hash);
}

static int check_generation(const struct rulebook_options *o, const struct rule_files *files,
                            struct err *err)
{
    if (files->generation >= o->last_generation)
        return 0;
    return err_set(err, ERR_CONFIG,
                   "%.150s/generation: %lld is older than %lld, which was in force: raise it",
                   o->dir, (long long)files->generation, (long long)o->last_generation);
}

int rulebook_load(const struct rulebook_options *o, struct rulebook **book, struct err *err)
{
    SCOPED(rule_files_close) struct rule_files files = {0};
    SCOPED(rulebook_free) struct rulebook *loaded = mem_new(1, sizeof *loaded);
    if (*o->dir && (rule_files_find(o->dir, o->look, o->context, &files, err) ||
                    check_generation(o, &files, err)))
        return -1;
    if (!loaded || !(loaded->sets = mem_new(files.count + 1, sizeof *loaded->sets)))
        return err_set(err, ERR_MEMORY, "no memory for rules");
    loaded->generation = files.generation;
    if (add_all(loaded, o, &files, err))
        return -1;
    take_hash(loaded);
    *book = TAKE(loaded);
    return 0;
}
