/* Whatever is changed in a record is found; what lawfully happens to one is not called a change.
 * CHANGES=n for another number of random changes, SEED=n for other ones. */
#include "tests/unit/audit/tamper.h"

#include <inttypes.h>
#include <sodium.h>
#include <unistd.h>

enum { CHANGES = 600, TEXT_BYTES = 1024 };

/* A record, its key, and where copies of its database are changed. */
struct scene {
    struct place_on_disk place;
    char file[128];
    struct verify_options how;
    uint64_t chance;
    struct verified clean;
};

static uint64_t roll(struct scene *s, uint64_t below)
{
    s->chance ^= s->chance << 13;
    s->chance ^= s->chance >> 7;
    s->chance ^= s->chance << 17;
    return s->chance % below;
}

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    const char *seed = getenv("SEED");
    s->place = directory_open();
    s->chance = seed ? strtoull(seed, NULL, 10) | 1 : 20240229;
    snprintf(s->file, sizeof s->file, "%s/copy.db", s->place.path);
    mill_make(s->place.path);
    key_of(s->place.path, &s->how);
    copy_database(s->place.path, s->file);
    s->clean = look(s->file, &s->how);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    directory_close(&s->place);
    free(s);
    return 0;
}

static void remove_log(const struct scene *s)
{
    char path[160];
    snprintf(path, sizeof path, "%s-wal", s->file);
    unlink(path);
    snprintf(path, sizeof path, "%s-shm", s->file);
    unlink(path);
}

/* A fresh copy. */
static void renew(const struct scene *s)
{
    remove_log(s);
    copy_database(s->place.path, s->file);
}

static void a_record_as_the_audit_makes_it_is_intact(void **state)
{
    struct scene *s = *state;
    struct verify_options no_key = {0};
    if (s->clean.result)
        fail_msg("%s at %lld: %s", s->clean.kind, (long long)s->clean.gseq, s->clean.detail);
    assert_true(s->clean.records >= MILL_RECORDS);
    assert_int_equal(s->clean.signers, 3);
    assert_int_equal(s->clean.checkpoints, 3); /* of two whole thousands, and the newest */
    assert_int_equal(s->clean.sources, 4);
    renew(s);
    struct verified again = look(s->file, &no_key);
    assert_int_equal(again.result, VERIFY_OK);
    assert_string_equal(again.newest_key, s->clean.newest_key);
    assert_memory_equal(again.root.bytes, s->clean.root.bytes, MERKLE_HASH_BYTES);
}

static void stays_intact_while_it_grows_and_is_reopened(void **state)
{
    struct scene *s = *state;
    renew(s);
    change(s->file, "REINDEX");
    assert_int_equal(look(s->file, &s->how).result, VERIFY_OK);
    SCOPED(directory_close) struct place_on_disk small = directory_open();
    char file[128];
    snprintf(file, sizeof file, "%s/audit.db", small.path);
    for (int i = 0; i < 20; i++) { /* from empty to a few records */
        struct verify_options no_key = {0};
        SCOPED(mill_close) struct mill m = mill_open(small.path);
        struct verified found = look(file, &no_key); /* beside the audit that has it open */
        if (found.result)
            fail_msg("%s: %s", found.kind, found.detail);
        assert_int_equal(found.records, store_count(m.store));
        mill_hello(&m, "manager", 5, 1, i + 1);
        mill_push(&m, "manager", 5, i + 1, i + 1);
    }
}

/* What a change may be called; a bit for each result. */
enum { T = 1 << VERIFY_TAMPERED, S = 1 << VERIFY_SIGNATURE };

struct table_row {
    const char *table, *where; /* of its key, ?1 and ?2 */
    const char *keys;
    int columns;
    int results;
};

