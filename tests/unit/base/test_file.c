/* Files: whole reads and writes, replacing, private directories, removing trees. Each test has a
 * fresh directory. */
#include "base/file.h"

#include "base/fault.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char path[64];
    int dir;
};

static int enter(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    strcpy(place->path, "/tmp/corral-test-XXXXXX");
    if (!mkdtemp(place->path))
        return -1;
    place->dir = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = place;
    return place->dir < 0 ? -1 : 0;
}

static int leave(void **state)
{
    struct place *place = *state;
    struct err err;
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        fault_set((enum fault_kind)kind, 0, false);
    close(place->dir);
    int failed = dir_remove(AT_FDCWD, place->path, &err);
    free(place);
    return failed;
}

static void put(const struct place *place, const char *name, const char *content)
{
    struct err err;
    assert_int_equal(file_replace_volatile(place->dir, name, content, strlen(content), 0600, &err),
                     0);
}

static void assert_content(const struct place *place, const char *name, const char *expected)
{
    struct err err;
    SCOPED(bytes_close) struct bytes all = {0};
    assert_int_equal(file_read(place->dir, name, 4096, &all, &err), 0);
    assert_true(view_equal(bytes_view(&all), view_of(expected)));
}

static bool is_there(int dir, const char *name)
{
    struct stat st;
    return !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW);
}

/* Names in the directory, without . and .. */
static int entries(const struct place *place)
{
    int count = 0;
    SCOPED(bytes_close) struct bytes path = bytes_open(128);
    struct err err;
    assert_int_equal(bytes_addf(&path, &err, "ls -A %s", place->path), 0);
    FILE *listing = popen((char *)path.data, "re");
    assert_non_null(listing);
    for (int c = fgetc(listing); c != EOF; c = fgetc(listing))
        count += c == '\n';
    assert_int_equal(pclose(listing), 0);
    return count;
}

static void reads_what_was_written(void **state)
{
    put(*state, "a", "content");
    assert_content(*state, "a", "content");
    put(*state, "empty", "");
    assert_content(*state, "empty", "");
}

static void reads_files_that_say_they_are_empty(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes all = {0};
    assert_int_equal(file_read(AT_FDCWD, "/proc/self/status", 1 << 16, &all, &err), 0);
    assert_memory_equal(all.data, "Name:", 5);
}

