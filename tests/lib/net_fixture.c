/* net_fixture.c - see net_fixture.h. */
#include "tests/lib/net_fixture.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>

struct registry_row fixture_row(const struct key_pair *pair, const char *tenant,
                                const char *principal, unsigned roles)
{
    struct registry_row row = {.roles = roles};
    text_copy(row.public_key, sizeof row.public_key, pair->public_key);
    text_copy(row.tenant, sizeof row.tenant, tenant);
    text_copy(row.principal, sizeof row.principal, principal);
    if (roles & ROLE_AGENT)
        text_copy(row.agents[0], sizeof row.agents[0], principal);
    return row;
}

void fixture_open(struct fixture *f)
{
    struct err err;
    *f = (struct fixture){.directory = "/tmp/corral-net-XXXXXX"};
    assert_non_null(mkdtemp(f->directory));
    keys_make(&f->server);
    keys_make(&f->alice);
    keys_make(&f->bob);
    keys_make(&f->stranger);
    struct registry_row rows[] = {
        fixture_row(&f->alice, "red", "alice", ROLE_AGENT),
        fixture_row(&f->bob, "blue", "bob", ROLE_OPERATOR),
    };
    struct registry_parts parts = {.generation = 1, .rows = rows, .row_count = COUNT(rows)};
    struct registry *registry;
    assert_int_equal(registry_make(&parts, clock_wall_ns() / S_NS, &registry, &err), 0);
    assert_int_equal(registry_slot_new(registry, &f->slot, &err), 0);
    assert_int_equal(net_context_open(1024, &f->context, &err), 0);
    assert_int_equal(zap_start(f->context, f->slot, &f->zap, &err), 0);
}

void fixture_close(struct fixture *f)
{
    struct err err;
    zap_stop(&f->zap);
    net_context_close(&f->context);
    registry_slot_free(&f->slot);
    assert_int_equal(dir_remove(AT_FDCWD, f->directory, &err), 0);
}

struct net_options fixture_server(const struct fixture *f, enum net_kind kind)
{
    return (struct net_options){
        .kind = kind,
        .own = &f->server,
        .frame_max_bytes = NET_CLIENT_FRAME_BYTES,
        .queue_messages = 100,
    };
}

struct net_options fixture_client(const struct fixture *f, enum net_kind kind,
                                  const struct key_pair *own)
{
    struct net_options options = fixture_server(f, kind);
    options.own = own;
    options.server_key = f->server.public_key;
    return options;
}

void *fixture_bind(struct fixture *f, enum net_kind kind, const char *name,
                   char bound[NET_ENDPOINT_BYTES])
{
    struct err err;
    struct net_options options = fixture_server(f, kind);
    void *socket;
    char endpoint[NET_ENDPOINT_BYTES];
    snprintf(endpoint, sizeof endpoint, "ipc://%s/%s", f->directory, name);
    assert_int_equal(net_open(f->context, &options, &socket, &err), 0);
    if (net_bind(socket, name ? endpoint : "tcp://127.0.0.1:*", 0600, bound, &err))
        fail_msg("%s", err.text);
    return socket;
}

void *fixture_connect(struct fixture *f, enum net_kind kind, const struct key_pair *own,
                      const char *endpoint)
{
    struct err err;
    struct net_options options = fixture_client(f, kind, own);
    void *socket;
    assert_int_equal(net_open(f->context, &options, &socket, &err), 0);
    if (net_connect(socket, endpoint, &err))
        fail_msg("%s", err.text);
    return socket;
}

bool fixture_wait(void *socket, int ms)
{
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    return zmq_poll(&item, 1, ms) == 1;
}

void fixture_send(void *socket, const struct view *frames, size_t count)
{
    struct err err;
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLOUT};
    assert_int_equal(zmq_poll(&item, 1, FIXTURE_PATIENCE_MS), 1);
    if (net_send(socket, frames, count, &err))
        fail_msg("%s", err.text);
}

struct monitor fixture_monitor(struct fixture *f, void *socket)
{
    struct err err;
    struct monitor monitor;
    if (monitor_open(f->context, socket, &monitor, &err))
        fail_msg("%s", err.text);
    return monitor;
}

enum monitor_event fixture_event(const struct monitor *monitor, unsigned events)
{
    struct err err;
    enum monitor_event event;
    if (monitor_wait(monitor, events, FIXTURE_PATIENCE_MS, &event, &err) != 1)
        fail_msg("no such event: %x", events);
    return event;
}