static const struct table_row tables[] = {
    {"event", "gseq = ?1 AND ?2 = ?2", "gseq, 0", 28, T},
    {"leaf", "gseq = ?1 AND ?2 = ?2", "gseq, 0", 2, T},
    {"tile", "level = ?1 AND idx = ?2", "level, idx", 3, T},
    {"checkpoint", "size = ?1 AND ?2 = ?2", "size, 0", 3, T | S},
    {"signer", "first_size = ?1 AND ?2 = ?2", "first_size, 0", 3, S},
    {"source", "id = ?1 AND ?2 = ?2", "id, 0", 5, T},
};

struct row_key {
    int64_t a, b;
};

/* Some row of a table. */
static struct row_key some_row(struct scene *s, struct db *db, const struct table_row *t)
{
    struct err err;
    char sql[200];
    SCOPED(stmt_free) struct stmt *count = NULL, *pick = NULL;
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", t->table);
    assert_int_equal(db_prepare(db, sql, &count, &err), 0);
    assert_int_equal(stmt_step(count, &err), 1);
    snprintf(sql, sizeof sql, "SELECT %s FROM %s ORDER BY 1, 2 LIMIT 1 OFFSET ?1", t->keys,
             t->table);
    assert_int_equal(db_prepare(db, sql, &pick, &err), 0);
    stmt_bind_int(pick, 1, (int64_t)roll(s, (uint64_t)stmt_int(count, 0)));
    assert_int_equal(stmt_step(pick, &err), 1);
    return (struct row_key){stmt_int(pick, 0), stmt_int(pick, 1)};
}

/* Runs a statement about one row. False when a constraint of the table refuses it. */
static bool act(struct db *db, struct stmt *s, struct row_key key)
{
    struct err err;
    stmt_bind_int(s, 1, key.a);
    stmt_bind_int(s, 2, key.b);
    if (!stmt_run(s, &err))
        return db_changes(db) == 1;
    assert_int_equal(err.code, ERR_STATE);
    return false;
}

static void name_of(struct db *db, const struct table_row *t, int column, char name[64],
                    char type[16])
{
    struct err err;
    char sql[200];
    SCOPED(stmt_free) struct stmt *s = NULL;
    snprintf(sql, sizeof sql, "SELECT name, type FROM pragma_table_info('%s') WHERE cid = %d",
             t->table, column);
    assert_int_equal(db_prepare(db, sql, &s, &err), 0);
    assert_int_equal(stmt_step(s, &err), 1);
    snprintf(name, 64, "%s", stmt_text(s, 0));
    snprintf(type, 16, "%s", stmt_text(s, 1));
}

/* Puts a value with one bit turned into ?3; null becomes something. */
static void bind_turned(struct scene *s, struct stmt *from, const char *type, struct stmt *to)
{
    uint8_t bytes[65536];
    if (!strcmp(type, "INTEGER")) {
        stmt_bind_int(to, 3, stmt_is_null(from, 0) ? 1 : stmt_int(from, 0) ^ 1ll << roll(s, 40));
        return;
    }
    struct view value = stmt_blob(from, 0);
    assert_true(value.len <= sizeof bytes);
    if (value.len)
        memcpy(bytes, value.data, value.len);
    else
        bytes[0] = 'x';
    size_t bit = value.len ? roll(s, 8 * value.len) : 0;
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    struct view turned = {bytes, value.len ? value.len : 1};
    if (!strcmp(type, "TEXT"))
        stmt_bind_view(to, 3, turned);
    else
        stmt_bind_blob(to, 3, turned);
}

static bool turn_a_bit(struct scene *s, struct db *db, const struct table_row *t)
{
    struct err err;
    char name[64], type[16], sql[300];
    struct row_key key = some_row(s, db, t);
    SCOPED(stmt_free) struct stmt *from = NULL, *to = NULL;
    name_of(db, t, (int)roll(s, (uint64_t)t->columns), name, type);
    snprintf(sql, sizeof sql, "SELECT %s FROM %s WHERE %s", name, t->table, t->where);
    assert_int_equal(db_prepare(db, sql, &from, &err), 0);
    stmt_bind_int(from, 1, key.a);
    stmt_bind_int(from, 2, key.b);
    assert_int_equal(stmt_step(from, &err), 1);
    snprintf(sql, sizeof sql, "UPDATE %s SET %s = ?3 WHERE %s", t->table, name, t->where);
    assert_int_equal(db_prepare(db, sql, &to, &err), 0);
    bind_turned(s, from, type, to);
    stmt_reset(from);
    return act(db, to, key);
}

