/* Volumes as the manager finds them: what a path really is, what is told of the way, and that the
 * descriptor is what was described, whoever exchanges names meanwhile. */
#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "manager/volumes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static struct err err;
static char root[64];
static struct bytes store;
static struct volumes *volumes;
static struct mount mount_found;

static const char *at(const char *name)
{
    static char paths[4][512];
    static size_t next;
    char *path = paths[next++ % COUNT(paths)];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static void make_dir(const char *name, mode_t mode)
{
    assert_int_equal(dir_make(at(name), 0755, &err), 0);
    assert_int_equal(chmod(at(name), mode), 0);
}

static void make_link(const char *name, const char *target)
{
    assert_int_equal(symlink(target, at(name)), 0);
}

static int open_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/corral-volumes-XXXXXX");
    if (!mkdtemp(root) || chmod(root, 0755))
        return -1;
    make_dir("data/sub", 0755);
    make_dir("other", 0700);
    return 0;
}

static int close_root(void **state)
{
    (void)state;
    volumes_free(&volumes);
    bytes_close(&store);
    return dir_remove(AT_FDCWD, root, &err);
}

/* Finds one volume, whose facts are in mount_found then. 0, or -1 with err. */
static int find_with(const char *path, const char *const own[])
{
    struct list asked = {0};
    struct volume v = {.container_path = "/data"};
    bytes_close(&store);
    store = bytes_open(16384);
    volumes_free(&volumes);
    text_copy(v.host_path, sizeof v.host_path, path);
    assert_int_equal(list_add(&store, &asked, &message_volume, &v, &err), 0);
    if (volumes_find(asked, own, &volumes, &err))
        return -1;
    struct list rest = volumes->facts;
    assert_true(list_next(&rest, &message_mount, &mount_found));
    return 0;
}

static int find(const char *path)
{
    static const char *const own[] = {NULL};
    return find_with(path, own);
}

static void assert_leads(const char *from, const char *to)
{
    struct stat st;
    if (find(from))
        fail_msg("%s: %s", from, err.text);
    assert_string_equal(mount_found.host_path, from);
    assert_string_equal(mount_found.real_path, to);
    assert_int_equal(stat(to, &st), 0);
    assert_int_equal(mount_found.inode, (int64_t)st.st_ino);
    assert_int_equal(mount_found.device, (int64_t)st.st_dev);
    assert_int_equal(mount_found.owner_uid, st.st_uid);
    assert_int_equal(mount_found.permissions, st.st_mode & 07777);
    struct stat held;
    assert_int_equal(fstat(volumes->items[0].fd, &held), 0);
    assert_int_equal(held.st_ino, st.st_ino);
}

static void a_path_is_followed_as_the_kernel_does(void **state)
{
    (void)state;
    char data[128], sub[128], text[256];
    snprintf(data, sizeof data, "%s/data", root);
    snprintf(sub, sizeof sub, "%s/data/sub", root);
    make_link("absolute", data);
    make_link("relative", "data/../data/./sub");
    make_link("data/up", "../other/../absolute");
    assert_leads(data, data);
    static const char *const names[] = {"data/",         "data//",        "data/.",    "./data",
                                        "other/../data", "absolute",      "absolute/", "data/up",
                                        "relative/..",   "data/up/sub/.."};
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(text, sizeof text, "%s/%s", root, names[i]);
        assert_leads(text, data);
    }
    snprintf(text, sizeof text, "/..//../%s/relative", root + 1);
    assert_leads(text, sub);
}

static void links_on_the_way_are_told_in_order(void **state)
{
    (void)state;
    struct view link;
    make_link("one", "two");
    make_link("two", "data");
    assert_int_equal(find(at("one/sub")), 0);
    struct list rest = mount_found.links;
    assert_int_equal(rest.count, 2);
    assert_true(list_next_text(&rest, &link) && view_equal(link, view_of(at("one"))));
    assert_true(list_next_text(&rest, &link) && view_equal(link, view_of(at("two"))));
    struct mount kept;
    rest = volumes->kept;
    assert_true(list_next(&rest, &message_mount, &kept));
    assert_int_equal(kept.links.count, 0);
    assert_string_equal(kept.real_path, mount_found.real_path);
}

