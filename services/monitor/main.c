/* main.c - corral-monitor: what it answers, and who may ask. What it does by itself is in
 * lookout.c. */
#include "monitor/lookout.h"
#include "monitor/on_metrics_query.h"

static const struct query queries[] = {
    SERVICE_STATUS_QUERY,
    {"metrics_query", &message_metrics_query, &message_metrics_page,
     ROLE_AGENT | ROLE_OPERATOR | ROLE_OBSERVER | ROLE_ADMIN, NULL, on_metrics_query,
     "Shows what the sandboxes use that the caller may see."},
    {0},
};

static const struct op_kind *const operations[] = {NULL};

static const struct service_table table = {
    .name = "monitor",
    .doc = "Watches the sandboxes of its host and kills what crosses a limit, by itself.",
    .queries = queries,
    .operations = operations,
    .open = lookout_open,
    .close = lookout_close,
    .status = lookout_status,
};

int main(int argc, char **argv)
{
    return service_main(argc, argv, &table);
}
