/* signing.c - the key of the checkpoints; see signing.h.
 *
 * A new key is durable as checkpoint.next before the row that names it is; after the commit it is
 * renamed over the old one. So whatever the newest row names is in one of the two files after a
 * crash at any moment, and the start looks into both.
 */
#include "audit/signing.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scope.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char KEY[] = "checkpoint.key", NEXT[] = "checkpoint.next", PUBLIC[] = "checkpoint.pub";
static const int64_t DAY_NS = 86400ll * S_NS, RETRY_NS = 60ll * S_NS;

/* What the rows of `signer` say: the first key and the newest. */
struct history {
    bool any;
    uint8_t first[KEY_BYTES], newest[KEY_BYTES];
    int64_t since_ns;
};

static int read_row(struct stmt *row, struct history *h, char origin[ORIGIN_BYTES], struct err *err)
{
    struct signer signer;
    struct view key = stmt_blob(row, 0);
    if (key.len != KEY_BYTES)
        return err_set(err, ERR_STORE, "a signer without a key");
    if (!h->any) {
        memcpy(h->first, key.data, KEY_BYTES);
        memcpy(h->newest, key.data, KEY_BYTES);
        note_origin(h->first, origin);
    }
    h->any = true;
    if (signer_read(view_of(stmt_text(row, 1)), origin, h->newest, &signer, err) ||
        memcmp(signer.public_key, key.data, KEY_BYTES) != 0)
        return err_set(err, ERR_STORE,
                       "table signer is not what its keys have signed; look with "
                       "corral audit verify");
    memcpy(h->newest, key.data, KEY_BYTES);
    h->since_ns = signer.time_ns;
    return 0;
}

static int read_history(struct db *db, struct history *h, char origin[ORIGIN_BYTES],
                        struct err *err)
{
    SCOPED(stmt_free) struct stmt *rows = NULL;
    int got;
    if (db_prepare(db, "SELECT public_key, note FROM signer ORDER BY first_size", &rows, err))
        return -1;
    while ((got = stmt_step(rows, err)) == 1)
        if (read_row(rows, h, origin, err))
            return -1;
    return got;
}

static bool is_there(const struct signing *s, const char *name)
{
    return !faccessat(s->dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* The first key of this record. One may be here from a start that did not come further. */
static int make_key(struct signing *s, struct err *err)
{
    if (s->is_complete)
        return err_set(err, ERR_STORE,
                       "audit.db is empty or was never signed, but %s says that a record was; to "
                       "begin a new record, move checkpoint.* away as well",
                       PUBLIC);
    if (is_there(s, KEY)) {
        if (keys_sign_load(s->dirfd, KEY, &s->key, err))
            return -1;
    } else {
        keys_sign_make(&s->key);
        if (keys_sign_save(s->dirfd, KEY, &s->key, err))
            return -1;
    }
    note_origin(s->key.public_key, s->origin);
    return 0;
}

/* Overwrites the old key in place, then lets the new one stand there. */
static int put_next(struct signing *s, struct err *err)
{
    static const char zeros[512];
    SCOPED(fd_close) int fd = openat(s->dirfd, KEY, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && (file_write_all_at(fd, zeros, sizeof zeros, 0, err) || file_sync(fd, err)))
        return err_add(err, "wiping %s", KEY);
    fault_point("audit.key");
    if (renameat(s->dirfd, NEXT, s->dirfd, KEY))
        return err_sys(err, "renaming %s", NEXT);
    return dir_sync(s->dirfd, err);
}

static int find_key(struct signing *s, const struct history *h, struct err *err)
{
    struct err why;
    if (!keys_sign_load(s->dirfd, KEY, &s->key, &why) &&
        !memcmp(s->key.public_key, h->newest, KEY_BYTES))
        return 0;
    if (!keys_sign_load(s->dirfd, NEXT, &s->key, &why) &&
        !memcmp(s->key.public_key, h->newest, KEY_BYTES))
        return put_next(s, err) || signing_publish(s, err) ? -1 : 0;
    return err_set(err, ERR_STORE,
                   "%s is not the key that signed audit.db last; put it back, or move audit.db* "
                   "and checkpoint.* away to begin a new record",
                   KEY);
}

int signing_open(struct signing *s, const char *path, struct db *db, struct err *err)
{
    struct history h = {0};
    s->dirfd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (s->dirfd < 0)
        return err_sys(err, "opening %s", path);
    s->is_complete = is_there(s, PUBLIC);
    if (read_history(db, &h, s->origin, err) || (h.any ? find_key(s, &h, err) : make_key(s, err)))
        return -1;
    s->is_begun = h.any;
    s->since_ns = h.since_ns;
    return db_prepare(db, "INSERT INTO signer(first_size, public_key, note) VALUES(?1, ?2, ?3)",
                      &s->add, err);
}

void signing_close(struct signing *s)
{
    stmt_free(&s->add);
    keys_sign_wipe(&s->key);
    keys_sign_wipe(&s->next);
    if (s->dirfd > 0)
        close(s->dirfd);
    s->dirfd = 0;
}

static int add_row(struct signing *s, const struct signer *signer, struct err *err)
{
    char note[NOTE_BYTES];
    signer_sign(signer, s->origin, &s->key, note);
    stmt_bind_int(s->add, 1, signer->first_size);
    stmt_bind_blob(s->add, 2, (struct view){signer->public_key, KEY_BYTES});
    stmt_bind_text(s->add, 3, note);
    return stmt_run(s->add, err);
}

int signing_begin(struct signing *s, struct err *err)
{
    struct signer first = {.time_ns = clock_wall_ns()};
    memcpy(first.public_key, s->key.public_key, KEY_BYTES);
    s->since_ns = first.time_ns;
    return add_row(s, &first, err);
}

int signing_renew(struct signing *s, int64_t size, struct err *err)
{
    struct signer next = {.first_size = size, .time_ns = clock_wall_ns()};
    struct err why;
    if (next.time_ns - s->since_ns < DAY_NS || next.time_ns < s->retry_ns)
        return 0;
    keys_sign_make(&s->next);
    if (keys_sign_save(s->dirfd, NEXT, &s->next, &why)) {
        log_warn("audit.key_kept error=\"%s\"", why.text);
        s->retry_ns = next.time_ns + RETRY_NS;
        return 0;
    }
    memcpy(next.public_key, s->next.public_key, KEY_BYTES);
    s->has_next = true;
    return add_row(s, &next, err);
}

const struct sign_key *signing_key(const struct signing *s)
{
    return s->has_next ? &s->next : &s->key;
}

/* The row is committed. What fails here is done by the next start. */
void signing_committed(struct signing *s)
{
    struct err err;
    if (!s->has_next)
        return;
    s->since_ns = clock_wall_ns();
    s->key = s->next;
    s->has_next = false;
    keys_sign_wipe(&s->next);
    if (put_next(s, &err) || signing_publish(s, &err))
        log_warn("audit.old_key_left error=\"%s\"", err.text);
}

void signing_undo(struct signing *s)
{
    s->has_next = false;
    keys_sign_wipe(&s->next);
}

int signing_publish(struct signing *s, struct err *err)
{
    char line[NOTE_KEY_BYTES], text[NOTE_KEY_BYTES + 1];
    note_key_show(s->origin, s->key.public_key, line);
    int len = snprintf(text, sizeof text, "%s\n", line);
    if (file_replace(s->dirfd, PUBLIC, text, (size_t)len, 0644, err))
        return -1;
    s->is_complete = true;
    return 0;
}
