/* The hash tree in audit.db: signed with every batch, refused when it is not what was signed. */
#include "tests/unit/audit/moved_clock.h"
#include "tests/unit/audit/records.h"

#include "audit/store.h"
#include "audit/tree.h"
#include "base/clock.h"
#include "base/fault.h"
#include "engine/record/note.h"
#include "engine/record/tables.h"

#include <unistd.h>

static struct store *opened(const struct place_on_disk *d)
{
    struct err err;
    struct store *store = NULL;
    if (store_open(d->path, &store, &err))
        fail_msg("store: %s", err.text);
    return store;
}

/* Writes `count` records of source 1 in one batch. */
static void write_records(struct store *store, int64_t count)
{
    struct err err;
    SCOPED(batch_free) struct batch *batch = NULL;
    assert_int_equal(batch_new(&batch, &err), 0);
    for (int64_t i = 1; i <= count; i++)
        batch_put(batch, 1, store_count(store) + i, 9, view_of("payload"));
    if (store_write(store, batch, &err))
        fail_msg("store: %s", err.text);
}

static struct db *open_tables(const struct place_on_disk *d, int version)
{
    struct err err;
    char path[128];
    struct db *db = NULL;
    struct db_options options = {.migrations = tables_migrations(), .migration_count = version};
    snprintf(path, sizeof path, "%s/audit.db", d->path);
    if (db_open(path, &options, &db, &err))
        fail_msg("%s", err.text);
    return db;
}

static void change(const struct place_on_disk *d, const char *sql)
{
    struct err err;
    SCOPED(db_free) struct db *db = open_tables(d, TABLES_VERSION);
    if (db_exec(db, sql, &err))
        fail_msg("%s: %s", sql, err.text);
}

static int64_t number(const struct place_on_disk *d, const char *sql)
{
    struct err err;
    SCOPED(db_free) struct db *db = open_tables(d, TABLES_VERSION);
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db, sql, &s, &err) || stmt_step(s, &err) != 1)
        fail_msg("%s: %s", sql, err.text);
    return stmt_int(s, 0);
}

static void read_public(const struct place_on_disk *d, char origin[ORIGIN_BYTES],
                        uint8_t key[KEY_BYTES])
{
    struct err err;
    char path[128];
    SCOPED(bytes_close) struct bytes text = bytes_open(1000);
    snprintf(path, sizeof path, "%s/checkpoint.pub", d->path);
    if (file_read(AT_FDCWD, path, 1000, &text, &err) ||
        note_key_read((char *)text.data, origin, key, &err))
        fail_msg("%s", err.text);
}

/* The newest checkpoint, as the key in checkpoint.pub has signed it. */
static struct checkpoint newest(const struct place_on_disk *d)
{
    struct err err;
    struct checkpoint c = {0};
    char origin[ORIGIN_BYTES];
    uint8_t key[KEY_BYTES];
    SCOPED(db_free) struct db *db = open_tables(d, TABLES_VERSION);
    SCOPED(stmt_free) struct stmt *s = NULL;
    read_public(d, origin, key);
    if (db_prepare(db, "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1", &s, &err) ||
        stmt_step(s, &err) != 1 || checkpoint_read(view_of(stmt_text(s, 0)), origin, key, &c, &err))
        fail_msg("%s", err.text);
    return c;
}

/* The root over what write_records has written. */
static struct merkle_hash expected_root(int64_t count)
{
    struct merkle tree = {0};
    struct merkle_hash tiles[MERKLE_TILE_LEVELS];
    for (int64_t i = 1; i <= count; i++) {
        const struct leaf leaf = {i, "manager@host1",   1, i, 1000 + i, 2000 + i, 3000 + i,
                                  9, view_of("payload")};
        struct merkle_hash hash = leaf_hash(&leaf);
        merkle_append(&tree, &hash, tiles);
    }
    return merkle_root(&tree);
}

