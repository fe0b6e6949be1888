/* verify.c - is a record whole and as it was signed? See verify.h. */
#include "engine/record/verify.h"

#include "engine/record/tables.h"
#include "engine/record/verify_own.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CACHE_KIB = 16 * 1024,
    PROGRESS_RECORDS = 4096,
    FIRST_DERIVED = 9, /* columns of the statement in scan() */
    BODY = FIRST_DERIVED + DERIVED_COLUMNS
};

int verify_found(struct verify *v, enum verify_result result, const char *kind, int64_t gseq,
                 const char *format, ...)
{
    bool is_gap = result == VERIFY_GAP;
    if (v->out->result == VERIFY_OK || (v->out->result == VERIFY_GAP && !is_gap)) {
        va_list args;
        v->out->result = result;
        v->out->gseq = gseq;
        text_copy(v->out->kind, sizeof v->out->kind, kind);
        va_start(args, format);
        vsnprintf(v->out->detail, sizeof v->out->detail, format, args);
        va_end(args);
    }
    return !is_gap;
}

/* The statements of the migrations are what sqlite_schema shows, word for word. */
static bool is_of_a_migration(const char *sql)
{
    const char *const *migrations = tables_migrations();
    size_t len = strlen(sql);
    for (int i = 0; i < TABLES_VERSION; i++)
        for (const char *at = strstr(migrations[i], sql); at; at = strstr(at + 1, sql))
            if (at[len] == ';' || !at[len])
                return true;
    return false;
}

static int64_t count_objects(void)
{
    int64_t count = 0;
    const char *const *migrations = tables_migrations();
    for (int i = 0; i < TABLES_VERSION; i++)
        for (const char *at = strstr(migrations[i], "CREATE "); at; at = strstr(at + 1, "CREATE "))
            count++;
    return count;
}

/* A view or trigger could show people other rows than those that are checked here. */
static int check_schema(struct verify *v, struct err *err)
{
    SCOPED(stmt_free) struct stmt *rows = NULL;
    int64_t count = 0;
    int got;
    if (db_prepare(v->db, "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL", &rows, err))
        return -1;
    while ((got = stmt_step(rows, err)) == 1) {
        if (!is_of_a_migration(stmt_text(rows, 1)))
            return verify_found(v, VERIFY_TAMPERED, "schema", 0, "%.100s is not Corral's",
                                stmt_text(rows, 0));
        count++;
    }
    if (got < 0)
        return -1;
    return count == count_objects()
               ? 0
               : verify_found(v, VERIFY_TAMPERED, "schema", 0, "tables or indexes are missing");
}

static int ask(struct verify *v, const char *sql, int64_t *number, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(v->db, sql, &s, err) || stmt_step(s, err) != 1)
        return -1;
    *number = stmt_int(s, 0);
    return 0;
}

static bool same_column(struct stmt *row, int column, const struct derived_column *d)
{
    if (!d->is_number && !d->text)
        return stmt_is_null(row, column);
    if (stmt_is_null(row, column))
        return false;
    return d->is_number ? stmt_int(row, column) == d->number
                        : view_equal(stmt_blob(row, column), view_of(d->text));
}

static int check_derived(struct verify *v, struct stmt *row, const struct leaf *leaf,
                         const struct derived *derived)
{
    struct derived_column columns[DERIVED_COLUMNS];
    if (stmt_int(row, 8) != DERIVE_VERSION)
        return verify_found(v, VERIFY_TAMPERED, "derived", leaf->gseq,
                            "derived by rules of version %lld", (long long)stmt_int(row, 8));
    derived_columns(derived, columns);
    for (int i = 0; i < DERIVED_COLUMNS; i++)
        if (!same_column(row, FIRST_DERIVED + i, &columns[i]))
            return verify_found(v, VERIFY_TAMPERED, "derived", leaf->gseq,
                                "column %s is not what the body says",
                                stmt_name(row, FIRST_DERIVED + i));
    return 0;
}

static int check_tile(struct verify *v, int level, int64_t index, const struct merkle_hash *hash,
                      struct err *err)
{
    stmt_bind_int(v->tile, 1, level);
    stmt_bind_int(v->tile, 2, index);
    int got = stmt_step(v->tile, err);
    if (got < 0)
        return -1;
    bool same =
        got && view_equal(stmt_blob(v->tile, 0), (struct view){hash->bytes, sizeof hash->bytes});
    stmt_reset(v->tile);
    return same ? 0
                : verify_found(v, VERIFY_TAMPERED, "tile", v->tree.size,
                               "tile %lld of level %d is %s", (long long)index, level,
                               got ? "not that of its records" : "missing");
}

static int check_leaf(struct verify *v, const struct leaf *leaf, struct err *err)
{
    struct merkle_hash hash = leaf_hash(leaf), tiles[MERKLE_TILE_LEVELS];
    int got = stmt_step(v->leaf, err);
    if (got < 0)
        return -1;
    if (!got || stmt_int(v->leaf, 0) != leaf->gseq)
        return verify_found(v, VERIFY_TAMPERED, "leaf", leaf->gseq, "its leaf is missing");
    if (!view_equal(stmt_blob(v->leaf, 1), (struct view){hash.bytes, sizeof hash.bytes}))
        return verify_found(v, VERIFY_TAMPERED, "leaf", leaf->gseq,
                            "the record is not the one whose leaf is stored");
    int full = merkle_append(&v->tree, &hash, tiles);
    for (int level = 1; level <= full; level++) {
        int64_t index = (v->tree.size >> level * MERKLE_TILE_BITS) - 1;
        if ((got = check_tile(v, level, index, &tiles[level - 1], err)))
            return got;
    }
    return 0;
}

