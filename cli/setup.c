/* setup.c - keys, registry and connection files; see setup.h. */
#include "cli/setup.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "net/connection.h"
#include "net/registry_file.h"
#include "schema/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES = PLACE_STATE_BYTES + 32 };

/* What the files are made of. */
struct setup {
    const struct place *place;
    char keys[PARTS][KEY_TEXT_BYTES]; /* public */
    char verdict_key[65];             /* public, hex */
    struct key_pair admin;
    struct bytes endpoints; /* the items of `services` */
    struct list services;
};

static void setup_close(struct setup *setup)
{
    keys_wipe(&setup->admin);
    bytes_close(&setup->endpoints);
}

static void below(const struct setup *s, const char *name, char path[FILE_BYTES])
{
    snprintf(path, FILE_BYTES, "%s/%s", s->place->state, name);
}

/* A directory that belongs to a service; -1 for the owner means us. */
static int make_folder(const struct setup *s, const char *name, enum part part, mode_t mode,
                       struct err *err)
{
    char path[FILE_BYTES];
    below(s, name, path);
    uid_t uid = s->place->owner[part].uid;
    gid_t gid = s->place->owner[part].gid;
    bool is_new = !mkdir(path, 0700);
    if (!is_new && errno != EEXIST)
        return err_sys(err, "mkdir %s", path);
    if (is_new && !geteuid() && lchown(path, uid, gid))
        return err_sys(err, "giving %s to uid %u", path, (unsigned)uid);
    if (is_new && chmod(path, mode))
        return err_sys(err, "chmod %s", path);
    struct stat st;
    if (lstat(path, &st))
        return err_sys(err, "looking at %s", path);
    if (!S_ISDIR(st.st_mode) || st.st_uid != uid || (st.st_mode & 07777) != mode)
        return err_set(err, ERR_INVALID,
                       "%s has to be a directory of uid %u with mode %o, but has uid %u, mode %o",
                       path, (unsigned)uid, (unsigned)mode, (unsigned)st.st_uid,
                       (unsigned)st.st_mode & 07777);
    return 0;
}

/* Reads a service's key, or makes it; runs as the service. */
static int own_key(struct setup *s, enum part part, struct err *err)
{
    char path[FILE_BYTES], name[32];
    snprintf(name, sizeof name, "%s/service.key", part_name(part));
    below(s, name, path);
    SCOPED(keys_wipe) struct key_pair pair = {0};
    int failed = keys_load(AT_FDCWD, path, &pair, err);
    if (failed && err->code == ERR_NOT_FOUND) {
        keys_make(&pair);
        failed = keys_save(AT_FDCWD, path, &pair, err);
    }
    if (!failed)
        text_copy(s->keys[part], KEY_TEXT_BYTES, pair.public_key);
    return failed;
}

static int signing_key(struct setup *s, struct err *err)
{
    char path[FILE_BYTES];
    below(s, "guardian/signing.key", path);
    SCOPED(keys_sign_wipe) struct sign_key key = {0};
    int failed = keys_sign_load(AT_FDCWD, path, &key, err);
    if (failed && err->code == ERR_NOT_FOUND) {
        keys_sign_make(&key);
        failed = keys_sign_save(AT_FDCWD, path, &key, err);
    }
    if (!failed)
        text_hex(s->verdict_key, key.public_key, sizeof key.public_key);
    return failed;
}

static int make_keys(struct setup *s, struct err *err)
{
    for (enum part part = 0; part < PARTS; part++) {
        if (make_folder(s, part_name(part), part, 0700, err) || place_be(s->place, part, err))
            return -1;
        int failed = own_key(s, part, err) || (part == PART_GUARDIAN && signing_key(s, err));
        place_be_self();
        if (failed)
            return err_add(err, "keys of the %s", part_name(part));
    }
    return 0;
}

static int describe_services(struct setup *s, const struct config *config, struct err *err)
{
    for (enum part part = 0; part < PARTS; part++) {
        struct endpoint endpoint = {0};
        text_copy(endpoint.service, sizeof endpoint.service, part_name(part));
        text_copy(endpoint.server_key, sizeof endpoint.server_key, s->keys[part]);
        place_endpoint(s->place, part, "requests", endpoint.requests);
        if (part == PART_MANAGER) {
            place_endpoint(s->place, part, "publish", endpoint.publish);
            place_endpoint(s->place, part, "events", endpoint.events);
            text_copy(endpoint.listen, sizeof endpoint.listen, config->manager.listen);
        }
        if (part == PART_AUDIT)
            place_endpoint(s->place, part, "records", endpoint.publish);
        if (list_add(&s->endpoints, &s->services, &message_endpoint, &endpoint, err))
            return -1;
    }
    return 0;
}

