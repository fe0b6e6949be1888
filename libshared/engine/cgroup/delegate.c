#include "engine/cgroup/delegate.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/scope.h"
#include "engine/cgroup/cgroup_host.h"
#include "engine/cgroup/cgroup_parse.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

enum { PROC_TEXT_BYTES = 4 * 1024 * 1024 };

/* systemd marks what it delegates: trusted.delegate (seen by root), since 251 user.delegate too. A
 * scope of a user manager belongs to the user, which is as good. */
static bool is_delegated(const char *dir)
{
    char value[2];
    if (getxattr(dir, "trusted.delegate", value, sizeof value) == 1 && value[0] == '1')
        return true;
    return getxattr(dir, "user.delegate", value, sizeof value) == 1 && value[0] == '1';
}

/* Asks by the socket that systemd itself makes: a session bus may be there without a systemd on it,
 * and a systemd without a session bus. */
static bool is_manager_in(const char *runtime)
{
    char path[512];
    return (size_t)snprintf(path, sizeof path, "%s/systemd/private", runtime) < sizeof path &&
           !access(path, W_OK);
}

/* su and sudo leave the variable empty or another user's. */
static void look_for_manager(struct delegate_facts *facts)
{
    static const char variable[] = "XDG_RUNTIME_DIR=";
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    facts->user_manager = runtime && *runtime && is_manager_in(runtime);
    if (facts->user_manager)
        return;
    snprintf(facts->runtime, sizeof facts->runtime, "%s/run/user/%u", variable,
             (unsigned)facts->uid);
    facts->user_manager = is_manager_in(facts->runtime + sizeof variable - 1);
    if (!facts->user_manager)
        facts->runtime[0] = 0;
}

int delegate_look(struct delegate_facts *facts, struct err *err)
{
    SCOPED(bytes_close) struct bytes mounts = {0};
    SCOPED(bytes_close) struct bytes members = {0};
    struct cgroup_places places;
    if (file_read(AT_FDCWD, "/proc/self/mountinfo", PROC_TEXT_BYTES, &mounts, err) ||
        file_read(AT_FDCWD, "/proc/self/cgroup", PROC_TEXT_BYTES, &members, err) ||
        cgroup_parse_places(bytes_view(&mounts), bytes_view(&members), &places, err))
        return -1;
    char *own = places.own[CGROUP_TREE_UNIFIED];
    char *slash = strrchr(own, '/');
    if (slash && !strcmp(slash + 1, CGROUP_LEAF))
        *slash = 0;
    struct stat st;
    *facts = (struct delegate_facts){
        .cgroup_v2 = places.mode == CGROUP_V2,
        .systemd = !lstat("/run/systemd/system", &st) && S_ISDIR(st.st_mode),
        .delegated = own[0] && is_delegated(own),
        .already_tried = getenv(DELEGATE_MARK) != NULL,
        .uid = geteuid(),
    };
    if (facts->uid)
        look_for_manager(facts);
    return 0;
}

enum delegate_answer delegate_decide(const struct delegate_facts *facts, const char **why)
{
    if (!facts->cgroup_v2) {
        *why = "control groups are v1 or hybrid: no delegation needed";
        return DELEGATE_NOT_NEEDED;
    }
    if (facts->delegated) {
        *why = "systemd delegated this cgroup";
        return DELEGATE_NOT_NEEDED;
    }
    if (facts->already_tried) {
        *why = "systemd-run gave a scope; nothing more to ask for";
        return DELEGATE_NOT_NEEDED;
    }
    if (!facts->systemd) {
        *why = "no systemd here: the own cgroup is used as it is";
        return facts->uid ? DELEGATE_IMPOSSIBLE : DELEGATE_NOT_NEEDED;
    }
    if (facts->uid && !facts->user_manager) {
        *why = "this user has no systemd of its own to ask: log in with a session (ssh, machinectl "
               "shell USER@), or let root run loginctl enable-linger USER";
        return DELEGATE_IMPOSSIBLE;
    }
    *why = "systemd-run gives a scope with Delegate=yes";
    return DELEGATE_REEXEC;
}

int delegate_argv(const struct delegate_facts *facts, int argc, char *const argv[], const char **to,
                  size_t room, struct err *err)
{
    const char *const front[] = {
        "/usr/bin/env", facts->runtime, "systemd-run",     facts->uid ? "--user" : "--system",
        "--scope",      "--quiet",      "--collect",       "--property=Delegate=yes",
        "--",           "/usr/bin/env", DELEGATE_MARK "=1"};
    size_t skip = facts->runtime[0] ? 0 : 2, count = COUNT(front) - skip;
    if (argc < 1 || (size_t)argc >= room || count >= room - (size_t)argc)
        return err_set(err, ERR_INVALID, "%d arguments are more than %zu hold", argc, room);
    memcpy(to, front + skip, count * sizeof *front);
    for (int i = 0; i < argc; i++)
        to[count + (size_t)i] = argv[i];
    to[count + (size_t)argc] = NULL;
    return 0;
}
