/* rule_files.c - looks through the rule directory; see rule_files.h. */
#include "guardian/rule_files.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A walk through the directory. */
struct walk {
    void (*look)(void *context, const char *path);
    void *context;
    struct rule_files files;
    size_t room;
    struct err *err;
};

/* What is done with an entry of a folder. */
typedef int visitor(struct walk *w, const struct rule_folder *at, int dirfd, const char *name);

void rule_files_close(struct rule_files *files)
{
    free(files->folders);
    *files = (struct rule_files){0};
}

static int wrong(struct walk *w, const struct rule_folder *at, const char *name, const char *what)
{
    return err_set(w->err, ERR_CONFIG, "%.150s/%.60s: %s", at->path, name, what);
}

/* The place of an entry; a path that does not fit is refused, never cut. */
static int enter(struct walk *w, const struct rule_folder *at, const char *name,
                 struct rule_folder *to)
{
    *to = *at;
    int n = snprintf(to->path, sizeof to->path, "%s/%s", at->path, name);
    return n < (int)sizeof to->path ? 0 : wrong(w, at, name, "the path is too long");
}

static int open_entry(struct walk *w, int dirfd, const char *name, const char *path, mode_t kind,
                      int *fd)
{
    if (!file_open_trusted(dirfd, name, path, kind, fd, w->err))
        return 0;
    return w->err->code == ERR_MEMORY || w->err->code == ERR_IO ? -1 : err_config(w->err);
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Visits the entries of a folder in the order of their bytes. */
static int each(struct walk *w, const struct rule_folder *at, int dirfd, const char *name,
                visitor *visit)
{
    SCOPED(fd_close) int fd = -1;
    struct dirent **names;
    if (w->look)
        w->look(w->context, at->path);
    if (open_entry(w, dirfd, name, at->path, S_IFDIR, &fd))
        return -1;
    int count = scandirat(fd, ".", &names, is_shown, by_bytes), failed = 0;
    if (count < 0)
        return err_sys(w->err, "reading %s", at->path);
    for (int i = 0; i < count; i++) {
        failed = failed || visit(w, at, fd, names[i]->d_name) ? -1 : 0;
        free(names[i]);
    }
    free(names);
    return failed;
}

/* A folder of rules: that it can be opened, and that it is watched. */
static int add_folder(struct walk *w, const struct rule_folder *folder, int dirfd, const char *name)
{
    SCOPED(fd_close) int fd = -1;
    if (w->look)
        w->look(w->context, folder->path);
    if (open_entry(w, dirfd, name, folder->path, S_IFDIR, &fd))
        return -1;
    if (w->files.count == RULE_FOLDERS_MAX)
        return err_set(w->err, ERR_CONFIG, "%s: more than %d folders of rules", folder->path,
                       RULE_FOLDERS_MAX);
    if (w->files.count == w->room) {
        size_t room = w->room ? 2 * w->room : 16;
        struct rule_folder *folders = mem_resize(w->files.folders, room * sizeof *folders);
        if (!folders)
            return err_set(w->err, ERR_MEMORY, "no memory for folders of rules");
        w->files.folders = folders;
        w->room = room;
    }
    w->files.folders[w->files.count++] = *folder;
    return 0;
}

static int visit_tenant(struct walk *w, const struct rule_folder *at, int dirfd, const char *name)
{
    struct rule_folder folder;
    if (!text_is_name(name, NAME_BYTES - 1))
        return wrong(w, at, name, "is no tenant's name");
    if (enter(w, at, name, &folder))
        return -1;
    text_copy(folder.tenant, sizeof folder.tenant, name);
    return add_folder(w, &folder, dirfd, name);
}

static int visit_agent(struct walk *w, const struct rule_folder *at, int dirfd, const char *name)
{
    struct rule_folder folder;
    if (!text_is_name(name, NAME_BYTES - 1))
        return wrong(w, at, name, "is no agent's name");
    if (enter(w, at, name, &folder))
        return -1;
    text_copy(folder.agent, sizeof folder.agent, name);
    return add_folder(w, &folder, dirfd, name);
}

static int visit_agents_tenant(struct walk *w, const struct rule_folder *at, int dirfd,
                               const char *name)
{
    struct rule_folder folder;
    if (!text_is_name(name, NAME_BYTES - 1))
        return wrong(w, at, name, "is no tenant's name");
    if (enter(w, at, name, &folder))
        return -1;
    text_copy(folder.tenant, sizeof folder.tenant, name);
    return each(w, &folder, dirfd, name, visit_agent);
}

static int read_generation(struct walk *w, const struct rule_folder *at, int dirfd,
                           const char *name)
{
    struct rule_folder file;
    char text[24] = "", *end;
    size_t got;
    SCOPED(fd_close) int fd = -1;
    if (enter(w, at, name, &file) || open_entry(w, dirfd, name, file.path, S_IFREG, &fd) ||
        file_read_at(fd, text, sizeof text - 1, 0, &got, w->err))
        return -1;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || errno || end[strspn(end, "\n")] || got > 20)
        return wrong(w, at, name, "must hold one number, 0 or more");
    w->files.generation = number;
    return 0;
}

static int visit_top(struct walk *w, const struct rule_folder *at, int dirfd, const char *name)
{
    struct rule_folder folder;
    if (!strcmp(name, "generation"))
        return read_generation(w, at, dirfd, name);
    if (enter(w, at, name, &folder))
        return -1;
    if (!strcmp(name, "tenants"))
        return each(w, &folder, dirfd, name, visit_tenant);
    if (!strcmp(name, "agents"))
        return each(w, &folder, dirfd, name, visit_agents_tenant);
    return wrong(w, at, name, "here are only generation, tenants/ and agents/");
}

static int by_scope(const void *a, const void *b)
{
    const struct rule_folder *x = a, *y = b;
    int order = strcmp(x->tenant, y->tenant);
    return order ? order : strcmp(x->agent, y->agent);
}

int rule_files_find(const char *dir, void (*look)(void *context, const char *path), void *context,
                    struct rule_files *files, struct err *err)
{
    struct walk w = {.look = look, .context = context, .err = err};
    struct rule_folder top = {0};
    if (!text_copy(top.path, sizeof top.path, dir))
        return err_set(err, ERR_CONFIG, "%.100s…: the path is too long", dir);
    if (each(&w, &top, AT_FDCWD, top.path, visit_top)) {
        rule_files_close(&w.files);
        return -1;
    }
    if (w.files.count)
        qsort(w.files.folders, w.files.count, sizeof *w.files.folders, by_scope);
    *files = w.files;
    return 0;
}
