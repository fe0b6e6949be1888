/* keys.c - key pairs and their files; see keys.h. */
#include "net/keys.h"

#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

enum { FILE_MAX_BYTES = 1024, VALUE_BYTES = 65 };

/* What a key file says, before its values are understood. */
struct key_file {
    char kind[VALUE_BYTES];
    char public_key[VALUE_BYTES];
    char secret_key[VALUE_BYTES];
};

/* zmq_curve(7) prints these pairs, so everybody has their secrets. */
static const char *const PRINTED_KEYS[] = {
    "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
    "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
};

static void key_file_wipe(struct key_file *file)
{
    sodium_memzero(file, sizeof *file);
}

/* Where the value of `name` goes; NULL for a name that key files do not have. */
static char *key_file_field(struct key_file *file, const char *name)
{
    if (!strcmp(name, "kind"))
        return file->kind;
    if (!strcmp(name, "public-key"))
        return file->public_key;
    if (!strcmp(name, "secret-key"))
        return file->secret_key;
    return NULL;
}

/* Takes one line, already NUL-terminated. Error texts never quote the line: it may be a secret. */
static int parse_line(const char *line, int number, struct key_file *file, struct err *err)
{
    if (!*line || *line == '#')
        return 0;
    char name[16], value[VALUE_BYTES];
    int end = -1;
    int fields = sscanf(line, "%15[a-z-] = \"%64[!-!#-~]\"%n", name, value, &end);
    int result = 0;
    if (fields != 2 || end < 0 || line[end])
        result = err_set(err, ERR_INVALID, "line %d is not: name = \"value\"", number);
    char *field = result ? NULL : key_file_field(file, name);
    if (!result && !field)
        result = err_set(err, ERR_INVALID, "line %d: unknown name %s", number, name);
    if (!result && *field)
        result = err_set(err, ERR_INVALID, "line %d: %s stands twice", number, name);
    if (!result)
        text_copy(field, VALUE_BYTES, value);
    sodium_memzero(value, sizeof value);
    return result;
}

static int parse(char *text, const char *kind, struct key_file *file, struct err *err)
{
    int number = 1;
    for (char *line = text, *next; line; line = next, number++) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        if (parse_line(line, number, file, err))
            return -1;
    }
    if (strcmp(file->kind, kind))
        return err_set(err, ERR_INVALID, "kind is \"%s\", not \"%s\"", file->kind, kind);
    if (!*file->public_key || !*file->secret_key)
        return err_set(err, ERR_INVALID, "%s is missing",
                       *file->public_key ? "secret-key" : "public-key");
    return 0;
}

/* Reads into the caller's buffer, so that no copy of a secret stays in the heap. */
static int read_file(int dirfd, const char *path, char text[FILE_MAX_BYTES + 1], struct err *err)
{
    SCOPED(fd_close) int fd = -1;
    size_t got = 0;
    if (file_open_private(dirfd, path, &fd, err) ||
        file_read_at(fd, text, FILE_MAX_BYTES + 1, 0, &got, err))
        return -1;
    text[got > FILE_MAX_BYTES ? FILE_MAX_BYTES : got] = 0;
    if (got <= FILE_MAX_BYTES && strlen(text) == got)
        return 0;
    sodium_memzero(text, FILE_MAX_BYTES + 1);
    return got > FILE_MAX_BYTES
               ? err_set(err, ERR_INVALID, "%s has more than %d bytes", path, FILE_MAX_BYTES)
               : err_set(err, ERR_INVALID, "%s holds a NUL byte", path);
}

static int load(int dirfd, const char *path, const char *kind, struct key_file *file,
                struct err *err)
{
    char text[FILE_MAX_BYTES + 1];
    if (read_file(dirfd, path, text, err))
        return err_add(err, "key file");
    int result = parse(text, kind, file, err);
    sodium_memzero(text, sizeof text);
    return result ? err_add(err, "key file %s", path) : 0;
}

static int save(int dirfd, const char *path, const struct key_file *file, struct err *err)
{
    char text[FILE_MAX_BYTES];
    int len =
        snprintf(text, sizeof text, "kind = \"%s\"\npublic-key = \"%s\"\nsecret-key = \"%s\"\n",
                 file->kind, file->public_key, file->secret_key);
    assert(len > 0 && (size_t)len < sizeof text);
    int result = file_replace(dirfd, path, text, (size_t)len, 0600, err);
    sodium_memzero(text, sizeof text);
    return result ? err_add(err, "key file %s", path) : 0;
}

/* zmq_z85_decode checks the characters but takes any length that is a multiple of 5. */
static bool z85_decode(uint8_t raw[KEY_BYTES], const char *z85)
{
    return strlen(z85) == KEY_TEXT_BYTES - 1 && zmq_z85_decode(raw, z85);
}

void keys_show(char z85[KEY_TEXT_BYTES], const uint8_t raw[KEY_BYTES])
{
    zmq_z85_encode(z85, raw, KEY_BYTES);
}

