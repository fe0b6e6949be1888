/* print.c - messages for people: JSON both ways and the printed reference; see message.h. */
#include "schema/message.h"

#include "base/scope.h"
#include "data/json.h"
#include "data/pack.h"

int schema_json(const struct message *m, const void *in, unsigned indent, struct bytes *to,
                struct err *err)
{
    SCOPED(bytes_close) struct bytes packed = bytes_open(4 * FRAME_MAX_BYTES);
    return schema_encode(m, in, &packed, err) ||
                   json_from_pack(bytes_view(&packed), indent, to, err)
               ? -1
               : 0;
}

int schema_from_json(const struct message *m, struct view text, struct bytes *packed, void *out,
                     struct err *err)
{
    return json_to_pack(text, packed, err) ||
                   schema_decode(m, bytes_view(packed), SCHEMA_STRICT, out, err)
               ? -1
               : 0;
}

static int describe_type(const struct field *f, struct bytes *to, struct err *err)
{
    long long min = f->min, max = f->max;
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_LONG:
        return bytes_addf(to, err, "text, at most %lld bytes", max);
    case FIELD_BLOB:
        return bytes_addf(to, err, "blob, at most %lld bytes", max);
    case FIELD_CHOICE: {
        if (bytes_addf(to, err, "one of "))
            return -1;
        for (const char *c = f->choices; *c; c++)
            if (bytes_add(to, *c == '|' ? ", " : c, *c == '|' ? 2 : 1, err))
                return -1;
        return 0;
    }
    case FIELD_BOOL:
        return bytes_addf(to, err, "boolean");
    case FIELD_RECORD:
        return bytes_addf(to, err, "[%s](#%s)", f->record->name, f->record->name);
    case FIELD_TEXTS:
        return bytes_addf(to, err, "list of at most %u texts of at most %lld bytes", f->max_count,
                          max);
    case FIELD_RECORDS:
        return bytes_addf(to, err, "list of at most %u [%s](#%s)", f->max_count, f->record->name,
                          f->record->name);
    default:
        if (bytes_addf(to, err, "%s", f->type == FIELD_INT ? "integer" : "number"))
            return -1;
        if (max == INT64_MAX ? bytes_addf(to, err, " from %lld", min)
                             : bytes_addf(to, err, " %lld to %lld", min, max))
            return -1;
        return f->unit[0] ? bytes_addf(to, err, ", %s", f->unit) : 0;
    }
}

int schema_describe(const struct message *m, struct bytes *to, struct err *err)
{
    size_t count;
    const struct field *rows = m->rows(&count);
    int64_t since = 0;
    if (bytes_addf(to, err, "### %s\n\n%s (%s)\n\n", m->name, m->doc, m->direction))
        return -1;
    bool has_table = false;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].type == FIELD_SINCE) {
            since = rows[i].min;
            continue;
        }
        if (!has_table && bytes_addf(to, err,
                                     "| field | type | | since | meaning |\n"
                                     "|---|---|---|---|---|\n"))
            return -1;
        has_table = true;
        if (bytes_addf(to, err, "| `%s` | ", rows[i].name) || describe_type(&rows[i], to, err) ||
            bytes_addf(to, err, " | %s | %d.%lld | %s |\n", rows[i].required ? "required" : "",
                       SCHEMA_MAJOR, (long long)since, rows[i].doc))
            return -1;
    }
    return bytes_addf(to, err, "%s", has_table ? "\n" : "No fields.\n\n");
}
