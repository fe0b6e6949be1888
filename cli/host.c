/* host.c - the preflight's report; see host.h. */
#include "cli/host.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/print.h"
#include "data/json.h"
#include "data/pack.h"
#include "engine/cgroup/cgroup_host.h"
#include "engine/cgroup/delegate.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPORT_MAX_BYTES = 65536, SCOPE_WORDS = 12 };

static bool has_manager(const char *folder)
{
    char path[PATH_MAX];
    return (size_t)snprintf(path, sizeof path, "%s/corral-manager", folder) < sizeof path &&
           !access(path, X_OK);
}

int host_programs(char to[PATH_MAX], struct err *err)
{
    assert(to && err);
    ssize_t len = readlink("/proc/self/exe", to, PATH_MAX - 1);
    if (len > 0) {
        to[len] = 0;
        *strrchr(to, '/') = 0;
        if (has_manager(to))
            return 0;
    }
    const char *path = getenv("PATH");
    SCOPED(bytes_close) struct bytes copy = bytes_open(65536);
    if (bytes_addf(&copy, err, "%s", path ? path : ""))
        return -1;
    char *rest = (char *)copy.data;
    for (char *folder = strsep(&rest, ":"); folder; folder = strsep(&rest, ":"))
        if (folder[0] == '/' && has_manager(folder) && text_copy(to, PATH_MAX, folder))
            return 0;
    return err_set(err, ERR_NOT_FOUND,
                   "corral-manager is neither beside corral nor in PATH; install all programs of "
                   "Corral into one directory");
}

/* Starts this program anew, in a scope of systemd's. */
static int run_in_scope(const struct delegate_facts *facts, const char *const words[], size_t count,
                        struct err *err)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len < 0)
        return err_sys(err, "looking for this program");
    self[len] = 0;
    char *own[SCOPE_WORDS] = {self};
    const char *whole[2 * SCOPE_WORDS];
    assert(count < SCOPE_WORDS);
    memcpy(own + 1, words, count * sizeof *words);
    if (delegate_argv(facts, (int)count + 1, own, whole, COUNT(whole), err))
        return -1;
    execvp(whole[0], (char *const *)(uintptr_t)whole);
    return err_sys(err, "starting %s, to get control groups from systemd", whole[0]);
}

int host_delegate(const char *const words[], size_t count, struct err *err)
{
    struct delegate_facts facts;
    const char *why;
    if (delegate_look(&facts, err))
        return err_add(err, "looking for control groups");
    enum delegate_answer answer = delegate_decide(&facts, &why);
    if (answer == DELEGATE_REEXEC)
        return run_in_scope(&facts, words, count, err);
    if (answer == DELEGATE_IMPOSSIBLE)
        print_note("No control groups of our own: %s", why);
    return cgroup_host_enter_leaf(err) && err->code != ERR_UNSUPPORTED ? -1 : 0;
}

/* All that a program prints. */
static int output_of(const char *const argv[], struct bytes *to, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return err_sys(err, "making a pipe");
    pid_t pid = fork();
    if (!pid) {
        if (dup2(ends[1], STDOUT_FILENO) >= 0)
            execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(ends[1]);
    SCOPED(fd_close) int from = ends[0];
    if (pid < 0)
        return err_sys(err, "starting %s", argv[0]);
    int result = 0;
    ssize_t n = 1;
    while (!result && n) {
        uint8_t *room = bytes_reserve(to, 4096, err);
        n = room ? read(from, room, 4096) : 0;
        if (!room || (n < 0 && errno != EINTR))
            result = -1;
        else if (n > 0)
            bytes_grew(to, (size_t)n);
    }
    fd_close(&from);
    waitpid(pid, NULL, 0);
    return result;
}

/* Adds `text` to a NUL-terminated list, as far as it has room. */
static void append(char *list, size_t size, const char *between, struct view text)
{
    size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%.*s", used ? between : "", (int)text.len,
             (const char *)text.data);
}

