/* export.c - records as JSON Lines and CSV; see export.h. */
#include "cli/export.h"

#include "base/scope.h"
#include "base/text.h"
#include "data/json.h"
#include "data/pack.h"

#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 1024 * 1024 };

const struct export_format *export_format(const char *name)
{
    static const struct export_format formats[] = {{"jsonl", NULL, export_jsonl},
                                                   {"csv", export_csv_begin, export_csv},
                                                   {"ocsf", NULL, export_ocsf}};
    for (size_t i = 0; i < COUNT(formats); i++)
        if (!strcmp(formats[i].name, name))
            return &formats[i];
    return NULL;
}

static void pack_number(struct pack *to, int64_t number)
{
    const int64_t exact = (int64_t)1 << 53;
    char text[24];
    if (number <= exact && number >= -exact) {
        pack_int(to, number);
        return;
    }
    snprintf(text, sizeof text, "%lld", (long long)number);
    pack_text(to, text);
}

/* Copies a value, numbers as export_line says. A list of values is copied one by one, since their
 * order in the frame is all the structure that is left to see. */
static int copy(struct view from, struct pack *to, struct err *err)
{
    struct value v;
    while (from.len) {
        struct view rest = from;
        if (pack_next(&rest, &v, err))
            return -1;
        if (v.type == PACK_INT)
            pack_number(to, v.integer);
        else
            pack_raw(to, (struct view){from.data, from.len - rest.len});
        from = rest;
    }
    return 0;
}

int export_line(struct view packed, struct bytes *to, struct err *err)
{
    SCOPED(bytes_close) struct bytes exact = bytes_open(LINE_BYTES);
    struct pack p = pack_begin(&exact, err);
    return copy(packed, &p, err) || pack_end(&p) ||
                   json_from_pack(bytes_view(&exact), 0, to, err) || bytes_add(to, "\n", 1, err)
               ? -1
               : 0;
}

int export_jsonl(const struct log_row *row, struct bytes *to, struct err *err)
{
    SCOPED(bytes_close) struct bytes packed = bytes_open(LINE_BYTES);
    return schema_encode(&message_log_row, row, &packed, err) ||
                   export_line(bytes_view(&packed), to, err)
               ? -1
               : 0;
}

/* A text in quotes, which are doubled in it. */
static int add_quoted(struct bytes *to, struct view text, struct err *err)
{
    SCOPED(bytes_close) struct bytes shown = bytes_open(LINE_BYTES);
    if (text_show(&shown, text.data, text.len, err))
        return -1;
    const char *begin = shown.len && strchr("=+-@", shown.data[0]) ? "\"'" : "\"";
    if (bytes_add(to, begin, strlen(begin), err))
        return -1;
    for (size_t i = 0; i < shown.len; i++)
        if (bytes_add(to, "\"\"", shown.data[i] == '"' ? 2 : 0, err) ||
            (shown.data[i] != '"' && bytes_add(to, &shown.data[i], 1, err)))
            return -1;
    return bytes_add(to, "\"", 1, err);
}

static int add_texts(struct bytes *to, struct list rest, struct err *err)
{
    struct view text;
    SCOPED(bytes_close) struct bytes joined = bytes_open(LINE_BYTES);
    while (list_next_text(&rest, &text))
        if ((joined.len && bytes_add(&joined, " ", 1, err)) ||
            bytes_add(&joined, text.data, text.len, err))
            return -1;
    return joined.len ? add_quoted(to, bytes_view(&joined), err) : 0;
}

/* A field; nothing where the record has none. */
static int add_field(struct bytes *to, const struct field *f, const struct log_row *row,
                     struct err *err)
{
    const uint8_t *at = (const uint8_t *)row + f->offset;
    struct view text = {0};
    struct list list;
    int64_t number;
    switch (f->type) {
    case FIELD_INT:
        memcpy(&number, at, sizeof number);
        return number || schema_has(&message_log_row, row, f->name)
                   ? bytes_addf(to, err, "%lld", (long long)number)
                   : 0;
    case FIELD_TEXTS:
        memcpy(&list, at, sizeof list);
        return add_texts(to, list, err);
    case FIELD_LONG:
        memcpy(&text, at, sizeof text);
        break;
    default:
        text = view_of((const char *)at);
    }
    return text.len ? add_quoted(to, text, err) : 0;
}

/* Each field of the schema's rows, with a comma between. */
static int add_line(struct bytes *to, const struct log_row *row, struct err *err)
{
    size_t count;
    const struct field *rows = message_log_row.rows(&count);
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].type == FIELD_SINCE)
            continue;
        if ((!first && bytes_add(to, ",", 1, err)) ||
            (row ? add_field(to, &rows[i], row, err) : bytes_addf(to, err, "%s", rows[i].name)))
            return -1;
        first = false;
    }
    return bytes_add(to, "\r\n", 2, err);
}

int export_csv_begin(struct bytes *to, struct err *err)
{
    return add_line(to, NULL, err);
}

int export_csv(const struct log_row *row, struct bytes *to, struct err *err)
{
    return add_line(to, row, err);
}
