/* wire.c - frames of the protocol; see wire.h. */
#include "net/wire.h"

#include "base/scope.h"
#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define PUBLISHED_TOPIC WIRE_VERSION ".request."

static const char *const STATUSES[] = {
    [WIRE_OK] = "ok", [WIRE_ERROR] = "error", [WIRE_DATA] = "data"};

/* Checks the frame that says which protocol this is. */
static int check_version(struct view frame, struct err *err)
{
    if (view_equal(frame, view_of(WIRE_VERSION)))
        return 0;
    if (frame.len >= 2 && frame.len <= 4 && frame.data[0] == 'C' && frame.data[1] >= '0' &&
        frame.data[1] <= '9')
        return err_set(err, ERR_VERSION, "this is protocol " WIRE_VERSION ", the peer speaks %.*s",
                       (int)frame.len, (const char *)frame.data);
    return err_set(err, ERR_INVALID, "version frame: not \"" WIRE_VERSION "\"");
}

static int parse_id(struct view frame, uint8_t id[WIRE_ID_BYTES], struct err *err)
{
    if (frame.len != WIRE_ID_BYTES)
        return err_set(err, ERR_INVALID, "request id frame: %zu bytes, not %d", frame.len,
                       WIRE_ID_BYTES);
    memcpy(id, frame.data, WIRE_ID_BYTES);
    return 0;
}

static int parse_operation(struct view frame, char operation[WIRE_OPERATION_BYTES], struct err *err)
{
    bool fits = frame.len && frame.len < WIRE_OPERATION_BYTES;
    for (size_t i = 0; fits && i < frame.len; i++) {
        uint8_t c = frame.data[i];
        fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    }
    if (!fits)
        return err_set(err, ERR_INVALID, "operation frame: not 1 to %d of a-z 0-9 _ .",
                       WIRE_OPERATION_BYTES - 1);
    text_copy_view(operation, WIRE_OPERATION_BYTES, frame);
    return 0;
}

static int check_body(struct view frame, struct err *err)
{
    if (!frame.len || frame.len > WIRE_BODY_BYTES)
        return err_set(err, ERR_INVALID, "body frame: %zu bytes, not 1 to %d", frame.len,
                       WIRE_BODY_BYTES);
    return 0;
}

/* Requests and answers have the same four frames behind the empty one of a REQ. */
static int split(const struct view *frames, size_t count, const struct view **four, struct err *err)
{
    enum { FRAMES = 4 };
    size_t skip = count && !frames[0].len;
    if (count - skip < 1)
        return err_set(err, ERR_INVALID, "no frames");
    if (check_version(frames[skip], err))
        return -1;
    if (count - skip != FRAMES)
        return err_set(err, ERR_INVALID, "%zu frames, not %d", count - skip, FRAMES);
    *four = frames + skip;
    return 0;
}

int wire_parse_request(const struct view *frames, size_t count, struct wire_request *out,
                       struct err *err)
{
    const struct view *four;
    struct wire_request request = {0};
    if (split(frames, count, &four, err) || parse_id(four[1], request.id, err) ||
        parse_operation(four[2], request.operation, err) || check_body(four[3], err))
        return -1;
    request.body = four[3];
    request.delimited = four != frames;
    *out = request;
    return 0;
}

int wire_parse_published(const struct view *frames, size_t count, struct wire_request *out,
                         struct err *err)
{
    struct view prefix = view_of(PUBLISHED_TOPIC);
    struct wire_request request = {0};
    if (!count)
        return err_set(err, ERR_INVALID, "no frames");
    struct view topic = frames[0];
    const uint8_t *dot = topic.len ? memchr(topic.data, '.', topic.len) : NULL;
    if (dot && check_version((struct view){topic.data, (size_t)(dot - topic.data)}, err))
        return -1;
    if (topic.len < prefix.len || memcmp(topic.data, prefix.data, prefix.len))
        return err_set(err, ERR_INVALID, "topic frame: not " PUBLISHED_TOPIC "<operation>");
    if (count != 3)
        return err_set(err, ERR_INVALID, "%zu frames, not 3", count);
    struct view operation = {topic.data + prefix.len, topic.len - prefix.len};
    if (parse_id(frames[1], request.id, err) ||
        parse_operation(operation, request.operation, err) || check_body(frames[2], err))
        return -1;
    request.body = frames[2];
    *out = request;
    return 0;
}

int wire_parse_answer(const struct view *frames, size_t count, struct wire_answer *out,
                      struct err *err)
{
    const struct view *four;
    struct wire_answer answer = {0};
    if (split(frames, count, &four, err) || parse_id(four[1], answer.id, err) ||
        check_body(four[3], err))
        return -1;
    answer.body = four[3];
    for (size_t i = 0; i < COUNT(STATUSES); i++)
        if (view_equal(four[2], view_of(STATUSES[i]))) {
            answer.status = (enum wire_status)i;
            *out = answer;
            return 0;
        }
    return err_set(err, ERR_INVALID, "status frame: not ok, error or data");
}

static void add(struct wire_frames *to, struct view frame)
{
    assert(to->count < WIRE_FRAMES);
    to->frames[to->count++] = frame;
}

struct wire_frames wire_request_frames(const struct wire_request *request)
{
    struct wire_frames to = {.count = 0};
    if (request->delimited)
        add(&to, (struct view){0});
    add(&to, view_of(WIRE_VERSION));
    add(&to, (struct view){request->id, WIRE_ID_BYTES});
    add(&to, view_of(request->operation));
    add(&to, request->body);
    return to;
}

struct wire_frames wire_answer_frames(struct view first, bool delimited,
                                      const uint8_t id[WIRE_ID_BYTES], enum wire_status status,
                                      struct view body)
{
    struct wire_frames to = {.count = 0};
    add(&to, first);
    if (delimited)
        add(&to, (struct view){0});
    add(&to, view_of(WIRE_VERSION));
    add(&to, (struct view){id, WIRE_ID_BYTES});
    add(&to, view_of(STATUSES[status]));
    add(&to, body);
    return to;
}

void wire_reply_topic(char topic[WIRE_TOPIC_BYTES], const char *tenant, const char *principal,
                      const uint8_t id[WIRE_ID_BYTES])
{
    char hex[2 * WIRE_ID_BYTES + 1];
    text_hex(hex, id, WIRE_ID_BYTES);
    int len = snprintf(topic, WIRE_TOPIC_BYTES, "%s/%s/reply/%s", tenant, principal, hex);
    assert(len > 0 && len < WIRE_TOPIC_BYTES);
}

void wire_event_topic(char topic[WIRE_TOPIC_BYTES], const char *tenant, const char *service,
                      const char *kind)
{
    int len = snprintf(topic, WIRE_TOPIC_BYTES, "%s/event/%s/%s", tenant, service, kind);
    assert(len > 0 && len < WIRE_TOPIC_BYTES);
}
