/* corral protocol: the reference of every message, as docs/PROTOCOL.md has it. */
#include "base/scope.h"
#include "cli/cli.h"

#include <stdio.h>

int cmd_protocol(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct option options[] = {{0}};
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    if (command_refuses_json(cli, err))
        return -1;
    SCOPED(bytes_close) struct bytes text = bytes_open(1024 * 1024);
    for (size_t i = 0; schema_messages[i]; i++)
        if (schema_describe(schema_messages[i], &text, err))
            return -1;
    fwrite(text.data, 1, text.len, stdout);
    return 0;
}
