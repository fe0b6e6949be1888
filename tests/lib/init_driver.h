/* init_driver.h - drives a real corral-init as a manager would, for tests.
 *
 * driver_start listens in a fresh folder, starts the program and takes its first connection.
 * Started by root, init runs as uid 65534, so that what depends on being nobody special can be
 * seen. Every wait is for a frame or another event. A broken promise fails the cmocka test.
 */
#pragma once

#include "base/scope.h"
#include "init/line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { DRIVER_UID = 65534, DRIVER_OUTPUT_BYTES = 16 * 1024 * 1024 };

struct driver {
    char folder[32];
    struct sockaddr_un at;
    int listener;
    pid_t init;
    struct line line;
    struct frame frame; /* the newest, valid until the next wait */
    uint8_t token[FRAME_TOKEN_BYTES];
};

/* What became of one exec. */
struct outcome {
    struct bytes out[2];
    int64_t offset[2]; /* behind the newest byte seen */
    int64_t gaps[2];   /* bytes that offsets jumped over */
    bool failed;
    char stage[32];
    int64_t error;
    struct frame_exited end;
};

static inline void outcome_close(struct outcome *o)
{
    bytes_close(&o->out[0]);
    bytes_close(&o->out[1]);
}

static inline struct outcome outcome_open(void)
{
    return (struct outcome){
        .out = {bytes_open(DRIVER_OUTPUT_BYTES), bytes_open(DRIVER_OUTPUT_BYTES)}};
}

static inline void driver_flush(struct driver *d)
{
    struct err err;
    while (d->line.out.len) {
        struct pollfd fd = {d->line.fd, POLLOUT, 0};
        assert_true(poll(&fd, 1, -1) > 0);
        if (line_flush(&d->line, &err))
            fail_msg("%s", err.text);
    }
}

