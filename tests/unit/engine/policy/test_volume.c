/* Which volumes are allowed: paths at boundaries of components, patterns, modes, what is sensitive,
 * and where volumes may be in a sandbox. */
#include "base/scope.h"
#include "base/text.h"
#include "engine/policy/volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Put together from pieces: no path of one machine stands in the project. */
#define HOME                                                                                       \
    "/home"                                                                                        \
    "/ann"

static struct err err;
static struct bytes stores[8];
static size_t store_count;

static struct bytes *new_store(void)
{
    assert_true(store_count < COUNT(stores));
    stores[store_count] = bytes_open(64 * 1024);
    return &stores[store_count++];
}

static int drop_stores(void **state)
{
    (void)state;
    while (store_count)
        bytes_close(&stores[--store_count]);
    return 0;
}

static struct mount found(const char *path, const char *place, const char *mode)
{
    struct mount m = {.type = "directory", .permissions = 0755};
    text_copy(m.host_path, sizeof m.host_path, path);
    text_copy(m.real_path, sizeof m.real_path, path);
    text_copy(m.container_path, sizeof m.container_path, place);
    text_copy(m.mode, sizeof m.mode, mode);
    return m;
}

static struct volume_acl acl_of(const char *host, const char *place, const char *mode)
{
    struct volume_acl acl = {.tenant = "acme"};
    text_copy(acl.host_path, sizeof acl.host_path, host);
    text_copy(acl.container_path, sizeof acl.container_path, place);
    text_copy(acl.mode, sizeof acl.mode, mode);
    return acl;
}

static void add_text(struct list *list, const char *text)
{
    /* a list has a store of its own, which is the newest one while it grows */
    struct bytes *store = list->count ? &stores[store_count - 1] : new_store();
    assert_int_equal(list_add_text(store, list, view_of(text), &err), 0);
}

static struct judgement judged(const struct mount *m, const struct volume_acl *acl, size_t count)
{
    const struct volume_acl *rows[8];
    struct judgement j;
    struct list mounts = {0};
    SCOPED(bytes_close) struct bytes store = bytes_open(64 * 1024);
    assert_true(count <= COUNT(rows));
    for (size_t i = 0; i < count; i++)
        rows[i] = &acl[i];
    if (list_add(&store, &mounts, &message_mount, m, &err))
        fail_msg("%s", err.text);
    volume_judge(mounts, "acme", "coder", &(struct volume_acls){rows, count}, &j);
    return j;
}

/* `rule` NULL: allowed. */
static void assert_judged(const struct mount *m, const struct volume_acl *acl, size_t count,
                          const char *rule)
{
    struct judgement j = judged(m, acl, count);
    const char *got = j.rules_count ? j.rules[0] : "allow";
    if (strcmp(got, rule ? rule : "allow") != 0)
        fail_msg("%s at %s %s: %s (%s), not %s", m->real_path, m->container_path, m->mode, got,
                 j.reason, rule ? rule : "allow");
    assert_int_equal(j.decision, rule ? DECISION_DENY : DECISION_ALLOW);
    assert_true(j.reason[0]);
    assert_true(!rule || j.hint[0] || !strcmp(rule, VOLUME_TYPE));
}

static void a_path_is_covered_at_boundaries_of_components(void **state)
{
    (void)state;
    static const struct {
        const char *path, *rule;
    } rows[] = {
        {"/srv/data", NULL},
        {"/srv/data/x", NULL},
        {"/srv/data/x/y.csv", NULL},
        {"/srv/data/..data", NULL},
        {"/srv/data2", VOLUME_NOT_ALLOWED},
        {"/srv/data.old", VOLUME_NOT_ALLOWED},
        {"/srv/dat", VOLUME_NOT_ALLOWED},
        {"/srv/dataset/data", VOLUME_NOT_ALLOWED},
        {"/srv", VOLUME_NOT_ALLOWED},
        {"/srv/Data", VOLUME_NOT_ALLOWED},
        {"/data", VOLUME_NOT_ALLOWED},
        {"/mnt/srv/data", VOLUME_NOT_ALLOWED},
        {"/", VOLUME_SENSITIVE},
    };
    const struct volume_acl acl = acl_of("/srv/data", "/data", "ro");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mount m = found(rows[i].path, "/data", "ro");
        assert_judged(&m, &acl, 1, rows[i].rule);
    }
    struct mount m = found("/srv/data", "/data", "ro");
    assert_judged(&m, NULL, 0, VOLUME_NOT_ALLOWED);
    struct judgement j = judged(&m, NULL, 0);
    assert_string_equal(j.reason, "No volume ACL allows /srv/data.");
    assert_string_equal(j.hint, "Ask an operator: corral add-acl /srv/data /data --mode ro");
}

