/* message.c - see message.h. */
#include "engine/policy/message.h"

#include "base/scope.h"
#include "base/secret.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_BYTES = 200, WORDS_BYTES = 4096, NAMES_MAX = 3 };

/* Text with its holes as "…", cut. Failures leave it shorter. */
static void add_text(struct bytes *to, const char *text)
{
    struct err err;
    for (size_t n = 0; *text && n < SHOWN_BYTES; text++, n++)
        if (bytes_add(to, *text == HOLE ? "\xe2\x80\xa6" : text, *text == HOLE ? 3 : 1, &err))
            return;
}

static void show(char *to, size_t size, const struct bytes *raw, const char *instead)
{
    struct err err;
    SCOPED(bytes_close) struct bytes shown = bytes_open(16384);
    if (raw->len && !text_show(&shown, raw->data, raw->len, &err))
        text_copy(to, size, (const char *)shown.data);
    else
        text_copy(to, size, instead);
}

/* Words with a NUL between them, as a person would write them, cut. */
static void add_words(struct bytes *raw, struct view words, size_t end)
{
    struct err err;
    for (size_t i = 0; i < words.len && raw->len < end; i++) {
        char c[2] = {(char)words.data[i], 0};
        if (c[0])
            add_text(raw, c);
        else if (bytes_add(raw, " ", 1, &err))
            return;
    }
}

/* A secret is shown as its kind and its length. What stands for what is not known is none. */
static void add_clean(struct bytes *raw, struct view words)
{
    struct err err;
    size_t at = 0, end = raw->len + SHOWN_BYTES;
    struct secret_search search = secret_search(SECRET_WORDS, words);
    for (struct secret s; secret_next(&search, &s) && raw->len < end;) {
        if (words.data[s.at] == HOLE)
            continue;
        add_words(raw, (struct view){words.data + at, s.at - at}, end);
        if (raw->len < end && bytes_addf(raw, &err, "[redacted:%s:%zu]", s.kind, s.len))
            return;
        at = s.at + s.len;
    }
    add_words(raw, (struct view){words.data + at, words.len - at}, end);
}

static void add_command(struct bytes *raw, const struct command_fact *c)
{
    struct err err;
    SCOPED(bytes_close) struct bytes words = bytes_open(WORDS_BYTES);
    for (size_t i = 0; i < c->argv.count && words.len < WORDS_BYTES; i++) {
        const char *word = c->argv.items[i].text;
        size_t len = strnlen(word, WORDS_BYTES - words.len - 1);
        if ((i && bytes_add(&words, "", 1, &err)) || bytes_add(&words, word, len, &err))
            return;
    }
    if (words.len)
        add_clean(raw, bytes_view(&words));
    for (size_t i = 0; !c->argv.count && i < c->redirects_count && raw->len < SHOWN_BYTES; i++) {
        if (bytes_addf(raw, &err, "> "))
            return;
        add_text(raw, c->redirects[i].target.text);
    }
}

void message_command(char *to, size_t size, const struct command_fact *c)
{
    SCOPED(bytes_close) struct bytes raw = bytes_open(4096);
    add_command(&raw, c);
    show(to, size, &raw, "a command");
}

/* The paths that the command touches, or its operands. */
static void add_paths(struct bytes *raw, struct subject *s)
{
    size_t count, named = 0;
    struct err err;
    const struct place *places = subject_places(s, &count);
    for (size_t i = 0; i < count && named < NAMES_MAX; i++) {
        if (!places[i].touches && !places[i].operand)
            continue;
        if (named++ && bytes_add(raw, ", ", 2, &err))
            return;
        add_text(raw, places[i].arg->text);
    }
    if (!named)
        add_text(raw, "it");
}

static void add_hosts(struct bytes *raw, const struct command_fact *c)
{
    size_t named = 0;
    struct err err;
    for (const struct host_fact *h = c->hosts; h && named < NAMES_MAX; h = h->next) {
        if (named++ && bytes_add(raw, ", ", 2, &err))
            return;
        add_text(raw, h->name);
    }
    if (!named)
        add_text(raw, "the host");
}

void message_fill(char *to, size_t size, const struct rule *rule, struct subject *s)
{
    struct err err;
    SCOPED(bytes_close) struct bytes raw = bytes_open(8192);
    for (const char *at = rule->message; *at;) {
        size_t plain = strcspn(at, "{");
        if (plain && bytes_add(&raw, at, plain, &err))
            break;
        at += plain;
        const char *end = *at ? strchr(at, '}') : NULL;
        size_t len = end ? (size_t)(end - at) + 1 : *at != 0;
        struct view name = {(const uint8_t *)at, len};
        if (view_equal(name, view_of("{command}")))
            add_command(&raw, s->c);
        else if (view_equal(name, view_of("{paths}")))
            add_paths(&raw, s);
        else if (view_equal(name, view_of("{hosts}")))
            add_hosts(&raw, s->c);
        else if (view_equal(name, view_of("{rule}")))
            add_text(&raw, rule->id);
        else if (len && bytes_add(&raw, at, len, &err))
            break;
        at += len;
    }
    show(to, size, &raw, "");
}

void message_text(char *to, size_t size, const char *text)
{
    SCOPED(bytes_close) struct bytes raw = bytes_open(8192);
    add_text(&raw, text);
    show(to, size, &raw, "");
}
