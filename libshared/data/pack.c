/* pack.c - msgpack on raw bytes; see pack.h. */
#include "data/pack.h"

#include <assert.h>
#include <msgpack.h>
#include <string.h>

static int add_to_bytes(void *context, const char *data, size_t len)
{
    struct pack *p = context;
    if (!p->failed && bytes_add(p->to, data, len, p->err))
        p->failed = true;
    return p->failed ? -1 : 0;
}

/* msgpack-c's packer is two pointers: making one for each value keeps struct pack free of foreign
 * types. */
static msgpack_packer packer(struct pack *p)
{
    msgpack_packer pk;
    msgpack_packer_init(&pk, p, add_to_bytes);
    return pk;
}

struct pack pack_begin(struct bytes *to, struct err *err)
{
    return (struct pack){.to = to, .err = err};
}

int pack_end(struct pack *p)
{
    return p->failed ? -1 : 0;
}

void pack_map(struct pack *p, size_t pairs)
{
    msgpack_packer pk = packer(p);
    msgpack_pack_map(&pk, pairs);
}

void pack_array(struct pack *p, size_t items)
{
    msgpack_packer pk = packer(p);
    msgpack_pack_array(&pk, items);
}

void pack_nil(struct pack *p)
{
    msgpack_packer pk = packer(p);
    msgpack_pack_nil(&pk);
}

void pack_bool(struct pack *p, bool value)
{
    msgpack_packer pk = packer(p);
    if (value)
        msgpack_pack_true(&pk);
    else
        msgpack_pack_false(&pk);
}

void pack_int(struct pack *p, int64_t value)
{
    msgpack_packer pk = packer(p);
    msgpack_pack_int64(&pk, value);
}

void pack_real(struct pack *p, double value)
{
    msgpack_packer pk = packer(p);
    msgpack_pack_double(&pk, value);
}

void pack_str(struct pack *p, struct view text)
{
    msgpack_packer pk = packer(p);
    msgpack_pack_str(&pk, text.len);
    add_to_bytes(p, (const char *)text.data, text.len);
}

void pack_text(struct pack *p, const char *text)
{
    pack_str(p, view_of(text));
}

void pack_blob(struct pack *p, struct view data)
{
    msgpack_packer pk = packer(p);
    msgpack_pack_bin(&pk, data.len);
    add_to_bytes(p, (const char *)data.data, data.len);
}

void pack_raw(struct pack *p, struct view packed)
{
    add_to_bytes(p, (const char *)packed.data, packed.len);
}

static int cut_short(struct err *err)
{
    return err_set(err, ERR_INVALID, "the msgpack data is cut short");
}

/* A big-endian number of `width` bytes (1, 2, 4, 8). */
static int read_number(struct view *c, size_t width, uint64_t *out, struct err *err)
{
    if (width > c->len)
        return cut_short(err);
    uint64_t n = 0;
    for (size_t i = 0; i < width; i++)
        n = n << 8 | c->data[i];
    c->data += width;
    c->len -= width;
    *out = n;
    return 0;
}

static int read_bytes(struct view *c, enum pack_type type, uint64_t len, struct value *out,
                      struct err *err)
{
    if (len > c->len)
        return err_set(err, ERR_INVALID, "a text or blob of %llu bytes where %zu are left",
                       (unsigned long long)len, c->len);
    *out = (struct value){.type = type, .bytes = {c->data, (size_t)len}};
    c->data += len;
    c->len -= (size_t)len;
    return 0;
}

/* A map or array; each item needs at least one byte (a pair two), so a larger count is a lie. */
static int read_count(struct view *c, enum pack_type type, uint64_t count, struct value *out,
                      struct err *err)
{
    uint64_t least = type == PACK_MAP ? 2 * count : count;
    if (least > c->len)
        return err_set(err, ERR_INVALID, "%llu items declared where %zu bytes are left",
                       (unsigned long long)count, c->len);
    *out = (struct value){.type = type, .count = (uint32_t)count};
    return 0;
}