static void every_batch_ends_in_a_signed_root(void **state)
{
    (void)state;
    const int64_t counts[] = {1, 1, 3, 250, 1, 1, 512, 511, 400};
    SCOPED(directory_close) struct place_on_disk d = directory_open();
    int64_t size = 0;
    for (size_t i = 0; i < COUNT(counts); i++) {
        SCOPED(store_free) struct store *store = opened(&d); /* a restart checks what is there */
        write_records(store, counts[i]);
        size += counts[i];
        struct checkpoint c = newest(&d);
        struct merkle_hash root = expected_root(size);
        assert_int_equal(c.size, size);
        assert_memory_equal(c.root.bytes, root.bytes, MERKLE_HASH_BYTES);
    }
    assert_int_equal(number(&d, "SELECT count(*) FROM leaf"), size);
    assert_int_equal(number(&d, "SELECT count(*) FROM tile"), size / 256);
}

static void keeps_the_newest_checkpoint_and_the_first_of_each_thousand(void **state)
{
    (void)state;
    SCOPED(directory_close) struct place_on_disk d = directory_open();
    for (int round = 0; round < 2; round++) {
        SCOPED(store_free) struct store *store = opened(&d);
        for (int i = 0; i < 7; i++)
            write_records(store, 300);
    }
    /* sizes were 300, 600, 900, …, 4200 */
    assert_int_equal(number(&d, "SELECT count(*) FROM checkpoint"), 4);
    assert_int_equal(
        number(&d, "SELECT count(*) FROM checkpoint WHERE size IN (1200, 2100, 3000, 4200)"), 4);
}

static void a_batch_of_repeats_signs_nothing_new(void **state)
{
    (void)state;
    struct err err;
    SCOPED(directory_close) struct place_on_disk d = directory_open();
    SCOPED(store_free) struct store *store = opened(&d);
    SCOPED(batch_free) struct batch *batch = NULL;
    write_records(store, 2);
    struct checkpoint before = newest(&d);
    assert_int_equal(batch_new(&batch, &err), 0);
    batch_put(batch, 1, 1, 9, view_of("payload"));
    batch->entries[0].is_known = true;
    assert_int_equal(store_write(store, batch, &err), 0);
    struct checkpoint after = newest(&d);
    assert_memory_equal(&before, &after, sizeof before);
}

/* A database of the version before there was a tree, with `count` records. */
static void make_version_1(const struct place_on_disk *d, int64_t count)
{
    struct err err;
    char sql[600];
    SCOPED(db_free) struct db *db = open_tables(d, 1);
    snprintf(sql, sizeof sql,
             "INSERT INTO source VALUES(1, 'manager@host1', 'corral/manager', 1, %lld);"
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %lld)"
             "INSERT INTO event(gseq, source, epoch, seq, time_ns, boot_ns, received_ns, type,"
             " derive_version, body) SELECT i, 1, 1, i, 1000 + i, 2000 + i, 3000 + i, 9, 1,"
             " CAST('payload' AS BLOB) FROM n",
             (long long)count, (long long)count);
    if (db_exec(db, sql, &err))
        fail_msg("%s", err.text);
}

static void an_older_database_gets_its_leaves(void **state)
{
    (void)state;
    const int64_t counts[] = {1, 499, 500, 1777};
    for (size_t i = 0; i < COUNT(counts); i++) {
        SCOPED(directory_close) struct place_on_disk d = directory_open();
        make_version_1(&d, counts[i]);
        for (int round = 0; round < 2; round++) {
            SCOPED(store_free) struct store *store = opened(&d);
            struct merkle_hash root = expected_root(counts[i] + round);
            write_records(store, round);
            struct checkpoint c = newest(&d);
            assert_int_equal(c.size, counts[i] + round);
            assert_memory_equal(c.root.bytes, root.bytes, MERKLE_HASH_BYTES);
        }
    }
}