static bool delete_a_row(struct scene *s, struct db *db, const struct table_row *t)
{
    struct err err;
    char sql[200];
    SCOPED(stmt_free) struct stmt *gone = NULL;
    snprintf(sql, sizeof sql, "DELETE FROM %s WHERE %s", t->table, t->where);
    assert_int_equal(db_prepare(db, sql, &gone, &err), 0);
    return act(db, gone, some_row(s, db, t));
}

/* A row that is there once more, under another key: behind the others, or between two. */
static bool insert_a_row(struct scene *s, struct db *db, const struct table_row *t)
{
    static const char *const inserts[] = {
        "INSERT INTO event SELECT (SELECT max(gseq) + 1 FROM event), source, epoch, seq + 100000,"
        " time_ns, boot_ns, received_ns, type, derive_version, kind, phase, status, tenant,"
        " principal, agent, sandbox_id, op_id, cause, rule, verdict_id, risk, exit_code,"
        " duration_ms, cpu_ms, memory_peak_bytes, command, detail, body FROM event WHERE ",
        "INSERT INTO leaf SELECT (SELECT max(gseq) + 1 FROM leaf), hash FROM leaf WHERE ",
        "INSERT INTO tile SELECT level, idx + 10000, hash FROM tile WHERE ",
        "INSERT INTO checkpoint SELECT size + 1, note, time_ns FROM checkpoint WHERE ",
        "INSERT INTO signer SELECT first_size + 1, public_key, note FROM signer WHERE ",
        ("INSERT INTO source SELECT id + 10000, name || 'x', principal, epoch, upto FROM source"
         " WHERE ")};
    struct err err;
    char sql[600];
    SCOPED(stmt_free) struct stmt *more = NULL;
    snprintf(sql, sizeof sql, "%s%s", inserts[t - tables], t->where);
    assert_int_equal(db_prepare(db, sql, &more, &err), 0);
    return act(db, more, some_row(s, db, t));
}

/* Two records change places, numbers or leaves. */
static bool swap_two_rows(struct scene *s, struct db *db, const struct table_row *t)
{
    static const char *const swapped[][2] = {
        {"event", "gseq"}, {"event", "seq"}, {"event", "time_ns"}, {"leaf", "gseq"}};
    struct err err;
    char sql[400];
    size_t which = roll(s, COUNT(swapped));
    long long a = some_row(s, db, &tables[0]).a, b = some_row(s, db, &tables[0]).a;
    (void)t;
    if (a == b)
        return false;
    const char *table = swapped[which][0], *column = swapped[which][1];
    snprintf(sql, sizeof sql,
             "CREATE TEMP TABLE two AS SELECT rowid AS r, %s AS v FROM %s WHERE gseq IN (%lld,"
             " %lld); UPDATE %s SET %s = -%s WHERE rowid IN (SELECT r FROM two)",
             column, table, a, b, table, column, column);
    assert_int_equal(db_exec(db, sql, &err), 0);
    snprintf(sql, sizeof sql,
             "UPDATE %s SET %s = (SELECT v FROM two WHERE v <> -%s.%s) WHERE %s < 0", table, column,
             table, column, column);
    return !db_exec(db, sql, &err); /* two of one seq: of two sources */
}

/* A record is taken out and the later ones move up, leaves and all. */
static bool renumber(struct scene *s, struct db *db, const struct table_row *t)
{
    struct err err;
    char sql[600];
    long long at = some_row(s, db, &tables[0]).a;
    (void)t;
    snprintf(sql, sizeof sql,
             "DELETE FROM event WHERE gseq = %lld; DELETE FROM leaf WHERE gseq = %lld;"
             "UPDATE event SET gseq = -gseq + 1 WHERE gseq > %lld; UPDATE event SET gseq = -gseq"
             " WHERE gseq < 0; UPDATE leaf SET gseq = -gseq + 1 WHERE gseq > %lld;"
             "UPDATE leaf SET gseq = -gseq WHERE gseq < 0",
             at, at, at, at);
    assert_int_equal(db_exec(db, sql, &err), 0);
    return true;
}

