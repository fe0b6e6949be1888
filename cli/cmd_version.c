/* corral version */
#include "cli/cli.h"

#include <stdio.h>

int cmd_version(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct option options[] = {{0}};
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    if (cli->json)
        printf("{\"version\": \"%s\", \"protocol\": \"%d.%d\"}\n", CORRAL_VERSION, SCHEMA_MAJOR,
               SCHEMA_MINOR);
    else
        printf("corral %s, protocol %d.%d\n", CORRAL_VERSION, SCHEMA_MAJOR, SCHEMA_MINOR);
    return 0;
}
