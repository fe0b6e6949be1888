/* desk.h - for tests of questions: a database with who writes it and who reads it, records of some
 * agents, and callers of each kind. */
#pragma once

#include "tests/unit/audit/records.h"

#include "audit/logs.h"
#include "audit/store.h"

/* A database, who writes it and who reads it. */
struct desk {
    struct place_on_disk at;
    struct store *store;
    struct db *reader;
    int64_t seq;
};

static inline int desk_setup(void **state)
{
    struct err err;
    struct desk *d = calloc(1, sizeof *d);
    d->at = directory_open();
    assert_int_equal(store_open(d->at.path, &d->store, &err), 0);
    assert_int_equal(store_open_reader(d->at.path, &d->reader, &err), 0);
    *state = d;
    return 0;
}

static inline int desk_teardown(void **state)
{
    struct desk *d = *state;
    db_free(&d->reader);
    store_free(&d->store);
    directory_close(&d->at);
    free(d);
    return 0;
}

static inline void write_one(struct desk *d, const struct event *event)
{
    struct err err;
    SCOPED(batch_free) struct batch *batch = NULL;
    assert_int_equal(batch_new(&batch, &err), 0);
    batch_put_event(batch, 1, ++d->seq, event);
    assert_int_equal(store_write(d->store, batch, &err), 0);
}

/* One result: tenant, agent, sandbox, status. */
static inline void write_result(struct desk *d, const char *tenant, const char *agent,
                                const char *sandbox, const char *status)
{
    struct event event = {.kind = "command_execute", .phase = "result"};
    text_copy(event.tenant, sizeof event.tenant, tenant);
    text_copy(event.agent, sizeof event.agent, agent);
    text_copy(event.sandbox_id, sizeof event.sandbox_id, sandbox);
    text_copy(event.status, sizeof event.status, status);
    write_one(d, &event);
}

static inline struct logs_scope admin(void)
{
    return (struct logs_scope){.all_tenants = true};
}

static inline struct logs_scope tenant_of(const char *tenant)
{
    struct logs_scope scope = {.all_agents = true};
    text_copy(scope.tenant, sizeof scope.tenant, tenant);
    return scope;
}

static inline struct logs_scope agent_of(const char *tenant, const char *first, const char *second)
{
    struct logs_scope scope = tenant_of(tenant);
    scope.all_agents = false;
    text_copy(scope.agents[0], NAME_BYTES, first);
    text_copy(scope.agents[1], NAME_BYTES, second);
    return scope;
}

static inline void write_six(struct desk *d)
{
    write_result(d, "red", "coder", "sb_1", "success");  /* 1 */
    write_result(d, "red", "coder", "sb_2", "denied");   /* 2 */
    write_result(d, "red", "coder2", "sb_3", "success"); /* 3 */
    write_result(d, "blue", "coder", "sb_4", "failure"); /* 4 */
    write_result(d, "", "", "", "success");              /* 5: of the host */
    write_result(d, "red", "", "", "success");           /* 6: of the tenant */
}
