/* disk.c - see disk.h. */
#include "engine/shell/disk.h"

#include "base/scope.h"
#include "engine/shell/sources.h"
#include "engine/shell/walk.h"

#include <string.h>

enum { BUCKETS = 64, COMPONENTS_MAX = 24, LINKS_MAX = 8, CONTENT_MAX_BYTES = 64 * 1024 };

/* A byte of code costs so many of an expansion: all patterns for its language are tried on it. */
enum { CODE_COST = 4 };

struct written {
    const char *path;                  /* normal; below UNKNOWN where the directory is not known */
    const struct source_fact *writers; /* NULL: only something below it was written */
    const struct arg *content;         /* NULL: not known */
    const struct arg *before;          /* the content before it was written last */
    const char *target;                /* of a link; NULL: it is none */
    const char *program; /* it is a copy of, or a link to; NULL: of none that is known */
    struct written *next;
};

/* Stands for a directory that is not known. */
static const char nowhere[] = {'/', HOLE, 0};

static size_t bucket_of(const char *path, size_t len)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)path[i]) * 16777619u;
    return hash % BUCKETS;
}

static struct written *find(const struct walk *w, const char *path, size_t len)
{
    if (!w->disk.buckets)
        return NULL;
    struct written *each = w->disk.buckets[bucket_of(path, len)];
    w->facts->arena.steps += len / 8 + 1;
    for (; each; each = each->next) {
        w->facts->arena.steps++;
        if (!strncmp(each->path, path, len) && !each->path[len])
            return each;
    }
    return NULL;
}

static struct written *find_or_add(struct walk *w, const char *path)
{
    struct written *known = find(w, path, strlen(path));
    if (known)
        return known;
    if (!w->disk.buckets)
        w->disk.buckets = walk_new(w, BUCKETS, sizeof(struct written *));
    known = w->disk.buckets ? walk_new(w, 1, sizeof *known) : NULL;
    char *copy = known ? arena_text(&w->facts->arena, path, strlen(path)) : NULL;
    if (!copy)
        return NULL;
    struct written **bucket = &w->disk.buckets[bucket_of(copy, strlen(copy))];
    *known = (struct written){.path = copy, .next = *bucket};
    *bucket = known;
    return known;
}

/* Where a path leads to. */
struct paths {
    char at[CWDS_MAX + 1][CWDS_PATH_MAX];
    unsigned count;
    bool unknown; /* it has a hole or a pattern */
};

static void read_paths(struct paths *to, const struct cwds *cwds, const struct arg *a)
{
    to->count = 0;
    to->unknown = a->kind != ARG_LITERAL || a->glob_at != SIZE_MAX;
    struct cwds from = *cwds;
    if (to->unknown || !a->len || a->len >= CWDS_KEPT_MAX)
        return;
    if (a->text[0] == '/')
        from = (struct cwds){.path = {"/"}, .count = 1};
    for (unsigned i = 0; i < from.count; i++)
        to->count += path_join(to->at[to->count], from.path[i], a->text, a->len);
    if (from.unknown)
        to->count += path_join(to->at[to->count], nowhere, a->text, a->len);
}

/* The writers of the file and of the directories above it. */
static const struct source_fact *writers_of(struct walk *w, const char *path)
{
    size_t len = strlen(path);
    for (int i = 0; i < COMPONENTS_MAX && len > 1; i++) {
        const struct written *file = find(w, path, len);
        if (file && file->writers)
            return file->writers;
        while (len && path[len - 1] != '/')
            len--;
        len -= len > 0;
    }
    return NULL;
}

static void add_sources(struct walk *w, struct command_fact *c, const struct arg *a,
                        enum source_way way)
{
    struct paths paths;
    if (!w->disk.buckets && !w->disk.unknown)
        return;
    read_paths(&paths, c->cwds, a);
    const struct source_fact *from = paths.unknown ? w->disk.unknown : NULL;
    for (unsigned i = 0; i < paths.count; i++) {
        const struct source_fact *writers = writers_of(w, paths.at[i]);
        from = sources_join(&w->facts->arena, from, writers);
    }
    c->sources = sources_join(&w->facts->arena, c->sources, sources_by(w, from, way));
}

