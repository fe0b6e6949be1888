/* tamper.h - a record as the audit makes it, in a directory, and copies of its database to change.
 */
#pragma once

#include "tests/unit/audit/moved_clock.h"
#include "tests/unit/audit/records.h"

#include "audit/ingest.h"
#include "audit/store.h"
#include "base/clock.h"
#include "engine/record/leaf.h"
#include "engine/record/moved.h"
#include "engine/record/tables.h"
#include "engine/record/verify.h"

/* An intake and the store behind it. */
struct mill {
    struct ingest *ingest;
    struct store *store;
};

static void no_answer(void *context, const struct address *to, const struct record_answer *answer)
{
    (void)context, (void)to, (void)answer;
}

static int restore_place(void *context, const struct place *place, struct err *err)
{
    return ingest_restore(context, place, err);
}

static struct mill mill_open(const char *path)
{
    struct err err;
    struct mill m = {0};
    static const struct redactor redactor = {{7}};
    struct ingest_options options = {"audit@host", &redactor, no_answer, NULL};
    if (ingest_new(&options, &m.ingest, &err) || store_open(path, &m.store, &err) ||
        store_sources(m.store, restore_place, m.ingest, &err) || ingest_start(m.ingest, 7, &err))
        fail_msg("%s", err.text);
    return m;
}

static void mill_close(struct mill *m)
{
    ingest_free(&m->ingest);
    store_free(&m->store);
}

/* Writes what waits. */
static void mill_write(struct mill *m)
{
    struct err err;
    for (struct batch *batch; (batch = ingest_take(m->ingest));) {
        if (store_write(m->store, batch, &err))
            fail_msg("%s", err.text);
        ingest_committed(m->ingest, &batch);
    }
}

static struct sender sender_of(const char *service)
{
    static const struct address from = {.peer = "peer", .peer_bytes = 4};
    return (struct sender){service, "corral", service, &from};
}

static void mill_hello(struct mill *m, const char *service, int64_t epoch, int64_t first,
                       int64_t last)
{
    struct err err;
    struct sender sender = sender_of(service);
    struct record_hello hello = {.epoch = epoch, .first = first, .last = last};
    snprintf(hello.source, sizeof hello.source, "%s@host", service);
    if (ingest_hello(m->ingest, &sender, &hello, &err))
        fail_msg("hello: %s", err.text);
}

/* An event with every column that is derived, or one that has few, or no event at all. */
static struct record_item mill_item(int64_t seq, struct bytes *payload)
{
    char command[300];
    memset(command, 'c', sizeof command);
    struct event event = {.kind = "command_execute",
                          .phase = "result",
                          .op_id = "op",
                          .tenant = "red",
                          .principal = "alice",
                          .agent = "coder",
                          .sandbox_id = "sb_1",
                          .status = "success",
                          .cause = "exit",
                          .rule = "some_rule",
                          .command = {(const uint8_t *)command, (size_t)(seq % 300)},
                          .exit_code = seq % 256,
                          .duration_ms = 12,
                          .cpu_ms = 5,
                          .memory_peak_bytes = 4096,
                          .detail = "what else"};
    struct record_item item = {
        .seq = seq, .wall_ns = 1000 + seq, .boot_ns = 2000 + seq, .type = RECORD_EVENT};
    if (seq % 7 == 0)
        item.type = 9;
    if (seq % 5 == 0)
        event = (struct event){.kind = "lookout", .phase = "event", .detail = "little"};
    pack_event(&event, payload);
    item.payload = bytes_view(payload);
    return item;
}

static void mill_push(struct mill *m, const char *service, int64_t epoch, int64_t first,
                      int64_t last)
{
    struct err err;
    SCOPED(bytes_close) struct bytes store = bytes_open(4 << 20);
    struct sender sender = sender_of(service);
    struct record_push push = {.epoch = epoch};
    snprintf(push.source, sizeof push.source, "%s@host", service);
    for (int64_t seq = first; seq <= last; seq++) {
        SCOPED(bytes_close) struct bytes payload = {0};
        struct record_item item = mill_item(seq, &payload);
        if (list_add(&store, &push.records, &message_record_item, &item, &err))
            fail_msg("%s", err.text);
    }
    if (ingest_push(m->ingest, &sender, &push, 5000, &err))
        fail_msg("push: %s", err.text);
    mill_write(m);
}

enum { MILL_RECORDS = 2300 }; /* at least so many */

/* A record with all that may lawfully happen to one: restarts, a new journal, records that are
 * gone, a source that only presented itself, repeats, three keys. */
static void mill_make(const char *path)
{
    clock_hook(moved_clock);
    for (int day = 0; day < 3; day++) {
        moved_ns = day * 90000ll * S_NS;
        SCOPED(mill_close) struct mill m = mill_open(path);
        int64_t from = day * 400 + 1;
        mill_hello(&m, "manager", 100, 1, 400 * (day + 1));
        for (int64_t at = from; at < from + 400; at += 50)
            mill_push(&m, "manager", 100, at, at + 49);
        mill_push(&m, "manager", 100, from, from + 9);
        mill_hello(&m, "guardian", 200 + day, 1, 420);
        for (int64_t at = 1; at <= 400; at += 40)
            mill_push(&m, "guardian", 200 + day, at, at + 39);
        mill_hello(&m, "guardian", 200 + day, 411, 420);
        mill_hello(&m, "guardian", 200 + day, 416, 420);
        mill_push(&m, "guardian", 200 + day, 416, 420);
        mill_hello(&m, "monitor", 300, 1, 0);
        mill_write(&m);
    }
    restore_clock(NULL);
}

/* The whole database of a directory, in one file: nothing is left in its log. */
static void copy_database(const char *from, const char *to)
{
    struct err err;
    char path[128];
    SCOPED(bytes_close) struct bytes all = bytes_open(64 << 20);
    snprintf(path, sizeof path, "%s/audit.db", from);
    if (file_read(AT_FDCWD, path, 64 << 20, &all, &err) ||
        file_replace_volatile(AT_FDCWD, to, all.data, all.len, 0600, &err))
        fail_msg("%s", err.text);
}

static struct db *open_to_change(const char *file)
{
    struct err err;
    struct db *db = NULL;
    struct db_options options = {.migrations = tables_migrations(),
                                 .migration_count = TABLES_VERSION};
    if (db_open(file, &options, &db, &err) || db_exec(db, "PRAGMA foreign_keys = OFF", &err))
        fail_msg("%s", err.text);
    return db;
}

static void change(const char *file, const char *sql)
{
    struct err err;
    SCOPED(db_free) struct db *db = open_to_change(file);
    if (db_exec(db, sql, &err))
        fail_msg("%s: %s", sql, err.text);
}

/* The public key in the directory's checkpoint.pub. */
static void key_of(const char *path, struct verify_options *how)
{
    struct err err;
    char file[128];
    SCOPED(bytes_close) struct bytes text = bytes_open(1000);
    snprintf(file, sizeof file, "%s/checkpoint.pub", path);
    if (file_read(AT_FDCWD, file, 1000, &text, &err) ||
        note_key_read((char *)text.data, how->origin, how->public_key, &err))
        fail_msg("%s", err.text);
    how->has_key = true;
}

static struct verified look(const char *file, const struct verify_options *how)
{
    struct err err;
    struct verified found;
    struct verify_options options = *how;
    options.path = file;
    if (verify_record(&options, &found, &err))
        fail_msg("%s", err.text);
    return found;
}
