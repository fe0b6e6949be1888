/* What init sees of directories and files, and that a command does not start where that changed. */
#include "tests/lib/init_driver.h"

/* Writes a file in the driver's folder that init's user may read. */
static void write_file(const struct driver *d, const char *name, const void *data, size_t len)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", d->folder, name);
    SCOPED(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, data, len), len);
}

static struct frame_seen look(struct driver *d, const char *cwd, const char *path)
{
    struct frame_seen seen;
    struct frame_look look = {.nonce = 9, .cwd = view_of(cwd)};
    struct err err;
    if (path)
        look.path = view_of(path);
    assert_int_equal(frame_put_look(&d->line.out, &look, &err), 0);
    driver_flush(d);
    driver_expect(d, FRAME_SEEN);
    driver_read(d, seen, &seen);
    assert_int_equal(seen.nonce, 9);
    return seen;
}

static void tells_where_a_directory_is_and_what_a_file_holds(void **state)
{
    (void)state;
    struct driver d = driver_start();
    char link[128];
    snprintf(link, sizeof link, "%s/there", d.folder);
    assert_int_equal(symlink("/usr", link), 0);
    write_file(&d, "a.sh", "echo a\n", 7);
    struct frame_seen seen = look(&d, link, NULL);
    assert_int_equal(seen.error, 0);
    assert_true(view_equal(seen.cwd, view_of("/usr")));
    assert_null(seen.data.data);

    seen = look(&d, d.folder, "./a.sh");
    assert_int_equal(seen.error, 0);
    assert_int_equal(seen.bytes, 7);
    assert_true(view_equal(seen.data, view_of("echo a\n")));

    write_file(&d, "empty", "", 0);
    seen = look(&d, d.folder, "empty");
    assert_int_equal(seen.bytes, 0);
    assert_non_null(seen.data.data);
    driver_stop(&d);
}

static void tells_why_something_cannot_be_seen(void **state)
{
    (void)state;
    struct driver d = driver_start();
    struct frame_seen seen = look(&d, "/nowhere", "x");
    assert_int_equal(seen.error, ENOENT);
    assert_null(seen.cwd.data);
    seen = look(&d, d.folder, "missing");
    assert_int_equal(seen.error, ENOENT);
    assert_non_null(seen.cwd.data);
    assert_int_equal(look(&d, "/", "usr").error, EINVAL); /* no regular file */
    char fifo[128];
    snprintf(fifo, sizeof fifo, "%s/fifo", d.folder);
    assert_int_equal(mkfifo(fifo, 0666), 0);
    assert_int_equal(look(&d, d.folder, "fifo").error, EINVAL); /* and nobody waits for a writer */
    driver_stop(&d);
}

static void holds_back_what_is_larger_than_a_chunk(void **state)
{
    (void)state;
    static uint8_t large[FRAME_CHUNK_BYTES + 1];
    struct driver d = driver_start();
    memset(large, 'x', sizeof large);
    write_file(&d, "most", large, FRAME_CHUNK_BYTES);
    assert_int_equal(look(&d, d.folder, "most").data.len, FRAME_CHUNK_BYTES);
    write_file(&d, "more", large, sizeof large);
    struct frame_seen seen = look(&d, d.folder, "more");
    assert_int_equal(seen.error, 0);
    assert_int_equal(seen.bytes, sizeof large);
    assert_null(seen.data.data);
    driver_stop(&d);
}

/* Orders "sh a.sh", has a.sh compared with `expected`, opens the gate. */
static struct outcome run_checked(struct driver *d, uint32_t id, const char *expected)
{
    struct err err;
    struct outcome o = outcome_open();
    struct frame_spawn order = driver_order(id, TEXTS_OF("sh\0a.sh"));
    order.cwd = view_of(d->folder);
    struct frame_check check = {
        .id = id, .cwd = order.cwd, .path = view_of("a.sh"), .data = view_of(expected)};
    SCOPED(fd_close) int pidfd = driver_spawn(d, &order);
    assert_int_equal(frame_put_check(&d->line.out, &check, &err), 0);
    driver_say(d, open_gate, .id = id);
    driver_finish(d, id, &o);
    driver_say(d, forget, .id = id);
    return o;
}

static void runs_nothing_once_a_file_that_was_judged_holds_something_else(void **state)
{
    (void)state;
    struct driver d = driver_start();
    write_file(&d, "a.sh", "echo judged\n", 12);
    SCOPED(outcome_close) struct outcome same = run_checked(&d, 1, "echo judged\n");
    assert_false(same.failed);
    assert_string_equal((const char *)same.out[0].data, "judged\n");

    write_file(&d, "a.sh", "echo sw4pped\n", 13);
    SCOPED(outcome_close) struct outcome other = run_checked(&d, 2, "echo judged\n");
    assert_true(other.failed);
    assert_string_equal(other.stage, "check");
    assert_int_equal(other.error, ESTALE);
    assert_int_equal(other.out[0].len, 0);

    char path[128];
    snprintf(path, sizeof path, "%s/a.sh", d.folder);
    assert_int_equal(unlink(path), 0);
    SCOPED(outcome_close) struct outcome gone = run_checked(&d, 3, "echo judged\n");
    assert_string_equal(gone.stage, "check");
    assert_int_equal(gone.error, ENOENT);
    driver_stop(&d);
}

static void does_not_enter_a_directory_through_a_symbolic_link(void **state)
{
    (void)state;
    struct driver d = driver_start();
    char link[128];
    snprintf(link, sizeof link, "%s/there", d.folder);
    assert_int_equal(symlink("/usr", link), 0);
    struct frame_spawn order = driver_order(1, TEXTS_OF("pwd"));
    order.cwd = view_of(link);
    SCOPED(outcome_close) struct outcome o = driver_run(&d, &order);
    assert_string_equal(o.stage, "chdir");
    assert_int_equal(o.error, ELOOP);
    driver_stop(&d);
}

static void ends_the_connection_when_a_check_comes_before_its_order(void **state)
{
    (void)state;
    struct driver d = driver_start();
    SCOPED(fd_close) int pidfd = driver_prepare(&d, 1);
    driver_say(&d, check, .id = 1, .cwd = view_of("/"), .path = view_of("x"), .data = BLOB_OF("x"));
    assert_false(driver_wait(&d));
    driver_stop(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_where_a_directory_is_and_what_a_file_holds),
        cmocka_unit_test(tells_why_something_cannot_be_seen),
        cmocka_unit_test(holds_back_what_is_larger_than_a_chunk),
        cmocka_unit_test(runs_nothing_once_a_file_that_was_judged_holds_something_else),
        cmocka_unit_test(does_not_enter_a_directory_through_a_symbolic_link),
        cmocka_unit_test(ends_the_connection_when_a_check_comes_before_its_order),
    };
    return cmocka_run_group_tests_name("init look", tests, NULL, NULL);
}