static void what_was_asked_for_under_another_name_is_named(void **state)
{
    (void)state;
    struct mount m = found("/srv/real", "/data", "ro");
    text_copy(m.host_path, sizeof m.host_path, "/srv/link");
    const struct volume_acl acl = acl_of("/srv/link", "/data", "ro");
    assert_judged(&m, &acl, 1, VOLUME_NOT_ALLOWED);
    struct judgement j = judged(&m, &acl, 1);
    assert_string_equal(j.reason, "No volume ACL allows /srv/real (asked for as /srv/link).");
}

static void sensitive_paths_are_refused_whatever_the_acl(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/",
        "/etc",
        "/etc/ssh",
        "/boot",
        "/boot/grub",
        "/sys",
        "/sys/fs/cgroup",
        "/proc",
        "/proc/1",
        "/dev",
        "/dev/shm",
        "/root",
        "/root/x",
        "/var",
        "/var/lib",
        "/var/lib/corral",
        "/var/lib/docker",
        "/var/run",
        "/var/run/x",
        "/run",
        "/run/user",
        "/home",
        HOME,
        HOME "/.ssh",
        HOME "/.ssh/keys",
        HOME "/.aws",
        HOME "/.gnupg",
        HOME "/.kube",
        HOME "/.kube/config",
        HOME "/.docker",
        HOME "/.config",
        HOME "/.config/gcloud",
        HOME "/.config/gcloud/x",
        HOME "/.config/gh",
        HOME "/.local",
        HOME "/.local/share",
        HOME "/.local/share/keyrings",
        HOME "/.netrc",
        HOME "/.git-credentials",
        "/srv/.ssh",
        "/srv/app/.aws/sso",
        "/opt/engine/docker.sock",
        "/srv/a/containerd.sock",
        "/srv/a/crio.sock",
        "/srv/a/podman.sock",
    };
    for (size_t i = 0; i < COUNT(paths); i++) {
        const struct volume_acl acls[] = {acl_of("/", "/data", "rw"),
                                          acl_of(paths[i], "/data", "rw")};
        struct mount m = found(paths[i], "/data", "ro");
        assert_judged(&m, acls, COUNT(acls), VOLUME_SENSITIVE);
        assert_int_equal(judged(&m, acls, COUNT(acls)).risk, RISK_CRITICAL);
        assert_non_null(volume_sensitive_path(paths[i]));
    }
}

static void names_that_only_look_sensitive_are_not(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/srv",
        "/srv/etc",
        "/srv/root",
        "/etcetera",
        "/developer",
        "/runner",
        "/procs",
        "/system",
        "/bootstrap",
        HOME "/src",
        HOME "/.config/x",
        HOME "/.local/bin",
        HOME "/.sshd",
        "/srv/a.ssh",
        "/srv/ssh",
        "/srv/my.docker.sock.md",
        "/var/www",
        "/var/libx",
        "/var/cache/x",
        "/rooted",
        "/opt",
        "/mnt/data",
        "/data",
        "/srv/.kubeconfig.d",
        "/homestead/ann",
        "/srv/docker.socket",
        "/srv/.dockerfile",
        "/srv/x/.config/nvim",
    };
    const struct volume_acl acl = acl_of("/", "/data", "ro");
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct mount m = found(paths[i], "/data", "ro");
        assert_judged(&m, &acl, 1, NULL);
    }
}

static void what_the_manager_saw_counts_beside_the_name(void **state)
{
    (void)state;
    const struct volume_acl acl = acl_of("/srv", "/data", "rw");
    struct mount m = found("/srv/x", "/data", "rw");
    assert_judged(&m, &acl, 1, NULL);
    text_copy(m.same_as, sizeof m.same_as, "/etc");
    assert_judged(&m, &acl, 1, VOLUME_SENSITIVE);
    m.same_as[0] = 0;
    m.is_own = true;
    assert_judged(&m, &acl, 1, VOLUME_SENSITIVE);
    m.is_own = false;
    add_text(&m.holds, ".ssh");
    assert_judged(&m, &acl, 1, VOLUME_SENSITIVE);
    m.holds = (struct list){0};
    text_copy(m.below, sizeof m.below, "/srv/x/nfs");
    assert_judged(&m, &acl, 1, VOLUME_SUBMOUNT);
    m.below[0] = 0;
    text_copy(m.type, sizeof m.type, "socket");
    assert_judged(&m, &acl, 1, VOLUME_SENSITIVE);
    text_copy(m.type, sizeof m.type, "other");
    assert_judged(&m, &acl, 1, VOLUME_TYPE);
    text_copy(m.type, sizeof m.type, "absent");
    assert_judged(&m, &acl, 1, VOLUME_TYPE);
    text_copy(m.type, sizeof m.type, "file");
    assert_judged(&m, &acl, 1, NULL);
}

