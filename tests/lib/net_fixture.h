/* net_fixture.h - what the tests of this folder share: a context with our ZAP handler, key pairs of
 * a few principals, waiting with a bound. */
#pragma once

#include "net/monitor.h"
#include "net/registry.h"
#include "net/socket.h"
#include "net/zap.h"

#include <stdbool.h>

enum { FIXTURE_PATIENCE_MS = 10000 };

struct fixture {
    char directory[64]; /* for ipc sockets and files */
    void *context;
    struct registry_slot *slot;
    struct zap *zap;
    struct key_pair server, alice, bob, stranger; /* alice: tenant red; bob: operator in blue */
};

/* Fails the test when anything does not work. */
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);

/* A row with one role and a pattern for agents. */
struct registry_row fixture_row(const struct key_pair *pair, const char *tenant,
                                const char *principal, unsigned roles);

/* Options for a server, or for a client of fixture.server with the keys of `own`. */
struct net_options fixture_server(const struct fixture *f, enum net_kind kind);
struct net_options fixture_client(const struct fixture *f, enum net_kind kind,
                                  const struct key_pair *own);

/* Opens and binds, opens and connects; sockets are closed by the test. */
void *fixture_bind(struct fixture *f, enum net_kind kind, const char *name,
                   char bound[NET_ENDPOINT_BYTES]);
void *fixture_connect(struct fixture *f, enum net_kind kind, const struct key_pair *own,
                      const char *endpoint);

/* Waits until the socket is readable; false after `ms`. */
bool fixture_wait(void *socket, int ms);

/* Sends once the connection stands (sockets have IMMEDIATE 1). */
void fixture_send(void *socket, const struct view *frames, size_t count);

/* Tells of the socket's connections, to be opened before it connects. */
struct monitor fixture_monitor(struct fixture *f, void *socket);

/* The next event whose bit is in `events`; fails the test when none comes. */
enum monitor_event fixture_event(const struct monitor *monitor, unsigned events);