/* Everything behind a record is taken out of every table. */
static void cut_behind(struct db *db, long long size)
{
    struct err err;
    char sql[600];
    snprintf(sql, sizeof sql,
             "DELETE FROM event WHERE gseq > %lld; DELETE FROM leaf WHERE gseq > %lld;"
             "DELETE FROM tile WHERE (idx + 1) << (8 * level) > %lld;"
             "DELETE FROM checkpoint WHERE size > %lld; DELETE FROM signer WHERE first_size > %lld",
             size, size, size, size, size);
    assert_int_equal(db_exec(db, sql, &err), 0);
}

static bool cut_the_tail(struct scene *s, struct db *db, const struct table_row *t)
{
    (void)t;
    cut_behind(db, (long long)roll(s, (uint64_t)s->clean.records));
    return true;
}

struct way {
    const char *name;
    bool (*change)(struct scene *s, struct db *db, const struct table_row *t);
    bool any_table;
    int share; /* of all changes */
};

static const struct way ways[] = {
    {"turn a bit", turn_a_bit, true, 8},     {"delete a row", delete_a_row, true, 4},
    {"insert a row", insert_a_row, true, 4}, {"swap two rows", swap_two_rows, false, 1},
    {"renumber", renumber, false, 1},        {"cut the tail", cut_the_tail, false, 1},
};

static const struct way *some_way(struct scene *s)
{
    int all = 0;
    for (size_t i = 0; i < COUNT(ways); i++)
        all += ways[i].share;
    int at = (int)roll(s, (uint64_t)all);
    const struct way *way = ways;
    while (at >= way->share)
        at -= way++->share;
    return way;
}

static void every_random_change_is_found(void **state)
{
    struct scene *s = *state;
    const char *wanted = getenv("CHANGES");
    int left = wanted ? atoi(wanted) : CHANGES;
    while (left) {
        const struct way *way = some_way(s);
        const struct table_row *t = &tables[way->any_table ? roll(s, COUNT(tables)) : 0];
        uint64_t chance = s->chance;
        renew(s);
        struct db *db = open_to_change(s->file);
        bool is_changed = way->change(s, db, t);
        db_free(&db);
        if (!is_changed)
            continue; /* a constraint stood in the way */
        struct verified found = look(s->file, &s->how);
        if (!(1 << found.result & t->results))
            fail_msg("%s in %s (chance %llu): result %d, %s at %lld: %s", way->name, t->table,
                     (unsigned long long)chance, found.result, found.kind, (long long)found.gseq,
                     found.detail);
        left--;
    }
}

