/* config.c - reads corral.toml by the rows of config.def and prints it from them; see config.h. */
#include "schema/config.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "data/toml.h"

#include <assert.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_MAX_BYTES = TOML_FILE_MAX_BYTES };

/* A section (key NULL) or a key; `text` non-NULL means that the key is a text: one of `choices`
 * unless that is NULL, an endpoint when `tcp` is set. */
struct row {
    const char *section, *key, *text, *choices;
    int64_t value, min, max;
    const char *unit, *doc;
    size_t offset;
    bool tcp, path;
};

static const struct row rows[] = {
#define SECTION(section_, doc_) {.section = #section_, .doc = doc_},
#define INT(section_, key_, value_, min_, max_, unit_, doc_)                                       \
    {.section = #section_,                                                                         \
     .key = #key_,                                                                                 \
     .value = value_,                                                                              \
     .min = min_,                                                                                  \
     .max = max_,                                                                                  \
     .unit = unit_,                                                                                \
     .doc = doc_,                                                                                  \
     .offset = offsetof(struct config, section_.key_)},
#define TEXT(section_, key_, value_, max_, doc_)                                                   \
    {.section = #section_,                                                                         \
     .key = #key_,                                                                                 \
     .text = value_,                                                                               \
     .max = max_,                                                                                  \
     .doc = doc_,                                                                                  \
     .unit = "",                                                                                   \
     .offset = offsetof(struct config, section_.key_)},
#define CHOICE(section_, key_, value_, choices_, doc_)                                             \
    {.section = #section_,                                                                         \
     .key = #key_,                                                                                 \
     .text = value_,                                                                               \
     .choices = choices_,                                                                          \
     .max = CONFIG_CHOICE_BYTES - 1,                                                               \
     .doc = doc_,                                                                                  \
     .unit = "",                                                                                   \
     .offset = offsetof(struct config, section_.key_)},
#define TCP(section_, key_, value_, max_, doc_)                                                    \
    {.section = #section_,                                                                         \
     .key = #key_,                                                                                 \
     .text = value_,                                                                               \
     .max = max_,                                                                                  \
     .doc = doc_,                                                                                  \
     .unit = "",                                                                                   \
     .offset = offsetof(struct config, section_.key_),                                             \
     .tcp = true},
#define PATH(section_, key_, value_, max_, doc_)                                                   \
    {.section = #section_,                                                                         \
     .key = #key_,                                                                                 \
     .text = value_,                                                                               \
     .max = max_,                                                                                  \
     .doc = doc_,                                                                                  \
     .unit = "",                                                                                   \
     .offset = offsetof(struct config, section_.key_),                                             \
     .path = true},
#define END_SECTION(section_)
#include "schema/config.def"
#undef SECTION
#undef INT
#undef TEXT
#undef CHOICE
#undef TCP
#undef PATH
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

/* What may stand before a port: names, IPv4, [IPv6], an interface or *. */
static bool is_address(const char *text, size_t len)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:%[]*";
    return len && len < 240 && strspn(text, letters) >= len;
}

int config_tcp(const char *listen, int steps, char to[CONFIG_TCP_BYTES], struct err *err)
{
    static const char scheme[] = "tcp://";
    const char *host = listen + sizeof scheme - 1, *colon = strrchr(listen, ':');
    const char *digits = colon ? colon + 1 : "";
    size_t len = strspn(digits, "0123456789");
    long port = len && len <= 5 && !digits[len] ? atol(digits) : 0;
    if (strncmp(listen, scheme, sizeof scheme - 1) || colon < host ||
        !is_address(host, (size_t)(colon - host)) || port < 1 || port > 65535 - 2)
        return err_set(err, ERR_CONFIG,
                       "\"%.60s\" is not tcp://ADDRESS:PORT with a port of 1 to 65533 (the two "
                       "behind it are used too)",
                       listen);
    snprintf(to, CONFIG_TCP_BYTES, "%.*s:%ld", (int)(colon - listen), listen, port + steps);
    return 0;
}

static bool is_choice(const char *word, const char *choices)
{
    size_t len = strlen(word);
    for (const char *at = choices; *at; at += strcspn(at, "|"), at += *at == '|')
        if (strcspn(at, "|") == len && !memcmp(at, word, len))
            return true;
    return false;
}

