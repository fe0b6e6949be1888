/* output.h - where a streamed command's output goes: live to stdout and stderr, or, for a result
 * that is printed as JSON, the newest bytes of each into memory. */
#pragma once

#include "schema/message.h"

#include <stdbool.h>

enum { OUTPUT_KEPT_BYTES = 65536 }; /* of each stream; as much as exec_result holds */

struct output {
    bool kept; /* in memory, instead of written */
    struct bytes streams[2];
    int64_t dropped_bytes; /* of kept streams: older than what is kept */
    int64_t next[2];       /* offset behind the last byte seen of each stream */
};

struct output output_open(bool kept);
void output_close(struct output *output);

/* Takes a chunk. Bytes that were there before (a repeated answer) are passed over; bytes that are
 * missing were dropped by the sandbox, and its result says so. ERR_IO stdout or stderr is gone;
 * ERR_PEER. */
int output_take(struct output *output, const struct exec_chunk *chunk, struct err *err);

/* Puts what was kept into the result, which is borrowed from the output; a stream that brought
 * nothing leaves what the result says. */
void output_fill(struct output *output, struct exec_result *result);
