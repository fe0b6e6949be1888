/* sed_script.c - see sed_script.h. */
#include "engine/shell/sed_script.h"

#include <string.h>

/* Behind a part of s/…/…/ that ends at the mark. */
static const char *behind_mark(const char *at, char mark)
{
    while (*at && *at != '\n' && *at != mark)
        at += at[0] == '\\' && at[1] ? 2 : 1;
    return at + (*at == mark);
}

/* What stands behind the letter up to the end of the line: a file, or code. */
static void take_line(struct sed_command *out, const char *at)
{
    at += strspn(at, " \t");
    out->text = at;
    out->len = strcspn(at, "\n");
}

/* s/x/y/ with its flags: e runs what it made, w takes the rest of the line as a file. */
static const char *read_substitution(const char *at, struct sed_command *out)
{
    const char *flags = behind_mark(behind_mark(at + 2, at[1]), at[1]);
    size_t len = strspn(flags, "gpiIeMm0123456789");
    if (*at == 'y')
        return flags;
    out->runs = memchr(flags, 'e', len) != NULL;
    if (flags[len] != 'w')
        return flags + len;
    out->writes = true;
    take_line(out, flags + len + 1);
    return out->text + out->len;
}

const char *sed_read(const char *script, struct sed_command *out)
{
    const char *at = script + strspn(script, " \t\n;{}0123456789,$!~+");
    *out = (struct sed_command){.text = ""};
    if (*at == '/')
        return behind_mark(at + 1, '/');
    if (*at == '\\' && at[1]) /* an address with a mark of its own */
        return behind_mark(at + 2, at[1]);
    if (!*at)
        return at;
    if (strchr(":btT", *at)) /* a label */
        return at + strcspn(at, ";\n");
    out->letter = *at;
    if ((*at == 's' || *at == 'y') && at[1] && at[1] != '\n')
        return read_substitution(at, out);
    out->runs = *at == 'e' && (!at[1] || strchr(" \t\n", at[1]));
    out->reads = *at == 'r' || *at == 'R';
    out->writes = *at == 'w' || *at == 'W';
    if (!out->runs && !out->reads && !out->writes)
        return strchr("aic", *at) ? at + strcspn(at, "\n") : at + 1; /* a text takes the line */
    take_line(out, at + 1);
    return out->text + out->len;
}
