/* tree.c - the hash tree in audit.db; see tree.h. */
#include "audit/tree.h"

#include "audit/signing.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CATCH_UP_RECORDS = 500 }; /* in one transaction; less than TREE_KEPT_EVERY */

/* The tree after the newest commit, or as the open transaction has made it. */
struct frontier {
    struct merkle merkle;
    int64_t newest; /* size of the newest checkpoint; -1: none */
    int64_t before; /* of the one that stays before it; 0: none */
};

struct tree {
    struct db *db;
    struct signing signing;
    struct stmt *leaf, *tile, *seal, *unseal;
    struct frontier is, draft;
};

static int prepare(struct tree *t, struct err *err)
{
    return db_prepare(t->db, "INSERT INTO leaf(gseq, hash) VALUES(?1, ?2)", &t->leaf, err) ||
                   db_prepare(t->db, "INSERT INTO tile(level, idx, hash) VALUES(?1, ?2, ?3)",
                              &t->tile, err) ||
                   db_prepare(t->db,
                              "INSERT INTO checkpoint(size, note, time_ns) VALUES(?1, ?2, ?3)",
                              &t->seal, err) ||
                   db_prepare(t->db, "DELETE FROM checkpoint WHERE size = ?1", &t->unseal, err)
               ? -1
               : 0;
}

static int changed(struct err *err, const char *what, int64_t at)
{
    return err_set(err, ERR_STORE,
                   "audit.db is not as it was signed: %s (record %lld); look with corral audit "
                   "verify, which changes nothing",
                   what, (long long)at);
}

/* Appends what a statement gives, (index, hash) in order, as full subtrees of 2^bits leaves, up to
 * where there is nothing of that size left. */
static int append_all(struct stmt *s, int64_t size, unsigned bits, struct merkle *m,
                      struct err *err)
{
    int got;
    while ((got = stmt_step(s, err)) == 1) {
        struct merkle_hash hash;
        struct view blob = stmt_blob(s, 1);
        if (stmt_int(s, 0) != m->size >> bits || blob.len != sizeof hash.bytes ||
            m->size + (1ll << bits) > size)
            break;
        memcpy(hash.bytes, blob.data, sizeof hash.bytes);
        merkle_append_full(m, bits, &hash);
    }
    if (got < 0)
        return -1;
    stmt_reset(s);
    return got || m->size != size >> bits << bits
               ? changed(err, bits ? "a tile is missing or too many" : "a leaf is missing", m->size)
               : 0;
}

/* The tree of `size` leaves, from the tiles and the leaves behind the last one. */
static int load(struct tree *t, int64_t size, struct merkle *out, struct err *err)
{
    struct merkle m = {0};
    SCOPED(stmt_free) struct stmt *tiles = NULL, *leaves = NULL;
    if (db_prepare(t->db, "SELECT idx, hash FROM tile WHERE level = ?1 AND idx >= ?2 ORDER BY idx",
                   &tiles, err) ||
        db_prepare(t->db, "SELECT gseq - 1, hash FROM leaf WHERE gseq > ?1 ORDER BY gseq", &leaves,
                   err))
        return -1;
    for (int level = MERKLE_TILE_LEVELS; level >= 1; level--) {
        unsigned bits = (unsigned)level * MERKLE_TILE_BITS;
        stmt_bind_int(tiles, 1, level);
        stmt_bind_int(tiles, 2, m.size >> bits);
        if (append_all(tiles, size, bits, &m, err))
            return -1;
    }
    stmt_bind_int(leaves, 1, m.size);
    if (append_all(leaves, size, 0, &m, err))
        return -1;
    *out = m;
    return 0;
}

/* Of each thousand the first checkpoint stays. */
static bool stays(const struct frontier *f)
{
    return f->newest / TREE_KEPT_EVERY > f->before / TREE_KEPT_EVERY;
}

/* The sizes of the newest checkpoint and of the one before, which stays. */
static int find_newest(struct tree *t, struct frontier *f, struct bytes *note, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    f->newest = -1;
    if (db_prepare(t->db, "SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 2", &s, err))
        return -1;
    int got = stmt_step(s, err);
    if (got <= 0)
        return got;
    f->newest = stmt_int(s, 0);
    if (bytes_add(note, stmt_text(s, 1), strlen(stmt_text(s, 1)), err))
        return -1;
    got = stmt_step(s, err);
    if (got < 0)
        return -1;
    f->before = got ? stmt_int(s, 0) : 0;
    return 0;
}

