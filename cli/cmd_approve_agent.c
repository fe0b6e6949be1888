/* corral approve-agent: an agent's key pair, its approval, the file that it works with. */
#include "base/scope.h"
#include "base/text.h"
#include "cli/connect.h"
#include "cli/print.h"
#include "cli/units.h"
#include "net/connection.h"
#include "net/keys.h"
#include "schema/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct agent_approval {
    const char *tenant;     /* "" : the caller's own */
    const char *public_key; /* NULL: a pair is made here */
    bool no_key;            /* only settings change */
    char path[4096];        /* of the connection file */
    struct agent_approve request;
    struct agent_changed changed;
};

/* Settings as options give them; 0 or NULL: not given. */
struct given {
    const char *version;
    struct texts tags;
    int64_t max_sandboxes, max_memory_mb, max_cpu_millis;
};

/* An agent on another uid or host reaches the manager by TCP only. */
static int agent_endpoint(struct endpoint *manager, struct err *err)
{
    char listen[CONFIG_TCP_BYTES];
    if (!manager->listen[0])
        return 0;
    text_copy(listen, sizeof listen, manager->listen);
    manager->listen[0] = 0;
    manager->present = 0; /* so that an empty field is not written */
    return config_tcp(listen, 0, manager->requests, err) ||
                   config_tcp(listen, 1, manager->publish, err) ||
                   config_tcp(listen, 2, manager->events, err)
               ? -1
               : 0;
}

/* Writes the connection file before the agent is approved: a key that is approved must not be lost.
 */
static int write_file(const struct connect *connect, struct agent_approval *a, struct err *err)
{
    struct connection file = {0};
    struct endpoint manager;
    struct key_pair pair;
    SCOPED(bytes_close) struct bytes items = bytes_open(8192);
    if (connect_endpoint(connect, PART_MANAGER, &manager, err) || agent_endpoint(&manager, err) ||
        list_add(&items, &file.services, &message_endpoint, &manager, err))
        return -1;
    keys_make(&pair);
    const char *tenant = a->tenant[0] ? a->tenant : connect->file.connection.tenant;
    text_copy(file.tenant, sizeof file.tenant, tenant);
    text_copy(file.principal, sizeof file.principal, a->request.agent);
    text_copy(file.agent, sizeof file.agent, a->request.agent);
    text_copy(file.public_key, sizeof file.public_key, pair.public_key);
    text_copy(file.secret_key, sizeof file.secret_key, pair.secret_key);
    text_copy(a->request.public_key, sizeof a->request.public_key, pair.public_key);
    int failed = connection_save(AT_FDCWD, a->path, &file, err);
    keys_wipe(&pair);
    explicit_bzero(&file, sizeof file);
    if (!failed)
        return 0;
    struct err cause = *err;
    return err_set(err, cause.code, "%.200s; --key-out FILE writes it elsewhere", cause.text);
}

static int fill(struct agent_approval *a, const char *name, const char *key_out, struct err *err)
{
    if (!text_is_name(name, 64))
        return err_set(err, ERR_INVALID, "\"%.70s\" is not letters, digits, . _ -", name);
    if (a->tenant[0] && !text_is_name(a->tenant, 64))
        return err_set(err, ERR_INVALID, "--tenant: \"%.70s\" is not letters, digits, . _ -",
                       a->tenant);
    text_copy(a->request.agent, sizeof a->request.agent, name);
    text_copy(a->request.tenant, sizeof a->request.tenant, a->tenant);
    if (a->no_key && (a->public_key || key_out))
        return err_set(err, ERR_INVALID, "--no-key: goes with neither --public-key nor --key-out");
    if (a->no_key)
        return 0;
    if (a->public_key && key_out)
        return err_set(err, ERR_INVALID, "--public-key and --key-out: the secret key is elsewhere");
    if (a->public_key) {
        text_copy(a->request.public_key, sizeof a->request.public_key, a->public_key);
        return keys_check_public(a->public_key, err) ? err_add(err, "--public-key") : 0;
    }
    int len = key_out ? snprintf(a->path, sizeof a->path, "%s", key_out)
                      : snprintf(a->path, sizeof a->path, "%s.corral.json", name);
    if (len >= (int)sizeof a->path)
        return err_set(err, ERR_INVALID, "--key-out: the path is too long");
    if (!access(a->path, F_OK))
        return err_set(err, ERR_STATE,
                       "%s exists already; move it away, or name another file with --key-out",
                       a->path);
    return 0;
}

