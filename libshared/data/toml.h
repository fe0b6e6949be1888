/* toml.h - a TOML text as a flat list of entries, for readers that refuse what they do not know.
 *
 * toml++ parses behind this C header; nothing of C++ shows. An entry is one key with its value, in
 * the order of the text, with the position to name in an error. Nested tables, dotted keys and
 * inline tables all end in the same dotted path; a table of an array of tables has its index in it,
 * from 0: [[rule]] gives "rule[0]", its [rule.match] "rule[0].match". Format: TOML 1.0,
 * https://toml.io/en/v1.0.0
 * A parsed file is not changed any more, so threads may share it.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TOML_FILE_MAX_BYTES = 256 * 1024,
    TOML_FILE_MAX_ENTRIES = 4096,
    TOML_FILE_MAX_DEPTH = 16,      /* tables within tables */
    TOML_FILE_MAX_LINE_DOTS = 128, /* in one line, a run of dots counting once */
};

enum toml_type {
    TOML_TEXT,
    TOML_INT,
    TOML_REAL, /* finite */
    TOML_BOOL,
    TOML_TEXTS, /* an array of nothing but texts; also the empty array */
    TOML_DATE,  /* a local date, without a time */
    TOML_EMPTY, /* a table without entries: `table` is its path, `key` is "" */
    TOML_OTHER  /* time, date with a time, nan, infinity, other array: no value is given */
};

struct toml_date {
    int year, month, day; /* as written: month and day from 1; the day exists in that month */
};

struct toml_texts {
    const char *const *items;
    size_t count;
};

/* Everything in it lives until toml_free. Texts are UTF-8 without NUL. */
struct toml_entry {
    const char *table; /* "" at the top; "a.b" in [a.b], "a[1].b" in the second [[a]]'s [a.b];
                          segments that are no bare keys are quoted */
    const char *key;   /* as it reads without quotes */
    enum toml_type type;
    union {
        const char *text;
        int64_t integer;
        double real;
        bool boolean;
        struct toml_texts texts;
        struct toml_date date;
    };
    int line, column; /* of the key (of a table without entries: of its name), both from 1 */
};

struct toml_file;

/* Parses a text; the caller frees *out with toml_free.
 *
 *   text   at most TOML_FILE_MAX_BYTES; not kept
 *   name   what errors call the file; not kept
 *   err    ERR_CONFIG "name:line:column: what": no TOML, a key twice, a NUL in a key or text, or a
 *          bound from above; ERR_MEMORY
 */
int toml_parse(struct view text, const char *name, struct toml_file **out, struct err *err);

/* Frees and nulls; fine on NULL. */
void toml_free(struct toml_file **file);

size_t toml_count(const struct toml_file *file);

/* The i-th entry, i < toml_count. */
const struct toml_entry *toml_at(const struct toml_file *file, size_t i);
