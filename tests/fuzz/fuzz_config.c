/* fuzz_config.c - any text as corral.toml: what is accepted keeps every bound of config.def; what
 * is refused names the file and the place, and changes nothing.
 */
#include "base/mem.h"
#include "schema/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_bounds(const struct config *config)
{
#define SECTION(section, doc)
#define INT(section, key, value, min, max, unit, doc)                                              \
    assert(config->section.key >= (min) && config->section.key <= (max));
#define TEXT(section, key, value, max, doc)                                                        \
    assert(memchr(config->section.key, 0, sizeof config->section.key));
#define CHOICE(section, key, value, choices, doc)                                                  \
    assert(*config->section.key &&strstr(choices, config->section.key));
#define TCP TEXT
#define PATH TEXT
#define END_SECTION(section)
#include "schema/config.def"
#undef SECTION
#undef INT
#undef TEXT
#undef CHOICE
#undef TCP
#undef PATH
#undef END_SECTION
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct err err;
    struct config config, before;
    char *text = mem_new(len + 1, 1); /* config_parse reads a text: up to the first NUL */
    assert(text);
    memcpy(text, data, len);
    memset(&config, 0x5a, sizeof config);
    memcpy(&before, &config, sizeof config);
    if (config_parse(text, "fuzz", &config, &err)) {
        assert(err.code == ERR_CONFIG && !strncmp(err.text, "fuzz:", 5));
        assert(!memcmp(&config, &before, sizeof config));
    } else {
        check_bounds(&config);
    }
    free(text);
    return 0;
}