/* What was signed last must be what is there. */
static int check_newest(struct tree *t, const struct frontier *f, const struct bytes *note,
                        struct err *err)
{
    struct checkpoint signed_one;
    struct err why;
    if (f->newest < 0)
        return changed(err, "it has no checkpoint", 0);
    if (checkpoint_read(bytes_view(note), t->signing.origin, t->signing.key.public_key, &signed_one,
                        &why))
        return changed(err, "its newest checkpoint is not signed by checkpoint.key", f->newest);
    struct merkle_hash root = merkle_root(&f->merkle);
    if (signed_one.size != f->newest || signed_one.size != f->merkle.size)
        return changed(err, "its newest checkpoint has another size", f->newest);
    if (signed_one.after != f->before)
        return changed(err, "the checkpoint before its newest is another", f->before);
    return merkle_equal(&root, &signed_one.root)
               ? 0
               : changed(err, "its newest checkpoint has another root", f->newest);
}

static int count_leaves(struct tree *t, int64_t *count, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(t->db, "SELECT max(gseq) FROM leaf", &s, err) || stmt_step(s, err) != 1)
        return -1;
    *count = stmt_int(s, 0);
    return 0;
}

static int restore(struct tree *t, int64_t gseq, struct err *err)
{
    struct frontier f = {0};
    int64_t leaves;
    SCOPED(bytes_close) struct bytes note = bytes_open(NOTE_BYTES);
    if (count_leaves(t, &leaves, err) || load(t, leaves, &f.merkle, err) ||
        find_newest(t, &f, &note, err))
        return -1;
    if (t->signing.is_begun ? check_newest(t, &f, &note, err) : leaves || f.newest >= 0)
        return t->signing.is_begun ? -1 : changed(err, "it has no signers", leaves);
    if (leaves > gseq || (t->signing.is_complete && leaves < gseq))
        return changed(err, "leaves and records differ in number", leaves);
    t->is = f;
    return 0;
}

/* Signs the tree as it is: the draft's checkpoint takes the place of one that does not stay. */
static int sign(struct tree *t, struct err *err)
{
    struct frontier *f = &t->draft;
    char note[NOTE_BYTES];
    if (stays(f)) {
        f->before = f->newest;
    } else if (f->newest >= 0) {
        stmt_bind_int(t->unseal, 1, f->newest);
        if (stmt_run(t->unseal, err))
            return -1;
    }
    struct checkpoint c = {.size = f->merkle.size,
                           .root = merkle_root(&f->merkle),
                           .time_ns = clock_wall_ns(),
                           .after = f->before};
    checkpoint_sign(&c, t->signing.origin, signing_key(&t->signing), note);
    stmt_bind_int(t->seal, 1, c.size);
    stmt_bind_text(t->seal, 2, note);
    stmt_bind_int(t->seal, 3, c.time_ns);
    if (stmt_run(t->seal, err))
        return -1;
    f->newest = c.size;
    return 0;
}

/* The first signer and the checkpoint of the empty tree. */
static int begin_record(struct tree *t, struct err *err)
{
    if (db_begin(t->db, err))
        return -1;
    tree_begin(t);
    if (signing_begin(&t->signing, err) || sign(t, err)) {
        db_rollback(t->db);
        return -1;
    }
    if (db_commit(t->db, err))
        return -1;
    tree_committed(t);
    t->signing.is_begun = true;
    return 0;
}

static int add_stored(struct tree *t, struct stmt *rows, int64_t *count, struct err *err)
{
    int got;
    for (*count = 0; (got = stmt_step(rows, err)) == 1; ++*count) {
        const struct leaf leaf = {stmt_int(rows, 0), stmt_text(rows, 1), stmt_int(rows, 2),
                                  stmt_int(rows, 3), stmt_int(rows, 4),  stmt_int(rows, 5),
                                  stmt_int(rows, 6), stmt_int(rows, 7),  stmt_blob(rows, 8)};
        if (leaf.gseq != t->draft.merkle.size + 1) {
            stmt_reset(rows);
            return err_set(err, ERR_STORE, "audit.db has no record %lld, but later ones",
                           (long long)t->draft.merkle.size + 1);
        }
        if (tree_add(t, &leaf, err)) {
            stmt_reset(rows);
            return -1;
        }
    }
    return got;
}

