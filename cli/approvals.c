/* approvals.c - finding approvals and showing them whole; see approvals.h. */
#include "cli/approvals.h"

#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/print.h"
#include "cli/show.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_MAX_BYTES = 1024 * 1024 };

int approvals_each(struct connect *connect, const char *state, const char *agent,
                   int (*take)(void *context, const struct approval_row *row, struct err *err),
                   void *context, struct err *err)
{
    static const struct question question = {PART_GUARDIAN, "approval_list", &message_approval_list,
                                             &message_approval_rows, CONNECT_ASK_MS};
    struct approval_list request = {0};
    struct approval_rows page;
    if (!text_copy(request.state, sizeof request.state, state) ||
        !text_copy(request.agent, sizeof request.agent, agent))
        return err_set(err, ERR_INVALID, "a state or name that is too long");
    do {
        struct approval_row row;
        if (connect_ask(connect, &question, &request, &page, err))
            return -1;
        struct list rest = page.approvals;
        while (list_next(&rest, &message_approval_row, &row))
            if (take(context, &row, err))
                return -1;
        text_copy(request.after, sizeof request.after, page.next);
    } while (page.next[0]);
    return 0;
}

struct search {
    const char *prefix;
    char ids[2][APPROVAL_ID_BYTES];
    size_t count;
};

static int search_take(void *context, const struct approval_row *row, struct err *err)
{
    struct search *search = context;
    (void)err;
    if (search->count < COUNT(search->ids) &&
        !strncmp(row->approval_id, search->prefix, strlen(search->prefix)))
        text_copy(search->ids[search->count++], APPROVAL_ID_BYTES, row->approval_id);
    return 0;
}

int approvals_find(struct connect *connect, const char *prefix, char id[APPROVAL_ID_BYTES],
                   struct err *err)
{
    struct search search = {.prefix = prefix};
    if (!prefix[0])
        return err_set(err, ERR_INVALID, "an empty approval id");
    if (strlen(prefix) == APPROVAL_ID_BYTES - 1) {
        text_copy(id, APPROVAL_ID_BYTES, prefix);
        return 0;
    }
    if (approvals_each(connect, "", "", search_take, &search, err))
        return -1;
    if (!search.count)
        return err_set(err, ERR_NOT_FOUND,
                       "no approval's id begins with %.40s; corral approvals "
                       "list",
                       prefix);
    if (search.count > 1)
        return err_set(err, ERR_INVALID, "%.40s may be %s or %s; write more of it", prefix,
                       search.ids[0], search.ids[1]);
    text_copy(id, APPROVAL_ID_BYTES, search.ids[0]);
    return 0;
}

/* Prints bytes behind a name, all of them, escaped: what is seen is what there is. */
static int print_bytes(const struct cli *cli, const char *name, struct view bytes, struct err *err)
{
    SCOPED(bytes_close) struct bytes shown = bytes_open(SHOWN_MAX_BYTES);
    if (text_show(&shown, bytes.data, bytes.len, err))
        return -1;
    printf("%s%-14s%s %s\n", screen_colour(&cli->screen, DIM), name, screen_plain(&cli->screen),
           shown.len ? (const char *)shown.data : "");
    return 0;
}

static int print_texts(const struct cli *cli, const char *name, struct list texts, struct err *err)
{
    for (struct view text; list_next_text(&texts, &text);)
        if (print_bytes(cli, name, text, err))
            return -1;
    return 0;
}

/* One line of the script a line, numbered; a line feed at its end makes an empty last one. */
static int print_script(const struct cli *cli, struct view script, struct err *err)
{
    char name[32];
    for (int line = 1; script.len; line++) {
        const uint8_t *feed = memchr(script.data, '\n', script.len);
        size_t len = feed ? (size_t)(feed - script.data) : script.len;
        snprintf(name, sizeof name, "script %d", line);
        if (print_bytes(cli, name, (struct view){script.data, len}, err))
            return -1;
        script.data += len + (feed != NULL);
        script.len -= len + (feed != NULL);
        if (feed && !script.len) {
            snprintf(name, sizeof name, "script %d", line + 1);
            return print_bytes(cli, name, script, err);
        }
    }
    return 0;
}

