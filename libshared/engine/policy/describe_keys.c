/* describe_keys.c - the keys of a match for people, from the rows of keys.def. */
#include "engine/policy/key.h"
#include "engine/policy/ruleset.h"

#include <string.h>

static const char *kind_name(enum key_kind kind)
{
    switch (kind) {
    case KIND_GLOBS:
    case KIND_FEEDS:
        return "texts";
    case KIND_PATHS:
    case KIND_FED_PATHS:
        return "paths";
    case KIND_HOSTS:
        return "hosts";
    case KIND_PORTS:
        return "ports";
    case KIND_REGEXES:
        return "patterns";
    case KIND_FLAG:
        return "flag";
    case KIND_NUMBER:
        return "number";
    default:
        return "names";
    }
}

bool ruleset_key(size_t i, const char **name, const char **kind, const char **doc)
{
    size_t count;
    const struct key_row *rows = key_rows(&count);
    if (i >= count)
        return false;
    *name = rows[i].name;
    *kind = kind_name(rows[i].kind);
    *doc = rows[i].doc;
    return true;
}

/* The names that a key of names takes. */
static int add_names(const struct key_row *row, struct bytes *to, struct err *err)
{
    unsigned bit;
    const char *name = key_name_at(row->kind, 0, &bit);
    if (name && bytes_addf(to, err, " One of"))
        return -1;
    for (size_t i = 0; (name = key_name_at(row->kind, i, &bit)); i++) {
        size_t bar = strcspn(name, "|"); /* it would end the table's cell */
        if (bytes_addf(to, err, "%s `%.*s%s%s`", i ? "," : "", (int)bar, name,
                       name[bar] ? "\\" : "", name + bar))
            return -1;
    }
    return name || !key_name_at(row->kind, 0, &bit) ? 0 : bytes_add(to, ".", 1, err);
}

int ruleset_describe_keys(struct bytes *to, struct err *err)
{
    size_t count;
    const struct key_row *rows = key_rows(&count);
    if (bytes_addf(to, err, "| key | value | holds when |\n|---|---|---|\n"))
        return -1;
    for (size_t i = 0; i < count; i++)
        if (bytes_addf(to, err, "| `%s` | %s | %s", rows[i].name, kind_name(rows[i].kind),
                       rows[i].doc) ||
            add_names(&rows[i], to, err) || bytes_addf(to, err, " |\n"))
            return -1;
    return 0;
}