/* Leaves of records that were stored before there was a tree. */
static int catch_up(struct tree *t, int64_t gseq, struct err *err)
{
    SCOPED(stmt_free) struct stmt *rows = NULL;
    if (t->is.merkle.size == gseq)
        return 0;
    if (db_prepare(t->db,
                   "SELECT gseq, name, event.epoch, seq, time_ns, boot_ns, received_ns, type, body"
                   " FROM event JOIN source ON source.id = event.source"
                   " WHERE gseq > ?1 ORDER BY gseq LIMIT ?2",
                   &rows, err))
        return -1;
    log_info("audit.tree leaves=%lld records=%lld", (long long)t->is.merkle.size, (long long)gseq);
    while (t->is.merkle.size < gseq) {
        int64_t count;
        if (db_begin(t->db, err))
            return -1;
        tree_begin(t);
        stmt_bind_int(rows, 1, t->is.merkle.size);
        stmt_bind_int(rows, 2, CATCH_UP_RECORDS);
        if (add_stored(t, rows, &count, err) ||
            (!count ? err_set(err, ERR_STORE, "a record without a source") : tree_seal(t, err))) {
            db_rollback(t->db);
            tree_undo(t);
            return -1;
        }
        if (db_commit(t->db, err)) {
            tree_undo(t);
            return -1;
        }
        tree_committed(t);
    }
    return 0;
}

int tree_open(const char *path, struct db *db, int64_t gseq, struct tree **tree, struct err *err)
{
    SCOPED(tree_free) struct tree *t = mem_new(1, sizeof *t);
    if (!t)
        return err_set(err, ERR_MEMORY, "no memory for the record's tree");
    t->db = db;
    if (prepare(t, err) || signing_open(&t->signing, path, db, err) || restore(t, gseq, err) ||
        (!t->signing.is_begun && begin_record(t, err)) || catch_up(t, gseq, err) ||
        (!t->signing.is_complete && signing_publish(&t->signing, err)))
        return -1;
    *tree = TAKE(t);
    return 0;
}

void tree_free(struct tree **tree)
{
    struct tree *t = *tree;
    if (!t)
        return;
    stmt_free(&t->leaf);
    stmt_free(&t->tile);
    stmt_free(&t->seal);
    stmt_free(&t->unseal);
    signing_close(&t->signing);
    free(t);
    *tree = NULL;
}

void tree_begin(struct tree *t)
{
    t->draft = t->is;
}

static struct view view_hash(const struct merkle_hash *hash)
{
    return (struct view){hash->bytes, sizeof hash->bytes};
}

int tree_add(struct tree *t, const struct leaf *leaf, struct err *err)
{
    struct merkle_hash hash = leaf_hash(leaf), tiles[MERKLE_TILE_LEVELS];
    assert(leaf->gseq == t->draft.merkle.size + 1);
    stmt_bind_int(t->leaf, 1, leaf->gseq);
    stmt_bind_blob(t->leaf, 2, view_hash(&hash));
    if (stmt_run(t->leaf, err))
        return -1;
    int full = merkle_append(&t->draft.merkle, &hash, tiles);
    for (int level = 1; level <= full; level++) {
        stmt_bind_int(t->tile, 1, level);
        stmt_bind_int(t->tile, 2, (leaf->gseq >> level * MERKLE_TILE_BITS) - 1);
        stmt_bind_blob(t->tile, 3, view_hash(&tiles[level - 1]));
        if (stmt_run(t->tile, err))
            return -1;
    }
    return 0;
}

int tree_seal(struct tree *t, struct err *err)
{
    if (t->draft.merkle.size == t->draft.newest)
        return 0; /* nothing but repeats */
    return signing_renew(&t->signing, t->draft.merkle.size, err) || sign(t, err) ? -1 : 0;
}

void tree_committed(struct tree *t)
{
    t->is = t->draft;
    signing_committed(&t->signing);
}

void tree_undo(struct tree *t)
{
    signing_undo(&t->signing);
}
