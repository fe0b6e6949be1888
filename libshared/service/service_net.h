/* service_net.h - a service's sockets: requests in, answers, replies and events out, records to the
 * audit.
 *
 * Loop thread only. Used by service.c; handlers use service_send of service.h.
 */
#pragma once

#include "service/service.h"

struct service_net;

/* What DIR/public/services.json says, decoded: it owns the bytes that its lists point into. */
struct service_map {
    struct services services;
    struct bytes packed;
};

/* Reads and checks it for the service `name`: keys are keys, and those that it speaks to are there.
 * ERR_CONFIG, ERR_IO. */
int service_map_load(const char *state_path, const char *name, struct service_map *map,
                     struct err *err);
void service_map_close(struct service_map *map);

/* Finds a service's endpoint. ERR_CONFIG. */
int service_map_find(const struct service_map *map, const char *name, struct endpoint *out,
                     struct err *err);

/* Starts ZAP, binds the service's sockets, proves by a stranger's key and by none that nobody
 * unknown gets in, and watches them. ERR_CONFIG, ERR_IO, ERR_STATE (a probe got through). */
int service_net_open(struct service *service, const struct service_map *map, struct err *err);

/* Closes what service_net_open opened; fine on NULL. */
void service_net_close(struct service *service);

/* After the registry changed: subscriptions that would not be granted any more are ended. */
void service_net_check(struct service *service);

/* The sockets of the way to the audit, for the outbox; owned here. */
void *service_net_live(struct service *service);
void *service_net_truth(struct service *service);

/* Publishes an event under its tenant's topic to those who may read it; a service without XPUB
 * publishes nothing. */
void service_net_publish(struct service *service, const struct event *event, struct view payload);
