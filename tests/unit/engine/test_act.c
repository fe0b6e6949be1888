/* The hash of an act: the same for equal acts, another one for a change anywhere. */
#include "base/scope.h"
#include "base/text.h"
#include "engine/record/act.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct err err;

static void hash_of(const struct act *act, uint8_t hash[ACT_HASH_BYTES])
{
    if (act_hash(act, hash, &err))
        fail_msg("%s", err.text);
}

static struct act sample(void)
{
    return (struct act){.tenant = "acme",
                        .agent = "coder",
                        .operation = "command_execute",
                        .sandbox_id = "sb_x",
                        .user = "agent"};
}

static struct mount a_mount(void)
{
    return (struct mount){.host_path = "/srv/x",
                          .real_path = "/srv/x",
                          .container_path = "/data",
                          .mode = "ro",
                          .type = "directory"};
}

/* Two texts that the row accepts; they differ in one byte. */
static void set_text(char *text, int variant)
{
    text[0] = variant ? 'b' : 'a';
    text[1] = 0;
}

static void set_record(struct list *at, const struct message *kind, int variant,
                       struct bytes *store)
{
    struct mount m = a_mount();
    struct script s = {.path = "/workspace/x.sh", .bytes = 1 + variant};
    m.inode = variant + 1;
    assert_true(kind == &message_mount || kind == &message_script);
    *at = (struct list){0};
    const void *row = kind == &message_mount ? (const void *)&m : &s;
    assert_int_equal(list_add(store, at, kind, row, &err), 0);
}

/* Gives the field one of two values of its kind. `store` holds what the act then points to. */
static void set(struct act *act, const struct field *f, int variant, struct bytes *store)
{
    void *at = (uint8_t *)act + f->offset;
    static const char *const words[] = {"a", "b"};
    switch (f->type) {
    case FIELD_TEXT:
        set_text(at, variant);
        break;
    case FIELD_BLOB:
    case FIELD_LONG:
        *(struct view *)at = view_of(words[variant]);
        break;
    case FIELD_TEXTS:
        *(struct list *)at = (struct list){0};
        assert_int_equal(list_add_text(store, at, view_of(words[variant]), &err), 0);
        break;
    case FIELD_RECORD:
        assert_ptr_equal(f->record, &message_limits);
        ((struct limits *)at)->pids = variant + 1;
        break;
    case FIELD_RECORDS:
        set_record(at, f->record, variant, store);
        break;
    case FIELD_BOOL:
        *(bool *)at = variant;
        break;
    default:
        fail_msg("act.%s: a kind of field that this test does not know", f->name);
    }
}

static void every_field_changes_the_hash(void **state)
{
    (void)state;
    size_t count, seen = 0;
    const struct field *rows = message_act.rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].type == FIELD_SINCE)
            continue;
        uint8_t hash[3][ACT_HASH_BYTES];
        for (int variant = 0; variant < 3; variant++) {
            SCOPED(bytes_close) struct bytes store = bytes_open(4096);
            struct act act = sample();
            set(&act, &rows[i], variant % 2, &store); /* the third is the first again */
            hash_of(&act, hash[variant]);
        }
        if (!memcmp(hash[0], hash[1], sizeof hash[0]))
            fail_msg("act.%s does not change the hash", rows[i].name);
        assert_memory_equal(hash[0], hash[2], sizeof hash[0]);
        seen++;
    }
    assert_true(seen >= 12);
}

static void every_limit_changes_the_hash(void **state)
{
    (void)state;
    size_t count;
    const struct field *rows = message_limits.rows(&count);
    uint8_t without[ACT_HASH_BYTES], with[ACT_HASH_BYTES];
    struct act act = sample();
    hash_of(&act, without);
    for (size_t i = 0; i < count; i++) {
        act = sample();
        *(int64_t *)((uint8_t *)&act.limits + rows[i].offset) = 7;
        hash_of(&act, with);
        assert_memory_not_equal(with, without, sizeof with);
    }
}

static void hash_mount(const struct mount *m, uint8_t hash[ACT_HASH_BYTES])
{
    SCOPED(bytes_close) struct bytes store = bytes_open(4096);
    struct act act = sample();
    assert_int_equal(list_add(&store, &act.mounts, &message_mount, m, &err), 0);
    hash_of(&act, hash);
}

