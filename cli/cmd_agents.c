/* corral agents: who is approved, and what is set for each. */
#include "base/scope.h"
#include "base/text.h"
#include "cli/connect.h"
#include "cli/print.h"

#include <stdio.h>

struct agents {
    const struct cli *cli;
    struct table table;
    struct print_list json;
};

static void agents_close(struct agents *agents)
{
    table_close(&agents->table);
}

/* A bound, or a dash where the configuration's holds. */
static int add_bound(struct table *t, int64_t value, const char *unit, struct err *err)
{
    return value ? table_cell(t, PLAIN, err, "%lld%s", (long long)value, unit)
                 : table_cell(t, PLAIN, err, "-");
}

static int take(struct agents *agents, const struct agent_row *row, struct err *err)
{
    struct table *t = &agents->table;
    const struct agent_settings *set = &row->settings;
    if (agents->cli->json)
        return print_list_add(&agents->json, &message_agent_row, row, err);
    if (agents->cli->quiet) {
        print_line("%s", row->agent);
        return 0;
    }
    return table_cell(t, PLAIN, err, "%s", row->agent) ||
                   table_cell(t, PLAIN, err, "%s", row->tenant) ||
                   table_cell(t, PLAIN, err, "%lld", (long long)row->keys) ||
                   table_cell(t, PLAIN, err, "%s", set->version[0] ? set->version : "-") ||
                   add_bound(t, set->max_sandboxes, "", err) ||
                   add_bound(t, set->max_memory_mb, " MiB", err) ||
                   add_bound(t, set->max_cpu_percent, " %", err) ||
                   table_cell(t, PLAIN, err, "%s", set->tags[0] ? set->tags : "-")
               ? -1
               : 0;
}

static int take_pages(struct connect *connect, struct agents *agents, struct err *err)
{
    static const struct question question = {PART_GUARDIAN, "agent_list", &message_agent_list,
                                             &message_agent_rows, CONNECT_ASK_MS};
    struct agent_list list = {0};
    struct agent_rows rows;
    do {
        struct agent_row row;
        if (connect_ask(connect, &question, &list, &rows, err))
            return -1;
        while (list_next(&rows.agents, &message_agent_row, &row))
            if (take(agents, &row, err))
                return -1;
        text_copy(list.after, sizeof list.after, rows.next);
    } while (list.after[0]);
    return 0;
}

int cmd_agents(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct column columns[] = {
        {.name = "AGENT", .shrinks = true},   {.name = "TENANT", .shrinks = true},
        {.name = "KEYS", .right = true},      {.name = "VERSION", .shrinks = true},
        {.name = "SANDBOXES", .right = true}, {.name = "MEMORY", .right = true},
        {.name = "CPU", .right = true},       {.name = "TAGS", .shrinks = true},
    };
    static const struct option options[] = {{0}};
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;

    SCOPED(connect_close) struct connect connect = {0};
    SCOPED(agents_close) struct agents agents = {.cli = cli, .json = {.name = "agents"}};
    agents.table = table_open(columns, COUNT(columns));
    if (connect_open(cli, &connect, err) || take_pages(&connect, &agents, err))
        return -1;
    if (cli->json) {
        print_list_end(&agents.json);
        return 0;
    }
    return cli->quiet ? 0 : print_table(cli, &agents.table, err);
}
