/* wire.h - the frames of requests, answers and topics: what stands where, and nothing else.
 *
 *   request    [""] "C1" id operation body        DEALER or REQ; the empty frame is a REQ's
 *   published  "C1.request.<operation>" id body   PUB
 *   answer     [""] "C1" id status body           status: "ok", "error" or "data" (more follows)
 *   reply      topic "C1" id status body          XPUB; topic <tenant>/<principal>/reply/<hex id>
 *   event      topic body                         XPUB; topic <tenant>/event/<service>/<kind>
 *
 * Plain functions over views, without sockets. Bodies are one msgpack map each; they are scanned
 * and decoded by the schema. Whatever is parsed points into the frames it was parsed from.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define WIRE_VERSION "C1"

enum {
    WIRE_ID_BYTES = 16,
    WIRE_OPERATION_BYTES = 41, /* 1 to 40 of [a-z0-9_.], and the NUL */
    WIRE_BODY_BYTES = 256 * 1024,
    WIRE_TOPIC_BYTES = 256,
    WIRE_FRAMES = 6 /* the longest message that is built here */
};

enum wire_status { WIRE_OK, WIRE_ERROR, WIRE_DATA };

struct wire_request {
    uint8_t id[WIRE_ID_BYTES]; /* chosen by the client; the same id is the same request */
    char operation[WIRE_OPERATION_BYTES];
    struct view body; /* 1 byte or more */
    bool delimited;   /* came from a REQ, and the answer needs the empty frame too */
};

struct wire_answer {
    uint8_t id[WIRE_ID_BYTES];
    enum wire_status status;
    struct view body;
};

/* Frames in the order of sending; views of what was passed in and of constants. */
struct wire_frames {
    struct view frames[WIRE_FRAMES];
    size_t count;
};

/* Reads a request, behind the routing id that a ROUTER puts in front.
 * ERR_VERSION another version's request; ERR_INVALID names the frame. */
int wire_parse_request(const struct view *frames, size_t count, struct wire_request *out,
                       struct err *err);

/* Reads a published request. Errors as wire_parse_request. */
int wire_parse_published(const struct view *frames, size_t count, struct wire_request *out,
                         struct err *err);

/* Reads an answer, with or without the empty frame. Errors as wire_parse_request. */
int wire_parse_answer(const struct view *frames, size_t count, struct wire_answer *out,
                      struct err *err);

/* Frames of a request; it is borrowed as long as the frames are in use. */
struct wire_frames wire_request_frames(const struct wire_request *request);

/* Frames of an answer to the peer with this routing id, or of a published reply when `first` is a
 * topic and `delimited` false. `id` and the views are borrowed as above. */
struct wire_frames wire_answer_frames(struct view first, bool delimited,
                                      const uint8_t id[WIRE_ID_BYTES], enum wire_status status,
                                      struct view body);

/* Writes the topic of a reply or an event. The parts are names that fit. */
void wire_reply_topic(char topic[WIRE_TOPIC_BYTES], const char *tenant, const char *principal,
                      const uint8_t id[WIRE_ID_BYTES]);
void wire_event_topic(char topic[WIRE_TOPIC_BYTES], const char *tenant, const char *service,
                      const char *kind);
