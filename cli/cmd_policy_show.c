/* corral policy show: the rules that an agent is judged by, as the guardian has them. */
#include "base/scope.h"
#include "base/text.h"
#include "cli/connect.h"
#include "cli/policy.h"
#include "cli/print.h"

#include <string.h>

struct showing {
    const struct cli *cli;
    struct table table;
    struct print_list json;
};

static void showing_close(struct showing *showing)
{
    table_close(&showing->table);
}

static enum colour action_colour(const char *action)
{
    return !strcmp(action, "deny")               ? RED
           : !strcmp(action, "require_approval") ? YELLOW
           : !strcmp(action, "allow")            ? GREEN
                                                 : PLAIN;
}

static int add_rule(struct showing *s, const struct rule_row *row, struct err *err)
{
    struct table *t = &s->table;
    if (s->cli->json)
        return print_list_add(&s->json, &message_rule_row, row, err);
    if (s->cli->quiet) {
        print_line("%s", row->rule);
        return 0;
    }
    return table_cell(t, PLAIN, err, "%s", row->rule) ||
                   table_cell(t, PLAIN, err, "%s", row->tier) ||
                   table_cell(t, row->enforced ? action_colour(row->action) : DIM, err, "%s%s",
                              row->action, row->enforced ? "" : " (shadow)") ||
                   table_cell(t, PLAIN, err, "%s", row->risk) ||
                   table_cell(t, DIM, err, "%s", row->locked ? "locked" : "") ||
                   table_cell(t, PLAIN, err, "%.*s", (int)row->description.len,
                              (const char *)row->description.data) ||
                   table_cell(t, DIM, err, "%s", row->file)
               ? -1
               : 0;
}

static int add_all(struct showing *s, struct connect *connect, struct policy_show *request,
                   struct err *err)
{
    static const struct question question = {PART_GUARDIAN, "policy_show", &message_policy_show,
                                             &message_policy_page, CONNECT_ASK_MS};
    do {
        struct policy_page page;
        struct rule_row row;
        if (connect_ask(connect, &question, request, &page, err))
            return -1;
        for (struct list rest = page.rules; list_next(&rest, &message_rule_row, &row);)
            if (add_rule(s, &row, err))
                return -1;
        request->after = page.next;
    } while (request->after);
    return 0;
}

int policy_show(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct column columns[] = {
        {.name = "RULE"},
        {.name = "TIER"},
        {.name = "ACTION"},
        {.name = "RISK"},
        {.name = "LOCKED"},
        {.name = "DESCRIPTION", .shrinks = true},
        {.name = "FILE", .shrinks = true},
    };
    const char *agent = "", *tenant = "";
    const struct option options[] = {
        {"agent", 0, "NAME", option_text, &agent, "With this agent's own rules."},
        {"tenant", 0, "T", option_text, &tenant, "Whose rules; default: your own tenant's."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;

    struct policy_show request = {0};
    SCOPED(connect_close) struct connect connect = {0};
    SCOPED(showing_close) struct showing showing = {.cli = cli, .json = {.name = "rules"}};
    showing.table = table_open(columns, COUNT(columns));
    if (!text_copy(request.agent, sizeof request.agent, agent) ||
        !text_copy(request.tenant, sizeof request.tenant, tenant))
        return err_set(err, ERR_INVALID, "a name of more than 64 bytes");
    if (connect_open(cli, &connect, err) || add_all(&showing, &connect, &request, err))
        return -1;
    if (cli->json) {
        print_list_end(&showing.json);
        return 0;
    }
    return cli->quiet ? 0 : print_table(cli, &showing.table, err);
}
