/* derive.c - from a record's payload to columns; see derive.h. */
#include "engine/record/derive.h"

#include "base/scope.h"
#include "base/text.h"
#include "store/journal.h"

#include <string.h>

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

static struct derived_column word(const char *text)
{
    return (struct derived_column){.text = *text ? text : NULL};
}

static struct derived_column number(int64_t value, bool is_there)
{
    return (struct derived_column){.number = is_there ? value : 0, .is_number = is_there};
}

void derived_columns(const struct derived *d, struct derived_column out[DERIVED_COLUMNS])
{
    const struct event *e = &d->event;
    if (!d->is_event) {
        memset(out, 0, DERIVED_COLUMNS * sizeof *out);
        return;
    }
    const struct derived_column columns[] = {
        word(e->kind),
        word(e->phase),
        word(e->status),
        word(e->tenant),
        word(e->principal),
        word(e->agent),
        word(e->sandbox_id),
        word(e->op_id),
        word(e->cause),
        word(d->rule),
        word(e->verdict.verdict_id),
        word(e->verdict.risk),
        number(e->exit_code, d->has_exit_code),
        number(e->duration_ms, d->has_duration),
        number(e->cpu_ms, e->cpu_ms),
        number(e->memory_peak_bytes, e->memory_peak_bytes),
        word(d->command),
        word(e->detail),
    };
    _Static_assert(COUNT(columns) == DERIVED_COLUMNS, "one value a column");
    memcpy(out, columns, sizeof columns);
}
