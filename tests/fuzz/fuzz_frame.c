/* fuzz_frame.c - bytes from the other end of an init connection: every frame that is taken must
 * decode or be refused, and what decodes must encode to the same record again. */
#include "init/frame.h"

#include "base/scope.h"

#include <stdlib.h>
#include <string.h>

/* Encodes, decodes and encodes again; the two encodings must be equal. */
#define FRAME(name, NAME, number, scope, direction, doc)                                           \
    static void check_##name(const struct frame *frame)                                            \
    {                                                                                              \
        struct err err;                                                                            \
        struct frame_##name m, again;                                                              \
        SCOPED(bytes_close)                                                                        \
        struct bytes once = bytes_open(2 * FRAME_MAX_BYTES);                                       \
        SCOPED(bytes_close)                                                                        \
        struct bytes twice = bytes_open(2 * FRAME_MAX_BYTES);                                      \
        if (frame_get_##name(frame, &m, &err) || frame_put_##name(&once, &m, &err))                \
            return;                                                                                \
        struct view cursor = bytes_view(&once);                                                    \
        struct frame second;                                                                       \
        if (frame_next(&cursor, &second, &err) || frame_get_##name(&second, &again, &err) ||       \
            frame_put_##name(&twice, &again, &err) || cursor.len ||                                \
            !view_equal(bytes_view(&once), bytes_view(&twice)))                                    \
            abort();                                                                               \
    }
#define INT(name, need, least, most, doc)
#define BOOL(name, doc)
#define TEXT(name, need, least, most, doc)
#define BLOB(name, need, least, most, doc)
#define TEXTS(name, least, most, doc)
#define END(name)
#include "init/frame.def"
#undef FRAME

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view cursor = {data, len};
    struct frame frame;
    struct err err;
    while (!frame_next(&cursor, &frame, &err)) {
        switch (frame.kind) {
#define FRAME(name, NAME, number, scope, direction, doc)                                           \
    case FRAME_##NAME:                                                                             \
        check_##name(&frame);                                                                      \
        break;
#include "init/frame.def"
#undef FRAME
        case FRAME_NONE:
            return 0;
        }
    }
    return 0;
}
