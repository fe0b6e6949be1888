/* The SQLite wrapper: values, migrations, transactions, deadlines, failures. */
#include "tests/unit/store/place.h"

#include "base/clock.h"
#include "base/fault.h"
#include "store/db.h"

#include <sys/stat.h>
#include <unistd.h>

static const char *const schema[] = {
    "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, data BLOB) STRICT",
    "CREATE TABLE part(item INTEGER NOT NULL REFERENCES item(id)) STRICT;"
    "INSERT INTO item(name) VALUES('made by version 2')",
};

static void path_in(const struct place *p, const char *name, char to[128])
{
    snprintf(to, 128, "%s/%s", p->path, name);
}

static struct db *open_version(const struct place *p, int version)
{
    char path[128];
    struct err err;
    struct db *db = NULL;
    path_in(p, "test.db", path);
    if (db_open(path, &(struct db_options){.migrations = schema, .migration_count = version}, &db,
                &err))
        fail_msg("db_open: %s", err.text);
    return db;
}

/* What a query with one number says. */
static int64_t number(struct db *db, const char *sql)
{
    struct err err;
    SCOPED(stmt_free) struct stmt *s = NULL;
    assert_int_equal(db_prepare(db, sql, &s, &err), 0);
    assert_int_equal(stmt_step(s, &err), 1);
    return stmt_int(s, 0);
}

static int64_t items(struct db *db)
{
    return number(db, "SELECT count(*) FROM item");
}

static void keeps_every_kind_of_value(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    SCOPED(db_free) struct db *db = open_version(&p, 1);
    struct err err;
    assert_int_equal(
        db_exec(db, "CREATE TABLE v(a INTEGER, b TEXT, c BLOB, d REAL, e, f TEXT)", &err), 0);
    SCOPED(stmt_free) struct stmt *in = NULL, *out = NULL;
    assert_int_equal(db_prepare(db, "INSERT INTO v VALUES(?1,?2,?3,?4,?5,?6)", &in, &err), 0);
    char text[] = "gr\xc3\xbc\xc3\x9f";
    stmt_bind_int(in, 1, INT64_MIN);
    stmt_bind_text(in, 2, text);
    text[0] = 'x'; /* the value was copied */
    stmt_bind_blob(in, 3, (struct view){(const uint8_t *)"a\0b", 3});
    stmt_bind_real(in, 4, 0.5);
    stmt_bind_null(in, 5);
    stmt_bind_view(in, 6, (struct view){(const uint8_t *)"cut here", 3});
    assert_int_equal(stmt_run(in, &err), 0);
    assert_int_equal(db_changes(db), 1);
    assert_int_equal(db_last_rowid(db), 1);
    stmt_bind_text(in, 2, NULL);
    stmt_bind_blob(in, 3, (struct view){0});
    assert_int_equal(stmt_run(in, &err), 0); /* the other parameters are null again */

    assert_int_equal(db_prepare(db, "SELECT * FROM v ORDER BY rowid", &out, &err), 0);
    assert_int_equal(stmt_step(out, &err), 1);
    assert_int_equal(stmt_int(out, 0), INT64_MIN);
    assert_string_equal(stmt_text(out, 1), "gr\xc3\xbc\xc3\x9f");
    assert_true(view_equal(stmt_blob(out, 2), (struct view){(const uint8_t *)"a\0b", 3}));
    assert_true(stmt_real(out, 3) == 0.5);
    assert_true(stmt_is_null(out, 4));
    assert_string_equal(stmt_text(out, 5), "cut");
    assert_int_equal(stmt_step(out, &err), 1);
    assert_true(stmt_is_null(out, 0));
    assert_true(stmt_is_null(out, 1));
    assert_string_equal(stmt_text(out, 1), "");
    assert_false(stmt_is_null(out, 2)); /* an empty blob is not null */
    assert_int_equal(stmt_blob(out, 2).len, 0);
    assert_int_equal(stmt_step(out, &err), 0);
    assert_int_equal(stmt_step(out, &err), 1); /* and from the start again */
}

