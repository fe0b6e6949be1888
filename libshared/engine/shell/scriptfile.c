/* scriptfile.c - "#!" lines and the text of scripts; see scriptfile.h. */
#include "engine/shell/scriptfile.h"

#include "base/scope.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 256 /* of which the kernel looks at no more, BINPRM_BUF_SIZE */ };

static const char FILE_NAME[] = "./script";

static bool begins(struct view text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && !memcmp(text.data, with, len);
}

static void trim_end(char *text)
{
    size_t len = strlen(text);
    while (len && strchr(" \t\r", text[len - 1]))
        text[--len] = 0;
}

/* The kernel passes on all that follows the program as one argument. env -S splits it and puts the
 * file behind its words; they are joined here, because it is one text to those who split it. */
static void read_line(struct facts *f, const struct facts_setting *s, char *line)
{
    char joined[LINE_BYTES + sizeof FILE_NAME];
    line += strspn(line, " \t");
    trim_end(line);
    char *rest = line + strcspn(line, " \t");
    if (*rest)
        *rest++ = 0;
    rest += strspn(rest, " \t");
    const char *slash = strrchr(line, '/');
    struct view argv[] = {view_of(line), view_of(rest), view_of(FILE_NAME)};
    size_t argc = 3;
    if (!strcmp(slash ? slash + 1 : line, "env") && !strncmp(rest, "-S", 2)) {
        snprintf(joined, sizeof joined, "%s %s", rest, FILE_NAME);
        argv[1] = view_of(joined);
        argc = 2;
    } else if (!*rest) {
        argv[1] = argv[2];
        argc = 2;
    }
    facts_read_argv(f, s, argv, argc);
}

enum scriptfile_kind scriptfile_reader(struct facts *f, const struct facts_setting *s,
                                       struct view text, char name[SCRIPTFILE_NAME_BYTES])
{
    char line[LINE_BYTES] = "";
    const struct command_fact *last = NULL;
    name[0] = 0;
    if (begins(text, "\177ELF"))
        return SCRIPTFILE_PROGRAM;
    if (!begins(text, "#!")) {
        text_copy(name, SCRIPTFILE_NAME_BYTES, "sh");
        return SCRIPTFILE_SHELL;
    }
    size_t len = text.len - 2 < sizeof line - 1 ? text.len - 2 : sizeof line - 1;
    memcpy(line, text.data + 2, len);
    line[strcspn(line, "\n")] = 0;
    read_line(f, s, line);
    for (const struct command_fact *c = f->first; c; c = c->next)
        last = c;
    if (last && last->name)
        text_copy(name, SCRIPTFILE_NAME_BYTES, last->name);
    return SCRIPTFILE_NAMED;
}

bool scriptfile_is_shell(const char *name)
{
    static const char *const shells[] = {"sh", "bash", "dash", "ash", "ksh", "zsh"};
    for (size_t i = 0; i < COUNT(shells); i++)
        if (!strcmp(shells[i], name))
            return true;
    return false;
}

void scriptfile_read(struct facts *f, const struct facts_setting *s, const char *args,
                     struct view text, struct bytes *store)
{
    struct err err;
    store->len = 0;
    bool is_whole = !args[0] || !bytes_addf(store, &err, "set -- %s\n", args);
    if (args[0] && is_whole && !bytes_add(store, text.data, text.len, &err))
        text = bytes_view(store);
    else
        is_whole &= !args[0];
    facts_read_shell(f, s, text);
    if (!is_whole)
        trouble_add(&f->trouble, TROUBLE_MEMORY, "it needs too much memory to analyse");
}
