/* audit.c - the audit's state and hooks; see audit.h. */
#include "audit/audit.h"

#include "audit/ingest.h"
#include "audit/store.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLLECT_MS = 5,    /* how long a batch that is not full waits for more */
    RETRY_MS = 1000,   /* between two tries on a full disk */
    ANSWER_BYTES = 256 /* of a record_answer */
};

struct audit {
    struct service *service;
    struct redactor redactor;
    struct ingest *ingest;
    struct store *store; /* the writer's while is_writing */
    struct readers *readers;
    struct workers *writer; /* one thread, one job */
    struct batch *batch;    /* being written, or waiting for room on the disk */
    struct err failure;     /* of the newest write; code 0: none */
    struct err restricted;  /* code 0: not */
    int64_t stored;         /* records, after the newest commit */
    bool is_writing, is_closing;
    int timer; /* -1: none */
};

static void send_answer(void *context, const struct address *to, const struct record_answer *answer)
{
    struct audit *a = context;
    struct err err;
    SCOPED(bytes_close) struct bytes body = bytes_open(ANSWER_BYTES);
    if (schema_encode(&message_record_answer, answer, &body, &err))
        service_fail("audit.answer", &err);
    service_send(a->service, to, "", "", "data", bytes_view(&body));
}

static void write_next(struct audit *a);

static void on_timer(void *context)
{
    struct audit *a = context;
    a->timer = -1;
    write_next(a);
}

static void wake_in(struct audit *a, int64_t ms)
{
    struct err err;
    if (a->timer >= 0)
        return;
    a->timer = loop_timer(a->service->loop, ms, false, on_timer, a, &err);
    if (a->timer < 0)
        service_fail("audit.timer", &err);
}

static void run_write(void *context)
{
    struct audit *a = context;
    struct err err;
    bool failed = store_write(a->store, a->batch, &err);
    a->failure = failed ? err : (struct err){0};
}

/* These wait in the queue like everything else: once there is room again they say since when there
 * was none. */
static void note_disk(struct audit *a, bool is_full)
{
    struct event event = {.phase = "event"};
    text_copy(event.kind, sizeof event.kind, is_full ? "audit_restricted" : "audit_resumed");
    text_copy(event.status, sizeof event.status, is_full ? "failure" : "success");
    text_copy(event.detail, sizeof event.detail,
              is_full ? a->restricted.text : "records are stored again");
    log_line(is_full ? LOG_ERROR : LOG_INFO, "%s detail=\"%s\"", event.kind, event.detail);
    audit_own_event(a, &event);
}

static void on_full_disk(struct audit *a)
{
    bool is_new = !a->restricted.code;
    a->restricted = a->failure;
    if (is_new)
        note_disk(a, true);
    if (!a->is_closing)
        wake_in(a, RETRY_MS);
}

static void on_stored(struct audit *a)
{
    bool was_full = a->restricted.code;
    a->restricted = (struct err){0};
    a->stored = store_count(a->store);
    ingest_committed(a->ingest, &a->batch);
    if (was_full)
        note_disk(a, false);
}

static void on_written(void *context)
{
    struct audit *a = context;
    a->is_writing = false;
    if (a->failure.code == ERR_RESTRICTED) {
        on_full_disk(a);
        return;
    }
    if (a->failure.code)
        service_fail("audit.store", &a->failure);
    on_stored(a);
    write_next(a);
}

/* Starts the next transaction when there is something to write and nothing is being written. */
static void write_next(struct audit *a)
{
    struct err err;
    if (a->is_writing || a->is_closing)
        return;
    if (!a->batch)
        a->batch = ingest_take(a->ingest);
    if (!a->batch)
        return;
    a->is_writing = !workers_run(a->writer, run_write, on_written, a, &err);
    if (!a->is_writing)
        wake_in(a, COLLECT_MS); /* no memory for a job: soon again */
}

/* A whole batch is written at once; a part of one waits a moment for more. */
static void collect(struct audit *a)
{
    bool any;
    if (a->batch)
        return; /* its end will look again */
    if (ingest_waits(a->ingest, &any))
        write_next(a);
    else if (any)
        wake_in(a, COLLECT_MS);
}

