/* notice.c - tells a URL of each approval that is filed; see notice.h. */
#include "guardian/notice.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "guardian/approvals.h"
#include "service/http.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE_MAX = 256, SECRET_MAX_BYTES = 4096, NOTICE_BYTES = 16 * 1024, TRIES = 4 };

struct notice {
    char approval_id[27];
    struct bytes body;
    int tries;
    struct notice *next;
};

struct notices {
    struct service *service;
    struct bytes secret;         /* empty: not signed */
    struct notice *first, **end; /* the first one is being told */
    size_t count;
    int timer; /* of the pause before the next try; -1: none */

    /* the worker's, while it is at it */
    bool has_failed;
    long status;
    struct err err;
};

static int read_secret(struct notices *n, const char *path, struct err *err)
{
    SCOPED(fd_close) int fd = -1;
    size_t got = 0;
    if (!*path)
        return 0;
    n->secret = bytes_open(SECRET_MAX_BYTES);
    uint8_t *room = bytes_reserve(&n->secret, SECRET_MAX_BYTES, err);
    if (!room || file_open_private(AT_FDCWD, path, &fd, err) ||
        file_read_at(fd, room, SECRET_MAX_BYTES, 0, &got, err)) {
        err->code = ERR_CONFIG;
        return err_add(err, "guardian.approval_webhook_secret_file");
    }
    bytes_grew(&n->secret, got);
    if (!got || got == SECRET_MAX_BYTES)
        return err_set(err, ERR_CONFIG,
                       "guardian.approval_webhook_secret_file: %s has 1 to %d bytes", path,
                       SECRET_MAX_BYTES - 1);
    return 0;
}

int notices_new(struct service *service, struct notices **notices, struct err *err)
{
    const char *url = service->config.guardian.approval_webhook;
    if (!*url)
        return 0;
    if (!http_is_url(url))
        return err_set(err, ERR_CONFIG, "guardian.approval_webhook: not http:// or https://");
    struct notices *n = mem_new(1, sizeof *n);
    if (!n)
        return err_set(err, ERR_MEMORY, "no memory for notices");
    *n = (struct notices){.service = service, .end = &n->first, .timer = -1};
    *notices = n;
    return http_open(err) ||
                   read_secret(n, service->config.guardian.approval_webhook_secret_file, err)
               ? -1
               : 0;
}

static void drop_first(struct notices *n)
{
    struct notice *done = n->first;
    n->first = done->next;
    if (!n->first)
        n->end = &n->first;
    n->count--;
    bytes_close(&done->body);
    free(done);
}

void notices_free(struct notices **notices)
{
    struct notices *n = *notices;
    if (!n)
        return;
    while (n->first)
        drop_first(n);
    if (n->timer >= 0)
        loop_end_timer(n->service->loop, n->timer);
    if (n->secret.data)
        sodium_memzero(n->secret.data, n->secret.len);
    bytes_close(&n->secret);
    free(n);
    *notices = NULL;
}

static void report(struct notices *n, const char *approval_id, const char *why)
{
    struct event event = {.kind = "approval_notice", .phase = "event", .status = "failure"};
    text_copy(event.approval_id, sizeof event.approval_id, approval_id);
    text_copy(event.detail, sizeof event.detail, why);
    service_event(n->service, &event, false);
    log_warn("approval.notice_failed id=%s error=\"%s\"", approval_id, why);
}

/* HMAC-SHA256 (RFC 2104) of the body, in hex. */
static void sign(const struct notices *n, struct view body, char header[128])
{
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    char hex[2 * sizeof mac + 1];
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, n->secret.data, n->secret.len);
    crypto_auth_hmacsha256_update(&state, body.data, body.len);
    crypto_auth_hmacsha256_final(&state, mac);
    text_hex(hex, mac, sizeof mac);
    snprintf(header, 128, "X-Corral-Signature: sha256=%s", hex);
}

/* On a worker. */
static void post_first(void *context)
{
    struct notices *n = context;
    char signature[128] = "";
    struct view body = bytes_view(&n->first->body);
    if (n->secret.len)
        sign(n, body, signature);
    const char *headers[] = {"Content-Type: application/json", "X-Corral-Event: approval_requested",
                             signature[0] ? signature : NULL, NULL};
    struct http_post post = {.url = n->service->config.guardian.approval_webhook,
                             .headers = headers,
                             .body = body,
                             .timeout_ms = n->service->config.guardian.approval_webhook_timeout_ms};
    n->has_failed = http_post(&post, &n->status, &n->err);
    if (!n->has_failed && (n->status < 200 || n->status > 299))
        n->has_failed = err_set(&n->err, ERR_UNAVAILABLE, "the webhook answered %ld", n->status);
}

static void posted(void *context);

/* A full queue of workers is a failed try. */
static void try_first(void *context)
{
    struct notices *n = context;
    n->timer = -1;
    n->first->tries++;
    if (workers_run(n->service->workers, post_first, posted, n, &n->err)) {
        n->has_failed = true;
        posted(n);
    }
}

/* Pauses a while, the longer the more often it failed: 250 ms, 1 s, 4 s. */
static bool pause_first(struct notices *n)
{
    struct err err;
    int64_t delay_ms = 250;
    for (int i = 1; i < n->first->tries; i++)
        delay_ms *= 4;
    n->timer = loop_timer(n->service->loop, delay_ms, false, try_first, n, &err);
    return n->timer >= 0;
}

static void posted(void *context)
{
    struct notices *n = context;
    if (n->has_failed && n->first->tries < TRIES && pause_first(n))
        return;
    if (n->has_failed)
        report(n, n->first->approval_id, n->err.text);
    drop_first(n);
    if (n->first)
        try_first(n);
}

static int make(const struct approval_item *item, struct notice *to, struct err *err)
{
    struct approval_row row;
    SCOPED(bytes_close) struct bytes command = bytes_open(ACT_SHOWN_BYTES);
    to->body = bytes_open(NOTICE_BYTES);
    text_copy(to->approval_id, sizeof to->approval_id, item->shown.approval_id);
    return approval_row_now(item, clock_boot_ms(), &command, &row, err) ||
                   schema_json(&message_approval_row, &row, 0, &to->body, err)
               ? -1
               : 0;
}

void notice_send(struct notices *n, const struct approval_item *item)
{
    struct err err;
    if (!n)
        return;
    struct notice *notice = n->count < QUEUE_MAX ? mem_new(1, sizeof *notice) : NULL;
    if (!notice || make(item, notice, &err)) {
        report(n, item->shown.approval_id, notice ? err.text : "too many notices wait");
        if (notice)
            bytes_close(&notice->body);
        free(notice);
        return;
    }
    *n->end = notice;
    n->end = &notice->next;
    n->count++;
    if (n->first == notice)
        try_first(n);
}
