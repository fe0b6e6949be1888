/* line.c - wrappers that are given command lines: joined arguments, values of options, tables and
 * makefiles on their standard input; see peel.h. */
#include "engine/shell/produce.h"

#include "base/scope.h"
#include "engine/shell/files.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { ITEMS_MAX = 32 };

/* Stands in code for what only the program knows when it runs. */
#define UNKNOWN_WORD "\"$_unknown_word_\""

/* Code that is a part of a text. */
static void run_part(struct peeling *p, const char *text, size_t len)
{
    char *copy = arena_text(&p->w->facts->arena, text, len);
    if (!copy)
        return;
    struct arg code = arg_literal(copy);
    if (memchr(text, HOLE, len))
        code.kind = ARG_PARTIAL;
    inner_text_there(p, &code);
}

static bool has_input(const struct peeling *p)
{
    for (size_t i = 0; i < p->c->redirects_count; i++)
        if (!p->c->redirects[i].fd)
            return true;
    return p->c->upstream || p->c->context & CONTEXT_PIPED_IN;
}

struct flow line_joined(struct peeling *p)
{
    if (p->looks_only)
        return flow_same(p->in);
    if (!peel_skip_operands(p))
        return peel_unsure(p, TROUBLE_CODE, "runs a command that is known only when it runs");
    if (p->row->traits & ELSEWHERE && p->at < p->c->argv.count &&
        arg_is(&p->c->argv.items[p->at], "--"))
        p->at++;
    if (p->at >= p->c->argv.count) { /* a remote shell reads what comes */
        if (p->row->traits & ELSEWHERE && has_input(p) && p->c->operands_count)
            produce_stdin(p);
        return flow_same(p->in);
    }
    char *text = produce_joined(p, &p->c->argv, p->at);
    if (!text)
        return peel_unsure(p, TROUBLE_CODE, "runs a command line that is known only when it runs");
    struct arg code = arg_literal(text);
    return inner_text_there(p, &code);
}

struct flow line_input(struct peeling *p)
{
    bool script = option_of(p->c, "-f") != NULL;
    return script || p->looks_only ? flow_same(p->in) : produce_stdin(p);
}

/* gdb --args program …, fd -x program …: only an option makes them wrappers. */
struct flow line_args(struct peeling *p)
{
    static const char *const marks[] = {"--args", "-args", "-x", "-X", "--exec", "--exec-batch"};
    bool sweeps = p->row->traits & SWEEPS;
    size_t at = 1;
    for (; at < p->c->argv.count; at++) {
        size_t m = 0;
        while (m < COUNT(marks) && !arg_is(&p->c->argv.items[at], marks[m]))
            m++;
        if (sweeps ? m >= 2 && m < COUNT(marks) : m < 2)
            break;
    }
    if (at + 1 >= p->c->argv.count || p->looks_only)
        return flow_same(p->in);
    if (sweeps)
        return sweep_run(p, at + 1, p->in);
    struct command_fact *c = inner_command(p, at + 1, p->c->argv.count);
    if (c)
        record_command(p->w, c, p->in);
    return flow_same(p->in);
}

/* GNU parallel: the command with an item in the place of {} or behind it. A NULL item is not
 * known. */
static void run_item(struct peeling *p, const char *line, const struct arg *item)
{
    size_t holes = 0, item_len = item ? item->len : 0;
    for (const char *at = line; (at = strchr(at, '{')); at++)
        holes++;
    size_t room = strlen(line) + (holes + 1) * (item_len * 4 + sizeof UNKNOWN_WORD + 2) + 2;
    char *text = walk_new(p->w, room, 1), *to = text;
    bool placed = false;
    for (const char *from = line; text && *from;) {
        size_t close = *from == '{' ? strspn(from + 1, "./#%+-0123456789") + 1 : 0;
        if (close && from[close] == '}') {
            placed = true;
            from += close + 1;
            if (!item) {
                to = stpcpy(to, UNKNOWN_WORD);
                continue;
            }
            to = stpcpy(to, "'");
            for (const char *s = item->text; *s; s++)
                to = *s == '\'' ? stpcpy(to, "'\\''") : mempcpy(to, s, 1);
            to = stpcpy(to, "'");
        } else {
            *to++ = *from++;
        }
    }
    if (!text)
        return;
    *to = 0;
    if (!placed && *line) {
        char *longer = walk_new(p->w, strlen(text) + 4, 1);
        if (longer) {
            stpcpy(stpcpy(longer, text), " {}");
            run_item(p, longer, item);
        }
        return;
    }
    if (!*line && item) { /* the items are the commands */
        inner_text(p, item);
        return;
    }
    struct arg code = arg_literal(text);
    inner_text(p, &code);
}

