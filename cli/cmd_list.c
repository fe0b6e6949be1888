/* corral list: the live sandboxes. */
#include "base/clock.h"
#include "base/scope.h"
#include "cli/connect.h"
#include "cli/print.h"
#include "cli/show.h"

#include <stdio.h>

struct listing {
    const struct cli *cli;
    bool detailed;
    struct table table;
    struct print_list json;
};

static void listing_close(struct listing *listing)
{
    table_close(&listing->table);
}

static int add_details(struct table *t, const struct sandbox_row *row, struct err *err)
{
    char left[UNITS_SHOWN_BYTES], tags[SHOW_LIST_BYTES], volumes[SHOW_LIST_BYTES];
    show_list(tags, row->tags);
    show_mounts(volumes, row->mounts);
    units_show_ms(left, row->lifetime_left_ms);
    return table_cell(t, PLAIN, err, "%s", row->tenant) ||
                   table_cell(t, PLAIN, err, "%s", row->runtime) ||
                   table_cell(t, PLAIN, err, "%lld", (long long)row->host_uid) ||
                   table_cell(t, PLAIN, err, "%lld", (long long)row->init_pid) ||
                   table_cell(t, PLAIN, err, "%s", left) || table_cell(t, PLAIN, err, "%s", tags) ||
                   table_cell(t, PLAIN, err, "%s", volumes)
               ? -1
               : 0;
}

static int add_row(struct listing *listing, const struct sandbox_row *row, struct err *err)
{
    struct table *t = &listing->table;
    char age[UNITS_SHOWN_BYTES], cpus[UNITS_SHOWN_BYTES], unenforced[SHOW_LIST_BYTES];
    int64_t age_ms = (clock_wall_ns() - row->created_ns) / MS_NS;
    units_show_ms(age, age_ms > 0 ? age_ms : 0);
    show_millis(cpus, row->limits.cpu_millis);
    show_list(unenforced, row->unenforced);
    if (table_cell(t, PLAIN, err, "%s", row->sandbox_id) ||
        table_cell(t, PLAIN, err, "%s", row->agent) ||
        table_cell(t, show_sandbox_colour(row->state), err, "%s", row->state) ||
        table_cell(t, PLAIN, err, "%s", age) || table_cell(t, PLAIN, err, "%s", cpus) ||
        table_cell(t, PLAIN, err, "%lld MiB", (long long)row->limits.memory_mb) ||
        table_cell(t, PLAIN, err, "%lld", (long long)row->limits.pids) ||
        table_cell(t, PLAIN, err, "%lld", (long long)row->execs) ||
        table_cell(t, YELLOW, err, "%s", unenforced))
        return -1;
    return listing->detailed ? add_details(t, row, err) : 0;
}

static int take(void *context, const struct sandbox_row *row, struct err *err)
{
    struct listing *listing = context;
    if (listing->cli->json)
        return print_list_add(&listing->json, &message_sandbox_row, row, err);
    if (!listing->cli->quiet)
        return add_row(listing, row, err);
    print_line("%s", row->sandbox_id);
    return 0;
}

int cmd_list(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct column columns[] = {
        {.name = "SANDBOX"},
        {.name = "AGENT", .shrinks = true},
        {.name = "STATE"},
        {.name = "AGE", .right = true},
        {.name = "CPUS", .right = true},
        {.name = "MEMORY", .right = true},
        {.name = "PIDS", .right = true},
        {.name = "EXECS", .right = true},
        {.name = "UNENFORCED"},
        /* --detailed */
        {.name = "TENANT", .shrinks = true},
        {.name = "RUNTIME"},
        {.name = "UID", .right = true},
        {.name = "INIT", .right = true},
        {.name = "LEFT", .right = true},
        {.name = "TAGS", .shrinks = true},
        {.name = "VOLUMES", .shrinks = true},
    };
    enum { BRIEF = 9 };
    const char *agent = NULL;
    SCOPED(listing_close) struct listing listing = {.cli = cli, .json = {.name = "sandboxes"}};
    const struct option options[] = {
        {"agent", 0, "NAME", option_text, &agent, "Only this agent's."},
        {"detailed", 0, NULL, option_flag, &listing.detailed,
         "Also tenant, runtime, uid and init's pid on the host, lifetime left, tags, volumes."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;

    SCOPED(connect_close) struct connect connect = {0};
    listing.table = table_open(columns, listing.detailed ? COUNT(columns) : BRIEF);
    if (connect_open(cli, &connect, err) ||
        connect_each_sandbox(&connect, agent, take, &listing, err))
        return -1;
    if (cli->json) {
        print_list_end(&listing.json);
        return 0;
    }
    return cli->quiet ? 0 : print_table(cli, &listing.table, err);
}
