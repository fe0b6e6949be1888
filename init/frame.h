/* frame.h - what corral-init and the manager say to each other.
 *
 * A frame is  len u32 BE (bytes behind it), id u32 BE, kind u8, one msgpack map.  The map has at
 * most FRAME_MAX_BYTES (data/pack.h), so len lies between 6 and FRAME_MAX_BYTES + 5. The id is the
 * exec's number, given by the manager; 0 belongs to the connection. frame.def is the table of the
 * kinds with every field, bound and meaning; from its rows come struct frame_<name>,
 * frame_put_<name> and frame_get_<name>.
 *
 * A conversation:
 *     init                                   manager
 *     HELLO                            ->
 *                                      <-    WELCOME {token, deadline}
 *     EXECS {0}                        ->
 *                                      <-    PREPARE (id 7)
 *     SPAWNED (7) + pidfd              ->    moves the child into the exec's cgroup
 *                                      <-    SPAWN (7), OPEN_GATE (7)
 *     OUTPUT (7) …                     ->
 *                                      <-    CREDIT (7) …
 *     EXITED (7)                       ->
 *                                      <-    FORGET (7)
 * Frames for an exec that init does not know (any more) are skipped, since they may have crossed
 * its end; every other breach of the protocol ends the connection. Init then dials again, HELLO
 * carries the token, and after WELCOME come EXECS and a STATE for each exec. The move is slow (a
 * grace period of the kernel), so PREPARE is best sent before there is anything to run.
 *
 * Both sides are strict about what they read: everything here answers ERR_PEER to a lie and never
 * reads or believes beyond the bytes it has. Not thread-safe, no state.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "data/pack.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    FRAME_VERSION = 1,
    FRAME_HEAD_BYTES = 9,
    FRAME_EXECS_MAX = 64, /* execs that init keeps at once, ended ones until FORGET */
    FRAME_TOKEN_BYTES = 32,
    FRAME_CHUNK_BYTES = 64 * 1024, /* of OUTPUT and STDIN */
    FRAME_RING_BYTES = 256 * 1024, /* newest output kept for each stream */
    FRAME_STDIN_BYTES = 256 * 1024 /* stdin on its way to a child */
};

enum frame_kind {
    FRAME_NONE = 0,
#define FRAME(name, NAME, number, scope, direction, doc) FRAME_##NAME = number,
#define INT(name, need, least, most, doc)
#define BOOL(name, doc)
#define TEXT(name, need, least, most, doc)
#define BLOB(name, need, least, most, doc)
#define TEXTS(name, least, most, doc)
#define END(name)
#include "init/frame.def"
#undef FRAME
#undef INT
#undef BOOL
#undef TEXT
#undef BLOB
#undef TEXTS
#undef END
};

/* One frame as it lies in the reader's buffer. */
struct frame {
    uint32_t id;
    enum frame_kind kind;
    struct view body; /* one msgpack map that passed pack_scan */
};

/* struct frame_<name>: the id and the fields of one kind. Texts and blobs are views: into the frame
 * after frame_get_<name>, into whatever the caller likes before frame_put_<name>. */
#define FRAME(name, NAME, number, scope, direction, doc)                                           \
    struct frame_##name {                                                                          \
        uint32_t id;
#define INT(name, need, least, most, doc) int64_t name;
#define BOOL(name, doc) bool name;
#define TEXT(name, need, least, most, doc) struct view name;
#define BLOB(name, need, least, most, doc) struct view name;
#define TEXTS(name, least, most, doc) struct view name;
#define END(name)                                                                                  \
    }                                                                                              \
    ;
#include "init/frame.def"
#undef FRAME
#undef INT
#undef BOOL
#undef TEXT
#undef BLOB
#undef TEXTS
#undef END

/* Takes the first whole frame off the cursor.
 *
 *   cursor   bytes as they arrived, cut anywhere; moves behind the frame
 *   out      out: the frame, a view into the cursor's bytes; kind is FRAME_NONE while it is not
 *            whole (the cursor then stays)
 *   err      ERR_PEER a length out of bounds, a kind that is not in the table, an id that its kind
 *            does not have, a body that pack_scan refuses
 */
int frame_next(struct view *cursor, struct frame *out, struct err *err);

/* frame_put_<name>(to, &m, err): appends one frame. ERR_INVALID a field breaks its row or the frame
 * is too long; ERR_OVERLOADED, ERR_MEMORY as bytes_add. `to` is untouched on failure.
 *
 * frame_get_<name>(frame, &m, err): reads a frame of that kind (asserted). ERR_PEER. */
#define FRAME(name, NAME, number, scope, direction, doc)                                           \
    int frame_put_##name(struct bytes *to, const struct frame_##name *m, struct err *err);         \
    int frame_get_##name(const struct frame *frame, struct frame_##name *m, struct err *err);
#define INT(name, need, least, most, doc)
#define BOOL(name, doc)
#define TEXT(name, need, least, most, doc)
#define BLOB(name, need, least, most, doc)
#define TEXTS(name, least, most, doc)
#define END(name)
#include "init/frame.def"
#undef FRAME
#undef INT
#undef BOOL
#undef TEXT
#undef BLOB
#undef TEXTS
#undef END

/* The kind's name as in frame.def, such as "spawn"; "unknown" outside the table. Static. */
const char *frame_name(enum frame_kind kind);

/* Takes the first text off a TEXTS field; NULL when none is left. It lives as long as the view. */
const char *frame_text(struct view *texts);

/* How many texts a TEXTS field holds. */
size_t frame_texts(struct view texts);
