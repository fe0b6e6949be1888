/* script.c - judging a file that a command runs as code; see script.h. */
#include "guardian/script.h"

#include "base/scope.h"
#include "base/text.h"
#include "engine/shell/scriptfile.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 128 * 1024 };

/* Programs that take code inline, and by which option, if it takes one; * stands for a version. */
static const struct interpreter {
    const char *name, *option;
} interpreters[] = {
    {"fish", "-c"}, {"perl*", "-e"}, {"ruby*", "-e"},   {"node", "-e"},  {"nodejs", "-e"},
    {"php*", "-r"}, {"lua*", "-e"},  {"deno", "-e"},    {"bun", "-e"},   {"ts-node", "-e"},
    {"tsx", "-e"},  {"awk", NULL},   {"gawk", NULL},    {"mawk", NULL},  {"nawk", NULL},
    {"sed", "-e"},  {"gsed", "-e"},  {"python*", "-c"}, {"pypy*", "-c"},
};

/* What one script is judged with. */
struct reading {
    struct facts *room;
    const struct script *script;
    const struct ruleset *rules;
    struct policy_context context;
    struct facts_setting setting;
};

static const struct interpreter *find(const char *name)
{
    for (size_t i = 0; i < COUNT(interpreters); i++)
        if (text_matches(interpreters[i].name, name))
            return &interpreters[i];
    return NULL;
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

static void judge_unread(struct reading *r, const char *why, struct judgement *out)
{
    const struct view argv[] = {view_of(r->script->path)};
    facts_read_argv(r->room, &r->setting, argv, COUNT(argv));
    trouble_add(&r->room->trouble, TROUBLE_CODE, "%s", why);
    policy_judge(r->room, &r->context, r->rules, out);
}

static void judge_code(struct reading *r, const char *name, struct judgement *out)
{
    SCOPED(bytes_close) struct bytes store = bytes_open(TEXT_BYTES);
    const struct interpreter *interpreter = find(name);
    struct view text = r->script->text;
    if (scriptfile_is_shell(name)) {
        scriptfile_read(r->room, &r->setting, r->script->args, text, &store);
    } else if (interpreter) {
        const char *option = interpreter->option;
        const struct view argv[] = {view_of(name), option ? view_of(option) : text, text};
        facts_read_argv(r->room, &r->setting, argv, option ? 3 : 2);
    } else {
        judge_unread(r, "the rules do not read code of its kind", out);
        return;
    }
    policy_judge(r->room, &r->context, r->rules, out);
}

/* A file that is executed itself. */
static void judge_executed(struct reading *r, struct judgement *out)
{
    char name[SCRIPTFILE_NAME_BYTES];
    struct judgement code;
    enum scriptfile_kind kind = scriptfile_reader(r->room, &r->setting, r->script->text, name);
    if (kind == SCRIPTFILE_PROGRAM) {
        judge_unread(r, "it is a program, not a text", out);
        return;
    }
    if (kind == SCRIPTFILE_NAMED)
        policy_judge(r->room, &r->context, r->rules, out);
    judge_code(r, name, &code);
    if (kind == SCRIPTFILE_NAMED)
        judgement_add(out, &code);
    else
        *out = code;
}

void script_judge(struct facts *room, const struct script *script,
                  const struct policy_context *context, const struct facts_setting *setting,
                  const struct ruleset *rules, struct judgement *out)
{
    struct reading r = {room, script, rules, *context, *setting};
    r.context.text = script->text;
    r.context.is_script = true;
    if (script->cwd[0])
        r.context.cwd = r.setting.cwd = script->cwd;
    *out = (struct judgement){.reason = "It is empty."};
    if (!script->text.len && script->bytes)
        judge_unread(&r, "it is too large to be read", out);
    else if (script->text.len && script->interpreter[0])
        judge_code(&r, script->interpreter, out);
    else if (script->text.len)
        judge_executed(&r, out);
    name_file(script, out);
}
