/* frame.c - one encoder and one decoder walk the rows that frame.def gives. */
#include "init/frame.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum scope { CONNECTION, EXEC, EITHER };
enum need { OPTIONAL, REQUIRED };
enum type { TYPE_INT, TYPE_BOOL, TYPE_TEXT, TYPE_BLOB, TYPE_TEXTS };

struct row {
    const char *name; /* NULL ends the rows */
    enum type type;
    enum need need;
    int64_t least, most; /* of the number, the length or the count of texts */
    size_t offset;       /* in struct frame_<name> */
};

struct layout {
    const char *name;
    enum scope scope;
    size_t size; /* of struct frame_<name> */
    const struct row *rows;
};

/* layout_<name>(): the rows of one kind. */
#define FRAME(frame, NAME, number, scope_, direction, doc)                                         \
    static const struct layout *layout_##frame(void)                                               \
    {                                                                                              \
        typedef struct frame_##frame self;                                                         \
        enum { SCOPE = scope_ };                                                                   \
        static const struct row rows[] = {
#define INT(field, need, least, most, doc)                                                         \
    {#field, TYPE_INT, need, least, most, offsetof(self, field)},
#define BOOL(field, doc) {#field, TYPE_BOOL, REQUIRED, 0, 1, offsetof(self, field)},
#define TEXT(field, need, least, most, doc)                                                        \
    {#field, TYPE_TEXT, need, least, most, offsetof(self, field)},
#define BLOB(field, need, least, most, doc)                                                        \
    {#field, TYPE_BLOB, need, least, most, offsetof(self, field)},
#define TEXTS(field, least, most, doc)                                                             \
    {#field, TYPE_TEXTS, REQUIRED, least, most, offsetof(self, field)},
#define END(frame)                                                                                 \
    {                                                                                              \
        NULL, 0, 0, 0, 0, 0                                                                        \
    }                                                                                              \
    }                                                                                              \
    ;                                                                                              \
    static const struct layout layout = {#frame, (enum scope)SCOPE, sizeof(self), rows};           \
    return &layout;                                                                                \
    }
#include "init/frame.def"
#undef FRAME
#undef INT
#undef BOOL
#undef TEXT
#undef BLOB
#undef TEXTS
#undef END

#define INT(field, need, least, most, doc)
#define BOOL(field, doc)
#define TEXT(field, need, least, most, doc)
#define BLOB(field, need, least, most, doc)
#define TEXTS(field, least, most, doc)
#define END(frame)

static const struct layout *layout_of(enum frame_kind kind)
{
    switch (kind) {
#define FRAME(frame, NAME, number, scope, direction, doc)                                          \
    case FRAME_##NAME:                                                                             \
        return layout_##frame();
#include "init/frame.def"
#undef FRAME
    case FRAME_NONE:
        break;
    }
    return NULL;
}

const char *frame_name(enum frame_kind kind)
{
    const struct layout *layout = layout_of(kind);
    return layout ? layout->name : "unknown";
}

static uint32_t read_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void write_u32(uint8_t *p, uint32_t n)
{
    for (int i = 3; i >= 0; i--, n >>= 8)
        p[i] = (uint8_t)n;
}

static bool scope_has(enum scope scope, uint32_t id)
{
    return scope == EITHER || (scope == CONNECTION) == (id == 0);
}

int frame_next(struct view *cursor, struct frame *out, struct err *err)
{
    static const struct frame none = {0};
    if (cursor->len < 4) {
        *out = none;
        return 0;
    }
    uint32_t len = read_u32(cursor->data);
    if (len < FRAME_HEAD_BYTES - 4 + 1 || len > FRAME_HEAD_BYTES - 4 + FRAME_MAX_BYTES)
        return err_set(err, ERR_PEER, "a frame that claims %u bytes", len);
    if (len > cursor->len - 4) {
        *out = none;
        return 0;
    }
    struct frame frame = {.id = read_u32(cursor->data + 4),
                          .kind = (enum frame_kind)cursor->data[8],
                          .body = {cursor->data + FRAME_HEAD_BYTES, len + 4 - FRAME_HEAD_BYTES}};
    const struct layout *layout = layout_of(frame.kind);
    if (!layout)
        return err_set(err, ERR_PEER, "a frame of the unknown kind %d", (int)frame.kind);
    if (!scope_has(layout->scope, frame.id))
        return err_set(err, ERR_PEER, "%s: the id %u", layout->name, frame.id);
    if (pack_scan(frame.body, err)) {
        err->code = ERR_PEER;
        return err_add(err, "%s", layout->name);
    }
    cursor->data += len + 4;
    cursor->len -= len + 4;
    *out = frame;
    return 0;
}

/* A field's place in a record. */
static void *field_of(void *record, const struct row *row)
{
    return (char *)record + row->offset;
}

/* The number, length or count that the row's bounds are about; -1 when a TEXT or TEXTS is none. */
static int64_t measure(const struct row *row, const void *field)
{
    if (row->type == TYPE_INT)
        return *(const int64_t *)field;
    if (row->type == TYPE_BOOL)
        return *(const bool *)field;
    struct view v = *(const struct view *)field;
    if (row->type == TYPE_TEXT && v.len && memchr(v.data, 0, v.len))
        return -1;
    if (row->type != TYPE_TEXTS)
        return (int64_t)v.len;
    return v.len && v.data[v.len - 1] ? -1 : (int64_t)frame_texts(v);
}

static bool is_absent(const struct row *row, const void *field)
{
    if (row->need == REQUIRED)
        return false;
    if (row->type == TYPE_INT)
        return *(const int64_t *)field == -1;
    return !((const struct view *)field)->data;
}

static int check(const struct layout *layout, const struct row *row, const void *field,
                 enum err_code code, struct err *err)
{
    if (is_absent(row, field))
        return 0;
    int64_t n = measure(row, field);
    if (n == -1 && row->type != TYPE_INT)
        return err_set(err, code, "%s.%s: %s", layout->name, row->name,
                       row->type == TYPE_TEXT ? "a NUL inside" : "no NUL at the end");
    if (n < row->least || n > row->most)
        return err_set(err, code, "%s.%s: %lld is outside %lld to %lld", layout->name, row->name,
                       (long long)n, (long long)row->least, (long long)row->most);
    return 0;
}

static void pack_field(struct pack *p, const struct row *row, const void *field)
{
    pack_text(p, row->name);
    if (row->type == TYPE_INT)
        pack_int(p, *(const int64_t *)field);
    else if (row->type == TYPE_BOOL)
        pack_bool(p, *(const bool *)field);
    else if (row->type == TYPE_TEXT)
        pack_str(p, *(const struct view *)field);
    else
        pack_blob(p, *(const struct view *)field);
}

static int put_body(struct bytes *to, const struct layout *layout, const void *record,
                    struct err *err)
{
    size_t pairs = 0;
    for (const struct row *row = layout->rows; row->name; row++) {
        const void *field = (const char *)record + row->offset;
        if (check(layout, row, field, ERR_INVALID, err))
            return -1;
        pairs += !is_absent(row, field);
    }
    struct pack p = pack_begin(to, err);
    pack_map(&p, pairs);
    for (const struct row *row = layout->rows; row->name; row++) {
        const void *field = (const char *)record + row->offset;
        if (!is_absent(row, field))
            pack_field(&p, row, field);
    }
    return pack_end(&p);
}

static int put(struct bytes *to, const struct layout *layout, enum frame_kind kind, uint32_t id,
               const void *record, struct err *err)
{
    if (!scope_has(layout->scope, id))
        return err_set(err, ERR_INVALID, "%s: the id %u", layout->name, id);
    size_t start = to->len;
    uint8_t head[FRAME_HEAD_BYTES] = {0};
    write_u32(head + 4, id);
    head[8] = (uint8_t)kind;
    int failed = bytes_add(to, head, sizeof head, err) || put_body(to, layout, record, err);
    size_t body = to->len - start - (failed ? 0 : FRAME_HEAD_BYTES);
    if (!failed && body > FRAME_MAX_BYTES)
        failed = err_set(err, ERR_INVALID, "%s: %zu bytes; a frame has at most %d", layout->name,
                         body, FRAME_MAX_BYTES);
    if (failed) {
        to->len = start;
        if (to->data)
            to->data[start] = 0;
        return -1;
    }
    write_u32(to->data + start, (uint32_t)(body + FRAME_HEAD_BYTES - 4));
    return 0;
}

static const struct row *row_named(const struct layout *layout, struct view name)
{
    for (const struct row *row = layout->rows; row->name; row++)
        if (view_equal(view_of(row->name), name))
            return row;
    return NULL;
}

static int get_field(const struct layout *layout, const struct row *row, const struct value *v,
                     void *record, struct err *err)
{
    static const enum pack_type types[] = {[TYPE_INT] = PACK_INT,
                                           [TYPE_BOOL] = PACK_BOOL,
                                           [TYPE_TEXT] = PACK_TEXT,
                                           [TYPE_BLOB] = PACK_BLOB,
                                           [TYPE_TEXTS] = PACK_BLOB};
    if (v->type != types[row->type])
        return err_set(err, ERR_PEER, "%s.%s: the wrong type", layout->name, row->name);
    void *field = field_of(record, row);
    if (row->type == TYPE_INT)
        *(int64_t *)field = v->integer;
    else if (row->type == TYPE_BOOL)
        *(bool *)field = v->boolean;
    else
        *(struct view *)field = v->bytes;
    /* -1 in an optional number would read as absent; nothing that is there may */
    if (is_absent(row, field))
        return err_set(err, ERR_PEER, "%s.%s: -1 is out of bounds", layout->name, row->name);
    return check(layout, row, field, ERR_PEER, err);
}

/* Reads the pairs into a record whose optional fields are absent; *seen gets a bit for each row. */
static int get_pairs(struct view body, const struct layout *layout, void *record, uint64_t *seen,
                     struct err *err)
{
    struct value v;
    if (pack_next(&body, &v, err))
        return -1;
    for (uint32_t left = v.count; left; left--) {
        if (pack_next(&body, &v, err))
            return -1;
        const struct row *row = row_named(layout, v.bytes);
        if (!row) {
            if (pack_skip(&body, err))
                return -1;
            continue;
        }
        if (pack_next(&body, &v, err) || get_field(layout, row, &v, record, err))
            return -1;
        *seen |= UINT64_C(1) << (row - layout->rows);
    }
    return 0;
}

static int get(const struct frame *frame, const struct layout *layout, void *out, struct err *err)
{
    union {
#define FRAME(frame, NAME, number, scope, direction, doc) struct frame_##frame frame;
#include "init/frame.def"
#undef FRAME
    } record = {0};
    for (const struct row *row = layout->rows; row->name; row++)
        if (row->type == TYPE_INT)
            *(int64_t *)field_of(&record, row) = -1;
    uint64_t seen = 0;
    if (get_pairs(frame->body, layout, &record, &seen, err))
        return -1;
    for (const struct row *row = layout->rows; row->name; row++)
        if (row->need == REQUIRED && !(seen >> (row - layout->rows) & 1))
            return err_set(err, ERR_PEER, "%s.%s: missing", layout->name, row->name);
    record.hello.id = frame->id; /* every struct begins with its id */
    memcpy(out, &record, layout->size);
    return 0;
}

#define FRAME(name, NAME, number, scope, direction, doc)                                           \
    int frame_put_##name(struct bytes *to, const struct frame_##name *m, struct err *err)          \
    {                                                                                              \
        return put(to, layout_##name(), FRAME_##NAME, m->id, m, err);                              \
    }                                                                                              \
    int frame_get_##name(const struct frame *frame, struct frame_##name *m, struct err *err)       \
    {                                                                                              \
        assert(frame->kind == FRAME_##NAME);                                                       \
        return get(frame, layout_##name(), m, err);                                                \
    }
#include "init/frame.def"
#undef FRAME
#undef INT
#undef BOOL
#undef TEXT
#undef BLOB
#undef TEXTS
#undef END

const char *frame_text(struct view *texts)
{
    if (!texts->len)
        return NULL;
    const char *text = (const char *)texts->data;
    size_t len = strlen(text) + 1;
    texts->data += len;
    texts->len -= len;
    return text;
}

size_t frame_texts(struct view texts)
{
    size_t n = 0;
    for (size_t i = 0; i < texts.len; i++)
        n += !texts.data[i];
    return n;
}
