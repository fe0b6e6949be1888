/* pack_oracle.h - msgpack-c as the judge of our reader.
 *
 * Only for frames that pack_scan accepts: msgpack-c reserves memory for whatever count a frame
 * declares.
 */
#pragma once

#include "data/pack.h"

#include <msgpack.h>
#include <string.h>

static inline bool same_value(struct view *c, const msgpack_object *o);

static inline bool same_items(struct view *c, const struct value *v, const msgpack_object *o)
{
    if (v->type == PACK_ARRAY) {
        if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size != v->count)
            return false;
        for (uint32_t i = 0; i < v->count; i++)
            if (!same_value(c, &o->via.array.ptr[i]))
                return false;
        return true;
    }
    if (o->type != MSGPACK_OBJECT_MAP || o->via.map.size != v->count)
        return false;
    for (uint32_t i = 0; i < v->count; i++)
        if (!same_value(c, &o->via.map.ptr[i].key) || !same_value(c, &o->via.map.ptr[i].val))
            return false;
    return true;
}

static inline bool same_integer(int64_t integer, const msgpack_object *o)
{
    if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        return integer >= 0 && o->via.u64 == (uint64_t)integer;
    return o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER && o->via.i64 == integer;
}

/* Reads the value at the cursor with pack_next and compares it, and all in it, with msgpack-c's. */
static inline bool same_value(struct view *c, const msgpack_object *o)
{
    struct err err;
    struct value v;
    if (pack_next(c, &v, &err))
        return false;
    switch (v.type) {
    case PACK_NIL:
        return o->type == MSGPACK_OBJECT_NIL;
    case PACK_BOOL:
        return o->type == MSGPACK_OBJECT_BOOLEAN && o->via.boolean == v.boolean;
    case PACK_INT:
        return same_integer(v.integer, o);
    case PACK_REAL: /* by bits: NaN equals itself here, -0.0 does not equal 0.0 */
        return (o->type == MSGPACK_OBJECT_FLOAT32 || o->type == MSGPACK_OBJECT_FLOAT64) &&
               !memcmp(&o->via.f64, &v.real, sizeof v.real);
    case PACK_TEXT:
        return o->type == MSGPACK_OBJECT_STR &&
               view_equal(v.bytes, (struct view){(const uint8_t *)o->via.str.ptr, o->via.str.size});
    case PACK_BLOB:
        return o->type == MSGPACK_OBJECT_BIN &&
               view_equal(v.bytes, (struct view){(const uint8_t *)o->via.bin.ptr, o->via.bin.size});
    case PACK_ARRAY:
    case PACK_MAP:
        return same_items(c, &v, o);
    }
    return false;
}

/* True when msgpack-c finds exactly one value that fills the frame, and the reader finds the same.
 */
static inline bool oracle_agrees(struct view frame)
{
    msgpack_unpacked result;
    msgpack_unpacked_init(&result);
    size_t used = 0;
    msgpack_unpack_return status =
        msgpack_unpack_next(&result, (const char *)frame.data, frame.len, &used);
    struct view c = frame;
    bool agrees = status == MSGPACK_UNPACK_SUCCESS && used == frame.len &&
                  same_value(&c, &result.data) && !c.len;
    msgpack_unpacked_destroy(&result);
    return agrees;
}
