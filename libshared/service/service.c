/* service.c - the life of a service: start in order, run the loop, end in reverse; see service.h.
 *
 * Order of start: options, configuration, own uid, state directory and its lock, registry, sockets,
 * projection, journal, the service's own state, ready. What fails before "ready" ends the process
 * with code 2 when a person has to change something (configuration, files), otherwise 1: the
 * supervisor tries again.
 */
#include "service/service.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/text.h"
#include "net/registry_file.h"
#include "service/dispatch.h"
#include "service/options.h"
#include "service/service_net.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORKER_QUEUE = 1024 };

/* What the process holds beside struct service, for the time of service_main. */
struct life {
    struct service service;
    struct service_options options;
    int own_dir; /* DIR/<service>, locked */
    int signals, changes;
    struct service_map map;
};

void service_fail(const char *event, const struct err *err)
{
    log_error("%s error=\"%s\" - ending; the restart decides", event, err->text);
    _exit(1);
}

/* A service that grows past its limit fails an allocation and is restarted, instead of taking the
 * host with it. Sanitizers map terabytes for themselves and go without. */
static int limit_memory(const struct config *config, struct err *err)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    rlim_t bytes = (rlim_t)config->service.memory_limit_mb << 20;
    if (setrlimit(RLIMIT_DATA, &(struct rlimit){bytes, bytes}))
        return err_sys(err, "limiting memory");
#else
    (void)config;
#endif
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files))
        return err_sys(err, "reading the limit of open files");
    files.rlim_cur = files.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &files) ? err_sys(err, "raising the limit of open files") : 0;
}

static int drop_to(const struct service_options *o, struct err *err)
{
    gid_t gid = (gid_t)o->gid;
    if (o->uid < 0 || geteuid())
        return 0;
    if (setgroups(1, &gid) || setresgid(gid, gid, gid) ||
        setresuid((uid_t)o->uid, (uid_t)o->uid, (uid_t)o->uid))
        return err_sys(err, "dropping to uid %lld", (long long)o->uid);
    return 0;
}

int service_unusable(struct err *err)
{
    struct err cause = *err;
    if (cause.code == ERR_NOT_FOUND)
        return err_set(err, ERR_CONFIG, "%.210s; corral up makes what is missing", cause.text);
    return cause.code == ERR_IO ? -1 : err_config(err);
}

/* Opens and locks DIR/<service>: one instance at a time. */
static int enter_state(struct life *life, struct err *err)
{
    struct service *s = &life->service;
    if ((size_t)snprintf(s->own_path, sizeof s->own_path, "%s/%s", s->state_path, s->table->name) >=
        sizeof s->own_path)
        return err_set(err, ERR_CONFIG, "--state %.60s… is too long", s->state_path);
    if (dir_open_private(s->own_path, &life->own_dir, err)) {
        err_add(err, "state directory");
        return service_unusable(err);
    }
    if (file_check_unshared(AT_FDCWD, s->run_path, err)) {
        err_add(err, "run directory");
        return service_unusable(err);
    }
    if (!flock(life->own_dir, LOCK_EX | LOCK_NB))
        return 0;
    if (errno == EWOULDBLOCK)
        return err_set(err, ERR_CONFIG, "%s is in use by another corral-%s", s->own_path,
                       s->table->name);
    return err_sys(err, "locking %s", s->own_path);
}

static int load_registry(struct service *s, struct registry **registry, struct err *err)
{
    char path[512];
    snprintf(path, sizeof path, "%s/public/registry.json", s->state_path);
    return registry_load(AT_FDCWD, path, clock_wall_ns() / S_NS, registry, err)
               ? service_unusable(err)
               : 0;
}

static void refuse_registry(struct service *s, const char *why)
{
    struct event event = {.kind = "registry_refused", .phase = "event", .status = "denied"};
    text_copy(event.detail, sizeof event.detail, why);
    log_error("registry.refused error=\"%s\"", why);
    service_event(s, &event, false);
}

/* All or nothing: a file that cannot be used leaves the registry in force. An older generation is
 * refused. */