static void reads_up_to_the_bound_and_not_a_byte_more(void **state)
{
    struct place *place = *state;
    struct err err;
    struct bytes all = {0};
    put(place, "a", "12345");
    assert_int_equal(file_read(place->dir, "a", 4, &all, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_null(all.data);
    assert_int_equal(file_read(place->dir, "a", 5, &all, &err), 0);
    bytes_close(&all);
}

static void refuses_to_read_what_is_no_regular_file(void **state)
{
    struct place *place = *state;
    struct err err;
    struct bytes all = {0};
    put(place, "a", "secret");
    assert_int_equal(symlinkat("a", place->dir, "link"), 0);
    assert_int_equal(mkfifoat(place->dir, "fifo", 0600), 0);
    assert_int_equal(mkdirat(place->dir, "dir", 0700), 0);
    assert_int_equal(file_read(place->dir, "link", 100, &all, &err), -1);
    assert_int_equal(file_read(place->dir, "fifo", 100, &all, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(file_read(place->dir, "dir", 100, &all, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(file_read(place->dir, "absent", 100, &all, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_null(all.data);
}

static void stops_reading_at_the_end_of_file(void **state)
{
    struct place *place = *state;
    struct err err;
    char to[16] = "................";
    size_t got = 99;
    put(place, "a", "0123456789");
    SCOPED(fd_close) int fd = openat(place->dir, "a", O_RDONLY | O_CLOEXEC);
    assert_int_equal(file_read_at(fd, to, 4, 2, &got, &err), 0);
    assert_int_equal(got, 4);
    assert_memory_equal(to, "2345", 4);
    assert_int_equal(file_read_at(fd, to, sizeof to, 7, &got, &err), 0);
    assert_int_equal(got, 3);
    assert_int_equal(file_read_at(fd, to, sizeof to, 100, &got, &err), 0);
    assert_int_equal(got, 0);
}

static void leaves_the_count_when_reading_fails(void **state)
{
    struct place *place = *state;
    struct err err;
    char to[4];
    size_t got = 99;
    assert_int_equal(file_read_at(place->dir, to, sizeof to, 0, &got, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(got, 99);
}

static void writes_at_an_offset_without_moving_the_position(void **state)
{
    struct place *place = *state;
    struct err err;
    put(place, "a", "..........");
    SCOPED(fd_close) int fd = openat(place->dir, "a", O_WRONLY | O_CLOEXEC);
    assert_int_equal(file_write_all_at(fd, "five", 4, 5, &err), 0);
    assert_int_equal(file_write_all(fd, "zero", 4, &err), 0);
    assert_content(place, "a", "zero.five.");
}

static void writes_all_through_a_pipe_that_takes_little(void **state)
{
    (void)state;
    enum { MANY = 300000 }; /* more than a pipe holds, so that write(2) must come back short */
    struct err err;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    SCOPED(fd_close) int from = ends[0];
    SCOPED(fd_close) int to = ends[1];
    pid_t pid = fork();
    if (!pid) {
        static uint8_t data[MANY];
        _exit(file_write_all(to, data, sizeof data, &err) ? 1 : 0);
    }
    fd_close(&to);
    size_t total = 0;
    char part[1000];
    for (ssize_t n = read(from, part, sizeof part); n > 0; n = read(from, part, sizeof part))
        total += (size_t)n;
    assert_int_equal(total, MANY);
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void says_that_a_write_or_sync_failed(void **state)
{
    struct place *place = *state;
    struct err err;
    put(place, "a", "");
    SCOPED(fd_close) int fd = openat(place->dir, "a", O_WRONLY | O_CLOEXEC);
    fault_set(FAULT_WRITE, 1, false);
    assert_int_equal(file_write_all(fd, "data", 4, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.text, strerror(ENOSPC)));
    fault_set(FAULT_FSYNC, 1, false);
    assert_int_equal(file_sync(fd, &err), -1);
    assert_non_null(strstr(err.text, strerror(EIO)));
    assert_int_equal(file_sync(fd, &err), 0);
}

static void replaces_content_and_mode(void **state)
{
    struct place *place = *state;
    struct err err;
    struct stat st;
    mode_t old = umask(077);
    put(place, "a", "old");
    int failed = file_replace(place->dir, "a", "new", 3, 0644, &err);
    umask(old);
    assert_int_equal(failed, 0);
    assert_content(place, "a", "new");
    assert_int_equal(fstatat(place->dir, "a", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_int_equal(entries(place), 1);
}

static void keeps_the_old_file_when_replacing_fails(void **state)
{
    struct place *place = *state;
    struct err err;
    put(place, "a", "old");
    static const enum fault_kind kinds[] = {FAULT_WRITE, FAULT_FSYNC};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        fault_set(kinds[i], 1, false);
        assert_int_equal(file_replace(place->dir, "a", "new", 3, 0600, &err), -1);
        assert_content(place, "a", "old");
        assert_int_equal(entries(place), 1);
    }
    assert_int_equal(file_replace(place->dir, "no/such/folder", "new", 3, 0600, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(mkdirat(place->dir, "dir", 0700), 0);
    assert_int_equal(file_replace(place->dir, "dir", "new", 3, 0600, &err), -1);
    assert_int_equal(entries(place), 2);
}

static void replaces_a_symlink_and_not_what_it_points_to(void **state)
{
    struct place *place = *state;
    put(place, "target", "untouched");
    assert_int_equal(symlinkat("target", place->dir, "a"), 0);
    put(place, "a", "new");
    assert_content(place, "a", "new");
    assert_content(place, "target", "untouched");
}

static void makes_missing_parents_and_accepts_what_exists(void **state)
{
    struct place *place = *state;
    struct err err;
    struct stat st;
    char path[128];
    snprintf(path, sizeof path, "%s/a/b/c", place->path);
    mode_t old = umask(0);
    int failed = dir_make(path, 0700, &err) || dir_make(path, 0700, &err);
    umask(old);
    assert_false(failed);
    assert_int_equal(fstatat(place->dir, "a/b/c", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    put(place, "file", "");
    snprintf(path, sizeof path, "%s/file/below", place->path);
    assert_int_equal(dir_make(path, 0700, &err), -1);
    assert_int_equal(err.code, ERR_IO);
}

static void assert_not_private(const struct place *place, const char *name, enum err_code code)
{
    struct err err;
    char path[128];
    int fd = -5;
    snprintf(path, sizeof path, "%s/%s", place->path, name);
    assert_int_equal(dir_open_private(path, &fd, &err), -1);
    assert_int_equal(err.code, code);
    assert_int_equal(fd, -5);
}

static void opens_only_a_directory_of_our_own_closed_to_others(void **state)
{
    struct place *place = *state;
    struct err err;
    SCOPED(fd_close) int fd = -1;
    assert_int_equal(dir_open_private(place->path, &fd, &err), 0);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);

    assert_not_private(place, "absent", ERR_NOT_FOUND);
    assert_int_equal(mkdirat(place->dir, "dir", 0700), 0);
    assert_int_equal(symlinkat("dir", place->dir, "link"), 0);
    assert_not_private(place, "link", ERR_INVALID);
    put(place, "file", "");
    assert_not_private(place, "file", ERR_INVALID);
    static const mode_t open_to_others[] = {0710, 0740, 0701, 0702};
    for (size_t i = 0; i < COUNT(open_to_others); i++) {
        assert_int_equal(fchmodat(place->dir, "dir", open_to_others[i], 0), 0);
        assert_not_private(place, "dir", ERR_INVALID);
    }
}

static void tells_what_others_may_write(void **state)
{
    struct place *place = *state;
    struct err err;
    put(place, "file", "");
    assert_int_equal(symlinkat("file", place->dir, "link"), 0);
    static const mode_t closed[] = {0600, 0644, 0755}, open_to_others[] = {0620, 0602, 0666};
    for (size_t i = 0; i < COUNT(closed); i++) {
        assert_int_equal(fchmodat(place->dir, "file", closed[i], 0), 0);
        assert_int_equal(file_check_unshared(place->dir, "file", &err), 0);
    }
    for (size_t i = 0; i < COUNT(open_to_others); i++) {
        assert_int_equal(fchmodat(place->dir, "file", open_to_others[i], 0), 0);
        assert_int_equal(file_check_unshared(place->dir, "file", &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
    }
    assert_int_equal(file_check_unshared(place->dir, "link", &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(file_check_unshared(place->dir, "absent", &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void refuses_a_directory_of_somebody_else(void **state)
{
    struct place *place = *state;
    struct err err;
    int fd = -5;
    if (!geteuid()) {
        assert_int_equal(mkdirat(place->dir, "theirs", 0700), 0);
        assert_int_equal(fchownat(place->dir, "theirs", 12345, 12345, 0), 0);
        assert_not_private(place, "theirs", ERR_INVALID);
    } else {
        assert_int_equal(dir_open_private("/", &fd, &err), -1); /* root's */
        assert_int_equal(err.code, ERR_INVALID);
    }
}

static int open_trusted(const struct place *place, const char *name, mode_t kind, struct err *err)
{
    int fd = -1;
    int failed = file_open_trusted(place->dir, name, name, kind, &fd, err);
    assert_int_equal(failed, fd >= 0 ? 0 : -1);
    fd_close(&fd);
    return failed;
}

static void trusts_only_what_nobody_else_can_have_written(void **state)
{
    struct place *place = *state;
    struct err err;
    assert_int_equal(file_replace(place->dir, "f", "x", 1, 0644, &err), 0);
    assert_int_equal(mkdirat(place->dir, "d", 0755), 0);
    assert_int_equal(symlinkat("f", place->dir, "to-f"), 0);
    assert_int_equal(symlinkat("d", place->dir, "to-d"), 0);
    assert_int_equal(open_trusted(place, "f", S_IFREG, &err), 0);
    assert_int_equal(open_trusted(place, "d", S_IFDIR, &err), 0);
    static const struct {
        const char *name;
        mode_t kind;
    } wrong[] = {{"to-f", S_IFREG}, {"to-d", S_IFDIR}, {"d", S_IFREG}, {"f", S_IFDIR}};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_int_equal(open_trusted(place, wrong[i].name, wrong[i].kind, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
        assert_ptr_equal(strstr(err.text, wrong[i].name), err.text);
    }
    assert_int_equal(open_trusted(place, "none", S_IFREG, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    for (mode_t bit = 02; bit <= 020; bit <<= 3) {
        assert_int_equal(fchmodat(place->dir, "f", 0644 | bit, 0), 0);
        assert_int_equal(fchmodat(place->dir, "d", 0755 | bit, 0), 0);
        assert_int_equal(open_trusted(place, "f", S_IFREG, &err), -1);
        assert_non_null(strstr(err.text, "may write it"));
        assert_int_equal(open_trusted(place, "d", S_IFDIR, &err), -1);
    }
    assert_int_equal(fchmodat(place->dir, "f", 0644, 0), 0);
    if (geteuid())
        return; /* nobody else's file can be made */
    assert_int_equal(fchownat(place->dir, "f", 12345, 12345, 0), 0);
    assert_int_equal(open_trusted(place, "f", S_IFREG, &err), -1);
    assert_non_null(strstr(err.text, "uid 12345"));
}

static void removes_a_tree_without_following_symlinks(void **state)
{
    struct place *place = *state;
    struct err err;
    char path[128];
    snprintf(path, sizeof path, "%s/tree/a/b", place->path);
    assert_int_equal(dir_make(path, 0700, &err), 0);
    assert_int_equal(mkdirat(place->dir, "outside", 0700), 0);
    put(place, "outside/kept", "kept");
    put(place, "tree/a/file", "gone");
    assert_int_equal(symlinkat("../../outside", place->dir, "tree/a/link"), 0);
    assert_int_equal(symlinkat("outside", place->dir, "top"), 0);

    assert_int_equal(dir_remove(place->dir, "tree", &err), 0);
    assert_false(is_there(place->dir, "tree"));
    assert_int_equal(dir_remove(place->dir, "top", &err), 0);
    assert_false(is_there(place->dir, "top"));
    assert_content(place, "outside/kept", "kept");
    assert_int_equal(dir_remove(place->dir, "tree", &err), 0);
}

static void gives_up_on_a_tree_too_deep_to_walk(void **state)
{
    struct place *place = *state;
    struct err err;
    enum { DEEP = 600 };
    SCOPED(fd_close) int at = openat(place->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < DEEP; i++) {
        assert_int_equal(mkdirat(at, "d", 0700), 0);
        int below = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fd_close(&at);
        at = below;
    }
    assert_int_equal(dir_remove(place->dir, "d", &err), -1);
    assert_int_equal(err.code, ERR_IO);
    /* from the middle both halves are shallow enough */
    for (int i = 0; i < DEEP / 2; i++) {
        int above = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fd_close(&at);
        at = above;
    }
    assert_int_equal(dir_remove(at, "d", &err), 0);
    assert_int_equal(dir_remove(place->dir, "d", &err), 0);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(reads_what_was_written),
        IN_PLACE(reads_files_that_say_they_are_empty),
        IN_PLACE(reads_up_to_the_bound_and_not_a_byte_more),
        IN_PLACE(refuses_to_read_what_is_no_regular_file),
        IN_PLACE(stops_reading_at_the_end_of_file),
        IN_PLACE(leaves_the_count_when_reading_fails),
        IN_PLACE(writes_at_an_offset_without_moving_the_position),
        IN_PLACE(writes_all_through_a_pipe_that_takes_little),
        IN_PLACE(says_that_a_write_or_sync_failed),
        IN_PLACE(replaces_content_and_mode),
        IN_PLACE(keeps_the_old_file_when_replacing_fails),
        IN_PLACE(replaces_a_symlink_and_not_what_it_points_to),
        IN_PLACE(makes_missing_parents_and_accepts_what_exists),
        IN_PLACE(opens_only_a_directory_of_our_own_closed_to_others),
        IN_PLACE(tells_what_others_may_write),
        IN_PLACE(refuses_a_directory_of_somebody_else),
        IN_PLACE(trusts_only_what_nobody_else_can_have_written),
        IN_PLACE(removes_a_tree_without_following_symlinks),
        IN_PLACE(gives_up_on_a_tree_too_deep_to_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
