/* derive.c - from a record's payload to columns; see derive.h. */
#include "audit/derive.h"

#include "base/text.h"
#include "service/outbox.h"

/* The rule that decided: of a verdict, the first is the most severe. */
static void find_rule(struct derived *d)
{
    struct list rules = d->event.verdict.rules;
    struct view first;
    text_copy(d->rule, sizeof d->rule, d->event.rule);
    if (!d->rule[0] && list_next_text(&rules, &first))
        text_copy_view(d->rule, sizeof d->rule, first);
}

void derive(int64_t type, struct view payload, struct derived *d)
{
    struct err err;
    d->is_event = type == RECORD_EVENT &&
                  !schema_decode(&message_event, payload, SCHEMA_LENIENT, &d->event, &err);
    if (!d->is_event)
        return;
    find_rule(d);
    text_copy_view(d->command, sizeof d->command, d->event.command);
    d->has_exit_code = schema_has(&message_event, &d->event, "exit_code");
    d->has_duration = schema_has(&message_event, &d->event, "duration_ms");
}
