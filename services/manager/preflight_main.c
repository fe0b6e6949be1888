/* preflight_main.c - see preflight_main.h. */
#include "manager/preflight_main.h"

#include "base/file.h"
#include "base/scope.h"
#include "data/json.h"
#include "manager/manager.h"
#include "manager/preflight.h"
#include "schema/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPORT_BYTES = 64 * 1024, EXIT_NONE = 3 };

static int print(const struct preflight *p, bool as_json, struct err *err)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(REPORT_BYTES);
    SCOPED(bytes_close) struct bytes packed = bytes_open(REPORT_BYTES);
    if (as_json ? preflight_pack(p, &packed, err) ||
                      json_from_pack(bytes_view(&packed), 2, &text, err) ||
                      bytes_add(&text, "\n", 1, err)
                : preflight_show(p, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"), &text, err))
        return -1;
    fwrite(text.data, 1, text.len, stdout);
    return 0;
}

static int run(bool as_json, struct preflight *p, struct err *err)
{
    char init[256], directory[] = "/tmp/corral-probe-XXXXXX";
    struct config config;
    struct err ignored;
    config_defaults(&config);
    if (manager_init_path(init, err))
        return -1;
    if (!mkdtemp(directory))
        return err_sys(err, "mkdtemp %s", directory);
    struct preflight_options options = {
        .run_dir = directory,
        .init_path = init,
        .host_uid = geteuid() ? -1 : config.manager.uid_first + config.manager.uid_count - 1};
    int failed = preflight_run(&options, p, err) || print(p, as_json, err);
    dir_remove(AT_FDCWD, directory, &ignored);
    return failed ? -1 : 0;
}

bool preflight_option(int argc, char **argv, int *exit_code)
{
    bool as_json = argc == 2 && !strcmp(argv[1], "--json");
    if (strcmp(argv[0], "--preflight"))
        return false;
    if (argc > 1 && !as_json) {
        fprintf(stderr, "corral-manager: --preflight takes --json or nothing\n");
        *exit_code = 2;
        return true;
    }
    struct err err;
    struct preflight p;
    *exit_code = 1;
    if (run(as_json, &p, &err))
        fprintf(stderr, "corral-manager: preflight: %s\n", err.text);
    else
        *exit_code = p.level == PREFLIGHT_NONE ? EXIT_NONE : 0;
    return true;
}
