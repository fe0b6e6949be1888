/* files_special.c - programs whose operands have a grammar of their own; see files.h. */
#include "engine/shell/files.h"

#include "base/scope.h"

#include <string.h>

static bool has(const struct command_fact *c, const char *letter, const char *word)
{
    return option_of(c, letter) || (word && option_of(c, word));
}

static struct arg here(void)
{
    return arg_literal(".");
}

static void find_dd(struct walk *w, struct command_fact *c)
{
    for (size_t i = 0; i < c->operands_count; i++) {
        const struct arg *a = c->operands[i];
        if (!strncmp(a->text, "if=", 3))
            files_add(w, c, TOUCH_READ, false, files_keep(w, arg_behind(a, 3)));
        if (!strncmp(a->text, "of=", 3))
            files_add(w, c, TOUCH_WRITE, false, files_keep(w, arg_behind(a, 3)));
    }
}

/* Where an archive is unpacked, if it is: below this directory. */
static void add_unpacked(struct walk *w, struct command_fact *c, const struct arg *into)
{
    struct arg cwd = here();
    files_add(w, c, TOUCH_WRITE, true, into ? into : &cwd);
}

static void find_tar(struct walk *w, struct command_fact *c)
{
    const struct option_fact *top = option_of(c, "--one-top-level");
    bool extracts = has(c, "-x", "--extract") || has(c, "--get", NULL);
    bool creates = has(c, "-c", "--create"), adds = has(c, "-r", "--append") ||
                                                    has(c, "-u", "--update") ||
                                                    has(c, "-A", "--concatenate");
    bool lists = !extracts && !creates && !adds;
    bool shows = has(c, "-O", "--to-stdout") || has(c, "--to-command", NULL);
    const struct arg *from = files_from(w, c);
    const struct option_fact *archive = option_of(c, "-f");
    if (!archive)
        archive = option_of(c, "--file");
    if (archive && archive->value && !is_remote(archive->value))
        files_add(w, c,
                  creates ? TOUCH_WRITE
                  : adds  ? TOUCH_READ | TOUCH_WRITE
                          : TOUCH_READ,
                  false, archive->value);
    if (extracts && !shows)
        add_unpacked(w, c, top && top->value ? files_below(w, from, top->value) : from);
    unsigned touches = extracts && !shows ? TOUCH_WRITE : creates || adds ? TOUCH_READ : 0;
    if (!extracts && c->reading->effects[EFFECT_DELETES])
        touches |= TOUCH_DELETE;
    for (size_t i = 0; i < c->operands_count && !lists; i++)
        files_add(w, c, touches, true, files_below(w, from, c->operands[i]));
}

/* cpio -i, jar x: everything goes below a directory. */
static void find_unpacker(struct walk *w, struct command_fact *c)
{
    bool jar = !strcmp(c->reading->program->name, "jar");
    bool extracts = jar ? has(c, "-x", "--extract") : has(c, "-i", "--extract");
    const struct option_fact *archive = option_of(c, jar ? "-f" : "-F");
    if (extracts && !has(c, "-t", "--list"))
        add_unpacked(w, c, files_from(w, c));
    if (archive && archive->value)
        files_add(w, c, extracts ? TOUCH_READ : TOUCH_READ | TOUCH_WRITE, false, archive->value);
    for (size_t i = 0; i < c->operands_count && !extracts; i++)
        files_add(w, c, TOUCH_READ | (has(c, "-p", "--pass-through") ? TOUCH_WRITE : 0), true,
                  c->operands[i]);
}

static void find_unzip(struct walk *w, struct command_fact *c)
{
    static const char *const looks[] = {"-l", "-p", "-t", "-v", "-z", "-Z", "-c"};
    const struct option_fact *into = option_of(c, "-d");
    if (c->operands_count)
        files_add(w, c, TOUCH_READ, false, c->operands[0]);
    for (size_t i = 0; i < COUNT(looks); i++)
        if (option_of(c, looks[i]))
            return;
    add_unpacked(w, c, into ? into->value : NULL);
}

