/* scripts.c - the files that a command runs as code; see scripts.h. */
#include "manager/scripts.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "engine/record/act.h"
#include "engine/shell/scriptfile.h"
#include "manager/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGV_MAX = 1024 /* command_execute.argv's own bound */ };

/* Below these nothing is the agent's to write, or init sees its own and not the command's, so there
 * is nothing to be read before. */
static bool is_of_the_system(const char *path)
{
    static const char *const roots[] = {"/bin/",      "/sbin/",      "/usr/",   "/lib/",
                                        "/lib64/",    "/etc/",       "/dev/fd", "/dev/std",
                                        "/proc/self", "/proc/thread"};
    for (size_t i = 0; i < COUNT(roots); i++)
        if (!strncmp(path, roots[i], strlen(roots[i])))
            return true;
    return false;
}

/* Adds a file, unless the same run of it is there. */
static void note(struct scripts *s, const struct script_file *file)
{
    if (is_of_the_system(file->path))
        return;
    for (size_t i = 0; i < s->count; i++) {
        const struct script_file *other = &s->files[i];
        if (!strcmp(other->path, file->path) && !strcmp(other->interpreter, file->interpreter) &&
            !strcmp(other->args, file->args) && !strcmp(other->cwd, file->cwd))
            return;
    }
    if (!s->files)
        s->files = mem_new(SCRIPTS_MAX, sizeof *s->files);
    if (s->files && s->count < SCRIPTS_MAX)
        s->files[s->count++] = *file;
    else
        s->has_more = true;
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

static const char UNKNOWN[] = " $unknown";

/* Appends an argument as a word of a shell. False when it does not fit. */
static bool add_word(char args[SCRIPT_ARGS_BYTES], const struct arg *a)
{
    char word[SCRIPT_ARGS_BYTES];
    size_t len = 0, used = strlen(args);
    if (a->kind != ARG_LITERAL || a->glob_at != SIZE_MAX)
        return false;
    word[len++] = ' ';
    word[len++] = '\'';
    for (size_t i = 0; i < a->len && len < sizeof word - 8; i++) {
        const char *piece = a->text[i] == '\'' ? "'\\''" : (char[]){a->text[i], 0};
        len += (size_t)snprintf(word + len, sizeof word - len, "%s", piece);
    }
    word[len++] = '\'';
    word[len] = 0;
    if (len >= sizeof word - 8 || used + len + sizeof UNKNOWN > SCRIPT_ARGS_BYTES)
        return false;
    memcpy(args + used, word, len + 1);
    return true;
}

/* What the script finds as $1, $2, …: what stands behind it. From the first argument on that is not
 * known, none is. */
static void find_args(char args[SCRIPT_ARGS_BYTES], const struct command_fact *c,
                      const struct file_fact *f, bool is_nested)
{
    size_t at = 0;
    bool is_sourced = c->name && (!strcmp(c->name, ".") || !strcmp(c->name, "source"));
    args[0] = 0;
    while (at < c->argv.count && strcmp(c->argv.items[at].text, f->path.text) != 0)
        at++;
    bool is_known = !c->swept && (at < c->argv.count || c->argv.count == 1);
    if (is_sourced && at + 1 >= c->argv.count && is_nested)
        is_known = false; /* it has those of the script that reads it */
    for (size_t i = at + 1; is_known && i < c->argv.count; i++)
        is_known = add_word(args, &c->argv.items[i]);
    if (!is_known)
        strcat(args, UNKNOWN);
}

static void note_at(struct scripts *s, struct script_file *file, const char *cwd, const char *path)
{
    char whole[CWDS_PATH_MAX];
    if (path_join(whole, cwd, path, strlen(path)) &&
        text_copy(file->path, sizeof file->path, whole) &&
        text_copy(file->cwd, sizeof file->cwd, cwd))
        note(s, file);
}

/* folder: of the script that runs it, NULL for the command itself. Scripts name their neighbours as
 * "$HERE/x", or go where they lie; then it is looked for there. */
static void note_file(struct scripts *s, const struct command_fact *c, const struct file_fact *f,
                      const char *folder)
{
    struct script_file file = {.bytes = -1};
    const char *path = f->path.text;
    bool is_literal = f->path.kind == ARG_LITERAL && f->path.glob_at == SIZE_MAX;
    bool is_neighbour = folder && path[0] == HOLE && path[1] == '/' && !strchr(path + 1, HOLE);
    if (!(f->touches & TOUCH_RUN) || (!is_literal && !is_neighbour))
        return;
    bool is_program = c->argv.count && !strcmp(path, c->argv.items[0].text);
    text_copy(file.interpreter, sizeof file.interpreter, is_program ? "" : interpreter_of(c));
    find_args(file.args, c, f, folder != NULL);
    for (unsigned i = 0; is_literal && i < c->cwds->count; i++)
        note_at(s, &file, c->cwds->path[i], path);
    if (is_neighbour)
        note_at(s, &file, folder, path + 2);
    else if (folder && c->cwds->unknown)
        note_at(s, &file, folder, path);
}

/* A container or another host has files of its own. */
static void note_files(struct scripts *s, const struct facts *facts, const char *folder)
{
    for (const struct command_fact *c = facts->first; c; c = c->next)
        for (const struct file_fact *f = c->files; f && !(c->context & CONTEXT_ELSEWHERE);
             f = f->next)
            note_file(s, c, f, folder);
}

static struct facts *facts_of(const struct scripts *s)
{
    return &s->sandbox->manager->facts;
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
    struct facts_setting setting = {.cwd = s->cwd, .home = s->home};
    while (argc < COUNT(argv) && list_next_text(&rest, &argv[argc]))
        argc++;
    if (argc)
        facts_read_argv(facts_of(s), &setting, argv, argc);
    else
        facts_read_shell(facts_of(s), &setting, in->command);
    note_files(s, facts_of(s), NULL);
}

/* Notes the files that a shell's script runs in its turn. */
static void read_script(struct scripts *s, const struct script_file *file, struct view text)
{
    char name[SCRIPTFILE_NAME_BYTES], folder[SCRIPT_PATH_BYTES];
    SCOPED(bytes_close) struct bytes store = bytes_open(2 * SCRIPTS_MAX_BYTES);
    struct facts_setting setting = {.cwd = file->cwd, .home = s->home};
    const char *reader = file->interpreter;
    if (!text.len)
        return;
    if (!reader[0]) {
        scriptfile_reader(facts_of(s), &setting, text, name);
        reader = name;
    }
    if (!scriptfile_is_shell(reader))
        return;
    scriptfile_read(facts_of(s), &setting, file->args, text, &store);
    text_copy(folder, sizeof folder, file->path);
    *strrchr(folder, '/') = 0;
    note_files(s, facts_of(s), folder[0] ? folder : "/");
}

static void keep(struct scripts *s, struct script_file *file, const struct frame_seen *seen)
{
    struct err err;
    file->bytes = seen->bytes;
    if (!seen->data.data) {
        if (file->bytes <= FRAME_CHUNK_BYTES)
            file->bytes = FRAME_CHUNK_BYTES + 1; /* what init did not send is larger than that */
        return;
    }
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
        text_copy(row.args, sizeof row.args, file->args);
        text_copy(row.cwd, sizeof row.cwd, file->cwd);
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
    free(s->files);
    s->files = NULL;
}