static void a_failure_at_any_step_of_the_first_start_is_made_good(void **state)
{
    (void)state;
    SCOPED(directory_close) struct place_on_disk d = directory_open();
    long failures = 0;
    make_version_1(&d, 700);
    for (long n = 1;; n += 1 + n / 20) {
        struct err err;
        SCOPED(store_free) struct store *store = NULL;
        fault_set(FAULT_SQLITE, n, false);
        int failed = store_open(d.path, &store, &err);
        fault_set(FAULT_SQLITE, 0, false);
        if (!failed)
            break;
        assert_int_equal(err.code, ERR_STORE);
        failures++;
    }
    assert_true(failures > 20);
    struct merkle_hash root = expected_root(700);
    struct checkpoint c = newest(&d);
    assert_memory_equal(c.root.bytes, root.bytes, MERKLE_HASH_BYTES);
}

static void does_not_start_on_what_was_not_signed(void **state)
{
    (void)state;
    const char *const changes[] = {
        "DELETE FROM event WHERE gseq = 1300",
        "DELETE FROM leaf WHERE gseq = 1300",
        "DELETE FROM leaf",
        "UPDATE leaf SET hash = zeroblob(32) WHERE gseq = 1290",
        "DELETE FROM leaf WHERE gseq = 1290",
        "INSERT INTO leaf VALUES(1301, zeroblob(32))",
        "UPDATE tile SET hash = zeroblob(32) WHERE idx = 3",
        "DELETE FROM tile WHERE idx = 0",
        "DELETE FROM tile WHERE idx = 4",
        "INSERT INTO tile VALUES(1, 5, zeroblob(32))",
        "INSERT INTO tile VALUES(2, 0, zeroblob(32))",
        "DELETE FROM checkpoint",
        "DELETE FROM checkpoint WHERE size = 1300",
        "DELETE FROM checkpoint WHERE size = 1000",
        "UPDATE checkpoint SET size = 1301 WHERE size = 1300",
        "UPDATE checkpoint SET note = replace(note, '1300', '1301')",
        "UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE size = 1000)",
        "DELETE FROM signer",
        "UPDATE signer SET public_key = zeroblob(32)",
        "UPDATE signer SET note = ''",
        "DELETE FROM event; DELETE FROM leaf; DELETE FROM tile; DELETE FROM checkpoint",
        ("DELETE FROM event; DELETE FROM leaf; DELETE FROM tile; DELETE FROM checkpoint;"
         " DELETE FROM signer"),
        "DELETE FROM leaf; DELETE FROM tile; DELETE FROM checkpoint; DELETE FROM signer"};
    for (size_t i = 0; i < COUNT(changes); i++) {
        struct err err = {0};
        SCOPED(directory_close) struct place_on_disk d = directory_open();
        SCOPED(store_free) struct store *store = opened(&d);
        write_records(store, 500);
        write_records(store, 500);
        write_records(store, 300);
        store_free(&store);
        store = opened(&d); /* as it is, it opens */
        store_free(&store);
        change(&d, changes[i]);
        if (!store_open(d.path, &store, &err))
            fail_msg("started after: %s", changes[i]);
        assert_int_equal(err.code, ERR_STORE);
        if (!strstr(err.text, "corral audit verify") && !strstr(err.text, "checkpoint."))
            fail_msg("says no way out: %s", err.text);
    }
}

static void does_not_start_without_its_key_or_its_record(void **state)
{
    (void)state;
    const char *const files[] = {"checkpoint.key", "audit.db"};
    for (size_t i = 0; i < COUNT(files); i++) {
        struct err err = {0};
        char path[128];
        SCOPED(directory_close) struct place_on_disk d = directory_open();
        SCOPED(store_free) struct store *store = opened(&d);
        write_records(store, 3);
        store_free(&store);
        snprintf(path, sizeof path, "%s/%s", d.path, files[i]);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(store_open(d.path, &store, &err), -1);
        assert_int_equal(err.code, ERR_STORE);
        assert_non_null(strstr(err.text, "checkpoint.*"));
    }
}

