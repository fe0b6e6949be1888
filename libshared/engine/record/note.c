/* note.c - what the audit signs; see note.h. */
#include "engine/record/note.h"

#include "base/scope.h"
#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

_Static_assert(KEY_BYTES == crypto_sign_PUBLICKEYBYTES, "Ed25519");

enum {
    KIND_ED25519 = 1, /* of C2SP's key and signature types */
    KEY_ID_BYTES = 4,
    SIGNATURE_BYTES = KEY_ID_BYTES + crypto_sign_BYTES,
    SIGNATURE_TEXT = sodium_base64_ENCODED_LEN(SIGNATURE_BYTES, sodium_base64_VARIANT_ORIGINAL),
    ROOT_TEXT = sodium_base64_ENCODED_LEN(MERKLE_HASH_BYTES, sodium_base64_VARIANT_ORIGINAL),
    KEY_TEXT = sodium_base64_ENCODED_LEN(1 + KEY_BYTES, sodium_base64_VARIANT_ORIGINAL)
};

void note_origin(const uint8_t first_key[KEY_BYTES], char origin[ORIGIN_BYTES])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    char hex[17];
    crypto_hash_sha256(hash, first_key, KEY_BYTES);
    text_hex(hex, hash, 8);
    snprintf(origin, ORIGIN_BYTES, "corral.audit/%s", hex);
}

/* C2SP: the first bytes of SHA-256(name || newline || kind || key). */
static void key_id(const char *origin, const uint8_t public_key[KEY_BYTES],
                   uint8_t id[KEY_ID_BYTES])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    const uint8_t kind[] = {'\n', KIND_ED25519};
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)origin, strlen(origin));
    crypto_hash_sha256_update(&state, kind, sizeof kind);
    crypto_hash_sha256_update(&state, public_key, KEY_BYTES);
    crypto_hash_sha256_final(&state, hash);
    memcpy(id, hash, KEY_ID_BYTES);
}

static void checkpoint_text(const struct checkpoint *c, const char *origin, char text[NOTE_BYTES])
{
    char root[ROOT_TEXT];
    sodium_bin2base64(root, sizeof root, c->root.bytes, MERKLE_HASH_BYTES,
                      sodium_base64_VARIANT_ORIGINAL);
    snprintf(text, NOTE_BYTES, "%s\n%" PRId64 "\n%s\ntime %" PRId64 "\nafter %" PRId64 "\n", origin,
             c->size, root, c->time_ns, c->after);
}

static void signer_text(const struct signer *s, const char *origin, char text[NOTE_BYTES])
{
    char hex[2 * KEY_BYTES + 1];
    text_hex(hex, s->public_key, KEY_BYTES);
    snprintf(text, NOTE_BYTES, "%s\nsigner %" PRId64 "\n%s\ntime %" PRId64 "\n", origin,
             s->first_size, hex, s->time_ns);
}

/* Puts the signature's line behind a text. */
static void add_signature(const uint8_t signature[SIGNATURE_BYTES], const char *origin,
                          char note[NOTE_BYTES])
{
    char word[SIGNATURE_TEXT];
    size_t len = strlen(note);
    sodium_bin2base64(word, sizeof word, signature, SIGNATURE_BYTES,
                      sodium_base64_VARIANT_ORIGINAL);
    int more = snprintf(note + len, NOTE_BYTES - len, "\n\xe2\x80\x94 %s %s\n", origin, word);
    assert(more > 0 && len + (size_t)more < NOTE_BYTES);
}

static void sign(const char *origin, const struct sign_key *key, char note[NOTE_BYTES])
{
    uint8_t signature[SIGNATURE_BYTES];
    assert(sodium_init() >= 0);
    key_id(origin, key->public_key, signature);
    crypto_sign_detached(signature + KEY_ID_BYTES, NULL, (const uint8_t *)note, strlen(note),
                         key->secret_key);
    add_signature(signature, origin, note);
}

void checkpoint_sign(const struct checkpoint *c, const char *origin, const struct sign_key *key,
                     char note[NOTE_BYTES])
{
    checkpoint_text(c, origin, note);
    sign(origin, key, note);
}

void signer_sign(const struct signer *s, const char *origin, const struct sign_key *by,
                 char note[NOTE_BYTES])
{
    signer_text(s, origin, note);
    sign(origin, by, note);
}

/* The first lines of a note; false when there are fewer, or one is longer than any of ours. */
enum { CHECKPOINT_LINES = 5, SIGNER_LINES = 4, LINE_BYTES = 80 };
static bool read_lines(struct view note, int count, char lines[][LINE_BYTES])
{
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        size_t len = 0;
        while (at + len < note.len && note.data[at + len] != '\n')
            len++;
        if (at + len == note.len || len >= LINE_BYTES)
            return false;
        memcpy(lines[i], note.data + at, len);
        lines[i][len] = 0;
        at += len + 1;
    }
    return true;
}

/* A number as it is printed; whatever else stands there shows when the text is written anew. */
static int64_t number_of(const char *line, const char *before)
{
    int64_t number = -1;
    size_t len = strlen(before);
    if (!strncmp(line, before, len))
        sscanf(line + len, "%" SCNd64, &number);
    return number;
}