/* Where ::: begins its items; the end without. */
static size_t find_items(const struct peeling *p)
{
    size_t at = p->at;
    while (at < p->c->argv.count && strncmp(p->c->argv.items[at].text, ":::", 3) != 0)
        at++;
    return at;
}

struct flow line_items(struct peeling *p)
{
    const struct args *argv = &p->c->argv;
    size_t items = find_items(p), count = items < argv->count ? argv->count - items - 1 : 0;
    if (p->looks_only)
        return flow_same(p->in);
    struct args words = {argv->items, items, 0};
    char *line = produce_joined(p, &words, p->at);
    bool known =
        items < argv->count && !strcmp(argv->items[items].text, ":::") && count <= ITEMS_MAX;
    for (size_t i = items + 1; i < argv->count; i++)
        known &= argv->items[i].kind == ARG_LITERAL && argv->items[i].glob_at == SIZE_MAX &&
                 strncmp(argv->items[i].text, ":::", 3) != 0;
    if (!line || (!*line && !known))
        return peel_unsure(p, TROUBLE_CODE, "runs command lines that are known only when they run");
    p->context |= CONTEXT_LOOP;
    if (!known)
        run_item(p, line, NULL);
    for (size_t i = items + 1; i < argv->count && known; i++)
        run_item(p, line, &argv->items[i]);
    return flow_same(p->in);
}

/* docker run [--entrypoint program] image [arguments]. */
struct flow line_container(struct peeling *p)
{
    const struct option_fact *entry = option_of(p->c, "--entrypoint");
    if (!entry || !entry->value || !entry->value->len || p->looks_only)
        return inner_run(p);
    if (!peel_skip_operands(p))
        return peel_unsure(p, TROUBLE_CODE, "runs a command that is known only when it runs");
    struct command_fact *c = inner_command(p, 0, 0);
    struct expansion e = walk_expansion(p->w, p->in);
    if (!c)
        return flow_same(p->in);
    args_add(&e, &c->argv, *entry->value);
    for (size_t i = p->at; i < p->c->argv.count; i++)
        args_add(&e, &c->argv, p->c->argv.items[i]);
    record_command(p->w, c, &p->moved);
    return flow_same(p->in);
}

/* One line of a crontab: five fields or "@daily", then the command up to a "%". */
static void run_cron_line(struct peeling *p, const char *line, size_t len)
{
    size_t at = 0, fields = len && line[0] == '@' ? 1 : 5;
    for (size_t i = 0; i < fields; i++) {
        while (at < len && line[at] != ' ' && line[at] != '\t')
            at++;
        while (at < len && (line[at] == ' ' || line[at] == '\t'))
            at++;
    }
    const char *percent = memchr(line + at, '%', len - at);
    size_t end = percent ? (size_t)(percent - line) : len;
    if (at < end)
        run_part(p, line + at, end - at);
}

struct flow line_cron(struct peeling *p)
{
    bool reads = p->c->operands_count && arg_is(p->c->operands[0], "-");
    const struct arg *table = reads ? produce_input(p->w, p->c) : NULL;
    for (const char *line = table ? table->text : ""; *line;) {
        size_t len = strcspn(line, "\n"), blank = strspn(line, " \t");
        size_t name = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
        bool sets = name && line[name] == '=';
        if (blank < len && line[blank] != '#' && !sets)
            run_cron_line(p, line + blank, len - blank);
        line += len + (line[len] != 0);
    }
    return flow_same(p->in);
}

