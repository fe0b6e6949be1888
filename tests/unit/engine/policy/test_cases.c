/* The builtin rules against every case of cases/, rows as `corral policy test --cases` takes them.
 *
 * known_misses.txt lists the rows that are not decided as they should be: the file, what is wrong,
 * the row. The list is exact, so a new miss fails, and so does a listed one that is none any more.
 * After a change for the better: unit_engine_policy_cases --write, and read the difference.
 */
#include "base/scope.h"
#include "base/text.h"
#include "data/json.h"
#include "data/pack.h"
#include "engine/policy/judge.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER SOURCE_DIR "/tests/unit/engine/policy/"

enum { LINE_BYTES = 256 * 1024, LIST_BYTES = 4 * 1024 * 1024, DECISIONS = 3 };

static const struct policy_context context = {
    .cwd = "/workspace", .home = "/home/agent", .workspace = "/workspace"};

struct bench {
    struct ruleset *rules;
    struct facts facts;
    struct bytes packed; /* the row at hand */
    struct bytes misses; /* lines of the list */
    size_t cases;
};

/* What a row asks for. */
struct wanted {
    struct view command;
    bool expects[DECISIONS];
    enum policy_risk least;
    char rule[80];
};

static void want_decision(struct wanted *w, struct view name)
{
    bool known = false;
    for (unsigned i = 0; i < DECISIONS; i++)
        if (view_equal(name, view_of(policy_decision_name(i))))
            known = w->expects[i] = true;
    assert_true(known);
}

static void want(struct wanted *w, struct view key, const struct value *value, struct view *at)
{
    struct err err;
    struct value each;
    if (view_equal(key, view_of("expect")) && value->type == PACK_TEXT)
        want_decision(w, value->bytes);
    else if (view_equal(key, view_of("expect")))
        for (uint32_t i = value->count; i; i--) {
            assert_int_equal(pack_next(at, &each, &err), 0);
            want_decision(w, each.bytes);
        }
    else if (view_equal(key, view_of("command")))
        w->command = value->bytes;
    else if (view_equal(key, view_of("rule")))
        assert_true(text_copy_view(w->rule, sizeof w->rule, value->bytes));
    else if (view_equal(key, view_of("min_risk")))
        while (!view_equal(value->bytes, view_of(policy_risk_name(w->least))))
            assert_true(w->least++ < RISK_CRITICAL);
}

static struct wanted read_row(struct bench *b, const char *line)
{
    struct err err;
    struct value map, key, value;
    struct wanted w = {.least = RISK_LOW};
    b->packed.len = 0;
    if (json_to_pack(view_of(line), &b->packed, &err))
        fail_msg("%s: %s", line, err.text);
    struct view at = bytes_view(&b->packed);
    assert_int_equal(pack_next(&at, &map, &err), 0);
    for (uint32_t i = map.count; i; i--) {
        assert_int_equal(pack_next(&at, &key, &err), 0);
        struct view rest = at;
        assert_int_equal(pack_next(&rest, &value, &err), 0);
        want(&w, key.bytes, &value, &rest);
        assert_int_equal(pack_skip(&at, &err), 0);
    }
    if (!w.command.len || !(w.expects[0] || w.expects[1] || w.expects[2]))
        fail_msg("%s: no command, or nothing is expected", line);
    return w;
}

static bool has_rule(const struct judgement *j, const char *id)
{
    for (size_t i = 0; i < j->rules_count; i++)
        if (!strcmp(j->rules[i], id))
            return true;
    return !id[0];
}

/* NULL when the decision is as the row wants it. */
static const char *miss_of(const struct wanted *w, const struct judgement *j)
{
    if (!w->expects[j->decision])
        return !w->expects[DECISION_ALLOW] && j->decision == DECISION_ALLOW ? "dangerous, allowed"
               : w->expects[DECISION_ALLOW] && !w->expects[DECISION_DENY] &&
                       !w->expects[DECISION_REQUIRE_APPROVAL]
                   ? "benign, stopped"
                   : "another decision";
    if (j->risk < w->least)
        return "too low a risk";
    return has_rule(j, w->rule) ? NULL : "without its rule";
}

