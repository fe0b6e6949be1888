/* corral guardian-status: rules, approved agents, decisions. */
#include "base/scope.h"
#include "base/text.h"
#include "cli/connect.h"
#include "cli/print.h"
#include "cli/show.h"

static int print_agents(const struct cli *cli, const struct guardian_report *report,
                        struct err *err)
{
    struct list rest = report->agents;
    struct view agent;
    if (print_fact(cli, "agents", err, "%lld approved", (long long)report->agents_total))
        return -1;
    while (list_next_text(&rest, &agent))
        if (print_fact(cli, "", err, "%.*s", (int)agent.len, (const char *)agent.data))
            return -1;
    return 0;
}

static int print_rules(const struct cli *cli, const struct guardian_report *r, struct err *err)
{
    char policy[65] = "";
    if (r->policy.len <= 32)
        text_hex(policy, r->policy.data, r->policy.len);
    if (r->refused[0] && print_fact(cli, "refused", err, "%s; %s", r->refused,
                                    r->rules ? "the last good rules stay" : "nothing is allowed"))
        return -1;
    return print_fact(cli, "rules", err,
                      "%lld in force, %lld of them enforced; %lld builtin, %lld of tenants, %lld "
                      "of agents",
                      (long long)r->rules, (long long)r->rules_enforced,
                      (long long)r->tiers.builtin, (long long)r->tiers.tenant,
                      (long long)r->tiers.agent) ||
                   print_fact(cli, "profile", err, "%s", r->profile) ||
                   print_fact(cli, "generation", err, "%lld", (long long)r->generation) ||
                   print_fact(cli, "policy", err, "%s", policy)
               ? -1
               : 0;
}

static int print_matches(const struct cli *cli, const struct guardian_report *r, struct err *err)
{
    struct rule_count row;
    bool is_first = true;
    for (struct list rest = r->most_matched; list_next(&rest, &message_rule_count, &row);) {
        if (print_fact(cli, is_first ? "matched" : "", err, "%lld times %s", (long long)row.count,
                       row.rule))
            return -1;
        is_first = false;
    }
    return 0;
}

/* What waits for a person, and who is held. */
static int print_waiting(const struct cli *cli, const struct guardian_report *r, struct err *err)
{
    struct hold hold;
    bool is_first = true;
    if (print_fact(cli, "volume ACLs", err, "%lld", (long long)r->acls) ||
        print_fact(cli, "approvals", err, "%lld wait for a person",
                   (long long)r->approvals_pending))
        return -1;
    for (struct list rest = r->holds; list_next(&rest, &message_hold, &hold);) {
        if (print_fact(cli, is_first ? "held" : "", err, "%s %s%s%s by %s: %s", hold.scope,
                       hold.tenant, hold.agent[0] ? "/" : "", hold.agent, hold.by, hold.reason))
            return -1;
        is_first = false;
    }
    return 0;
}

static int print_decisions(const struct cli *cli, const struct guardian_report *r, struct err *err)
{
    return print_fact(cli, "decisions", err, "%lld allowed, %lld denied, %lld need approval",
                      (long long)r->allowed, (long long)r->denied,
                      (long long)r->approval_required) ||
                   print_fact(cli, "last minute", err, "%lld (%.1f/s)",
                              (long long)r->decisions_last_minute,
                              (double)r->decisions_last_minute / 60) ||
                   print_fact(cli, "risk", err, "%lld low, %lld medium, %lld high, %lld critical",
                              (long long)r->risks.low, (long long)r->risks.medium,
                              (long long)r->risks.high, (long long)r->risks.critical) ||
                   print_fact(cli, "latency", err, "%lld us median, %lld us at 99 %%",
                              (long long)r->latency_p50_us, (long long)r->latency_p99_us) ||
                   print_matches(cli, r, err)
               ? -1
               : 0;
}

static int print_report(const struct cli *cli, const struct guardian_report *r, struct err *err)
{
    return print_rules(cli, r, err) || print_agents(cli, r, err) || print_waiting(cli, r, err) ||
                   print_decisions(cli, r, err)
               ? -1
               : 0;
}

int cmd_guardian_status(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct option options[] = {{0}};
    static const struct question question = {PART_GUARDIAN, "guardian_status", &message_nothing,
                                             &message_guardian_report, CONNECT_ASK_MS};
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;

    SCOPED(connect_close) struct connect connect = {0};
    struct nothing nothing = {0};
    struct guardian_report report;
    if (connect_open(cli, &connect, err) ||
        connect_ask(&connect, &question, &nothing, &report, err))
        return -1;
    return cli->json ? print_json(&message_guardian_report, &report, err)
                     : print_report(cli, &report, err);
}
