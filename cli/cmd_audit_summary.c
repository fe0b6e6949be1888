/* corral audit summary: what an agent did in some days. */
#include "base/clock.h"
#include "base/scope.h"
#include "cli/audit.h"
#include "cli/print.h"
#include "cli/units.h"

#include <stdio.h>

static int print_usage(const struct cli *cli, const struct usage_summary *u, struct err *err)
{
    char cpu[32] = "", memory[96] = "";
    if (schema_has(&message_usage_summary, u, "avg_cpu_percent"))
        snprintf(cpu, sizeof cpu, "%.1f %% of a core on average", u->avg_cpu_percent);
    if (schema_has(&message_usage_summary, u, "max_memory_mb"))
        snprintf(memory, sizeof memory, "%.1f MiB on average, %.1f MiB at most", u->avg_memory_mb,
                 u->max_memory_mb);
    return print_fact(cli, "measured", err, "%lld commands", (long long)u->commands) ||
                   print_fact(cli, "cpu", err, "%s", cpu) ||
                   print_fact(cli, "memory", err, "%s", memory)
               ? -1
               : 0;
}

static int print_summary(const struct cli *cli, const struct agent_summary *s, struct err *err)
{
    char since[32], took[UNITS_SHOWN_BYTES];
    clock_show(since, s->since_ns);
    units_show_ms(took, s->total_duration_ms);
    return print_fact(cli, "agent", err, "%s", s->agent) ||
                   print_fact(cli, "since", err, "%s", since) ||
                   print_fact(cli, "operations", err, "%lld", (long long)s->total_operations) ||
                   print_fact(cli, "errors", err, "%lld", (long long)s->error_count) ||
                   print_fact(cli, "took", err, "%s", took) ||
                   print_usage(cli, &s->resource_usage_summary, err) ||
                   audit_print_counts(cli, "OPERATION", s->operations_by_type, err) ||
                   audit_print_counts(cli, "STATUS", s->operations_by_status, err)
               ? -1
               : 0;
}

int audit_summary(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct question question = {PART_AUDIT, "audit_summary", &message_audit_summary,
                                             &message_agent_summary, CONNECT_ASK_MS};
    struct audit_summary request = {0};
    struct agent_summary answer;
    const char *tenant = NULL;
    const struct option options[] = {
        {"days", 0, "N", units_count, &request.days, "How far back; 30 by default."},
        {"tenant", 0, "T", option_text, &tenant, "Only this tenant's agent of that name."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    SCOPED(connect_close) struct connect connect = {0};
    if (audit_fill(request.agent, sizeof request.agent, "AGENT", args.items[0], err) ||
        audit_fill(request.tenant, sizeof request.tenant, "--tenant", tenant, err) ||
        connect_open(cli, &connect, err) ||
        connect_ask(&connect, &question, &request, &answer, err))
        return -1;
    if (cli->json)
        return print_json(&message_agent_summary, &answer, err);
    if (cli->quiet)
        return 0;
    return print_summary(cli, &answer, err);
}