/* driver_say(&d, spawn, .id = 1, …) sends one frame. */
#define driver_say(d, kind, ...)                                                                   \
    do {                                                                                           \
        struct err say_err_;                                                                       \
        struct frame_##kind say_ = {__VA_ARGS__};                                                  \
        if (frame_put_##kind(&(d)->line.out, &say_, &say_err_))                                    \
            fail_msg("%s", say_err_.text);                                                         \
        driver_flush(d);                                                                           \
    } while (0)

/* Waits for the next frame; false when the connection ended instead. */
static inline bool driver_wait(struct driver *d)
{
    struct err err;
    for (;;) {
        if (line_next(&d->line, &d->frame, &err))
            fail_msg("%s", err.text);
        if (d->frame.kind != FRAME_NONE)
            return true;
        struct pollfd fd = {d->line.fd, POLLIN, 0};
        assert_true(poll(&fd, 1, -1) > 0);
        if (line_receive(&d->line, &err)) {
            assert_int_equal(err.code, ERR_UNAVAILABLE);
            return false;
        }
    }
}

/* Waits for the next frame, which must be of this kind. */
static inline void driver_expect(struct driver *d, enum frame_kind kind)
{
    assert_true(driver_wait(d));
    assert_string_equal(frame_name(d->frame.kind), frame_name(kind));
}

#define driver_read(d, kind, to)                                                                   \
    do {                                                                                           \
        struct err read_err_;                                                                      \
        if (frame_get_##kind(&(d)->frame, (to), &read_err_))                                       \
            fail_msg("%s", read_err_.text);                                                        \
    } while (0)

static inline void driver_listen(struct driver *d)
{
    unlink(d->at.sun_path);
    d->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(d->listener, (struct sockaddr *)&d->at, sizeof d->at), 0);
    assert_int_equal(chmod(d->at.sun_path, 0777), 0);
    assert_int_equal(listen(d->listener, 1), 0);
}

/* Takes a connection and reads its HELLO. */
static inline struct frame_hello driver_accept(struct driver *d)
{
    struct frame_hello hello;
    d->line = line_open(accept4(d->listener, NULL, NULL, SOCK_CLOEXEC));
    assert_true(d->line.fd >= 0);
    driver_expect(d, FRAME_HELLO);
    driver_read(d, hello, &hello);
    return hello;
}

/* Answers HELLO and reads EXECS: the number of STATE frames that come. */
static inline int64_t driver_welcome(struct driver *d, int64_t deadline_boot_ns)
{
    struct frame_execs execs;
    driver_say(d, welcome, .token = {d->token, sizeof d->token},
               .deadline_boot_ns = deadline_boot_ns);
    driver_expect(d, FRAME_EXECS);
    driver_read(d, execs, &execs);
    return execs.count;
}

static inline void driver_disconnect(struct driver *d)
{
    line_close(&d->line);
}

/* Kills init and removes the folder. What init's children started dies with its pipes or was ended
 * by the test. */
static inline void driver_stop(struct driver *d)
{
    line_close(&d->line);
    fd_close(&d->listener);
    if (d->init > 0) {
        kill(d->init, SIGKILL);
        waitpid(d->init, NULL, 0);
    }
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", d->folder);
    assert_int_equal(system(command), 0);
}

/* Starts init, which connects; nothing is said yet. namespaces: CLONE_NEW… for it, or 0; where they
 * are not to be had the test is skipped. */
static inline struct driver driver_launch_in(int namespaces)
{
    struct driver d = {.folder = "/tmp/corral-test-XXXXXX", .at = {.sun_family = AF_UNIX}};
    assert_non_null(mkdtemp(d.folder));
    snprintf(d.at.sun_path, sizeof d.at.sun_path, "%s/init", d.folder);
    memset(d.token, 0x5a, sizeof d.token);
    driver_listen(&d);
    SCOPED(fd_close) int program = open(BIN_DIR "/corral-init", O_RDONLY | O_CLOEXEC);
    assert_true(program >= 0);
    if (geteuid() == 0)
        assert_int_equal(chown(d.folder, DRIVER_UID, DRIVER_UID), 0);
    d.init = (pid_t)syscall(SYS_clone, namespaces | SIGCHLD, 0, 0, 0, 0);
    if (d.init < 0 && namespaces) {
        print_message("SKIPPED: no new namespaces (%s)\n", strerror(errno));
        driver_stop(&d);
        skip();
    }
    if (!d.init) {
        char *argv[] = {"corral-init", d.at.sun_path, NULL};
        if (geteuid() == 0 && (setgid(DRIVER_UID) || setuid(DRIVER_UID)))
            _exit(99);
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
        syscall(SYS_execveat, program, "", argv, environ, AT_EMPTY_PATH);
        _exit(98);
    }
    assert_true(d.init > 0);
    return d;
}

static inline struct driver driver_launch(void)
{
    return driver_launch_in(0);
}

static inline struct driver driver_start(void)
{
    struct driver d = driver_launch();
    driver_accept(&d);
    assert_int_equal(driver_welcome(&d, 0), 0);
    return d;
}

/* Sends SPAWN and takes the pidfd that SPAWNED brings. */
static inline int driver_spawn(struct driver *d, const struct frame_spawn *order)
{
    struct err err;
    if (frame_put_spawn(&d->line.out, order, &err))
        fail_msg("%s", err.text);
    driver_flush(d);
    driver_expect(d, FRAME_SPAWNED);
    assert_int_equal(d->frame.id, order->id);
    int pidfd = line_take_fd(&d->line);
    assert_true(pidfd >= 0);
    return pidfd;
}

/* Sends PREPARE and takes the pidfd that SPAWNED brings. */
static inline int driver_prepare(struct driver *d, uint32_t id)
{
    driver_say(d, prepare, .id = id);
    driver_expect(d, FRAME_SPAWNED);
    assert_int_equal(d->frame.id, id);
    int pidfd = line_take_fd(&d->line);
    assert_true(pidfd >= 0);
    return pidfd;
}

static inline void driver_on_output(struct driver *d, struct outcome *o)
{
    struct err err;
    struct frame_output m;
    driver_read(d, output, &m);
    int i = (int)m.stream - 1;
    assert_true(m.offset >= o->offset[i]);
    o->gaps[i] += m.offset - o->offset[i];
    o->offset[i] = m.offset + (int64_t)m.data.len;
    assert_int_equal(bytes_add(&o->out[i], m.data.data, m.data.len, &err), 0);
    driver_say(d, credit, .id = m.id, .stream = m.stream, .bytes = (int64_t)m.data.len, .from = -1);
}

static inline bool outcome_is_whole(const struct outcome *o)
{
    return o->failed || (o->end.id && o->offset[0] == o->end.stdout_bytes &&
                         o->offset[1] == o->end.stderr_bytes);
}

/* Reads frames of exec `id` until its end and the last byte of its output, answering output with as
 * much credit. */
static inline void driver_finish(struct driver *d, uint32_t id, struct outcome *o)
{
    while (!outcome_is_whole(o)) {
        assert_true(driver_wait(d));
        assert_int_equal(d->frame.id, id);
        if (d->frame.kind == FRAME_OUTPUT) {
            driver_on_output(d, o);
        } else if (d->frame.kind == FRAME_EXITED) {
            driver_read(d, exited, &o->end);
        } else if (d->frame.kind == FRAME_FAILED) {
            struct frame_failed m;
            driver_read(d, failed, &m);
            snprintf(o->stage, sizeof o->stage, "%.*s", (int)m.stage.len, m.stage.data);
            o->failed = true;
            o->error = m.error;
        } else {
            assert_int_equal(d->frame.kind, FRAME_TAKEN);
        }
    }
}

#define TEXTS_OF(literal) ((struct view){(const uint8_t *)(literal), sizeof(literal)})
#define BLOB_OF(literal) ((struct view){(const uint8_t *)(literal), sizeof(literal) - 1})

/* An order that runs argv ("a\0b": TEXTS_OF adds the last NUL) with little ado. */
static inline struct frame_spawn driver_order(uint32_t id, struct view argv)
{
    return (struct frame_spawn){.id = id,
                                .argv = argv,
                                .env = TEXTS_OF("PATH=/usr/bin:/bin"),
                                .cwd = view_of("/"),
                                .script_arg = -1,
                                .window_bytes = 64 * 1024};
}

/* Runs an order from SPAWN to its end and forgets it. */
static inline struct outcome driver_run(struct driver *d, const struct frame_spawn *order)
{
    struct outcome o = outcome_open();
    SCOPED(fd_close) int pidfd = driver_spawn(d, order);
    driver_say(d, open_gate, .id = order->id);
    driver_finish(d, order->id, &o);
    driver_say(d, forget, .id = order->id);
    return o;
}

/* Two rounds of the loop: whatever init could do before now, it has done. */
static inline void driver_settle(struct driver *d)
{
    for (int i = 0; i < 2; i++) {
        driver_say(d, ping, .nonce = i);
        driver_expect(d, FRAME_PONG);
    }
}

/* The process that a pidfd stands for. */
static inline pid_t driver_pid_of(int pidfd)
{
    char path[64], line[128];
    int pid = 0;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        sscanf(line, "Pid: %d", &pid);
    fclose(file);
    return pid;
}

/* Waits until the process is dead, reaped or not. */
static inline void driver_wait_death(int pidfd)
{
    struct pollfd fd = {pidfd, POLLIN, 0};
    assert_int_equal(poll(&fd, 1, -1), 1);
}

/* A line of /proc/<pid>/<file> that begins with `key`, without it; "" when there is none. */
static inline void driver_proc(char to[256], pid_t pid, const char *name, const char *key)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    to[0] = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, key, strlen(key)))
            snprintf(to, 256, "%s", line + strlen(key) + strspn(line + strlen(key), " \t"));
    }
    fclose(file);
}
