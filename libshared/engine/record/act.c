/* act.c - the hash of an act; see act.h. */
#include "engine/record/act.h"

#include "base/scope.h"
#include "base/text.h"
#include "data/pack.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

_Static_assert(ACT_HASH_BYTES == crypto_generichash_BYTES, "BLAKE2b-256");

/* The key separates this hash from every other use of BLAKE2b in Corral. */
static const uint8_t LABEL[] = "corral act hash 1";
static const uint8_t SCRIPT_LABEL[] = "corral script hash 1";

int act_hash(const struct act *act, uint8_t hash[ACT_HASH_BYTES], struct err *err)
{
    SCOPED(bytes_close) struct bytes encoded = bytes_open(FRAME_MAX_BYTES);
    if (schema_encode(&message_act, act, &encoded, err))
        return -1;
    assert(sodium_init() >= 0);
    int failed = crypto_generichash(hash, ACT_HASH_BYTES, encoded.data, encoded.len, LABEL,
                                    sizeof LABEL - 1);
    assert(!failed); /* only sizes outside the library's constants can fail */
    return 0;
}

void script_hash(struct view text, uint8_t hash[ACT_HASH_BYTES])
{
    assert(sodium_init() >= 0);
    int failed = crypto_generichash(hash, ACT_HASH_BYTES, text.data, text.len, SCRIPT_LABEL,
                                    sizeof SCRIPT_LABEL - 1);
    assert(!failed);
}

/* The first bytes of a text, cut where a character begins. */
static struct view cut(struct view text, size_t len)
{
    if (text.len <= len)
        return text;
    while (len && (text.data[len] & 0xc0) == 0x80)
        len--;
    return (struct view){text.data, len};
}

/* Appends as much of a word as `end` leaves room for. */
static int add_word(struct bytes *to, size_t end, struct view word, struct err *err)
{
    struct view part = cut(word, end - to->len);
    return bytes_add(to, part.data, part.len, err);
}

static int show_script(struct view script, struct bytes *to, size_t end, struct err *err)
{
    if (text_is_utf8(script.data, script.len) && !memchr(script.data, 0, script.len))
        return add_word(to, end, script, err);
    SCOPED(bytes_close) struct bytes shown = bytes_open(8 * ACT_SHOWN_BYTES);
    struct view part = {script.data, script.len < ACT_SHOWN_BYTES ? script.len : ACT_SHOWN_BYTES};
    return text_show(&shown, part.data, part.len, err) || add_word(to, end, bytes_view(&shown), err)
               ? -1
               : 0;
}

int act_show(const struct act *act, struct bytes *to, int64_t *full_bytes, struct err *err)
{
    size_t start = to->len, end = to->len + ACT_SHOWN_BYTES;
    int64_t full = (int64_t)act->script.len;
    int failed = act->script.len ? show_script(act->script, to, end, err) : 0;
    struct list argv = act->argv;
    for (struct view word; !failed && list_next_text(&argv, &word);) {
        failed = (full && add_word(to, end, view_of(" "), err)) || add_word(to, end, word, err);
        full += (int64_t)word.len + (full ? 1 : 0);
    }
    if (failed) {
        bytes_cut(to, start);
        return -1;
    }
    *full_bytes = full;
    return 0;
}

int act_command(const struct act *act, struct bytes *to, int64_t *full_bytes, struct err *err)
{
    const struct view script = act->script;
    size_t start = to->len;
    int64_t full = (int64_t)script.len;
    bool is_text =
        script.len && text_is_utf8(script.data, script.len) && !memchr(script.data, 0, script.len);
    int failed = !script.len ? 0
                 : is_text   ? bytes_add(to, script.data, script.len, err)
                             : text_show(to, script.data, script.len, err);
    struct list argv = act->argv;
    for (struct view word; !failed && list_next_text(&argv, &word);) {
        failed = (full && bytes_add(to, script.len ? " " : "", 1, err)) ||
                 bytes_add(to, word.data, word.len, err);
        full += (int64_t)word.len + (full ? 1 : 0);
    }
    if (failed) {
        bytes_cut(to, start);
        return -1;
    }
    *full_bytes = full;
    return 0;
}

int act_mounts(struct list mounts, struct bytes *store, struct list *out, struct err *err)
{
    struct list kept = {0};
    struct mount m;
    while (list_next(&mounts, &message_mount, &m)) {
        m.links = m.exposed = m.holds = (struct list){0};
        m.present = 0; /* of what is optional only what is there */
        if (list_add(store, &kept, &message_mount, &m, err))
            return -1;
    }
    *out = kept;
    return 0;
}
