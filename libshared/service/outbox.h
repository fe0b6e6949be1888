/* outbox.h - a service's journal and its way to the audit: no record is lost, none comes twice.
 *
 * A record is appended to the journal first. Once durable it is published live on a PUB that the
 * audit's SUB bound; the truth travels beside it: HELLO{source, epoch, first, last} and a heartbeat
 * each second on a DEALER to the audit, which answers with what it has committed and, where
 * something is missing, from where to push. Pushed records go in order, at most `credit` ahead of
 * the last acknowledgement. Everything here is correct with the live publication switched off. A
 * segment of the journal goes once the audit has committed and the service's projection has applied
 * it. Loop thread only.
 */
#pragma once

#include "engine/record/redact.h"
#include "schema/message.h"
#include "service/loop.h"
#include "store/journal.h"

#include <stdbool.h>

enum outbox_state { OUTBOX_NORMAL, OUTBOX_DEGRADED, OUTBOX_RESTRICTED, OUTBOX_SEALED };

struct outbox;

struct outbox_options {
    struct loop *loop;
    int dirfd;            /* the service's state directory: the journal is made in it */
    const char *source;   /* <service>@<host id> */
    uint64_t known_epoch; /* from the projection; 0: none */
    uint64_t known_seq;
    int64_t bound_bytes; /* service.journal_mb */
    int64_t degraded_ms; /* service.degraded_ms */
    void *live;          /* PUB, connected to the audit's SUB; NULL: no live publication */
    void *truth;         /* DEALER, connected to the audit's ROUTER; NULL for the audit itself */
    /* Each record once it is durable, in order, before `durable` says so; may be NULL. */
    void (*record)(void *context, const struct journal_record *record);
    void (*durable)(void *context, uint64_t seq); /* the journal has everything up to seq on disk */
    void (*failed)(void *context, const struct err *err); /* the journal failed: end the process */
    void *context;
};

/* Opens the journal and starts the two ways. Errors of journal_open. */
int outbox_new(const struct outbox_options *options, struct outbox **outbox,
               struct journal_found *found, struct err *err);

/* Writes what is queued; fine on NULL. */
void outbox_free(struct outbox **outbox);

/* Appends an event as a record of type RECORD_EVENT, without its secrets: this is the one way into
 * a journal, so what redact_message leaves is all that is ever stored. event.command is handed over
 * whole, its words with a NUL between them. ERR_RESTRICTED the journal is over its bound (urgent
 * ones still go); ERR_INVALID the event breaks its schema; ERR_STORE. */
int outbox_append(struct outbox *outbox, const struct event *event, bool urgent, uint64_t *seq,
                  struct err *err);

/* How far the service's projection is: journal segments up to min(acknowledged, applied) are
 * removed. */
void outbox_applied(struct outbox *outbox, uint64_t seq);

enum outbox_state outbox_state(const struct outbox *outbox);
const char *outbox_state_name(enum outbox_state state);

/* Why the state is not normal, for a person; "" when it is. Borrowed until the next call. */
const char *outbox_detail(struct outbox *outbox);

struct journal *outbox_journal(struct outbox *outbox);
/* What takes the secrets out; lives as long as the outbox. */
const struct redactor *outbox_redactor(const struct outbox *outbox);
uint64_t outbox_acked(const struct outbox *outbox);