/* The path with the link that it goes through replaced; false when there is none. */
static bool resolve(struct walk *w, char path[CWDS_PATH_MAX])
{
    size_t len = strlen(path);
    for (int i = 0; i < COMPONENTS_MAX && len > 1; i++) {
        const struct written *file = find(w, path, len);
        char rest[CWDS_PATH_MAX];
        if (file && file->target && strlen(file->target) + strlen(path + len) + 2 < CWDS_PATH_MAX) {
            memcpy(rest, path + len, strlen(path + len) + 1);
            const char *tail = rest + (rest[0] == '/');
            return path_join(path, file->target, tail, strlen(tail));
        }
        while (len && path[len - 1] != '/')
            len--;
        len -= len > 0;
    }
    return false;
}

/* What of a path is known: all of it, or the directory in front of its first pattern or hole. */
static size_t known_length(const struct arg *a)
{
    size_t len = strcspn(a->text, (const char[]){HOLE, 0});
    if (a->glob_at < len)
        len = a->glob_at;
    while (len < a->len && len && a->text[len - 1] != '/')
        len--;
    return len;
}

/* A link's target, with what stands behind the directory that is known. */
static struct arg join_rest(struct walk *w, const char *target, const struct arg *a, size_t known)
{
    size_t len = strlen(target), rest = a->len - known;
    bool slash = rest && len && target[len - 1] != '/';
    char *text = walk_new(w, len + slash + rest + 1, 1);
    struct arg joined = *a;
    if (!text)
        return arg_hole();
    memcpy(mempcpy(text, target, len), "/", slash);
    memcpy(text + len + slash, a->text + known, rest);
    joined.text = text;
    joined.len = len + slash + rest;
    if (a->glob_at != SIZE_MAX)
        joined.glob_at = a->glob_at - known + len + slash;
    return joined;
}

/* The same touches of the file that a link stands for. */
static void add_resolved(struct walk *w, struct command_fact *c, const struct file_fact *file)
{
    struct paths paths;
    size_t known = known_length(&file->path);
    char *directory = known ? arena_text(&w->facts->arena, file->path.text, known) : NULL;
    struct arg plain = arg_literal(directory ? directory : "");
    read_paths(&paths, c->cwds, &plain);
    for (unsigned i = 0; i < paths.count; i++) {
        bool any = false;
        for (int times = 0; times < LINKS_MAX && resolve(w, paths.at[i]); times++)
            any = true;
        struct file_fact *meant = any ? walk_new(w, 1, sizeof *meant) : NULL;
        if (!meant)
            continue;
        *meant = *file;
        meant->path = join_rest(w, paths.at[i], &file->path, known);
        meant->next = c->files;
        c->files = meant;
    }
}

static bool reads(enum redirect_op op)
{
    return op == REDIRECT_IN || op == REDIRECT_BOTH_WAY;
}

static bool writes(const struct redirect_fact *r)
{
    switch (r->op) {
    case REDIRECT_OUT:
    case REDIRECT_APPEND:
    case REDIRECT_CLOBBER:
    case REDIRECT_BOTH_WAY:
    case REDIRECT_ALL:
    case REDIRECT_ALL_APPEND:
        return true;
    case REDIRECT_DUP_OUT:
        return r->target.text[strspn(r->target.text, "0123456789-")] != 0;
    default:
        return false;
    }
}

static void add_writer(struct walk *w, const struct command_fact *c, const struct arg *a)
{
    struct paths paths;
    read_paths(&paths, c->cwds, a);
    if (paths.unknown)
        w->disk.unknown = sources_add(w, c, WAY_FILE, w->disk.unknown);
    for (unsigned i = 0; i < paths.count; i++) {
        struct written *file =
            strncmp(paths.at[i], "/dev/", 5) ? find_or_add(w, paths.at[i]) : NULL;
        if (!file || (file->writers && file->writers->from == c)) /* by another spelling */
            continue;
        file->writers = sources_add(w, c, WAY_FILE, file->writers);
        file->before = file->content;
        file->content = NULL;
        file->program = NULL;
    }
}

/* "ln -s target… name": a name in a directory is not told from the directory itself, so both are
 * links. */
