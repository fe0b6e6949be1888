/* ruleset_own.h - a rule set from inside, for the files of engine/policy only. */
#pragma once

#include "data/toml.h"
#include "engine/policy/key.h"
#include "engine/policy/ruleset.h"

enum { MATCH_MAX_KEYS = 64, RULESET_MAX_OVERRIDES = 1024 };

/* What is done about a command that no rule knows, or that nobody could understand. */
struct default_verdict {
    enum policy_action action;
    enum policy_risk risk;
    const char *flag; /* noted among the rules; "" nothing */
};

struct policy_defaults {
    struct default_verdict unmatched, unanalysable, unanalysable_script;
    enum policy_action risk_floor[4]; /* by enum policy_risk: nothing of that risk gets less */
    enum policy_action no_approver;   /* what require_approval becomes where nobody can approve */
};

/* A match with what decides at once that it cannot hold. */
struct index_entry {
    const struct rule_match *match;
    unsigned needs, ops;
    bool named; /* its key `command`, which is its first, holds: it was found by its name */
    bool acts;  /* it says nothing about what only shows its help */
};

/* Entries of one name, or of one pattern of names. */
struct index_name {
    const char *name; /* NULL: free */
    struct index_entry *entries;
    size_t count, room;
};

/* Which matches may hold for a command of a name. */
struct rule_index {
    struct index_name *names; /* a hash table; its size is a power of two */
    size_t size;
    struct index_name *patterns; /* each once */
    size_t patterns_count;
    struct index_name others; /* of matches that ask for no name */
};

struct rule_list;

struct ruleset {
    struct arena arena;
    const struct ruleset *base;    /* NULL: none */
    const struct rule_list *lists; /* its own and its base's, for layers on it */
    size_t lists_count;
    struct rule **rules;
    size_t count, room;
    const struct rule_override **overrides;
    size_t overrides_count;
    struct policy_defaults defaults;
    int64_t *generations; /* of each source */
    size_t sources_count;
    struct known_hosts known_hosts;
    struct rule_index index;
    struct feed_questions questions;
    struct regex **regexes; /* to free */
    size_t regexes_count, regexes_room;
    uint8_t hash[POLICY_HASH_BYTES];
};

/* One text to read: a file of a source, or a builtin one. */
struct rule_text {
    char *name; /* as errors call it */
    enum policy_tier tier;
    const struct ruleset_source *source; /* NULL: builtin */
    struct rule_when scope;              /* for whom the source is; of the set */
    struct toml_file *toml;
};

/* A match that is being read. */
struct match_draft {
    const struct rule_match **tail;
    const struct toml_entry *at; /* where it begins */
    size_t index;
    bool open;
    struct rule_key keys[MATCH_MAX_KEYS];
    size_t keys_count;
};

struct rule_draft {
    struct rule *rule; /* NULL: none */
    const struct toml_entry *at;
    size_t index;
    bool has_risk, has_action;
    struct match_draft match;
};

struct override_draft {
    struct rule_override *override; /* NULL: none */
    const struct toml_entry *at;
    size_t index;
    const struct rule_match *matches;
    struct match_draft only;
};

/* A named list of a file. */
struct rule_list {
    const char *name;
    const char *const *items;
    size_t count;
    enum policy_tier tier;
    const char *file; /* as errors call it */
    int line;
    bool used; /* by a rule, an override, or by name: hosts, registries */
};

/* What is read into a set, and with what. */
struct reading_rules {
    struct ruleset *set;
    struct rule_list *lists;
    size_t lists_count, lists_room;
    const struct rule_text *text; /* at hand */
    bool has_schema;              /* the text at hand said schema = 1 */
    size_t workspace_examples;    /* so far */
    struct err *err;
};

/* ERR_CONFIG with the entry's file, line and column in front. */
int rules_wrong(struct reading_rules *r, const struct toml_entry *e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Memory and texts of the set; NULL with err. */
void *rules_new(struct reading_rules *r, size_t count, size_t size);
char *rules_text(struct reading_rules *r, const char *text);

/* Copies an array of texts. */
int rules_texts(struct reading_rules *r, const struct toml_entry *e, const char *const **items,
                size_t *count);

/* The rest of a path behind "array[N]", and N; NULL when it is another path. */
const char *rules_element(const char *table, const char *array, size_t *index);

/* Remembers the lists of the text at hand, before any rule is read. */
int rules_read_lists(struct reading_rules *r);

/* Reads the rules, overrides and defaults of the text at hand. */
int rules_read(struct reading_rules *r);

/* One entry of [[rule]] or [[override]] number `index`; `rest` is its table's path behind that. */
int rules_read_rule(struct reading_rules *r, const struct toml_entry *e, size_t index,
                    const char *rest, struct rule_draft *d);
int rules_read_override(struct reading_rules *r, const struct toml_entry *e, size_t index,
                        const char *rest, struct override_draft *d);

/* Checks and keeps what is being read; fine when nothing is. */
int rules_end_rule(struct reading_rules *r, struct rule_draft *d);
int rules_end_override(struct reading_rules *r, struct override_draft *d);

/* One entry of a match, and its end. */
int rules_read_match_key(struct reading_rules *r, const struct toml_entry *e, size_t match,
                         struct match_draft *d);
int rules_end_match(struct reading_rules *r, struct match_draft *d);

/* One entry of [rule.when]. */
int rules_read_when(struct reading_rules *r, const struct toml_entry *e, const char *rest,
                    struct rule_when *when);

/* Values that several tables have: a text; one of the four actions or risks, as its enum. */
enum names_of { NAMES_OF_ACTIONS, NAMES_OF_RISKS };
int rules_read_text(struct reading_rules *r, const struct toml_entry *e, const char **out);
int rules_read_name(struct reading_rules *r, const struct toml_entry *e, enum names_of of,
                    unsigned *out);

/* Reads one key of a match. */
int rules_read_key(struct reading_rules *r, const struct toml_entry *e, struct rule_key *out);

/* A list of texts with the lists in it resolved; with `bits` tags of paths are taken out of it. */
int rules_resolve(struct reading_rules *r, const struct toml_entry *e, unsigned *bits,
                  const char *const **items, size_t *count);

/* Once all rules are read: which overrides may soften which rule, the index, and that every example
 * is as its rule says. */
int rules_attach_overrides(struct reading_rules *r);
int rules_index(struct reading_rules *r);
int rules_check_examples(struct reading_rules *r);

/* Fills the set's hash. */
void rules_hash(struct ruleset *set);
