/* on_metrics_query.c - see on_metrics_query.h. */
#include "monitor/on_metrics_query.h"

#include "base/clock.h"
#include "base/text.h"
#include "monitor/lookout.h"

#include <string.h>

enum { PAGE_BYTES = 200 * 1024, PAGE_ROWS = 512 };

static void set_int(struct metrics_row *row, const char *field, int64_t *to, int64_t value)
{
    if (value < 0)
        return;
    *to = value;
    schema_mark(&message_metrics_row, row, field);
}

static void set_limits(struct metrics_row *row, const struct rules *rules)
{
    row->cpu_limit_percent = metric_shown(METRIC_CPU, rules->limit[METRIC_CPU]);
    row->memory_limit_bytes = rules->limit[METRIC_MEMORY];
    row->pids_limit = rules->limit[METRIC_PIDS];
    row->disk_limit_bytes = rules->limit[METRIC_DISK];
}

/* A counter that jumped further than any machine has cores is no use to anybody. */
static void set_cpu(struct metrics_row *row, int64_t millis)
{
    if (millis < 0 || millis > 102400 * 10)
        return;
    row->cpu_percent = (double)millis / 10.0;
    schema_mark(&message_metrics_row, row, "cpu_percent");
}

static struct metrics_row row_of(const struct watched *w, const struct look *look)
{
    int64_t age_ns = clock_boot_ns() - look->boot_ns;
    struct metrics_row row = {.age_ms = age_ns / MS_NS, .alerts = w->alarms.raised};
    text_copy(row.sandbox_id, sizeof row.sandbox_id, w->sandbox_id);
    text_copy(row.tenant, sizeof row.tenant, w->tenant);
    text_copy(row.agent, sizeof row.agent, w->agent);
    set_limits(&row, &w->rules);
    set_cpu(&row, look->value[METRIC_CPU]);
    set_int(&row, "memory_bytes", &row.memory_bytes, look->value[METRIC_MEMORY]);
    set_int(&row, "pids", &row.pids, look->value[METRIC_PIDS]);
    set_int(&row, "disk_bytes", &row.disk_bytes, look->value[METRIC_DISK]);
    return row;
}

static int add(const struct call *call, struct metrics_page *page, const struct watched *w,
               const struct look *look, struct err *err)
{
    page->total++;
    if (page->rows.count == PAGE_ROWS || call->scratch->len > PAGE_BYTES)
        return 0;
    struct metrics_row row = row_of(w, look);
    return list_add(call->scratch, &page->rows, &message_metrics_row, &row, err);
}

int on_metrics_query(void *state, const struct call *call, const void *request, void *answer,
                     struct err *err)
{
    const struct lookout *l = state;
    const struct metrics_query *in = request;
    size_t looks = in->looks ? (size_t)in->looks : 1;
    if (looks > 1 && !in->sandbox_id[0])
        return err_set(err, ERR_INVALID, "metrics_query.looks: needs sandbox_id");
    for (size_t i = 0; i < l->table.count; i++) {
        const struct watched *w = l->table.rows[i];
        const struct look *look;
        if (w->state < WATCHED_LIVE || w->state == WATCHED_DEAD ||
            (in->sandbox_id[0] && strcmp(in->sandbox_id, w->sandbox_id)) ||
            (in->agent[0] && strcmp(in->agent, w->agent)) || !call_sees(call, w->tenant, w->agent))
            continue;
        for (size_t back = 0; back < looks && (look = history_at(&w->history, back)); back++)
            if (add(call, answer, w, look, err))
                return -1;
    }
    return 0;
}
