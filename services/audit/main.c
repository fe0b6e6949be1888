/* main.c - corral-audit: its table of contents. */
#include "audit/audit.h"
#include "audit/op_logs.h"
#include "audit/op_stats.h"
#include "audit/op_summary.h"
#include "audit/op_trends.h"

static const struct query queries[] = {
    SERVICE_STATUS_QUERY,
    {0},
};

static const struct op_kind *const operations[] = {&op_logs, &op_summary, &op_stats, &op_trends,
                                                   NULL};

static const struct service_table table = {
    .name = "audit",
    .doc = "Keeps the record: every event of every service, stored once, in order, and answerable.",
    .queries = queries,
    .operations = operations,
    .is_audit = true,
    .open = audit_open,
    .close = audit_close,
    .status = audit_status,
    .intercept = audit_intercept,
    .own_event = audit_own_event,
};

int main(int argc, char **argv)
{
    return service_main(argc, argv, &table);
}