static int read_int(struct view *c, uint8_t tag, struct value *out, struct err *err)
{
    bool is_signed = tag >= 0xd0;
    size_t width = (size_t)1 << (tag & 3);
    uint64_t n = 0;
    if (read_number(c, width, &n, err))
        return -1;
    if (!is_signed && n > INT64_MAX)
        return err_set(err, ERR_INVALID, "an integer above 2^63-1");
    unsigned shift = (unsigned)(64 - 8 * width);
    int64_t value = is_signed ? (int64_t)(n << shift) >> shift : (int64_t)n;
    *out = (struct value){.type = PACK_INT, .integer = value};
    return 0;
}

static int read_real(struct view *c, uint8_t tag, struct value *out, struct err *err)
{
    uint64_t n = 0;
    if (read_number(c, tag == 0xca ? 4 : 8, &n, err))
        return -1;
    *out = (struct value){.type = PACK_REAL};
    if (tag == 0xca) {
        uint32_t bits = (uint32_t)n;
        float single;
        memcpy(&single, &bits, sizeof single);
        out->real = (double)single;
    } else {
        memcpy(&out->real, &n, sizeof out->real);
    }
    return 0;
}

/* Tags 0xc0 to 0xdf, which have their lengths behind them. */
static int read_tagged(struct view *c, uint8_t tag, struct value *out, struct err *err)
{
    uint64_t n = 0;
    switch (tag) {
    case 0xc0:
        *out = (struct value){.type = PACK_NIL};
        return 0;
    case 0xc2:
    case 0xc3:
        *out = (struct value){.type = PACK_BOOL, .boolean = tag == 0xc3};
        return 0;
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return read_number(c, (size_t)1 << (tag - 0xc4), &n, err) ||
                       read_bytes(c, PACK_BLOB, n, out, err)
                   ? -1
                   : 0;
    case 0xca:
    case 0xcb:
        return read_real(c, tag, out, err);
    case 0xd9:
    case 0xda:
    case 0xdb:
        return read_number(c, (size_t)1 << (tag - 0xd9), &n, err) ||
                       read_bytes(c, PACK_TEXT, n, out, err)
                   ? -1
                   : 0;
    case 0xdc:
    case 0xdd:
        return read_number(c, tag == 0xdc ? 2 : 4, &n, err) ||
                       read_count(c, PACK_ARRAY, n, out, err)
                   ? -1
                   : 0;
    case 0xde:
    case 0xdf:
        return read_number(c, tag == 0xde ? 2 : 4, &n, err) || read_count(c, PACK_MAP, n, out, err)
                   ? -1
                   : 0;
    default:
        if (tag >= 0xcc && tag <= 0xd3)
            return read_int(c, tag, out, err);
        return err_set(err, ERR_INVALID, "a msgpack ext type (0x%02x): not used by Corral", tag);
    }
}

int pack_next(struct view *c, struct value *out, struct err *err)
{
    if (!c->len)
        return cut_short(err);
    uint8_t tag = c->data[0];
    struct view rest = {c->data + 1, c->len - 1};
    struct value v;
    int failed;
    if (tag < 0x80 || tag >= 0xe0) {
        v = (struct value){.type = PACK_INT, .integer = (int8_t)tag};
        failed = 0;
    } else if (tag < 0x90) {
        failed = read_count(&rest, PACK_MAP, tag & 15u, &v, err);
    } else if (tag < 0xa0) {
        failed = read_count(&rest, PACK_ARRAY, tag & 15u, &v, err);
    } else if (tag < 0xc0) {
        failed = read_bytes(&rest, PACK_TEXT, tag & 31u, &v, err);
    } else {
        failed = read_tagged(&rest, tag, &v, err);
    }
    if (failed)
        return -1;
    *c = rest;
    *out = v;
    return 0;
}

