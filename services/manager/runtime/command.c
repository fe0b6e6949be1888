#include "manager/runtime/command.h"

#include "base/scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void add(struct command *c, const char *word)
{
    if (c->count < COMMAND_ARGS)
        c->argv[c->count++] = word;
}

/* Adds words up to NULL. */
static void add_all(struct command *c, const char *const words[])
{
    for (; *words; words++)
        add(c, *words);
}

#define ADD(c, ...) add_all(c, (const char *const[]){__VA_ARGS__, NULL})

static void add_text(struct command *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_text(struct command *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = sizeof c->text - c->used;
    int n = vsnprintf(c->text + c->used, room, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= room) {
        c->count = COMMAND_ARGS; /* command_build sees it */
        return;
    }
    add(c, c->text + c->used);
    c->used += (size_t)n + 1;
}

static void add_tmpfs(struct command *c, const char *at, const char *mode, int64_t bytes)
{
    ADD(c, "--perms", mode, "--size");
    add_text(c, "%lld", (long long)bytes);
    ADD(c, "--tmpfs", at);
}

static void add_namespaces(struct command *c, const struct sandbox_spec *spec)
{
    ADD(c, "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net",
        "--unshare-cgroup", "--uid", "1000", "--gid", "1000", "--hostname");
    add_text(c, "%s", spec->hostname);
    ADD(c, "--cap-drop", "ALL", "--new-session", "--as-pid-1", "--seccomp");
    add_text(c, "%d", COMMAND_FILTER_FD);
    ADD(c, "--clearenv", "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "--setenv", "HOME", "/workspace");
}

static void add_usr(struct command *c, bool merged)
{
    static const char *const dirs[] = {"bin", "sbin", "lib", "lib32", "lib64", "libx32"};
    ADD(c, "--ro-bind", "/usr", "/usr");
    add_tmpfs(c, "/usr/local", "0755", 4096);
    ADD(c, "--remount-ro", "/usr/local");
    for (size_t i = 0; i < COUNT(dirs); i++) {
        struct stat st;
        char path[16];
        snprintf(path, sizeof path, "/%s", dirs[i]);
        if (lstat(path, &st))
            continue;
        if (merged)
            add_text(c, "--symlink");
        else
            add_text(c, "--ro-bind");
        add_text(c, merged ? "usr/%s" : "/%s", dirs[i]);
        add_text(c, "/%s", dirs[i]);
    }
}

/* Behind /workspace, so that they may lie in it. bwrap makes them nosuid and nodev, and with -ro-
 * read only, a second time. */
static void add_volumes(struct command *c, const struct sandbox_spec *spec)
{
    for (size_t i = 0; i < spec->volume_count; i++) {
        const struct sandbox_volume *v = &spec->volumes[i];
        if (spec->host_uid >= 0) {
            add(c, v->is_writable ? "--bind" : "--ro-bind");
            add_text(c, COMMAND_VOLUMES "/%c", (char)('a' + i));
        } else {
            add(c, v->is_writable ? "--bind-fd" : "--ro-bind-fd");
            add_text(c, "%zu", COMMAND_VOLUME_FD + i);
        }
        add(c, v->container_path);
    }
}

int command_build(const struct sandbox_spec *spec, const char *bwrap, const char *etc,
                  const char *door, bool merged, struct command *out, struct err *err)
{
    *out = (struct command){0};
    add_text(out, "%s", bwrap);
    add_namespaces(out, spec);
    add_usr(out, merged);
    ADD(out, "--ro-bind");
    add_text(out, "%s", etc);
    ADD(out, "/etc", "--perms", "0755", "--dir", "/run", "--ro-bind");
    add_text(out, "%s", door);
    ADD(out, "/run/corral", "--proc", "/proc", "--dev", "/dev");
    add_tmpfs(out, "/dev/shm", "1777", spec->tmp_bytes);
    ADD(out, "--remount-ro", "/dev");
    add_tmpfs(out, "/tmp", "1777", spec->tmp_bytes);
    ADD(out, "--perms", "0755", "--dir", "/var");
    add_tmpfs(out, "/var/tmp", "1777", spec->tmp_bytes);
    add_tmpfs(out, "/workspace", "0755", spec->workspace_bytes);
    add_volumes(out, spec);
    ADD(out, "--chdir", "/workspace", "--remount-ro", "/", "--", "/run/corral/init",
        "/run/corral/init.sock");
    if (out->count >= COMMAND_ARGS)
        return err_set(err, ERR_INVALID, "the sandbox's command line does not fit");
    out->argv[out->count] = NULL;
    return 0;
}

bool command_is_merged(void)
{
    struct stat st;
    return !lstat("/bin", &st) && S_ISLNK(st.st_mode);
}