int keys_check_public(const char *z85, struct err *err)
{
    uint8_t raw[KEY_BYTES], shared[KEY_BYTES];
    static const uint8_t any_scalar[KEY_BYTES] = {1};

    if (!z85_decode(raw, z85))
        return err_set(err, ERR_INVALID, "a public key is 40 characters of Z85");
    for (size_t i = 0; i < COUNT(PRINTED_KEYS); i++)
        if (!strcmp(z85, PRINTED_KEYS[i]))
            return err_set(err, ERR_INVALID, "a test key that zmq_curve(7) prints");
    if (crypto_scalarmult(shared, any_scalar, raw))
        return err_set(err, ERR_INVALID, "a public key of small order, such as all zeros");
    return 0;
}

void keys_make(struct key_pair *pair)
{
    uint8_t public_key[KEY_BYTES], secret_key[KEY_BYTES];
    assert(sodium_init() >= 0);
    crypto_box_keypair(public_key, secret_key);
    keys_show(pair->public_key, public_key);
    keys_show(pair->secret_key, secret_key);
    sodium_memzero(secret_key, sizeof secret_key);
}

void keys_wipe(struct key_pair *pair)
{
    sodium_memzero(pair, sizeof *pair);
}

/* The public key that belongs to a secret one; false when the text is no key. */
static bool derive_public(char public_key[KEY_TEXT_BYTES], const char *secret_key)
{
    uint8_t secret[KEY_BYTES], raw[KEY_BYTES];
    bool ok = z85_decode(secret, secret_key) && !crypto_scalarmult_base(raw, secret);
    if (ok)
        keys_show(public_key, raw);
    sodium_memzero(secret, sizeof secret);
    return ok;
}

int keys_check_pair(const struct key_pair *pair, struct err *err)
{
    char derived[KEY_TEXT_BYTES];
    if (keys_check_public(pair->public_key, err))
        return -1;
    if (!derive_public(derived, pair->secret_key) || strcmp(derived, pair->public_key))
        return err_set(err, ERR_INVALID, "the secret key does not belong to the public key");
    return 0;
}

int keys_load(int dirfd, const char *path, struct key_pair *pair, struct err *err)
{
    SCOPED(key_file_wipe) struct key_file file = {0};
    SCOPED(keys_wipe) struct key_pair read = {0};
    if (load(dirfd, path, "curve", &file, err))
        return -1;
    bool fits = text_copy(read.public_key, sizeof read.public_key, file.public_key) &&
                text_copy(read.secret_key, sizeof read.secret_key, file.secret_key);
    if (!fits)
        return err_set(err, ERR_INVALID, "key file %s: a key is 40 characters of Z85", path);
    if (keys_check_pair(&read, err))
        return err_add(err, "key file %s", path);
    *pair = read;
    return 0;
}

int keys_save(int dirfd, const char *path, const struct key_pair *pair, struct err *err)
{
    SCOPED(key_file_wipe) struct key_file file = {.kind = "curve"};
    text_copy(file.public_key, sizeof file.public_key, pair->public_key);
    text_copy(file.secret_key, sizeof file.secret_key, pair->secret_key);
    return save(dirfd, path, &file, err);
}

void keys_sign_make(struct sign_key *key)
{
    assert(sodium_init() >= 0);
    crypto_sign_keypair(key->public_key, key->secret_key);
}

void keys_sign_wipe(struct sign_key *key)
{
    sodium_memzero(key, sizeof *key);
}

int keys_sign_load(int dirfd, const char *path, struct sign_key *key, struct err *err)
{
    SCOPED(key_file_wipe) struct key_file file = {0};
    if (load(dirfd, path, "ed25519", &file, err))
        return -1;
    SCOPED(keys_sign_wipe) struct sign_key derived = {0};
    uint8_t seed[crypto_sign_SEEDBYTES], stated[sizeof key->public_key];
    bool ok = text_unhex(seed, sizeof seed, file.secret_key) &&
              text_unhex(stated, sizeof stated, file.public_key) &&
              !sodium_is_zero(seed, sizeof seed) &&
              !crypto_sign_seed_keypair(derived.public_key, derived.secret_key, seed) &&
              !memcmp(derived.public_key, stated, sizeof stated);
    sodium_memzero(seed, sizeof seed);
    if (!ok)
        return err_set(err, ERR_INVALID, "key file %s: not a pair of 64 hex digits each", path);
    *key = derived;
    return 0;
}

int keys_sign_save(int dirfd, const char *path, const struct sign_key *key, struct err *err)
{
    SCOPED(key_file_wipe) struct key_file file = {.kind = "ed25519"};
    text_hex(file.public_key, key->public_key, sizeof key->public_key);
    text_hex(file.secret_key, key->secret_key, crypto_sign_SEEDBYTES);
    return save(dirfd, path, &file, err);
}
