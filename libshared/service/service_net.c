/* service_net.c - opens and closes a service's sockets; see service_net.h. Messages are in
 * service_talk.c. */
#include "service/service_net_own.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "net/probe.h"
#include "net/socket.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The sockets' directory decides who reaches them; see service.h. */
enum { SOCKET_MODE = 0660, QUEUE_MESSAGES = 4096, MAX_SOCKETS = 64 };

/* A map that a service can start with: keys are keys, and those it speaks to are in it. */
static int check_map(const struct service_map *map, const char *name, struct err *err)
{
    const char *const needed[] = {name, "guardian", "audit"};
    struct endpoint e;
    uint8_t key[32];
    struct list rest = map->services.services;
    while (list_next(&rest, &message_endpoint, &e))
        if (keys_check_public(e.server_key, err))
            return err_add(err, "server_key of the %s", e.service);
    for (size_t i = 0; i < COUNT(needed); i++)
        if (service_map_find(map, needed[i], &e, err))
            return -1;
    if (!text_unhex(key, sizeof key, map->services.verdict_key))
        return err_set(err, ERR_INVALID, "verdict_key is not 64 hex digits");
    return 0;
}

int service_map_load(const char *state_path, const char *name, struct service_map *map,
                     struct err *err)
{
    char path[512], dir[512];
    snprintf(dir, sizeof dir, "%s/public", state_path);
    snprintf(path, sizeof path, "%s/public/services.json", state_path);
    SCOPED(bytes_close) struct bytes text = {0};
    map->packed = bytes_open(64 * 1024);
    if (file_check_unshared(AT_FDCWD, dir, err) || file_check_unshared(AT_FDCWD, path, err) ||
        file_read(AT_FDCWD, path, 64 * 1024, &text, err))
        return service_unusable(err);
    if (schema_from_json(&message_services, bytes_view(&text), &map->packed, &map->services, err) ||
        check_map(map, name, err)) {
        bytes_close(&map->packed);
        err_add(err, "%s", path);
        return service_unusable(err);
    }
    return 0;
}

void service_map_close(struct service_map *map)
{
    bytes_close(&map->packed);
}

int service_map_find(const struct service_map *map, const char *name, struct endpoint *out,
                     struct err *err)
{
    struct list rest = map->services.services;
    while (list_next(&rest, &message_endpoint, out))
        if (!strcmp(out->service, name))
            return 0;
    return err_set(err, ERR_CONFIG, "services.json names no %s", name);
}

static struct net_options options(const struct service *s, enum net_kind kind,
                                  const char *server_key)
{
    bool between = kind == NET_DEALER || kind == NET_PUB || s->table->is_audit;
    return (struct net_options){
        .kind = kind,
        .own = &s->net->own,
        .server_key = server_key,
        .frame_max_bytes = between ? NET_SERVICE_FRAME_BYTES : NET_CLIENT_FRAME_BYTES,
        .queue_messages = QUEUE_MESSAGES,
        .linger_ms = kind == NET_PUB ? NET_LINGER_LAST_MS : NET_LINGER_NONE_MS};
}

static int open_socket(struct service *s, enum net_kind kind, const char *server_key, void **socket,
                       struct err *err)
{
    struct net_options o = options(s, kind, server_key);
    return net_open(s->net->context, &o, socket, err);
}

/* The endpoints of one server socket: the local one, and for a service with events the TCP one
 * beside it, "" when none. */
struct doors {
    char endpoint[EVENT_DOORS][NET_ENDPOINT_BYTES];
};

static int find_doors(const struct service *s, const char *local, int tcp_offset, struct doors *to,
                      struct err *err)
{
    text_copy(to->endpoint[0], sizeof to->endpoint[0], local);
    to->endpoint[1][0] = 0;
    if (!s->table->has_events || !s->config.manager.listen[0])
        return 0;
    return config_tcp(s->config.manager.listen, tcp_offset, to->endpoint[1], err);
}

static int prove(struct service *s, enum net_kind kind, const char *endpoint, struct err *err)
{
    if (probe_endpoint(s->net->context, kind, endpoint, s->net->own.public_key, err))
        return err_add(err, "%s is not safe", endpoint);
    return 0;
}

/* Opens a server socket, binds it to its doors, proves them and watches it. */
static int serve(struct service *s, enum net_kind kind, const char *local, int tcp_offset,
                 void (*ready)(void *), void **socket, struct err *err)
{
    struct doors doors;
    char bound[NET_ENDPOINT_BYTES];
    if (find_doors(s, local, tcp_offset, &doors, err) || open_socket(s, kind, NULL, socket, err))
        return -1;
    for (size_t i = 0; i < EVENT_DOORS && doors.endpoint[i][0]; i++)
        if (net_bind(*socket, doors.endpoint[i], SOCKET_MODE, bound, err) ||
            prove(s, kind, bound, err))
            return -1;
    return loop_watch_socket(s->loop, *socket, ready, s, err);
}

/* The same for the guarded XPUBs, each with its own door: one may have to be opened anew without
 * the other. */
