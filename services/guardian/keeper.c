/* keeper.c - see keeper.h. */
#include "guardian/keeper.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "guardian/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 1000 };

/* One load: the worker's while it runs. */
struct load {
    struct keeper *keeper;
    struct rulebook_options options;
    struct watch_list watch;
    struct rulebook *book;
    struct err err;
    bool failed;
};

struct keeper {
    struct service *service;
    void (*leaving)(void *context), (*changed)(void *context);
    void *context;
    struct rulebook *book;
    char refusal[256];
    int64_t last_generation; /* the newest that was in force, in any life */
    struct watch_list watch;
    int changes; /* inotify; -1: there is no directory */

    struct load load;
    bool is_open;            /* the first load is over */
    bool is_loading, is_due; /* due: something changed since the load began */
    uint64_t awaited;        /* seq of the record that the loaded book waits for; 0: none */
    int retry;               /* timer; -1: none */
    uint64_t round;          /* of the load that runs or ran last */
    struct keeper_wait *waits;
};

/* --- in guardian.db --- */

const char rules_schema[] = "CREATE TABLE rules (one INTEGER PRIMARY KEY CHECK (one = 1),"
                            " generation INTEGER NOT NULL) STRICT;";

int rules_apply(struct db *db, const struct journal_record *record, const struct event *event,
                struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    (void)record;
    if (db_prepare(db,
                   "INSERT INTO rules VALUES (1, ?1) ON CONFLICT DO UPDATE"
                   " SET generation = max(generation, excluded.generation)",
                   &s, err))
        return -1;
    stmt_bind_int(s, 1, event->generation);
    return stmt_run(s, err);
}

int rules_generation(struct db *db, int64_t *generation, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db, "SELECT coalesce(max(generation), 0) FROM rules", &s, err) ||
        stmt_step(s, err) < 0)
        return -1;
    *generation = stmt_int(s, 0);
    return 0;
}

/* --- one load --- */

static void run(void *context)
{
    struct load *load = context;
    const char *dir = load->options.dir;
    if (*dir)
        watch_begin(&load->watch, load->keeper->changes, dir);
    fault_point("rules.loading");
    load->failed = rulebook_load(&load->options, &load->book, &load->err);
    fault_point("rules.loaded");
}

static void prepare(struct keeper *k)
{
    const struct config *config = &k->service->config;
    k->load = (struct load){
        .keeper = k,
        .watch.fd = -1,
        .options = {.dir = config->guardian.rules_dir,
                    .profile = config->guardian.profile,
                    .last_generation = k->last_generation,
                    .look = config->guardian.rules_dir[0] ? watch_add : NULL,
                    .context = &k->load.watch},
    };
    k->round++;
}

/* What a person reads of a book in the record and the log. */
static void describe(const struct rulebook *book, char *to, size_t size)
{
    char hash[2 * POLICY_HASH_BYTES + 1];
    size_t tenants = 0, agents = 0;
    for (size_t i = 1; i < book->count; i++)
        *(book->sets[i].agent[0] ? &agents : &tenants) += 1;
    text_hex(hash, book->hash, sizeof book->hash);
    snprintf(to, size,
             "generation %lld, %lld rules; %zu tenants, %zu agents with their own; hash %s",
             (long long)book->generation, (long long)rulebook_count(book), tenants, agents, hash);
}

/* The record stands in front of every verdict by these rules. */
static int record(struct keeper *k, const struct rulebook *book, uint64_t *seq, struct err *err)
{
    struct event event = {.kind = "rules_loaded",
                          .phase = "event",
                          .status = "success",
                          .generation = book->generation,
                          .policy = {book->hash, sizeof book->hash}};
    schema_mark(&message_event, &event, "generation");
    describe(book, event.detail, sizeof event.detail);
    return outbox_append(k->service->outbox, &event, true, seq, err)
               ? err_add(err, "recording the rules")
               : 0;
}

static void take(struct keeper *k, struct rulebook *book)
{
    char detail[256];
    describe(book, detail, sizeof detail);
    log_info("rules.loaded detail=\"%s\"", detail);
    if (k->book)
        k->leaving(k->context);
    rulebook_free(&k->book);
    k->book = book;
    k->refusal[0] = 0;
    k->last_generation = book->generation;
    if (k->is_open)
        k->changed(k->context);
}

static void refuse(struct keeper *k, const struct err *err)
{
    struct event event = {.kind = "rules_refused", .phase = "event", .status = "failure"};
    text_copy(event.detail, sizeof event.detail, err->text);
    service_event(k->service, &event, false);
    log_error("rules.refused in_force=%s error=\"%s\"", k->book ? "the last good ones" : "none",
              err->text);
    text_copy(k->refusal, sizeof k->refusal, err->text);
}

