/* corral create: makes a sandbox and prints its id. */
#include "base/scope.h"
#include "cli/create.h"
#include "cli/print.h"
#include "cli/units.h"

#include <stdio.h>

int cmd_create(struct cli *cli, int argc, char **argv, struct err *err)
{
    struct creation creation = {0};
    struct option options[CREATION_OPTIONS + 5] = {{0}};
    struct option *own = creation_options(&creation, options);
    own[0] = (struct option){"env",     'e',           "K=V",
                             units_env, &creation.env, "For every command run in it; repeat."};
    own[1] = (struct option){"exec-timeout",
                             0,
                             "TIME",
                             units_duration_ms,
                             &creation.exec_timeout_ms,
                             "How long a command may run when it does not say."};
    own[2] = (struct option){.name = "timeout",
                             .doc = "did you mean --exec-timeout (default for its commands)?"};
    own[3] = connect_wait_option(&creation.wait_ms);
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;

    SCOPED(connect_close) struct connect connect = {0};
    struct sandbox_created created;
    if (connect_open(cli, &connect, err) || create_sandbox(&connect, &creation, &created, err))
        return -1;
    if (cli->json)
        return print_json(&message_sandbox_created, &created, err);
    print_line("%s", created.sandbox_id);
    return 0;
}