/* A recipe: "$$" is the shell's "$"; what make expands itself is not known. */
static void run_recipe(struct peeling *p, const char *text, size_t len)
{
    size_t dollars = 0;
    while (len && strchr("@-+ \t", *text)) {
        text++;
        len--;
    }
    for (size_t i = 0; i < len; i++)
        dollars += text[i] == '$';
    char *code = walk_new(p->w, len + dollars * sizeof UNKNOWN_WORD + 1, 1), *to = code;
    for (size_t i = 0; i < len && code; i++) {
        char next = i + 1 < len ? text[i + 1] : 0;
        char close = next == '(' ? ')' : next == '{' ? '}' : 0;
        if (text[i] != '$') {
            *to++ = text[i];
        } else if (next == '$') {
            *to++ = '$';
            i++;
        } else {
            to = stpcpy(to, "$_unknown_word_");
            i++;
            while (close && i < len && text[i] != close)
                i++;
        }
    }
    if (code)
        run_part(p, code, (size_t)(to - code));
}

/* "$(shell …)" wherever it stands in a makefile. */
static void run_make_shells(struct peeling *p, const char *text)
{
    for (const char *at = text; (at = strstr(at, "(shell "));) {
        at += strlen("(shell ");
        size_t depth = 1, len = 0;
        for (; at[len] && depth; len++)
            depth = at[len] == '(' ? depth + 1 : at[len] == ')' ? depth - 1 : depth;
        run_recipe(p, at, depth ? len : len - 1);
        at += len;
    }
}

static void run_makefile(struct peeling *p, const struct arg *makefile)
{
    if (makefile->kind != ARG_LITERAL) {
        peel_unsure(p, TROUBLE_CODE, "runs a makefile that is known only when it runs");
        return;
    }
    run_make_shells(p, makefile->text);
    for (const char *line = makefile->text; *line;) {
        size_t len = strcspn(line, "\n");
        const char *colon = memchr(line, ':', len);
        const char *inlined = colon ? memchr(colon, ';', len - (size_t)(colon - line)) : NULL;
        if (line[0] == '\t')
            run_recipe(p, line + 1, len - 1);
        else if (inlined)
            run_recipe(p, inlined + 1, len - (size_t)(inlined + 1 - line));
        line += len + (line[len] != 0);
    }
}

/* make -f - , make --eval=…; a makefile of the workspace is its own business. */
struct flow line_make(struct peeling *p)
{
    for (size_t i = 0; i < p->c->options_count && !p->looks_only; i++) {
        const struct option_fact *o = &p->c->options[i];
        bool file =
            !strcmp(o->name, "-f") || !strcmp(o->name, "--file") || !strcmp(o->name, "--makefile");
        bool odd = file && o->value && (arg_is(o->value, "-") || inner_is_odd_file(p, o->value));
        const struct arg *known =
            odd && o->value->kind == ARG_LITERAL ? produce_input(p->w, p->c) : NULL;
        if (odd && !known)
            peel_unsure(p, TROUBLE_CODE, "runs a makefile that is known only when it runs");
        else if (odd)
            run_makefile(p, known);
        else if (p->c->reading->roles[i] == ROLE_CODE && o->value)
            run_makefile(p, o->value);
    }
    return flow_same(p->in);
}