static void says_what_is_wrong_and_where(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *sql, *kind;
        enum verify_result result;
        int64_t gseq;
    } cases[] = {
        {"UPDATE event SET body = zeroblob(3) WHERE gseq = 77", "leaf", VERIFY_TAMPERED, 77},
        {"UPDATE event SET seq = 99999 WHERE gseq = 78", "leaf", VERIFY_TAMPERED, 78},
        {"UPDATE event SET boot_ns = boot_ns + 1 WHERE gseq = 79", "leaf", VERIFY_TAMPERED, 79},
        {"UPDATE event SET agent = 'other' WHERE gseq = 82", "derived", VERIFY_TAMPERED, 82},
        {"UPDATE event SET derive_version = 2 WHERE gseq = 9", "derived", VERIFY_TAMPERED, 9},
        {"DELETE FROM event WHERE gseq = 80", "gseq", VERIFY_TAMPERED, 80},
        {"DELETE FROM leaf WHERE gseq = 81", "leaf", VERIFY_TAMPERED, 81},
        {"UPDATE tile SET hash = zeroblob(32) WHERE level = 1 AND idx = 1", "tile", VERIFY_TAMPERED,
         512},
        {"DELETE FROM checkpoint WHERE size < 1100", "checkpoint", VERIFY_TAMPERED, -1},
        {"UPDATE checkpoint SET time_ns = time_ns + 1 WHERE size < 1001 + 99", "checkpoint",
         VERIFY_TAMPERED, -1},
        {"UPDATE source SET principal = 'corral/other' WHERE name = 'manager@host'", "source",
         VERIFY_TAMPERED, -1},
        {"UPDATE source SET upto = upto + 1 WHERE name = 'manager@host'", "source", VERIFY_TAMPERED,
         0},
        {"UPDATE source SET epoch = epoch + 1 WHERE name = 'monitor@host'", "source",
         VERIFY_TAMPERED, 0},
        {"UPDATE signer SET public_key = zeroblob(32) WHERE first_size > 0", "signer",
         VERIFY_SIGNATURE, -1},
        {"DROP INDEX event_agent", "schema", VERIFY_TAMPERED, 0},
        {"DROP VIEW audit_logs; CREATE VIEW audit_logs AS SELECT 1", "schema", VERIFY_TAMPERED, 0},
        {"CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM event WHERE gseq = 1; END",
         "schema", VERIFY_TAMPERED, 0},
        {"CREATE TABLE more(x)", "schema", VERIFY_TAMPERED, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        renew(s);
        change(s->file, cases[i].sql);
        struct verified found = look(s->file, &s->how);
        if (found.result != cases[i].result || strcmp(found.kind, cases[i].kind) != 0 ||
            (cases[i].gseq >= 0 && found.gseq != cases[i].gseq))
            fail_msg("%s: result %d, %s at %lld: %s", cases[i].sql, found.result, found.kind,
                     (long long)found.gseq, found.detail);
    }
}

/* The leaf of a changed record is made to fit, and its tile, as whoever knows the format would. */
static void a_change_with_its_leaf_and_tile_is_found_by_the_root(void **state)
{
    struct scene *s = *state;
    struct err err;
    renew(s);
    SCOPED(db_free) struct db *db = open_to_change(s->file);
    SCOPED(stmt_free) struct stmt *rows = NULL, *leaf = NULL, *tile = NULL;
    assert_int_equal(db_exec(db, "UPDATE event SET received_ns = 1 WHERE gseq = 1000", &err), 0);
    assert_int_equal(db_prepare(db,
                                "SELECT gseq, name, event.epoch, seq, time_ns, boot_ns,"
                                " received_ns, type, body FROM event JOIN source ON source.id ="
                                " event.source ORDER BY gseq",
                                &rows, &err),
                     0);
    assert_int_equal(db_prepare(db, "UPDATE leaf SET hash = ?2 WHERE gseq = ?1", &leaf, &err), 0);
    assert_int_equal(
        db_prepare(db, "UPDATE tile SET hash = ?2 WHERE level = 1 AND idx = ?1", &tile, &err), 0);
    struct merkle tree = {0};
    assert_int_equal(db_begin(db, &err), 0);
    while (stmt_step(rows, &err) == 1) {
        struct merkle_hash tiles[MERKLE_TILE_LEVELS];
        const struct leaf l = {stmt_int(rows, 0), stmt_text(rows, 1), stmt_int(rows, 2),
                               stmt_int(rows, 3), stmt_int(rows, 4),  stmt_int(rows, 5),
                               stmt_int(rows, 6), stmt_int(rows, 7),  stmt_blob(rows, 8)};
        struct merkle_hash hash = leaf_hash(&l);
        stmt_bind_int(leaf, 1, l.gseq);
        stmt_bind_blob(leaf, 2, (struct view){hash.bytes, 32});
        assert_int_equal(stmt_run(leaf, &err), 0);
        if (!merkle_append(&tree, &hash, tiles))
            continue;
        stmt_bind_int(tile, 1, l.gseq / 256 - 1);
        stmt_bind_blob(tile, 2, (struct view){tiles[0].bytes, 32});
        assert_int_equal(stmt_run(tile, &err), 0);
    }
    assert_int_equal(db_commit(db, &err), 0);
    struct verified found = look(s->file, &s->how);
    assert_int_equal(found.result, VERIFY_TAMPERED);
    assert_string_equal(found.kind, "checkpoint");
    assert_true(found.gseq >= 1000 && found.gseq < 1512);
}

