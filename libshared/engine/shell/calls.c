/* calls.c - shell commands inside the code of other languages: os.system("…"), `…`, "!…". What is
 * a literal there is walked like any other code; see peel.h. */
#include "engine/shell/peel.h"

#include "base/scope.h"
#include "engine/shell/literal.h"
#include "engine/shell/sed_script.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { CALL_ARGS_MAX = 64, ITEM_MAX_BYTES = 1024 /* of one that is no literal */, NESTED_MAX = 4 };

/* How sure a name is of running a shell. */
enum call_kind {
    CALL_SHELL, /* its first argument is shell code */
    CALL_MAYBE  /* the name may mean something else; it runs a program or a shell */
};

static const struct call {
    const char *languages; /* of the name */
    const char *name;
    enum call_kind kind;
} calls[] = {
    {"python", "system", CALL_SHELL},
    {"python", "popen", CALL_SHELL},
    {"python", "getoutput", CALL_SHELL},
    {"python", "getstatusoutput", CALL_SHELL},
    {"python", "run", CALL_MAYBE},
    {"python", "call", CALL_MAYBE},
    {"python", "check_call", CALL_MAYBE},
    {"python", "check_output", CALL_MAYBE},
    {"python", "Popen", CALL_MAYBE},
    {"python", "spawn", CALL_MAYBE},
    {"python", "create_subprocess_shell", CALL_SHELL},
    {"python", "execvp", CALL_MAYBE},
    {"python", "execv", CALL_MAYBE},
    {"python", "execlp", CALL_MAYBE},
    {"node", "exec", CALL_MAYBE},
    {"node", "execSync", CALL_SHELL},
    {"node", "spawn", CALL_MAYBE},
    {"node", "spawnSync", CALL_MAYBE},
    {"node", "execFile", CALL_MAYBE},
    {"node", "execFileSync", CALL_MAYBE},
    {"perl ruby php r awk vim", "system", CALL_SHELL},
    {"perl ruby", "exec", CALL_SHELL},
    {"perl", "readpipe", CALL_SHELL},
    {"ruby", "spawn", CALL_SHELL},
    {"ruby php", "popen", CALL_SHELL},
    {"ruby", "capture2", CALL_SHELL},
    {"ruby", "capture2e", CALL_SHELL},
    {"ruby", "capture3", CALL_SHELL},
    {"php", "exec", CALL_SHELL},
    {"php", "shell_exec", CALL_SHELL},
    {"php", "passthru", CALL_SHELL},
    {"php", "proc_open", CALL_SHELL},
    {"php", "pcntl_exec", CALL_MAYBE},
    {"lua", "execute", CALL_SHELL},
    {"lua", "popen", CALL_SHELL},
    {"elisp", "shell-command", CALL_SHELL},
    {"elisp", "shell-command-to-string", CALL_SHELL},
};

/* Code of one language that is being looked through. */
struct scan {
    struct peeling *p;
    const char *language;
    const char *text;
    bool interpolates;
    unsigned nested; /* texts that vim executes, one in the other */
};

static bool is_language(const struct scan *s, const char *languages)
{
    size_t len = strlen(s->language);
    for (const char *at = languages; (at = strstr(at, s->language)); at += len)
        if ((at == languages || at[-1] == ' ') && (!at[len] || at[len] == ' '))
            return true;
    return false;
}

static void run_shell(struct scan *s, const char *text, bool whole)
{
    struct arg code = arg_literal(text);
    if (code.len)
        inner_text(s->p, &code);
    if (!whole)
        peel_unsure(s->p, TROUBLE_CODE, "runs a command line that is known only when it runs");
}