/* One open array or map during a walk. */
struct level {
    uint64_t left;     /* values still to come, keys counted */
    bool is_map;       /* even `left` means: a key comes next */
    struct view *keys; /* of a map under pre-scan; NULL otherwise */
    uint32_t key_count;
};

struct walk {
    struct level levels[FRAME_MAX_DEPTH];
    size_t depth;
    size_t nodes;
    bool scan; /* the pre-scan's rules on keys and node count apply */
};

/* Keys of the open maps live in one array: maps close in reverse order of opening. */
struct keys {
    struct view seen[FRAME_MAX_DEPTH * MAP_MAX_KEYS];
    size_t used;
};

static int open_level(struct walk *w, struct keys *keys, const struct value *v, struct err *err)
{
    if (w->depth == FRAME_MAX_DEPTH)
        return err_set(err, ERR_INVALID, "nested deeper than %d", FRAME_MAX_DEPTH);
    bool is_map = v->type == PACK_MAP;
    if (w->scan && is_map && v->count > MAP_MAX_KEYS)
        return err_set(err, ERR_INVALID, "a map of more than %d keys", MAP_MAX_KEYS);
    w->levels[w->depth++] = (struct level){.left = is_map ? 2 * (uint64_t)v->count : v->count,
                                           .is_map = is_map,
                                           .keys = keys ? keys->seen + keys->used : NULL};
    return 0;
}

static int check_key(struct level *top, struct keys *keys, const struct value *v, struct err *err)
{
    if (v->type != PACK_TEXT)
        return err_set(err, ERR_INVALID, "a map key that is no string");
    for (uint32_t i = 0; i < top->key_count; i++)
        if (view_equal(top->keys[i], v->bytes))
            return err_set(err, ERR_INVALID, "the key \"%.*s\" twice in one map",
                           (int)(v->bytes.len > 64 ? 64 : v->bytes.len),
                           (const char *)v->bytes.data);
    top->keys[top->key_count++] = v->bytes;
    keys->used++;
    return 0;
}

/* Walks one whole value; with `keys`, under the rules of the pre-scan. */
static int walk_value(struct view *c, struct keys *keys, struct err *err)
{
    struct walk w = {.scan = keys != NULL};
    do {
        while (w.depth && !w.levels[w.depth - 1].left) {
            w.depth--;
            if (keys)
                keys->used -= w.levels[w.depth].key_count;
        }
        if (w.nodes && !w.depth)
            return 0;
        if (w.scan && w.nodes == FRAME_MAX_NODES)
            return err_set(err, ERR_INVALID, "more than %d values in a frame", FRAME_MAX_NODES);
        struct value v;
        if (pack_next(c, &v, err))
            return -1;
        w.nodes++;
        struct level *top = w.depth ? &w.levels[w.depth - 1] : NULL;
        if (keys && top && top->is_map && top->left % 2 == 0 && check_key(top, keys, &v, err))
            return -1;
        if (top)
            top->left--;
        if ((v.type == PACK_MAP || v.type == PACK_ARRAY) && open_level(&w, keys, &v, err))
            return -1;
    } while (true);
}

int pack_skip(struct view *cursor, struct err *err)
{
    struct view c = *cursor;
    if (walk_value(&c, NULL, err))
        return -1;
    *cursor = c;
    return 0;
}

int pack_scan(struct view frame, struct err *err)
{
    if (frame.len > FRAME_MAX_BYTES)
        return err_set(err, ERR_INVALID, "a frame of %zu bytes; at most %d", frame.len,
                       FRAME_MAX_BYTES);
    struct view c = frame;
    struct value first;
    if (pack_next(&c, &first, err))
        return -1;
    if (first.type != PACK_MAP)
        return err_set(err, ERR_INVALID, "the body is no map");
    struct keys keys;
    keys.used = 0;
    c = frame;
    if (walk_value(&c, &keys, err))
        return -1;
    if (c.len)
        return err_set(err, ERR_INVALID, "%zu bytes behind the body", c.len);
    return 0;
}
