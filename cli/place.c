/* place.c - directories, uids, endpoints; see place.h. */
#include "cli/place.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *part_name(enum part part)
{
    static const char *const names[PARTS] = {"audit", "guardian", "monitor", "manager"};
    return names[part];
}

static bool is_root(void)
{
    return !geteuid();
}

static int default_state(char to[PATH_MAX], struct err *err)
{
    const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int len = 0;
    if (is_root())
        len = snprintf(to, PATH_MAX, "/var/lib/corral");
    else if (base && base[0] == '/')
        len = snprintf(to, PATH_MAX, "%s/corral", base);
    else if (home && home[0] == '/')
        len = snprintf(to, PATH_MAX, "%s/.local/state/corral", home);
    if (len <= 0 || len >= PATH_MAX)
        return err_set(err, ERR_INVALID, "no HOME to keep the state in; say --state DIR");
    return 0;
}

/* A real directory of ours that nobody else may write. */
static int check_own(const char *path, mode_t forbidden, struct err *err)
{
    struct stat st;
    if (lstat(path, &st))
        return err_sys(err, "looking at %s", path);
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_INVALID, "%s is no directory", path);
    if (st.st_uid != geteuid())
        return err_set(err, ERR_INVALID, "%s belongs to uid %u, not to uid %u; use another --state",
                       path, (unsigned)st.st_uid, (unsigned)geteuid());
    if (st.st_mode & forbidden)
        return err_set(err, ERR_INVALID, "%s is open to others (mode %o); chmod go-rw it", path,
                       (unsigned)st.st_mode & 07777);
    return 0;
}

/* The real path of a directory that exists, checked. */
static int resolve(const char *path, char state[PLACE_STATE_BYTES], struct err *err)
{
    char real[PATH_MAX];
    if (!realpath(path, real))
        return err_sys(err, "looking for %s", path);
    if (!text_copy(state, PLACE_STATE_BYTES, real))
        return err_set(err, ERR_INVALID, "the path %.60s… has more than %d bytes", real,
                       PLACE_STATE_BYTES - 1);
    return check_own(state, 066, err);
}

int place_state(const char *path, char state[PLACE_STATE_BYTES], struct err *err)
{
    char usual[PATH_MAX];
    if (!path && default_state(usual, err))
        return -1;
    const char *wanted = path ? path : usual;
    if (access(wanted, F_OK) && errno == ENOENT)
        return err_set(err, ERR_UNAVAILABLE,
                       "no Corral in %s; start one with corral up, or say --state or --connect",
                       wanted);
    return resolve(wanted, state, err);
}

/* Services under other uids pass through it to their own directories, but cannot list it. */
static int make_state(const char *path, char state[PLACE_STATE_BYTES], struct err *err)
{
    char usual[PATH_MAX];
    if (!path && default_state(usual, err))
        return -1;
    const char *wanted = path ? path : usual;
    if (dir_make(wanted, is_root() ? 0711 : 0700, err)) {
        struct err cause = *err;
        return err_set(err, cause.code, "%.200s; --state DIR keeps the state elsewhere",
                       cause.text);
    }
    return resolve(wanted, state, err);
}

/* A service under a uid of its own has to pass every directory on the way to its files. */
static int check_way(const struct place *place, enum part part, struct err *err)
{
    char dir[PLACE_STATE_BYTES];
    text_copy(dir, sizeof dir, place->state);
    if (place_be(place, part, err))
        return -1;
    char *slash = dir;
    bool open = true;
    while (open && slash) {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = 0;
        open = !faccessat(AT_FDCWD, dir, X_OK, AT_EACCESS);
        if (slash && open)
            *slash = '/';
    }
    place_be_self();
    return open ? 0
                : err_set(err, ERR_INVALID,
                          "the %s (uid %u) cannot pass %s; chmod o+x it, or use another --state",
                          part_name(part), (unsigned)place->owner[part].uid, dir);
}

static void name_instance(struct place *place)
{
    uint8_t hash[crypto_generichash_BYTES];
    crypto_generichash(hash, sizeof hash, (const uint8_t *)place->state, strlen(place->state), NULL,
                       0);
    text_hex(place->instance, hash, (INSTANCE_BYTES - 1) / 2);
}