/* Signs all checkpoints anew, as somebody with a key of his own would. */
static void sign_anew(struct db *db, bool all)
{
    struct err err;
    struct sign_key key;
    char origin[ORIGIN_BYTES], note[NOTE_BYTES];
    SCOPED(stmt_free) struct stmt *rows = NULL, *put = NULL;
    keys_sign_make(&key);
    note_origin(key.public_key, origin);
    assert_int_equal(
        db_prepare(db, "SELECT size, note, time_ns FROM checkpoint ORDER BY size", &rows, &err), 0);
    assert_int_equal(db_prepare(db, "UPDATE checkpoint SET note = ?2 WHERE size = ?1", &put, &err),
                     0);
    while (stmt_step(rows, &err) == 1) {
        struct checkpoint c = {.size = stmt_int(rows, 0), .time_ns = stmt_int(rows, 2)};
        char root[64];
        uint8_t raw[33];
        assert_int_equal(
            sscanf(stmt_text(rows, 1), "%*s %*s %63s time %*s after %" SCNd64, root, &c.after), 2);
        assert_int_equal(sodium_base642bin(raw, sizeof raw, root, strlen(root), NULL, NULL, NULL,
                                           sodium_base64_VARIANT_ORIGINAL),
                         0);
        memcpy(c.root.bytes, raw, sizeof c.root.bytes);
        if (!all)
            sscanf(stmt_text(rows, 1), "%29s", origin);
        checkpoint_sign(&c, origin, &key, note);
        stmt_bind_int(put, 1, c.size);
        stmt_bind_text(put, 2, note);
        assert_int_equal(stmt_run(put, &err), 0);
    }
    if (!all)
        return;
    struct signer self = {.time_ns = 1};
    memcpy(self.public_key, key.public_key, KEY_BYTES);
    signer_sign(&self, origin, &key, note);
    SCOPED(stmt_free) struct stmt *add = NULL;
    assert_int_equal(db_exec(db, "DELETE FROM signer", &err), 0);
    assert_int_equal(db_prepare(db, "INSERT INTO signer VALUES(0, ?1, ?2)", &add, &err), 0);
    stmt_bind_blob(add, 1, (struct view){key.public_key, KEY_BYTES});
    stmt_bind_text(add, 2, note);
    assert_int_equal(stmt_run(add, &err), 0);
}

static void signatures_of_another_key_are_found(void **state)
{
    struct scene *s = *state;
    struct verify_options no_key = {0};
    for (int all = 0; all < 2; all++) {
        renew(s);
        struct db *db = open_to_change(s->file);
        sign_anew(db, all);
        db_free(&db);
        assert_int_equal(look(s->file, &s->how).result, VERIFY_SIGNATURE);
        /* a whole chain of somebody else's is only told apart by a key from elsewhere */
        assert_int_equal(look(s->file, &no_key).result, all ? VERIFY_OK : VERIFY_SIGNATURE);
    }
    renew(s);
    struct verify_options other = s->how;
    other.origin[0] = 0; /* a key in hex does not say whose it is */
    assert_int_equal(look(s->file, &other).result, VERIFY_OK);
    other.public_key[0] ^= 1;
    struct verified found = look(s->file, &other);
    assert_int_equal(found.result, VERIFY_SIGNATURE);
    assert_string_equal(found.kind, "key");
}

