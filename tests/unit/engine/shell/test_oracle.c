/* The parser against two others: bash -n must not refuse what we take without trouble, and shfmt
 * must find the same simple commands with the same arguments. */
#include "base/file.h"
#include "base/scope.h"
#include "engine/shell/parser.h"
#include "engine/shell/words.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

enum { COMMANDS_MAX = 64, TEXT_MAX = 8192 };

/* Where bash 5.2, run with each of these, does what we say and not what shfmt 3.6 says. */
static const char *const misread_by_shfmt[] = {
    "echo \"`echo \\\"a b\\\"`\"",
    "time -p -- a",
    "a # c \\\nb",
    "$\\\nx b",
    "a $\\\nb",
    "a $\\\n{b}",
    "a $\\\n'b'",
    "a $\\\n\"b\"",
    "a $(\\\n(1))",
    "(\\\n(1))",
    "a #\\\nb",
    "a <<-E\nb\\\n\tE\nE",
    "coproc a >f",
    "coproc a=1 b",
    "echo `a \\`b \\\\\\`c\\\\\\`\\``",
    "echo ${a:-<(b)}",
    "!(a)",
};

static bool is_misread(const char *text)
{
    for (size_t i = 0; i < COUNT(misread_by_shfmt); i++)
        if (!strcmp(text, misread_by_shfmt[i]))
            return true;
    return false;
}

/* One simple command a row: its words, each ended by 0x1f; what is no text is a question mark. */
struct listing {
    char rows[COMMANDS_MAX][512];
    int count;
    char row[TEXT_MAX];
    size_t len;
};

static void put(struct listing *l, const char *text, size_t len)
{
    assert_true(len < sizeof l->row - l->len);
    memcpy(l->row + l->len, text, len);
    l->len += len;
    l->row[l->len] = 0;
}

