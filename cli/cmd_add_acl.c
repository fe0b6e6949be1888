/* corral add-acl: lets sandboxes see a part of their host. */
#include "base/scope.h"
#include "base/text.h"
#include "cli/acls.h"
#include "cli/print.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct addition {
    const char *tenant, *mode, *agent, *reason; /* "" : not given */
    struct texts allowed, blocked;
    bool sensitive;
};

static int add_all(const struct texts *texts, struct bytes *store, struct list *list,
                   struct err *err)
{
    for (size_t i = 0; i < texts->count; i++)
        if (list_add_text(store, list, view_of(texts->items[i]), err))
            return -1;
    return 0;
}

static int fill(const struct addition *a, char **words, struct bytes stores[2],
                struct acl_add *request, struct err *err)
{
    if (strcmp(a->mode, "ro") != 0 && strcmp(a->mode, "rw") != 0)
        return err_set(err, ERR_INVALID, "--mode: \"%.20s\" is not ro or rw", a->mode);
    if (!text_copy(request->container_path, sizeof request->container_path, words[1]) ||
        !text_copy(request->tenant, sizeof request->tenant, a->tenant) ||
        !text_copy(request->agent, sizeof request->agent, a->agent) ||
        !text_copy(request->reason, sizeof request->reason, a->reason))
        return err_set(err, ERR_INVALID, "an argument is too long");
    text_copy(request->mode, sizeof request->mode, a->mode);
    request->sensitive = a->sensitive;
    return acls_host_path(words[0], request->host_path, err) ||
                   add_all(&a->allowed, &stores[0], &request->allowed, err) ||
                   add_all(&a->blocked, &stores[1], &request->blocked, err)
               ? -1
               : 0;
}

/* ACLs are compared with what the manager resolves; on its host this is known now. */
static void note_links(const char *path)
{
    char real[PATH_MAX];
    if (realpath(path, real) && strcmp(real, path) != 0)
        print_note("corral add-acl: here %s is %s, and volumes are compared by that name; if the "
                   "manager runs here, add the ACL for it",
                   path, real);
}

int cmd_add_acl(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct question question = {PART_GUARDIAN, "acl_add", &message_acl_add,
                                             &message_volume_acl, CONNECT_ASK_MS};
    struct addition a = {.tenant = "", .mode = "ro", .agent = "", .reason = ""};
    const struct option options[] = {
        {"mode", 0, "ro|rw", option_text, &a.mode, "What sandboxes may do; ro when not given."},
        {"allowed", 0, "PATTERN", option_list, &a.allowed,
         "Relative to HOST: * and ? in a name, ** any names; repeat. None: all of it."},
        {"blocked", 0, "PATTERN", option_list, &a.blocked,
         "What must not be seen; stronger than --allowed; repeat."},
        {"agent", 0, "NAME", option_text, &a.agent, "Only for this agent; * is any characters."},
        {"tenant", 0, "T", option_text, &a.tenant, "Whose agents; default: your own tenant."},
        {"sensitive", 0, NULL, option_flag, &a.sensitive,
         "HOST is sensitive, and exactly it is allowed all the same; admins only."},
        {"reason", 0, "TEXT", option_text, &a.reason, "Kept with it and in the record."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;

    SCOPED(connect_close) struct connect connect = {0};
    struct acl_add request = {0};
    struct volume_acl acl;
    struct bytes stores[2] = {bytes_open(8192), bytes_open(8192)};
    int failed = fill(&a, args.items, stores, &request, err) || connect_open(cli, &connect, err) ||
                 connect_ask(&connect, &question, &request, &acl, err);
    bytes_close(&stores[0]);
    bytes_close(&stores[1]);
    if (failed)
        return -1;
    if (cli->json)
        return print_json(&message_volume_acl, &acl, err);
    if (cli->quiet)
        print_line("%s", acl.acl_id);
    else
        print_line("Volume ACL %s: %s at %s, %s, for %s%s of tenant %s.", acl.acl_id, acl.host_path,
                   acl.container_path, acl.mode, acl.agent[0] ? "agent " : "every agent", acl.agent,
                   acl.tenant);
    note_links(request.host_path);
    return 0;
}
