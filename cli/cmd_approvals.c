/* corral approvals: the acts that wait for a person, and the person's answer. */
#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/approvals.h"
#include "cli/print.h"
#include "cli/show.h"

#include <stdio.h>
#include <string.h>

enum { WAIT_MS = 15 * 60 * 1000, DENIED = 77, PENDING = 75 };

/* What was said on the command line. */
struct words {
    const char *state, *agent, *reason, *scope;
    int64_t ttl_ms, wait_ms;
};

/* A verb: `corral approvals VERB`. */
struct verb {
    const char *name;
    bool takes_id;
    int (*run)(struct connect *connect, const struct words *words, const char *id, struct err *err);
};

struct listing {
    const struct cli *cli;
    struct table table;
    struct print_list json;
};

static void listing_close(struct listing *listing)
{
    table_close(&listing->table);
}

static enum colour state_colour(const char *state)
{
    return !strcmp(state, "pending")                             ? YELLOW
           : !strcmp(state, "allowed") || !strcmp(state, "used") ? GREEN
           : !strcmp(state, "denied")                            ? RED
                                                                 : DIM;
}

static int take(void *context, const struct approval_row *row, struct err *err)
{
    struct listing *listing = context;
    struct table *t = &listing->table;
    char left[UNITS_SHOWN_BYTES] = "";
    if (listing->cli->json)
        return print_list_add(&listing->json, &message_approval_row, row, err);
    if (listing->cli->quiet) {
        print_line("%s", row->approval_id);
        return 0;
    }
    if (row->left_ms)
        units_show_ms(left, row->left_ms);
    return table_cell(t, PLAIN, err, "%s", row->approval_id) ||
                   table_cell(t, state_colour(row->state), err, "%s", row->state) ||
                   table_cell(t, PLAIN, err, "%s/%s", row->tenant, row->agent) ||
                   table_cell(t, PLAIN, err, "%s", row->risk) ||
                   table_cell(t, PLAIN, err, "%s", left) ||
                   table_cell(
                       t, PLAIN, err, "%.*s",
                       row->command.len ? (int)row->command.len : (int)strlen(row->operation),
                       row->command.len ? (const char *)row->command.data : row->operation) ||
                   table_cell(t, PLAIN, err, "%s", row->reason)
               ? -1
               : 0;
}

static int run_list(struct connect *connect, const struct words *words, const char *id,
                    struct err *err)
{
    static const struct column columns[] = {
        {.name = "APPROVAL"},
        {.name = "STATE"},
        {.name = "AGENT", .shrinks = true},
        {.name = "RISK"},
        {.name = "LEFT", .right = true},
        {.name = "WHAT", .shrinks = true},
        {.name = "REASON", .shrinks = true},
    };
    (void)id;
    SCOPED(listing_close)
    struct listing listing = {.cli = connect->cli,
                              .json = {.name = "approvals"},
                              .table = table_open(columns, COUNT(columns))};
    const char *state = words->state ? words->state : "pending";
    if (approvals_each(connect, strcmp(state, "all") ? state : "", words->agent ? words->agent : "",
                       take, &listing, err))
        return -1;
    if (listing.cli->json)
        print_list_end(&listing.json);
    else if (!listing.cli->quiet)
        return print_table(listing.cli, &listing.table, err);
    return 0;
}

static int run_show(struct connect *connect, const struct words *words, const char *id,
                    struct err *err)
{
    static const struct question question = {PART_GUARDIAN, "approval_show", &message_approval_show,
                                             &message_approval, CONNECT_ASK_MS};
    struct approval_show request = {0};
    struct approval approval;
    (void)words;
    text_copy(request.approval_id, sizeof request.approval_id, id);
    if (connect_ask(connect, &question, &request, &approval, err))
        return -1;
    return connect->cli->json ? print_json(&message_approval, &approval, err)
                              : approval_print(connect->cli, &approval, err);
}

static int print_row(const struct cli *cli, const struct approval_row *row, struct err *err)
{
    char left[UNITS_SHOWN_BYTES] = "";
    if (cli->json)
        return print_json(&message_approval_row, row, err);
    if (cli->quiet)
        return 0;
    if (row->left_ms)
        units_show_ms(left, row->left_ms);
    print_line("%s is %s%s%s%s%s%s%s", row->approval_id, row->state, row->scope[0] ? ", " : "",
               row->scope, row->approver[0] ? ", by " : "", row->approver,
               left[0] ? ", time left " : "", left);
    return 0;
}

