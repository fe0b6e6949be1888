/* notice.h - tells a URL of each approval that is filed.
 *
 * One POST after the other, on a worker, each tried four times with pauses between; nobody waits
 * for it. What could not be told, or found the queue full, is an event (approval_notice, failure).
 * Loop thread only.
 */
#pragma once

#include "schema/message.h"
#include "service/service.h"

struct notices;

/* As guardian.approval_webhook says; *notices stays NULL when it is empty. ERR_CONFIG the URL or
 * the secret's file. */
int notices_new(struct service *service, struct notices **notices, struct err *err);

/* Forgets what was not told. The workers have ended. Fine on NULL. */
void notices_free(struct notices **notices);

/* Queues the notice of one approval: approval_row as JSON. Fine on NULL. */
struct approval_item;
void notice_send(struct notices *notices, const struct approval_item *item);
