/* scripts.c - the files that a command runs as code; see scripts.h. */
#include "manager/scripts.h"

#include "base/log.h"
#include "base/scope.h"
#include "base/text.h"
#include "engine/record/act.h"
#include "engine/shell/facts.h"
#include "manager/sandbox.h"

#include <stdio.h>
#include <string.h>

enum { ARGV_MAX = 1024 /* command_execute.argv's own bound */ };

/* Below these nothing is the agent's to write, so there is nothing to be read before. */
static bool is_of_the_system(const char *path)
{
    static const char *const roots[] = {"/bin/",   "/sbin/", "/usr/", "/lib/",
                                        "/lib64/", "/etc/",  "/dev/", "/proc/"};
    for (size_t i = 0; i < COUNT(roots); i++)
        if (!strncmp(path, roots[i], strlen(roots[i])))
            return true;
    return false;
}

static void note(struct scripts *s, const char *path, const char *interpreter, unsigned depth)
{
    if (is_of_the_system(path) || strlen(path) >= SCRIPT_PATH_BYTES)
        return;
    for (size_t i = 0; i < s->count; i++)
        if (!strcmp(s->files[i].path, path) && !strcmp(s->files[i].interpreter, interpreter))
            return;
    if (s->count == SCRIPTS_MAX)
        return; /* the guardian sees the command that runs it, as it does for every file */
    struct script_file *file = &s->files[s->count++];
    *file = (struct script_file){.depth = depth, .bytes = -1};
    text_copy(file->path, sizeof file->path, path);
    text_copy(file->interpreter, sizeof file->interpreter, interpreter);
}

/* The program that reads a file: none when the file is the program. */
static const char *interpreter_of(const struct command_fact *c)
{
    bool is_itself = c->argv.count && strchr(c->argv.items[0].text, '/');
    if (!c->name || (is_itself && c->argv.count == 1))
        return "";
    if (!strcmp(c->name, "source") || !strcmp(c->name, "."))
        return "bash";
    return c->name;
}

static void note_file(struct scripts *s, const struct command_fact *c, const struct file_fact *f,
                      unsigned depth)
{
    char path[CWDS_PATH_MAX];
    if (!(f->touches & TOUCH_RUN) || f->path.kind != ARG_LITERAL || f->path.glob_at != SIZE_MAX)
        return;
    bool is_program = c->argv.count && !strcmp(f->path.text, c->argv.items[0].text);
    for (unsigned i = 0; i < c->cwds->count; i++)
        if (path_join(path, c->cwds->path[i], f->path.text, f->path.len))
            note(s, path, is_program ? "" : interpreter_of(c), depth);
}

static void note_files(struct scripts *s, const struct facts *facts, unsigned depth)
{
    for (const struct command_fact *c = facts->first; c; c = c->next)
        for (const struct file_fact *f = c->files; f && !(c->context & CONTEXT_ELSEWHERE);
             f = f->next)
            note_file(s, c, f, depth);
}

static struct facts *facts_of(const struct scripts *s)
{
    return &s->sandbox->manager->facts;
}

static struct facts_setting setting_of(const struct scripts *s)
{
    return (struct facts_setting){.cwd = s->cwd, .home = s->home};
}

/* The last HOME of the list, if any. */
static void take_home(struct scripts *s, struct list env)
{
    for (struct view v; list_next_text(&env, &v);)
        if (v.len > 6 && !memcmp(v.data, "HOME=/", 6))
            text_copy_view(s->home, sizeof s->home, (struct view){v.data + 5, v.len - 5});
}

static void read_command(struct scripts *s, const struct command_execute *in)
{
    struct view argv[ARGV_MAX];
    size_t argc = 0;
    struct list rest = in->argv;
    struct facts_setting setting = setting_of(s);
    while (argc < COUNT(argv) && list_next_text(&rest, &argv[argc]))
        argc++;
    if (argc)
        facts_read_argv(facts_of(s), &setting, argv, argc);
    else
        facts_read_shell(facts_of(s), &setting, in->command);
    note_files(s, facts_of(s), 1);
}

