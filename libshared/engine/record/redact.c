/* redact.c - secrets out of texts; see redact.h. Messages are redact_message.c's. */
#include "engine/record/redact.h"

#include "base/file.h"
#include "base/rand.h"
#include "base/scope.h"
#include "base/text.h"
#include "data/pack.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char KEY_FILE[] = "redact.key";

enum { SHOWN_BYTES = 4, MIN_HASH_BYTES = crypto_generichash_BYTES_MIN };

int redactor_open(int dirfd, struct redactor *redactor, struct err *err)
{
    SCOPED(fd_close) int fd = -1;
    uint8_t key[REDACT_KEY_BYTES + 1];
    size_t got;
    assert(sodium_init() >= 0);
    if (!file_open_private(dirfd, KEY_FILE, &fd, err)) {
        if (file_read_at(fd, key, sizeof key, 0, &got, err))
            return -1;
        if (got != REDACT_KEY_BYTES)
            return err_set(err, ERR_CONFIG, "%s has not %d bytes; without it a new one is made",
                           KEY_FILE, REDACT_KEY_BYTES);
        memcpy(redactor->key, key, REDACT_KEY_BYTES);
        return 0;
    }
    if (err->code != ERR_NOT_FOUND)
        return err_add(err, "%s", KEY_FILE);
    rand_fill(redactor->key, sizeof redactor->key);
    return file_replace(dirfd, KEY_FILE, redactor->key, sizeof redactor->key, 0600, err);
}

static int add_mark(const struct redactor *r, const struct secret *s, struct view text,
                    struct bytes *to, struct err *err)
{
    uint8_t hash[MIN_HASH_BYTES];
    char hex[2 * SHOWN_BYTES + 1];
    crypto_generichash(hash, sizeof hash, text.data + s->at, s->len, r->key, sizeof r->key);
    text_hex(hex, hash, SHOWN_BYTES);
    return bytes_addf(to, err, "[redacted:%s:%zu:%s]", s->kind, s->len, hex);
}

int redact_text(const struct redactor *redactor, enum secret_form form, struct view text,
                struct bytes *to, int64_t *count, struct err *err)
{
    struct secret_search search = secret_search(form, text);
    struct secret s;
    size_t at = 0;
    while (secret_next(&search, &s)) {
        if (bytes_add(to, text.data + at, s.at - at, err) || add_mark(redactor, &s, text, to, err))
            return -1;
        at = s.at + s.len;
        ++*count;
    }
    return bytes_add(to, text.data ? text.data + at : NULL, text.len - at, err);
}

/* A text of an encoded message: as long as it was, or shorter. A blob may be cut anywhere. */
static int redact_value(const struct redactor *r, struct value *v, struct bytes *scratch,
                        int64_t *count, struct err *err)
{
    int64_t found = 0;
    bytes_clear(scratch);
    if (redact_text(r, SECRET_PLAIN, v->bytes, scratch, &found, err))
        return -1;
    if (!found)
        return 0;
    *count += found;
    size_t len = v->bytes.len < scratch->len ? v->bytes.len : scratch->len;
    while (v->type == PACK_TEXT && len && len < scratch->len && (scratch->data[len] & 0xc0) == 0x80)
        len--;
    v->bytes = (struct view){scratch->data, len};
    return 0;
}

static void pack_value(struct pack *p, const struct value *v)
{
    switch (v->type) {
    case PACK_NIL:
        pack_nil(p);
        break;
    case PACK_BOOL:
        pack_bool(p, v->boolean);
        break;
    case PACK_INT:
        pack_int(p, v->integer);
        break;
    case PACK_REAL:
        pack_real(p, v->real);
        break;
    case PACK_TEXT:
        pack_str(p, v->bytes);
        break;
    case PACK_BLOB:
        pack_blob(p, v->bytes);
        break;
    case PACK_ARRAY:
        pack_array(p, v->count);
        break;
    case PACK_MAP:
        pack_map(p, v->count);
        break;
    }
}

int redact_packed(const struct redactor *redactor, struct view message, struct bytes *to,
                  int64_t *count, struct err *err)
{
    SCOPED(bytes_close) struct bytes scratch = bytes_open(16 * FRAME_MAX_BYTES);
    struct pack p = pack_begin(to, err);
    while (message.len) {
        struct value v;
        if (pack_next(&message, &v, err))
            return -1;
        if ((v.type == PACK_TEXT || v.type == PACK_BLOB) &&
            redact_value(redactor, &v, &scratch, count, err))
            return -1;
        pack_value(&p, &v);
    }
    return pack_end(&p);
}