static void what_is_at_a_path_that_no_acl_covers_is_not_told(void **state)
{
    (void)state;
    struct mount m = found("/srv/x", "/data", "ro");
    const struct judgement plain = judged(&m, NULL, 0);
    static const char *const types[] = {"absent", "file", "socket", "other"};
    for (size_t i = 0; i < COUNT(types); i++) {
        m = found("/srv/x", "/data", "ro");
        text_copy(m.type, sizeof m.type, types[i]);
        m.is_own = true;
        text_copy(m.same_as, sizeof m.same_as, "/etc");
        text_copy(m.below, sizeof m.below, "/srv/x/y");
        const struct judgement j = judged(&m, NULL, 0);
        assert_string_equal(j.rules[0], plain.rules[0]);
        assert_string_equal(j.reason, plain.reason);
        assert_string_equal(j.hint, plain.hint);
        assert_int_equal(j.risk, plain.risk);
    }
}

static void an_override_allows_exactly_its_path(void **state)
{
    (void)state;
    struct volume_acl acls[] = {acl_of("/etc/ssl/certs", "/data", "ro"),
                                acl_of("/srv", "/data", "ro")};
    acls[0].sensitive = true;
    static const struct {
        const char *path, *rule;
    } rows[] = {
        {"/etc/ssl/certs", NULL},
        {"/etc/ssl/certs/x", VOLUME_SENSITIVE},
        {"/etc/ssl", VOLUME_SENSITIVE},
        {"/etc", VOLUME_SENSITIVE},
        {"/srv/x", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mount m = found(rows[i].path, "/data", "ro");
        assert_judged(&m, acls, COUNT(acls), rows[i].rule);
    }
    struct mount m = found("/etc/ssl/certs", "/data", "ro");
    assert_int_equal(judged(&m, acls, 2).risk, RISK_HIGH);
    text_copy(m.mode, sizeof m.mode, "rw");
    assert_judged(&m, acls, 2, VOLUME_MODE);
    acls[0].sensitive = false;
    text_copy(m.mode, sizeof m.mode, "ro");
    assert_judged(&m, acls, 2, VOLUME_SENSITIVE);
    acls[1].sensitive = true;
    struct mount below = found("/srv/x", "/data", "ro");
    assert_judged(&below, acls, 2, VOLUME_NOT_ALLOWED);
}

static void writing_needs_an_acl_that_says_so(void **state)
{
    (void)state;
    struct volume_acl acls[] = {acl_of("/srv", "/data", "ro"), acl_of("/srv/out", "/data", "rw")};
    struct mount read = found("/srv/x", "/data", "ro"), write = found("/srv/x", "/data", "rw");
    assert_judged(&read, acls, 2, NULL);
    assert_judged(&write, acls, 2, VOLUME_MODE);
    struct mount out = found("/srv/out", "/data", "rw");
    assert_judged(&out, acls, 2, NULL);
    assert_int_equal(judged(&out, acls, 2).risk, RISK_MEDIUM);
    assert_int_equal(judged(&read, acls, 2).risk, RISK_LOW);
    add_text(&read.exposed, "/srv");
    assert_int_equal(judged(&read, acls, 2).risk, RISK_MEDIUM);
}

static void the_place_in_the_sandbox_is_the_acls_or_below(void **state)
{
    (void)state;
    const struct volume_acl acl = acl_of("/srv", "/mnt/a", "ro");
    static const struct {
        const char *place, *rule;
    } rows[] = {{"/mnt/a", NULL},
                {"/mnt/a/b", NULL},
                {"/mnt/ab", VOLUME_NOT_ALLOWED},
                {"/mnt", VOLUME_NOT_ALLOWED},
                {"/data", VOLUME_NOT_ALLOWED}};
    const struct volume_acl anywhere = acl_of("/srv", "/", "ro");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mount m = found("/srv/x", rows[i].place, "ro");
        assert_judged(&m, &acl, 1, rows[i].rule);
        assert_judged(&m, &anywhere, 1, NULL);
    }
}

