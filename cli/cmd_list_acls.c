/* corral list-acls: what agents' sandboxes may see of their hosts. */
#include "base/clock.h"
#include "base/scope.h"
#include "cli/acls.h"
#include "cli/print.h"
#include "cli/show.h"

struct listing {
    const struct cli *cli;
    struct table table;
    struct print_list json;
};

static void listing_close(struct listing *listing)
{
    table_close(&listing->table);
}

static int add_row(struct table *t, const struct volume_acl *acl, struct err *err)
{
    char allowed[SHOW_LIST_BYTES], blocked[SHOW_LIST_BYTES], added[32];
    show_list(allowed, acl->allowed);
    show_list(blocked, acl->blocked);
    clock_show(added, acl->added_ns);
    return table_cell(t, PLAIN, err, "%s", acl->acl_id) ||
                   table_cell(t, PLAIN, err, "%s", acl->tenant) ||
                   table_cell(t, PLAIN, err, "%s", acl->agent[0] ? acl->agent : "*") ||
                   table_cell(t, PLAIN, err, "%s", acl->host_path) ||
                   table_cell(t, PLAIN, err, "%s", acl->container_path) ||
                   table_cell(t, PLAIN, err, "%s", acl->mode) ||
                   table_cell(t, PLAIN, err, "%s", allowed) ||
                   table_cell(t, PLAIN, err, "%s", blocked) ||
                   table_cell(t, RED, err, "%s", acl->sensitive ? "yes" : "") ||
                   table_cell(t, PLAIN, err, "%s", acl->added_by) ||
                   table_cell(t, PLAIN, err, "%s", added) ||
                   table_cell(t, PLAIN, err, "%s", acl->reason)
               ? -1
               : 0;
}

static int take(void *context, const struct volume_acl *acl, struct err *err)
{
    struct listing *listing = context;
    if (listing->cli->json)
        return print_list_add(&listing->json, &message_volume_acl, acl, err);
    if (!listing->cli->quiet)
        return add_row(&listing->table, acl, err);
    print_line("%s", acl->acl_id);
    return 0;
}

int cmd_list_acls(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct column columns[] = {
        {.name = "ACL"},
        {.name = "TENANT", .shrinks = true},
        {.name = "AGENT", .shrinks = true},
        {.name = "HOST", .shrinks = true},
        {.name = "IN SANDBOX", .shrinks = true},
        {.name = "MODE"},
        {.name = "ALLOWED", .shrinks = true},
        {.name = "BLOCKED", .shrinks = true},
        {.name = "SENSITIVE"},
        {.name = "BY", .shrinks = true},
        {.name = "ADDED"},
        {.name = "REASON", .shrinks = true},
    };
    static const struct option options[] = {{0}};
    SCOPED(listing_close) struct listing listing = {.cli = cli, .json = {.name = "acls"}};
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;

    SCOPED(connect_close) struct connect connect = {0};
    listing.table = table_open(columns, COUNT(columns));
    if (connect_open(cli, &connect, err) || acls_each(&connect, take, &listing, err))
        return -1;
    if (cli->json) {
        print_list_end(&listing.json);
        return 0;
    }
    return cli->quiet ? 0 : print_table(cli, &listing.table, err);
}