static void put_text(struct listing *l, const char *text)
{
    put(l, text, strlen(text));
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void end_row(struct listing *l, size_t from)
{
    assert_true(l->count < COMMANDS_MAX);
    snprintf(l->rows[l->count++], sizeof l->rows[0], "%s", l->row + from);
    l->len = from;
    l->row[from] = 0;
}

/* Ours. */

static void list_node(struct listing *l, const struct node *node);

static void list_inside(struct listing *l, const struct part *part)
{
    for (; part; part = part->next) {
        list_node(l, part->body);
        list_inside(l, part->inner);
        list_inside(l, part->index);
    }
}

static void list_words_inside(struct listing *l, const struct word *w)
{
    for (; w; w = w->next) {
        list_inside(l, w->parts);
        list_inside(l, w->index);
        list_words_inside(l, w->items);
    }
}

static void put_word(struct listing *l, const struct word *w)
{
    if (w->name) {
        put_text(l, w->name);
        put_text(l, w->append ? "+=" : "=");
    }
    for (const struct part *part = w->parts; part; part = part->next) {
        if (part->kind == PART_TEXT)
            put(l, part->text, part->len);
        else
            put_text(l, "?");
    }
    put_text(l, "\x1f");
}

static void list_node(struct listing *l, const struct node *node)
{
    for (; node; node = node->next) {
        size_t from = l->len;
        if (node->kind == NODE_SIMPLE && node->words) {
            bool let = words_is(node->words, "let");
            for (const struct word *w = node->words; w; w = let ? NULL : w->next)
                put_word(l, w);
            end_row(l, from);
        }
        list_words_inside(l, node->assigns);
        list_words_inside(l, node->words);
        for (const struct redirect *r = node->redirects; r; r = r->next) {
            list_words_inside(l, r->target);
            list_inside(l, r->body);
        }
        list_node(l, node->first);
    }
}

/* shfmt's. */

static const char *type_of(const json_t *value)
{
    const char *type = json_string_value(json_object_get(value, "Type"));
    return type ? type : "";
}

static const char *text_of(const json_t *value, const char *key)
{
    const char *text = json_string_value(json_object_get(value, key));
    return text ? text : "";
}

static void put_unescaped(struct listing *l, const char *text, const char *only)
{
    for (; *text; text++) {
        if (*text == '\\' && text[1] == '\n')
            text++;
        else if (*text == '\\' && text[1] && (!only || strchr(only, text[1])))
            put(l, ++text, 1);
        else
            put(l, text, 1);
    }
}

/* $'…' as bash itself decodes it. */
static void put_ansi(struct listing *l, const char *text)
{
    char path[] = "/tmp/corral-ansi-XXXXXX", command[64], out[512];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    dprintf(fd, "printf %%s $'%s'", text);
    close(fd);
    snprintf(command, sizeof command, "bash %s", path);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    size_t n = fread(out, 1, sizeof out, f);
    pclose(f);
    unlink(path);
    put(l, out, n);
}

static void put_part(struct listing *l, const json_t *part, bool in_double)
{
    const char *type = type_of(part);
    size_t i;
    json_t *inner;
    if (!strcmp(type, "Lit")) {
        put_unescaped(l, text_of(part, "Value"), in_double ? "$`\"\\" : NULL);
    } else if (!strcmp(type, "SglQuoted") && json_is_true(json_object_get(part, "Dollar"))) {
        put_ansi(l, text_of(part, "Value"));
    } else if (!strcmp(type, "SglQuoted")) {
        put_text(l, text_of(part, "Value"));
    } else if (!strcmp(type, "DblQuoted")) {
        json_array_foreach(json_object_get(part, "Parts"), i, inner) put_part(l, inner, true);
    } else {
        put_text(l, "?");
    }
}

static void put_json_word(struct listing *l, const json_t *word)
{
    size_t i;
    json_t *part;
    json_array_foreach(json_object_get(word, "Parts"), i, part) put_part(l, part, false);
}

static void list_declaration(struct listing *l, const json_t *decl)
{
    size_t i, from = l->len;
    json_t *assign;
    put_text(l, text_of(json_object_get(decl, "Variant"), "Value"));
    put_text(l, "\x1f");
    json_array_foreach(json_object_get(decl, "Args"), i, assign)
    {
        const char *name = text_of(json_object_get(assign, "Name"), "Value");
        put_text(l, name);
        if (*name && !json_is_true(json_object_get(assign, "Naked")))
            put_text(l, json_is_true(json_object_get(assign, "Append")) ? "+=" : "=");
        put_json_word(l, json_object_get(assign, "Value"));
        put_text(l, "\x1f");
    }
    end_row(l, from);
}

static void list_json(struct listing *l, json_t *value)
{
    size_t i, from = l->len;
    const char *key;
    json_t *inner, *args = json_object_get(value, "Args");
    if (!strcmp(type_of(value), "CallExpr") && json_array_size(args)) {
        json_array_foreach(args, i, inner)
        {
            put_json_word(l, inner);
            put_text(l, "\x1f");
        }
        end_row(l, from);
    } else if (!strcmp(type_of(value), "DeclClause")) {
        list_declaration(l, value);
    } else if (!strcmp(type_of(value), "LetClause")) {
        put_text(l, "let\x1f");
        end_row(l, from);
    }
    if (json_is_object(value)) {
        json_object_foreach(value, key, inner) list_json(l, inner);
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, inner) list_json(l, inner);
    }
}

enum { TEXTS_MAX = 4096 };

/* The two others are asked about all texts at once, each in a file of its number in `dir`. */
struct oracle {
    char dir[64];
    char *texts[TEXTS_MAX];
    int count;
    int disagreements, compared, refused, warned, unsure;
};

static const char *path_of(const struct oracle *o, int number, const char *suffix)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%04d%s", o->dir, number, suffix);
    return path;
}

static void read_texts(struct oracle *o)
{
    FILE *f = fopen(SOURCE_DIR "/tests/unit/engine/shell/commands.jsonl", "r");
    char line[TEXT_MAX];
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        json_t *text = json_loads(line, JSON_DECODE_ANY, NULL);
        assert_true(json_is_string(text) && o->count < TEXTS_MAX);
        FILE *to = fopen(path_of(o, o->count, ""), "w");
        assert_non_null(to);
        fputs(json_string_value(text), to);
        fclose(to);
        o->texts[o->count++] = strdup(json_string_value(text));
        json_decref(text);
    }
    fclose(f);
}

