/* codec.c - one walk over a message's rows decodes it, another encodes it; see message.h.
 *
 * Invariant: the checks of one value (check_*) are shared by both directions, so nothing can be
 * sent that the other side would refuse for its form.
 */
#include "schema/message.h"

#include "base/text.h"
#include "data/pack.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static int decode_map(const struct message *m, struct view *c, enum schema_mode mode, void *out,
                      struct err *err);

static int wrong(const struct message *m, const char *field, struct err *err)
{
    return err_add(err, "%s.%s", m->name, field);
}

/* Texts are UTF-8 without NUL, at most max bytes. */
static int check_text(struct view text, int64_t max, struct err *err)
{
    if (text.len > (size_t)max)
        return err_set(err, ERR_INVALID, "%zu bytes; at most %lld", text.len, (long long)max);
    if (text.len && memchr(text.data, 0, text.len))
        return err_set(err, ERR_INVALID, "holds a NUL");
    if (!text_is_utf8(text.data, text.len))
        return err_set(err, ERR_INVALID, "is no UTF-8");
    return 0;
}

static int check_choice(struct view word, const char *choices, struct err *err)
{
    for (const char *at = choices; *at;) {
        size_t n = strcspn(at, "|");
        if (n == word.len && !memcmp(at, word.data, n))
            return 0;
        at += n + (at[n] == '|');
    }
    return err_set(err, ERR_INVALID, "must be one of %s", choices);
}

static int check_int(int64_t value, const struct field *f, struct err *err)
{
    if (value < f->min || value > f->max)
        return err_set(err, ERR_INVALID, "%lld is outside %lld to %lld%s%s", (long long)value,
                       (long long)f->min, (long long)f->max, f->unit[0] ? " " : "", f->unit);
    return 0;
}

static int check_real(double value, const struct field *f, struct err *err)
{
    if (!isfinite(value) || value < (double)f->min || value > (double)f->max)
        return err_set(err, ERR_INVALID, "%g is outside %lld to %lld%s%s", value, (long long)f->min,
                       (long long)f->max, f->unit[0] ? " " : "", f->unit);
    return 0;
}

static const char *const type_names[] = {"nil",  "a boolean", "an integer", "a real number",
                                         "text", "a blob",    "a list",     "a map"};

static int want(const struct value *v, enum pack_type type, struct err *err)
{
    if (v->type == type)
        return 0;
    return err_set(err, ERR_INVALID, "must be %s, is %s", type_names[type], type_names[v->type]);
}

static int decode_text(const struct field *f, const struct value *v, void *to, struct err *err)
{
    if (want(v, PACK_TEXT, err) || check_text(v->bytes, f->max, err))
        return -1;
    if (f->type == FIELD_CHOICE && check_choice(v->bytes, f->choices, err))
        return -1;
    if (f->type == FIELD_LONG)
        memcpy(to, &v->bytes, sizeof v->bytes);
    else
        text_copy_view(to, (size_t)f->max + 1, v->bytes);
    return 0;
}

static int decode_blob(const struct field *f, const struct value *v, struct view *to,
                       struct err *err)
{
    if (want(v, PACK_BLOB, err))
        return -1;
    if (v->bytes.len > (size_t)f->max)
        return err_set(err, ERR_INVALID, "%zu bytes; at most %lld", v->bytes.len,
                       (long long)f->max);
    *to = v->bytes;
    return 0;
}

static int decode_real(const struct field *f, const struct value *v, double *to, struct err *err)
{
    double value = v->type == PACK_INT ? (double)v->integer : v->real;
    if ((v->type != PACK_INT && want(v, PACK_REAL, err)) || check_real(value, f, err))
        return -1;
    *to = value;
    return 0;
}

/* Checks one item of a list and moves behind it. */
static int check_item(const struct field *f, struct view *c, enum schema_mode mode, struct err *err)
{
    if (f->type == FIELD_TEXTS) {
        struct value v;
        return pack_next(c, &v, err) || want(&v, PACK_TEXT, err) || check_text(v.bytes, f->max, err)
                   ? -1
                   : 0;
    }
    uint64_t room[1024];
    assert(f->record->size <= sizeof room);
    return decode_map(f->record, c, mode, room, err);
}