/* At the end everything that was taken is written, without hurry and without a thread. */
static void write_rest(struct audit *a)
{
    while (a->batch || (a->batch = ingest_take(a->ingest))) {
        run_write(a);
        if (a->failure.code) {
            log_error("audit.unwritten error=\"%s\" - the journals still have it", a->failure.text);
            batch_free(&a->batch);
            return;
        }
        on_stored(a);
    }
}

void audit_close(void *state)
{
    struct audit *a = state;
    a->is_closing = true;
    if (a->timer >= 0)
        loop_end_timer(a->service->loop, a->timer);
    workers_free(&a->writer);
    if (a->ingest && a->store)
        write_rest(a);
    readers_free(&a->readers);
    ingest_free(&a->ingest);
    store_free(&a->store);
    free(a);
}

static int restore(void *context, const struct place *place, struct err *err)
{
    return ingest_restore(context, place, err);
}

static int open_parts(struct audit *a, struct err *err)
{
    const char *path = a->service->own_path;
    struct ingest_options options = {a->service->source, &a->redactor, send_answer, a};
    SCOPED(fd_close) int dirfd = -1;
    return dir_open_private(path, &dirfd, err) || redactor_open(dirfd, &a->redactor, err) ||
                   ingest_new(&options, &a->ingest, err) || store_open(path, &a->store, err) ||
                   store_sources(a->store, restore, a->ingest, err) ||
                   ingest_start(a->ingest, clock_wall_ns(), err) ||
                   readers_new(path, &a->readers, err) ||
                   workers_new(a->service->loop, 1, 1, &a->writer, err)
               ? -1
               : 0;
}

int audit_open(struct service *service, void **state, struct err *err)
{
    struct event event = {.kind = "service_started", .phase = "event", .status = "success"};
    struct audit *a = mem_new(1, sizeof *a);
    if (!a)
        return err_set(err, ERR_MEMORY, "no memory for the audit");
    a->service = service;
    a->timer = -1;
    if (open_parts(a, err)) {
        audit_close(a);
        return -1;
    }
    a->stored = store_count(a->store);
    snprintf(event.detail, sizeof event.detail, "version %s; %lld records stored", CORRAL_VERSION,
             (long long)a->stored);
    audit_own_event(a, &event);
    *state = a;
    return 0;
}

void audit_own_event(void *state, const struct event *event)
{
    struct audit *a = state;
    struct err err;
    if (ingest_event(a->ingest, event, &err))
        log_error("event.lost kind=%s error=\"%s\"", event->kind, err.text);
    collect(a);
}

void audit_status(void *state, struct service_status *status)
{
    const struct audit *a = state;
    struct place own = ingest_own_place(a->ingest, &status->last);
    status->epoch = own.epoch;
    status->acked = own.upto;
    status->records = a->stored;
    schema_mark(&message_service_status, status, "records");
    if (!a->restricted.code)
        return;
    text_copy(status->state, sizeof status->state, "restricted");
    text_copy(status->detail, sizeof status->detail, a->restricted.text);
}

static int take(struct audit *a, const struct call *call, const char *operation, struct view body,
                struct err *err)
{
    struct sender sender = {.service = call->roles & ROLE_SERVICE ? call->row->service : "",
                            .tenant = call->tenant,
                            .principal = call->principal,
                            .from = &call->from};
    if (!strcmp(operation, "record.hello")) {
        struct record_hello hello;
        return schema_decode(&message_record_hello, body, SCHEMA_LENIENT, &hello, err)
                   ? -1
                   : ingest_hello(a->ingest, &sender, &hello, err);
    }
    struct record_push push;
    return schema_decode(&message_record_push, body, SCHEMA_LENIENT, &push, err)
               ? -1
               : ingest_push(a->ingest, &sender, &push, clock_wall_ns(), err);
}

bool audit_intercept(void *state, const struct call *call, const char *operation, struct view body)
{
    struct audit *a = state;
    struct err err;
    if (strcmp(operation, "record.hello") && strcmp(operation, "record.push"))
        return false;
    if (take(a, call, operation, body, &err)) {
        log_debug("records.refused by=%s/%s error=\"%s\"", call->tenant, call->principal, err.text);
        if (!call->from.published)
            service_send_error(a->service, call, &err);
    }
    collect(a);
    return true;
}

struct readers *audit_readers(struct audit *a)
{
    return a->readers;
}
