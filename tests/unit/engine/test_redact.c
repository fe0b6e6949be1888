/* Redacting what is recorded: texts, messages, and commands that hold no secrets. */
#include "base/file.h"
#include "base/rand.h"
#include "base/scope.h"
#include "base/text.h"
#include "data/json.h"
#include "data/pack.h"
#include "engine/record/act.h"
#include "engine/record/redact.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKEN "ghp_abcdefghijklmnopqrstuvwxyz0123456789"

static const struct redactor redactor = {{1, 2, 3}};
static struct err err;

static int64_t clean(enum secret_form form, struct view text, struct bytes *to)
{
    int64_t count = 0;
    bytes_clear(to);
    if (redact_text(&redactor, form, text, to, &count, &err))
        fail_msg("%s", err.text);
    return count;
}

static void a_mark_says_kind_and_length_and_knows_its_secret_again(void **state)
{
    (void)state;
    char first[80], second[80];
    struct redactor other = {{9}};
    int64_t count = 0;
    SCOPED(bytes_close) struct bytes to = bytes_open(4096);
    clean(SECRET_SHELL, view_of("A_TOKEN=hunter2 B_TOKEN=hunter2 C_TOKEN=hunter3"), &to);
    assert_int_equal(sscanf((char *)to.data, "A_TOKEN=%79s B_TOKEN=%79s", first, second), 2);
    assert_string_equal(first, second);
    assert_int_equal(strncmp(first, "[redacted:token:7:", 18), 0);
    assert_int_equal(strlen(first), 18 + 8 + 1);
    assert_null(strstr(strstr((char *)to.data, "C_TOKEN"), first));
    bytes_clear(&to);
    assert_false(redact_text(&other, SECRET_SHELL, view_of("A_TOKEN=hunter2"), &to, &count, &err));
    assert_null(strstr((char *)to.data, first));
}

/* Texts out of what the rules look for, so that every rule has its turn, and of random bytes. */
static size_t any_text(unsigned *seed, char *to, size_t room)
{
    static const char *const parts[] = {
        "PASSWORD=",
        "--token",
        " ",
        "\"",
        "'",
        "\\",
        "token: ",
        "\n",
        "$(",
        "$X",
        "https://",
        "@",
        ":",
        "/",
        "mysql ",
        "-p",
        "curl ",
        "-u ",
        "[redacted:",
        "a:1:ff]",
        TOKEN,
        "eyJhbGciOiJIUzI1NiJ9.",
        "-----BEGIN PRIVATE KEY-----",
        "-----END ",
        "bearer ",
        ";",
        "|",
        "<<",
        "=",
        "Authorization: Basic ",
        "x",
        "hunter2",
        "{\"auth\":",
        ",",
        "AKIAIOSFODNN7EXAMPLE",
        "[",
        "]",
        "(",
        "&",
    };
    size_t len = 0;
    for (int n = rand_r(seed) % 24; n >= 0; n--) {
        int pick = rand_r(seed) % (int)(COUNT(parts) + 4);
        char byte[2] = {(char)(rand_r(seed) % 256), 0};
        const char *part = pick < (int)COUNT(parts) ? parts[pick] : byte;
        size_t size = pick < (int)COUNT(parts) ? strlen(part) : 1;
        if (len + size > room)
            break;
        memcpy(to + len, part, size);
        len += size;
    }
    return len;
}

static void what_was_redacted_once_stays_as_it_is(void **state)
{
    (void)state;
    unsigned begun = getenv("SEED") ? (unsigned)atoi(getenv("SEED")) : 1, seed = begun;
    char raw[1024];
    SCOPED(bytes_close) struct bytes once = bytes_open(128 * 1024);
    SCOPED(bytes_close) struct bytes twice = bytes_open(1024 * 1024);
    for (int round = 0; round < 100000; round++) {
        enum secret_form form = (enum secret_form)(round % 4);
        struct view text = {(uint8_t *)raw, any_text(&seed, raw, sizeof raw)};
        clean(form, text, &once);
        clean(form, bytes_view(&once), &twice);
        if (!view_equal(bytes_view(&once), bytes_view(&twice)))
            fail_msg("SEED=%u round %d form %d\n%.*s\n%s\n%s", begun, round, (int)form,
                     (int)text.len, raw, (char *)once.data, (char *)twice.data);
    }
}

