/* config.c - reads corral.toml by the rows of config.def and prints it from them; see config.h. */
#include "schema/config.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "data/toml.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { CONFIG_MAX_BYTES = TOML_FILE_MAX_BYTES };

/* A section (key NULL) or a key; `text` non-NULL means that the key is a text. */
struct row {
    const char *section, *key, *text;
    int64_t value, min, max;
    const char *unit, *doc;
    size_t offset;
};

static const struct row rows[] = {
#define SECTION(section_, doc_) {.section = #section_, .doc = doc_},
#define INT(section_, key_, value_, min_, max_, unit_, doc_)                                       \
    {#section_, #key_, NULL,                                                                       \
     value_,    min_,  max_,                                                                       \
     unit_,     doc_,  offsetof(struct config, section_.key_)},
#define TEXT(section_, key_, value_, max_, doc_)                                                   \
    {#section_, #key_, value_, 0, 0, max_, "", doc_, offsetof(struct config, section_.key_)},
#define END_SECTION(section_)
#include "schema/config.def"
#undef SECTION
#undef INT
#undef TEXT
#undef END_SECTION
};

void config_defaults(struct config *config)
{
    memset(config, 0, sizeof *config);
    for (size_t i = 0; i < COUNT(rows); i++) {
        void *at = (uint8_t *)config + rows[i].offset;
        if (rows[i].key && rows[i].text)
            text_copy(at, (size_t)rows[i].max + 1, rows[i].text);
        else if (rows[i].key)
            memcpy(at, &rows[i].value, sizeof rows[i].value);
    }
}

static int wrong(const char *name, const struct toml_entry *e, struct err *err, const char *why)
{
    return err_set(err, ERR_CONFIG, "%s:%d:%d: %s%s%s: %s", name, e->line, e->column, e->table,
                   *e->table && *e->key ? "." : "", e->key, why);
}

static const struct row *find(const char *section, const char *key)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!strcmp(rows[i].section, section) && (rows[i].key ? !strcmp(rows[i].key, key) : !*key))
            return &rows[i];
    return NULL;
}

/* Checks one entry against its row and writes it. */
static int take(const char *name, const struct toml_entry *e, struct config *config,
                struct err *err)
{
    const struct row *row = find(e->table, e->key);
    if (!row)
        return wrong(name, e, err, find(e->table, "") ? "no such key" : "no such section");
    if (!row->key)
        return e->type == TOML_EMPTY ? 0 : wrong(name, e, err, "must be a section");
    void *at = (uint8_t *)config + row->offset;
    char why[96];
    if (row->text) {
        if (e->type != TOML_TEXT)
            return wrong(name, e, err, "must be a text in quotes");
        snprintf(why, sizeof why, "is longer than %lld bytes", (long long)row->max);
        return text_copy(at, (size_t)row->max + 1, e->text) ? 0 : wrong(name, e, err, why);
    }
    if (e->type != TOML_INT)
        return wrong(name, e, err, "must be a whole number");
    if (e->integer < row->min || e->integer > row->max) {
        snprintf(why, sizeof why, "%lld is outside %lld to %lld%s%s", (long long)e->integer,
                 (long long)row->min, (long long)row->max, *row->unit ? " " : "", row->unit);
        return wrong(name, e, err, why);
    }
    memcpy(at, &e->integer, sizeof e->integer);
    return 0;
}

static int parse(struct view text, const char *name, struct config *config, struct err *err)
{
    SCOPED(toml_free) struct toml_file *file = NULL;
    if (toml_parse(text, name, &file, err))
        return -1;
    struct config read;
    config_defaults(&read);
    for (size_t i = 0; i < toml_count(file); i++)
        if (take(name, toml_at(file, i), &read, err))
            return -1;
    *config = read;
    return 0;
}

int config_parse(const char *text, const char *name, struct config *config, struct err *err)
{
    return parse(view_of(text), name, config, err);
}

int config_load(const char *path, struct config *config, struct err *err)
{
    SCOPED(bytes_close) struct bytes text = {0};
    if (file_read(AT_FDCWD, path, CONFIG_MAX_BYTES, &text, err)) {
        if (err->code == ERR_INVALID)
            err->code = ERR_CONFIG;
        return -1;
    }
    return parse(bytes_view(&text), path, config, err);
}

int config_print(struct bytes *to, struct err *err)
{
    if (bytes_addf(
            to, err,
            "# corral.toml - every key with its default. Uncomment what you change.\n"
            "# Unknown keys are errors; corral-manager --check-config FILE checks a file.\n"))
        return -1;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *r = &rows[i];
        int failed;
        if (!r->key)
            failed = bytes_addf(to, err, "\n# %s\n[%s]\n", r->doc, r->section);
        else if (r->text)
            failed = bytes_addf(to, err, "# %s\n#%s = \"%s\"\n", r->doc, r->key, r->text);
        else
            failed = bytes_addf(to, err, "# %s %lld to %lld%s%s.\n#%s = %lld\n", r->doc,
                                (long long)r->min, (long long)r->max, *r->unit ? " " : "", r->unit,
                                r->key, (long long)r->value);
        if (failed)
            return -1;
    }
    return 0;
}

int config_describe(struct bytes *to, struct err *err)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *r = &rows[i];
        int failed;
        if (!r->key)
            failed = bytes_addf(to, err,
                                "%s## [%s]\n\n%s\n\n| key | default | range | meaning |\n"
                                "|---|---|---|---|\n",
                                i ? "\n" : "", r->section, r->doc);
        else if (r->text)
            failed = bytes_addf(to, err, "| `%s` | `\"%s\"` | text, at most %lld bytes | %s |\n",
                                r->key, r->text, (long long)r->max, r->doc);
        else
            failed = bytes_addf(to, err, "| `%s` | %lld | %lld to %lld%s%s | %s |\n", r->key,
                                (long long)r->value, (long long)r->min, (long long)r->max,
                                *r->unit ? " " : "", r->unit, r->doc);
        if (failed)
            return -1;
    }
    return 0;
}
