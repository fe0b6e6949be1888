/* call.h - who asks: the checked identity behind a request, and where its answer goes. */
#pragma once

#include "base/bytes.h"
#include "net/registry.h"

#include <stdbool.h>
#include <stdint.h>

struct service;

enum { REQUEST_ID_BYTES = 16, ADDRESS_BYTES = 256 };

/* Where answers to a request go. Plain data, may be kept: a peer that has gone is found out when
 * sending. */
struct address {
    bool published; /* by the XPUB, topic <tenant>/<principal>/reply/<request id in hex> */
    bool delimiter; /* a REQ: an empty frame goes first */
    uint8_t peer[ADDRESS_BYTES]; /* routing id of the ROUTER, made by libzmq */
    size_t peer_bytes;
    uint8_t request_id[REQUEST_ID_BYTES];
};

/* A request's origin, as ZAP and the registry say it; nothing here was taken from the request's
 * body. Valid for the duration of the handler. */
struct call {
    struct service *service;
    struct address from;
    char tenant[NAME_BYTES], principal[NAME_BYTES];
    unsigned roles; /* of enum role */
    const struct registry_row *row;
    const struct registry *registry;
    int64_t deadline_boot_ms; /* work past it is not started; INT64_MAX: none */
    struct bytes *scratch;    /* room for the lists of a query's answer; lives until it is sent */
};

/* True when the caller may act for this agent of its own tenant: a pattern of its key matches, or
 * it is operator or admin. Services may act for none. */
bool call_acts_for(const struct call *call, const char *agent);

/* True when the caller may see what belongs to this tenant and agent: admins all; operators and
 * observers their tenant; agents what they may act for. What it must not see is answered as if it
 * did not exist. */
bool call_sees(const struct call *call, const char *tenant, const char *agent);
