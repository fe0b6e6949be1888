/* files.h - the texts that rules are read from, and whether they may be trusted. */
#pragma once

#include "engine/policy/ruleset_own.h"

struct texts_of_rules {
    struct rule_text *items;
    size_t count, room;
};

/* Parses a text and adds it. ERR_CONFIG, ERR_MEMORY. */
int texts_add(struct texts_of_rules *texts, const char *name, enum policy_tier tier,
              struct view text, struct err *err);

/* Adds every *.toml of a directory, by name, or the source's one text; *generation is the highest
 * of them. Refused as ERR_CONFIG: a directory or file that is a symlink, or that its group or
 * others may write, or that belongs to neither root nor this uid; a generation below the least one.
 */
int texts_add_source(struct texts_of_rules *texts, const struct ruleset_source *source,
                     int64_t *generation, struct err *err);

void texts_close(struct texts_of_rules *texts);