static void ask_others(const struct oracle *o)
{
    char command[512];
    snprintf(command, sizeof command,
             "cd %s && export GOMAXPROCS=1 && ls | xargs -P2 -n100 sh -c 'for f; do "
             "if bash -n $f 2>$f.said; then shfmt -ln bash --to-json <$f >$f.json 2>/dev/null; "
             "else echo refused >>$f.said; fi; done; true' sh",
             o->dir);
    assert_int_equal(system(command), 0);
}

enum answer { TAKEN, WARNED, REFUSED };

/* Of a condition that it refuses bash -n tells, and exits with 0. */
static enum answer bash_said(const struct oracle *o, int number)
{
    char line[TEXT_MAX];
    enum answer answer = TAKEN;
    FILE *f = fopen(path_of(o, number, ".said"), "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (strstr(line, ": warning: "))
            answer = answer == TAKEN ? WARNED : answer;
        else
            answer = REFUSED;
    }
    fclose(f);
    return answer;
}

static void compare_rows_of(struct oracle *o, const char *text, struct listing *ours,
                            struct listing *theirs)
{
    qsort(ours->rows, (size_t)ours->count, sizeof ours->rows[0], compare_texts);
    qsort(theirs->rows, (size_t)theirs->count, sizeof theirs->rows[0], compare_texts);
    bool same = ours->count == theirs->count;
    for (int i = 0; same && i < ours->count; i++)
        same = !strcmp(ours->rows[i], theirs->rows[i]);
    o->compared++;
    if (same)
        return;
    o->disagreements++;
    print_error("--- %s\n", text);
    for (int i = 0; i < ours->count; i++)
        print_error("  ours:  %s\n", ours->rows[i]);
    for (int i = 0; i < theirs->count; i++)
        print_error("  shfmt: %s\n", theirs->rows[i]);
}

static void compare(struct oracle *o, int number)
{
    SCOPED(arena_close) struct arena arena = {0};
    static struct listing ours, theirs;
    struct trouble trouble = {0};
    const char *text = o->texts[number];
    struct node *tree = parser_read(&arena, &trouble, view_of(text), false, 0);
    enum answer said = bash_said(o, number);
    o->refused += said == REFUSED;
    o->warned += said == WARNED;
    if (said == REFUSED && !(trouble.kinds & TROUBLE_SYNTAX)) {
        o->disagreements++;
        print_error("--- bash refuses, we do not: %s\n", text);
    }
    if (said == TAKEN && trouble.kinds) {
        o->unsure++;
        print_message("bash takes, we are not sure (%s): %s\n", trouble.why, text);
    }
    json_t *json = said == REFUSED || trouble.kinds || is_misread(text)
                       ? NULL
                       : json_load_file(path_of(o, number, ".json"), 0, NULL);
    if (!json)
        return;
    ours.count = theirs.count = 0;
    ours.len = theirs.len = 0;
    list_node(&ours, tree);
    list_json(&theirs, json);
    compare_rows_of(o, text, &ours, &theirs);
    json_decref(json);
}

static void finds_what_bash_and_shfmt_find(void **state)
{
    (void)state;
    static struct oracle o = {.dir = "/tmp/corral-oracle-XXXXXX"};
    struct err err;
    if (system("command -v shfmt >/dev/null")) {
        print_message("skipped: shfmt is not installed\n");
        skip();
    }
    setenv("LC_ALL", "C.UTF-8", 1); /* what bash makes of \\u depends on it */
    assert_non_null(mkdtemp(o.dir));
    read_texts(&o);
    ask_others(&o);
    for (int i = 0; i < o.count; i++) {
        compare(&o, i);
        free(o.texts[i]);
    }
    assert_int_equal(dir_remove(AT_FDCWD, o.dir, &err), 0);
    print_message(
        "%d texts: %d compared with shfmt; bash refuses %d, warns of %d, and takes %d that "
        "we are not sure of\n",
        o.count, o.compared, o.refused, o.warned, o.unsure);
    assert_int_equal(o.disagreements, 0);
    assert_true(o.compared > 2000 && o.refused > 250);
    assert_true(o.unsure * 50 < o.count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_bash_and_shfmt_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
