/* code_files.c - files that code of other languages opens, writes and deletes, where their names
 * are literals: open("/etc/passwd", "w"), shutil.rmtree("build"), fs.rmSync("dist"); see code.h. */
#include "engine/shell/code.h"

#include "base/scope.h"
#include "engine/shell/files.h"
#include "engine/shell/literal.h"
#include "engine/shell/sed_script.h"

#include <stdint.h>
#include <string.h>

enum { ITEM_MAX_BYTES = 256 /* between the bracket and a literal inside the first argument */ };

/* What a call does to the file that its first argument names, and to the second. */
static const struct file_call {
    const char *languages, *name;
    unsigned touches, second; /* sets of enum file_touch */
    bool recursive, mode;     /* mode: the second argument says whether it is written */
} file_calls[] = {
    {"python perl ruby node lua", "open", TOUCH_READ, 0, false, true},
    {"node", "openSync", TOUCH_READ, 0, false, true},
    {"php", "fopen", TOUCH_READ, 0, false, true},
    {"node", "readFileSync", TOUCH_READ, 0, false, false},
    {"node", "readFile", TOUCH_READ, 0, false, false},
    {"node", "createReadStream", TOUCH_READ, 0, false, false},
    {"php", "file_get_contents", TOUCH_READ, 0, false, false},
    {"php", "readfile", TOUCH_READ, 0, false, false},
    {"ruby", "read", TOUCH_READ, 0, false, false},
    {"ruby", "readlines", TOUCH_READ, 0, false, false},
    {"lua", "lines", TOUCH_READ, 0, false, false},
    {"node", "writeFileSync", TOUCH_WRITE, 0, false, false},
    {"node", "writeFile", TOUCH_WRITE, 0, false, false},
    {"node", "appendFileSync", TOUCH_WRITE, 0, false, false},
    {"node", "appendFile", TOUCH_WRITE, 0, false, false},
    {"node", "createWriteStream", TOUCH_WRITE, 0, false, false},
    {"node", "truncateSync", TOUCH_WRITE, 0, false, false},
    {"php", "file_put_contents", TOUCH_WRITE, 0, false, false},
    {"ruby", "write", TOUCH_WRITE, 0, false, false},
    {"python", "truncate", TOUCH_WRITE, 0, false, false},
    {"python", "remove", TOUCH_DELETE, 0, false, false},
    {"python perl ruby node php", "unlink", TOUCH_DELETE, 0, false, false},
    {"python perl ruby node php", "rmdir", TOUCH_DELETE, 0, false, false},
    {"python", "removedirs", TOUCH_DELETE, 0, false, false},
    {"python", "rmtree", TOUCH_DELETE, 0, true, false},
    {"perl", "rmtree", TOUCH_DELETE, 0, true, false},
    {"perl", "remove_tree", TOUCH_DELETE, 0, true, false},
    {"ruby", "rm_rf", TOUCH_DELETE, 0, true, false},
    {"ruby", "rm_r", TOUCH_DELETE, 0, true, false},
    {"ruby", "remove_dir", TOUCH_DELETE, 0, true, false},
    {"ruby", "remove_entry_secure", TOUCH_DELETE, 0, true, false},
    {"ruby", "delete", TOUCH_DELETE, 0, false, false},
    {"node", "unlinkSync", TOUCH_DELETE, 0, false, false},
    {"node", "rmSync", TOUCH_DELETE, 0, true, false},
    {"node", "rm", TOUCH_DELETE, 0, true, false},
    {"node", "rmdirSync", TOUCH_DELETE, 0, true, false},
    {"lua", "remove", TOUCH_DELETE, 0, false, false},
    {"python node", "chmod", TOUCH_MODE, 0, false, false},
    {"python node", "chown", TOUCH_MODE, 0, false, false},
    {"node", "chmodSync", TOUCH_MODE, 0, false, false},
    {"node", "chownSync", TOUCH_MODE, 0, false, false},
    {"python perl ruby node php lua", "rename", TOUCH_MOVE | TOUCH_DELETE, TOUCH_WRITE, true,
     false},
    {"node", "renameSync", TOUCH_MOVE | TOUCH_DELETE, TOUCH_WRITE, true, false},
    {"python", "move", TOUCH_MOVE | TOUCH_DELETE, TOUCH_WRITE, true, false},
    {"python php perl", "copy", TOUCH_READ, TOUCH_WRITE, false, false},
    {"python", "copyfile", TOUCH_READ, TOUCH_WRITE, false, false},
    {"python", "copy2", TOUCH_READ, TOUCH_WRITE, false, false},
    {"python", "copytree", TOUCH_READ, TOUCH_WRITE, true, false},
    {"node", "copyFileSync", TOUCH_READ, TOUCH_WRITE, false, false},
    {"ruby", "cp", TOUCH_READ, TOUCH_WRITE, false, false},
    {"ruby", "cp_r", TOUCH_READ, TOUCH_WRITE, true, false},
    {"python php node", "symlink", TOUCH_READ, TOUCH_WRITE, false, false},
    {"node", "symlinkSync", TOUCH_READ, TOUCH_WRITE, false, false},
};

