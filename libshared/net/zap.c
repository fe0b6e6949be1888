/* zap.c - the ZAP handler; see zap.h.
 *
 * The socket is a ROUTER and not a REP, so that a request which cannot be answered is dropped
 * instead of blocking the ones behind it.
 */
#include "net/zap.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "net/socket.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"

struct zap {
    pthread_t thread;
    void *socket; /* the thread's */
    struct registry_slot *slot;
    int stop_fd;    /* eventfd: readable when the thread is to end */
    int refused_fd; /* eventfd: its count is irrelevant, readable while the queue holds anything */

    pthread_mutex_t lock; /* for what follows */
    struct zap_counts counts;
    struct zap_refusal queue[ZAP_REFUSALS_KEPT];
    size_t first, waiting;
    uint64_t unreported;
    char blocked[ZAP_BLOCKED_KEPT][KEY_TEXT_BYTES]; /* a ring; "" is free */
    size_t next_blocked;
};

int zap_parse(const struct view *frames, size_t count, struct zap_request *out, struct err *err)
{
    enum { VERSION, ID, DOMAIN_NAME, ADDRESS, ROUTING_ID, MECHANISM, KEY, FRAMES };
    enum { TEXT_MAX = 255 };

    *out = (struct zap_request){0};
    if (count <= ID || !view_equal(frames[VERSION], view_of("1.0")))
        return err_set(err, ERR_INVALID, "no ZAP 1.0 request");
    if (!frames[ID].len || frames[ID].len > TEXT_MAX)
        return err_set(err, ERR_INVALID, "request id of %zu bytes", frames[ID].len);
    out->id = frames[ID];
    if (count <= ADDRESS || frames[ADDRESS].len > TEXT_MAX)
        return err_set(err, ERR_INVALID, "no address");
    out->address = frames[ADDRESS];
    if (!view_equal(frames[DOMAIN_NAME], view_of(ZAP_DOMAIN_NAME)))
        return err_set(err, ERR_INVALID, "another domain");
    if (count != FRAMES || !view_equal(frames[MECHANISM], view_of("CURVE")))
        return err_set(err, ERR_INVALID, "another mechanism than CURVE");
    if (frames[ROUTING_ID].len > TEXT_MAX || frames[KEY].len != KEY_BYTES)
        return err_set(err, ERR_INVALID, "credentials of %zu bytes", frames[KEY].len);
    out->key = frames[KEY];
    return 0;
}

/* Queues a refusal for whoever watches zap_fd. */
static void report(struct zap *zap, const struct zap_request *request, const char *key)
{
    pthread_mutex_lock(&zap->lock);
    zap->counts.refused++;
    if (!request->key.data)
        zap->counts.malformed++;
    if (zap->waiting == ZAP_REFUSALS_KEPT) {
        zap->unreported++;
    } else {
        size_t at = (zap->first + zap->waiting++) % ZAP_REFUSALS_KEPT;
        struct zap_refusal *refusal = &zap->queue[at];
        text_copy(refusal->public_key, sizeof refusal->public_key, key);
        text_copy_view(refusal->address, sizeof refusal->address, request->address);
        refusal->unreported = zap->unreported;
        zap->unreported = 0;
        eventfd_write(zap->refused_fd, 1);
    }
    pthread_mutex_unlock(&zap->lock);
}

static bool is_blocked(struct zap *zap, const char *key)
{
    bool found = false;
    pthread_mutex_lock(&zap->lock);
    for (size_t i = 0; i < ZAP_BLOCKED_KEPT && !found; i++)
        found = !strcmp(zap->blocked[i], key);
    pthread_mutex_unlock(&zap->lock);
    return found;
}

/* Decides about a request. `key` becomes the client's key as text, "" when there is none. */
static bool is_welcome(struct zap *zap, const struct zap_request *request, char key[KEY_TEXT_BYTES])
{
    key[0] = 0;
    if (!request->key.data)
        return false;
    keys_show(key, request->key.data);
    if (is_blocked(zap, key))
        return false;
    SCOPED(registry_release) struct registry *registry = registry_hold(zap->slot);
    return registry_find_user(registry, key, clock_wall_ns() / S_NS);
}

