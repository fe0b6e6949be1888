/* corral doctor: what this host can do for a sandbox, tried out by the manager's preflight. */
#include "cli/cli.h"
#include "cli/host.h"

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

int cmd_doctor(struct cli *cli, int argc, char **argv, struct err *err)
{
    static const struct option options[] = {{0}};
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    const char *const again[] = {"doctor", cli->json ? "--json" : NULL};
    char programs[PATH_MAX], path[PATH_MAX];
    if (host_programs(programs, err) || host_delegate(again, cli->json ? 2 : 1, err))
        return -1;
    if ((size_t)snprintf(path, sizeof path, "%s/corral-manager", programs) >= sizeof path)
        return err_set(err, ERR_INVALID, "the path %.60s… is too long", programs);
    const char *const words[] = {path, "--preflight", cli->json ? "--json" : NULL, NULL};
    execv(path, (char *const *)(uintptr_t)words);
    return err_sys(err, "starting %s", path);
}
