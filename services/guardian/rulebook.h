/* rulebook.h - all the rules of one moment: the builtin ones for everybody, and with those of the
 * rule directory for each tenant and agent that has some.
 *
 * A book is whole or not there: one file that is wrong refuses all. It never changes, so any thread
 * may read it.
 */
#pragma once

#include "engine/policy/ruleset.h"
#include "guardian/rule_files.h"

struct rulebook_set {
    char tenant[NAME_BYTES], agent[NAME_BYTES]; /* "": of all */
    struct ruleset *set;
};

struct rulebook {
    int64_t generation;        /* of the directory; 0 without one */
    struct rulebook_set *sets; /* by tenant, then agent; the first is everybody's */
    size_t count;
    uint8_t hash[POLICY_HASH_BYTES]; /* over the generation and all sets */
};

struct rulebook_options {
    const char *dir;         /* "": the builtin rules alone */
    const char *profile;     /* "dev" or "strict" */
    int64_t last_generation; /* an older directory is refused */
    /* Is told of each folder before it is read; may be NULL. */
    void (*look)(void *context, const char *path);
    void *context;
};

/* Loads a book; every example of its rules is tried. rulebook_free releases it. ERR_CONFIG with
 * file and line; ERR_IO; ERR_MEMORY. */
int rulebook_load(const struct rulebook_options *options, struct rulebook **book, struct err *err);

/* Frees and nulls; fine on NULL. */
void rulebook_free(struct rulebook **book);

/* All rules of all tiers, each once. */
int64_t rulebook_count(const struct rulebook *book);

/* The rules that an agent is judged by. */
const struct ruleset *rulebook_find(const struct rulebook *book, const char *tenant,
                                    const char *agent);
