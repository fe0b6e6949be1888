/* Signed notes: read only as they were written, by the key that they name. */
#include "base/scope.h"
#include "base/text.h"
#include "engine/record/leaf.h"
#include "engine/record/note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct writer {
    struct sign_key key;
    char origin[ORIGIN_BYTES];
};

static struct writer new_writer(void)
{
    struct writer w;
    keys_sign_make(&w.key);
    note_origin(w.key.public_key, w.origin);
    return w;
}

static struct checkpoint some_checkpoint(int64_t size)
{
    struct checkpoint c = {.size = size, .time_ns = 1700000000000000000, .after = 77};
    memset(c.root.bytes, 0xfe, sizeof c.root.bytes);
    return c;
}

static void a_checkpoint_reads_as_it_was_signed(void **state)
{
    (void)state;
    struct err err;
    struct writer w = new_writer();
    const int64_t sizes[] = {0, 1, 1000, INT64_MAX};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct checkpoint put = some_checkpoint(sizes[i]), got = {0};
        char note[NOTE_BYTES], begin[200];
        checkpoint_sign(&put, w.origin, &w.key, note);
        snprintf(begin, sizeof begin,
                 "%s\n%lld\n/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v4=\n"
                 "time 1700000000000000000\nafter 77\n\n\xe2\x80\x94 %s ",
                 w.origin, (long long)sizes[i], w.origin);
        assert_int_equal(strncmp(note, begin, strlen(begin)), 0);
        if (checkpoint_read(view_of(note), w.origin, w.key.public_key, &got, &err))
            fail_msg("%s", err.text);
        assert_int_equal(got.size, put.size);
        assert_int_equal(got.time_ns, put.time_ns);
        assert_int_equal(got.after, 77);
        assert_true(merkle_equal(&got.root, &put.root));
    }
}

static void no_bit_of_a_note_can_be_turned(void **state)
{
    (void)state;
    struct err err;
    struct writer w = new_writer();
    struct checkpoint c = some_checkpoint(12345);
    struct signer s = {.first_size = 12345, .time_ns = 7};
    char notes[2][NOTE_BYTES];
    checkpoint_sign(&c, w.origin, &w.key, notes[0]);
    signer_sign(&s, w.origin, &w.key, notes[1]);
    for (int n = 0; n < 2; n++)
        for (size_t bit = 0; bit < 8 * strlen(notes[n]); bit++) {
            char broken[NOTE_BYTES];
            struct view view = {(const uint8_t *)broken, strlen(notes[n])};
            memcpy(broken, notes[n], sizeof broken);
            broken[bit / 8] = (char)(broken[bit / 8] ^ 1 << bit % 8);
            assert_int_equal(n ? signer_read(view, w.origin, w.key.public_key, &s, &err)
                               : checkpoint_read(view, w.origin, w.key.public_key, &c, &err),
                             -1);
            assert_true(err.code == ERR_INVALID || err.code == ERR_FORBIDDEN);
        }
}