static void judge_row(struct bench *b, const char *file, const char *line)
{
    struct err err;
    struct judgement j;
    struct wanted w = read_row(b, line);
    struct policy_context c = context;
    c.text = w.command;
    facts_read_shell(&b->facts, &(struct facts_setting){c.cwd, c.home}, w.command);
    policy_judge(&b->facts, &c, b->rules, &j);
    const char *miss = miss_of(&w, &j);
    b->cases++;
    if (miss)
        assert_int_equal(bytes_addf(&b->misses, &err, "%s: %s: %s\n", file, miss, line), 0);
}

static void judge_file(struct bench *b, const char *path)
{
    char *line = NULL;
    size_t room = 0;
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    for (ssize_t len; (len = getline(&line, &room, f)) > 0;) {
        line[len - (line[len - 1] == '\n')] = 0;
        if (line[0])
            judge_row(b, strrchr(path, '/') + 1, line);
    }
    free(line);
    fclose(f);
}

static void judge_all(struct bench *b)
{
    glob_t files;
    assert_int_equal(glob(FOLDER "cases/*.jsonl", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        judge_file(b, files.gl_pathv[i]);
    globfree(&files);
}

static int open_bench(void **state)
{
    static struct bench bench;
    struct err err;
    bench = (struct bench){.packed = bytes_open(LINE_BYTES), .misses = bytes_open(LIST_BYTES)};
    if (ruleset_load(&(struct ruleset_options){0}, &bench.rules, &err))
        fail_msg("%s", err.text);
    *state = &bench;
    return 0;
}

static int close_bench(void **state)
{
    struct bench *b = *state;
    ruleset_free(&b->rules);
    facts_close(&b->facts);
    bytes_close(&b->packed);
    bytes_close(&b->misses);
    return 0;
}

/* Prints the lines of one text that are not in the other; how many there are. */
static int print_others(const char *text, const char *other, const char *what)
{
    int count = 0;
    SCOPED(bytes_close) struct bytes line = bytes_open(LINE_BYTES);
    struct err err;
    for (const char *at = text, *end; (end = strchr(at, '\n')); at = end + 1) {
        line.len = 0;
        assert_int_equal(bytes_addf(&line, &err, "%.*s\n", (int)(end - at), at), 0);
        const char *found = strstr(other, (const char *)line.data);
        if (found && (found == other || found[-1] == '\n'))
            continue;
        print_error("%s: %s", what, (const char *)line.data);
        count++;
    }
    return count;
}

static void misses_exactly_the_cases_that_are_listed(void **state)
{
    struct bench *b = *state;
    struct err err;
    static char known[LIST_BYTES];
    FILE *f = fopen(FOLDER "known_misses.txt", "re");
    assert_non_null(f);
    known[fread(known, 1, sizeof known - 1, f)] = 0;
    fclose(f);
    judge_all(b);
    assert_int_equal(bytes_addf(&b->misses, &err, "%s", ""), 0);
    const char *misses = b->misses.data ? (const char *)b->misses.data : "";
    int new = print_others(misses, known, "a new miss");
    int gone = print_others(known, misses, "listed, but none any more");
    assert_int_equal(new + gone, 0);
    assert_true(b->cases > 5000);
}

static void writes_the_list(void **state)
{
    struct bench *b = *state;
    judge_all(b);
    FILE *f = fopen(FOLDER "known_misses.txt", "we");
    assert_non_null(f);
    assert_int_equal(fwrite(b->misses.data, 1, b->misses.len, f), b->misses.len);
    assert_int_equal(fclose(f), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misses_exactly_the_cases_that_are_listed),
    };
    const struct CMUnitTest write[] = {cmocka_unit_test(writes_the_list)};
    return argc == 2 && !strcmp(argv[1], "--write")
               ? cmocka_run_group_tests(write, open_bench, close_bench)
               : cmocka_run_group_tests(tests, open_bench, close_bench);
}
