/* fuzz_pack.c - any bytes as a frame: the pre-scan, a walk and a skip over what it accepts, and
 * msgpack-c's opinion of it. */
#include "data/pack.h"
#include "tests/unit/data/pack_oracle.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Every value of bytes that may be no frame; the cursor always moves and never leaves them. */
static size_t walk(struct view c)
{
    struct err err;
    struct value v;
    size_t values = 0;
    for (size_t before = c.len; !pack_next(&c, &v, &err); before = c.len) {
        assert(c.len < before);
        values++;
    }
    return values;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct err err;
    struct view frame = {data, len}, end = frame;
    size_t values = walk(frame);
    bool skipped = !pack_skip(&end, &err);
    if (pack_scan(frame, &err)) {
        assert(err.code == ERR_INVALID && err.text[0]);
        return 0;
    }
    assert(skipped && !end.len);
    assert(values <= FRAME_MAX_NODES);
    assert(oracle_agrees(frame));
    return 0;
}
