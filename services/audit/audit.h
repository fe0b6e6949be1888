/* audit.h - the audit's state: what joins the rules of intake, the database and the sockets.
 *
 * The loop thread takes records into batches (ingest.h). A thread of its own writes them, one batch
 * at a time (store.h), while the next one fills; answers leave after the commit. Questions run on
 * the service's workers, each on a connection of its own (readers.h), so neither waits for the
 * other. A full disk stops the writing, not the service: the batch is tried again each second, and
 * what does not fit into memory meanwhile stays in the journals that it comes from.
 */
#pragma once

#include "audit/readers.h"
#include "service/service.h"

struct audit;

/* Hooks of struct service_table. */
int audit_open(struct service *service, void **state, struct err *err);
void audit_close(void *state);
void audit_status(void *state, struct service_status *status);
bool audit_intercept(void *state, const struct call *call, const char *operation, struct view body);
void audit_own_event(void *state, const struct event *event);

/* Connections for questions. */
struct readers *audit_readers(struct audit *audit);
