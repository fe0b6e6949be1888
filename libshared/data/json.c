/* json.c - JSON beside msgpack; see json.h.
 *
 * Writing walks the packed bytes and needs no tree, so nothing but the output is allocated. Reading
 * is jansson's, behind a look at the depth: jansson would nest 2048 deep and tells no positions
 * afterwards.
 */
#include "data/json.h"

#include "base/scope.h"
#include "base/text.h"
#include "data/pack.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char BASE64_SUFFIX[] = "_base64";

struct writer {
    struct bytes *to;
    unsigned indent;
    struct err *err;
};

static int put(struct writer *w, const char *text)
{
    return bytes_add(w->to, text, strlen(text), w->err);
}

/* A new line at this depth; nothing in the one-line form. */
static int put_line(struct writer *w, unsigned depth)
{
    return w->indent ? bytes_addf(w->to, w->err, "\n%*s", (int)(w->indent * depth), "") : 0;
}

static int put_escaped(struct writer *w, uint32_t point)
{
    if (point == '"' || point == '\\')
        return bytes_addf(w->to, w->err, "\\%c", (int)point);
    if (point == '\n' || point == '\t')
        return put(w, point == '\n' ? "\\n" : "\\t");
    if (point < 0x10000)
        return bytes_addf(w->to, w->err, "\\u%04x", point);
    uint32_t rest = point - 0x10000; /* a surrogate pair, RFC 8259 section 7 */
    return bytes_addf(w->to, w->err, "\\u%04x\\u%04x", 0xd800 + (rest >> 10),
                      0xdc00 + (rest & 0x3ff));
}

/* The inside of a string; `text` is UTF-8. Runs that need no escape are copied whole. */
static int put_characters(struct writer *w, struct view text)
{
    size_t run = 0, at = 0;
    while (at < text.len) {
        uint32_t point;
        size_t n = text_decode(text.data + at, text.len - at, &point);
        assert(n);
        if (point == '"' || point == '\\' || text_hides(point)) {
            if (bytes_add(w->to, text.data + run, at - run, w->err) || put_escaped(w, point))
                return -1;
            run = at + n;
        }
        at += n;
    }
    return at > run ? bytes_add(w->to, text.data + run, at - run, w->err) : 0;
}

static int put_string(struct writer *w, struct view text)
{
    return put(w, "\"") || put_characters(w, text) || put(w, "\"") ? -1 : 0;
}

static int put_base64(struct writer *w, struct view data)
{
    size_t size = sodium_base64_ENCODED_LEN(data.len, sodium_base64_VARIANT_ORIGINAL);
    if (put(w, "\""))
        return -1;
    uint8_t *at = bytes_reserve(w->to, size - 1, w->err); /* size counts the NUL, reserve adds it */
    if (!at)
        return -1;
    sodium_bin2base64((char *)at, size, data.data, data.len, sodium_base64_VARIANT_ORIGINAL);
    bytes_grew(w->to, size - 1);
    return put(w, "\"");
}

/* The shortest decimal form that reads back as the same number, and as a real. */
static int put_real(struct writer *w, double value)
{
    if (!isfinite(value))
        return err_set(w->err, ERR_INVALID, "NaN and infinity have no form in JSON");
    char digits[32];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    return put(w, digits) || (!strpbrk(digits, ".e") && put(w, ".0")) ? -1 : 0;
}

static bool needs_base64(const struct value *v)
{
    if (v->type != PACK_TEXT && v->type != PACK_BLOB)
        return false;
    if (v->type == PACK_BLOB && v->bytes.len && memchr(v->bytes.data, 0, v->bytes.len))
        return true;
    return !text_is_utf8(v->bytes.data, v->bytes.len);
}

/* True when the map whose pairs start at `pairs` has the key <key>_base64 too. */
static bool has_base64_twin(struct view pairs, uint32_t count, struct view key)
{
    size_t suffix = strlen(BASE64_SUFFIX);
    struct err ignored; /* what is malformed is reported by the walk that gets there */
    for (uint32_t i = 0; i < count; i++) {
        struct value other;
        if (pack_next(&pairs, &other, &ignored) || other.type != PACK_TEXT)
            return false;
        struct view name = other.bytes;
        if (name.len == key.len + suffix && !memcmp(name.data, key.data, key.len) &&
            !memcmp(name.data + key.len, BASE64_SUFFIX, suffix))
            return true;
        if (pack_skip(&pairs, &ignored))
            return false;
    }
    return false;
}

static int put_name(struct writer *w, struct view key, bool base64)
{
    return put(w, "\"") || put_characters(w, key) || (base64 && put(w, BASE64_SUFFIX)) ||
                   put(w, w->indent ? "\": " : "\":")
               ? -1
               : 0;
}

static int put_value(struct writer *w, struct view *c, const struct value *v, unsigned depth);

static int put_pair(struct writer *w, struct view *c, struct view pairs, uint32_t count,
                    unsigned depth)
{
    struct value key, v;
    if (pack_next(c, &key, w->err))
        return -1;
    if (key.type != PACK_TEXT || !text_is_utf8(key.bytes.data, key.bytes.len))
        return err_set(w->err, ERR_INVALID, "a map key that is no UTF-8 string");
    if (pack_next(c, &v, w->err))
        return -1;
    bool base64 = needs_base64(&v);
    if (base64 && has_base64_twin(pairs, count, key.bytes))
        return err_set(w->err, ERR_INVALID, "%.*s%s is a key already",
                       (int)(key.bytes.len > 64 ? 64 : key.bytes.len), (const char *)key.bytes.data,
                       BASE64_SUFFIX);
    if (put_name(w, key.bytes, base64))
        return -1;
    return base64 ? put_base64(w, v.bytes) : put_value(w, c, &v, depth);
}