static bool is_exposed(const char *directory)
{
    struct list rest = mount_found.exposed;
    for (struct view v; list_next_text(&rest, &v);)
        if (view_equal(v, view_of(directory)))
            return true;
    return false;
}

static void directories_that_others_can_change_are_told(void **state)
{
    (void)state;
    assert_int_equal(find(at("data/sub")), 0);
    assert_false(is_exposed(at("data")));
    assert_int_equal(chmod(at("data"), 0777), 0);
    assert_int_equal(find(at("data/sub")), 0);
    assert_true(is_exposed(at("data")));
    assert_int_equal(chmod(at("data"), 01777), 0);
    assert_int_equal(find(at("data/sub")), 0);
    assert_false(is_exposed(at("data")));
    if (!geteuid()) {
        assert_int_equal(chmod(at("data"), 0755) | chown(at("data"), 4711, 4711), 0);
        assert_int_equal(find(at("data/sub")), 0);
        assert_true(is_exposed(at("data")));
    }
}

static void what_is_absent_is_a_fact_and_no_error(void **state)
{
    (void)state;
    static const char *const names[] = {"none", "data/none/x", "data/sub/../none"};
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(find(at(names[i])), 0);
        assert_string_equal(mount_found.type, "absent");
        assert_int_equal(volumes->items[0].fd, -1);
        assert_int_equal(mount_found.inode, 0);
    }
    assert_string_equal(mount_found.real_path, at("data/none"));
}

