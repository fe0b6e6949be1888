/* verify_notes.c - signers and checkpoints, read in the order of size while the tree grows past
 * them. */
#include "engine/record/verify_own.h"

#include "base/scope.h"

#include <string.h>

/* The next row's size, or -1. */
static int next(struct stmt *s, int64_t *size, struct err *err)
{
    int got = stmt_step(s, err);
    *size = got == 1 ? stmt_int(s, 0) : -1;
    return got < 0 ? -1 : 0;
}

static int bad_signer(struct verify *v, int64_t gseq, const char *why)
{
    return verify_found(v, VERIFY_SIGNATURE, "signer", gseq, "%s", why);
}

/* Takes over the key of the row that is read: the key before has signed it; the first signs itself.
 */
static int take_signer(struct verify *v, struct err *err)
{
    struct signer signer;
    struct view key = stmt_blob(v->signer, 1);
    struct err why;
    int64_t size = v->next_signer;
    bool is_first = !v->out->signers++;
    if (key.len != KEY_BYTES)
        return bad_signer(v, size, "a key of another length");
    if (is_first) {
        memcpy(v->key, key.data, KEY_BYTES);
        note_origin(v->key, v->out->origin);
    }
    if (signer_read(stmt_blob(v->signer, 2), v->out->origin, v->key, &signer, &why))
        return bad_signer(v, size, why.text);
    if (signer.first_size != size || memcmp(signer.public_key, key.data, KEY_BYTES) != 0)
        return bad_signer(v, size, "the row is not what its note says");
    memcpy(v->key, key.data, KEY_BYTES);
    if (v->options->has_key && !memcmp(v->key, v->options->public_key, KEY_BYTES))
        v->key_is_known = true;
    return next(v->signer, &v->next_signer, err);
}

int verify_notes_begin(struct verify *v, struct err *err)
{
    if (db_prepare(v->db, "SELECT first_size, public_key, note FROM signer ORDER BY first_size",
                   &v->signer, err) ||
        db_prepare(v->db, "SELECT size, note, time_ns FROM checkpoint ORDER BY size",
                   &v->checkpoint, err) ||
        next(v->signer, &v->next_signer, err) || next(v->checkpoint, &v->next_checkpoint, err))
        return -1;
    v->last_checkpoint = -1;
    if (v->next_signer != 0)
        return bad_signer(v, 0, "there is no first signer");
    int got = take_signer(v, err);
    if (got)
        return got;
    if (v->options->origin[0] && strcmp(v->options->origin, v->out->origin) != 0)
        return bad_signer(v, 0, "the given public key is of another record");
    return 0;
}

static int bad_checkpoint(struct verify *v, int64_t gseq, const char *why)
{
    return verify_found(v, VERIFY_TAMPERED, "checkpoint", gseq, "%s", why);
}

static int check(struct verify *v, struct err *err)
{
    struct checkpoint c;
    struct err why;
    int64_t size = v->next_checkpoint, time_ns = stmt_int(v->checkpoint, 2);
    while (v->next_signer >= 0 && v->next_signer <= size) {
        int got = take_signer(v, err);
        if (got)
            return got;
    }
    if (checkpoint_read(stmt_blob(v->checkpoint, 1), v->out->origin, v->key, &c, &why))
        return verify_found(v, VERIFY_SIGNATURE, "checkpoint", size, "%s", why.text);
    if (c.size != size || c.time_ns != time_ns)
        return bad_checkpoint(v, size, "the row is not what its note says");
    struct merkle_hash root = merkle_root(&v->tree);
    if (!merkle_equal(&c.root, &root))
        return bad_checkpoint(v, size, "another root was signed than that of the records");
    if (c.after != (v->last_checkpoint > 0 ? v->last_checkpoint : 0))
        return bad_checkpoint(v, size, "the checkpoint before it is missing, or is one too many");
    v->out->checkpoints++;
    v->out->signed_ns = c.time_ns;
    v->last_checkpoint = size;
    return 0;
}

int verify_notes_at(struct verify *v, struct err *err)
{
    int got;
    if (v->next_checkpoint != v->tree.size)
        return 0;
    if ((got = check(v, err)))
        return got;
    return next(v->checkpoint, &v->next_checkpoint, err);
}

int verify_notes_end(struct verify *v, struct err *err)
{
    (void)err;
    int64_t size = v->tree.size;
    if (v->next_checkpoint >= 0)
        return verify_found(v, VERIFY_TAMPERED, "tail", size + 1,
                            "%lld records are signed, %lld are there",
                            (long long)v->next_checkpoint, (long long)size);
    if (v->last_checkpoint != size)
        return verify_found(v, VERIFY_TAMPERED, "tail", v->last_checkpoint + 1,
                            "%lld records are there, %lld are signed", (long long)size,
                            (long long)(v->last_checkpoint < 0 ? 0 : v->last_checkpoint));
    if (v->next_signer >= 0)
        return bad_signer(v, v->next_signer, "a signer of records that are not there");
    if (v->options->has_key && !v->key_is_known)
        return verify_found(v, VERIFY_SIGNATURE, "key", 0,
                            "the given public key is none of this record's signers");
    note_key_show(v->out->origin, v->key, v->out->newest_key);
    return 0;
}
