/* index.h - which matches may hold for a command of a name. */
#pragma once

#include "engine/policy/ruleset_own.h"

/* The matches of this name; NULL when there are none. */
const struct index_name *index_find(const struct rule_index *index, const char *name);

/* A hash of a name, for tables whose size is a power of two. */
uint64_t index_hash(const char *name);