static int put_items(struct writer *w, struct view *c, const struct value *v, unsigned depth)
{
    bool is_map = v->type == PACK_MAP;
    if (depth == FRAME_MAX_DEPTH)
        return err_set(w->err, ERR_INVALID, "nested deeper than %d", FRAME_MAX_DEPTH);
    if (is_map && v->count > MAP_MAX_KEYS)
        return err_set(w->err, ERR_INVALID, "a map of more than %d keys", MAP_MAX_KEYS);
    struct view pairs = *c;
    if (put(w, is_map ? "{" : "["))
        return -1;
    for (uint32_t i = 0; i < v->count; i++) {
        if ((i && put(w, ",")) || put_line(w, depth + 1))
            return -1;
        struct value item;
        int failed = is_map ? put_pair(w, c, pairs, v->count, depth + 1)
                            : pack_next(c, &item, w->err) || put_value(w, c, &item, depth + 1);
        if (failed)
            return -1;
    }
    return (v->count && put_line(w, depth)) || put(w, is_map ? "}" : "]") ? -1 : 0;
}

static int put_value(struct writer *w, struct view *c, const struct value *v, unsigned depth)
{
    switch (v->type) {
    case PACK_NIL:
        return put(w, "null");
    case PACK_BOOL:
        return put(w, v->boolean ? "true" : "false");
    case PACK_INT:
        return bytes_addf(w->to, w->err, "%lld", (long long)v->integer);
    case PACK_REAL:
        return put_real(w, v->real);
    case PACK_TEXT:
    case PACK_BLOB:
        if (!needs_base64(v))
            return put_string(w, v->bytes);
        return put(w, "{") || put_name(w, view_of("base64"), false) || put_base64(w, v->bytes) ||
                       put(w, "}")
                   ? -1
                   : 0;
    case PACK_ARRAY:
    case PACK_MAP:
        return put_items(w, c, v, depth);
    }
    assert(false); /* pack_next gives no other type */
    return -1;
}

int json_from_pack(struct view packed, unsigned indent, struct bytes *to, struct err *err)
{
    assert(to && err && indent <= 8);
    struct writer w = {.to = to, .indent = indent, .err = err};
    size_t before = to->len;
    struct view c = packed;
    struct value v;
    if (pack_next(&c, &v, err) || put_value(&w, &c, &v, 0)) {
        bytes_cut(to, before);
        return -1;
    }
    if (c.len) {
        bytes_cut(to, before);
        return err_set(err, ERR_INVALID, "%zu bytes behind the value", c.len);
    }
    return 0;
}

/* Refuses brackets nested deeper than a frame may be. Brackets in strings do not count; what else
 * may be wrong is jansson's to say. */
static int check_depth(struct view text, struct err *err)
{
    int line = 1, column = 0, depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = (char)text.data[i];
        if ((c & 0xc0) != 0x80) /* columns count characters, as jansson does */
            column++;
        if (c == '\n') {
            line++;
            column = 0;
        } else if (in_string && c == '\\' && i + 1 < text.len) {
            i++;
            column++;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == '[' || c == '{') && ++depth > FRAME_MAX_DEPTH) {
            return err_set(err, ERR_INVALID, "%d:%d: nested deeper than %d", line, column,
                           FRAME_MAX_DEPTH);
        } else if (!in_string && (c == ']' || c == '}')) {
            depth--;
        }
    }
    return 0;
}

static void pack_json(struct pack *p, json_t *value)
{
    const char *key;
    json_t *item;
    size_t i;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        pack_map(p, json_object_size(value));
        json_object_foreach(value, key, item)
        {
            pack_text(p, key);
            pack_json(p, item);
        }
        break;
    case JSON_ARRAY:
        pack_array(p, json_array_size(value));
        json_array_foreach(value, i, item) pack_json(p, item);
        break;
    case JSON_STRING:
        pack_str(
            p, (struct view){(const uint8_t *)json_string_value(value), json_string_length(value)});
        break;
    case JSON_INTEGER:
        pack_int(p, json_integer_value(value));
        break;
    case JSON_REAL:
        pack_real(p, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        pack_bool(p, json_is_true(value));
        break;
    case JSON_NULL:
        pack_nil(p);
        break;
    }
}

static void json_drop(json_t **value)
{
    json_decref(*value);
}

int json_to_pack(struct view text, struct bytes *to, struct err *err)
{
    assert(to && err);
    if (check_depth(text, err))
        return -1;
    json_error_t wrong;
    SCOPED(json_drop)
    json_t *root = json_loadb(text.len ? (const char *)text.data : "", text.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &wrong);
    if (!root && json_error_code(&wrong) == json_error_out_of_memory)
        return err_set(err, ERR_MEMORY, "no memory to read JSON");
    if (!root)
        return err_set(err, ERR_INVALID, "%d:%d: %s", wrong.line, wrong.column, wrong.text);
    size_t before = to->len;
    struct pack p = pack_begin(to, err);
    pack_json(&p, root);
    if (pack_end(&p)) {
        bytes_cut(to, before);
        return -1;
    }
    return 0;
}