/* The rows that every registry begins with: the services and the administrator. */
static struct registry_row first_row(const struct setup *s, enum part part)
{
    struct registry_row row = {.roles = ROLE_SERVICE};
    text_copy(row.public_key, sizeof row.public_key, s->keys[part]);
    text_copy(row.tenant, sizeof row.tenant, "system");
    text_copy(row.principal, sizeof row.principal, part_name(part));
    text_copy(row.service, sizeof row.service, part_name(part));
    return row;
}

static struct registry_row admin_row(const struct setup *s)
{
    struct registry_row row = {.roles = ROLE_ADMIN | ROLE_OPERATOR};
    text_copy(row.public_key, sizeof row.public_key, s->admin.public_key);
    text_copy(row.tenant, sizeof row.tenant, "default");
    text_copy(row.principal, sizeof row.principal, "admin");
    return row;
}

/* Makes the registry say what this row says about its principal. */
static int put_row(struct registry **registry, const struct registry_row *row, bool *changed,
                   struct err *err)
{
    int64_t now_s = clock_wall_ns() / S_NS;
    const struct registry_row *found = registry_find_key(*registry, row->public_key);
    if (found && found->roles == row->roles && !strcmp(found->tenant, row->tenant) &&
        !strcmp(found->principal, row->principal) && !strcmp(found->service, row->service))
        return 0;
    SCOPED(registry_release) struct registry *without = NULL;
    struct registry *with = NULL;
    if (registry_without_principal(*registry, row->tenant, row->principal, now_s, &without, err) ||
        registry_with_row(without, row, now_s, &with, err))
        return -1;
    registry_release(registry);
    *registry = with;
    *changed = true;
    return 0;
}

/* Reads the registry or begins one; runs as the guardian, to whom the file belongs. */
static int make_registry(const struct setup *s, struct err *err)
{
    char path[FILE_BYTES];
    below(s, "public/registry.json", path);
    SCOPED(registry_release) struct registry *registry = NULL;
    struct registry_parts none = {0};
    int64_t now_s = clock_wall_ns() / S_NS;
    bool changed = false;
    if (registry_load(AT_FDCWD, path, now_s, &registry, err) &&
        (err->code != ERR_NOT_FOUND || registry_make(&none, now_s, &registry, err)))
        return -1;
    for (enum part part = 0; part < PARTS; part++) {
        struct registry_row row = first_row(s, part);
        if (put_row(&registry, &row, &changed, err))
            return -1;
    }
    struct registry_row admin = admin_row(s);
    if (put_row(&registry, &admin, &changed, err))
        return -1;
    return changed ? registry_save(AT_FDCWD, path, registry, err) : 0;
}

static int write_services(const struct setup *s, struct err *err)
{
    char path[FILE_BYTES];
    struct services services = {.services = s->services};
    SCOPED(bytes_close) struct bytes text = bytes_open(65536);
    below(s, "public/services.json", path);
    text_copy(services.instance, sizeof services.instance, s->place->instance);
    text_copy(services.verdict_key, sizeof services.verdict_key, s->verdict_key);
    if (schema_json(&message_services, &services, 2, &text, err) || bytes_add(&text, "\n", 1, err))
        return -1;
    return file_replace(AT_FDCWD, path, text.data, text.len, 0644, err);
}

/* The administrator's key stays; where the services are is written anew. */
static int write_admin(struct setup *s, struct err *err)
{
    char path[FILE_BYTES];
    below(s, "admin.json", path);
    SCOPED(connection_close) struct connection_file file = {0};
    if (!connection_load(AT_FDCWD, path, &file, err)) {
        s->admin = connection_keys(&file.connection);
    } else if (err->code == ERR_NOT_FOUND) {
        keys_make(&s->admin);
    } else {
        return -1;
    }
    struct connection admin = {.services = s->services};
    text_copy(admin.tenant, sizeof admin.tenant, "default");
    text_copy(admin.principal, sizeof admin.principal, "admin");
    text_copy(admin.public_key, sizeof admin.public_key, s->admin.public_key);
    text_copy(admin.secret_key, sizeof admin.secret_key, s->admin.secret_key);
    int failed = connection_save(AT_FDCWD, path, &admin, err);
    explicit_bzero(&admin, sizeof admin);
    return failed;
}

int setup_make(const struct place *place, const struct config *config, struct err *err)
{
    SCOPED(setup_close) struct setup s = {.place = place, .endpoints = bytes_open(65536)};
    if (make_keys(&s, err) || make_folder(&s, "leases", PART_MANAGER, 0700, err) ||
        make_folder(&s, "public", PART_GUARDIAN, 0755, err) || describe_services(&s, config, err) ||
        write_admin(&s, err) || place_be(place, PART_GUARDIAN, err))
        return -1;
    int failed = make_registry(&s, err) || write_services(&s, err);
    place_be_self();
    return failed ? -1 : 0;
}
