/* volume_path.c - paths and patterns of volumes: their form, what is sensitive, what matches; see
 * volume.h. */
#include "engine/policy/volume.h"

#include "base/scope.h"
#include "base/text.h"

#include <string.h>

/* Sensitive with all in them; so is what lies above them. */
static const char *const trees[] = {"/etc",  "/boot",    "/sys",     "/proc", "/dev",
                                    "/root", "/var/lib", "/var/run", "/run",  NULL};

/* Sensitive wherever they lie; so is a directory that one lies right in. */
static const char *const names[] = {".ssh",
                                    ".aws",
                                    ".azure",
                                    ".gnupg",
                                    ".kube",
                                    ".docker",
                                    ".password-store",
                                    ".netrc",
                                    ".git-credentials",
                                    ".pgpass",
                                    ".pypirc",
                                    ".vault-token",
                                    ".mozilla",
                                    ".config/gcloud",
                                    ".config/gh",
                                    ".config/google-chrome",
                                    ".config/chromium",
                                    ".local/share/keyrings",
                                    "docker.sock",
                                    "containerd.sock",
                                    "crio.sock",
                                    "podman.sock",
                                    NULL};

const char *const *volume_sensitive_trees(void)
{
    return trees;
}

const char *const *volume_sensitive_names(void)
{
    return names;
}

bool volume_path_is_normal(const char *path)
{
    if (!strcmp(path, "/"))
        return true;
    if (path[0] != '/')
        return false;
    while (*path) {
        size_t n = strcspn(++path, "/");
        if (!n || (n == 1 && path[0] == '.') || (n == 2 && path[0] == '.' && path[1] == '.'))
            return false;
        path += n;
    }
    return true;
}

bool volume_path_is_within(const char *path, const char *root)
{
    size_t n = strlen(root);
    return !strcmp(root, "/") || (!strncmp(path, root, n) && (!path[n] || path[n] == '/'));
}

/* A home directory holds what its owner keeps private, now or tomorrow. */
static bool is_home(const char *path)
{
    size_t n = strlen("/home");
    return !strncmp(path, "/home", n) &&
           (!path[n] || (path[n] == '/' && !strchr(path + n + 1, '/')));
}

/* True when the text behind a "/" is such a name, lies in it, or ends on the way to it: .config
 * before .config/gcloud. */
static bool meets_name(const char *rest, const char *name)
{
    size_t n = strlen(name), len = strlen(rest);
    if (len < n)
        return !strncmp(rest, name, len) && name[len] == '/';
    return !strncmp(rest, name, n) && (!rest[n] || rest[n] == '/');
}

const char *volume_sensitive_path(const char *path)
{
    for (const char *const *tree = trees; *tree; tree++)
        if (volume_path_is_within(path, *tree) || volume_path_is_within(*tree, path))
            return "is, holds or lies in a directory of the system";
    if (is_home(path))
        return "is somebody's home, or holds homes";
    for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/'))
        for (const char *const *name = names; *name; name++)
            if (meets_name(at + 1, *name))
                return "holds keys or credentials, or is an engine's socket";
    return NULL;
}

