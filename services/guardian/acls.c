/* acls.c - the volume ACLs; see acls.h. */
#include "guardian/acls.h"

#include "base/mem.h"
#include "base/scope.h"

#include <stdlib.h>
#include <string.h>

enum { ACL_MAX_BYTES = 64 * 1024 };

const char acls_schema[] = "CREATE TABLE volume_acl (acl_id TEXT PRIMARY KEY, tenant TEXT NOT NULL,"
                           " body BLOB NOT NULL) STRICT;";

/* An ACL with the bytes that its lists point into. */
struct kept {
    struct volume_acl acl;
    struct bytes body;
};

struct acls {
    struct volume_acl **rows; /* each the beginning of a struct kept */
    size_t count, room;
};

static int add(struct db *db, const struct volume_acl *acl, struct err *err)
{
    SCOPED(bytes_close) struct bytes body = bytes_open(ACL_MAX_BYTES);
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (schema_encode(&message_volume_acl, acl, &body, err) ||
        db_prepare(db, "INSERT OR REPLACE INTO volume_acl VALUES (?1, ?2, ?3)", &s, err))
        return -1;
    stmt_bind_text(s, 1, acl->acl_id);
    stmt_bind_text(s, 2, acl->tenant);
    stmt_bind_blob(s, 3, bytes_view(&body));
    return stmt_run(s, err);
}

static int drop(struct db *db, const struct volume_acl *acl, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db, "DELETE FROM volume_acl WHERE acl_id = ?1", &s, err))
        return -1;
    stmt_bind_text(s, 1, acl->acl_id);
    return stmt_run(s, err);
}

int acls_apply(struct db *db, const struct journal_record *record, const struct event *event,
               struct err *err)
{
    (void)record;
    if (strcmp(event->phase, "result") != 0 || strcmp(event->status, "success") != 0)
        return 0;
    return !strcmp(event->kind, "acl_add") ? add(db, &event->acl, err) : drop(db, &event->acl, err);
}

int acls_load(struct db *db, struct acls **acls, struct err *err)
{
    SCOPED(acls_free) struct acls *loaded = mem_new(1, sizeof *loaded);
    SCOPED(stmt_free) struct stmt *s = NULL;
    struct volume_acl acl;
    int got;
    if (!loaded)
        return err_set(err, ERR_MEMORY, "no memory for volume ACLs");
    if (db_prepare(db, "SELECT body FROM volume_acl", &s, err))
        return -1;
    while ((got = stmt_step(s, err)) == 1)
        if (schema_decode(&message_volume_acl, stmt_blob(s, 0), SCHEMA_LENIENT, &acl, err) ||
            acls_put(loaded, &acl, err))
            return err_add(err, "a volume ACL in the database");
    if (got)
        return -1;
    *acls = TAKE(loaded);
    return 0;
}

static void kept_free(struct volume_acl *acl)
{
    struct kept *kept = (struct kept *)acl;
    bytes_close(&kept->body);
    free(kept);
}

void acls_free(struct acls **acls)
{
    if (!*acls)
        return;
    for (size_t i = 0; i < (*acls)->count; i++)
        kept_free((*acls)->rows[i]);
    free((*acls)->rows);
    free(*acls);
    *acls = NULL;
}

struct volume_acls acls_view(const struct acls *acls)
{
    if (!acls)
        return (struct volume_acls){0};
    return (struct volume_acls){(const struct volume_acl *const *)acls->rows, acls->count};
}

/* The place of an id, or where it would be. */
static size_t place_of(const struct acls *acls, const char *acl_id)
{
    size_t low = 0, high = acls->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(acls->rows[middle]->acl_id, acl_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct acls *acls, size_t at, const char *acl_id)
{
    return at < acls->count && !strcmp(acls->rows[at]->acl_id, acl_id);
}

const struct volume_acl *acls_find(const struct acls *acls, const char *acl_id)
{
    size_t at = place_of(acls, acl_id);
    return is_at(acls, at, acl_id) ? acls->rows[at] : NULL;
}

size_t acls_count(const struct acls *acls, const char *tenant)
{
    size_t count = 0;
    for (size_t i = 0; i < acls->count; i++)
        count += !strcmp(acls->rows[i]->tenant, tenant);
    return count;
}

static int make_room(struct acls *acls, struct err *err)
{
    if (acls->count < acls->room)
        return 0;
    size_t room = acls->room ? 2 * acls->room : 16;
    void *rows = mem_resize(acls->rows, room * sizeof acls->rows[0]);
    if (!rows)
        return err_set(err, ERR_MEMORY, "no memory for a volume ACL");
    acls->rows = rows;
    acls->room = room;
    return 0;
}

int acls_put(struct acls *acls, const struct volume_acl *acl, struct err *err)
{
    struct kept *kept = mem_new(1, sizeof *kept);
    if (!kept)
        return err_set(err, ERR_MEMORY, "no memory for a volume ACL");
    kept->body = bytes_open(ACL_MAX_BYTES);
    if (schema_encode(&message_volume_acl, acl, &kept->body, err) ||
        schema_decode(&message_volume_acl, bytes_view(&kept->body), SCHEMA_LENIENT, &kept->acl,
                      err) ||
        make_room(acls, err)) {
        kept_free(&kept->acl);
        return -1;
    }
    acls_drop(acls, acl->acl_id);
    size_t at = place_of(acls, acl->acl_id);
    memmove(acls->rows + at + 1, acls->rows + at, (acls->count - at) * sizeof acls->rows[0]);
    acls->rows[at] = &kept->acl;
    acls->count++;
    return 0;
}

void acls_drop(struct acls *acls, const char *acl_id)
{
    size_t at = place_of(acls, acl_id);
    if (!is_at(acls, at, acl_id))
        return;
    kept_free(acls->rows[at]);
    acls->count--;
    memmove(acls->rows + at, acls->rows + at + 1, (acls->count - at) * sizeof acls->rows[0]);
}