static void a_key_is_made_once_for_its_owner_only(void **state)
{
    (void)state;
    char folder[] = "/tmp/corral-redact-XXXXXX";
    struct redactor first, second;
    struct stat is;
    assert_non_null(mkdtemp(folder));
    int fd = open(folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    assert_false(redactor_open(fd, &first, &err));
    assert_false(redactor_open(fd, &second, &err));
    assert_memory_equal(&first, &second, sizeof first);
    assert_false(fstatat(fd, "redact.key", &is, 0));
    assert_int_equal(is.st_mode & 0777, 0600);
    assert_int_equal(is.st_size, REDACT_KEY_BYTES);
    assert_false(file_replace(fd, "redact.key", "short", 5, 0600, &err));
    assert_int_equal(redactor_open(fd, &second, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_false(fchmodat(fd, "redact.key", 0644, 0));
    assert_int_equal(redactor_open(fd, &second, &err), -1);
    unlinkat(fd, "redact.key", 0);
    close(fd);
    rmdir(folder);
}

static struct list list_of(struct bytes *store, const char *const *texts)
{
    struct list list = {0};
    *store = bytes_open(65536);
    for (; *texts; texts++)
        assert_false(list_add_text(store, &list, view_of(*texts), &err));
    return list;
}

static void redact(struct event *event, struct redacted *redacted)
{
    SCOPED(bytes_close) struct bytes payload = bytes_open(48 * 1024);
    text_copy(event->kind, sizeof event->kind, "command_execute");
    text_copy(event->phase, sizeof event->phase, "intent");
    if (redact_message(&redactor, &message_event, event, redacted, &err) ||
        schema_encode(&message_event, event, &payload, &err))
        fail_msg("%s", err.text);
    assert_null(memmem(payload.data, payload.len, "hunter2", 7));
    assert_null(memmem(payload.data, payload.len, TOKEN, 20));
}

static void every_text_of_an_event_is_redacted(void **state)
{
    (void)state;
    static const char *const tags[] = {"env=prod", "token=hunter2", NULL};
    static const char *const scripts[] = {"- /w/" TOKEN ".sh", NULL};
    SCOPED(bytes_close)
    struct bytes tag_store = {0}, script_store = {0}, mount_store = bytes_open(8192);
    SCOPED(redacted_close) struct redacted redacted = {0};
    struct event event = {.cwd = "/w/" TOKEN,
                          .detail = "no program --password=hunter2",
                          .command = view_of("PASSWORD=hunter2 ls"),
                          .tags = list_of(&tag_store, tags),
                          .scripts = list_of(&script_store, scripts),
                          .verdict = {.reason = "runs " TOKEN, .hint = "not " TOKEN}};
    struct mount mount = {.host_path = "/srv/" TOKEN,
                          .real_path = "/srv/x",
                          .container_path = "/data",
                          .mode = "ro",
                          .type = "directory"};
    assert_false(list_add(&mount_store, &event.mounts, &message_mount, &mount, &err));
    redact(&event, &redacted);
    assert_int_equal(redacted.count, 8);
    assert_int_equal(event.command_bytes, event.command.len);
    struct view tag;
    assert_true(list_next_text(&event.tags, &tag));
    assert_true(view_equal(tag, view_of("env=prod")));
}

static void an_event_without_secrets_is_left_as_it_is(void **state)
{
    (void)state;
    SCOPED(redacted_close) struct redacted redacted = {0};
    struct event event = {.command = view_of("ls -l"), .command_bytes = 5, .detail = "x"};
    const struct event was = event;
    redact(&event, &redacted);
    assert_int_equal(redacted.count, 0);
    assert_ptr_equal(event.command.data, was.command.data);
    assert_int_equal(event.command_bytes, 5);
    assert_string_equal(event.detail, "x");
}

/* The command is handed over whole: its bound cuts it once no secret is left to be cut in two. */
static void a_secret_at_the_bound_of_a_command_is_replaced_before_the_cut(void **state)
{
    (void)state;
    for (size_t before = 4040; before <= 4096; before++) {
        SCOPED(redacted_close) struct redacted redacted = {0};
        SCOPED(bytes_close) struct bytes command = bytes_open(8192);
        for (size_t i = 0; i < before - 1; i++)
            assert_false(bytes_add(&command, "x", 1, &err));
        assert_false(bytes_add(&command, " " TOKEN " tail", 46, &err));
        struct event event = {.command = bytes_view(&command)};
        redact(&event, &redacted);
        assert_true(event.command.len <= 4096 && event.command_bytes > 4000);
        assert_null(memmem(event.command.data, event.command.len, "ghp_", 4));
    }
}

static void words_keep_their_borders_until_they_are_redacted(void **state)
{
    (void)state;
    static const char words[] = "x\0--password\0hunter2 hunter2\0-v";
    SCOPED(redacted_close) struct redacted redacted = {0};
    struct event event = {.command = {(const uint8_t *)words, sizeof words - 1}, .argv_words = 4};
    redact(&event, &redacted);
    assert_int_equal(redacted.count, 1);
    assert_int_equal(memcmp(event.command.data, "x --password [redacted:password:15:", 34), 0);
    assert_int_equal(memcmp(event.command.data + event.command.len - 3, " -v", 3), 0);
}

static void an_act_is_redacted_and_stays_an_act(void **state)
{
    (void)state;
    static const char *const argv[] = {"x", "--password", "hunter2", NULL};
    static const char *const env[] = {"PATH=/bin", "TOKEN=hunter2; hunter2", NULL};
    SCOPED(bytes_close) struct bytes store = {0}, env_store = {0}, packed = bytes_open(32768);
    SCOPED(redacted_close) struct redacted redacted = {0};
    struct act act = {.tenant = "acme",
                      .agent = "coder",
                      .operation = "command_execute",
                      .sandbox_id = "sb_x",
                      .user = "agent",
                      .argv = list_of(&store, argv),
                      .env = list_of(&env_store, env)};
    struct view word;
    assert_false(schema_encode(&message_act, &act, &packed, &err));
    struct event event = {.act = bytes_view(&packed)};
    redact(&event, &redacted);
    assert_int_equal(redacted.count, 2);
    assert_false(schema_decode(&message_act, event.act, SCHEMA_STRICT, &act, &err));
    assert_int_equal(act.argv.count, 3);
    while (list_next_text(&act.argv, &word))
        ;
    assert_int_equal(memcmp(word.data, "[redacted:password:7:", 21), 0);
    assert_int_equal(act.env.count, 2);
}

static void an_act_that_would_grow_beyond_its_bound_is_cut_within_its_texts(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes script = bytes_open(65536), packed = bytes_open(32768);
    SCOPED(redacted_close) struct redacted redacted = {0};
    while (script.len < 32000)
        assert_false(bytes_add(&script, "TOKEN=hunter2\n", 14, &err));
    struct act act = {.tenant = "acme",
                      .agent = "coder",
                      .operation = "command_execute",
                      .sandbox_id = "sb_x",
                      .user = "agent",
                      .script = bytes_view(&script)};
    assert_false(schema_encode(&message_act, &act, &packed, &err));
    struct event event = {.act = bytes_view(&packed)};
    redact(&event, &redacted);
    assert_false(schema_decode(&message_act, event.act, SCHEMA_STRICT, &act, &err));
    assert_int_equal(act.script.len, script.len);
}

static void a_reply_is_redacted_and_stays_a_message_of_its_size(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes packed = bytes_open(16384);
    SCOPED(redacted_close) struct redacted redacted = {0};
    struct failure failure = {.code = "invalid", .text = "no --password=hunter2"};
    assert_false(schema_encode(&message_failure, &failure, &packed, &err));
    struct event event = {.reply = bytes_view(&packed)};
    redact(&event, &redacted);
    assert_true(event.reply.len <= packed.len);
    assert_false(schema_decode(&message_failure, event.reply, SCHEMA_STRICT, &failure, &err));
    assert_string_equal(failure.code, "invalid");
}

/* The commands of the policy's cases. */
struct tally {
    int commands, changed;
};

static void count_line(const char *line, struct tally *t)
{
    SCOPED(bytes_close) struct bytes packed = bytes_open(1 << 20);
    struct value v;
    if (json_to_pack(view_of(line), &packed, &err))
        return;
    struct view cursor = bytes_view(&packed);
    assert_false(pack_next(&cursor, &v, &err));
    for (uint32_t pairs = v.type == PACK_MAP ? v.count : 0; pairs; pairs--) {
        struct value key;
        assert_false(pack_next(&cursor, &key, &err));
        struct view at = cursor;
        assert_false(pack_skip(&cursor, &err));
        if (!view_equal(key.bytes, view_of("command")) || pack_next(&at, &v, &err) ||
            v.type != PACK_TEXT)
            continue;
        struct secret_search search = secret_search(SECRET_SHELL, v.bytes);
        struct secret s;
        t->commands++;
        if (secret_next(&search, &s)) {
            t->changed++;
            printf("%.*s\n    %s: %.*s\n", (int)v.bytes.len, (const char *)v.bytes.data, s.kind,
                   (int)s.len, (const char *)v.bytes.data + s.at);
        }
    }
}

static void count_file(const char *path, struct tally *t)
{
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (getline(&line, &room, file) > 0)
        count_line(line, t);
    free(line);
    fclose(file);
}

static void fewer_than_one_in_a_hundred_commands_without_a_secret_is_changed(void **state)
{
    (void)state;
    static const char folder[] = SOURCE_DIR "/tests/unit/engine/policy/cases";
    struct tally t = {0};
    char path[512];
    count_file(SOURCE_DIR "/tests/unit/engine/policy/commands.jsonl", &t);
    DIR *all = opendir(folder);
    assert_non_null(all);
    for (struct dirent *e; (e = readdir(all));) {
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (strstr(e->d_name, ".jsonl"))
            count_file(path, &t);
    }
    closedir(all);
    printf("%d of %d commands changed\n", t.changed, t.commands);
    assert_true(t.commands > 1000);
    assert_true(t.changed * 100 < t.commands);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_says_kind_and_length_and_knows_its_secret_again),
        cmocka_unit_test(what_was_redacted_once_stays_as_it_is),
        cmocka_unit_test(a_key_is_made_once_for_its_owner_only),
        cmocka_unit_test(every_text_of_an_event_is_redacted),
        cmocka_unit_test(an_event_without_secrets_is_left_as_it_is),
        cmocka_unit_test(a_secret_at_the_bound_of_a_command_is_replaced_before_the_cut),
        cmocka_unit_test(words_keep_their_borders_until_they_are_redacted),
        cmocka_unit_test(an_act_is_redacted_and_stays_an_act),
        cmocka_unit_test(an_act_that_would_grow_beyond_its_bound_is_cut_within_its_texts),
        cmocka_unit_test(a_reply_is_redacted_and_stays_a_message_of_its_size),
        cmocka_unit_test(fewer_than_one_in_a_hundred_commands_without_a_secret_is_changed),
    };
    return cmocka_run_group_tests_name("engine/record/redact", tests, NULL, NULL);
}