static void reload_registry(struct service *s)
{
    struct err err;
    SCOPED(registry_release) struct registry *fresh = NULL, *old = registry_hold(s->registry);
    if (load_registry(s, &fresh, &err)) {
        refuse_registry(s, err.text);
        return;
    }
    long long was = registry_generation(old), is = registry_generation(fresh);
    if (is == was)
        return;
    if (is < was) {
        err_set(&err, ERR_CONFIG, "registry: generation %lld is older than %lld", is, was);
        refuse_registry(s, err.text);
        return;
    }
    registry_swap(s->registry, TAKE(fresh));
    service_net_check(s);
    log_info("registry.loaded generation=%lld", is);
    if (s->table->registry_changed)
        s->table->registry_changed(s->state);
}

static void on_change(void *context)
{
    struct life *life = context;
    char events[4096];
    while (read(life->changes, events, sizeof events) > 0)
        ;
    reload_registry(&life->service);
}

static sigset_t handled_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

static void on_signal(void *context)
{
    struct life *life = context;
    struct signalfd_siginfo info;
    while (read(life->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            reload_registry(&life->service);
            if (life->service.table->reload)
                life->service.table->reload(life->service.state);
        } else {
            log_info("service.stopping signal=%s", strsignal((int)info.ssi_signo));
            loop_stop(life->service.loop);
        }
    }
}

/* Signals and changes of the registry come through the loop. Blocked before any thread starts, so
 * in all of them. */
static int watch(struct life *life, struct err *err)
{
    char path[512];
    sigset_t set = handled_signals();
    life->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (life->signals < 0)
        return err_sys(err, "signalfd");
    life->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    snprintf(path, sizeof path, "%s/public", life->service.state_path);
    if (life->changes < 0 ||
        inotify_add_watch(life->changes, path, IN_MOVED_TO | IN_CLOSE_WRITE) < 0)
        return err_sys(err, "watching %s", path);
    return loop_watch_fd(life->service.loop, life->signals, on_signal, life, err) ||
                   loop_watch_fd(life->service.loop, life->changes, on_change, life, err)
               ? -1
               : 0;
}

static void journal_failed_now(void *context, const struct err *err)
{
    (void)context;
    service_fail("journal.failed", err);
}

static void projection_failed_now(void *context, const struct err *err)
{
    (void)context;
    service_fail("projection.failed", err);
}

static void on_record(void *context, const struct journal_record *record)
{
    struct service *s = context;
    struct event event;
    struct err err;
    if (record->type != RECORD_EVENT)
        return;
    if (schema_decode(&message_event, record->payload, SCHEMA_LENIENT, &event, &err))
        service_fail("journal.unreadable", &err); /* this process wrote it */
    service_net_publish(s, &event, record->payload);
}

static void on_durable(void *context, uint64_t seq)
{
    struct service *s = context;
    dispatch_durable(s->dispatch, seq);
    if (s->table->durable && s->state)
        s->table->durable(s->state, seq);
    if (s->projection)
        projection_follow(s->projection, s->outbox, s->workers, seq, projection_failed_now, s);
}

static int open_record(struct life *life, struct err *err)
{
    struct service *s = &life->service;
    char name[32];
    struct journal_found found;
    struct outbox_options o = {.loop = s->loop,
                               .dirfd = life->own_dir,
                               .source = s->source,
                               .bound_bytes = s->config.service.journal_mb << 20,
                               .degraded_ms = s->config.service.degraded_ms,
                               .live = service_net_live(s),
                               .truth = service_net_truth(s),
                               .record = on_record,
                               .durable = on_durable,
                               .failed = journal_failed_now,
                               .context = s};
    if (s->table->projection) {
        snprintf(name, sizeof name, "%s.db", s->table->name);
        if (projection_open(s->own_path, name, s->table->projection, &s->projection, err))
            return -1;
        o.known_epoch = projection_epoch(s->projection);
        o.known_seq = projection_applied(s->projection);
    }
    if (outbox_new(&o, &s->outbox, &found, err))
        return -1;
    if (s->projection && projection_catch_up(s->projection, s->outbox, err))
        return -1;
    if (!s->projection)
        outbox_applied(s->outbox, UINT64_MAX);
    struct event event = {.kind = "service_started", .phase = "event", .status = "success"};
    snprintf(event.detail, sizeof event.detail, "version %s%s%s", CORRAL_VERSION,
             found.fresh ? "; a new journal: what an earlier one held is in the audit only" : "",
             found.torn_bytes ? "; a torn tail was cut" : "");
    service_event(s, &event, false);
    return 0;
}

