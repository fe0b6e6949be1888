/* talk.c - what init hears from the manager and says to it; see init.h and frame.def. */
#include "init/init.h"
#include "init/look.h"

#include "base/clock.h"
#include "base/scope.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/timerfd.h>

enum { SPEAK_BYTES = 128 * 1024 /* output is added while less than this waits to be sent */ };

static struct exec *exec_with(struct init *init, uint32_t id)
{
    for (size_t i = 0; i < COUNT(init->execs); i++)
        if (init->execs[i] && init->execs[i]->id == id)
            return init->execs[i];
    return NULL;
}

int talk_hello(struct init *init, struct err *err)
{
    struct frame_hello m = {.version = FRAME_VERSION, .started_boot_ns = init->started_boot_ns};
    if (init->has_token)
        m.token = (struct view){init->token, sizeof init->token};
    init->is_welcome = false;
    return frame_put_hello(&init->line.out, &m, err);
}

static int set_deadline(struct init *init, int64_t boot_ns, struct err *err)
{
    struct itimerspec at = {.it_value = {boot_ns / S_NS, boot_ns % S_NS}};
    if (timerfd_settime(init->deadline, TFD_TIMER_ABSTIME, &at, NULL))
        return err_sys(err, "setting the deadline");
    return 0;
}

static int on_welcome(struct init *init, const struct frame *frame, struct err *err)
{
    struct frame_welcome m;
    if (frame_get_welcome(frame, &m, err))
        return -1;
    if (init->is_welcome)
        return err_set(err, ERR_PEER, "a second WELCOME");
    if (init->has_token && memcmp(init->token, m.token.data, sizeof init->token))
        return err_set(err, ERR_PEER, "WELCOME has another token than HELLO");
    if (set_deadline(init, m.deadline_boot_ns, err))
        return -1;
    memcpy(init->token, m.token.data, sizeof init->token);
    init->has_token = init->is_welcome = true;

    struct frame_execs head = {.newest = init->newest};
    for (size_t i = 0; i < COUNT(init->execs); i++)
        head.count += init->execs[i] && init->execs[i]->id;
    if (frame_put_execs(&init->line.out, &head, err))
        return -1;
    for (size_t i = 0; i < COUNT(init->execs); i++)
        if (init->execs[i] && init->execs[i]->id && exec_resume(init->execs[i], &init->line, err))
            return -1;
    return 0;
}

static int check_spawn(struct init *init, const struct frame_spawn *m, struct err *err)
{
    struct exec *exec = exec_with(init, m->id);
    if (exec && exec->ordered)
        return err_set(err, ERR_PEER, "exec %u has its order", m->id);
    if (!m->script.data != (m->script_arg < 0))
        return err_set(err, ERR_PEER, "spawn: script and script_arg come together");
    if (m->script_arg >= (int64_t)frame_texts(m->argv))
        return err_set(err, ERR_PEER, "spawn.script_arg: behind argv");
    return 0;
}

/* Makes a child and says what came of it: SPAWNED, or FAILED and *made is NULL. */
static int prepare(struct init *init, uint32_t id, struct exec **made, struct err *err)
{
    struct failure failure = {"limit", EAGAIN};
    *made = NULL;
    if (id > init->newest)
        init->newest = id;
    for (size_t i = 0; i < COUNT(init->execs); i++) {
        if (init->execs[i])
            continue;
        if (exec_new(id, &init->execs[i], &failure))
            break;
        *made = init->execs[i];
        return exec_announce(*made, &init->line, err);
    }
    struct frame_failed said = {.id = id, .stage = view_of(failure.stage), .error = failure.error};
    return frame_put_failed(&init->line.out, &said, err);
}

static int on_prepare(struct init *init, const struct frame *frame, struct err *err)
{
    struct exec *exec;
    if (exec_with(init, frame->id))
        return err_set(err, ERR_PEER, "exec %u exists", frame->id);
    return prepare(init, frame->id, &exec, err);
}

static int on_spawn(struct init *init, const struct frame *frame, struct err *err)
{
    struct frame_spawn m;
    if (frame_get_spawn(frame, &m, err) || check_spawn(init, &m, err))
        return -1;
    struct exec *exec = exec_with(init, m.id);
    if (!exec && prepare(init, m.id, &exec, err))
        return -1;
    if (exec)
        exec_order(exec, &m);
    return 0;
}

static int on_credit(struct exec *exec, const struct frame *frame, struct err *err)
{
    struct frame_credit m;
    if (frame_get_credit(frame, &m, err))
        return -1;
    return exec ? stream_credit(&exec->out[m.stream - 1], m.bytes, m.from, err) : 0;
}