static int decide(struct connect *connect, const struct words *words, const char *id,
                  const char *decision, struct err *err)
{
    static const struct question question = {PART_GUARDIAN, "approval_decide",
                                             &message_approval_decide, &message_approval_row,
                                             CONNECT_ASK_MS};
    struct approval_decide request = {.ttl_ms = words->ttl_ms};
    struct approval_row row;
    const char *scope = words->scope ? words->scope : words->ttl_ms ? "ttl" : "";
    text_copy(request.approval_id, sizeof request.approval_id, id);
    text_copy(request.decision, sizeof request.decision, decision);
    if (!text_copy(request.scope, sizeof request.scope, scope))
        return err_set(err, ERR_INVALID, "--scope: once, session or ttl");
    if (words->reason && !text_copy(request.reason, sizeof request.reason, words->reason))
        return err_set(err, ERR_INVALID, "--reason: more than %zu bytes",
                       sizeof request.reason - 1);
    return connect_ask(connect, &question, &request, &row, err)
               ? -1
               : print_row(connect->cli, &row, err);
}

static int run_allow(struct connect *connect, const struct words *words, const char *id,
                     struct err *err)
{
    return decide(connect, words, id, "allow", err);
}

static int run_deny(struct connect *connect, const struct words *words, const char *id,
                    struct err *err)
{
    return decide(connect, words, id, "deny", err);
}

static int run_wait(struct connect *connect, const struct words *words, const char *id,
                    struct err *err)
{
    struct approval_wait request = {.wait_ms = words->wait_ms ? words->wait_ms : WAIT_MS};
    const struct question question = {PART_GUARDIAN, "approval_wait", &message_approval_wait,
                                      &message_approval_row, request.wait_ms + CONNECT_ASK_MS};
    struct approval_row row;
    text_copy(request.approval_id, sizeof request.approval_id, id);
    if (connect_ask(connect, &question, &request, &row, err) || print_row(connect->cli, &row, err))
        return -1;
    if (!strcmp(row.state, "allowed") || !strcmp(row.state, "used"))
        return 0;
    return !strcmp(row.state, "pending") ? PENDING : DENIED;
}

static const struct verb *find_verb(const char *name)
{
    static const struct verb verbs[] = {
        {"list", false, run_list}, {"show", true, run_show}, {"allow", true, run_allow},
        {"deny", true, run_deny},  {"wait", true, run_wait},
    };
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (!strcmp(verbs[i].name, name))
            return &verbs[i];
    return NULL;
}

/* Each option goes with some of the verbs. */
static int check_words(const char *verb, const struct words *w, struct err *err)
{
    const struct {
        bool is_given;
        const char *option, *verbs;
    } rows[] = {{w->state, "status", "list"},        {w->agent, "agent", "list"},
                {w->reason, "reason", "allow deny"}, {w->scope, "scope", "allow"},
                {w->ttl_ms != 0, "ttl", "allow"},    {w->wait_ms != 0, "timeout", "wait"}};
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].is_given && !strstr(rows[i].verbs, verb))
            return err_set(err, ERR_INVALID, "--%s does not go with corral approvals %s",
                           rows[i].option, verb);
    return 0;
}

int cmd_approvals(struct cli *cli, int argc, char **argv, struct err *err)
{
    struct words words = {0};
    const struct option options[] = {
        {"status", 0, "STATE", option_text, &words.state,
         "list: pending (default), allowed, denied, expired, used, void or all."},
        {"agent", 0, "NAME", option_text, &words.agent, "list: only this agent's."},
        {"reason", 0, "TEXT", option_text, &words.reason,
         "allow, deny: recorded, and shown to whoever asked."},
        {"scope", 0, "SCOPE", option_text, &words.scope,
         "allow: once (default), session (while the sandbox lives) or ttl."},
        {"ttl", 0, "TIME", units_duration_ms, &words.ttl_ms,
         "allow: for so long, such as 1h; always this very act."},
        {"timeout", 0, "TIME", units_duration_ms, &words.wait_ms,
         "wait: how long; 15m by default."},
        {0},
    };
    char id[APPROVAL_ID_BYTES] = "";
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    const struct verb *verb = find_verb(args.items[0]);
    if (!verb)
        return err_set(err, ERR_INVALID,
                       "corral approvals list, show, allow, deny or wait; not "
                       "\"%.40s\"",
                       args.items[0]);
    if ((args.count == 2) != verb->takes_id)
        return err_set(err, ERR_INVALID, "corral approvals %s %s", verb->name,
                       verb->takes_id ? "needs an id" : "takes no id");
    if (check_words(verb->name, &words, err))
        return -1;

    SCOPED(connect_close) struct connect connect = {0};
    if (connect_open(cli, &connect, err) ||
        (verb->takes_id && approvals_find(&connect, args.items[1], id, err)))
        return -1;
    return verb->run(&connect, &words, id, err);
}