/* A text of the report; anything else is stepped over and reads as "". */
static int next_text(struct view *cursor, struct view *text, struct err *err)
{
    struct view start = *cursor;
    struct value value;
    *text = view_of("");
    if (pack_next(cursor, &value, err))
        return -1;
    if (value.type == PACK_TEXT)
        *text = value.bytes;
    else
        *cursor = start;
    return value.type == PACK_TEXT ? 0 : pack_skip(cursor, err);
}

/* One check: {name, result, detail, remedy}. Only what failed is kept. */
static int read_check(struct view *cursor, struct host_report *report, struct err *err)
{
    struct value map;
    struct view detail = {0}, remedy = {0}, result = {0};
    if (pack_next(cursor, &map, err))
        return -1;
    if (map.type != PACK_MAP)
        return err_set(err, ERR_PEER, "a check is no object");
    for (uint32_t i = 0; i < map.count; i++) {
        struct view key, text;
        if (next_text(cursor, &key, err) || next_text(cursor, &text, err))
            return -1;
        if (view_equal(key, view_of("detail")))
            detail = text;
        if (view_equal(key, view_of("remedy")))
            remedy = text;
        if (view_equal(key, view_of("result")))
            result = text;
    }
    bool follows = !remedy.len && report->remedies[0]; /* from one that has a way out */
    if (!view_equal(result, view_of("fail")) || follows)
        return 0;
    append(report->remedies, sizeof report->remedies, "\n", detail);
    if (remedy.len)
        append(report->remedies, sizeof report->remedies, ": ", remedy);
    return 0;
}

static int read_list(struct view *cursor, struct host_report *report, bool checks, struct err *err)
{
    struct value list;
    if (pack_next(cursor, &list, err))
        return -1;
    if (list.type != PACK_ARRAY)
        return err_set(err, ERR_PEER, "%s is no list", checks ? "checks" : "unenforced");
    for (uint32_t i = 0; i < list.count; i++) {
        struct view name;
        if (checks ? read_check(cursor, report, err) : next_text(cursor, &name, err))
            return -1;
        if (!checks)
            append(report->unenforced, sizeof report->unenforced, ", ", name);
    }
    return 0;
}

static int read_level(struct view name, enum host_level *level, struct err *err)
{
    static const char *const names[] = {"none", "partial", "full"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (view_equal(name, view_of(names[i]))) {
            *level = (enum host_level)i;
            return 0;
        }
    return err_set(err, ERR_PEER, "the level is neither none nor partial nor full");
}

static int read_report(struct view packed, struct host_report *report, struct err *err)
{
    struct value map;
    bool has_level = false;
    if (pack_scan(packed, err) || pack_next(&packed, &map, err))
        return -1;
    for (uint32_t i = 0; i < map.count; i++) {
        struct view key, text;
        if (next_text(&packed, &key, err))
            return -1;
        bool checks = view_equal(key, view_of("checks"));
        if (checks || view_equal(key, view_of("unenforced"))) {
            if (read_list(&packed, report, checks, err))
                return -1;
        } else if (next_text(&packed, &text, err)) {
            return -1;
        } else if (view_equal(key, view_of("level"))) {
            has_level = !read_level(text, &report->level, err);
            if (!has_level)
                return -1;
        }
    }
    return has_level ? 0 : err_set(err, ERR_PEER, "there is no level");
}

int host_look(const char *programs, struct host_report *report, struct err *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/corral-manager", programs);
    const char *const argv[] = {path, "--preflight", "--json", NULL};
    SCOPED(bytes_close) struct bytes text = bytes_open(REPORT_MAX_BYTES);
    SCOPED(bytes_close) struct bytes packed = bytes_open(REPORT_MAX_BYTES);
    struct host_report found = {.level = HOST_NONE};
    if (output_of(argv, &text, err))
        return -1;
    if (json_to_pack(bytes_view(&text), &packed, err) ||
        read_report(bytes_view(&packed), &found, err))
        return err_add(err, "the report of %s --preflight", path);
    *report = found;
    return 0;
}
