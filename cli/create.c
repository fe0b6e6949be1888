/* create.c - makes a sandbox; see create.h. */
#include "cli/create.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/acls.h"
#include "cli/units.h"

#include <fcntl.h>
#include <string.h>

enum { RULES_BYTES = 16384 /* sandbox_create.rules' own bound */ };

struct option *creation_options(struct creation *c, struct option *rows)
{
    const struct option own[CREATION_OPTIONS] = {
        {"agent", 0, "NAME", option_text, &c->agent,
         "For which agent; default: the one of the connection file."},
        {"cpus", 0, "N", units_cpu_millis, &c->cpu_millis, "Cores, such as 1.5."},
        {"memory", 0, "SIZE", units_memory_mb, &c->memory_mb, "64m, 1g, or a number of MiB."},
        {"pids", 0, "N", units_count, &c->pids, "Processes and threads at once."},
        {"tag", 0, "K=V", units_tag, &c->tags, "Kept with the sandbox and in the record; repeat."},
        {"volume", 'v', "HOST:PLACE[:ro|rw]", option_list, &c->volumes,
         "A directory or file of the manager's host; needs an ACL; repeat."},
        {"rules", 0, "FILE", option_text, &c->rules,
         "Rules of its own, in TOML: they add to the operator's and raise them."},
        {"allow-unenforced", 0, "LIST", units_commas, &c->unenforced,
         "Limits that need not hold here: memory,cpu,pids; on record."},
    };
    memcpy(rows, own, sizeof own);
    return rows + CREATION_OPTIONS;
}

static int add_all(const struct texts *texts, struct bytes *store, struct list *list,
                   struct err *err)
{
    for (size_t i = 0; i < texts->count; i++)
        if (list_add_text(store, list, view_of(texts->items[i]), err))
            return -1;
    return 0;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
    size_t n = strlen(end);
    return len > n && !memcmp(text + len - n, end, n);
}

/* HOST:PLACE[:ro|rw]. A host path may hold a colon; the last one before a "/" ends it. */
static int read_volume(const char *text, struct volume *v, struct err *err)
{
    char host[4096];
    size_t len = strlen(text), at = 0;
    bool is_ro = ends_with(text, len, ":ro"), is_rw = ends_with(text, len, ":rw");
    if (is_ro || is_rw)
        len -= 3;
    for (size_t i = 0; i + 1 < len; i++)
        if (text[i] == ':' && text[i + 1] == '/')
            at = i;
    if (!at || at >= sizeof host || len - at - 1 >= sizeof v->container_path ||
        memchr(text + at + 1, ':', len - at - 1))
        return err_set(err, ERR_INVALID,
                       "--volume: \"%.100s\" is not HOST:PLACE[:ro|rw], such as "
                       "/srv/data:/workspace/data:ro",
                       text);
    memcpy(host, text, at);
    host[at] = 0;
    memcpy(v->container_path, text + at + 1, len - at - 1);
    text_copy(v->mode, sizeof v->mode, is_rw ? "rw" : "ro");
    return acls_host_path(host, v->host_path, err) ? err_add(err, "--volume") : 0;
}

static int add_volumes(const struct texts *texts, struct bytes *store, struct list *list,
                       struct err *err)
{
    for (size_t i = 0; i < texts->count; i++) {
        struct volume v = {0};
        if (read_volume(texts->items[i], &v, err) ||
            list_add(store, list, &message_volume, &v, err))
            return -1;
    }
    return 0;
}

/* Reads a file of rules; what is in it is the guardian's to judge. */
static int read_rules(const char *path, struct bytes *text, struct view *rules, struct err *err)
{
    if (!path)
        return 0;
    if (file_read(AT_FDCWD, path, RULES_BYTES, text, err))
        return err_add(err, "--rules");
    *rules = bytes_view(text);
    return 0;
}

int create_sandbox(struct connect *connect, const struct creation *c,
                   struct sandbox_created *created, struct err *err)
{
    const struct question question = {PART_MANAGER, "sandbox_create", &message_sandbox_create,
                                      &message_sandbox_created, CONNECT_ASK_MS + c->wait_ms};
    const char *agent = c->agent ? c->agent : connect->file.connection.agent;
    SCOPED(bytes_close) struct bytes env = bytes_open(256 * 1024);
    SCOPED(bytes_close) struct bytes tags = bytes_open(64 * 1024);
    SCOPED(bytes_close) struct bytes unenforced = bytes_open(64 * 1024);
    SCOPED(bytes_close) struct bytes volumes = bytes_open(256 * 1024);
    SCOPED(bytes_close) struct bytes rules = {0};
    struct sandbox_create request = {.approval_wait_ms = c->wait_ms,
                                     .limits = {.cpu_millis = c->cpu_millis,
                                                .memory_mb = c->memory_mb,
                                                .pids = c->pids,
                                                .exec_timeout_ms = c->exec_timeout_ms}};
    if (!agent[0])
        return err_set(err, ERR_INVALID,
                       "for which agent? --agent NAME, approved before by corral approve-agent");
    if (!text_copy(request.agent, sizeof request.agent, agent) || !text_is_name(agent, 64))
        return err_set(err, ERR_INVALID, "--agent: \"%.70s\" is not letters, digits, . _ -", agent);
    schema_mark(&message_sandbox_create, &request, "limits");
    if (add_all(&c->env, &env, &request.env, err) || add_all(&c->tags, &tags, &request.tags, err) ||
        add_all(&c->unenforced, &unenforced, &request.allow_unenforced, err) ||
        add_volumes(&c->volumes, &volumes, &request.volumes, err) ||
        read_rules(c->rules, &rules, &request.rules, err))
        return -1;
    return connect_ask(connect, &question, &request, created, err);
}