static void an_acl_is_for_its_tenant_and_agents(void **state)
{
    (void)state;
    struct volume_acl acl = acl_of("/srv", "/data", "ro");
    struct mount m = found("/srv/x", "/data", "ro");
    static const struct {
        const char *tenant, *agent, *rule;
    } rows[] = {{"acme", "", NULL},
                {"acme", "coder", NULL},
                {"acme", "cod*", NULL},
                {"acme", "*", NULL},
                {"acme", "code", VOLUME_NOT_ALLOWED},
                {"acme", "other*", VOLUME_NOT_ALLOWED},
                {"other", "", VOLUME_NOT_ALLOWED},
                {"", "coder", VOLUME_NOT_ALLOWED}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        text_copy(acl.tenant, sizeof acl.tenant, rows[i].tenant);
        text_copy(acl.agent, sizeof acl.agent, rows[i].agent);
        assert_judged(&m, &acl, 1, rows[i].rule);
    }
}

static void patterns_are_compared_name_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool matches, may_hold;
    } rows[] = {
        {"a", "a", true, true},
        {"a", "a/b", true, true},
        {"a", "ab", false, false},
        {"a", "b/a", false, false},
        {"a", "", false, true},
        {"a/b", "a", false, true},
        {"a/b", "a/b/c", true, true},
        {"a/b", "a/c", false, false},
        {"*", "a", true, true},
        {"*", "a/b", true, true},
        {"*", "", false, true},
        {"*.key", "x.key", true, true},
        {"*.key", "a/x.key", false, false},
        {"*.key", "a", false, false},
        {"*.key", "", false, true},
        {"a*c?", "abcd", true, true},
        {"a*c?", "ac", false, false},
        {"?", "ab", false, false},
        {"**", "", true, true},
        {"**", "a/b", true, true},
        {"**/x", "x", true, true},
        {"**/x", "a/b/x", true, true},
        {"**/x", "a/b", false, true},
        {"a/**/x", "a/x/y", true, true},
        {"a/**/x", "b", false, false},
        {"a/**", "a", true, true},
        {"a/**", "ab", false, false},
        {"**/a/**/b", "1/a/2/3/b/c", true, true},
        {"**/a/**/b", "1/2/3", false, true},
        {"*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool matches = volume_pattern_matches(rows[i].pattern, rows[i].path, false);
        bool may_hold = volume_pattern_matches(rows[i].pattern, rows[i].path, true);
        if (matches != rows[i].matches || may_hold != rows[i].may_hold)
            fail_msg("%s against \"%s\": %d %d", rows[i].pattern, rows[i].path, matches, may_hold);
    }
}

static void allowed_patterns_say_which_paths(void **state)
{
    (void)state;
    struct volume_acl acl = acl_of("/srv/data", "/data", "ro");
    add_text(&acl.allowed, "public/**");
    add_text(&acl.allowed, "*/reports");
    static const struct {
        const char *path, *rule;
    } rows[] = {{"/srv/data", VOLUME_PATTERN},      {"/srv/data/public", NULL},
                {"/srv/data/public/x", NULL},       {"/srv/data/publicity", VOLUME_PATTERN},
                {"/srv/data/a", VOLUME_PATTERN},    {"/srv/data/a/reports", NULL},
                {"/srv/data/a/reports/2024", NULL}, {"/srv/data/a/b/reports", VOLUME_PATTERN}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mount m = found(rows[i].path, "/data", "ro");
        assert_judged(&m, &acl, 1, rows[i].rule);
    }
}

static void blocked_patterns_win_also_over_what_may_hold_them(void **state)
{
    (void)state;
    struct volume_acl acls[] = {acl_of("/srv/data", "/data", "ro"), acl_of("/srv", "/data", "rw")};
    add_text(&acls[0].blocked, "secrets");
    add_text(&acls[0].blocked, "*/private/*.key");
    static const struct {
        const char *path, *type, *rule;
    } rows[] = {{"/srv/data/secrets", "directory", VOLUME_BLOCKED},
                {"/srv/data/secrets/x", "directory", VOLUME_BLOCKED},
                {"/srv/data", "directory", VOLUME_BLOCKED},
                {"/srv/data/secrets2", "directory", VOLUME_BLOCKED}, /* may hold private/x.key */
                {"/srv/data/a/public", "directory", NULL},
                {"/srv/data/a/private", "directory", VOLUME_BLOCKED},
                {"/srv/data/a/private/x.key", "file", VOLUME_BLOCKED},
                {"/srv/data/a/private/x.pub", "file", NULL},
                {"/srv/data/a/private/x.pub", "directory", NULL},
                {"/srv/data/readme", "file", NULL},
                {"/srv/other", "directory", NULL}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mount m = found(rows[i].path, "/data", "ro");
        text_copy(m.type, sizeof m.type, rows[i].type);
        assert_judged(&m, acls, 2, rows[i].rule);
    }
    add_text(&acls[0].allowed, "**");
    struct mount m = found("/srv/data/secrets", "/data", "ro");
    assert_judged(&m, acls, 2, VOLUME_BLOCKED);
}

