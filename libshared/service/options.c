/* options.c - the command line of a service; see options.h. */
#include "service/options.h"

#include "base/log.h"
#include "base/scope.h"
#include "base/text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_STATE = 256,
    OPTION_RUN,
    OPTION_CONFIG,
    OPTION_READY,
    OPTION_UID,
    OPTION_GID,
    OPTION_LEVEL,
    OPTION_CHECK,
    OPTION_DESCRIBE,
    OPTION_VERSION,
    OPTION_HELP
};

static const struct option known[] = {
    {"state", required_argument, NULL, OPTION_STATE},
    {"run", required_argument, NULL, OPTION_RUN},
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"ready-fd", required_argument, NULL, OPTION_READY},
    {"uid", required_argument, NULL, OPTION_UID},
    {"gid", required_argument, NULL, OPTION_GID},
    {"log-level", required_argument, NULL, OPTION_LEVEL},
    {"check-config", required_argument, NULL, OPTION_CHECK},
    {"describe", no_argument, NULL, OPTION_DESCRIBE},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static void help(const struct service_table *t)
{
    printf("corral-%s - %s\n\n"
           "Started by `corral up`; by hand:\n"
           "  corral-%s --state DIR --run DIR [--config FILE] [--ready-fd N] [--uid N --gid N]\n"
           "      [--log-level error|warn|info|debug]\n\n"
           "  --state DIR          what `corral up` made: keys, registry, journal\n"
           "  --run DIR            a short private directory for sockets\n"
           "  --config FILE        corral.toml; embedded defaults otherwise\n"
           "  --ready-fd N         a descriptor that gets \"ready\\n\" once clients are served\n"
           "  --uid N --gid N      drop to these, when started as root\n\n"
           "  --check-config FILE  check a configuration file and exit: 0 good, 2 wrong\n"
           "  --describe           print this service's part of the protocol reference\n"
           "%s"
           "  --version            print the version\n",
           t->name, t->doc, t->name, t->option_help ? t->option_help : "");
}

static int print_reference(const struct service_table *t)
{
    struct err err;
    SCOPED(bytes_close) struct bytes text = bytes_open(1 << 20);
    if (service_describe(t, &text, &err)) {
        fprintf(stderr, "corral-%s: %s\n", t->name, err.text);
        return 1;
    }
    fwrite(text.data, 1, text.len, stdout);
    return 0;
}

static int check_config(const char *path)
{
    struct err err;
    struct config config;
    if (!config_load(path, &config, &err)) {
        printf("%s: good\n", path);
        return 0;
    }
    struct err ignored;
    SCOPED(bytes_close) struct bytes shown = bytes_open(2048);
    text_show(&shown, err.text, strlen(err.text), &ignored); /* it may quote the file */
    fprintf(stderr, "%s\n", shown.len ? (const char *)shown.data : "no memory");
    return 2;
}

static int wrong(const struct service_table *t, const char *what, const char *value, int *exit_code)
{
    fprintf(stderr, "corral-%s: %s %s; see corral-%s --help\n", t->name, what, value, t->name);
    *exit_code = 2;
    return -1;
}

/* A whole number from 0 on; -1 otherwise. */
static int64_t number(const char *text)
{
    char *end;
    long long n = strtoll(text, &end, 10);
    return *text && !*end && n >= 0 && n <= INT32_MAX ? n : -1;
}

static int set_level(const struct service_table *t, const char *name, int *exit_code)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcmp(names[i], name)) {
            log_set_level((enum log_level)i);
            return 0;
        }
    return wrong(t, "--log-level is error, warn, info or debug, not", name, exit_code);
}

/* Options that are questions of their own: answered here. */
static int answer(int option, const struct service_table *t, int *exit_code)
{
    *exit_code = 0;
    if (option == OPTION_HELP)
        help(t);
    else if (option == OPTION_VERSION)
        printf("corral-%s %s\n", t->name, CORRAL_VERSION);
    else if (option == OPTION_DESCRIBE)
        *exit_code = print_reference(t);
    else
        *exit_code = check_config(optarg);
    return -1;
}

static int take(int option, const struct service_table *t, struct service_options *o,
                int *exit_code)
{
    int64_t n;
    switch (option) {
    case OPTION_STATE:
        o->state = optarg;
        return 0;
    case OPTION_RUN:
        o->run = optarg;
        return 0;
    case OPTION_CONFIG:
        o->config = optarg;
        return 0;
    case OPTION_LEVEL:
        return set_level(t, optarg, exit_code);
    case OPTION_READY:
    case OPTION_UID:
    case OPTION_GID:
        n = number(optarg);
        if (n < 0)
            return wrong(t, "a whole number is needed, not", optarg, exit_code);
        if (option == OPTION_READY)
            o->ready_fd = (int)n;
        else if (option == OPTION_UID)
            o->uid = n;
        else
            o->gid = n;
        return 0;
    default:
        return answer(option, t, exit_code);
    }
}

int options_read(int argc, char **argv, const struct service_table *t,
                 struct service_options *options, int *exit_code)
{
    struct service_options o = {.ready_fd = -1, .uid = -1, .gid = -1};
    if (argc > 1 && t->option && t->option(argc - 1, argv + 1, exit_code))
        return -1;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (option == '?')
            return wrong(t, "unknown or incomplete option", argv[optind - 1], exit_code);
        if (take(option, t, &o, exit_code))
            return -1;
    }
    if (optind < argc)
        return wrong(t, "unexpected argument", argv[optind], exit_code);
    if (!o.state || !o.run)
        return wrong(t, "needs", o.state ? "--run DIR" : "--state DIR", exit_code);
    if ((o.uid < 0) != (o.gid < 0))
        return wrong(t, "--uid and --gid go", "together", exit_code);
    *options = o;
    return 0;
}