static void add_link(struct walk *w, const struct command_fact *c)
{
    const struct arg *target = NULL, *name = NULL;
    for (size_t i = 1; i < c->argv.count; i++) {
        if (c->argv.items[i].text[0] == '-')
            continue;
        target = name;
        name = &c->argv.items[i];
    }
    struct paths from, to;
    if (!target)
        return;
    read_paths(&from, c->cwds, name);
    read_paths(&to, c->cwds, target);
    for (unsigned i = 0; i < from.count && to.count; i++) {
        struct written *file = find_or_add(w, from.at[i]);
        const char *meant = to.at[i < to.count ? i : 0];
        if (!file || !strcmp(meant, from.at[i]))
            continue;
        file->target = arena_text(&w->facts->arena, meant, strlen(meant));
        w->disk.links = true;
    }
}

/* The name of a program of the system, by its path or by that of a copy of the same text. */
static const char *program_of(struct walk *w, const struct cwds *cwds, const struct arg *a)
{
    static const char *const places[] = {"/bin/",      "/sbin/",          "/usr/bin/",
                                         "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/"};
    struct paths paths;
    read_paths(&paths, cwds, a);
    for (unsigned i = 0; i < paths.count; i++) {
        const struct written *file = find(w, paths.at[i], strlen(paths.at[i]));
        if (file && file->program)
            return file->program;
        const char *name = strrchr(paths.at[i], '/') + 1;
        for (size_t k = 0; k < COUNT(places); k++)
            if (!strncmp(paths.at[i], places[k], strlen(places[k])) && *name)
                return arena_text(&w->facts->arena, name, strlen(name));
    }
    return NULL;
}

const char *disk_program(struct walk *w, const struct cwds *cwds, const struct arg *path)
{
    struct paths paths;
    if (!w->disk.programs)
        return NULL;
    read_paths(&paths, cwds, path);
    for (unsigned i = 0; i < paths.count; i++) {
        const struct written *file = find(w, paths.at[i], strlen(paths.at[i]));
        if (file && file->program)
            return file->program;
    }
    return NULL;
}

/* What cp and mv of one file to another one do to what is known of it. */
static void copy_content(struct walk *w, const struct command_fact *c)
{
    const struct arg *const *operands = c->operands;
    size_t count = c->operands_count;
    const struct arg *content = count == 2 ? disk_content(w, c->cwds, operands[0]) : NULL;
    struct paths paths;
    if (count == 2)
        add_sources(w, (struct command_fact *)c, operands[0], WAY_FILE);
    if (count == 2)
        add_writer(w, c, operands[1]);
    const char *program = count == 2 ? program_of(w, c->cwds, operands[0]) : NULL;
    if (!content && !program)
        return;
    w->disk.programs |= program != NULL;
    read_paths(&paths, c->cwds, operands[1]);
    for (unsigned i = 0; i < paths.count; i++) {
        struct written *file = find_or_add(w, paths.at[i]);
        if (file) {
            file->content = content;
            file->program = program;
        }
    }
}

static void note_reads(struct walk *w, struct command_fact *c)
{
    for (size_t i = 0; i < c->redirects_count; i++)
        if (reads(c->redirects[i].op))
            add_sources(w, c, &c->redirects[i].target, WAY_PIPE);
    for (size_t i = 0; i < c->argv.count && (w->disk.buckets || w->disk.unknown); i++) {
        const struct arg *a = &c->argv.items[i];
        bool runs = i || strchr(a->text, '/');
        if (runs && a->text[0] != '-' && (a->kind == ARG_LITERAL || i <= 1))
            add_sources(w, c, a, i ? WAY_FILE : WAY_RUN);
    }
    for (const struct file_fact *f = c->files; f; f = f->next)
        if (f->touches & (TOUCH_READ | TOUCH_RUN | TOUCH_SEARCH | TOUCH_MOVE))
            add_sources(w, c, &f->path, f->touches & TOUCH_RUN ? WAY_RUN : WAY_FILE);
}

void disk_note(struct walk *w, struct command_fact *c)
{
    note_reads(w, c);
    if (w->disk.links) {
        const struct file_fact *files = c->files;
        for (const struct file_fact *f = files; f; f = f->next)
            add_resolved(w, c, f);
    }
    for (size_t i = 0; i < c->redirects_count; i++)
        if (writes(&c->redirects[i]))
            add_writer(w, c, &c->redirects[i].target);
    for (const struct file_fact *f = c->files; f; f = f->next)
        if (f->touches & TOUCH_WRITE)
            add_writer(w, c, &f->path);
    if (!c->name)
        return;
    if (!strcmp(c->name, "cp") || !strcmp(c->name, "mv") || !strcmp(c->name, "install"))
        copy_content(w, c);
    if (!strcmp(c->name, "ln"))
        add_link(w, c);
    if (!strcmp(c->name, "ln"))
        copy_content(w, c);
}

