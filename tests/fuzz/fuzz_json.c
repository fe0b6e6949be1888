/* fuzz_json.c - any bytes as JSON and as msgpack: what is written reads back to the same bytes. */
#include "base/scope.h"
#include "base/text.h"
#include "data/json.h"

#include <assert.h>

enum { BOUND = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_json(const struct bytes *json, unsigned indent)
{
    assert(text_is_utf8(json->data, json->len));
    for (size_t i = 0; i < json->len; i++)
        assert((json->data[i] >= 0x20 && json->data[i] != 0x7f) ||
               (indent && json->data[i] == '\n'));
}

/* What json_to_pack accepts has one msgpack form: through JSON and back nothing changes. */
static void from_json(struct view text, unsigned indent)
{
    struct err err;
    SCOPED(bytes_close) struct bytes packed = bytes_open(BOUND);
    SCOPED(bytes_close) struct bytes json = bytes_open(BOUND);
    SCOPED(bytes_close) struct bytes again = bytes_open(BOUND);
    if (json_to_pack(text, &packed, &err))
        return;
    if (json_from_pack(bytes_view(&packed), indent, &json, &err))
        return; /* a map of more keys than a frame may have */
    check_json(&json, indent);
    assert(!json_to_pack(bytes_view(&json), &again, &err));
    assert(view_equal(bytes_view(&packed), bytes_view(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct err err;
    struct view input = {data, len};
    unsigned indent = len ? data[0] % 9u : 0;
    SCOPED(bytes_close) struct bytes json = bytes_open(BOUND);
    if (!json_from_pack(input, indent, &json, &err))
        check_json(&json, indent);
    else
        assert(!json.len);
    from_json(input, indent);
    return 0;
}