static void the_first_volume_that_is_refused_decides(void **state)
{
    (void)state;
    struct judgement j;
    struct list mounts = {0};
    struct bytes *store = new_store();
    const struct volume_acl acl = acl_of("/srv", "/data", "ro"), *rows[] = {&acl};
    const struct mount all[] = {found("/srv/a", "/data/a", "ro"), found("/opt/b", "/data/b", "ro"),
                                found("/etc", "/data/c", "ro")};
    for (size_t i = 0; i < COUNT(all); i++)
        assert_int_equal(list_add(store, &mounts, &message_mount, &all[i], &err), 0);
    volume_judge(mounts, "acme", "coder", &(struct volume_acls){rows, 1}, &j);
    assert_string_equal(j.rules[0], VOLUME_NOT_ALLOWED);
    volume_judge((struct list){0}, "acme", "coder", &(struct volume_acls){0}, &j);
    assert_int_equal(j.decision, DECISION_ALLOW);
}

static void a_reason_is_safe_for_a_terminal(void **state)
{
    (void)state;
    char path[1025] = "/srv/\x1b[31m", long_path[1025] = "/srv/";
    struct mount m = found(path, "/data", "ro");
    struct judgement j = judged(&m, NULL, 0);
    assert_null(strchr(j.reason, 0x1b));
    assert_null(strchr(j.hint, 0x1b));
    for (size_t i = 5; i < 1021; i += 3)
        memcpy(long_path + i, "\xe2\x82\xac", 3);
    m = found(long_path, "/data", "ro");
    j = judged(&m, NULL, 0);
    assert_true(text_is_utf8(j.reason, strlen(j.reason)));
    assert_true(text_is_utf8(j.hint, strlen(j.hint)));
}

static void assert_places(const char *const *paths, size_t count, bool fine)
{
    struct list volumes = {0}, mounts = {0};
    SCOPED(bytes_close) struct bytes v = bytes_open(64 * 1024), m = bytes_open(64 * 1024);
    for (size_t i = 0; i < count; i++) {
        struct volume volume = {.host_path = "/srv"};
        struct mount mount = found("/srv", paths[i], "ro");
        text_copy(volume.container_path, sizeof volume.container_path, paths[i]);
        assert_int_equal(list_add(&v, &volumes, &message_volume, &volume, &err), 0);
        assert_int_equal(list_add(&m, &mounts, &message_mount, &mount, &err), 0);
    }
    if (volume_check_places(volumes, &message_volume, &err) != (fine ? 0 : -1) ||
        volume_check_places(mounts, &message_mount, &err) != (fine ? 0 : -1))
        fail_msg("%s: %s", paths[0], fine ? err.text : "taken");
    assert_true(fine || err.code == ERR_INVALID);
}

static void places_of_the_sandboxs_own_are_not_covered(void **state)
{
    (void)state;
    static const char *const fine[] = {"/data",   "/mnt/x",      "/workspace/src", "/opt/tool",
                                       "/srv/a",  "/tmp/x",      "/var/tmp/x",     "/var/data",
                                       "/usrlib", "/workspace2", "/etcetera",      "/a b"};
    static const char *const refused[] = {
        "/",       "",           "data",     "./data", "/data/",       "//data",     "/data//x",
        "/data/.", "/data/../x", "/..",      "/usr",   "/usr/local/x", "/bin",       "/bin/sh",
        "/sbin",   "/lib",       "/lib64/x", "/etc",   "/etc/hosts",   "/proc",      "/proc/self",
        "/dev",    "/dev/shm",   "/sys",     "/run",   "/run/corral",  "/workspace", "/tmp",
        "/var",    "/var/tmp",   "/boot",    "/lib32", "/libx32",      "/data/\n"};
    for (size_t i = 0; i < COUNT(fine); i++)
        assert_places(&fine[i], 1, true);
    for (size_t i = 0; i < COUNT(refused); i++)
        assert_places(&refused[i], 1, false);
}