/* The texts one behind the other. */
static const struct arg *append_text(struct walk *w, const struct arg *before, const struct arg *a)
{
    struct arg *both =
        before->len + a->len < CONTENT_MAX_BYTES ? walk_new(w, 1, sizeof *both) : NULL;
    char *text = both ? walk_new(w, before->len + a->len + 1, 1) : NULL;
    if (!text)
        return NULL;
    memcpy(text, before->text, before->len);
    memcpy(text + before->len, a->text, a->len);
    *both = arg_literal(text);
    w->facts->arena.steps += both->len;
    return both;
}

static void set_content(struct walk *w, const struct command_fact *c, const struct arg *path,
                        const struct arg *output, bool appends)
{
    struct paths paths;
    read_paths(&paths, c->cwds, path);
    for (unsigned i = 0; i < paths.count; i++) {
        struct written *file = find(w, paths.at[i], strlen(paths.at[i]));
        if (file)
            file->content = appends && file->before ? append_text(w, file->before, output) : output;
    }
}

void disk_note_output(struct walk *w, const struct command_fact *c, const struct arg *output)
{
    const struct redirect_fact *last = NULL;
    for (size_t i = 0; i < c->redirects_count; i++)
        if (writes(&c->redirects[i]) && c->redirects[i].fd == 1)
            last = &c->redirects[i];
    bool appends = last && (last->op == REDIRECT_APPEND || last->op == REDIRECT_ALL_APPEND);
    if (last)
        set_content(w, c, &last->target, output, appends);
    for (size_t i = 1; c->name && !strcmp(c->name, "tee") && i < c->argv.count; i++)
        if (c->argv.items[i].text[0] != '-') {
            add_writer(w, c, &c->argv.items[i]);
            set_content(w, c, &c->argv.items[i], output, false);
        }
}

const struct arg *disk_content(struct walk *w, const struct cwds *cwds, const struct arg *path)
{
    struct paths paths;
    const struct arg *content = NULL;
    if (!w->disk.buckets)
        return NULL;
    read_paths(&paths, cwds, path);
    for (unsigned i = 0; i < paths.count && !content; i++) {
        for (int times = 0; times < LINKS_MAX; times++) {
            const struct written *file = find(w, paths.at[i], strlen(paths.at[i]));
            content = file ? file->content : NULL;
            if (content || !w->disk.links || !resolve(w, paths.at[i]))
                break;
        }
    }
    return content;
}

const struct arg *disk_code(struct walk *w, const struct cwds *cwds, const struct arg *path)
{
    const struct arg *content = disk_content(w, cwds, path);
    size_t cost = content ? CODE_COST * (content->len + 1) : 0;
    if (cost > w->work_left) {
        trouble_add(&w->facts->trouble, TROUBLE_TOO_LARGE,
                    "it runs too much of the code that it writes");
        return NULL;
    }
    w->work_left -= cost;
    return content;
}

void disk_follow(struct walk *w, const struct cwds *from, const struct arg *path, struct cwds *to)
{
    struct paths paths;
    if (!w->disk.links)
        return;
    read_paths(&paths, from, path);
    for (unsigned i = 0; i < paths.count; i++) {
        bool any = false;
        for (int times = 0; times < LINKS_MAX && resolve(w, paths.at[i]); times++)
            any = true;
        char *copy = any ? arena_text(&w->facts->arena, paths.at[i], strlen(paths.at[i])) : NULL;
        struct cwds one = {.path = {copy}, .count = 1, .unknown = !copy};
        if (any)
            cwds_add(to, &one);
    }
}

bool disk_writes_in(struct walk *w, const struct cwds *cwds, const struct arg *directory)
{
    struct paths paths;
    read_paths(&paths, cwds, directory);
    for (size_t i = 0; w->disk.buckets && i < BUCKETS; i++) {
        for (const struct written *file = w->disk.buckets[i]; file; file = file->next) {
            w->facts->arena.steps++;
            for (unsigned j = 0; j < paths.count; j++) {
                size_t len = strlen(paths.at[j]);
                if (!strncmp(file->path, paths.at[j], len) && file->path[len] == '/')
                    return true;
            }
        }
    }
    return false;
}