/* The note must be `text`, which the caller made of what it read, and its signature. */
static int check(struct view note, const char *origin, const uint8_t public_key[KEY_BYTES],
                 const char *text, struct err *err)
{
    uint8_t signature[SIGNATURE_BYTES] = {0}, id[KEY_ID_BYTES];
    char again[NOTE_BYTES];
    size_t len = strlen(text), got;
    snprintf(again, sizeof again, "%s", text);
    if (note.len < len + SIGNATURE_TEXT ||
        sodium_base642bin(signature, sizeof signature,
                          (const char *)note.data + note.len - SIGNATURE_TEXT, SIGNATURE_TEXT - 1,
                          NULL, &got, NULL, sodium_base64_VARIANT_ORIGINAL) ||
        got != sizeof signature)
        return err_set(err, ERR_INVALID, "a note without a signature");
    add_signature(signature, origin, again);
    if (!view_equal(note, view_of(again)))
        return err_set(err, ERR_INVALID, "a note that is not written as one of %s", origin);
    key_id(origin, public_key, id);
    if (memcmp(id, signature, sizeof id) != 0 ||
        crypto_sign_verify_detached(signature + KEY_ID_BYTES, (const uint8_t *)text, len,
                                    public_key))
        return err_set(err, ERR_FORBIDDEN, "a note that another key has signed");
    return 0;
}

int checkpoint_read(struct view note, const char *origin, const uint8_t public_key[KEY_BYTES],
                    struct checkpoint *out, struct err *err)
{
    char lines[CHECKPOINT_LINES][LINE_BYTES], text[NOTE_BYTES];
    struct checkpoint c = {0};
    size_t got;
    assert(sodium_init() >= 0);
    if (!read_lines(note, CHECKPOINT_LINES, lines) ||
        sodium_base642bin(c.root.bytes, MERKLE_HASH_BYTES, lines[2], strlen(lines[2]), NULL, &got,
                          NULL, sodium_base64_VARIANT_ORIGINAL) ||
        got != MERKLE_HASH_BYTES)
        return err_set(err, ERR_INVALID, "no checkpoint");
    c.size = number_of(lines[1], "");
    c.time_ns = number_of(lines[3], "time ");
    c.after = number_of(lines[4], "after ");
    checkpoint_text(&c, origin, text);
    if (c.size < 0 || check(note, origin, public_key, text, err))
        return c.size < 0 ? err_set(err, ERR_INVALID, "a checkpoint without a size") : -1;
    *out = c;
    return 0;
}

int signer_read(struct view note, const char *origin, const uint8_t by[KEY_BYTES],
                struct signer *out, struct err *err)
{
    char lines[SIGNER_LINES][LINE_BYTES], text[NOTE_BYTES];
    struct signer s = {0};
    assert(sodium_init() >= 0);
    if (!read_lines(note, SIGNER_LINES, lines) || !text_unhex(s.public_key, KEY_BYTES, lines[2]))
        return err_set(err, ERR_INVALID, "no signer's note");
    s.first_size = number_of(lines[1], "signer ");
    s.time_ns = number_of(lines[3], "time ");
    signer_text(&s, origin, text);
    if (s.first_size < 0 || check(note, origin, by, text, err))
        return s.first_size < 0 ? err_set(err, ERR_INVALID, "a signer without a size") : -1;
    *out = s;
    return 0;
}

void note_key_show(const char *origin, const uint8_t public_key[KEY_BYTES], char to[NOTE_KEY_BYTES])
{
    uint8_t id[KEY_ID_BYTES], key[1 + KEY_BYTES] = {KIND_ED25519};
    char hex[2 * KEY_ID_BYTES + 1], word[KEY_TEXT];
    key_id(origin, public_key, id);
    text_hex(hex, id, sizeof id);
    memcpy(key + 1, public_key, KEY_BYTES);
    sodium_bin2base64(word, sizeof word, key, sizeof key, sodium_base64_VARIANT_ORIGINAL);
    snprintf(to, NOTE_KEY_BYTES, "%s+%s+%s", origin, hex, word);
}

/* Of "<origin>+<id>+<base64>", which must be what note_key_show makes of it. */
static bool read_key_line(const char *line, char origin[ORIGIN_BYTES],
                          uint8_t public_key[KEY_BYTES])
{
    uint8_t key[1 + KEY_BYTES];
    char again[NOTE_KEY_BYTES];
    size_t got, name = strcspn(line, "+");
    const char *word = line + name;
    for (int plus = 0; plus < 2 && word; plus++)
        word = strchr(word + plus, '+');
    if (!word || name >= ORIGIN_BYTES ||
        sodium_base642bin(key, sizeof key, word + 1, strlen(word + 1), NULL, &got, NULL,
                          sodium_base64_VARIANT_ORIGINAL) ||
        got != sizeof key)
        return false;
    snprintf(origin, ORIGIN_BYTES, "%.*s", (int)name, line);
    note_key_show(origin, key + 1, again);
    if (strcmp(again, line) != 0)
        return false;
    memcpy(public_key, key + 1, KEY_BYTES);
    return true;
}

int note_key_read(const char *text, char origin[ORIGIN_BYTES], uint8_t public_key[KEY_BYTES],
                  struct err *err)
{
    char line[NOTE_KEY_BYTES], name[ORIGIN_BYTES] = "";
    uint8_t key[KEY_BYTES];
    while (isspace((unsigned char)*text))
        text++;
    size_t len = strlen(text);
    while (len && isspace((unsigned char)text[len - 1]))
        len--;
    snprintf(line, sizeof line, "%.*s", (int)(len < sizeof line ? len : sizeof line), text);
    if (len >= sizeof line ||
        (!text_unhex(key, KEY_BYTES, line) && !read_key_line(line, name, key)))
        return err_set(err, ERR_INVALID,
                       "no public key: wanted is a line of checkpoint.pub, or 64 "
                       "hex digits");
    snprintf(origin, ORIGIN_BYTES, "%s", name);
    memcpy(public_key, key, KEY_BYTES);
    return 0;
}
