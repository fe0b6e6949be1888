/* fuzz_codec.c - any bytes as any message: the first byte picks the table, the rest is the frame.
 * What decodes must encode, and come back from msgpack and from JSON as it was.
 */
#include "base/scope.h"
#include "base/text.h"
#include "data/pack.h"
#include "schema/message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_ROOM = 4096, TEXT_ROOM_BYTES = 32 * FRAME_MAX_BYTES };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void walk(const struct message *m, const void *in);

static const struct message *pick(uint8_t number)
{
    size_t count = 0;
    while (schema_messages[count])
        count++;
    return schema_messages[number % count];
}

static void walk_list(const struct field *f, struct list list)
{
    uint32_t seen = 0;
    uint64_t item[MESSAGE_ROOM];
    struct view text;
    assert(list.count <= f->max_count);
    for (uint32_t count = list.count; seen < count; seen++) {
        if (f->type == FIELD_TEXTS) {
            assert(list_next_text(&list, &text) && text.len <= (size_t)f->max);
            assert(text_is_utf8(text.data, text.len));
        } else {
            assert(f->record->size <= sizeof item && list_next(&list, f->record, item));
            walk(f->record, item);
        }
    }
    assert(!list.count && !list.raw.len);
}

/* Views, lists and records of a decoded message keep what message.h promises. */
static void walk(const struct message *m, const void *in)
{
    size_t count;
    const struct field *rows = m->rows(&count);
    for (size_t i = 0; i < count; i++) {
        const void *at = (const uint8_t *)in + rows[i].offset;
        if (rows[i].type == FIELD_SINCE || !schema_has(m, in, rows[i].name))
            continue;
        if (rows[i].type == FIELD_RECORD)
            walk(rows[i].record, at);
        else if (rows[i].type == FIELD_TEXTS || rows[i].type == FIELD_RECORDS)
            walk_list(&rows[i], *(const struct list *)at);
        else if (rows[i].type == FIELD_TEXT || rows[i].type == FIELD_CHOICE)
            assert(strlen(at) <= (size_t)rows[i].max);
        else if (rows[i].type == FIELD_LONG || rows[i].type == FIELD_BLOB)
            assert(((const struct view *)at)->len <= (size_t)rows[i].max);
    }
}

static void encode(const struct message *m, const void *in, struct bytes *to)
{
    struct err err;
    int failed = schema_encode(m, in, to, &err);
    assert(!failed);
}

static void show(const struct message *m, const void *in, struct bytes *to)
{
    struct err err;
    int failed = schema_json(m, in, 0, to, &err);
    assert(!failed);
}

/* Real numbers grow from four bytes to eight on the way, so what filled a frame may not fit in one.
 */
static void check_msgpack(const struct message *m, const void *in, enum schema_mode mode)
{
    struct err err;
    uint64_t again[MESSAGE_ROOM];
    SCOPED(bytes_close) struct bytes first = bytes_open(2 * FRAME_MAX_BYTES);
    SCOPED(bytes_close) struct bytes second = bytes_open(2 * FRAME_MAX_BYTES);
    encode(m, in, &first);
    if (first.len > FRAME_MAX_BYTES)
        return;
    int failed = schema_decode(m, bytes_view(&first), mode, again, &err);
    assert(!failed);
    encode(m, again, &second);
    assert(view_equal(bytes_view(&first), bytes_view(&second)));
}

/* True when a field, at any depth, has no way back from JSON, which knows texts only. */
static bool has_blob(const struct message *m)
{
    size_t count;
    const struct field *rows = m->rows(&count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].type == FIELD_BLOB || (rows[i].record && has_blob(rows[i].record)))
            return true;
    return false;
}

/* JSON is compared as JSON: in a list msgpack may spell a number in more than one way. */
static void check_json(const struct message *m, const void *in)
{
    struct err err;
    uint64_t again[MESSAGE_ROOM];
    SCOPED(bytes_close) struct bytes first = bytes_open(TEXT_ROOM_BYTES);
    SCOPED(bytes_close) struct bytes second = bytes_open(TEXT_ROOM_BYTES);
    SCOPED(bytes_close) struct bytes packed = bytes_open(2 * FRAME_MAX_BYTES);
    show(m, in, &first);
    if (has_blob(m))
        return;
    int failed = schema_from_json(m, bytes_view(&first), &packed, again, &err);
    assert(!failed);
    show(m, again, &second);
    assert(view_equal(bytes_view(&first), bytes_view(&second)));
}

static void check(const struct message *m, struct view frame, enum schema_mode mode)
{
    struct err err;
    uint64_t message[MESSAGE_ROOM];
    assert(m->size <= sizeof message);
    if (schema_decode(m, frame, mode, message, &err)) {
        assert(err.code == ERR_INVALID && !strncmp(err.text, m->name, strlen(m->name)));
        return;
    }
    walk(m, message);
    check_msgpack(m, message, mode);
    if (mode == SCHEMA_STRICT)
        check_json(m, message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!len)
        return 0;
    const struct message *m = pick(data[0]);
    struct view frame = {data + 1, len - 1};
    check(m, frame, SCHEMA_STRICT);
    check(m, frame, SCHEMA_LENIENT);
    return 0;
}
