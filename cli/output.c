/* output.c - a streamed command's output; see output.h. */
#include "cli/output.h"

#include "base/file.h"

#include <string.h>
#include <unistd.h>

struct output output_open(bool kept)
{
    enum { ROOM = OUTPUT_KEPT_BYTES + 65536 }; /* and the largest chunk */
    return (struct output){.kept = kept, .streams = {bytes_open(ROOM), bytes_open(ROOM)}};
}

void output_close(struct output *output)
{
    bytes_close(&output->streams[0]);
    bytes_close(&output->streams[1]);
}

static int keep(struct output *output, struct bytes *stream, struct view data, struct err *err)
{
    if (bytes_add(stream, data.data, data.len, err))
        return -1;
    if (stream->len > OUTPUT_KEPT_BYTES) {
        output->dropped_bytes += (int64_t)(stream->len - OUTPUT_KEPT_BYTES);
        bytes_drop(stream, stream->len - OUTPUT_KEPT_BYTES);
    }
    return 0;
}

int output_take(struct output *output, const struct exec_chunk *chunk, struct err *err)
{
    if (!chunk->data.len)
        return 0;
    if (chunk->offset > INT64_MAX - (int64_t)chunk->data.len)
        return err_set(err, ERR_PEER, "output at an impossible offset");
    size_t at = !strcmp(chunk->stream, "stderr");
    struct view data = chunk->data;
    int64_t seen = output->next[at] - chunk->offset; /* of these bytes */
    if (seen >= (int64_t)data.len)
        return 0;
    if (seen > 0)
        data = (struct view){data.data + seen, data.len - (size_t)seen};
    output->next[at] = chunk->offset + (int64_t)chunk->data.len;
    if (output->kept)
        return keep(output, &output->streams[at], data, err);
    if (file_write_all(at ? STDERR_FILENO : STDOUT_FILENO, data.data, data.len, err))
        return err_add(err, at ? "stderr" : "stdout");
    return 0;
}

void output_fill(struct output *output, struct exec_result *result)
{
    if (!output->kept)
        return;
    if (output->streams[0].len)
        result->stdout = bytes_view(&output->streams[0]);
    if (output->streams[1].len)
        result->stderr = bytes_view(&output->streams[1]);
    result->dropped_bytes += output->dropped_bytes;
}
