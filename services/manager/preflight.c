#include "manager/preflight.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "data/pack.h"
#include "manager/preflight_host.h"
#include "manager/preflight_probe.h"
#include "manager/runtime/process.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *preflight_level_name(enum preflight_level level)
{
    static const char *const names[] = {"none", "partial", "full"};
    return names[level];
}

static const char *result_name(enum preflight_result result)
{
    static const char *const names[] = {"ok", "warn", "fail"};
    return names[result];
}

void preflight_add(struct preflight *p, const char *name, enum preflight_result result,
                   const char *remedy, const char *format, ...)
{
    assert(p->count < PREFLIGHT_CHECKS);
    struct preflight_check *check = &p->checks[p->count++];
    check->result = result;
    text_copy(check->name, sizeof check->name, name);
    text_copy(check->remedy, sizeof check->remedy, remedy);
    va_list args;
    va_start(args, format);
    vsnprintf(check->detail, sizeof check->detail, format, args);
    va_end(args);
}

/* Opens the runtime in a folder of its own, so that a manager at work is not disturbed. */
static void probe_in(const struct preflight_options *options, const char *dir, struct preflight *p,
                     bool *works)
{
    struct err err;
    struct runtime_host host;
    char instance[32];
    snprintf(instance, sizeof instance, "preflight-%d", (int)getpid());
    if (process_open(instance, dir, options->init_path, &host, &err)) {
        preflight_add(p, "sandbox", PREFLIGHT_FAIL, "", "%s", err.text);
        return;
    }
    preflight_look_at_cgroups(&host.cgroups, p);
    preflight_probe(&host, options->host_uid, p, works, &p->unenforced);
    process_close(&host);
}

int preflight_run(const struct preflight_options *options, struct preflight *out, struct err *err)
{
    struct err ignored;
    char dir[PATH_MAX];
    struct preflight p = {.unenforced = CGROUP_LIMITS};
    bool works = false;
    if (!geteuid() && options->host_uid <= 0)
        return err_set(err, ERR_INVALID, "host_uid: root must give the probes a uid of their own");
    if ((size_t)snprintf(dir, sizeof dir, "%s/pXXXXXX", options->run_dir) >= sizeof dir)
        return err_set(err, ERR_INVALID, "run_dir: %.100s… is too long", options->run_dir);
    if (!mkdtemp(dir))
        return err_sys(err, "making a folder in %s", options->run_dir);
    preflight_look_at_host(options, &p);
    probe_in(options, dir, &p, &works);
    dir_remove(AT_FDCWD, dir, &ignored);
    p.level = !works ? PREFLIGHT_NONE : p.unenforced ? PREFLIGHT_PARTIAL : PREFLIGHT_FULL;
    *out = p;
    return 0;
}

static int show_check(const struct preflight_check *check, bool colour, struct bytes *to,
                      struct err *err)
{
    static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m"};
    return bytes_addf(to, err, "%s%-4s%s  %-13s  %s\n", colour ? colours[check->result] : "",
                      result_name(check->result), colour ? "\033[0m" : "", check->name,
                      check->detail) ||
                   (check->remedy[0] &&
                    bytes_addf(to, err, "      %-13s  -> %s\n", "", check->remedy))
               ? -1
               : 0;
}

static int show_level(const struct preflight *p, struct bytes *to, struct err *err)
{
    char names[32];
    cgroup_limit_names(names, p->unenforced);
    switch (p->level) {
    case PREFLIGHT_FULL:
        return bytes_addf(to, err, "level full: isolation and all limits hold\n");
    case PREFLIGHT_PARTIAL:
        return bytes_addf(to, err,
                          "level partial: isolation holds, these limits do not: %s\n"
                          "  sandboxes are refused unless --allow-unenforced %s is given\n",
                          names, names);
    default:
        return bytes_addf(to, err, "level none: no sandbox can be started here\n");
    }
}

int preflight_show(const struct preflight *p, bool colour, struct bytes *to, struct err *err)
{
    for (size_t i = 0; i < p->count; i++)
        if (show_check(&p->checks[i], colour, to, err))
            return -1;
    return show_level(p, to, err);
}

static void pack_check(struct pack *pack, const struct preflight_check *check)
{
    pack_map(pack, 4);
    pack_text(pack, "name");
    pack_text(pack, check->name);
    pack_text(pack, "result");
    pack_text(pack, result_name(check->result));
    pack_text(pack, "detail");
    pack_text(pack, check->detail);
    pack_text(pack, "remedy");
    pack_text(pack, check->remedy);
}

int preflight_pack(const struct preflight *p, struct bytes *to, struct err *err)
{
    struct pack pack = pack_begin(to, err);
    pack_map(&pack, 3);
    pack_text(&pack, "level");
    pack_text(&pack, preflight_level_name(p->level));
    pack_text(&pack, "unenforced");
    pack_array(&pack, (size_t)__builtin_popcount(p->unenforced));
    for (unsigned bit = CGROUP_MEMORY; bit <= CGROUP_CPU; bit <<= 1)
        if (p->unenforced & bit)
            pack_text(&pack, cgroup_limit_name(bit));
    pack_text(&pack, "checks");
    pack_array(&pack, p->count);
    for (size_t i = 0; i < p->count; i++)
        pack_check(&pack, &p->checks[i]);
    return pack_end(&pack);
}
