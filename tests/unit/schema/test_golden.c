/* Golden files: what every released version wrote is read for ever, and what this version writes
 * does not change unseen.
 *
 *   unit_schema_golden            checks tests/unit/schema/golden/<major>.<minor>/<message>.hex
 *   unit_schema_golden --write    writes the files of the version in schema/message.h, for a person
 * to look at
 */
#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "schema/message.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GOLDEN SOURCE_DIR "/tests/unit/schema/golden"

enum { STORES = 64, STORE_BYTES = 64 * 1024 };

static struct err err;
static struct bytes stores[STORES]; /* what lists of the messages being filled point into */
static size_t store_count;

static struct bytes *new_store(void)
{
    assert_true(store_count < STORES);
    stores[store_count] = bytes_open(STORE_BYTES);
    return &stores[store_count++];
}

static int drop_stores(void **state)
{
    (void)state;
    while (store_count)
        bytes_close(&stores[--store_count]);
    return 0;
}

static void fill(const struct message *m, void *out);

static void fill_text(const struct field *f, char *to)
{
    const char *words = f->type == FIELD_CHOICE ? f->choices : f->name;
    size_t len = strcspn(words, "|");
    if (len > (size_t)f->max)
        len = (size_t)f->max;
    memcpy(to, words, len);
    to[len] = 0;
}

static void fill_list(const struct field *f, struct list *to)
{
    struct bytes *store = new_store();
    for (int i = 0; i < 2; i++) {
        uint64_t item[4096];
        int failed;
        if (f->type == FIELD_TEXTS) {
            failed = list_add_text(store, to, view_of(i ? "two" : "one"), &err);
        } else {
            fill(f->record, item);
            failed = list_add(store, to, f->record, item, &err);
        }
        assert_int_equal(failed, 0);
    }
}

static void fill_field(const struct field *f, void *to)
{
    int64_t integer = f->max < 77 ? f->max : f->min > 77 ? f->min : 77;
    double real = (double)integer;
    bool yes = true;
    struct view text =
        f->max < 8 ? view_of("t") : view_of("t\xc3\xa4xt"); /* some fields are short */
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_CHOICE:
        fill_text(f, to);
        break;
    case FIELD_LONG:
    case FIELD_BLOB:
        memcpy(to, &text, sizeof text);
        break;
    case FIELD_INT:
        memcpy(to, &integer, sizeof integer);
        break;
    case FIELD_REAL:
        memcpy(to, &real, sizeof real);
        break;
    case FIELD_BOOL:
        memcpy(to, &yes, sizeof yes);
        break;
    case FIELD_RECORD:
        fill(f->record, to);
        break;
    case FIELD_TEXTS:
    case FIELD_RECORDS:
        fill_list(f, to);
        break;
    case FIELD_SINCE:
        break;
    }
}

/* Every field there is, with a value that its row allows. */
static void fill(const struct message *m, void *out)
{
    size_t count;
    const struct field *rows = m->rows(&count);
    memset(out, 0, m->size);
    for (size_t i = 0; i < count; i++) {
        fill_field(&rows[i], (uint8_t *)out + rows[i].offset);
        if (rows[i].type != FIELD_SINCE)
            schema_mark(m, out, rows[i].name);
    }
}

static void encode_filled(const struct message *m, struct bytes *to)
{
    uint64_t room[4096];
    assert_true(m->size <= sizeof room);
    fill(m, room);
    if (schema_encode(m, room, to, &err))
        fail_msg("%s", err.text);
}

static void path_of(char path[512], const char *version, const char *message)
{
    snprintf(path, 512, GOLDEN "/%s/%s.hex", version, message);
}

/* Reads a file of hex lines. */
static void read_golden(const char *version, const char *message, struct bytes *to)
{
    char path[512];
    SCOPED(bytes_close) struct bytes hex = {0};
    path_of(path, version, message);
    if (file_read(AT_FDCWD, path, STORE_BYTES, &hex, &err))
        fail_msg("%s", err.text);
    char *out = (char *)hex.data;
    for (const char *at = out; *at; at++)
        if (*at != '\n')
            *out++ = *at;
    *out = 0;
    size_t len = strlen((char *)hex.data) / 2;
    uint8_t *room = bytes_reserve(to, len, &err);
    assert_non_null(room);
    assert_true(text_unhex(room, len, (char *)hex.data));
    bytes_grew(to, len);
}

static void current(char version[16])
{
    snprintf(version, 16, "%d.%d", SCHEMA_MAJOR, SCHEMA_MINOR);
}

static void this_version_writes_what_its_golden_files_hold(void **state)
{
    (void)state;
    char version[16];
    current(version);
    for (size_t i = 0; schema_messages[i]; i++) {
        SCOPED(bytes_close) struct bytes fresh = bytes_open(STORE_BYTES);
        SCOPED(bytes_close) struct bytes golden = bytes_open(STORE_BYTES);
        encode_filled(schema_messages[i], &fresh);
        read_golden(version, schema_messages[i]->name, &golden);
        if (!view_equal(bytes_view(&fresh), bytes_view(&golden)))
            fail_msg("%s is written otherwise than its golden file says", schema_messages[i]->name);
        drop_stores(NULL);
    }
}

static const struct message *find(const char *name, size_t len)
{
    for (size_t i = 0; schema_messages[i]; i++)
        if (strlen(schema_messages[i]->name) == len && !memcmp(schema_messages[i]->name, name, len))
            return schema_messages[i];
    fail_msg("%s: no such message any more", name);
    return NULL;
}

static void read_version(const char *version, int *files)
{
    char path[512];
    snprintf(path, sizeof path, GOLDEN "/%s", version);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        uint64_t room[4096];
        SCOPED(bytes_close) struct bytes golden = bytes_open(STORE_BYTES);
        const char *dot = strstr(e->d_name, ".hex");
        if (!dot)
            continue;
        const struct message *m = find(e->d_name, (size_t)(dot - e->d_name));
        read_golden(version, m->name, &golden);
        if (schema_decode(m, bytes_view(&golden), SCHEMA_STRICT, room, &err))
            fail_msg("%s/%s", version, err.text);
        ++*files;
    }
    closedir(dir);
}

static void what_any_released_version_wrote_is_read(void **state)
{
    (void)state;
    int files = 0;
    DIR *dir = opendir(GOLDEN);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir))
        if (e->d_name[0] != '.')
            read_version(e->d_name, &files);
    closedir(dir);
    assert_true(files > 30);
}

static int write_files(void)
{
    char version[16], path[512];
    current(version);
    for (size_t i = 0; schema_messages[i]; i++) {
        SCOPED(bytes_close) struct bytes fresh = bytes_open(STORE_BYTES);
        SCOPED(bytes_close) struct bytes text = bytes_open(4 * STORE_BYTES);
        char hex[65];
        encode_filled(schema_messages[i], &fresh);
        for (size_t at = 0; at < fresh.len; at += 32) {
            text_hex(hex, fresh.data + at, fresh.len - at < 32 ? fresh.len - at : 32);
            if (bytes_addf(&text, &err, "%s\n", hex))
                return 1;
        }
        snprintf(path, sizeof path, GOLDEN "/%s", version);
        if (dir_make(path, 0755, &err))
            return 1;
        path_of(path, version, schema_messages[i]->name);
        if (file_replace(AT_FDCWD, path, text.data, text.len, 0644, &err))
            return 1;
        drop_stores(NULL);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(this_version_writes_what_its_golden_files_hold, drop_stores),
        cmocka_unit_test(what_any_released_version_wrote_is_read),
    };
    if (argc > 1 && !strcmp(argv[1], "--write"))
        return write_files();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