static void every_fact_of_a_mount_changes_the_hash(void **state)
{
    (void)state;
    size_t count, seen = 0;
    const struct field *rows = message_mount.rows(&count);
    uint8_t without[ACT_HASH_BYTES], with[ACT_HASH_BYTES];
    struct mount m = a_mount();
    hash_mount(&m, without);
    for (size_t i = 0; i < count; i++) {
        SCOPED(bytes_close) struct bytes store = bytes_open(64);
        m = a_mount();
        uint8_t *at = (uint8_t *)&m + rows[i].offset;
        if (rows[i].type == FIELD_SINCE)
            continue;
        if (rows[i].type == FIELD_TEXT)
            text_copy((char *)at, (size_t)rows[i].max + 1, "/other");
        else if (rows[i].type == FIELD_CHOICE)
            text_copy((char *)at, CHOICE_BYTES, strcmp(rows[i].name, "mode") ? "file" : "rw");
        else if (rows[i].type == FIELD_INT)
            *(int64_t *)at = 7;
        else if (rows[i].type == FIELD_BOOL)
            *(bool *)at = true;
        else
            assert_int_equal(list_add_text(&store, (struct list *)at, view_of("x"), &err), 0);
        hash_mount(&m, with);
        if (!memcmp(with, without, sizeof with))
            fail_msg("mount.%s does not change the hash", rows[i].name);
        seen++;
    }
    assert_int_equal(seen, 15);
}