static void run_argv(struct scan *s, const struct args *argv)
{
    struct command_fact *c = inner_command(s->p, 0, 0);
    if (!c || !argv->count)
        return;
    c->argv = *argv;
    c->redirects = NULL;
    c->redirects_count = 0;
    record_command(s->p->w, c, s->p->in);
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* An argument of a program in a list: a literal, the interpreter itself, or unknown. */
static struct arg item_of(const struct literal *l, const char *from)
{
    if (l->text && l->whole)
        return arg_literal(l->text);
    if (!strncmp(from, "sys.executable", 14))
        return arg_literal("python3");
    if (!strncmp(from, "process.execPath", 16))
        return arg_literal("node");
    return arg_hole();
}

/* The end of an item that is no literal: the comma or bracket behind it. */
static const char *end_of_item(const char *at)
{
    int depth = 0;
    for (const char *from = at; *at && at - from < ITEM_MAX_BYTES; at++) {
        if (strchr("([{", *at))
            depth++;
        else if (strchr(")]}", *at) && --depth < 0)
            return at;
        else if (*at == ',' && !depth)
            return at;
    }
    return at;
}

/* "'a', 'b', x" up to a closing bracket. Returns where it stopped. */
static const char *read_items(struct scan *s, const char *at, struct args *argv)
{
    struct expansion e = walk_expansion(s->p->w, s->p->in);
    struct arena *arena = &s->p->w->facts->arena;
    while (argv->count < CALL_ARGS_MAX) {
        at = skip_blanks(at);
        if (!*at || strchr(")]}", *at))
            break;
        struct literal l = literal_read(arena, at, s->interpolates);
        args_add(&e, argv, item_of(&l, at));
        at = end_of_item(l.text ? l.end : at);
        if (*at != ',')
            break;
        at++;
    }
    return at;
}

/* More arguments behind the first literal: system("rm", "-rf", "/"), spawn("rm", ["-rf"]). */
static const char *read_more(struct scan *s, const char *at, struct args *argv)
{
    const char *next = skip_blanks(at);
    if (*next != ',')
        return at;
    next = skip_blanks(next + 1);
    if (*next == '[')
        return read_items(s, next + 1, argv);
    if (*next == '\'' || *next == '"')
        return read_items(s, next, argv);
    return at;
}

/* What a call is given; `at` is behind its bracket. Returns where to go on. */
static const char *read_call(struct scan *s, const struct call *call, const char *at)
{
    struct arena *arena = &s->p->w->facts->arena;
    struct expansion e = walk_expansion(s->p->w, s->p->in);
    struct args argv = {0};
    at = skip_blanks(at);
    if (*at == '[' || !strncmp(at, "array(", 6)) {
        at = read_items(s, at + (*at == '[' ? 1 : 6), &argv);
        run_argv(s, &argv);
        return at;
    }
    struct literal l = literal_read(arena, at, s->interpolates);
    if (!l.text) {
        bool empty = *at == ')' || !*at;
        enum { NEAR_BYTES = 40 }; /* shell=True is the next argument */
        const char *end = end_of_item(at);
        const char *shell =
            memmem(at, strnlen(at, (size_t)(end - at) + NEAR_BYTES), "shell=True", 10);
        bool unsure = call->kind == CALL_SHELL || shell;
        if (!empty && unsure)
            peel_unsure(s->p, TROUBLE_CODE, "runs a command line that is known only when it runs");
        return at;
    }
    args_add(&e, &argv, arg_literal(l.text));
    at = read_more(s, l.end, &argv);
    if (argv.count > 1)
        run_argv(s, &argv);
    else
        run_shell(s, l.text, l.whole);
    return at > l.end ? at : l.end;
}

static bool in_name(char c)
{
    return c == '_' || c == '-' || (c >= '0' && c <= '9') ||
           ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* The call whose name is [from, end); NULL: none. */
static const struct call *find_call(const struct scan *s, const char *from, size_t len)
{
    for (size_t i = 0; i < COUNT(calls); i++)
        if (calls[i].name[0] == from[0] && strlen(calls[i].name) == len &&
            !memcmp(calls[i].name, from, len) && is_language(s, calls[i].languages))
            return &calls[i];
    return NULL;
}

/* A name at `at`: a call, qx{…}, %x{…}. Returns where to go on. */
static const char *read_name(struct scan *s, const char *at)
{
    bool lisp = !strcmp(s->language, "elisp");
    size_t len = 0;
    while (in_name(at[len]) && (lisp || at[len] != '-'))
        len++;
    const char *end = at + len, *next = skip_blanks(end);
    bool sigil = at > s->text && strchr("$@%", at[-1]);
    if (len == 2 && !memcmp(at, "qx", 2) && !strcmp(s->language, "perl") && *next) {
        struct literal l = literal_quoted(&s->p->w->facts->arena, next, *next != '\'');
        if (l.text)
            run_shell(s, l.text, l.whole);
        return l.end;
    }
    const struct call *call = sigil ? NULL : find_call(s, at, len);
    bool bare =
        is_language(s, "perl ruby elisp") && (*next == '\'' || *next == '"'); /* system "…" */
    if (call && (*next == '(' || (bare && call->kind == CALL_SHELL)))
        return read_call(s, call, bare ? next : next + 1);
    return end;
}

/* Backticks of perl, ruby, php and their kin; ruby's %x{…}. */
static const char *read_ticks(struct scan *s, const char *open)
{
    struct literal l = literal_quoted(&s->p->w->facts->arena, open, s->interpolates);
    if (l.text)
        run_shell(s, l.text, l.whole);
    return l.end > open ? l.end : open + 1;
}

static void scan_calls(struct scan *s)
{
    bool ticks = is_language(s, "perl ruby php julia");
    bool ruby = !strcmp(s->language, "ruby");
    for (const char *at = s->text; *at && !walk_is_full(s->p->w);) {
        if (in_name(*at) && *at != '-')
            at = read_name(s, at);
        else if (*at == '`' && ticks)
            at = read_ticks(s, at);
        else if (ruby && at[0] == '%' && at[1] == 'x' && at[2] && !in_name(at[2]))
            at = read_ticks(s, at + 2);
        else
            at++;
    }
}

/* awk: "cmd" | getline, print | "cmd". */
static void scan_awk_pipes(struct scan *s)
{
    struct arena *arena = &s->p->w->facts->arena;
    for (const char *at = s->text; *at;) {
        const char *next = skip_blanks(at + 1);
        if (*at == '"') {
            struct literal l = literal_quoted(arena, at, false);
            const char *behind = skip_blanks(l.end);
            if (l.text && *behind == '|' && behind[1] != '|')
                run_shell(s, l.text, l.whole);
            at = l.end > at ? l.end : at + 1;
        } else if (*at == '|' && *next == '"') {
            struct literal l = literal_read(arena, next, false);
            if (l.text)
                run_shell(s, l.text, l.whole);
            at = l.end > at ? l.end : at + 1;
        } else {
            at++;
        }
    }
}

/* Languages of lines: what begins with one of these words is a command line. */
static const struct line_word {
    const char *language, *word;
} line_words[] = {
    {"gdb", "shell "},     {"gdb", "!"},       {"gdb", "make "},     {"gdb", "pipe "},
    {"vim", "!"},          {"vim", "r!"},      {"vim", "r !"},       {"vim", "w !"},
    {"vim", "read !"},     {"vim", "write !"}, {"vim", "%!"},        {"vim", "terminal "},
    {"vim", "term "},      {"sql", "\\! "},    {"sql", "\\!"},       {"sql", ".shell "},
    {"sql", ".system "},   {"sql", "system "}, {"sql", ".output |"}, {"sql", ".once |"},
    {"sql", "\\o |"},      {"sql", "\\g |"},   {"expect", "spawn "}, {"expect", "exec "},
    {"expect", "system "}, {"ftp", "!"},       {"debugfs", "!"},     {"tclsh", "exec "},
    {"gnuplot", "!"},
};

/* What stands before a command of vim: ranges, and words that only change how it is shown. */
static size_t skip_modifiers(const char *line, size_t len)
{
    static const char *const words[] = {"silent!", "silent", "sil!", "sil",     "noautocmd", "noa",
                                        "verbose", "vert",   "tab",  "keepalt", "try",       "|"};
    size_t at = 0, before;
    do {
        before = at;
        at += strspn(line + at, " \t:");
        for (size_t i = 0; i < COUNT(words); i++) {
            size_t n = strlen(words[i]);
            if (at + n < len && !strncmp(line + at, words[i], n) && strchr(" \t:!", line[at + n]))
                at += n;
        }
    } while (at != before && at < len);
    size_t range = strspn(line + at, "0123456789.,$%'<>");
    return at + range < len && line[at + range] == '!' ? at + range : at < len ? at : len;
}

/* One line, or one statement of it. */
static void scan_line(struct scan *s, const char *line, size_t len)
{
    while (len && strchr(" \t:{", *line)) {
        line++;
        len--;
    }
    size_t skipped = strcmp(s->language, "vim") ? 0 : skip_modifiers(line, len);
    line += skipped;
    len -= skipped;
    if (!strcmp(s->language, "vim") && !strncmp(line, "exe", 3)) {
        const char *quoted = line + strcspn(line, "'\"\n");
        struct literal l = literal_read(&s->p->w->facts->arena, quoted, false);
        if (l.text && s->nested < NESTED_MAX) {
            s->nested++;
            scan_line(s, l.text, strlen(l.text));
            s->nested--;
        }
        return;
    }
    for (size_t i = 0; i < COUNT(line_words); i++) {
        size_t n = strlen(line_words[i].word);
        if (strcmp(line_words[i].language, s->language) != 0 || len < n ||
            strncasecmp(line, line_words[i].word, n) != 0)
            continue;
        char *code = arena_text(&s->p->w->facts->arena, line + n, len - n);
        if (code)
            run_shell(s, code, true);
        return;
    }
}

static void scan_lines(struct scan *s)
{
    bool statements = !strcmp(s->language, "expect");
    for (const char *line = s->text; *line;) {
        size_t len = strcspn(line, statements ? "\n;" : "\n");
        scan_line(s, line, len);
        line += len + (line[len] != 0);
    }
}

/* COPY … TO PROGRAM 'cmd', FROM PROGRAM 'cmd'. */
static void scan_sql(struct scan *s)
{
    for (const char *at = s->text; (at = strcasestr(at, "program"));) {
        struct literal l = literal_read(&s->p->w->facts->arena, at + 7, false);
        if (l.text)
            run_shell(s, l.text, l.whole);
        at += 7;
    }
}

static void scan_sed(struct scan *s)
{
    struct sed_command c;
    for (const char *at = s->text; *at;) {
        at = sed_read(at, &c);
        char *code = c.runs && !c.writes ? arena_text(&s->p->w->facts->arena, c.text, c.len) : NULL;
        if (c.runs)
            run_shell(s, code ? code : "", code && c.len);
    }
}

void calls_walk(struct peeling *p)
{
    for (const struct code_fact *f = p->c->code; f; f = f->next) {
        struct scan s = {p, f->language, f->text.text, false, 0};
        s.interpolates = is_language(&s, "perl ruby php");
        p->w->facts->arena.steps += f->text.len;
        if (!strcmp(f->language, "sed")) {
            scan_sed(&s);
            continue;
        }
        scan_calls(&s);
        scan_lines(&s);
        if (!strcmp(f->language, "awk"))
            scan_awk_pipes(&s);
        if (!strcmp(f->language, "sql"))
            scan_sql(&s);
    }
}
