/* corral status: how each service is. */
#include "base/scope.h"
#include "base/text.h"
#include "cli/connect.h"
#include "cli/print.h"
#include "cli/show.h"

#include <stdio.h>
#include <string.h>

enum { NOT_WELL_EXIT_CODE = 125 };

/* A service's answer, or that there is none. */
struct health {
    bool is_known; /* the connection file names it */
    bool answers;
    struct service_status status;
    char why[256]; /* not */
};

static void ask(struct connect *connect, enum part part, struct health *health)
{
    const struct question question = {part, "status", &message_nothing, &message_service_status,
                                      CONNECT_STATUS_MS};
    struct nothing nothing = {0};
    struct endpoint endpoint;
    struct err err;
    *health = (struct health){.is_known = !connect_endpoint(connect, part, &endpoint, &err)};
    if (!health->is_known)
        return;
    health->answers = !connect_ask(connect, &question, &nothing, &health->status, &err);
    if (!health->answers)
        text_copy(health->why, sizeof health->why, err.text);
}

static bool is_well(const struct health *health)
{
    if (!health->is_known)
        return true;
    return health->answers &&
           (!strcmp(health->status.state, "normal") || !strcmp(health->status.state, "degraded"));
}

static int add_down(struct table *t, enum part part, const struct health *health, struct err *err)
{
    if (table_cell(t, PLAIN, err, "%s", part_name(part)) || table_cell(t, RED, err, "down"))
        return -1;
    for (int i = 0; i < 5; i++)
        if (table_cell(t, DIM, err, "-"))
            return -1;
    return table_cell(t, PLAIN, err, "%s", health->why);
}

static int add_row(struct table *t, enum part part, const struct health *health, struct err *err)
{
    const struct service_status *s = &health->status;
    char uptime[UNITS_SHOWN_BYTES], holds[48] = "";
    if (!health->answers)
        return add_down(t, part, health, err);
    units_show_ms(uptime, s->uptime_ms);
    if (part == PART_MANAGER)
        snprintf(holds, sizeof holds, "%lld sandboxes", (long long)s->sandboxes);
    if (part == PART_AUDIT)
        snprintf(holds, sizeof holds, "%lld records", (long long)s->records);
    return table_cell(t, PLAIN, err, "%s", s->service) ||
                   table_cell(t, show_service_colour(s->state), err, "%s", s->state) ||
                   table_cell(t, PLAIN, err, "%lld", (long long)s->pid) ||
                   table_cell(t, PLAIN, err, "%s", uptime) ||
                   table_cell(t, PLAIN, err, "%lld/%lld", (long long)s->last,
                              (long long)s->acked) ||
                   table_cell(t, PLAIN, err, "%lld", (long long)s->operations) ||
                   table_cell(t, PLAIN, err, "%s", holds) ||
                   table_cell(t, PLAIN, err, "%s", s->detail)
               ? -1
               : 0;
}

static int print_all(const struct cli *cli, const struct health all[PARTS], struct err *err)
{
    static const struct column columns[] = {
        {.name = "SERVICE"},
        {.name = "STATE"},
        {.name = "PID", .right = true},
        {.name = "UPTIME", .right = true},
        {.name = "JOURNAL/ACKED", .right = true},
        {.name = "OPERATIONS", .right = true},
        {.name = "HOLDS"},
        {.name = "DETAIL", .shrinks = true},
    };
    SCOPED(table_close) struct table table = table_open(columns, COUNT(columns));
    for (enum part part = 0; part < PARTS; part++)
        if (all[part].is_known && add_row(&table, part, &all[part], err))
            return -1;
    return print_table(cli, &table, err);
}

/* Services that do not answer are left out: what is not there has no state. */
static int print_all_json(const struct health all[PARTS], struct err *err)
{
    struct print_list list = {.name = "services"};
    for (enum part part = 0; part < PARTS; part++)
        if (all[part].answers &&
            print_list_add(&list, &message_service_status, &all[part].status, err))
            return -1;
    print_list_end(&list);
    return 0;
}

int cmd_status(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct option options[] = {{0}};
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;

    SCOPED(connect_close) struct connect connect = {0};
    struct health all[PARTS];
    bool well = true;
    if (connect_open(cli, &connect, err))
        return -1;
    for (enum part part = 0; part < PARTS; part++) {
        ask(&connect, part, &all[part]);
        well &= is_well(&all[part]);
    }
    if (!cli->quiet && (cli->json ? print_all_json(all, err) : print_all(cli, all, err)))
        return -1;
    return well ? 0 : NOT_WELL_EXIT_CODE;
}