/* patch changes whatever its input names, below a directory. */
static void find_patch(struct walk *w, struct command_fact *c)
{
    const struct arg *from = files_from(w, c);
    const struct option_fact *input = option_of(c, "-i");
    if (c->operands_count)
        files_add(w, c, TOUCH_READ | TOUCH_WRITE, false, files_below(w, from, c->operands[0]));
    else if (!option_of(c, "-o") && !option_of(c, "--output"))
        add_unpacked(w, c, from);
    if (c->operands_count > 1)
        files_add(w, c, TOUCH_READ, false, c->operands[1]);
    if (input && input->value)
        files_add(w, c, TOUCH_READ, false, input->value);
}

/* What find searches; what it deletes is something below. */
static void add_start(struct walk *w, struct command_fact *c, const struct arg *start)
{
    static const char hole[] = {HOLE, 0};
    struct arg found = arg_literal(hole);
    found.kind = ARG_DYNAMIC;
    files_add(w, c, TOUCH_SEARCH, true, start);
    if (c->reading->effects[EFFECT_DELETES])
        files_add(w, c, TOUCH_DELETE, true, files_below(w, start, &found));
}

static void find_find(struct walk *w, struct command_fact *c)
{
    struct arg cwd = here();
    for (size_t i = 0; i < c->operands_count; i++)
        add_start(w, c, c->operands[i]);
    if (!c->operands_count)
        add_start(w, c, &cwd);
}

/* "container:path" is no file of ours. */
static void find_container_copy(struct walk *w, struct command_fact *c)
{
    for (size_t i = c->reading->commands; i < c->operands_count; i++) {
        bool last = i + 1 == c->operands_count;
        if (!is_remote(c->operands[i]))
            files_add(w, c, last ? TOUCH_WRITE : TOUCH_READ, true, c->operands[i]);
    }
}

/* One end of socat: "OPEN:file,opts", "UNIX-CONNECT:path"; "GOPEN", "CREATE", "FILE", "PIPE". */
static void find_socat(struct walk *w, struct command_fact *c)
{
    static const char *const kinds[] = {"OPEN", "GOPEN", "CREATE", "FILE", "PIPE", "UNIX"};
    for (size_t i = 0; i < c->operands_count; i++) {
        const struct arg *a = c->operands[i];
        size_t kind = strcspn(a->text, ":");
        for (size_t k = 0; k < COUNT(kinds) && a->text[kind]; k++) {
            if (strncasecmp(a->text, kinds[k], strlen(kinds[k])) != 0)
                continue;
            const char *from = a->text + kind + 1;
            char *path = arena_text(&w->facts->arena, from, strcspn(from, ","));
            if (path)
                files_add(w, c, TOUCH_READ | TOUCH_WRITE, false,
                          files_keep(w, arg_behind(&(struct arg){.text = path,
                                                                 .len = strlen(path),
                                                                 .glob_at = SIZE_MAX},
                                                   0)));
            break;
        }
        if (!a->text[kind] && strchr(a->text, '/'))
            files_add(w, c, TOUCH_READ | TOUCH_WRITE, false, a);
    }
}

/* "field@file", "field=@file", "field:=@file" of HTTPie. */
static void find_httpie(struct walk *w, struct command_fact *c)
{
    for (size_t i = 1; i < c->operands_count; i++) {
        const struct arg *a = c->operands[i];
        size_t at = strcspn(a->text, "@");
        if (a->text[at] && at && !strstr(a->text, "://"))
            files_add(w, c, TOUCH_READ, false, files_keep(w, arg_behind(a, at + 1)));
    }
}

void files_special(struct walk *w, struct command_fact *c)
{
    static const struct {
        const char *name;
        void (*find)(struct walk *w, struct command_fact *c);
    } programs[] = {
        {"bsdtar", find_tar},
        {"cpio", find_unpacker},
        {"dd", find_dd},
        {"docker cp", find_container_copy},
        {"find", find_find},
        {"http", find_httpie},
        {"jar", find_unpacker},
        {"patch", find_patch},
        {"kubectl cp", find_container_copy},
        {"socat", find_socat},
        {"tar", find_tar},
        {"unzip", find_unzip},
    };
    for (size_t i = 0; i < COUNT(programs); i++)
        if (!strcmp(programs[i].name, c->reading->program->name))
            programs[i].find(w, c);
}