struct looking {
    struct walk *w;
    struct command_fact *c;
    const char *language;
    const char *home; /* NULL: not known */
    bool interpolates;
};

static bool in_name(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool is_language(const char *languages, const char *language)
{
    size_t len = strlen(language);
    for (const char *at = languages; (at = strstr(at, language)); at += len)
        if ((at == languages || at[-1] == ' ') && (!at[len] || at[len] == ' '))
            return true;
    return false;
}

static const struct file_call *find_call(const char *language, const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT(file_calls); i++)
        if (file_calls[i].name[0] == name[0] && strlen(file_calls[i].name) == len &&
            !memcmp(file_calls[i].name, name, len) &&
            is_language(file_calls[i].languages, language))
            return &file_calls[i];
    return NULL;
}

/* A path as an argument: "~" is the home, what is unknown a hole. */
static struct arg path_of(const struct looking *l, const struct literal *read)
{
    const char *text = read->text;
    struct arg path = arg_literal(text);
    struct arg home = arg_literal(l->home ? l->home : "");
    if (!read->whole) {
        const char *unknown = strstr(text, LITERAL_UNKNOWN);
        size_t len = unknown ? (size_t)(unknown - text) : strlen(text);
        char *cut = walk_new(l->w, len + 2, 1);
        if (!cut)
            return arg_hole();
        memcpy(cut, text, len);
        cut[len] = HOLE;
        path = arg_literal(cut);
        path.kind = len ? ARG_PARTIAL : ARG_DYNAMIC;
    }
    if (path.text[0] == '~' && path.text[1] == '/' && home.len) {
        struct arg rest = arg_behind(&path, 2);
        const struct arg *joined = files_below(l->w, &home, &rest);
        return joined ? *joined : arg_hole();
    }
    return path;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* The first literal of an argument that may wrap it: expanduser("~/x"). */
static struct literal read_inside(const struct looking *l, const char *at)
{
    struct arena *arena = &l->w->facts->arena;
    struct literal read = literal_read(arena, at, l->interpolates);
    for (size_t i = 0; !read.text && i < ITEM_MAX_BYTES && at[i] && !strchr(",;\n", at[i]); i++) {
        if (at[i] == ')')
            break;
        if (at[i] == '\'' || at[i] == '"')
            read = literal_read(arena, at + i, l->interpolates);
    }
    return read;
}

/* A mode of open: "w", "a", "r+", "wb", perl's ">" before or as the argument in front of a path. */
static bool writes(const char *mode)
{
    return strpbrk(mode, "wax+>") != NULL;
}

/* The second argument as a literal; its text is NULL without. */
static struct literal read_second(const struct looking *l, const char *end)
{
    const char *next = skip_blanks(end);
    next += *next == ')'; /* of the call inside the first argument */
    next = skip_blanks(next);
    if (*next != ',')
        return (struct literal){.end = end};
    next = skip_blanks(next + 1);
    next += !strncmp(next, "mode=", 5) ? 5 : 0;
    return literal_read(&l->w->facts->arena, next, false);
}

/* perl's open F, ">file" and open(F, ">", "file"): the handle comes first. */
static const char *read_perl_open(const struct looking *l, const char *at)
{
    const char *comma = memchr(at, ',', strnlen(at, ITEM_MAX_BYTES));
    if (!comma)
        return at;
    struct literal mode = literal_read(&l->w->facts->arena, comma + 1, true);
    if (!mode.text || strchr(mode.text, '|'))
        return comma;
    size_t signs = strspn(mode.text, "+<> ");
    struct literal path = {mode.text + signs, mode.end, mode.whole};
    if (!mode.text[signs] || mode.text[signs] == ':') { /* ">:utf8" */
        path = read_second(l, mode.end);
        if (!path.text)
            return mode.end;
    }
    struct arg a = path_of(l, &path);
    files_add(l->w, l->c, writes(mode.text) ? TOUCH_WRITE : TOUCH_READ, false, &a);
    return path.end;
}

static const char *read_file_call(const struct looking *l, const struct file_call *call,
                                  const char *at)
{
    unsigned touches = call->touches;
    if (call->mode && !strcmp(l->language, "perl"))
        return read_perl_open(l, at);
    struct literal first = read_inside(l, at);
    if (!first.text) {
        struct arg hole = arg_hole();
        if (call->recursive && touches & TOUCH_DELETE && *skip_blanks(at) != ')')
            files_add(l->w, l->c, touches, true, &hole);
        return at;
    }
    struct literal second = read_second(l, first.end);
    if (call->mode && second.text && writes(second.text))
        touches = strchr(second.text, '+') ? TOUCH_READ | TOUCH_WRITE : TOUCH_WRITE;
    struct arg path = path_of(l, &first);
    files_add(l->w, l->c, touches, call->recursive, &path);
    if (call->second && second.text) {
        path = path_of(l, &second);
        files_add(l->w, l->c, call->second, false, &path);
    }
    return first.end;
}

static void look_through(const struct looking *l, const char *text)
{
    for (const char *at = text; *at && !walk_is_full(l->w);) {
        size_t len = 0;
        while (in_name(at[len]))
            len++;
        const struct file_call *call = len ? find_call(l->language, at, len) : NULL;
        const char *next = at + len;
        bool bare = !strcmp(l->language, "perl") || !strcmp(l->language, "ruby");
        const char *open = skip_blanks(next);
        if (call && *open == '(')
            at = read_file_call(l, call, open + 1);
        else if (call && bare && open > next)
            at = read_file_call(l, call, open);
        else
            at = len ? next : at + 1;
    }
}

/* Files that a sed script reads and writes, whatever the command's operands are. */
static void look_through_sed(struct walk *w, struct command_fact *c, const char *script)
{
    struct sed_command read;
    for (const char *at = script; *at && !walk_is_full(w);) {
        at = sed_read(at, &read);
        char *name =
            read.reads || read.writes ? arena_text(&w->facts->arena, read.text, read.len) : NULL;
        struct arg file = arg_literal(name ? name : "");
        if (file.len)
            files_add(w, c, read.reads ? TOUCH_READ : TOUCH_WRITE, false, &file);
    }
}

/* awk: print > "file", getline < "file". */
static void look_through_awk(const struct looking *l, const char *text)
{
    for (const char *at = text; *at && !walk_is_full(l->w);) {
        if (*at == '"') {
            struct literal skipped = literal_quoted(&l->w->facts->arena, at, false);
            at = skipped.end > at ? skipped.end : at + 1;
            continue;
        }
        bool writes_it = *at == '>', reads_it = *at == '<';
        at++;
        if (!writes_it && !reads_it)
            continue;
        const char *next = skip_blanks(at + (writes_it && *at == '>'));
        struct literal name =
            *next == '"' ? literal_read(&l->w->facts->arena, next, false) : (struct literal){0};
        if (!name.text || !name.text[0])
            continue;
        struct arg path = path_of(l, &name);
        files_add(l->w, l->c, writes_it ? TOUCH_WRITE : TOUCH_READ, false, &path);
        at = name.end;
    }
}

/* vim and ed: "w file", "saveas file", "r file", each in a line. */
static void look_through_lines(const struct looking *l, const char *text)
{
    static const struct {
        const char *word;
        unsigned touches;
    } words[] = {{"w", TOUCH_WRITE},      {"w!", TOUCH_WRITE},    {"wq", TOUCH_WRITE},
                 {"W", TOUCH_WRITE},      {"write", TOUCH_WRITE}, {"write!", TOUCH_WRITE},
                 {"saveas", TOUCH_WRITE}, {"r", TOUCH_READ},      {"read", TOUCH_READ},
                 {"e", TOUCH_READ},       {"edit", TOUCH_READ}};
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n|");
        const char *at = line + strspn(line, " \t:%,$0123456789");
        size_t word = strcspn(at, " \t\n|"), blank = strspn(at + word, " \t");
        for (size_t i = 0; i < COUNT(words) && blank; i++) {
            if (strlen(words[i].word) != word || strncmp(words[i].word, at, word) != 0)
                continue;
            const char *name = at + word + blank;
            name += strspn(name, "> ");
            char *copy = arena_text(&l->w->facts->arena, name, strcspn(name, " \t\n|"));
            struct literal whole = {copy, name, true};
            struct arg path =
                path_of(l, copy && copy[0] ? &whole : &(struct literal){"", name, true});
            if (path.len && path.text[0] != '!')
                files_add(l->w, l->c, words[i].touches, false, &path);
        }
        line += len + (line[len] != 0);
    }
}

void code_files(struct walk *w, struct command_fact *c)
{
    static const char known[] = "python perl ruby node php lua";
    struct expansion e = walk_expansion(w, c->cwds);
    for (const struct code_fact *f = c->code; f; f = f->next) {
        struct looking l = {w, c, f->language, e.home, false};
        l.interpolates = is_language("perl ruby php", f->language);
        w->facts->arena.steps += f->text.len;
        if (!strcmp(f->language, "sed"))
            look_through_sed(w, c, f->text.text);
        else if (!strcmp(f->language, "awk"))
            look_through_awk(&l, f->text.text);
        else if (!strcmp(f->language, "vim"))
            look_through_lines(&l, f->text.text);
        else if (is_language(known, f->language))
            look_through(&l, f->text.text);
    }
}
