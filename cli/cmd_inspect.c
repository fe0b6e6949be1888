/* corral inspect: all about one sandbox. */
#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/connect.h"
#include "cli/print.h"
#include "cli/show.h"

static int print_mounts(const struct cli *cli, struct list mounts, struct err *err)
{
    struct mount m;
    while (list_next(&mounts, &message_mount, &m))
        if (print_fact(cli, "volume", err, "%s -> %s %s (a %s of uid %lld)", m.real_path,
                       m.container_path, m.mode, m.type, (long long)m.owner_uid))
            return -1;
    return 0;
}

static int print_row(const struct cli *cli, const struct sandbox_row *row, struct err *err)
{
    char created[32], cpus[UNITS_SHOWN_BYTES], timeout[UNITS_SHOWN_BYTES], left[UNITS_SHOWN_BYTES];
    char tags[SHOW_LIST_BYTES], unenforced[SHOW_LIST_BYTES];
    const struct limits *limits = &row->limits;
    clock_show(created, row->created_ns);
    show_millis(cpus, limits->cpu_millis);
    units_show_ms(timeout, limits->exec_timeout_ms);
    units_show_ms(left, row->lifetime_left_ms);
    show_list(tags, row->tags);
    show_list(unenforced, row->unenforced);
    return print_fact(cli, "sandbox", err, "%s", row->sandbox_id) ||
                   print_fact(cli, "agent", err, "%s", row->agent) ||
                   print_fact(cli, "tenant", err, "%s", row->tenant) ||
                   print_fact(cli, "state", err, "%s", row->state) ||
                   print_fact(cli, "runtime", err, "%s", row->runtime) ||
                   print_fact(cli, "created", err, "%s", created) ||
                   print_fact(cli, "lifetime left", err, "%s", left) ||
                   print_fact(cli, "cpus", err, "%s", cpus) ||
                   print_fact(cli, "memory", err, "%lld MiB", (long long)limits->memory_mb) ||
                   print_fact(cli, "pids", err, "%lld", (long long)limits->pids) ||
                   print_fact(cli, "workspace", err, "%lld MiB", (long long)limits->workspace_mb) ||
                   print_fact(cli, "exec timeout", err, "%s", timeout) ||
                   print_fact(cli, "unenforced", err, "%s", unenforced) ||
                   print_fact(cli, "tags", err, "%s", tags) ||
                   print_mounts(cli, row->mounts, err) ||
                   print_fact(cli, "execs", err, "%lld", (long long)row->execs) ||
                   print_fact(cli, "uid on host", err, "%lld", (long long)row->host_uid) ||
                   print_fact(cli, "pid of init", err, "%lld", (long long)row->init_pid)
               ? -1
               : 0;
}

int cmd_inspect(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct option options[] = {{0}};
    static const struct question question = {PART_MANAGER, "sandbox_inspect",
                                             &message_sandbox_inspect, &message_sandbox_row,
                                             CONNECT_ASK_MS};
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;

    SCOPED(connect_close) struct connect connect = {0};
    struct sandbox_inspect request = {0};
    struct sandbox_row row;
    if (connect_open(cli, &connect, err) ||
        connect_sandbox(&connect, args.items[0], request.sandbox_id, err) ||
        connect_ask(&connect, &question, &request, &row, err))
        return -1;
    return cli->json ? print_json(&message_sandbox_row, &row, err) : print_row(cli, &row, err);
}