static int take_text(const char *name, const struct toml_entry *e, const struct row *row, char *to,
                     struct err *err)
{
    char why[96], endpoint[CONFIG_TCP_BYTES];
    if (e->type != TOML_TEXT)
        return wrong(name, e, err, "must be a text in quotes");
    if (row->choices && !is_choice(e->text, row->choices)) {
        snprintf(why, sizeof why, "must be one of %s", row->choices);
        return wrong(name, e, err, why);
    }
    snprintf(why, sizeof why, "is longer than %lld bytes", (long long)row->max);
    if (!text_copy(to, (size_t)row->max + 1, e->text))
        return wrong(name, e, err, why);
    struct err form;
    if (row->tcp && *to && config_tcp(to, 0, endpoint, &form))
        return wrong(name, e, err, form.text);
    if (row->path && *to && *to != '/')
        return wrong(name, e, err, "must be an absolute path");
    return 0;
}

/* An entry that no row is for. */
static int unknown(const char *name, const struct toml_entry *e, struct err *err)
{
    if (strchr(e->table, '['))
        return wrong(name, e, err, "a section has one pair of brackets: [section]");
    if (*e->table)
        return wrong(name, e, err, find(e->table, "") ? "no such key" : "no such section");
    return wrong(name, e, err,
                 find(e->key, "") ? "is a section: its keys stand in lines below [section]"
                                  : "stands outside of every [section]");
}

/* Checks one entry against its row and writes it. */
static int take(const char *name, const struct toml_entry *e, struct config *config,
                struct err *err)
{
    const struct row *row = find(e->table, e->key);
    if (!row)
        return unknown(name, e, err);
    if (!row->key)
        return e->type == TOML_EMPTY ? 0 : wrong(name, e, err, "must be a section");
    void *at = (uint8_t *)config + row->offset;
    char why[96];
    if (row->text)
        return take_text(name, e, row, at, err);
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

/* As wrong, for a key that fits its row but not the others; it may stand there by default. */
static int misfit(const struct toml_file *file, const char *name, const char *section,
                  const char *key, struct err *err, const char *why)
{
    for (size_t i = 0; i < toml_count(file); i++) {
        const struct toml_entry *e = toml_at(file, i);
        if (!strcmp(e->table, section) && !strcmp(e->key, key))
            return wrong(name, e, err, why);
    }
    return err_set(err, ERR_CONFIG, "%s: %s.%s: %s", name, section, key, why);
}

/* A uid or gid that two kinds of process share would share what it protects. */
static int check_uids(const struct toml_file *file, const char *name, const struct config *c,
                      struct err *err)
{
    const struct {
        const char *key;
        int64_t id;
    } own[] = {{"guardian_uid", c->service.guardian_uid},
               {"audit_uid", c->service.audit_uid},
               {"group_gid", c->service.group_gid}};
    int64_t first = c->manager.uid_first, last = first + c->manager.uid_count - 1;
    if (last > UINT32_MAX - 1)
        return misfit(file, name, "manager", "uid_count", err, "there are no uids so high");
    for (size_t i = 0; i < COUNT(own); i++)
        if (own[i].id >= first && own[i].id <= last)
            return misfit(file, name, "service", own[i].key, err,
                          "is for a sandbox: manager.uid_first and uid_count hold it");
    if (c->service.guardian_uid == c->service.audit_uid)
        return misfit(file, name, "service", "audit_uid", err,
                      "is the guardian's: each needs its own");
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
    if (check_uids(file, name, &read, err))
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

static int describe_text(const struct row *r, struct bytes *to, struct err *err)
{
    char range[64];
    snprintf(range, sizeof range, "text, at most %lld bytes", (long long)r->max);
    if (bytes_addf(to, err, "| `%s` | `\"%s\"` | ", r->key, r->text))
        return -1;
    for (const char *at = r->choices ? r->choices : ""; *at;
         at += strcspn(at, "|"), at += *at == '|')
        if (bytes_addf(to, err, "%s`\"%.*s\"`", at == r->choices ? "" : " or ",
                       (int)strcspn(at, "|"), at))
            return -1;
    return bytes_addf(to, err, "%s | %s |\n", r->choices ? "" : range, r->doc);
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
            failed = describe_text(r, to, err);
        else
            failed = bytes_addf(to, err, "| `%s` | %lld | %lld to %lld%s%s | %s |\n", r->key,
                                (long long)r->value, (long long)r->min, (long long)r->max,
                                *r->unit ? " " : "", r->unit, r->doc);
        if (failed)
            return -1;
    }
    return 0;
}