/* True for the text of a shell: by who reads it, or by its first line. */
static bool is_shell_text(const struct script_file *file, struct view text)
{
    static const char *const shells[] = {"sh", "bash", "dash", "ash", "ksh", "zsh"};
    char line[128] = "";
    const char *name = file->interpreter;
    if (!name[0]) {
        size_t len = text.len < sizeof line - 1 ? text.len : sizeof line - 1;
        memcpy(line, text.data, len);
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "#!", 2) != 0)
            return true; /* a shell runs what the kernel does not know */
        char *end = line + strlen(line);
        while (end > line && end[-1] == ' ')
            *--end = 0;
        size_t word = strcspn(line + 2, " \t");
        bool is_env = word > 4 && !strncmp(line + 2 + word - 4, "/env", 4);
        name = is_env ? line + 2 + word + strspn(line + 2 + word, " \t") : line + 2;
        line[2 + (is_env ? strlen(line + 2) : word)] = 0;
        name = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
    }
    for (size_t i = 0; i < COUNT(shells); i++)
        if (!strcmp(name, shells[i]))
            return true;
    return false;
}

static void read_script(struct scripts *s, const struct script_file *file, struct view text)
{
    struct facts_setting setting = setting_of(s);
    unsigned depth = file->depth + 1;
    if (depth > SCRIPTS_MAX_DEPTH || !text.len || memchr(text.data, 0, text.len) ||
        !is_shell_text(file, text))
        return;
    facts_read_shell(facts_of(s), &setting, text);
    note_files(s, facts_of(s), depth);
}

static void keep(struct scripts *s, struct script_file *file, const struct frame_seen *seen)
{
    struct err err;
    file->bytes = seen->bytes < 0 ? 0 : seen->bytes;
    if (!seen->data.data)
        return;
    script_hash(seen->data, file->hash);
    file->has_hash = true;
    file->bytes = (int64_t)seen->data.len;
    if (seen->data.len > SCRIPTS_MAX_BYTES - s->store.len)
        return;
    file->at = s->store.len;
    if (bytes_add(&s->store, seen->data.data, seen->data.len, &err))
        return;
    file->len = seen->data.len;
    file->has_text = true;
    read_script(s, file, seen->data);
}

static void fail_look(struct scripts *s, const struct err *why)
{
    log_warn("scripts.look sandbox=%s error=\"%s\"", s->sandbox->lease.sandbox_id, why->text);
}

/* Sends the look that `s` wants next. */
static void send_look(struct scripts *s)
{
    struct err err;
    struct sandbox *sandbox = s->sandbox;
    struct frame_look look = {.nonce = sandbox->next_look++, .cwd = view_of(s->cwd)};
    if (s->is_placed)
        look.path = view_of(s->files[s->looked].path);
    s->nonce = look.nonce;
    if (frame_put_look(init_link_out(sandbox->link), &look, &err))
        fail_look(s, &err); /* the operation's own timer ends the wait */
    else
        init_link_flush(sandbox->link);
}

static void join(struct scripts *s)
{
    struct scripts **at = &s->sandbox->lookers;
    while (*at)
        at = &(*at)->next;
    *at = s;
    if (s->sandbox->lookers == s)
        send_look(s);
}

void scripts_leave(struct scripts *s)
{
    struct sandbox *sandbox = s->sandbox;
    if (!sandbox)
        return;
    bool was_first = sandbox->lookers == s;
    struct scripts **at = &sandbox->lookers;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    s->sandbox = NULL;
    s->next = NULL;
    if (was_first && sandbox->lookers && sandbox->link)
        send_look(sandbox->lookers);
}

