/* ruleset.h - the rules in force: read from files, checked, and then never changed.
 *
 * The builtin rules are always there; sources add to them, tier by tier. Loading reads every file,
 * refuses what it does not know, runs every rule's examples, and gives a whole set or an error with
 * file:line:column. A set is immutable: threads may share it. What a judgement points to lives as
 * long as the set.
 */
#pragma once

#include "engine/policy/rule.h"

enum {
    RULESET_MAX_RULES = 4096,
    RULESET_MAX_MATCHES = 16384,
    RULESET_MAX_FILES = 256,              /* of one source */
    RULESET_MAX_WORKSPACE_EXAMPLES = 256, /* a stranger's text may not keep anybody busy */
    POLICY_HASH_BYTES = 32
};

#define RULESET_DEV "dev" /* the profile for those who name none */

struct ruleset;

/* A directory of rule files (*.toml), or one text. */
struct ruleset_source {
    enum policy_tier tier;    /* not TIER_BUILTIN */
    const char *path;         /* of the directory; of a text: what errors call it */
    struct view text;         /* data NULL: a directory; otherwise not kept */
    const char *tenant;       /* its rules are for this tenant's acts; NULL: for all */
    const char *agent;        /* and for this agent's; NULL: for all */
    int64_t least_generation; /* an older one was put back, and is refused */
};

/* With a base the set is a layer: its sources, of the tiers workspace and agent, add rules to those
 * of the base and raise some by their ids, and cost nothing else. A layer may be a base. */
struct ruleset_options {
    const char *profile;        /* "dev" or "strict"; NULL: dev. Of a layer: its base's */
    const struct ruleset *base; /* outlives the set; NULL: none, the builtin rules are loaded */
    const struct ruleset_source *sources;
    size_t sources_count;
};

/* Loads a set; the caller frees *out with ruleset_free.
 *
 *   err      ERR_CONFIG "file:line:column: what" for a file that is wrong or may not be trusted;
 *            ERR_IO; ERR_MEMORY
 */
int ruleset_load(const struct ruleset_options *options, struct ruleset **out, struct err *err);

/* The generation of source i: the highest `generation = N` of its files, 0 without. Whoever loads
 * again gives it as least_generation. */
int64_t ruleset_generation(const struct ruleset *set, size_t i);

/* Frees and nulls; fine on NULL. */
void ruleset_free(struct ruleset **set);

/* BLAKE2b-256 over all that the set says: names in the record which rules decided. */
const uint8_t *ruleset_hash(const struct ruleset *set);

/* What the set is a layer on; NULL. */
const struct ruleset *ruleset_base(const struct ruleset *set);

/* The rules, without those of a base, in no order that means anything. */
size_t ruleset_count(const struct ruleset *set);
const struct rule *ruleset_at(const struct ruleset *set, size_t i);

/* Appends the reference of a match's keys as Markdown. Errors as bytes_add. */
int ruleset_describe_keys(struct bytes *to, struct err *err);

/* Name, kind of value and meaning of key i; false behind the last. Static texts. */
bool ruleset_key(size_t i, const char **name, const char **kind, const char **doc);
