/* http.h - one POST, for whoever tells another program something: on a worker, since it blocks.
 *
 * The only file with libcurl. Redirects are not followed, other schemes than http and https are
 * refused, what the other side answers is thrown away but for its status.
 */
#pragma once

#include "base/bytes.h"

struct http_post {
    const char *url;
    const char *const *headers; /* "Name: value", ends with NULL */
    struct view body;
    int64_t timeout_ms; /* for everything, 1 or more */
};

/* Once, on the loop thread, before any post. ERR_UNSUPPORTED. */
int http_open(struct err *err);

/* True for http://… and https://…. */
bool http_is_url(const char *url);

/* Sends and waits for the answer. Any thread.
 *
 *   status   out: the answer's, such as 200
 *   err      ERR_UNAVAILABLE nobody, not in time, or no answer of HTTP; ERR_MEMORY
 */
int http_post(const struct http_post *post, long *status, struct err *err);
