/* status.c - the status query of every service; see service.h. */
#include "service/service.h"

#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"
#include "service/dispatch.h"

#include <unistd.h>

int on_service_status(void *state, const struct call *call, const void *in, void *answer,
                      struct err *err)
{
    struct service *s = call->service;
    struct service_status *out = answer;
    (void)in;
    (void)err;
    SCOPED(registry_release) struct registry *registry = registry_hold(s->registry);
    *out = (struct service_status){.pid = getpid(),
                                   .uptime_ms = clock_boot_ms() - s->started_boot_ms,
                                   .generation = registry_generation(registry),
                                   .operations = (int64_t)dispatch_count(s->dispatch)};
    text_copy(out->service, sizeof out->service, s->table->name);
    text_copy(out->version, sizeof out->version, CORRAL_VERSION);
    text_copy(out->host, sizeof out->host, s->host);
    text_copy(out->state, sizeof out->state, "normal");
    if (s->outbox) {
        struct journal *journal = outbox_journal(s->outbox);
        out->epoch = (int64_t)journal_epoch(journal);
        out->last = (int64_t)journal_durable(journal);
        out->acked = (int64_t)outbox_acked(s->outbox);
        text_copy(out->state, sizeof out->state, outbox_state_name(outbox_state(s->outbox)));
        text_copy(out->detail, sizeof out->detail, outbox_detail(s->outbox));
    }
    if (s->table->status)
        s->table->status(state, out);
    return 0;
}