bool scripts_begin(struct scripts *s, struct op *op, struct sandbox *sandbox, const char *cwd,
                   const struct command_execute *in)
{
    *s = (struct scripts){.sandbox = sandbox, .op = op, .nonce = -1};
    s->store = bytes_open(SCRIPTS_MAX_BYTES);
    text_copy(s->cwd, sizeof s->cwd, cwd);
    text_copy(s->home, sizeof s->home, SANDBOX_WORKSPACE);
    take_home(s, sandbox->lease.env);
    take_home(s, in->env);
    s->is_placed = !strcmp(s->cwd, SANDBOX_WORKSPACE); /* a mount point: nobody inside moves it */
    if (s->is_placed)
        read_command(s, in);
    if (s->is_placed && !s->count) {
        s->sandbox = NULL;
        return false;
    }
    join(s);
    return true;
}

/* Takes what init saw. True when nothing is left to look at. */
static bool take(struct scripts *s, const struct frame_seen *seen)
{
    if (s->is_placed) {
        struct script_file *file = &s->files[s->looked++];
        if (!seen->error)
            keep(s, file, seen);
        return s->looked == s->count;
    }
    if (seen->cwd.data && !text_copy_view(s->cwd, sizeof s->cwd, seen->cwd))
        return true; /* longer than an act can say: the exec fails by it, too */
    s->is_placed = true;
    if (!seen->error)
        read_command(s, s->op->request);
    return !s->count;
}

int scripts_seen(struct sandbox *sandbox, const struct frame *frame, struct err *err)
{
    struct frame_seen seen;
    struct scripts *s = sandbox->lookers;
    struct exec_news news = {.kind = NEWS_SEEN};
    if (frame_get_seen(frame, &seen, err))
        return -1;
    if (seen.nonce >= sandbox->next_look)
        return err_set(err, ERR_PEER, "init answers a look that nobody asked for");
    if (!s || seen.nonce != s->nonce)
        return 0; /* whoever asked is gone */
    if (!take(s, &seen)) {
        send_look(s);
        return 0;
    }
    struct op *op = s->op;
    scripts_leave(s);
    op_wake(op, WAKE_EVENT, &news);
    return 0;
}

static struct view text_of(const struct scripts *s, const struct script_file *file)
{
    const uint8_t *bytes = s->store.data ? s->store.data + file->at : (const uint8_t *)"";
    return (struct view){bytes, file->len};
}

int scripts_add(const struct scripts *s, struct bytes *store, struct list *list, struct err *err)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct script_file *file = &s->files[i];
        struct script row = {.bytes = file->bytes};
        if (file->bytes < 0)
            continue; /* it is not there: the command fails, or makes it first */
        text_copy(row.path, sizeof row.path, file->path);
        text_copy(row.interpreter, sizeof row.interpreter, file->interpreter);
        if (file->has_hash)
            row.hash = (struct view){file->hash, sizeof file->hash};
        if (file->has_text)
            row.text = text_of(s, file);
        if (list_add(store, list, &message_script, &row, err))
            return -1;
    }
    return 0;
}

int scripts_name(const struct scripts *s, struct bytes *store, struct list *list, struct err *err)
{
    char text[2 * SCRIPT_HASH_BYTES + 1 + SCRIPT_PATH_BYTES], hex[2 * SCRIPT_HASH_BYTES + 1];
    for (size_t i = 0; i < s->count; i++) {
        const struct script_file *file = &s->files[i];
        if (file->bytes < 0)
            continue;
        if (file->has_hash)
            text_hex(hex, file->hash, sizeof file->hash);
        snprintf(text, sizeof text, "%s %s", file->has_hash ? hex : "-", file->path);
        if (list_add_text(store, list, view_of(text), err))
            return -1;
    }
    return 0;
}

int scripts_check(const struct scripts *s, uint32_t exec, struct bytes *out, struct err *err)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct script_file *file = &s->files[i];
        struct frame_check check = {
            .id = exec, .cwd = view_of("/"), .path = view_of(file->path), .data = text_of(s, file)};
        if (file->has_text && frame_put_check(out, &check, err))
            return -1;
    }
    return 0;
}

void scripts_close(struct scripts *s)
{
    scripts_leave(s);
    bytes_close(&s->store);
}