static void types_are_told(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    SCOPED(fd_close) int file = open(at("file"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    SCOPED(fd_close) int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", root);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
    static const char *const rows[][2] = {
        {"data", "directory"}, {"file", "file"}, {"socket", "socket"}, {"fifo", "other"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(find(at(rows[i][0])), 0);
        assert_string_equal(mount_found.type, rows[i][1]);
    }
    assert_int_equal(find(at("file/x")), 0);
    assert_string_equal(mount_found.type, "absent");
}

static void keys_right_in_a_directory_are_told(void **state)
{
    (void)state;
    make_dir("data/.ssh", 0700);
    make_dir("data/.config/gcloud", 0700);
    assert_int_equal(find(at("data")), 0);
    assert_int_equal(mount_found.holds.count, 2);
    assert_int_equal(find(at("data/sub")), 0);
    assert_int_equal(mount_found.holds.count, 0);
}

static void what_is_holds_or_lies_in_corrals_own_is_told(void **state)
{
    (void)state;
    char link[128], own_path[128];
    make_dir("data/state/leases", 0700);
    make_link("elsewhere", "data/state");
    snprintf(link, sizeof link, "%s/elsewhere", root);
    snprintf(own_path, sizeof own_path, "%s/data/state", root);
    const char *const ways[] = {own_path, link};
    for (size_t i = 0; i < COUNT(ways); i++) {
        const char *const own[] = {"/nonexistent/x", "", ways[i], NULL};
        static const struct {
            const char *name;
            bool is_own;
        } rows[] = {{"data/state", true},        {"data/state/leases", true}, {"data", true},
                    {"elsewhere", true},         {"data/sub", false},         {"other", false},
                    {"data/state/../sub", false}};
        for (size_t k = 0; k < COUNT(rows); k++) {
            assert_int_equal(find_with(at(rows[k].name), own), 0);
            if (mount_found.is_own != rows[k].is_own)
                fail_msg("%s: %d", rows[k].name, mount_found.is_own);
        }
        assert_int_equal(find_with("/", own), 0);
        assert_true(mount_found.is_own);
    }
}

static void endless_and_magic_links_lead_nowhere(void **state)
{
    (void)state;
    make_link("round", "round");
    assert_int_equal(find(at("round")), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(find("/proc/self/root/tmp"), -1);
    assert_int_equal(err.code, ERR_INVALID);
    char name[16], target[16];
    for (int i = 0; i < VOLUMES_LINKS + 1; i++) {
        snprintf(name, sizeof name, "l%d", i);
        snprintf(target, sizeof target, i ? "l%d" : "data", i - 1);
        make_link(name, target);
    }
    snprintf(name, sizeof name, "l%d", VOLUMES_LINKS - 1);
    assert_int_equal(find(at(name)), 0);
    snprintf(name, sizeof name, "l%d", VOLUMES_LINKS);
    assert_int_equal(find(at(name)), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

static void what_was_exchanged_is_noticed_before_the_mount(void **state)
{
    (void)state;
    assert_int_equal(find(at("data/sub")), 0);
    assert_int_equal(volumes_check_again(volumes, &err), 0);
    assert_int_equal(rename(at("data/sub"), at("away")), 0);
    assert_int_equal(volumes_check_again(volumes, &err), -1);
    assert_int_equal(err.code, ERR_STATE);
    make_dir("data/sub", 0755);
    assert_int_equal(volumes_check_again(volumes, &err), -1);
    assert_int_equal(rmdir(at("data/sub")), 0);
    make_link("data/sub", "../away"); /* the same directory, but by a link */
    assert_int_equal(volumes_check_again(volumes, &err), -1);
    assert_int_equal(unlink(at("data/sub")), 0);
    assert_int_equal(rename(at("away"), at("data/sub")), 0);
    assert_int_equal(volumes_check_again(volumes, &err), 0);
}

static atomic_bool is_over;

static void *exchange(void *paths)
{
    const char *const *p = paths;
    while (!atomic_load(&is_over))
        syscall(SYS_renameat2, AT_FDCWD, p[0], AT_FDCWD, p[1], RENAME_EXCHANGE);
    return NULL;
}

/* Every descriptor is what its path says, or none was given out. */
static void a_racer_never_gets_a_secret_under_another_name(void **state)
{
    (void)state;
    char sub[128], link[128];
    struct stat data, secret, held;
    int fine = 0, secrets = 0;
    pthread_t racer;
    snprintf(sub, sizeof sub, "%s/data/sub", root);
    snprintf(link, sizeof link, "%s/data/link", root);
    assert_int_equal(stat(sub, &data) | stat(at("other"), &secret), 0);
    make_link("data/link", "../other");
    const char *paths[] = {sub, link};
    atomic_store(&is_over, false);
    assert_int_equal(pthread_create(&racer, NULL, exchange, paths), 0);
    for (int i = 0; i < 20000 || (!fine || !secrets); i++) {
        if (find(sub) || volumes->items[0].fd < 0)
            continue;
        assert_int_equal(fstat(volumes->items[0].fd, &held), 0);
        bool is_plain = !strcmp(mount_found.real_path, sub);
        assert_int_equal(held.st_ino, is_plain ? data.st_ino : secret.st_ino);
        assert_int_equal(mount_found.inode, (int64_t)held.st_ino);
        fine += is_plain;
        secrets += !is_plain;
    }
    atomic_store(&is_over, true);
    pthread_join(racer, NULL);
    print_message("%d times the directory, %d times the secret, each under its own name\n", fine,
                  secrets);
}

static void a_request_has_a_form(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"srv", "/data"}, {"", "/data"}, {"/srv\n", "/data"}, {"/srv", "/usr"}, {"/srv", "data"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct list asked = {0};
        struct volume v = {0};
        SCOPED(bytes_close) struct bytes room = bytes_open(16384);
        text_copy(v.host_path, sizeof v.host_path, rows[i][0]);
        text_copy(v.container_path, sizeof v.container_path, rows[i][1]);
        assert_int_equal(list_add(&room, &asked, &message_volume, &v, &err), 0);
        assert_int_equal(volumes_check(asked, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
    }
}

static void is_shown_to_a_person(void **state)
{
    (void)state;
    char text[256], wanted[256], cut[12];
    assert_int_equal(find(at("data")), 0);
    volumes_show(volumes, text, sizeof text);
    snprintf(wanted, sizeof wanted, "%s/data -> /data ro", root);
    assert_string_equal(text, wanted);
    volumes_show(volumes, cut, sizeof cut);
    assert_memory_equal(cut, wanted, sizeof cut - 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_root, close_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_path_is_followed_as_the_kernel_does),
        TEST(links_on_the_way_are_told_in_order),
        TEST(directories_that_others_can_change_are_told),
        TEST(what_is_absent_is_a_fact_and_no_error),
        TEST(types_are_told),
        TEST(keys_right_in_a_directory_are_told),
        TEST(what_is_holds_or_lies_in_corrals_own_is_told),
        TEST(endless_and_magic_links_lead_nowhere),
        TEST(what_was_exchanged_is_noticed_before_the_mount),
        TEST(a_racer_never_gets_a_secret_under_another_name),
        TEST(a_request_has_a_form),
        TEST(is_shown_to_a_person),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