static int serve_events(struct service *s, const char *local, struct err *err)
{
    struct doors doors;
    struct service_net *n = s->net;
    if (find_doors(s, local, 2, &doors, err))
        return -1;
    for (size_t i = 0; i < EVENT_DOORS && doors.endpoint[i][0]; i++) {
        struct topics_options o = {.context = n->context,
                                   .slot = s->registry,
                                   .zap = n->zap,
                                   .socket = options(s, NET_XPUB, NULL),
                                   .endpoint = doors.endpoint[i],
                                   .mode = SOCKET_MODE};
        if (topics_open(&o, &n->events[i], err) ||
            prove(s, NET_XPUB, topics_endpoint(n->events[i]), err) ||
            loop_watch_socket(s->loop, topics_socket(n->events[i]), talk_on_subscription, s, err))
            return -1;
    }
    return 0;
}

static int connect_audit(struct service *s, struct err *err)
{
    struct endpoint audit;
    struct service_net *n = s->net;
    return service_map_find(&n->map, "audit", &audit, err) ||
                   open_socket(s, NET_PUB, audit.server_key, &n->live, err) ||
                   net_connect(n->live, audit.publish, err) ||
                   open_socket(s, NET_DEALER, audit.server_key, &n->truth, err) ||
                   net_connect(n->truth, audit.requests, err)
               ? -1
               : 0;
}

/* The refusals that the probes caused are no strangers. */
static void forget_probes(struct zap *zap)
{
    struct zap_refusal refusal;
    while (zap_next_refusal(zap, &refusal))
        ;
}

/* True when the others will know this service by its key. */
static bool is_registered(const struct service *s)
{
    SCOPED(registry_release) struct registry *registry = registry_hold(s->registry);
    const struct registry_row *row = registry_find_key(registry, s->net->own.public_key);
    return row && registry_row_is_service(row, s->table->name);
}

static int open_all(struct service *s, struct err *err)
{
    struct service_net *n = s->net;
    struct endpoint own;
    char key[512];
    snprintf(key, sizeof key, "%s/service.key", s->own_path);
    if (keys_load(AT_FDCWD, key, &n->own, err))
        return service_unusable(err);
    if (service_map_find(&n->map, s->table->name, &own, err))
        return -1;
    if (strcmp(n->own.public_key, own.server_key))
        return err_set(err, ERR_CONFIG, "%s is not the key that services.json has for the %s", key,
                       s->table->name);
    if (!is_registered(s))
        return err_set(err, ERR_CONFIG,
                       "registry.json does not have this %s's key: it is of another Corral",
                       s->table->name);
    if (net_context_open(MAX_SOCKETS, &n->context, err) ||
        zap_start(n->context, s->registry, &n->zap, err) ||
        serve(s, NET_ROUTER, own.requests, 0, talk_on_requests, &n->requests, err))
        return -1;
    if (own.publish[0] &&
        serve(s, NET_SUB_IN, own.publish, 1, talk_on_published, &n->published, err))
        return -1;
    if (own.events[0] && serve_events(s, own.events, err))
        return -1;
    forget_probes(n->zap);
    if (loop_watch_fd(s->loop, zap_fd(n->zap), talk_on_refusal, s, err))
        return -1;
    return s->table->is_audit ? 0 : connect_audit(s, err);
}

int service_net_open(struct service *s, const struct service_map *map, struct err *err)
{
    s->net = mem_new(1, sizeof *s->net);
    if (!s->net)
        return err_set(err, ERR_MEMORY, "no memory for sockets");
    s->net->map = *map;
    return open_all(s, err);
}

void service_net_close(struct service *s)
{
    struct service_net *n = s->net;
    if (!n)
        return;
    for (size_t i = 0; i < EVENT_DOORS && n->events[i]; i++) {
        loop_end_socket(s->loop, topics_socket(n->events[i]));
        topics_close(&n->events[i]);
    }
    void *sockets[] = {n->requests, n->published, n->live, n->truth};
    for (size_t i = 0; i < COUNT(sockets); i++) {
        if (sockets[i])
            loop_end_socket(s->loop, sockets[i]);
        net_close(&sockets[i]);
    }
    if (n->zap)
        loop_end_fd(s->loop, zap_fd(n->zap));
    zap_stop(&n->zap);
    net_context_close(&n->context);
    keys_wipe(&n->own);
    free(n);
    s->net = NULL;
}

void *service_net_live(struct service *s)
{
    return s->net->live;
}

void *service_net_truth(struct service *s)
{
    return s->net->truth;
}

int service_connect(struct service *s, const char *other, void **socket, struct err *err)
{
    struct endpoint endpoint;
    return service_map_find(&s->net->map, other, &endpoint, err) ||
                   open_socket(s, NET_DEALER, endpoint.server_key, socket, err) ||
                   net_connect(*socket, endpoint.requests, err)
               ? -1
               : 0;
}

void service_socket_dir(const struct service *s, const char *name, char dir[108])
{
    static const char scheme[] = "ipc://";
    struct endpoint endpoint;
    struct err err;
    char *slash;
    dir[0] = 0;
    if (service_map_find(&s->net->map, name, &endpoint, &err) ||
        strncmp(endpoint.requests, scheme, sizeof scheme - 1) != 0)
        return;
    text_copy(dir, 108, endpoint.requests + sizeof scheme - 1);
    if ((slash = strrchr(dir, '/')))
        *slash = 0;
}
