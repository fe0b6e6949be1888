/* service_net_own.h - the inside of a service's sockets, shared by service_net.c (open, close) and
 * service_talk.c (messages). */
#pragma once

#include "net/keys.h"
#include "net/topics.h"
#include "net/zap.h"
#include "service/service_net.h"
#include "service/strangers.h"

enum { EVENT_DOORS = 2 };

struct service_net {
    void *context;
    struct zap *zap;
    struct key_pair own;
    struct service_map map;
    void *requests;                     /* ROUTER */
    void *published;                    /* SUB, bound: requests or records that come by PUB */
    struct topics *events[EVENT_DOORS]; /* XPUBs: local, and TCP when configured; NULL: none */
    void *live;                         /* PUB to the audit */
    void *truth;                        /* DEALER to the audit */
    struct strangers strangers;         /* whose handshakes were refused */
};

/* Callbacks of the sockets; the context is the struct service. */
void talk_on_requests(void *service);
void talk_on_published(void *service);
void talk_on_subscription(void *service);
void talk_on_refusal(void *service);