/* The form of a place in a sandbox, which is none of those that are closed with all in them. */
static int check_open(const char *path, const char *name, struct err *err)
{
    static const char *const closed[] = {"/usr",   "/bin",  "/sbin",  "/lib", "/lib32",
                                         "/lib64", "/etc",  "/proc",  "/dev", "/sys",
                                         "/run",   "/boot", "/libx32"};
    if (!volume_path_is_normal(path))
        return err_set(err, ERR_INVALID,
                       "%s: \"%.100s\" must be absolute, without //, . and .., and not end in /",
                       name, path);
    for (const char *c = path; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return err_set(err, ERR_INVALID, "%s: holds a control character", name);
    for (size_t i = 0; i < COUNT(closed); i++)
        if (volume_path_is_within(path, closed[i]))
            return err_set(err, ERR_INVALID,
                           "%s: %.100s is the sandbox's own; /workspace/…, /data, /mnt/… are free",
                           name, path);
    return 0;
}

/* A volume must not hide what is the sandbox's own; below it is fine. */
static int check_place(const char *path, const char *name, struct err *err)
{
    static const char *const whole[] = {"/", "/workspace", "/tmp", "/var", "/var/tmp"};
    if (check_open(path, name, err))
        return -1;
    for (size_t i = 0; i < COUNT(whole); i++)
        if (!strcmp(path, whole[i]))
            return err_set(err, ERR_INVALID,
                           "%s: %s is the sandbox's own; a directory below it is fine, such as "
                           "/workspace/src",
                           name, path);
    return 0;
}

/* The place of a record, which is a volume or a mount. */
static bool next_place(struct list *rest, const struct message *message, char place[513])
{
    union {
        struct volume volume;
        struct mount mount;
    } item;
    if (!list_next(rest, message, &item))
        return false;
    bool is_mount = message == &message_mount;
    text_copy(place, 513, is_mount ? item.mount.container_path : item.volume.container_path);
    return true;
}

int volume_check_places(struct list mounts, const struct message *message, struct err *err)
{
    char place[513], other[513];
    while (next_place(&mounts, message, place)) {
        if (check_place(place, "volumes.container_path", err))
            return -1;
        for (struct list rest = mounts; next_place(&rest, message, other);)
            if (volume_path_is_within(place, other) || volume_path_is_within(other, place))
                return err_set(err, ERR_INVALID,
                               "volumes.container_path: %.90s and %.90s are at one place, or one "
                               "in the other",
                               place, other);
    }
    return 0;
}

/* One name against one part of a pattern: the newest * takes one more character whenever the rest
 * does not fit, so the steps are at most pattern times name. */
static bool name_matches(struct view pattern, struct view name)
{
    size_t p = 0, n = 0, star = SIZE_MAX, from = 0;
    while (n < name.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = p++;
            from = n;
        } else if (p < pattern.len && (pattern.data[p] == '?' || pattern.data[p] == name.data[n])) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*')
        p++;
    return p == pattern.len;
}

/* Takes the first name off a relative path; an empty one when there is none. */
static struct view take_name(const char **path)
{
    struct view name = {(const uint8_t *)*path, strcspn(*path, "/")};
    *path += name.len + ((*path)[name.len] == '/');
    return name;
}

/* check_pattern lets a pattern have two names **, so few ways are tried. */
bool volume_pattern_matches(const char *pattern, const char *path, bool or_holds)
{
    while (*pattern) {
        struct view part = take_name(&pattern);
        if (view_equal(part, view_of("**"))) {
            if (volume_pattern_matches(pattern, path, or_holds))
                return true;
            while (*path) {
                take_name(&path);
                if (volume_pattern_matches(pattern, path, or_holds))
                    return true;
            }
            return or_holds;
        }
        if (!*path)
            return or_holds;
        if (!name_matches(part, take_name(&path)))
            return false;
    }
    return true;
}

static int check_pattern(struct view v, const char *name, struct err *err)
{
    enum { PATTERN_ANY = 2 };
    char pattern[257] = "/";
    int any = 0;
    bool fits = v.len && text_copy_view(pattern + 1, sizeof pattern - 1, v);
    if (!fits || !volume_path_is_normal(pattern))
        return err_set(err, ERR_INVALID,
                       "%s: \"%.*s\" must be relative to the host path, without //, . and ..", name,
                       (int)(v.len > 80 ? 80 : v.len), (const char *)v.data);
    for (const char *rest = pattern + 1; *rest;) {
        struct view part = take_name(&rest);
        any += view_equal(part, view_of("**"));
    }
    if (any > PATTERN_ANY)
        return err_set(err, ERR_INVALID, "%s: \"%s\" has more than %d names **", name, pattern + 1,
                       PATTERN_ANY);
    return 0;
}

static int check_patterns(struct list patterns, const char *name, struct err *err)
{
    for (struct view v; list_next_text(&patterns, &v);)
        if (check_pattern(v, name, err))
            return -1;
    return 0;
}

int volume_check_acl(const struct acl_add *acl, struct err *err)
{
    if (!volume_path_is_normal(acl->host_path))
        return err_set(err, ERR_INVALID,
                       "host_path: \"%.100s\" must be absolute, without //, . and .., and not end "
                       "in /",
                       acl->host_path);
    if (check_open(acl->container_path, "container_path", err) ||
        check_patterns(acl->allowed, "allowed", err) ||
        check_patterns(acl->blocked, "blocked", err))
        return -1;
    for (const char *c = acl->agent; *c; c++)
        if (*c != '*' && !text_is_name((const char[]){'a', *c, 0}, 2))
            return err_set(err, ERR_INVALID, "agent: letters, digits, . _ - and * only");
    if (acl->sensitive && (acl->allowed.count || acl->blocked.count))
        return err_set(err, ERR_INVALID,
                       "sensitive: goes with no patterns; it allows exactly host_path");
    const char *why = acl->sensitive ? NULL : volume_sensitive_path(acl->host_path);
    if (why)
        return err_set(err, ERR_FORBIDDEN,
                       "%.100s %s: an admin can allow exactly this path, with --sensitive",
                       acl->host_path, why);
    return 0;
}
