/* describe.c - see describe.h. */
#include "engine/shell/describe.h"

#include "base/scope.h"
#include "engine/shell/code.h"
#include "engine/shell/files.h"
#include "engine/shell/hosts.h"

#include <string.h>

static bool is_system_path(const char *path)
{
    static const char *const dirs[] = {"/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/",
                                       "/usr/local/bin/"};
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; slash && i < COUNT(dirs); i++)
        if (strlen(dirs[i]) == (size_t)(slash + 1 - path) &&
            !strncmp(path, dirs[i], strlen(dirs[i])))
            return true;
    return !slash;
}

/* "sudo --version", "shutdown --help": nothing else happens, unless the program is not the one of
 * that name, or the shell does something for it. */
static bool looks_only(const struct command_fact *c)
{
    static const char *const names[] = {"--help", "--version", "-V", "-help", "-version"};
    if (!c->reading || !c->reading->effects[EFFECT_LOOKS] || c->code || c->assigns_count ||
        c->redirects_count || !is_system_path(c->argv.items[0].text))
        return false;
    for (size_t i = 0; i < COUNT(names); i++) {
        const struct option_fact *o = option_of(c, names[i]);
        if (o && c->reading->roles[o - c->options] == EFFECT_LOOKS)
            return true;
    }
    return false;
}

void describe(struct walk *w, struct command_fact *c)
{
    arguments_read(w, c);
    files_find(w, c);
    code_find(w, c);
    code_files(w, c);
    hosts_find(w, c);
    c->looks_only = looks_only(c);
}
