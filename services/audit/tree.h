/* tree.h - the hash tree over the record, as the writer keeps it in audit.db (engine/record/).
 *
 *   leaf         the hash of each record
 *   tile         the roots of its full subtrees of 256, 65,536, … leaves
 *   checkpoint   its signed roots: the newest, and of each thousand of records the first
 *   signer       whose signatures they are (signing.h)
 *
 * All rows of a batch's records, its checkpoint among them, are in the batch's transaction: there
 * is no committed record that is not under a signature. The tree's frontier is in memory; where it
 * is not what the newest checkpoint says, the store does not open.
 *
 * Records that were stored before there was a tree get their leaves when the store is opened.
 * The store's thread only.
 */
#pragma once

#include "engine/record/leaf.h"
#include "store/db.h"

enum { TREE_KEPT_EVERY = 1000 };

struct tree;

/* Puts the frontier back and checks it. `gseq` is the newest record's.
 *
 *   err   ERR_STORE the database is not as it was signed; what db_open and signing_open say
 */
int tree_open(const char *path, struct db *db, int64_t gseq, struct tree **tree, struct err *err);
void tree_free(struct tree **tree);

/* In an open transaction: begin, a leaf for each new record in order, seal; then what became of the
 * transaction. A failure of any undoes nothing in the database: the caller rolls back. Errors of
 * stmt_step. */
void tree_begin(struct tree *tree);
int tree_add(struct tree *tree, const struct leaf *leaf, struct err *err);
int tree_seal(struct tree *tree, struct err *err);
void tree_committed(struct tree *tree);
void tree_undo(struct tree *tree);