static void is_a_log_with_mode_0600_and_full_sync(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    SCOPED(db_free) struct db *db = open_version(&p, 1);
    const char *const names[] = {"test.db", "test.db-wal"};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct stat st;
        assert_int_equal(fstatat(p.dir, names[i], &st, 0), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    assert_int_equal(number(db, "PRAGMA synchronous"), 2);
    assert_int_equal(number(db, "PRAGMA foreign_keys"), 1);
    assert_int_equal(number(db, "PRAGMA trusted_schema"), 0);
}

static void takes_cache_and_checkpoint_sizes(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    char path[128];
    struct err err;
    SCOPED(db_free) struct db *db = NULL;
    path_in(&p, "sized.db", path);
    struct db_options options = {.cache_kib = 65536, .checkpoint_pages = 32000};
    assert_int_equal(db_open(path, &options, &db, &err), 0);
    assert_int_equal(number(db, "PRAGMA cache_size"), -65536);
    assert_int_equal(number(db, "PRAGMA wal_autocheckpoint"), 32000);
}

static void brings_an_older_schema_up_to_date(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    struct db *db = open_version(&p, 1);
    struct err err;
    assert_int_equal(db_exec(db, "INSERT INTO item(name) VALUES('old')", &err), 0);
    db_free(&db);
    for (int i = 0; i < 2; i++) { /* the second time there is nothing to do */
        db = open_version(&p, 2);
        assert_int_equal(items(db), 2);
        assert_int_equal(number(db, "SELECT count(*) FROM part"), 0);
        assert_int_equal(number(db, "PRAGMA user_version"), 2);
        db_free(&db);
    }
}

static void a_failed_migration_leaves_the_old_version(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    struct db *db = open_version(&p, 1);
    db_free(&db);
    const char *const broken[] = {
        schema[0], "CREATE TABLE extra(a) STRICT; CREATE TABLE extra2(b INT) STRICT"};
    char path[128];
    struct err err;
    path_in(&p, "test.db", path);
    struct db_options options = {.migrations = broken, .migration_count = 2};
    assert_int_equal(db_open(path, &options, &db, &err), -1);
    assert_non_null(strstr(err.text, "migration to version 2"));
    db = open_version(&p, 1);
    assert_int_equal(number(db, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'extra%'"), 0);
    db_free(&db);
}

static void refuses_a_newer_schema_in_clear_words(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    struct db *db = open_version(&p, 2);
    db_free(&db);
    char path[128];
    struct err err;
    path_in(&p, "test.db", path);
    struct db_options options = {.migrations = schema, .migration_count = 1};
    assert_int_equal(db_open(path, &options, &db, &err), -1);
    assert_int_equal(err.code, ERR_STORE);
    assert_non_null(strstr(err.text, "version 2, made by a newer Corral; this one knows up to 1"));
    assert_null(db);
}

static void refuses_what_is_no_database(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    char path[128], link[128];
    struct err err;
    struct db *db = NULL;
    path_in(&p, "text.db", path);
    path_in(&p, "link.db", link);
    char text[8192];
    memset(text, 'x', sizeof text);
    assert_int_equal(file_replace(p.dir, "text.db", text, sizeof text, 0600, &err), 0);
    assert_int_equal(db_open(path, &(struct db_options){0}, &db, &err), -1);
    assert_int_equal(err.code, ERR_STORE);
    assert_non_null(strstr(err.text, "text.db: database: file is not a database"));
    assert_int_equal(symlink("test.db", link), 0);
    assert_int_equal(db_open(link, &(struct db_options){0}, &db, &err), -1);
    assert_int_equal(db_open(p.path, &(struct db_options){0}, &db, &err), -1);
}

static void a_read_only_connection_sees_commits_and_writes_nothing(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    char path[128];
    struct err err;
    struct db *reader = NULL;
    struct db_options options = {.read_only = true, .migrations = schema, .migration_count = 1};
    path_in(&p, "test.db", path);
    assert_int_equal(db_open(path, &options, &reader, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    struct db *writer = open_version(&p, 1);
    assert_int_equal(db_open(path, &options, &reader, &err), 0);
    assert_int_equal(db_begin(writer, &err), 0);
    assert_int_equal(db_exec(writer, "INSERT INTO item(name) VALUES('a')", &err), 0);
    assert_int_equal(items(reader), 0);
    assert_int_equal(db_commit(writer, &err), 0);
    assert_int_equal(items(reader), 1);
    assert_int_equal(db_exec(reader, "DELETE FROM item", &err), -1);
    assert_int_equal(items(reader), 1);
    db_free(&reader);
    options.migration_count = 2;
    assert_int_equal(db_open(path, &options, &reader, &err), -1);
    assert_non_null(strstr(err.text, "not yet brought up to 2"));
    db_free(&writer);
}

static void a_rollback_undoes_and_may_be_repeated(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    SCOPED(db_free) struct db *db = open_version(&p, 1);
    struct err err;
    assert_int_equal(db_begin(db, &err), 0);
    assert_int_equal(db_exec(db, "INSERT INTO item(name) VALUES('a')", &err), 0);
    db_rollback(db);
    db_rollback(db);
    assert_int_equal(items(db), 0);
}

static void a_failed_commit_undoes_and_leaves_no_transaction(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    SCOPED(db_free) struct db *db = open_version(&p, 1);
    struct err err;
    assert_int_equal(db_begin(db, &err), 0);
    assert_int_equal(db_exec(db, "INSERT INTO item(name) VALUES('a')", &err), 0);
    fault_set(FAULT_SQLITE, 1, false);
    assert_int_equal(db_commit(db, &err), -1);
    fault_set(FAULT_SQLITE, 0, false);
    assert_int_equal(err.code, ERR_STORE);
    assert_int_equal(items(db), 0);
    assert_int_equal(db_begin(db, &err), 0);
    assert_int_equal(db_commit(db, &err), 0);
}

static void a_constraint_answers_with_its_own_code(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    SCOPED(db_free) struct db *db = open_version(&p, 2);
    struct err err;
    assert_int_equal(db_exec(db, "INSERT INTO item(name) VALUES('made by version 2')", &err), -1);
    assert_int_equal(err.code, ERR_STATE);
    assert_non_null(strstr(err.text, "item.name"));
    assert_int_equal(db_exec(db, "INSERT INTO part VALUES(99)", &err), -1);
    assert_int_equal(err.code, ERR_STATE);
    assert_int_equal(db_exec(db, "INSERT INTO nothing VALUES(99)", &err), -1);
    assert_int_equal(err.code, ERR_STORE);
}

static int64_t moved_ns;

static int64_t moving_clock(int clock)
{
    (void)clock;
    return moved_ns += MS_NS; /* each look is a millisecond later */
}

static void a_deadline_ends_a_query_that_would_not_end(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    SCOPED(db_free) struct db *db = open_version(&p, 1);
    struct err err;
    SCOPED(stmt_free) struct stmt *s = NULL;
    const char *endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                          "SELECT count(*) FROM n";
    assert_int_equal(db_prepare(db, endless, &s, &err), 0);
    moved_ns = 0;
    clock_hook(moving_clock);
    db_set_deadline(db, 100);
    assert_int_equal(stmt_step(s, &err), -1);
    assert_int_equal(err.code, ERR_DEADLINE);
    assert_true(moved_ns >= 100 * (int64_t)MS_NS);
    assert_int_equal(db_exec(db, "INSERT INTO item(name) VALUES('late')", &err), -1);
    assert_int_equal(err.code, ERR_DEADLINE);
    db_set_deadline(db, 0);
    assert_int_equal(items(db), 0);
    clock_hook(NULL);
}

static void a_full_disk_undoes_and_can_be_tried_again(void **state)
{
    (void)state;
    SCOPED(place_close) struct place p = place_open();
    SCOPED(db_free) struct db *db = open_version(&p, 1);
    struct err err;
    const char *large = "INSERT INTO item(name, data) VALUES('large', zeroblob(1000000))";
    int64_t pages = number(db, "PRAGMA max_page_count = 20");
    assert_int_equal(pages, 20);
    assert_int_equal(db_begin(db, &err), 0);
    assert_int_equal(db_exec(db, large, &err), -1);
    assert_int_equal(err.code, ERR_RESTRICTED);
    db_rollback(db);
    assert_int_equal(items(db), 0);
    assert_int_equal(number(db, "PRAGMA max_page_count = 100000"), 100000);
    assert_int_equal(db_exec(db, large, &err), 0);
    assert_int_equal(items(db), 1);
}

/* Opens, migrates, and adds two rows in a transaction. */
static int story(const struct place *p, struct err *err)
{
    char path[128];
    SCOPED(db_free) struct db *db = NULL;
    path_in(p, "test.db", path);
    struct db_options options = {.migrations = schema, .migration_count = 1};
    if (db_open(path, &options, &db, err) || db_begin(db, err))
        return -1;
    if (db_exec(db, "INSERT INTO item(name) VALUES('a'); INSERT INTO item(name) VALUES('b')",
                err)) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}

static void the_nth_failure_leaves_all_or_nothing(void **state)
{
    (void)state;
    const enum fault_kind kinds[] = {FAULT_SQLITE, FAULT_ALLOC};
    for (size_t kind = 0; kind < COUNT(kinds); kind++) {
        bool failed = true;
        for (int nth = 1; failed; nth++) {
            SCOPED(place_close) struct place p = place_open();
            struct err err;
            fault_set(kinds[kind], nth, false);
            failed = story(&p, &err);
            fault_set(kinds[kind], 0, false);
            assert_true(!failed || err.code == (kind ? ERR_MEMORY : ERR_STORE));
            SCOPED(db_free) struct db *db = open_version(&p, 1);
            assert_int_equal(items(db), failed ? 0 : 2);
            assert_true(nth > 5 || failed); /* the story has more steps than that */
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_every_kind_of_value),
        cmocka_unit_test(is_a_log_with_mode_0600_and_full_sync),
        cmocka_unit_test(takes_cache_and_checkpoint_sizes),
        cmocka_unit_test(brings_an_older_schema_up_to_date),
        cmocka_unit_test(a_failed_migration_leaves_the_old_version),
        cmocka_unit_test(refuses_a_newer_schema_in_clear_words),
        cmocka_unit_test(refuses_what_is_no_database),
        cmocka_unit_test(a_read_only_connection_sees_commits_and_writes_nothing),
        cmocka_unit_test(a_rollback_undoes_and_may_be_repeated),
        cmocka_unit_test(a_failed_commit_undoes_and_leaves_no_transaction),
        cmocka_unit_test(a_constraint_answers_with_its_own_code),
        cmocka_unit_test(a_deadline_ends_a_query_that_would_not_end),
        cmocka_unit_test(a_full_disk_undoes_and_can_be_tried_again),
        cmocka_unit_test(the_nth_failure_leaves_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
