/* builtin.h - the rule files that every program has in it: config/rules, embedded by the build. */
#pragma once

#include <stddef.h>

struct builtin_file {
    const char *name; /* relative to config: "rules/power.toml", "rules/profile/dev.toml" */
    const char *text; /* NUL-terminated */
    size_t len;
};

/* All of them, by name. Static. */
const struct builtin_file *builtin_files(size_t *count);