static int open_parts(struct life *life, struct err *err)
{
    struct service *s = &life->service;
    struct registry *registry = NULL;
    if (enter_state(life, err) || service_map_load(s->state_path, s->table->name, &life->map, err))
        return -1;
    snprintf(s->source, sizeof s->source, "%s@%s", s->table->name, life->map.services.instance);
    text_copy(s->instance, sizeof s->instance, life->map.services.instance);
    text_copy(s->verdict_key, sizeof s->verdict_key, life->map.services.verdict_key);
    if (load_registry(s, &registry, err))
        return -1;
    if (registry_slot_new(registry, &s->registry, err)) {
        registry_release(&registry);
        return -1;
    }
    if (loop_new(&s->loop, err) || watch(life, err) ||
        workers_new(s->loop, (size_t)s->config.manager.workers, WORKER_QUEUE, &s->workers, err) ||
        dispatch_new(s, &s->dispatch, err) || service_net_open(s, &life->map, err))
        return -1;
    if (!s->table->is_audit && open_record(life, err))
        return -1;
    return s->table->open(s, &s->state, err);
}

static void close_parts(struct life *life)
{
    struct service *s = &life->service;
    workers_free(&s->workers); /* their `done` may touch everything else */
    dispatch_free(&s->dispatch);
    if (s->state)
        s->table->close(s->state);
    projection_free(&s->projection); /* it reads the outbox's journal */
    outbox_free(&s->outbox);
    service_net_close(s);
    loop_free(&s->loop);
    registry_slot_free(&s->registry);
    service_map_close(&life->map);
    fd_close(&life->signals);
    fd_close(&life->changes);
    fd_close(&life->own_dir);
}

static int prepare(struct life *life, struct err *err)
{
    struct service *s = &life->service;
    const struct service_options *o = &life->options;
    if (o->config ? config_load(o->config, &s->config, err) : (config_defaults(&s->config), 0))
        return err_config(err);
    if (!text_copy(s->state_path, sizeof s->state_path - 16, o->state) ||
        !text_copy(s->run_path, sizeof s->run_path, o->run) ||
        !text_copy(s->config_path, sizeof s->config_path, o->config ? o->config : ""))
        return err_set(err, ERR_CONFIG, "--state, --run or --config is too long");
    if (gethostname(s->host, sizeof s->host - 1))
        return err_sys(err, "gethostname");
    sigset_t set = handled_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* before any thread starts, so in all of them */
    signal(SIGPIPE, SIG_IGN);
    umask(077);
    prctl(PR_SET_DUMPABLE, 0);
    if (sodium_init() < 0)
        return err_set(err, ERR_UNSUPPORTED, "libsodium cannot start");
    return limit_memory(&s->config, err) || drop_to(o, err) ? -1 : 0;
}

static void say_ready(const struct life *life)
{
    const struct service *s = &life->service;
    log_info("service.ready name=%s pid=%d source=%s", s->table->name, (int)getpid(), s->source);
    fault_begin();
    if (life->options.ready_fd < 0)
        return;
    ssize_t n = write(life->options.ready_fd, "ready\n", 6);
    close(life->options.ready_fd);
    if (n != 6)
        log_warn("service.ready nobody waits");
}

int service_main(int argc, char **argv, const struct service_table *table)
{
    struct err err;
    int code = 0;
    struct life *life = mem_new(1, sizeof *life);
    if (!life)
        return 1;
    *life = (struct life){.service.table = table, .own_dir = -1, .signals = -1, .changes = -1};
    life->service.started_boot_ms = clock_boot_ms();
    if (options_read(argc, argv, table, &life->options, &code)) {
        free(life);
        return code;
    }
    if (prepare(life, &err) || open_parts(life, &err)) {
        log_error("service.failed name=%s error=\"%s\"", table->name, err.text);
        code = err_exit_code(err.code) == 2 ? 2 : 1;
    } else {
        say_ready(life);
        loop_run(life->service.loop);
        log_info("service.stopped name=%s", table->name);
    }
    close_parts(life);
    free(life);
    return code;
}

void service_event(struct service *s, struct event *event, bool urgent)
{
    struct err err;
    uint64_t seq;
    if (s->table->is_audit)
        s->table->own_event(s->state, event);
    else if (outbox_append(s->outbox, event, urgent, &seq, &err))
        log_error("event.lost kind=%s error=\"%s\"", event->kind, err.text);
}