static int decode_list(const struct field *f, struct view *c, enum schema_mode mode,
                       struct list *to, struct err *err)
{
    struct value v;
    if (pack_next(c, &v, err) || want(&v, PACK_ARRAY, err))
        return -1;
    if (v.count > f->max_count)
        return err_set(err, ERR_INVALID, "%u items; at most %u", v.count, f->max_count);
    struct list list = {.raw = *c, .count = v.count};
    for (uint32_t i = 0; i < v.count; i++)
        if (check_item(f, c, mode, err))
            return err_add(err, "item %u", i);
    list.raw.len -= c->len;
    *to = list;
    return 0;
}

static int decode_field(const struct field *f, struct view *c, enum schema_mode mode, void *to,
                        struct err *err)
{
    if (f->type == FIELD_RECORD)
        return decode_map(f->record, c, mode, to, err);
    if (f->type == FIELD_TEXTS || f->type == FIELD_RECORDS)
        return decode_list(f, c, mode, to, err);
    struct value v;
    if (pack_next(c, &v, err))
        return -1;
    switch (f->type) {
    case FIELD_BLOB:
        return decode_blob(f, &v, to, err);
    case FIELD_INT:
        if (want(&v, PACK_INT, err) || check_int(v.integer, f, err))
            return -1;
        memcpy(to, &v.integer, sizeof v.integer);
        return 0;
    case FIELD_REAL:
        return decode_real(f, &v, to, err);
    case FIELD_BOOL:
        if (want(&v, PACK_BOOL, err))
            return -1;
        memcpy(to, &v.boolean, sizeof v.boolean);
        return 0;
    default:
        return decode_text(f, &v, to, err);
    }
}

static const struct field *find(const struct message *m, struct view name, size_t *index)
{
    size_t count;
    const struct field *rows = m->rows(&count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].type != FIELD_SINCE && view_equal(name, view_of(rows[i].name))) {
            *index = i;
            return &rows[i];
        }
    return NULL;
}

/* Says of the first required field that is not in `present` that it is missing. */
static int check_required(const struct message *m, uint64_t present, struct err *err)
{
    size_t count;
    const struct field *rows = m->rows(&count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].required && !(present & 1ull << i))
            return err_set(err, ERR_INVALID, "%s.%s: is required", m->name, rows[i].name);
    return 0;
}

static int decode_map(const struct message *m, struct view *c, enum schema_mode mode, void *out,
                      struct err *err)
{
    struct value head, key;
    if (pack_next(c, &head, err) || want(&head, PACK_MAP, err))
        return err_add(err, "%s", m->name);
    uint64_t present = 0;
    memset(out, 0, m->size);
    for (uint32_t i = 0; i < head.count; i++) {
        if (pack_next(c, &key, err) || want(&key, PACK_TEXT, err))
            return err_add(err, "%s", m->name);
        size_t index;
        const struct field *f = find(m, key.bytes, &index);
        if (!f && mode == SCHEMA_LENIENT) {
            if (pack_skip(c, err))
                return err_add(err, "%s", m->name);
            continue;
        }
        if (!f)
            return err_set(err, ERR_INVALID, "%s.%.*s: no such field", m->name,
                           (int)(key.bytes.len > 64 ? 64 : key.bytes.len),
                           (const char *)key.bytes.data);
        if (decode_field(f, c, mode, (uint8_t *)out + f->offset, err))
            return wrong(m, f->name, err);
        present |= 1ull << index;
    }
    memcpy(out, &present, sizeof present);
    return check_required(m, present, err);
}

int schema_decode(const struct message *m, struct view frame, enum schema_mode mode, void *out,
                  struct err *err)
{
    uint64_t room[4096];
    assert(m->size <= sizeof room);
    if (pack_scan(frame, err))
        return err_add(err, "%s", m->name);
    if (decode_map(m, &frame, mode, room, err))
        return -1;
    memcpy(out, room, m->size);
    return 0;
}

bool list_next_text(struct list *rest, struct view *out)
{
    struct value v;
    struct err err;
    if (!rest->count)
        return false;
    int failed = pack_next(&rest->raw, &v, &err);
    assert(!failed && v.type == PACK_TEXT); /* the decoder or list_add_text checked it */
    rest->count--;
    *out = v.bytes;
    return true;
}

bool list_next(struct list *rest, const struct message *message, void *out)
{
    struct err err;
    if (!rest->count)
        return false;
    int failed = decode_map(message, &rest->raw, SCHEMA_LENIENT, out, &err);
    assert(!failed);
    rest->count--;
    return true;
}

int list_add_text(struct bytes *store, struct list *list, struct view text, struct err *err)
{
    struct pack p = pack_begin(store, err);
    pack_str(&p, text);
    if (pack_end(&p))
        return -1;
    *list = (struct list){bytes_view(store), list->count + 1};
    return 0;
}

