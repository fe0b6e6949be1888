/* corral hold: who gets no verdict but deny until somebody releases it. */
#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/connect.h"
#include "cli/print.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 192 };

/* What was said on the command line. */
struct words {
    const char *agent, *tenant, *reason;
    bool host;
};

/* hold_add and hold_release have the same rows. */
static int fill(const struct words *w, struct hold_add *request, struct err *err)
{
    if (!w->reason)
        return err_set(err, ERR_INVALID, "--reason TEXT: say why; it is recorded and shown");
    if (w->host ? w->agent || w->tenant : !w->agent && !w->tenant)
        return err_set(err, ERR_INVALID, "--agent A, --tenant T or --host: what is held");
    text_copy(request->scope, sizeof request->scope,
              w->host    ? "host"
              : w->agent ? "agent"
                         : "tenant");
    if ((w->agent && !text_copy(request->agent, sizeof request->agent, w->agent)) ||
        (w->tenant && !text_copy(request->tenant, sizeof request->tenant, w->tenant)) ||
        !text_copy(request->reason, sizeof request->reason, w->reason))
        return err_set(err, ERR_INVALID,
                       "a name of more than 64 bytes, or a reason of more than %zu",
                       sizeof request->reason - 1);
    return 0;
}

static void name(const struct hold *hold, char to[NAME_MAX_BYTES])
{
    if (!strcmp(hold->scope, "host"))
        snprintf(to, NAME_MAX_BYTES, "this host");
    else
        snprintf(to, NAME_MAX_BYTES, "%s %s%s%s", hold->scope, hold->tenant,
                 hold->agent[0] ? "/" : "", hold->agent);
}

static int change(struct connect *connect, const struct hold_add *request, bool is_add,
                  struct err *err)
{
    const struct question question = {PART_GUARDIAN, is_add ? "hold_add" : "hold_release",
                                      is_add ? &message_hold_add : &message_hold_release,
                                      &message_hold, CONNECT_ASK_MS};
    struct hold hold;
    char what[NAME_MAX_BYTES];
    if (connect_ask(connect, &question, request, &hold, err))
        return -1;
    if (connect->cli->json)
        return print_json(&message_hold, &hold, err);
    name(&hold, what);
    if (!connect->cli->quiet)
        print_line(is_add ? "Held: %s. What runs goes on; nothing new is allowed."
                          : "Released: %s.",
                   what);
    return 0;
}

static int list(struct connect *connect, struct err *err)
{
    static const struct column columns[] = {
        {.name = "HELD"}, {.name = "BY"}, {.name = "SINCE"}, {.name = "REASON", .shrinks = true}};
    static const struct question question = {PART_GUARDIAN, "hold_list", &message_nothing,
                                             &message_hold_rows, CONNECT_ASK_MS};
    struct nothing nothing = {0};
    struct hold_rows rows;
    struct hold hold;
    char what[NAME_MAX_BYTES], since[32];
    if (connect_ask(connect, &question, &nothing, &rows, err))
        return -1;
    if (connect->cli->json)
        return print_json(&message_hold_rows, &rows, err);
    SCOPED(table_close) struct table t = table_open(columns, COUNT(columns));
    while (list_next(&rows.holds, &message_hold, &hold)) {
        name(&hold, what);
        clock_show(since, hold.since_ns);
        if (table_cell(&t, RED, err, "%s", what) || table_cell(&t, PLAIN, err, "%s", hold.by) ||
            table_cell(&t, PLAIN, err, "%s", since) ||
            table_cell(&t, PLAIN, err, "%s", hold.reason))
            return -1;
    }
    return print_table(connect->cli, &t, err);
}

int cmd_hold(struct cli *cli, int argc, char **argv, struct err *err)
{
    struct words words = {0};
    const struct option options[] = {
        {"agent", 0, "A", option_text, &words.agent, "One agent; of another tenant with --tenant."},
        {"tenant", 0, "T", option_text, &words.tenant, "All agents of a tenant."},
        {"host", 0, NULL, option_flag, &words.host, "Everybody."},
        {"reason", 0, "TEXT", option_text, &words.reason, "Why; recorded, and shown to the held."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    bool is_list = !strcmp(args.items[0], "list");
    bool is_add = !strcmp(args.items[0], "add");
    if (!is_list && !is_add && strcmp(args.items[0], "release") != 0)
        return err_set(err, ERR_INVALID, "corral hold add, list or release; not \"%.40s\"",
                       args.items[0]);
    if (is_list && (words.agent || words.tenant || words.host || words.reason))
        return err_set(err, ERR_INVALID, "corral hold list takes no options of its own");

    struct hold_add request = {0};
    SCOPED(connect_close) struct connect connect = {0};
    if ((!is_list && fill(&words, &request, err)) || connect_open(cli, &connect, err))
        return -1;
    return is_list ? list(&connect, err) : change(&connect, &request, is_add, err);
}