/* Answers one request. What cannot be answered is dropped: libzmq then ends the handshake. */
static void on_request(struct zap *zap, const struct net_message *message)
{
    struct zap_request request;
    struct err err;
    char key[KEY_TEXT_BYTES];

    if (message->count < 2 || message->frames[1].len)
        return;
    zap_parse(message->frames + 2, message->count - 2, &request, &err);
    bool welcome = is_welcome(zap, &request, key);
    if (welcome) {
        pthread_mutex_lock(&zap->lock);
        zap->counts.accepted++;
        pthread_mutex_unlock(&zap->lock);
    } else {
        report(zap, &request, key);
    }
    if (!request.id.data)
        return;
    const struct view answer[] = {
        message->frames[0],
        {0},
        view_of("1.0"),
        request.id,
        view_of(welcome ? "200" : "400"),
        view_of(welcome ? "OK" : "refused"),
        view_of(welcome ? key : ""),
        {0}, /* no metadata but the User-Id */
    };
    net_send(zap->socket, answer, COUNT(answer), &err);
}

static void answer_all(struct zap *zap)
{
    struct net_message message;
    struct err err;
    int got;
    while ((got = net_recv_unnamed(zap->socket, &message, &err)) != 0) {
        if (got < 0 && err.code != ERR_PEER)
            return;
        if (got < 0)
            continue;
        on_request(zap, &message);
        net_message_close(&message);
    }
}

static void *run(void *arg)
{
    struct zap *zap = arg;
    zmq_pollitem_t items[] = {
        {.socket = zap->socket, .events = ZMQ_POLLIN},
        {.fd = zap->stop_fd, .events = ZMQ_POLLIN},
    };
    while (!items[1].revents) {
        if (zmq_poll(items, COUNT(items), -1) < 0 && errno != EINTR)
            break; /* ETERM: the context is gone, and nobody asks any more */
        answer_all(zap);
    }
    return NULL;
}

static void zap_free(struct zap **zap)
{
    struct zap *z = TAKE(*zap);
    if (!z)
        return;
    net_close(&z->socket);
    fd_close(&z->stop_fd);
    fd_close(&z->refused_fd);
    pthread_mutex_destroy(&z->lock);
    free(z);
}

int zap_start(void *context, struct registry_slot *slot, struct zap **to, struct err *err)
{
    SCOPED(zap_free) struct zap *zap = mem_new(1, sizeof *zap);
    if (!zap)
        return err_set(err, ERR_MEMORY, "no memory for the ZAP handler");
    pthread_mutex_init(&zap->lock, NULL);
    zap->slot = slot;
    zap->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    zap->refused_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    zap->socket = zmq_socket(context, ZMQ_ROUTER);
    if (zap->stop_fd < 0 || zap->refused_fd < 0 || !zap->socket)
        return err_sys(err, "opening the ZAP handler");
    if (zmq_bind(zap->socket, ZAP_ENDPOINT))
        return errno == EADDRINUSE ? err_set(err, ERR_STATE, "this context has a ZAP handler")
                                   : err_sys(err, "binding %s", ZAP_ENDPOINT);
    int failed = pthread_create(&zap->thread, NULL, run, zap);
    if (failed) {
        errno = failed;
        return err_sys(err, "starting the ZAP thread");
    }
    *to = TAKE(zap);
    return 0;
}

void zap_stop(struct zap **zap)
{
    if (!*zap)
        return;
    eventfd_write((*zap)->stop_fd, 1);
    pthread_join((*zap)->thread, NULL);
    zmq_unbind((*zap)->socket, ZAP_ENDPOINT); /* frees the name now; zmq_close does so later */
    zap_free(zap);
}

struct zap_counts zap_counts(struct zap *zap)
{
    pthread_mutex_lock(&zap->lock);
    struct zap_counts counts = zap->counts;
    pthread_mutex_unlock(&zap->lock);
    return counts;
}

void zap_block(struct zap *zap, const char *public_key)
{
    pthread_mutex_lock(&zap->lock);
    size_t at = zap->next_blocked++ % ZAP_BLOCKED_KEPT;
    text_copy(zap->blocked[at], sizeof zap->blocked[at], public_key);
    pthread_mutex_unlock(&zap->lock);
}

int zap_fd(const struct zap *zap)
{
    return zap->refused_fd;
}

bool zap_next_refusal(struct zap *zap, struct zap_refusal *out)
{
    pthread_mutex_lock(&zap->lock);
    bool some = zap->waiting;
    if (some) {
        *out = zap->queue[zap->first];
        zap->first = (zap->first + 1) % ZAP_REFUSALS_KEPT;
        zap->waiting--;
    }
    eventfd_t ignored;
    if (!zap->waiting)
        eventfd_read(zap->refused_fd, &ignored);
    pthread_mutex_unlock(&zap->lock);
    return some;
}