/* Any key of the chain will do: whoever kept one years ago still knows. */
static void any_signer_of_the_record_vouches_for_it(void **state)
{
    struct scene *s = *state;
    struct err err;
    renew(s);
    SCOPED(db_free) struct db *db = open_to_change(s->file);
    SCOPED(stmt_free) struct stmt *rows = NULL;
    assert_int_equal(db_prepare(db, "SELECT public_key FROM signer", &rows, &err), 0);
    int count = 0;
    while (stmt_step(rows, &err) == 1) {
        struct verify_options how = {.has_key = true};
        memcpy(how.public_key, stmt_blob(rows, 0).data, KEY_BYTES);
        assert_int_equal(look(s->file, &how).result, VERIFY_OK);
        count++;
    }
    assert_int_equal(count, 3);
}

/* Records that are missing although nothing says why: the audit's own fault, not a stranger's. */
static void a_gap_in_a_source_is_told_from_tampering(void **state)
{
    (void)state;
    struct err err;
    struct verify_options no_key = {0};
    char file[128];
    SCOPED(directory_close) struct place_on_disk d = directory_open();
    SCOPED(store_free) struct store *store = NULL;
    SCOPED(batch_free) struct batch *batch = NULL;
    struct moved moved = {.kind = MOVED_BOUND, .owner = "corral/manager", .id = 2, .epoch = 1};
    struct event bound = {.phase = "event"};
    struct place own = {.source = 1, .name = "audit@host", .epoch = 1, .upto = 1};
    assert_int_equal(store_open(d.path, &store, &err), 0);
    assert_int_equal(batch_new(&batch, &err), 0);
    text_copy(moved.source, sizeof moved.source, "manager@host2");
    text_copy(bound.kind, sizeof bound.kind, moved_name(moved.kind));
    moved_show(&moved, bound.detail);
    batch_put_event(batch, 1, 1, &bound);
    batch->place_count = 0;
    batch_place(batch, &own);
    batch_put(batch, 2, 1, 9, view_of("a"));
    batch_put(batch, 2, 2, 9, view_of("b"));
    batch_put(batch, 2, 4, 9, view_of("d"));
    batch_put(batch, 2, 9, 9, view_of("d"));
    assert_int_equal(store_write(store, batch, &err), 0);
    snprintf(file, sizeof file, "%s/audit.db", d.path);
    struct verified found = look(file, &no_key);
    assert_int_equal(found.result, VERIFY_GAP);
    assert_int_equal(found.gseq, 4);
    assert_int_equal(found.records, 5); /* it went on */
    store_free(&store);
    change(file, "UPDATE event SET body = zeroblob(1) WHERE gseq = 5");
    found = look(file, &no_key);
    assert_int_equal(found.result, VERIFY_TAMPERED); /* which says more */
    assert_int_equal(found.gseq, 5);
}

static void what_is_no_database_is_an_error(void **state)
{
    struct scene *s = *state;
    struct err err;
    struct verified found;
    struct verify_options how = {.path = s->file};
    remove_log(s);
    assert_int_equal(unlink(s->file), 0);
    assert_int_equal(verify_record(&how, &found, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(file_replace_volatile(AT_FDCWD, s->file, "no database", 11, 0600, &err), 0);
    assert_int_equal(verify_record(&how, &found, &err), -1);
    assert_int_equal(err.code, ERR_STORE);
    renew(s);
    change(s->file, "PRAGMA user_version = 1");
    assert_int_equal(verify_record(&how, &found, &err), -1);
    assert_int_equal(err.code, ERR_STORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_as_the_audit_makes_it_is_intact),
        cmocka_unit_test(stays_intact_while_it_grows_and_is_reopened),
        cmocka_unit_test(says_what_is_wrong_and_where),
        cmocka_unit_test(every_random_change_is_found),
        cmocka_unit_test(a_change_with_its_leaf_and_tile_is_found_by_the_root),
        cmocka_unit_test(signatures_of_another_key_are_found),
        cmocka_unit_test(any_signer_of_the_record_vouches_for_it),
        cmocka_unit_test(a_gap_in_a_source_is_told_from_tampering),
        cmocka_unit_test(what_is_no_database_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
