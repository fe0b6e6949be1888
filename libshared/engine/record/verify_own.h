/* verify_own.h - what the parts of verify.h share. Functions return 0, 1 when there is a finding
 * that ends the pass, or -1. */
#pragma once

#include "engine/record/derive.h"
#include "engine/record/leaf.h"
#include "engine/record/verify.h"
#include "store/db.h"

enum { VERIFY_SOURCES = 1024 };

/* A source, and how far the records seen so far bring it. */
struct verify_source {
    int64_t id, row_epoch, row_upto; /* as table `source` has it */
    char name[LEAF_SOURCE_BYTES + 1];
    char owner[256];
    int64_t epoch; /* 0: no record yet */
    int64_t upto;
    bool is_bound; /* its binding is in the record */
};

struct verify {
    const struct verify_options *options;
    struct db *db;
    struct verified *out;
    struct merkle tree;
    struct verify_source *sources;
    size_t source_count;
    struct stmt *leaf, *tile, *checkpoint, *signer; /* rows in order, read as the pass comes by */
    int64_t next_checkpoint, next_signer;           /* of the row that is read; -1: no more */
    int64_t last_checkpoint;                        /* the newest that was checked; -1: none */
    uint8_t key[KEY_BYTES];                         /* that signs here */
    bool key_is_known;                              /* the given key was one of them, or this one */
};

/* Notes what is wrong, unless something worse was. Returns 1, or 0 after a gap. */
int verify_found(struct verify *v, enum verify_result result, const char *kind, int64_t gseq,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The signed rows: the first signer; the checkpoint of the tree as it is, if there is one; what
 * must hold at the end. */
int verify_notes_begin(struct verify *v, struct err *err);
int verify_notes_at(struct verify *v, struct err *err);
int verify_notes_end(struct verify *v, struct err *err);

/* The sources: reads them; follows a record; what must hold at the end. */
int verify_sources_begin(struct verify *v, struct err *err);
struct verify_source *verify_source_of(struct verify *v, int64_t id);
int verify_sources_follow(struct verify *v, struct verify_source *s, const struct leaf *leaf,
                          const struct derived *derived);
int verify_sources_end(struct verify *v);
