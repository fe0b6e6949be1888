/* script.c - judging a file that a command runs as code; see script.h. */
#include "guardian/script.h"

#include "base/scope.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64, LINE_MAX_BYTES = 256 };

/* Programs that take code inline, and by which option; * stands for a version. */
static const struct interpreter {
    const char *name, *option;
} interpreters[] = {
    {"bash", "-c"},    {"sh", "-c"},    {"dash", "-c"}, {"ash", "-c"},  {"ksh", "-c"},
    {"zsh", "-c"},     {"fish", "-c"},  {"perl", "-e"}, {"ruby", "-e"}, {"node", "-e"},
    {"nodejs", "-e"},  {"php", "-r"},   {"lua*", "-e"}, {"deno", "-e"}, {"bun", "-e"},
    {"python*", "-c"}, {"pypy*", "-c"},
};

static const struct interpreter *find(const char *name)
{
    for (size_t i = 0; i < COUNT(interpreters); i++)
        if (text_matches(interpreters[i].name, name))
            return &interpreters[i];
    return NULL;
}

/* The first word of a line that is none of env's own; the rest of the line goes to *rest. */
static const char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    size_t len = strcspn(word, " \t");
    *rest = word + len + (word[len] ? 1 : 0);
    word[len] = 0;
    return word;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* What the kernel would run a file with: its "#!" line, through env; a shell without one. */
static void read_first_line(struct view text, char name[NAME_MAX_BYTES])
{
    char line[LINE_MAX_BYTES] = "", *rest = line + 2;
    size_t len = text.len < sizeof line - 1 ? text.len : sizeof line - 1;
    memcpy(line, text.data, len);
    line[strcspn(line, "\r\n")] = 0;
    text_copy(name, NAME_MAX_BYTES, "sh");
    if (strncmp(line, "#!", 2) != 0)
        return;
    const char *word = base_name(next_word(&rest));
    while (!strcmp(word, "env") || word[0] == '-' || strchr(word, '='))
        if (!*rest || !*(word = base_name(next_word(&rest))))
            break;
    text_copy(name, NAME_MAX_BYTES, word);
}

/* Says in which file it was found. */
static void name_file(const struct script *script, struct judgement *out)
{
    char reason[sizeof out->reason + sizeof script->path];
    SCOPED(bytes_close) struct bytes shown = bytes_open(8 * sizeof script->path);
    struct err err;
    size_t len = strlen(script->path);
    bool is_shown = !text_show(&shown, script->path, len < 100 ? len : 100, &err);
    snprintf(reason, sizeof reason, "In %s: %s", is_shown ? (const char *)shown.data : "a script",
             out->reason);
    text_copy(out->reason, sizeof out->reason, reason);
}

void script_judge(struct facts *room, const struct script *script,
                  const struct policy_context *context, const struct facts_setting *setting,
                  const struct ruleset *rules, struct judgement *out)
{
    char name[NAME_MAX_BYTES];
    struct policy_context inside = *context;
    *out = (struct judgement){0};
    if (!script->text.len)
        return;
    if (script->interpreter[0])
        text_copy(name, sizeof name, script->interpreter);
    else if (memchr(script->text.data, 0, script->text.len))
        return; /* a program, not a text */
    else
        read_first_line(script->text, name);
    const struct interpreter *interpreter = find(name);
    if (!interpreter)
        return;
    const struct view argv[] = {view_of(name), view_of(interpreter->option), script->text};
    inside.text = script->text;
    inside.is_script = true;
    facts_read_argv(room, setting, argv, COUNT(argv));
    policy_judge(room, &inside, rules, out);
    name_file(script, out);
}