/* The directory that the run directory is made in, or false: it is not there or not writable. */
static bool run_base(char base[PLACE_RUN_BYTES])
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const char *parent = is_root() ? "/run" : runtime;
    struct stat st;
    if (!parent || parent[0] != '/' || stat(parent, &st) || st.st_uid != geteuid() ||
        (st.st_mode & 022) || access(parent, W_OK))
        return false;
    return (size_t)snprintf(base, PLACE_RUN_BYTES, "%s/corral", parent) + INSTANCE_BYTES <
           PLACE_RUN_BYTES;
}

static int make_run(struct place *place, struct err *err)
{
    char base[PLACE_RUN_BYTES];
    if (run_base(base)) {
        if (dir_make(base, is_root() ? 0755 : 0700, err) || check_own(base, 022, err))
            return -1;
        snprintf(place->run, sizeof place->run, "%.39s/%s", base, place->instance);
    } else {
        snprintf(place->run, sizeof place->run, "/tmp/corral-%u-%s", (unsigned)geteuid(),
                 place->instance);
    }
    if (mkdir(place->run, 0700) && errno != EEXIST)
        return err_sys(err, "mkdir %s", place->run);
    return check_own(place->run, 022, err);
}

/* One directory for a service, for whose socket files the group is inherited. */
static int make_part_run(const struct place *place, enum part part, struct err *err)
{
    char path[PLACE_RUN_BYTES + 16];
    snprintf(path, sizeof path, "%s/%s", place->run, part_name(part));
    if (mkdir(path, 0700) && errno != EEXIST)
        return err_sys(err, "mkdir %s", path);
    if (!is_root())
        return check_own(path, 077, err);
    if (lchown(path, place->owner[part].uid, place->owner[part].gid))
        return err_sys(err, "giving %s to uid %u", path, (unsigned)place->owner[part].uid);
    return chmod(path, 02750) ? err_sys(err, "chmod %s", path) : 0;
}

int place_make(const char *path, const struct config *config, struct place *place, struct err *err)
{
    struct place made = {0};
    for (enum part part = 0; part < PARTS; part++) {
        bool own = part == PART_AUDIT || part == PART_GUARDIAN;
        int64_t uid = part == PART_AUDIT ? config->service.audit_uid : config->service.guardian_uid;
        made.owner[part].uid = is_root() && own ? (uid_t)uid : geteuid();
        made.owner[part].gid = is_root() ? (gid_t)config->service.group_gid : getegid();
    }
    if (make_state(path, made.state, err))
        return -1;
    for (enum part part = 0; part < PARTS; part++)
        if (check_way(&made, part, err))
            return -1;
    name_instance(&made);
    if (make_run(&made, err))
        return -1;
    if (is_root() && (lchown(made.run, 0, made.owner[PART_MANAGER].gid) || chmod(made.run, 0750)))
        return err_sys(err, "giving %s to group %u", made.run,
                       (unsigned)made.owner[PART_MANAGER].gid);
    for (enum part part = 0; part < PARTS; part++)
        if (make_part_run(&made, part, err))
            return -1;
    *place = made;
    return 0;
}

/* True when DIR/leases lists a sandbox, or cannot be read. */
static bool has_leases(const struct place *place)
{
    char path[PLACE_STATE_BYTES + 16];
    snprintf(path, sizeof path, "%s/leases", place->state);
    DIR *dir = opendir(path);
    if (!dir)
        return errno != ENOENT;
    bool found = false;
    for (struct dirent *e = readdir(dir); e && !found; e = readdir(dir))
        found = !strncmp(e->d_name, "sb_", 3);
    closedir(dir);
    return found;
}

int place_clear_run(const struct place *place, struct err *err)
{
    return has_leases(place) ? 0 : dir_remove(AT_FDCWD, place->run, err);
}

void place_endpoint(const struct place *place, enum part part, const char *name, char to[256])
{
    snprintf(to, 256, "ipc://%s/%s/%s", place->run, part_name(part), name);
}

int place_be(const struct place *place, enum part part, struct err *err)
{
    if (!is_root())
        return 0;
    uid_t uid = place->owner[part].uid;
    /* root's other groups would open what the service itself finds closed */
    if (!setgroups(0, NULL) && !setegid(place->owner[part].gid) && !seteuid(uid))
        return 0;
    err_sys(err, "becoming uid %u of the %s", (unsigned)uid, part_name(part));
    place_be_self();
    return -1;
}

void place_be_self(void)
{
    bool back = !seteuid(getuid()) && !setegid(getgid());
    assert(back); /* the real ids never changed */
}
