/* config.h - corral.toml as a table: a row in config.def gives the member, the default, the check
 * and the printed file.
 *
 * struct config has one member for each section, with one member for each key:
 * config.manager.max_sandboxes. It owns nothing.
 */
#pragma once

#include "base/bytes.h"

#include <stdint.h>

enum { CONFIG_TCP_BYTES = 256, CONFIG_CHOICE_BYTES = 16 };

struct config {
#define SECTION(section, doc) struct {
#define INT(section, key, value, min, max, unit, doc) int64_t key;
#define TEXT(section, key, value, max, doc) char key[(max) + 1];
#define CHOICE(section, key, value, choices, doc) char key[CONFIG_CHOICE_BYTES];
#define TCP TEXT
#define PATH TEXT
#define END_SECTION(section)                                                                       \
    }                                                                                              \
    section;
#include "schema/config.def"
#undef SECTION
#undef INT
#undef TEXT
#undef CHOICE
#undef TCP
#undef PATH
#undef END_SECTION
};

/* The embedded defaults. */
void config_defaults(struct config *config);

/* Reads a TOML text over the defaults (keys that it does not name keep them); `name` is for errors.
 * ERR_CONFIG "name:line:column: section.key: why": unknown section or key, wrong type, out of
 * range, uids that must not meet. *config is untouched on failure. */
int config_parse(const char *text, const char *name, struct config *config, struct err *err);

/* Reads a file of at most 256 KiB. ERR_CONFIG, or ERR_NOT_FOUND when it does not exist; ERR_IO. */
int config_load(const char *path, struct config *config, struct err *err);

/* The endpoint `steps` ports (0 to 2) behind "tcp://ADDRESS:PORT". ERR_CONFIG the text is not of
 * that form, or leaves no two ports behind it. */
int config_tcp(const char *listen, int steps, char to[CONFIG_TCP_BYTES], struct err *err);

/* Appends corral.toml as it is shipped: every key with its default, commented. Errors as bytes_add.
 */
int config_print(struct bytes *to, struct err *err);

/* Appends the reference for docs/CONFIG.md. Errors as bytes_add. */
int config_describe(struct bytes *to, struct err *err);
