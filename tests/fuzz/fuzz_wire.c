/* Frames from outside: an input is a message whose frames each begin with a two-byte length. What a
 * parser accepts must keep the bounds that its header promises, and survive the way back. */
#include "net/wire.h"
#include "net/zap.h"

#include <stdlib.h>
#include <string.h>

enum { FRAMES = 10 };

static void check(bool holds)
{
    if (!holds)
        abort();
}

static size_t cut(struct view rest, struct view frames[FRAMES])
{
    size_t count = 0;
    while (count < FRAMES && rest.len >= 2) {
        size_t len = (size_t)rest.data[0] << 8 | rest.data[1];
        rest = (struct view){rest.data + 2, rest.len - 2};
        if (len > rest.len)
            len = rest.len;
        frames[count++] = (struct view){rest.data, len};
        rest = (struct view){rest.data + len, rest.len - len};
    }
    return count;
}

static void check_request(const struct wire_request *request)
{
    struct err err;
    struct wire_request again;
    size_t len = strlen(request->operation);
    check(len > 0 && len < WIRE_OPERATION_BYTES);
    check(request->body.len > 0 && request->body.len <= WIRE_BODY_BYTES);
    struct wire_frames frames = wire_request_frames(request);
    check(!wire_parse_request(frames.frames, frames.count, &again, &err));
    check(!strcmp(request->operation, again.operation));
    check(!memcmp(request->id, again.id, WIRE_ID_BYTES));
    check(view_equal(request->body, again.body) && request->delimited == again.delimited);
}

static void check_answer(const struct wire_answer *answer)
{
    struct err err;
    struct wire_answer again;
    struct wire_frames frames =
        wire_answer_frames(view_of("peer"), false, answer->id, answer->status, answer->body);
    check(!wire_parse_answer(frames.frames + 1, frames.count - 1, &again, &err));
    check(again.status == answer->status && view_equal(again.body, answer->body));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view frames[FRAMES];
    size_t count = cut((struct view){data, len}, frames);
    struct wire_request request;
    struct wire_answer answer;
    struct zap_request zap;
    struct err err;

    if (!wire_parse_request(frames, count, &request, &err))
        check_request(&request);
    if (!wire_parse_published(frames, count, &request, &err))
        check_request(&request);
    if (!wire_parse_answer(frames, count, &answer, &err))
        check_answer(&answer);
    if (!zap_parse(frames, count, &zap, &err))
        check(zap.key.len == KEY_BYTES && zap.id.len && zap.id.len <= 255);
    return 0;
}