static void no_part_of_a_note_is_one(void **state)
{
    (void)state;
    struct err err;
    struct writer w = new_writer();
    struct checkpoint c = some_checkpoint(1);
    char note[NOTE_BYTES], longer[NOTE_BYTES + 1];
    checkpoint_sign(&c, w.origin, &w.key, note);
    for (size_t len = 0; len < strlen(note); len++) {
        struct view view = {(const uint8_t *)note, len};
        assert_int_equal(checkpoint_read(view, w.origin, w.key.public_key, &c, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
    }
    snprintf(longer, sizeof longer, "%s\n", note);
    assert_int_equal(checkpoint_read(view_of(longer), w.origin, w.key.public_key, &c, &err), -1);
}

static void believes_no_other_key_origin_or_kind(void **state)
{
    (void)state;
    struct err err;
    struct writer w = new_writer(), other = new_writer();
    struct checkpoint c = some_checkpoint(1);
    struct signer s = {.first_size = 1};
    char note[NOTE_BYTES], of_signer[NOTE_BYTES];
    checkpoint_sign(&c, w.origin, &w.key, note);
    signer_sign(&s, w.origin, &w.key, of_signer);
    assert_int_equal(checkpoint_read(view_of(note), w.origin, other.key.public_key, &c, &err), -1);
    assert_int_equal(err.code, ERR_FORBIDDEN);
    assert_int_equal(checkpoint_read(view_of(note), other.origin, w.key.public_key, &c, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(checkpoint_read(view_of(of_signer), w.origin, w.key.public_key, &c, &err), -1);
    assert_int_equal(signer_read(view_of(note), w.origin, w.key.public_key, &s, &err), -1);
    checkpoint_sign(&c, w.origin, &other.key, note); /* signed anew by somebody else */
    assert_int_equal(checkpoint_read(view_of(note), w.origin, w.key.public_key, &c, &err), -1);
    assert_int_equal(err.code, ERR_FORBIDDEN);
}

static void a_signer_reads_as_it_was_signed(void **state)
{
    (void)state;
    struct err err;
    struct writer w = new_writer(), next = new_writer();
    struct signer put = {.first_size = 77, .time_ns = 9}, got = {0};
    char note[NOTE_BYTES];
    memcpy(put.public_key, next.key.public_key, KEY_BYTES);
    signer_sign(&put, w.origin, &w.key, note);
    assert_int_equal(signer_read(view_of(note), w.origin, w.key.public_key, &got, &err), 0);
    assert_memory_equal(&got, &put, sizeof got);
}

/* The key of the example in Go's package golang.org/x/mod/sumdb/note. */
static void reads_and_writes_keys_as_others_do(void **state)
{
    (void)state;
    struct err err;
    const char line[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    char origin[ORIGIN_BYTES], again[NOTE_KEY_BYTES], with_end[NOTE_KEY_BYTES];
    uint8_t key[KEY_BYTES];
    snprintf(with_end, sizeof with_end, " %s\n", line);
    assert_int_equal(note_key_read(with_end, origin, key, &err), 0);
    assert_string_equal(origin, "PeterNeumann");
    note_key_show(origin, key, again);
    assert_string_equal(again, line);
    char hex[2 * KEY_BYTES + 1];
    uint8_t of_hex[KEY_BYTES];
    text_hex(hex, key, sizeof key);
    assert_int_equal(note_key_read(hex, origin, of_hex, &err), 0);
    assert_string_equal(origin, "");
    assert_memory_equal(of_hex, key, sizeof key);
}

static void refuses_what_is_no_key(void **state)
{
    (void)state;
    struct err err;
    const char *const texts[] = {
        "",
        "+",
        "a+b",
        "++",
        "a+b+c",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10",
        ("a name that is much longer than any origin+c74f20a3+"
         "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        "00",
        "zz00000000000000000000000000000000000000000000000000000000000000"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        char origin[ORIGIN_BYTES];
        uint8_t key[KEY_BYTES];
        assert_int_equal(note_key_read(texts[i], origin, key, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
    }
}

static struct leaf some_leaf(void)
{
    return (struct leaf){1, "manager@abc", 2, 3, 4, 5, 6, 7, view_of("body")};
}

/* The text of leaf.h, written down by hand. */
static void a_leaf_is_the_hash_of_its_text(void **state)
{
    (void)state;
    const uint8_t text[] = "\0\0\0\0\0\0\0\1"
                           "\13manager@abc"
                           "\0\0\0\0\0\0\0\2"
                           "\0\0\0\0\0\0\0\3"
                           "\0\0\0\0\0\0\0\4"
                           "\0\0\0\0\0\0\0\5"
                           "\0\0\0\0\0\0\0\6"
                           "\0\0\0\0\0\0\0\7"
                           "body";
    struct leaf leaf = some_leaf();
    struct merkle_hash is = leaf_hash(&leaf),
                       expected = merkle_leaf((struct view){text, sizeof text - 1});
    assert_memory_equal(is.bytes, expected.bytes, MERKLE_HASH_BYTES);
}

static void whatever_a_leaf_is_made_of_changes_it(void **state)
{
    (void)state;
    struct leaf leaf = some_leaf();
    struct merkle_hash before = leaf_hash(&leaf);
    for (int i = 0; i < 9; i++) {
        struct leaf other = some_leaf();
        int64_t *const numbers[] = {&other.gseq,    &other.epoch,       &other.seq, &other.time_ns,
                                    &other.boot_ns, &other.received_ns, &other.type};
        if (i < 7)
            ++*numbers[i];
        else if (i == 7)
            other.source = "manager@abd";
        else
            other.body = view_of("bodi");
        struct merkle_hash after = leaf_hash(&other);
        assert_false(merkle_equal(&before, &after));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checkpoint_reads_as_it_was_signed),
        cmocka_unit_test(no_bit_of_a_note_can_be_turned),
        cmocka_unit_test(no_part_of_a_note_is_one),
        cmocka_unit_test(believes_no_other_key_origin_or_kind),
        cmocka_unit_test(a_signer_reads_as_it_was_signed),
        cmocka_unit_test(reads_and_writes_keys_as_others_do),
        cmocka_unit_test(refuses_what_is_no_key),
        cmocka_unit_test(a_leaf_is_the_hash_of_its_text),
        cmocka_unit_test(whatever_a_leaf_is_made_of_changes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