/* What the options set; one of them replaces all that was set before. */
static int set(const struct given *given, bool no_key, struct agent_approve *request,
               struct err *err)
{
    struct agent_settings *to = &request->settings;
    bool is_given = given->version || given->tags.count || given->max_sandboxes ||
                    given->max_memory_mb || given->max_cpu_millis;
    size_t len = 0;
    if (!is_given && no_key)
        return err_set(err, ERR_INVALID,
                       "--no-key: give what is to be set, such as --max-cpus 4 or --tag team=a");
    if (!is_given)
        return 0;
    if (given->version && !text_copy(to->version, sizeof to->version, given->version))
        return err_set(err, ERR_INVALID, "--agent-version: more than 64 bytes");
    for (size_t i = 0; i < given->tags.count; i++) {
        const char *tag = given->tags.items[i];
        if (strchr(tag, ','))
            return err_set(err, ERR_INVALID, "--tag: no comma in an agent's tag");
        int n = snprintf(to->tags + len, sizeof to->tags - len, "%s%s", len ? "," : "", tag);
        len += (size_t)n;
        if (len >= sizeof to->tags)
            return err_set(err, ERR_INVALID, "--tag: more than 255 bytes together");
    }
    to->max_sandboxes = given->max_sandboxes;
    to->max_memory_mb = given->max_memory_mb;
    to->max_cpu_percent = (given->max_cpu_millis + 9) / 10;
    schema_mark(&message_agent_approve, request, "settings");
    return 0;
}

/* Writes the file, asks the guardian, and takes the file back when the answer is no. */
static int approve(struct connect *connect, struct agent_approval *a, struct err *err)
{
    static const struct question question = {PART_GUARDIAN, "agent_approve", &message_agent_approve,
                                             &message_agent_changed, CONNECT_ASK_MS};
    if (!a->no_key && !a->public_key && write_file(connect, a, err))
        return -1;
    if (!connect_ask(connect, &question, &a->request, &a->changed, err))
        return 0;
    bool unknown = err->code == ERR_LOST;
    if (a->path[0] && unknown)
        return err_add(err, "whether it was approved is not known, %s is kept", a->path);
    if (a->path[0])
        unlink(a->path);
    return -1;
}

static int print_result(const struct cli *cli, const struct agent_approval *a,
                        const struct connect *c, struct err *err)
{
    struct endpoint manager;
    if (cli->json)
        return print_json(&message_agent_changed, &a->changed, err);
    if (cli->quiet) {
        print_line("%s", a->changed.agent);
        return 0;
    }
    print_line("Agent %s of tenant %s is approved%s.", a->changed.agent, a->changed.tenant,
               a->no_key ? ", with these settings from now on; see corral agents" : "");
    if (!a->path[0])
        return 0;
    print_line("Its connection file is %s (keep it secret). Try:", a->path);
    print_line("  corral run --connect %s -- echo hello", a->path);
    if (!connect_endpoint(c, PART_MANAGER, &manager, err) && !manager.listen[0])
        print_line("The file names a local socket, which only this user reaches; for others set "
                   "manager.listen in corral.toml first.");
    return 0;
}

int cmd_approve_agent(struct cli *cli, int argc, char **argv, struct err *err)
{
    const char *key_out = NULL;
    struct agent_approval approval = {.tenant = ""};
    struct given settings = {0};
    const struct option options[] = {
        {"tenant", 0, "T", option_text, &approval.tenant, "Whose agent; default: your own tenant."},
        {"key-out", 0, "FILE", option_text, &key_out,
         "Where the connection file goes; ./NAME.corral.json."},
        {"public-key", 0, "K", option_text, &approval.public_key,
         "The agent's own CURVE key, in Z85; then no file is written."},
        {"no-key", 0, NULL, option_flag, &approval.no_key,
         "Makes no key: only changes what is set for an approved agent."},
        {"agent-version", 0, "V", option_text, &settings.version,
         "Of the agent's program; stands in the record of all that it does."},
        {"tag", 0, "K=V", units_tag, &settings.tags, "Rules may ask for it; repeat."},
        {"max-sandboxes", 0, "N", units_count, &settings.max_sandboxes,
         "How many may live at once."},
        {"max-memory", 0, "SIZE", units_memory_mb, &settings.max_memory_mb,
         "Memory of its sandboxes together: 2g, or a number of MiB."},
        {"max-cpus", 0, "N", units_cpu_millis, &settings.max_cpu_millis,
         "Cores of its sandboxes together, such as 1.5."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;

    SCOPED(connect_close) struct connect connect = {0};
    if (fill(&approval, args.items[0], key_out, err) ||
        set(&settings, approval.no_key, &approval.request, err) ||
        connect_open(cli, &connect, err) || approve(&connect, &approval, err) ||
        connect_await_generation(&connect, approval.changed.generation, err))
        return -1;
    return print_result(cli, &approval, &connect, err);
}