static void a_new_key_takes_over_each_day(void **state)
{
    (void)state;
    SCOPED(directory_close) struct place_on_disk d = directory_open();
    SCOPED(store_free) struct store *store = opened(&d);
    char origins[3][ORIGIN_BYTES];
    uint8_t keys[3][KEY_BYTES];
    clock_hook(moved_clock);
    for (int day = 0; day < 3; day++) {
        moved_ns = day * 86401ll * S_NS;
        write_records(store, 2); /* the first of these changes the key, the second does not */
        write_records(store, 2);
        read_public(&d, origins[day], keys[day]);
        assert_int_equal(newest(&d).size, store_count(store));
        assert_string_equal(origins[day], origins[0]);
        assert_true(!day || memcmp(keys[day], keys[day - 1], KEY_BYTES));
        assert_int_equal(number(&d, "SELECT count(*) FROM signer"), day + 1);
        if (day == 1) {
            store_free(&store);
            store = opened(&d);
        }
    }
    assert_int_equal(number(&d, "SELECT max(first_size) FROM signer"), 10);
}

/* Killed behind the commit, before the old key was wiped or the new one stood in its place. */
static void a_new_key_is_found_after_a_crash(void **state)
{
    (void)state;
    struct err err;
    for (int wiped = 0; wiped < 2; wiped++) {
        SCOPED(directory_close) struct place_on_disk d = directory_open();
        SCOPED(store_free) struct store *store = opened(&d);
        char key[128], next[128], origin[ORIGIN_BYTES];
        uint8_t before[KEY_BYTES], after[KEY_BYTES];
        struct sign_key old = {0};
        snprintf(key, sizeof key, "%s/checkpoint.key", d.path);
        snprintf(next, sizeof next, "%s/checkpoint.next", d.path);
        read_public(&d, origin, before);
        assert_int_equal(keys_sign_load(AT_FDCWD, key, &old, &err), 0);
        clock_hook(moved_clock);
        moved_ns = 86401ll * S_NS;
        write_records(store, 2);
        store_free(&store);
        assert_int_equal(rename(key, next), 0); /* as the crash would have left it */
        assert_int_equal(wiped ? file_replace(AT_FDCWD, key, "\0\0\0\0", 4, 0600, &err)
                               : keys_sign_save(AT_FDCWD, key, &old, &err),
                         0);
        store = opened(&d);
        write_records(store, 1);
        read_public(&d, origin, after);
        assert_int_equal(newest(&d).size, 3);
        assert_true(memcmp(before, after, KEY_BYTES));
        assert_int_equal(access(next, F_OK), -1);
        restore_clock(NULL);
    }
}

static void a_disk_that_takes_no_new_key_leaves_the_old_one(void **state)
{
    (void)state;
    SCOPED(directory_close) struct place_on_disk d = directory_open();
    SCOPED(store_free) struct store *store = opened(&d);
    clock_hook(moved_clock);
    moved_ns = 86401ll * S_NS;
    fault_set(FAULT_WRITE, 1, true);
    write_records(store, 2);
    fault_set(FAULT_WRITE, 0, false);
    assert_int_equal(number(&d, "SELECT count(*) FROM signer"), 1);
    write_records(store, 2);
    assert_int_equal(number(&d, "SELECT count(*) FROM signer"), 1);
    moved_ns += 61ll * S_NS;
    write_records(store, 2);
    assert_int_equal(number(&d, "SELECT count(*) FROM signer"), 2);
    assert_int_equal(newest(&d).size, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_batch_ends_in_a_signed_root),
        cmocka_unit_test(keeps_the_newest_checkpoint_and_the_first_of_each_thousand),
        cmocka_unit_test(a_batch_of_repeats_signs_nothing_new),
        cmocka_unit_test(an_older_database_gets_its_leaves),
        cmocka_unit_test(a_failure_at_any_step_of_the_first_start_is_made_good),
        cmocka_unit_test(does_not_start_on_what_was_not_signed),
        cmocka_unit_test(does_not_start_without_its_key_or_its_record),
        cmocka_unit_test_teardown(a_new_key_takes_over_each_day, restore_clock),
        cmocka_unit_test_teardown(a_new_key_is_found_after_a_crash, restore_clock),
        cmocka_unit_test_teardown(a_disk_that_takes_no_new_key_leaves_the_old_one, restore_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
