/* corral up: everything of one host, from the preflight to the supervisor's end. */
#include "base/scope.h"
#include "cli/cli.h"
#include "cli/host.h"
#include "cli/print.h"
#include "cli/setup.h"
#include "cli/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What `up` was told and found. */
struct up {
    struct cli *cli;
    bool detach;
    struct config config;
    char programs[PATH_MAX], config_path[PATH_MAX];
    struct place place;
    char allow[160]; /* the option that a sandbox needs here; "" when all limits hold */
    int parent;      /* detached: where the exit code of the starting process goes; -1: none */
};

static int read_config(struct up *up, const char *path, struct err *err)
{
    config_defaults(&up->config);
    if (!path)
        return 0;
    if (!realpath(path, up->config_path))
        return err_set(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
    return config_load(up->config_path, &up->config, err);
}

/* Where systemd has to be asked for control groups, `up` starts again as it was started. */
static int own_cgroups(const struct up *up, struct err *err)
{
    const char *words[8] = {"up"};
    size_t count = 1;
    if (up->detach)
        words[count++] = "--detach";
    if (up->cli->quiet)
        words[count++] = "--quiet";
    if (up->cli->state_path) {
        words[count++] = "--state";
        words[count++] = up->cli->state_path;
    }
    if (up->config_path[0]) {
        words[count++] = "--config";
        words[count++] = up->config_path;
    }
    return host_delegate(words, count, err);
}

static void note_unenforced(struct up *up, const struct host_report *report)
{
    size_t len = (size_t)snprintf(up->allow, sizeof up->allow, " --allow-unenforced ");
    for (const char *at = report->unenforced; *at && len < sizeof up->allow - 1; at++)
        if (*at != ' ')
            up->allow[len++] = *at;
    up->allow[len] = 0;
    print_note("Partial: isolation holds on this host, but these limits do not: %s. A sandbox "
               "needs --allow-unenforced for them; corral doctor says what would help.",
               report->unenforced);
}

static int check_host(struct up *up, struct err *err)
{
    struct host_report report;
    if (host_look(up->programs, &report, err))
        return -1;
    if (report.level == HOST_NONE) {
        for (char *rest = report.remedies, *line = strsep(&rest, "\n"); line;
             line = strsep(&rest, "\n"))
            print_note("%s", line);
        return err_set(
            err, ERR_UNSUPPORTED,
            "no sandbox can be isolated on this host; corral doctor shows what was tried");
    }
    if (report.level == HOST_PARTIAL)
        note_unenforced(up, &report);
    return 0;
}

static void print_summary(const struct up *up)
{
    char endpoint[256], option[PLACE_STATE_BYTES + 16] = "";
    const struct cli *cli = up->cli;
    if (cli->quiet)
        return;
    if (cli->state_path)
        snprintf(option, sizeof option, " --state %s", up->place.state);
    place_endpoint(&up->place, PART_MANAGER, "requests", endpoint);
    printf("%sCorral is up.%s\n  state       %s\n  manager     %s\n",
           screen_colour(&cli->screen, GREEN), screen_plain(&cli->screen), up->place.state,
           endpoint);
    if (up->config.manager.listen[0])
        printf("  for agents  %s\n", up->config.manager.listen);
    printf("  your key    %s/admin.json\n\nnext:\n"
           "  corral approve-agent bot%s\n"
           "  corral run%s --agent bot%s -- echo hello\n"
           "  corral status%s      corral down%s\n",
           up->place.state, option, option, up->allow, option, option);
}

/* Tells the waiting first process how the start went, and lets go of its terminal. */
static int leave_terminal(struct up *up, struct err *err)
{
    SCOPED(fd_close) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    fflush(stdout);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        dup2(null, STDERR_FILENO) < 0)
        return err_sys(err, "leaving the terminal");
    char code = 0;
    if (write(up->parent, &code, 1) != 1)
        return err_sys(err, "telling the first process");
    fd_close(&up->parent);
    return 0;
}

static int on_ready(void *context, struct err *err)
{
    struct up *up = context;
    print_summary(up);
    fflush(stdout);
    return up->detach ? leave_terminal(up, err) : 0;
}

/* Takes the lock, makes what is missing, supervises. */
static int serve(struct up *up, struct err *err)
{
    SCOPED(fd_close) int lock_fd = -1;
    struct uplock before, own = {.supervisor = process_of(getpid())};
    if (place_make(up->cli->state_path, &up->config, &up->place, err) ||
        uplock_take(up->place.state, &lock_fd, &before, err))
        return -1;
    int leftovers = uplock_end_leftovers(&before);
    if (leftovers)
        print_note("Ended %d services that an earlier corral up left behind.", leftovers);
    if (uplock_write(lock_fd, &own, err))
        return -1;
    if (setup_make(&up->place, &up->config, err))
        return err_add(err, "preparing %s", up->place.state);
    struct supervise options = {
        .child = {.place = &up->place,
                  .bin = up->programs,
                  .config_path = up->config_path[0] ? up->config_path : NULL,
                  .to_files = up->detach},
        .lock_fd = lock_fd,
        .ready = on_ready,
        .context = up,
    };
    int code = supervise(&options, err);
    struct err untidy;
    if (place_clear_run(&up->place, &untidy))
        print_note("corral up: %s", untidy.text);
    return code;
}

/* The first process: waits for the exit code of the start. */
static int wait_for_start(int from, pid_t pid)
{
    unsigned char code;
    ssize_t n;
    do
        n = read(from, &code, 1);
    while (n < 0 && errno == EINTR);
    if (n == 1)
        return code;
    waitpid(pid, NULL, 0);
    return err_exit_code(ERR_STATE);
}

/* Serves in a process of its own, without this terminal, once everything is ready. */
static int serve_detached(struct up *up, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return err_sys(err, "making a pipe");
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return err_sys(err, "fork");
    if (pid) {
        close(ends[1]);
        SCOPED(fd_close) int from = ends[0];
        return wait_for_start(from, pid);
    }
    close(ends[0]);
    setsid();
    up->parent = ends[1];
    int code = serve(up, err);
    if (code < 0)
        print_failure(up->cli, err);
    unsigned char exit_code = (unsigned char)(code < 0 ? err_exit_code(err->code) : code);
    if (up->parent >= 0 && write(up->parent, &exit_code, 1) != 1)
        _exit(err_exit_code(ERR_IO));
    _exit(exit_code);
}

int cmd_up(struct cli *cli, int argc, char **argv, struct err *err)
{
    struct up up = {.cli = cli, .parent = -1};
    const char *config_path = NULL;
    const struct option options[] = {
        {"detach", 'd', NULL, option_flag, &up.detach,
         "Return when all services are ready; their logs go to DIR/<service>.log."},
        {"config", 0, "FILE", option_text, &config_path,
         "corral.toml; corral config prints one with every key."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    umask(022);
    if (read_config(&up, config_path, err) || host_programs(up.programs, err) ||
        own_cgroups(&up, err) || check_host(&up, err))
        return -1;
    return up.detach ? serve_detached(&up, err) : serve(&up, err);
}