/* Settings of git that hold a command line. */
static bool holds_command(const char *name, size_t len)
{
    static const char *const names[] = {"core.pager",
                                        "core.editor",
                                        "core.sshcommand",
                                        "core.fsmonitor",
                                        "core.gitproxy",
                                        "core.askpass",
                                        "diff.external",
                                        "sequence.editor",
                                        "credential.helper",
                                        "gpg.program",
                                        "interactive.difffilter",
                                        "uploadpack.packobjectshook"};
    static const char *const ends[] = {".clean",   ".smudge",   ".process",    ".driver",
                                       ".command", ".textconv", ".uploadpack", ".receivepack",
                                       ".program", ".helper",   ".cmd"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (strlen(names[i]) == len && !strncasecmp(name, names[i], len))
            return true;
    for (size_t i = 0; i < COUNT(ends); i++)
        if (len > strlen(ends[i]) &&
            !strncasecmp(name + len - strlen(ends[i]), ends[i], strlen(ends[i])))
            return true;
    return len > 6 && !strncasecmp(name, "pager.", 6);
}

/* "alias.x=!code", "core.pager=code": the value begins at `value`. */
static void run_setting(struct peeling *p, const char *name, size_t len, const struct arg *value)
{
    bool alias = len > 6 && !strncasecmp(name, "alias.", 6);
    bool shell = value->text[0] == '!';
    struct arg code = arg_behind(value, shell);
    if (code.len && (alias ? shell : holds_command(name, len)))
        inner_text(p, &code);
}

/* git -c name=value, git config name value, "ext::command" where a repository may stand. */
static void run_git(struct peeling *p)
{
    const struct command_fact *c = p->c;
    size_t first = c->reading->commands;
    for (size_t i = 0; i < c->options_count; i++) {
        const struct arg *value = c->options[i].value;
        size_t len = value ? strcspn(value->text, "=") : 0;
        if (!strcmp(c->options[i].name, "-c") && value && value->text[len]) {
            struct arg rest = arg_behind(value, len + 1);
            run_setting(p, value->text, len, &rest);
        }
    }
    if (!strcmp(c->reading->program->name, "git config") && c->operands_count == first + 2)
        run_setting(p, c->operands[first]->text, c->operands[first]->len, c->operands[first + 1]);
    for (size_t i = first; i < c->operands_count; i++) {
        const struct arg *a = c->operands[i];
        if (strncmp(a->text, "ext::", 5) != 0)
            continue;
        struct arg code = arg_behind(a, 5);
        inner_text(p, &code);
    }
}

/* ssh -o ProxyCommand=…, LocalCommand=…, KnownHostsCommand=…: they run here. */
static void run_ssh_setting(struct peeling *p, const struct arg *value)
{
    struct peeling local = *p;
    local.context = 0;
    static const char *const names[] = {"proxycommand", "localcommand", "knownhostscommand"};
    for (size_t i = 0; i < COUNT(names); i++) {
        size_t len = strlen(names[i]);
        if (strncasecmp(value->text, names[i], len) != 0)
            continue;
        struct arg code = arg_behind(value, len + strspn(value->text + len, " ="));
        if (code.len && !arg_is(&code, "none"))
            inner_text(&local, &code);
    }
}

/* One value that a shell runs. "exec=" is tar's action at a checkpoint; others only print. */
static void run_value(struct peeling *p, const struct option_fact *o)
{
    struct arg code = *o->value;
    if (!strcmp(o->name, "--checkpoint-action")) {
        if (strncmp(code.text, "exec=", 5) != 0)
            return;
        code = arg_behind(o->value, 5);
    }
    if (code.len && !(p->row->kind == ARGS))
        inner_text_there(p, &code);
}

void line_values(struct peeling *p)
{
    const struct command_fact *c = p->c;
    const char *name = c->reading->program->name;
    bool ssh = !strcmp(name, "ssh") || !strcmp(name, "scp") || !strcmp(name, "sftp");
    bool found = !strcmp(name, "find");
    for (size_t i = 0; i < c->options_count && !found; i++) {
        const struct option_fact *o = &c->options[i];
        if (o->value && c->reading->roles[i] == ROLE_COMMAND)
            run_value(p, o);
        else if (o->value && ssh && !strcmp(o->name, "-o"))
            run_ssh_setting(p, o->value);
    }
    if (c->name && !strcmp(c->name, "git"))
        run_git(p);
    for (size_t i = c->reading->commands; i < c->operands_count; i++)
        if (operand_role(c, i) == ROLE_COMMAND)
            inner_text_there(p, c->operands[i]);
}