static int on_stdin(struct exec *exec, const struct frame *frame, struct err *err)
{
    struct frame_stdin m;
    if (frame_get_stdin(frame, &m, err))
        return -1;
    return exec ? exec_add_input(exec, &m, err) : 0;
}

static int on_signal(struct exec *exec, const struct frame *frame, struct err *err)
{
    struct frame_signal m;
    if (frame_get_signal(frame, &m, err))
        return -1;
    if (exec)
        exec_signal(exec, (int)m.signo);
    else if (!m.id && getpid() == 1) /* elsewhere -1 would mean the whole machine */
        kill(-1, (int)m.signo);
    return 0;
}

static int on_ping(struct init *init, const struct frame *frame, struct err *err)
{
    struct frame_ping m;
    if (frame_get_ping(frame, &m, err))
        return -1;
    return frame_put_pong(&init->line.out, &(struct frame_pong){.nonce = m.nonce}, err);
}

static int on_look(struct init *init, const struct frame *frame, struct err *err)
{
    struct frame_look m;
    return frame_get_look(frame, &m, err) || look_answer(&m, &init->line.out, err) ? -1 : 0;
}

static int on_check(struct exec *exec, const struct frame *frame, struct err *err)
{
    struct frame_check m;
    if (frame_get_check(frame, &m, err))
        return -1;
    return exec ? exec_check(exec, &m, err) : 0;
}

static int on_deadline(struct init *init, const struct frame *frame, struct err *err)
{
    struct frame_deadline m;
    if (frame_get_deadline(frame, &m, err))
        return -1;
    return set_deadline(init, m.deadline_boot_ns, err);
}

bool init_sweep(struct init *init)
{
    bool any = false;
    for (size_t i = 0; i < COUNT(init->execs); i++) {
        struct exec *exec = init->execs[i];
        if (exec && exec->dead && !exec->id)
            exec_free(&init->execs[i]);
        any |= init->execs[i] != NULL;
    }
    return any;
}

static int on_frame(struct init *init, const struct frame *frame, struct err *err)
{
    struct exec *exec = frame->id ? exec_with(init, frame->id) : NULL;
    if (!init->is_welcome && frame->kind != FRAME_WELCOME)
        return err_set(err, ERR_PEER, "%s before WELCOME", frame_name(frame->kind));
    switch (frame->kind) {
    case FRAME_WELCOME:
        return on_welcome(init, frame, err);
    case FRAME_PREPARE:
        return on_prepare(init, frame, err);
    case FRAME_SPAWN:
        return on_spawn(init, frame, err);
    case FRAME_OPEN_GATE:
        return exec ? exec_open_gate(exec, err) : 0;
    case FRAME_CREDIT:
        return on_credit(exec, frame, err);
    case FRAME_STDIN:
        return on_stdin(exec, frame, err);
    case FRAME_SIGNAL:
        return on_signal(exec, frame, err);
    case FRAME_FORGET:
        if (exec)
            exec_forget(exec);
        init_sweep(init); /* its place is free for a SPAWN in the same batch */
        return 0;
    case FRAME_PING:
        return on_ping(init, frame, err);
    case FRAME_DEADLINE:
        return on_deadline(init, frame, err);
    case FRAME_LOOK:
        return on_look(init, frame, err);
    case FRAME_CHECK:
        return on_check(exec, frame, err);
    default:
        return err_set(err, ERR_PEER, "%s is not for init", frame_name(frame->kind));
    }
}

int talk_listen(struct init *init, struct err *err)
{
    if (line_receive(&init->line, err))
        return -1;
    for (;;) {
        struct frame frame;
        if (line_next(&init->line, &frame, err))
            return -1;
        if (frame.kind == FRAME_NONE)
            return 0;
        if (on_frame(init, &frame, err))
            return -1;
    }
}

/* Puts a little of what each exec has to say into the line; *spoke becomes true when there was
 * something. */
static int speak_in_turn(struct init *init, bool *spoke, struct err *err)
{
    init->turn++;
    for (size_t i = 0; i < COUNT(init->execs); i++) {
        struct exec *exec = init->execs[(init->turn + i) % COUNT(init->execs)];
        if (exec && exec->id && init->line.out.len < SPEAK_BYTES &&
            exec_speak(exec, &init->line, spoke, err))
            return -1;
    }
    return 0;
}

int talk_speak(struct init *init, struct err *err)
{
    bool spoke = init->is_welcome;
    do {
        while (spoke && init->line.out.len < SPEAK_BYTES) {
            spoke = false;
            if (speak_in_turn(init, &spoke, err))
                return -1;
        }
        if (line_flush(&init->line, err))
            return -1;
    } while (spoke && !init->line.out.len); /* with bytes left, poll says when to go on */
    return 0;
}