static void no_two_volumes_are_at_one_place_or_one_in_the_other(void **state)
{
    (void)state;
    assert_places((const char *const[]){"/data", "/mnt", "/data2"}, 3, true);
    assert_places((const char *const[]){"/data", "/mnt", "/data"}, 3, false);
    assert_places((const char *const[]){"/data", "/data/x"}, 2, false);
    assert_places((const char *const[]){"/data/x", "/mnt", "/data"}, 3, false);
}

static void an_acls_form_is_checked(void **state)
{
    (void)state;
    struct acl_add good = {.host_path = "/srv", .container_path = "/data"};
    assert_int_equal(volume_check_acl(&good, &err), 0);
    static const char *const paths[] = {"srv", "/srv/", "/srv/../x", "//srv", "/srv/./x"};
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct acl_add bad = good;
        text_copy(bad.host_path, sizeof bad.host_path, paths[i]);
        assert_int_equal(volume_check_acl(&bad, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
    }
    static const char *const patterns[] = {"/a", "a/", "a//b", "../a", "a/..", "", "**/**/**"};
    for (size_t i = 0; i < COUNT(patterns); i++) {
        struct acl_add bad = good;
        add_text(i % 2 ? &bad.allowed : &bad.blocked, patterns[i]);
        assert_int_equal(volume_check_acl(&bad, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
        drop_stores(NULL);
    }
    struct acl_add bad = good;
    text_copy(bad.agent, sizeof bad.agent, "a/*");
    assert_int_equal(volume_check_acl(&bad, &err), -1);
    bad = good;
    text_copy(bad.container_path, sizeof bad.container_path, "/usr");
    assert_int_equal(volume_check_acl(&bad, &err), -1);
    static const char *const roots[] = {"/", "/workspace", "/tmp", "/var", "/workspace/x"};
    for (size_t i = 0; i < COUNT(roots); i++) {
        text_copy(good.container_path, sizeof good.container_path, roots[i]);
        assert_int_equal(volume_check_acl(&good, &err), 0);
    }
    text_copy(good.agent, sizeof good.agent, "co*r-1");
    assert_int_equal(volume_check_acl(&good, &err), 0);
}

static void an_acl_for_a_sensitive_path_has_to_say_so(void **state)
{
    (void)state;
    struct acl_add acl = {.host_path = "/etc/ssl", .container_path = "/data"};
    assert_int_equal(volume_check_acl(&acl, &err), -1);
    assert_int_equal(err.code, ERR_FORBIDDEN);
    acl.sensitive = true;
    assert_int_equal(volume_check_acl(&acl, &err), 0);
    add_text(&acl.allowed, "x");
    assert_int_equal(volume_check_acl(&acl, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_covered_at_boundaries_of_components),
        cmocka_unit_test(what_was_asked_for_under_another_name_is_named),
        cmocka_unit_test(sensitive_paths_are_refused_whatever_the_acl),
        cmocka_unit_test(names_that_only_look_sensitive_are_not),
        cmocka_unit_test_teardown(what_the_manager_saw_counts_beside_the_name, drop_stores),
        cmocka_unit_test(what_is_at_a_path_that_no_acl_covers_is_not_told),
        cmocka_unit_test(an_override_allows_exactly_its_path),
        cmocka_unit_test_teardown(writing_needs_an_acl_that_says_so, drop_stores),
        cmocka_unit_test(the_place_in_the_sandbox_is_the_acls_or_below),
        cmocka_unit_test(an_acl_is_for_its_tenant_and_agents),
        cmocka_unit_test(patterns_are_compared_name_by_name),
        cmocka_unit_test_teardown(allowed_patterns_say_which_paths, drop_stores),
        cmocka_unit_test_teardown(blocked_patterns_win_also_over_what_may_hold_them, drop_stores),
        cmocka_unit_test_teardown(the_first_volume_that_is_refused_decides, drop_stores),
        cmocka_unit_test(a_reason_is_safe_for_a_terminal),
        cmocka_unit_test(places_of_the_sandboxs_own_are_not_covered),
        cmocka_unit_test(no_two_volumes_are_at_one_place_or_one_in_the_other),
        cmocka_unit_test_teardown(an_acls_form_is_checked, drop_stores),
        cmocka_unit_test_teardown(an_acl_for_a_sensitive_path_has_to_say_so, drop_stores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
