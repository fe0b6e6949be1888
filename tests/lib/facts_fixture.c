/* facts_fixture.c - see facts_fixture.h. */
#include "tests/lib/facts_fixture.h"

#include "base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct facts_setting setting = {.cwd = "/workspace", .home = "/users/agent"};

static void show_command(char *to, size_t size, const struct command_fact *c)
{
    size_t len = 0;
    for (size_t i = 0; i < c->argv.count && len < size; i++)
        len += (size_t)snprintf(to + len, size - len, "%s%s", i ? " " : "", c->argv.items[i].text);
    for (char *hole = to; (hole = strchr(hole, HOLE)); hole++)
        *hole = '?';
}

void facts_show(char *to, size_t size, const struct facts *f)
{
    size_t len = 0;
    to[0] = 0;
    for (const struct command_fact *c = f->first; c; c = c->next) {
        if (!c->argv.count)
            continue;
        len += (size_t)snprintf(to + len, size - len, "%s", len ? " | " : "");
        assert_true(len < size);
        show_command(to + len, size - len, c);
        len = strlen(to);
    }
}

void assert_runs(const char *text, const char *expected)
{
    SCOPED(facts_close) struct facts f = {0};
    char shown[4096];
    facts_read_shell(&f, &setting, view_of(text));
    facts_show(shown, sizeof shown, &f);
    if (f.trouble.kinds || strcmp(shown, expected) != 0)
        print_error("%s: %s (%s)\n", text, shown, f.trouble.why);
    assert_string_equal(shown, expected);
    assert_int_equal(f.trouble.kinds, 0);
}

void assert_trouble(const char *text, unsigned kind)
{
    SCOPED(facts_close) struct facts f = {0};
    facts_read_shell(&f, &setting, view_of(text));
    if (!(f.trouble.kinds & kind))
        print_error("%s: trouble %x, expected %x\n", text, f.trouble.kinds, kind);
    assert_true(f.trouble.kinds & kind);
    assert_true(f.trouble.why[0]);
}

void assert_sources(const char *text, const char *name, const char *expected)
{
    static const char *const ways[] = {
        [WAY_PIPE] = "pipe",       [WAY_SUBSTITUTION] = "substitution",
        [WAY_PROCESS] = "process", [WAY_ARGS] = "args",
        [WAY_RUN] = "run",         [WAY_FILE] = "file"};
    SCOPED(facts_close) struct facts f = {0};
    char shown[1024] = "";
    const struct command_fact *last = NULL;
    facts_read_shell(&f, &setting, view_of(text));
    for (const struct command_fact *c = f.first; c; c = c->next)
        if (c->name && !strcmp(c->name, name))
            last = c;
    assert_non_null(last);
    for (const struct source_fact *s = last->sources; s; s = s->next)
        snprintf(shown + strlen(shown), sizeof shown - strlen(shown), "%s%s:%s", *shown ? " " : "",
                 ways[s->way], s->from->name ? s->from->name : "?");
    if (strcmp(shown, expected) != 0)
        print_error("%s: %s\n", text, shown);
    assert_string_equal(shown, expected);
}