static void what_is_kept_of_mounts_leaves_only_the_lists_out(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes store = bytes_open(4096), links = bytes_open(64);
    SCOPED(bytes_close) struct bytes kept = bytes_open(4096);
    struct list mounts = {0}, out;
    struct mount m = a_mount(), back;
    m.is_own = true;
    m.inode = -1;
    assert_int_equal(list_add_text(&links, &m.links, view_of("/srv/link"), &err), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(list_add(&store, &mounts, &message_mount, &m, &err), 0);
    assert_int_equal(act_mounts(mounts, &kept, &out, &err), 0);
    assert_int_equal(out.count, 2);
    assert_true(list_next(&out, &message_mount, &back));
    assert_int_equal(back.links.count, 0);
    assert_true(back.is_own && back.inode == -1);
    assert_string_equal(back.real_path, "/srv/x");
    struct bytes full = bytes_open(8);
    assert_int_equal(act_mounts(mounts, &full, &out, &err), -1);
    bytes_close(&full);
}

static void hash_argv(const char *first, const char *second, uint8_t hash[ACT_HASH_BYTES])
{
    SCOPED(bytes_close) struct bytes store = bytes_open(64);
    struct act act = sample();
    assert_int_equal(list_add_text(&store, &act.argv, view_of(first), &err), 0);
    assert_int_equal(list_add_text(&store, &act.argv, view_of(second), &err), 0);
    hash_of(&act, hash);
}

static void a_shifted_border_between_arguments_is_another_act(void **state)
{
    (void)state;
    uint8_t one[ACT_HASH_BYTES], other[ACT_HASH_BYTES];
    hash_argv("ab", "c", one);
    hash_argv("a", "bc", other);
    assert_memory_not_equal(one, other, sizeof one);
    hash_argv("ab", "c", other);
    assert_memory_equal(one, other, sizeof one);
}

static void text_in_one_list_is_not_the_same_in_another(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes store = bytes_open(64);
    uint8_t one[ACT_HASH_BYTES], other[ACT_HASH_BYTES];
    struct list list = {0};
    assert_int_equal(list_add_text(&store, &list, view_of("A=b"), &err), 0);
    struct act act = sample();
    act.argv = list;
    hash_of(&act, one);
    act = sample();
    act.env = list;
    hash_of(&act, other);
    assert_memory_not_equal(one, other, sizeof one);
}

static void the_receiver_of_an_act_takes_the_same_hash(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes argv = bytes_open(64), frame = bytes_open(4096);
    uint8_t sent[ACT_HASH_BYTES], received[ACT_HASH_BYTES];
    struct act act = sample(), decoded;
    act.script = view_of("echo hi\xff");
    act.limits.memory_mb = 70000;
    assert_int_equal(list_add_text(&argv, &act.argv, view_of("sh"), &err), 0);
    hash_of(&act, sent);
    assert_int_equal(schema_encode(&message_act, &act, &frame, &err), 0);
    assert_int_equal(
        schema_decode(&message_act, bytes_view(&frame), SCHEMA_LENIENT, &decoded, &err), 0);
    hash_of(&decoded, received);
    assert_memory_equal(sent, received, sizeof sent);
}

static void the_hash_stays_what_earlier_versions_recorded(void **state)
{
    (void)state;
    /* hashlib.blake2b(msgpack.packb(act), digest_size=32, key=b"corral act hash 1") in Python */
    static const char recorded[] = "4ddb1463d116ab3e35b90fbe283eab13"
                                   "d390957bd7a929fea3f90c67d0bbf4e9";
    uint8_t hash[ACT_HASH_BYTES];
    char hex[2 * ACT_HASH_BYTES + 1];
    struct act act = sample();
    hash_of(&act, hash);
    text_hex(hex, hash, sizeof hash);
    assert_string_equal(hex, recorded);
}

static void refuses_an_act_that_breaks_a_row(void **state)
{
    (void)state;
    uint8_t hash[ACT_HASH_BYTES] = {1}, before[ACT_HASH_BYTES] = {1};
    struct act act = sample();
    act.limits.pids = -1;
    assert_int_equal(act_hash(&act, hash, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.text, "limits.pids"));
    assert_memory_equal(hash, before, sizeof hash);
}

static struct act with_script(const char *script)
{
    struct act act = sample();
    act.script = view_of(script);
    return act;
}

static void assert_shown(const struct act *act, const char *text, int64_t full_bytes)
{
    SCOPED(bytes_close) struct bytes shown = bytes_open(8192);
    int64_t full = -1;
    assert_int_equal(bytes_add(&shown, ">", 1, &err), 0);
    assert_int_equal(act_show(act, &shown, &full, &err), 0);
    assert_string_equal((char *)shown.data + 1, text);
    assert_int_equal(full, full_bytes);
}

static void shows_its_command_to_a_person(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes store = bytes_open(64);
    struct act act = sample();
    assert_shown(&act, "", 0);
    assert_int_equal(list_add_text(&store, &act.argv, view_of("rm"), &err), 0);
    assert_int_equal(list_add_text(&store, &act.argv, view_of("-rf"), &err), 0);
    assert_int_equal(list_add_text(&store, &act.argv, view_of("/"), &err), 0);
    assert_shown(&act, "rm -rf /", 8);
    act = with_script("echo h\xc3\xa4 | sh");
    assert_shown(&act, "echo h\xc3\xa4 | sh", 13);
    act = with_script("echo \xff");
    assert_shown(&act, "echo \\xff", 6);
}

static void cuts_a_long_command_between_two_characters(void **state)
{
    (void)state;
    char script[ACT_SHOWN_BYTES + 3], shown[ACT_SHOWN_BYTES];
    memset(script, 'a', sizeof script);
    memcpy(script + ACT_SHOWN_BYTES - 1, "\xc3\xa4", 3);
    memset(shown, 'a', sizeof shown);
    shown[sizeof shown - 1] = 0;
    struct act act = with_script(script);
    assert_shown(&act, shown, ACT_SHOWN_BYTES + 1);
}

static void cuts_long_arguments_too(void **state)
{
    (void)state;
    char word[ACT_SHOWN_BYTES], shown[ACT_SHOWN_BYTES + 1];
    SCOPED(bytes_close) struct bytes store = bytes_open(10000);
    struct act act = sample();
    memset(word, 'a', sizeof word);
    word[sizeof word - 1] = 0;
    assert_int_equal(list_add_text(&store, &act.argv, view_of(word), &err), 0);
    assert_int_equal(list_add_text(&store, &act.argv, view_of("behind"), &err), 0);
    snprintf(shown, sizeof shown, "%s ", word);
    assert_shown(&act, shown, ACT_SHOWN_BYTES - 1 + 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_changes_the_hash),
        cmocka_unit_test(every_limit_changes_the_hash),
        cmocka_unit_test(every_fact_of_a_mount_changes_the_hash),
        cmocka_unit_test(what_is_kept_of_mounts_leaves_only_the_lists_out),
        cmocka_unit_test(a_shifted_border_between_arguments_is_another_act),
        cmocka_unit_test(text_in_one_list_is_not_the_same_in_another),
        cmocka_unit_test(the_receiver_of_an_act_takes_the_same_hash),
        cmocka_unit_test(the_hash_stays_what_earlier_versions_recorded),
        cmocka_unit_test(refuses_an_act_that_breaks_a_row),
        cmocka_unit_test(shows_its_command_to_a_person),
        cmocka_unit_test(cuts_a_long_command_between_two_characters),
        cmocka_unit_test(cuts_long_arguments_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
