#include "service/strangers.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/scope.h"
#include "base/text.h"
#include "service/service_net_own.h"

#include <stdio.h>
#include <string.h>

/* The peer's address is the peer's word: shown safely. */
static void tell(struct service *s, const char *text)
{
    struct event event = {.kind = "key_refused", .phase = "event", .status = "denied"};
    SCOPED(bytes_close) struct bytes safe = bytes_open(1024);
    struct err err;
    if (!text_show(&safe, text, strlen(text), &err))
        text_copy(event.detail, sizeof event.detail, (char *)safe.data);
    log_warn("key.refused %s", event.detail);
    service_event(s, &event, false);
}

static void tell_rest(void *context)
{
    struct service *s = context;
    struct strangers *of = &s->net->strangers;
    char text[128];
    snprintf(text, sizeof text, "%llu more keys, not told one by one",
             (unsigned long long)of->untold);
    of->is_waiting = false;
    of->untold = 0;
    tell(s, text);
}

/* Each one told moves the time on by STRANGERS_MS; it may run ahead of the clock by a burst. */
static bool may_tell(struct strangers *of)
{
    int64_t now = clock_boot_ms();
    int64_t from = of->told_until_boot_ms > now ? of->told_until_boot_ms : now;
    if (from - now > (STRANGERS_BURST - 1) * (int64_t)STRANGERS_MS)
        return false;
    of->told_until_boot_ms = from + STRANGERS_MS;
    return true;
}

void strangers_refused(struct service *service, const struct zap_refusal *refusal)
{
    struct strangers *strangers = &service->net->strangers;
    struct err err;
    char text[192];
    strangers->untold += refusal->unreported;
    if (may_tell(strangers)) {
        snprintf(text, sizeof text, "key %.40s from %.64s",
                 refusal->public_key[0] ? refusal->public_key : "(none)", refusal->address);
        tell(service, text);
    } else {
        strangers->untold++;
    }
    if (!strangers->untold || strangers->is_waiting)
        return;
    strangers->is_waiting =
        loop_timer(service->loop, STRANGERS_MS, false, tell_rest, service, &err) >= 0;
}
