/* files.c - see files.h. */
#include "engine/policy/files.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void texts_close(struct texts_of_rules *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        toml_free(&texts->items[i].toml);
        free(texts->items[i].name);
    }
    free(texts->items);
    *texts = (struct texts_of_rules){0};
}

static int grow(struct texts_of_rules *texts, struct err *err)
{
    if (texts->count < texts->room)
        return 0;
    size_t room = texts->room ? texts->room * 2 : 32;
    struct rule_text *items = mem_resize(texts->items, room * sizeof *items);
    if (!items)
        return err_set(err, ERR_MEMORY, "no memory for rule files");
    texts->items = items;
    texts->room = room;
    return 0;
}

int texts_add(struct texts_of_rules *texts, const char *name, enum policy_tier tier,
              struct view text, struct err *err)
{
    struct toml_file *toml;
    if (grow(texts, err) || toml_parse(text, name, &toml, err))
        return -1;
    char *kept = mem_text(name);
    if (!kept) {
        toml_free(&toml);
        return err_set(err, ERR_MEMORY, "no memory for rule files");
    }
    texts->items[texts->count++] = (struct rule_text){.name = kept, .tier = tier, .toml = toml};
    return 0;
}

/* Whoever may write a rule decides what agents may do. */
static int check_trust(int fd, const char *path, mode_t kind, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return err_sys(err, "stat %s", path);
    if ((st.st_mode & S_IFMT) != kind)
        return err_set(err, ERR_CONFIG, "%s: not a %s", path,
                       kind == S_IFDIR ? "directory" : "regular file");
    if (st.st_uid && st.st_uid != geteuid())
        return err_set(err, ERR_CONFIG, "%s: belongs to uid %u, neither root nor this service",
                       path, (unsigned)st.st_uid);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(err, ERR_CONFIG, "%s: its group or others may write it (mode %03o)", path,
                       (unsigned)(st.st_mode & 0777));
    return 0;
}

static int open_trusted(int dirfd, const char *name, const char *path, mode_t kind, int *out,
                        struct err *err)
{
    int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    SCOPED(fd_close) int fd = openat(dirfd, name, flags | (kind == S_IFDIR ? O_DIRECTORY : 0));
    if (fd < 0 && errno == ELOOP)
        return err_set(err, ERR_CONFIG, "%s: a symlink", path);
    if (fd < 0 && errno == ENOTDIR)
        return err_set(err, ERR_CONFIG, "%s: a symlink, or no directory", path);
    if (fd < 0)
        return err_sys(err, "opening %s", path);
    if (check_trust(fd, path, kind, err))
        return -1;
    *out = fd_take(&fd);
    return 0;
}

static int add_file(struct texts_of_rules *texts, const struct ruleset_source *source, int dirfd,
                    const char *name, struct err *err)
{
    char path[4096];
    SCOPED(fd_close) int fd = -1;
    SCOPED(bytes_close) struct bytes text = bytes_open(TOML_FILE_MAX_BYTES + 1);
    snprintf(path, sizeof path, "%s/%s", source->path, name);
    if (open_trusted(dirfd, name, path, S_IFREG, &fd, err))
        return -1;
    size_t got;
    uint8_t *to = bytes_reserve(&text, TOML_FILE_MAX_BYTES + 1, err);
    if (!to || file_read_at(fd, to, TOML_FILE_MAX_BYTES + 1, 0, &got, err))
        return -1;
    bytes_grew(&text, got);
    return texts_add(texts, path, source->tier, bytes_view(&text), err);
}

static int is_rule_file(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 5 && !strcmp(entry->d_name + len - 5, ".toml");
}

/* The same order whatever the locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_directory(struct texts_of_rules *texts, const struct ruleset_source *source,
                         struct err *err)
{
    SCOPED(fd_close) int dirfd = -1;
    if (open_trusted(AT_FDCWD, source->path, source->path, S_IFDIR, &dirfd, err))
        return -1;
    struct dirent **names;
    int count = scandirat(dirfd, ".", &names, is_rule_file, by_bytes), failed = 0;
    if (count < 0)
        return err_sys(err, "reading %s", source->path);
    if (count > RULESET_MAX_FILES)
        failed = err_set(err, ERR_CONFIG, "%s: more than %d rule files", source->path,
                         RULESET_MAX_FILES);
    for (int i = 0; i < count; i++) {
        if (!failed)
            failed = add_file(texts, source, dirfd, names[i]->d_name, err);
        free(names[i]);
    }
    free(names);
    return failed;
}

static int read_generation(const struct rule_text *text, int64_t *most, struct err *err)
{
    for (size_t i = 0; i < toml_count(text->toml); i++) {
        const struct toml_entry *e = toml_at(text->toml, i);
        if (e->table[0] || strcmp(e->key, "generation") != 0)
            continue;
        if (e->type != TOML_INT || e->integer < 0)
            return err_set(err, ERR_CONFIG, "%s:%d:%d: generation is a number, 0 or more",
                           text->name, e->line, e->column);
        *most = e->integer > *most ? e->integer : *most;
    }
    return 0;
}

int texts_add_source(struct texts_of_rules *texts, const struct ruleset_source *source,
                     int64_t *generation, struct err *err)
{
    size_t first = texts->count;
    int64_t most = 0;
    int failed = source->text.data ? texts_add(texts, source->path, source->tier, source->text, err)
                                   : add_directory(texts, source, err);
    for (size_t i = first; !failed && i < texts->count; i++) {
        texts->items[i].source = source;
        failed = read_generation(&texts->items[i], &most, err);
    }
    if (failed)
        return -1;
    if (most < source->least_generation)
        return err_set(err, ERR_CONFIG, "%s: generation %lld, but %lld was in force already",
                       source->path, (long long)most, (long long)source->least_generation);
    *generation = most;
    return 0;
}