static int print_mounts(const struct cli *cli, struct list mounts, struct err *err)
{
    struct mount mount;
    while (list_next(&mounts, &message_mount, &mount))
        if (print_fact(cli, "mount", err, "%s at %s, %s", mount.real_path, mount.container_path,
                       mount.mode))
            return -1;
    return 0;
}

static int print_limits(const struct cli *cli, const struct limits *l, struct err *err)
{
    char cpus[UNITS_SHOWN_BYTES], timeout[UNITS_SHOWN_BYTES];
    show_millis(cpus, l->cpu_millis);
    units_show_ms(timeout, l->exec_timeout_ms);
    return print_fact(cli, "limits", err, "%s cpus, %lld MiB, %lld pids, workspace %lld MiB, %s",
                      cpus, (long long)l->memory_mb, (long long)l->pids, (long long)l->workspace_mb,
                      timeout);
}

static int print_act(const struct cli *cli, const struct act *act, struct err *err)
{
    bool is_command = !strcmp(act->operation, "command_execute");
    return print_fact(cli, "operation", err, "%s", act->operation) ||
                   (is_command && print_fact(cli, "sandbox", err, "%s", act->sandbox_id)) ||
                   print_texts(cli, "argv", act->argv, err) ||
                   print_script(cli, act->script, err) ||
                   print_fact(cli, "cwd", err, "%s", act->cwd) ||
                   print_texts(cli, "env", act->env, err) ||
                   print_fact(cli, "user", err, "%s", act->user) ||
                   print_mounts(cli, act->mounts, err) || print_limits(cli, &act->limits, err) ||
                   print_texts(cli, "unenforced", act->unenforced, err)
               ? -1
               : 0;
}

static int print_decision(const struct cli *cli, const struct approval *a, struct err *err)
{
    char decided[32] = "";
    if (a->decided_ns)
        clock_show(decided, a->decided_ns);
    return print_fact(cli, "scope", err, "%s", a->scope) ||
                   print_fact(cli, "decided by", err, "%s", a->approver) ||
                   print_fact(cli, "decided", err, "%s", decided) ||
                   print_fact(cli, "why", err, "%s", a->approver_reason)
               ? -1
               : 0;
}

int approval_print(const struct cli *cli, const struct approval *a, struct err *err)
{
    char left[UNITS_SHOWN_BYTES] = "", created[32], hash[65] = "", policy[65] = "";
    clock_show(created, a->created_ns);
    if (a->left_ms)
        units_show_ms(left, a->left_ms);
    if (a->hash.len == 32 && a->policy.len == 32) {
        text_hex(hash, a->hash.data, 32);
        text_hex(policy, a->policy.data, 32);
    }
    return print_fact(cli, "approval", err, "%s", a->approval_id) ||
                   print_fact(cli, "state", err, "%s%s%s", a->state, left[0] ? ", time left " : "",
                              left) ||
                   print_decision(cli, a, err) ||
                   print_fact(cli, "agent", err, "%s/%s, asked by %s", a->act.tenant, a->act.agent,
                              a->principal) ||
                   print_act(cli, &a->act, err) || print_texts(cli, "tag", a->tags, err) ||
                   print_fact(cli, "risk", err, "%s", a->risk) ||
                   print_texts(cli, "rule", a->rules, err) ||
                   print_fact(cli, "reason", err, "%s", a->reason) ||
                   print_fact(cli, "hint", err, "%s", a->hint) ||
                   print_fact(cli, "filed", err, "%s", created) ||
                   print_fact(cli, "hash", err, "%s", hash) ||
                   print_fact(cli, "policy", err, "%s", policy)
               ? -1
               : 0;
}
