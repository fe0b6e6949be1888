/* records.h - what the audit's tests share: records to push, a directory, batches. */
#pragma once

#include "audit/batch.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "schema/message.h"
#include "service/outbox.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct place_on_disk {
    char path[64];
};

static inline struct place_on_disk directory_open(void)
{
    struct place_on_disk d = {"/tmp/corral-audit-XXXXXX"};
    assert_non_null(mkdtemp(d.path));
    return d;
}

static inline void directory_close(struct place_on_disk *d)
{
    struct err err;
    assert_int_equal(dir_remove(AT_FDCWD, d->path, &err), 0);
}

/* Encodes an event; the test fails when it breaks its schema. */
static inline void pack_event(const struct event *event, struct bytes *to)
{
    struct err err;
    *to = bytes_open(64 * 1024);
    if (schema_encode(&message_event, event, to, &err))
        fail_msg("event: %s", err.text);
}

/* Adds one record with this payload to a batch, as ingest does for a source. */
static inline void batch_put(struct batch *batch, int64_t source, int64_t seq, int64_t type,
                             struct view payload)
{
    struct err err;
    struct entry entry = {.source = source,
                          .epoch = 1,
                          .seq = seq,
                          .wall_ns = 1000 + seq,
                          .boot_ns = 2000 + seq,
                          .received_ns = 3000 + seq,
                          .type = type};
    struct place place = {.source = source, .owner = "corral/manager", .epoch = 1, .upto = seq};
    snprintf(place.name, sizeof place.name, "manager@host%lld", (long long)source);
    assert_int_equal(batch_add(batch, &entry, payload, &err), 0);
    batch_place(batch, &place);
}

static inline void batch_put_event(struct batch *batch, int64_t source, int64_t seq,
                                   const struct event *event)
{
    SCOPED(bytes_close) struct bytes payload;
    pack_event(event, &payload);
    batch_put(batch, source, seq, RECORD_EVENT, bytes_view(&payload));
}