static int check_row(struct verify *v, struct stmt *row, struct derived *derived, struct err *err)
{
    int64_t gseq = stmt_int(row, 0);
    struct verify_source *source = verify_source_of(v, stmt_int(row, 1));
    int got;
    if (gseq != v->tree.size + 1)
        return verify_found(v, VERIFY_TAMPERED, "gseq", v->tree.size + 1,
                            "record %lld follows on %lld", (long long)gseq,
                            (long long)v->tree.size);
    if (!source)
        return verify_found(v, VERIFY_TAMPERED, "source", gseq, "its source is not in the table");
    const struct leaf leaf = {gseq,
                              source->name,
                              stmt_int(row, 2),
                              stmt_int(row, 3),
                              stmt_int(row, 4),
                              stmt_int(row, 5),
                              stmt_int(row, 6),
                              stmt_int(row, 7),
                              stmt_blob(row, BODY)};
    if ((got = check_leaf(v, &leaf, err)))
        return got;
    derive(leaf.type, leaf.body, derived);
    if ((got = check_derived(v, row, &leaf, derived)) ||
        (got = verify_sources_follow(v, source, &leaf, derived)))
        return got;
    return verify_notes_at(v, err);
}

/* The pass. */
static int scan(struct verify *v, struct err *err)
{
    SCOPED(stmt_free) struct stmt *rows = NULL;
    struct derived derived = {0};
    int64_t all;
    int got;
    if (ask(v, "SELECT max(gseq) FROM event", &all, err) ||
        db_prepare(v->db, "SELECT * FROM event NOT INDEXED ORDER BY gseq", &rows, err) ||
        db_prepare(v->db, "SELECT gseq, hash FROM leaf ORDER BY gseq", &v->leaf, err) ||
        db_prepare(v->db, "SELECT hash FROM tile WHERE level = ?1 AND idx = ?2", &v->tile, err))
        return -1;
    if ((got = verify_notes_at(v, err)))
        return got;
    while ((got = stmt_step(rows, err)) == 1) {
        if ((got = check_row(v, rows, &derived, err)))
            return got;
        if (v->options->progress && v->tree.size % PROGRESS_RECORDS == 0)
            v->options->progress(v->options->context, v->tree.size, all);
    }
    return got;
}

/* Nothing may be there that belongs to no record. */
static int check_rest(struct verify *v, struct err *err)
{
    int64_t tiles, expected = 0;
    int got = stmt_step(v->leaf, err);
    if (got < 0 || ask(v, "SELECT count(*) FROM tile", &tiles, err))
        return -1;
    if (got)
        return verify_found(v, VERIFY_TAMPERED, "leaf", stmt_int(v->leaf, 0),
                            "a leaf without a record");
    for (int level = 1; level <= MERKLE_TILE_LEVELS; level++)
        expected += v->tree.size >> level * MERKLE_TILE_BITS;
    return tiles == expected
               ? 0
               : verify_found(v, VERIFY_TAMPERED, "tile", 0, "%lld tiles are there, not %lld",
                              (long long)tiles, (long long)expected);
}

/* What is left of the end: a shorter record shows first by what is signed. */
static int run(struct verify *v, struct err *err)
{
    int got;
    if ((got = check_schema(v, err)) || (got = verify_sources_begin(v, err)) ||
        (got = verify_notes_begin(v, err)) || (got = scan(v, err)) ||
        (got = verify_notes_end(v, err)) || (got = check_rest(v, err)) ||
        (got = verify_sources_end(v)))
        return got;
    return 0;
}

static int measure(struct verify *v, struct err *err)
{
    int64_t pages, bytes;
    if (ask(v, "PRAGMA page_count", &pages, err) || ask(v, "PRAGMA page_size", &bytes, err))
        return -1;
    v->out->bytes = pages * bytes;
    return 0;
}

static void close_all(struct verify *v)
{
    stmt_free(&v->leaf);
    stmt_free(&v->tile);
    stmt_free(&v->checkpoint);
    stmt_free(&v->signer);
    db_free(&v->db);
    free(v->sources);
}

int verify_record(const struct verify_options *options, struct verified *out, struct err *err)
{
    struct verified found = {0};
    struct db_options how = {
        .read_only = true, .cache_kib = CACHE_KIB, .migration_count = TABLES_VERSION};
    SCOPED(close_all) struct verify v = {.options = options, .out = &found};
    v.sources = mem_new(VERIFY_SOURCES, sizeof *v.sources);
    if (!v.sources)
        return err_set(err, ERR_MEMORY, "no memory for %d sources", VERIFY_SOURCES);
    if (db_open(options->path, &how, &v.db, err) || db_exec(v.db, "BEGIN", err) ||
        measure(&v, err) || run(&v, err) < 0)
        return -1;
    found.records = v.tree.size;
    found.root = merkle_root(&v.tree);
    *out = found;
    return 0;
}
