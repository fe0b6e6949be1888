/* corral config: corral.toml with every key's default, or the reference of all keys. */
#include "base/scope.h"
#include "cli/cli.h"
#include "data/json.h"
#include "data/pack.h"
#include "schema/config.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 1024 * 1024 };

/* A key, read off config.def. */
struct key {
    const char *section, *name;
    const char *text; /* NULL: an integer */
    int64_t integer;
};

static void pack_keys(struct pack *p, const struct key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pack_text(p, keys[i].name);
        if (keys[i].text)
            pack_text(p, keys[i].text);
        else
            pack_int(p, keys[i].integer);
    }
}

/* The defaults as JSON: {section: {key: value}}. */
static int print_defaults(struct bytes *text, struct err *err)
{
    static const struct key keys[] = {
#define SECTION(section, doc)
#define INT(section, key, value, min, max, unit, doc) {#section, #key, NULL, value},
#define TEXT(section, key, value, max, doc) {#section, #key, value, 0},
#define CHOICE TEXT
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
    };
    SCOPED(bytes_close) struct bytes packed = bytes_open(TEXT_BYTES);
    struct pack p = pack_begin(&packed, err);
    size_t sections = 0;
    for (size_t i = 0; i < COUNT(keys); i++)
        sections += !i || strcmp(keys[i].section, keys[i - 1].section);
    pack_map(&p, sections);
    for (size_t i = 0, count; i < COUNT(keys); i += count) {
        for (count = 1; i + count < COUNT(keys); count++)
            if (strcmp(keys[i].section, keys[i + count].section))
                break;
        pack_text(&p, keys[i].section);
        pack_map(&p, count);
        pack_keys(&p, keys + i, count);
    }
    return pack_end(&p) || json_from_pack(bytes_view(&packed), 2, text, err) ||
                   bytes_add(text, "\n", 1, err)
               ? -1
               : 0;
}

int cmd_config(struct cli *cli, int argc, char **argv, struct err *err)
{
    bool describe = false;
    const struct option options[] = {
        {"describe", 0, NULL, option_flag, &describe, "Print the reference of all keys instead."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    if (describe && command_refuses_json(cli, err))
        return -1;
    SCOPED(bytes_close) struct bytes text = bytes_open(TEXT_BYTES);
    if (describe    ? config_describe(&text, err)
        : cli->json ? print_defaults(&text, err)
                    : config_print(&text, err))
        return -1;
    fwrite(text.data, 1, text.len, stdout);
    return 0;
}