/* False: the book has to wait for its record. */
static bool take_load(struct keeper *k)
{
    struct load *load = &k->load;
    uint64_t seq;
    if (k->changes >= 0 && load->watch.fd >= 0) {
        if (!load->watch.is_whole)
            log_warn("rules.unwatched some folders are only looked at on SIGHUP or policy reload");
        watch_replace(&k->watch, &load->watch);
    }
    load->failed = load->failed || record(k, load->book, &seq, &load->err);
    if (load->failed) {
        refuse(k, &load->err);
    } else if (k->is_open && load->book->generation > k->last_generation) {
        k->awaited = seq;
        return false;
    } else {
        take(k, TAKE(load->book));
    }
    return true;
}

/* --- when --- */

static void wake_waits(struct keeper *k)
{
    struct keeper_outcome outcome = {!k->load.failed, k->load.err};
    for (struct keeper_wait **at = &k->waits; *at;) {
        struct keeper_wait *wait = *at;
        if (wait->round > k->round) {
            at = &wait->next;
            continue;
        }
        *at = wait->next;
        op_wake(wait->op, WAKE_EVENT, &outcome);
        op_drop(wait->op);
        at = &k->waits; /* the step may have begun another wait */
    }
}

static void start(struct keeper *k);

static void end_load(struct keeper *k)
{
    k->is_loading = false;
    wake_waits(k);
    if (k->is_due)
        start(k);
}

static void done(void *context)
{
    struct keeper *k = ((struct load *)context)->keeper;
    if (take_load(k))
        end_load(k);
}

void keeper_durable(struct keeper *k, uint64_t seq)
{
    if (!k->awaited || seq < k->awaited)
        return;
    k->awaited = 0;
    take(k, TAKE(k->load.book));
    end_load(k);
}

static void on_retry(void *context)
{
    struct keeper *k = context;
    k->retry = -1;
    start(k);
}

/* Every worker may be busy; what changed is then looked at a little later. */
static void start(struct keeper *k)
{
    struct err err;
    if (k->is_loading || k->retry >= 0)
        return;
    prepare(k);
    k->is_due = false;
    k->is_loading = !workers_run(k->service->workers, run, done, &k->load, &err);
    if (k->is_loading)
        return;
    k->round--;
    k->is_due = true;
    k->retry = loop_timer(k->service->loop, RETRY_MS, false, on_retry, k, &err);
    if (k->retry < 0)
        service_fail("rules.retry", &err);
}

void keeper_look(struct keeper *k)
{
    k->is_due = true;
    start(k);
}

void keeper_wait(struct keeper *k, struct keeper_wait *wait, struct op *op)
{
    bool runs = k->is_loading;
    op_hold(op);
    *wait = (struct keeper_wait){op, 0, k->waits};
    k->waits = wait;
    keeper_look(k);
    wait->round = k->round + (runs || !k->is_loading);
}

static void on_change(void *context)
{
    struct keeper *k = context;
    if (watch_changed(&k->watch))
        keeper_look(k);
}

/* --- beginning and end --- */

static int watch(struct keeper *k, struct err *err)
{
    if (!k->service->config.guardian.rules_dir[0])
        return 0;
    return watch_open(&k->changes, err) ||
                   loop_watch_fd(k->service->loop, k->changes, on_change, k, err)
               ? -1
               : 0;
}

int keeper_new(struct service *service, int64_t last_generation, void (*leaving)(void *context),
               void (*changed)(void *context), void *context, struct keeper **keeper,
               struct err *err)
{
    SCOPED(keeper_free) struct keeper *k = mem_new(1, sizeof *k);
    if (!k)
        return err_set(err, ERR_MEMORY, "no memory for rules");
    *k = (struct keeper){.service = service,
                         .leaving = leaving,
                         .changed = changed,
                         .context = context,
                         .last_generation = last_generation,
                         .watch.fd = -1,
                         .changes = -1,
                         .retry = -1};
    if (watch(k, err))
        return -1;
    k->watch.fd = k->changes;
    prepare(k);
    run(&k->load);
    take_load(k);
    k->is_open = true;
    *keeper = TAKE(k);
    return 0;
}

void keeper_free(struct keeper **keeper)
{
    struct keeper *k = *keeper;
    if (!k)
        return;
    if (k->changes >= 0)
        loop_end_fd(k->service->loop, k->changes);
    if (k->retry >= 0)
        loop_end_timer(k->service->loop, k->retry);
    watch_list_close(&k->watch);
    watch_list_close(&k->load.watch);
    fd_close(&k->changes);
    rulebook_free(&k->load.book);
    rulebook_free(&k->book);
    free(k);
    *keeper = NULL;
}

const struct rulebook *keeper_book(const struct keeper *k)
{
    return k->book;
}

const char *keeper_refusal(const struct keeper *k)
{
    return k->refusal;
}