int list_add(struct bytes *store, struct list *list, const struct message *message,
             const void *item, struct err *err)
{
    if (schema_encode(message, item, store, err))
        return -1;
    *list = (struct list){bytes_view(store), list->count + 1};
    return 0;
}

/* True when an optional field holds something: what is zero is not written unless marked. */
static bool holds(const struct field *f, const void *at)
{
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_CHOICE:
        return *(const char *)at != 0;
    case FIELD_LONG:
    case FIELD_BLOB:
        return ((const struct view *)at)->len != 0;
    case FIELD_INT:
        return *(const int64_t *)at != 0;
    case FIELD_REAL:
        return *(const double *)at < 0 || *(const double *)at > 0;
    case FIELD_BOOL:
        return *(const bool *)at;
    case FIELD_TEXTS:
    case FIELD_RECORDS:
        return ((const struct list *)at)->count != 0;
    default:
        return false; /* a record counts only when marked */
    }
}

static bool is_written(const struct field *f, size_t index, const void *in)
{
    if (f->type == FIELD_SINCE)
        return false;
    uint64_t present;
    memcpy(&present, in, sizeof present);
    return f->required || present & 1ull << index || holds(f, (const uint8_t *)in + f->offset);
}

static int encode_view(const struct field *f, struct view v, struct pack *p, struct err *err)
{
    if (f->type == FIELD_BLOB && v.len > (size_t)f->max)
        return err_set(err, ERR_INVALID, "%zu bytes; at most %lld", v.len, (long long)f->max);
    if (f->type != FIELD_BLOB && check_text(v, f->max, err))
        return -1;
    if (f->type == FIELD_CHOICE && check_choice(v, f->choices, err))
        return -1;
    if (f->type == FIELD_BLOB)
        pack_blob(p, v);
    else
        pack_str(p, v);
    return pack_end(p);
}

static int encode_list(const struct field *f, const struct list *list, struct pack *p,
                       struct err *err)
{
    if (list->count > f->max_count)
        return err_set(err, ERR_INVALID, "%u items; at most %u", list->count, f->max_count);
    struct view c = list->raw;
    for (uint32_t i = 0; i < list->count; i++)
        if (check_item(f, &c, SCHEMA_LENIENT, err))
            return err_add(err, "item %u", i);
    pack_array(p, list->count);
    pack_raw(p, list->raw);
    return pack_end(p);
}

static int encode_field(const struct field *f, const void *at, struct pack *p, struct err *err)
{
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_CHOICE:
        return encode_view(f, view_of(at), p, err);
    case FIELD_LONG:
    case FIELD_BLOB:
        return encode_view(f, *(const struct view *)at, p, err);
    case FIELD_INT:
        if (check_int(*(const int64_t *)at, f, err))
            return -1;
        pack_int(p, *(const int64_t *)at);
        return pack_end(p);
    case FIELD_REAL:
        if (check_real(*(const double *)at, f, err))
            return -1;
        pack_real(p, *(const double *)at);
        return pack_end(p);
    case FIELD_BOOL:
        pack_bool(p, *(const bool *)at);
        return pack_end(p);
    case FIELD_RECORD:
        return schema_encode(f->record, at, p->to, err);
    default:
        return encode_list(f, at, p, err);
    }
}

int schema_encode(const struct message *m, const void *in, struct bytes *to, struct err *err)
{
    size_t count, written = 0;
    const struct field *rows = m->rows(&count);
    for (size_t i = 0; i < count; i++)
        written += is_written(&rows[i], i, in);
    struct pack p = pack_begin(to, err);
    pack_map(&p, written);
    for (size_t i = 0; i < count; i++) {
        if (!is_written(&rows[i], i, in))
            continue;
        pack_text(&p, rows[i].name);
        if (pack_end(&p) || encode_field(&rows[i], (const uint8_t *)in + rows[i].offset, &p, err))
            return wrong(m, rows[i].name, err);
    }
    return pack_end(&p);
}

void schema_mark(const struct message *m, void *in, const char *field)
{
    size_t index = 0;
    const struct field *f = find(m, view_of(field), &index);
    assert(f);
    uint64_t present;
    memcpy(&present, in, sizeof present);
    present |= 1ull << index;
    memcpy(in, &present, sizeof present);
}

bool schema_has(const struct message *m, const void *in, const char *field)
{
    size_t index = 0;
    const struct field *f = find(m, view_of(field), &index);
    assert(f);
    uint64_t present;
    memcpy(&present, in, sizeof present);
    return present & 1ull << index;
}
