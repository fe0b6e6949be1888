/* family.c - commands that stand behind another one's name; see cli.h. */
#include "base/scope.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static int print_help(const struct family *f, struct err *err)
{
    SCOPED(bytes_close) struct bytes to = bytes_open(65536);
    if (bytes_addf(&to, err,
                   "%s\n\nusage: corral %s COMMAND [options]      --help behind COMMAND says "
                   "more\n\n",
                   f->doc, f->name))
        return -1;
    for (size_t i = 0; i < f->count; i++)
        if (bytes_addf(&to, err, "  %-16s %s\n", f->commands[i].name, f->commands[i].doc))
            return -1;
    if (bytes_addf(&to, err, "\nexample:\n  %s\n", f->commands[0].example))
        return -1;
    fputs((const char *)to.data, stdout);
    return 0;
}

static const char *name_at(const void *context, size_t at)
{
    const struct family *f = context;
    return at < f->count ? f->commands[at].name + strlen(f->name) + 1 : NULL;
}

static int refuse(const struct family *f, const char *name, struct err *err)
{
    const char *nearest = options_nearest(name, name_at, f);
    if (nearest)
        return err_set(err, ERR_INVALID, "unknown command \"%s %.40s\"; did you mean %s %s?",
                       f->name, name, f->name, nearest);
    return err_set(err, ERR_INVALID, "unknown command \"%s %.40s\"; corral %s --help lists them",
                   f->name, name, f->name);
}

int family_run(struct cli *cli, const struct family *f, int argc, char **argv, struct err *err)
{
    struct args args;
    if (common_parse(cli, argc, argv, &args, err))
        return -1;
    if (args.help)
        return print_help(f, err);
    if (!args.count)
        return err_set(err, ERR_INVALID, "say which command; corral %s --help lists them", f->name);
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(args.items[0], name_at(f, i)) != 0)
            continue;
        cli->command = &f->commands[i];
        return f->commands[i].run(cli, args.count - 1, args.items + 1, err);
    }
    return refuse(f, args.items[0], err);
}
