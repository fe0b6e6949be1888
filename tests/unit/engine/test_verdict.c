/* Verdicts: believed only as signed, by this guardian, about this act. */
#include "base/scope.h"
#include "base/text.h"
#include "engine/record/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sodium.h>
#include <string.h>

#include <cmocka.h>

static struct err err;
static struct sign_key key;
static uint8_t hash[ACT_HASH_BYTES], policy[32], signature[VERDICT_SIGNATURE_BYTES];

static int make_key(void **state)
{
    (void)state;
    keys_sign_make(&key);
    memset(hash, 0xac, sizeof hash);
    return 0;
}

static struct verdict unsigned_verdict(void)
{
    return (struct verdict){.verdict_id = "v1",
                            .decision = "deny",
                            .risk = "critical",
                            .reason = "rm of /",
                            .act_hash = {hash, sizeof hash},
                            .policy = {policy, sizeof policy},
                            .valid_ms = 1000};
}

static struct verdict signed_verdict(void)
{
    struct verdict v = unsigned_verdict();
    if (verdict_sign(&v, &key, signature, &err))
        fail_msg("%s", err.text);
    return v;
}

static void assert_refused(const struct verdict *v, const char *words)
{
    assert_int_equal(verdict_check(v, key.public_key, hash, &err), -1);
    assert_int_equal(err.code, ERR_GUARDIAN_UNAVAILABLE);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static void a_signed_verdict_is_believed_also_after_its_journey(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes rules = bytes_open(64), frame = bytes_open(4096);
    struct verdict v = unsigned_verdict(), received;
    assert_int_equal(list_add_text(&rules, &v.rules, view_of("fs.rm-system"), &err), 0);
    assert_int_equal(verdict_sign(&v, &key, signature, &err), 0);
    assert_int_equal(verdict_check(&v, key.public_key, hash, &err), 0);
    assert_int_equal(schema_encode(&message_verdict, &v, &frame, &err), 0);
    assert_int_equal(
        schema_decode(&message_verdict, bytes_view(&frame), SCHEMA_LENIENT, &received, &err), 0);
    assert_int_equal(verdict_check(&received, key.public_key, hash, &err), 0);
}

/* Changes the field to another value that its row accepts. */
static void tamper(struct verdict *v, const struct field *f, struct bytes *store)
{
    static const uint8_t other[VERDICT_SIGNATURE_BYTES] = {7};
    void *at = (uint8_t *)v + f->offset;
    switch (f->type) {
    case FIELD_TEXT:
        *(char *)at = '~';
        break;
    case FIELD_CHOICE: /* the first of the choices is neither deny nor critical */
        memset(at, 0, CHOICE_BYTES);
        memcpy(at, f->choices, strcspn(f->choices, "|"));
        break;
    case FIELD_BLOB:
        *(struct view *)at = (struct view){other, (size_t)f->max};
        break;
    case FIELD_INT:
        ++*(int64_t *)at;
        break;
    case FIELD_BOOL:
        *(bool *)at = !*(bool *)at;
        break;
    case FIELD_TEXTS:
        assert_int_equal(list_add_text(store, at, view_of("x"), &err), 0);
        break;
    default:
        fail_msg("verdict.%s: a kind of field that this test does not know", f->name);
    }
}

static void refuses_a_verdict_with_any_field_changed(void **state)
{
    (void)state;
    size_t count, seen = 0;
    const struct field *rows = message_verdict.rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].type == FIELD_SINCE)
            continue;
        SCOPED(bytes_close) struct bytes store = bytes_open(64);
        struct verdict v = signed_verdict();
        assert_int_equal(verdict_check(&v, key.public_key, hash, &err), 0);
        tamper(&v, &rows[i], &store);
        if (!verdict_check(&v, key.public_key, hash, &err))
            fail_msg("verdict.%s may be changed", rows[i].name);
        assert_int_equal(err.code, ERR_GUARDIAN_UNAVAILABLE);
        seen++;
    }
    assert_true(seen >= 11);
}

static void refuses_another_guardians_verdict(void **state)
{
    (void)state;
    struct sign_key other;
    keys_sign_make(&other);
    struct verdict v = unsigned_verdict();
    assert_int_equal(verdict_sign(&v, &other, signature, &err), 0);
    assert_refused(&v, "not signed by this Corral's guardian");
}

static void refuses_a_verdict_without_signature(void **state)
{
    (void)state;
    struct verdict v = unsigned_verdict();
    assert_refused(&v, "is not signed");
    v = signed_verdict();
    v.signature.len--;
    assert_refused(&v, "is not signed");
}

static void refuses_a_verdict_about_another_act(void **state)
{
    (void)state;
    struct verdict v = signed_verdict();
    uint8_t other[ACT_HASH_BYTES];
    memcpy(other, hash, sizeof other);
    other[ACT_HASH_BYTES - 1] ^= 1;
    assert_int_equal(verdict_check(&v, key.public_key, other, &err), -1);
    assert_int_equal(err.code, ERR_GUARDIAN_UNAVAILABLE);
    assert_non_null(strstr(err.text, "another act"));
}

static void refuses_a_short_hash_of_an_act(void **state)
{
    (void)state;
    struct verdict v = unsigned_verdict();
    v.act_hash.len = 0;
    assert_int_equal(verdict_sign(&v, &key, signature, &err), 0);
    assert_refused(&v, "another act");
}

static void refuses_a_verdict_that_contradicts_itself(void **state)
{
    (void)state;
    struct verdict v = unsigned_verdict();
    v.approved = true;
    assert_int_equal(verdict_sign(&v, &key, signature, &err), 0);
    assert_refused(&v, "contradicts itself");
    v = unsigned_verdict();
    text_copy(v.decision, sizeof v.decision, "allow");
    assert_int_equal(verdict_sign(&v, &key, signature, &err), 0);
    assert_refused(&v, "contradicts itself");
    v.approved = true;
    assert_int_equal(verdict_sign(&v, &key, signature, &err), 0);
    assert_int_equal(verdict_check(&v, key.public_key, hash, &err), 0);
}

static void refuses_a_verdict_that_is_valid_for_no_time(void **state)
{
    (void)state;
    struct verdict v = signed_verdict();
    v.valid_ms = 0;
    assert_refused(&v, "valid_ms");
    struct verdict fresh = unsigned_verdict();
    fresh.valid_ms = 0;
    assert_int_equal(verdict_sign(&fresh, &key, signature, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

static void a_signature_over_the_bare_message_is_none_over_a_verdict(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes bare = bytes_open(4096);
    struct verdict v = unsigned_verdict();
    assert_int_equal(schema_encode(&message_verdict, &v, &bare, &err), 0);
    crypto_sign_detached(signature, NULL, bare.data, bare.len, key.secret_key);
    v.signature = (struct view){signature, sizeof signature};
    assert_refused(&v, "not signed by this Corral's guardian");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_verdict_is_believed_also_after_its_journey),
        cmocka_unit_test(refuses_a_verdict_with_any_field_changed),
        cmocka_unit_test(refuses_another_guardians_verdict),
        cmocka_unit_test(refuses_a_verdict_without_signature),
        cmocka_unit_test(refuses_a_verdict_about_another_act),
        cmocka_unit_test(refuses_a_short_hash_of_an_act),
        cmocka_unit_test(refuses_a_verdict_that_contradicts_itself),
        cmocka_unit_test(refuses_a_verdict_that_is_valid_for_no_time),
        cmocka_unit_test(a_signature_over_the_bare_message_is_none_over_a_verdict),
    };
    return cmocka_run_group_tests(tests, make_key, NULL);
}
