/* exec.c - a command in progress; see exec.h. */
#include "manager/exec.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scope.h"
#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    WINDOW_BYTES = 128 * 1024, /* of each stream under way from init when nothing is streamed */
    DRAIN_MS = 100, /* for what descendants still hold in the pipes when the command has ended */
    TEXTS_BYTES = 256 * 1024,
    CPU_UNIT = 1000
};

/* No command writes as much: an offset beyond it is a lie, and what is added up here stays in
 * range.
 */
static const int64_t output_most_bytes = INT64_MAX / 8;

#define SANDBOX_PATH "PATH=/usr/local/bin:/usr/bin:/bin"

static const char *const fixed_env[] = {SANDBOX_PATH, "HOME=/workspace", "USER=agent",
                                        "LANG=C.UTF-8", "TERM=dumb"};

static int add_text(struct bytes *to, struct view text, struct err *err)
{
    return bytes_add(to, text.data, text.len, err) || bytes_add(to, "", 1, err) ? -1 : 0;
}

static int add_list(struct bytes *to, struct list list, struct err *err)
{
    struct view text;
    while (list_next_text(&list, &text))
        if (add_text(to, text, err))
            return -1;
    return 0;
}

/* The judged bytes are the bytes that run: a shell string goes to sh -c as it stands. */
static int write_argv(const struct command_execute *in, struct bytes *argv, struct err *err)
{
    if (in->argv.count)
        return add_list(argv, in->argv, err);
    return add_text(argv, view_of("/bin/sh"), err) || add_text(argv, view_of("-c"), err) ||
                   add_text(argv, in->command, err)
               ? -1
               : 0;
}

int exec_environment(const struct sandbox *s, const struct command_execute *in, struct bytes *store,
                     struct list *env, struct err *err)
{
    struct list lists[] = {s->lease.env, in->env}, all = {0};
    struct view text;
    for (size_t i = 0; i < COUNT(fixed_env); i++)
        if (list_add_text(store, &all, view_of(fixed_env[i]), err))
            return -1;
    for (size_t i = 0; i < COUNT(lists); i++)
        while (list_next_text(&lists[i], &text))
            if (list_add_text(store, &all, text, err))
                return -1;
    *env = all;
    return 0;
}

static int send_spawn(struct running *r, const struct command_execute *in, struct err *err)
{
    SCOPED(bytes_close) struct bytes argv = bytes_open(TEXTS_BYTES);
    SCOPED(bytes_close) struct bytes env = bytes_open(TEXTS_BYTES);
    SCOPED(bytes_close) struct bytes store = bytes_open(TEXTS_BYTES);
    struct list all;
    if (write_argv(in, &argv, err) || exec_environment(r->sandbox, in, &store, &all, err) ||
        add_list(&env, all, err))
        return -1;
    struct frame_spawn spawn = {.id = r->exec.gate.number,
                                .argv = bytes_view(&argv),
                                .env = bytes_view(&env),
                                .cwd = view_of(r->scripts.cwd),
                                .script_arg = -1,
                                .window_bytes = r->window_bytes,
                                .drain_ms = DRAIN_MS};
    struct bytes *out = init_link_out(r->sandbox->link);
    return frame_put_spawn(out, &spawn, err) || scripts_check(&r->scripts, spawn.id, out, err) ? -1
                                                                                               : 0;
}

int running_spawn(struct running *r, struct op *op, struct sandbox *s, struct err *err)
{
    const struct command_execute *in = op->request;
    if (s->cgroup.mode == CGROUP_NONE && s->execs)
        return err_set(err, ERR_STATE,
                       "this host has no writable cgroup, so a sandbox runs one command at a time");
    r->exit_code = r->signal = -1;
    r->window_bytes = WINDOW_BYTES;
    if (in->stream) /* shared by the two streams; init holds no more than its ring */
        r->window_bytes = (in->window_bytes ? in->window_bytes : 2 * WINDOW_BYTES) / 2;
    if (r->window_bytes > FRAME_RING_BYTES)
        r->window_bytes = FRAME_RING_BYTES;
    for (int i = 0; i < 2; i++)
        r->output[i] = (struct output){
            .tail = bytes_open(2 * OUTPUT_KEPT_BYTES + FRAME_CHUNK_BYTES), .total = -1};
    r->is_from_stock = s->spare.number != 0;
    if (sandbox_join(s, &r->exec, op, err))
        return -1;
    r->sandbox = s;
    if (send_spawn(r, in, err))
        return -1;
    if (r->exec.gate.state == GATE_READY)
        return running_open_gate(r, err);
    init_link_flush(s->link);
    return 0;
}

/* The child in stock died before it was given anything to run: an ordinary one takes its place. */
static int spawn_afresh(struct running *r, struct err *err)
{
    struct sandbox *s = r->sandbox;
    struct frame_forget forget = {.id = r->exec.gate.number};
    r->is_from_stock = false;
    r->gate_boot_ms = 0;
    gate_leave(s->manager->service, &r->exec.gate);
    if (frame_put_forget(init_link_out(s->link), &forget, err) || gate_ask(s, &r->exec.gate, err) ||
        send_spawn(r, r->exec.op->request, err))
        return -1;
    init_link_flush(s->link);
    return 0;
}

int running_open_gate(struct running *r, struct err *err)
{
    struct frame_open_gate gate = {.id = r->exec.gate.number};
    if (r->is_killing || !r->sandbox->link)
        return 0;
    if (frame_put_open_gate(init_link_out(r->sandbox->link), &gate, err))
        return -1;
    init_link_flush(r->sandbox->link);
    r->gate_boot_ms = clock_boot_ms();
    return 0;
}

static void send_credit(struct running *r, int stream, int64_t bytes)
{
    struct err err;
    struct frame_credit credit = {
        .id = r->exec.gate.number, .stream = stream, .bytes = bytes, .from = -1};
    if (!r->sandbox || !r->sandbox->link)
        return;
    if (frame_put_credit(init_link_out(r->sandbox->link), &credit, &err))
        log_warn("exec.credit error=\"%s\"", err.text);
    else
        init_link_flush(r->sandbox->link);
}

/* Without a streaming client the answer keeps the newest bytes, and init may go on sending. */
static int keep_tail(struct running *r, struct output *o, const struct frame_output *f,
                     struct err *err)
{
    if (bytes_add(&o->tail, f->data.data, f->data.len, err))
        return -1;
    if (o->tail.len > 2 * OUTPUT_KEPT_BYTES) { /* cut now and then, not at every chunk */
        size_t extra = o->tail.len - OUTPUT_KEPT_BYTES;
        bytes_drop(&o->tail, extra);
        o->dropped_bytes += (int64_t)extra;
    }
    send_credit(r, (int)f->stream, (int64_t)f->data.len);
    return 0;
}

int running_output(struct running *r, const struct frame *frame, bool streamed,
                   struct frame_output *out, struct err *err)
{
    if (frame_get_output(frame, out, err))
        return -1;
    struct output *o = &r->output[out->stream - 1];
    int64_t most = o->total >= 0 ? o->total : output_most_bytes;
    if (out->offset < o->received || out->offset > most ||
        (int64_t)out->data.len > most - out->offset)
        return err_set(err, ERR_PEER, "init sent output at %lld, outside %lld to %lld",
                       (long long)out->offset, (long long)o->received, (long long)most);
    o->dropped_bytes += out->offset - o->received;
    o->received = out->offset + (int64_t)out->data.len;
    if (!streamed)
        return keep_tail(r, o, out, err);
    if (r->is_discarding) {
        o->dropped_bytes += (int64_t)out->data.len;
        send_credit(r, (int)out->stream, (int64_t)out->data.len);
    } else {
        o->unacked_bytes += (int64_t)out->data.len;
    }
    return 0;
}

static void set_cause(struct running *r, const char *cause)
{
    if (!r->cause[0])
        text_copy(r->cause, sizeof r->cause, cause);
}

/* What an answer or a record could not hold must not get as far as there. */
static int check_exited(const struct running *r, const struct frame_exited *f, struct err *err)
{
    const int64_t totals[2] = {f->stdout_bytes, f->stderr_bytes};
    if (r->is_exited)
        return err_set(err, ERR_PEER, "init ended one command twice");
    if (f->signalled && (f->status < 1 || f->status > 64))
        return err_set(err, ERR_PEER, "init reported signal %lld", (long long)f->status);
    for (int i = 0; i < 2; i++)
        if (totals[i] < r->output[i].received || totals[i] > output_most_bytes)
            return err_set(err, ERR_PEER, "init reported %lld bytes of output and has sent %lld",
                           (long long)totals[i], (long long)r->output[i].received);
    return 0;
}

int running_exited(struct running *r, const struct frame *frame, struct err *err)
{
    struct frame_exited f;
    if (frame_get_exited(frame, &f, err) || check_exited(r, &f, err))
        return -1;
    r->is_exited = true;
    r->output[0].total = f.stdout_bytes;
    r->output[1].total = f.stderr_bytes;
    r->init_cpu_ms = f.user_us / CPU_UNIT + f.system_us / CPU_UNIT;
    if (f.signalled)
        r->signal = (int)f.status;
    else
        r->exit_code = (int)f.status;
    if (!r->gate_boot_ms)
        set_cause(r, "lost"); /* it died at its gate: nothing ran */
    else if (!r->is_killing)
        set_cause(r, f.signalled ? "signal" : "exited");
    return 0;
}

int running_failed(struct running *r, const struct frame *frame, struct err *err)
{
    struct frame_failed f;
    if (frame_get_failed(frame, &f, err))
        return -1;
    if (r->is_exited || r->output[0].received || r->output[1].received)
        return err_set(err, ERR_PEER, "init said that nothing ran of a command that has run");
    if (r->is_from_stock && !r->is_killing && view_equal(f.stage, view_of("gate")))
        return spawn_afresh(r, err);
    r->is_exited = true;
    r->gate_boot_ms = 0; /* nothing ran */
    r->output[0].total = r->output[1].total = 0;
    bool is_exec = view_equal(f.stage, view_of("exec"));
    if (is_exec || view_equal(f.stage, view_of("chdir"))) {
        set_cause(r, is_exec && f.error == ENOENT ? "not_found" : "not_executable");
        char text[256];
        int n = snprintf(text, sizeof text, "%.*s: %s\n", (int)f.stage.len,
                         (const char *)f.stage.data, strerror((int)f.error));
        return bytes_add(&r->output[1].tail, text, (size_t)n, err);
    }
    if (view_equal(f.stage, view_of("check"))) {
        static const char text[] = "A file that it runs was changed after it had been judged.\n";
        set_cause(r, "changed");
        return bytes_add(&r->output[1].tail, text, sizeof text - 1, err);
    }
    set_cause(r, "lost");
    return 0;
}

void running_kill(void *context)
{
    struct running *r = context;
    const struct cgroup *cgroup = &r->exec.gate.cgroup;
    r->kill_failed = cgroup_kill(cgroup, &r->kill_err) ||
                     cgroup_wait_empty(cgroup, r->kill_deadline_boot_ns, &r->kill_err);
}

static bool has_all(const struct output *o)
{
    return o->total >= 0 && o->received >= o->total;
}

bool running_is_over(const struct running *r)
{
    return r->is_exited && has_all(&r->output[0]) && has_all(&r->output[1]) &&
           (!r->is_killing || r->is_dead);
}

static void read_usage(struct running *r)
{
    struct cgroup_usage u;
    struct err err;
    r->usage.duration_ms = r->gate_boot_ms ? clock_boot_ms() - r->gate_boot_ms : 0;
    r->usage.cpu_ms = r->init_cpu_ms;
    const struct gate *gate = &r->exec.gate;
    if (!gate->has_cgroup || cgroup_meter_read(&gate->meter, &u, &err))
        return;
    if (u.cpu_usec >= 0)
        r->usage.cpu_ms = u.cpu_usec / CPU_UNIT;
    if (u.memory_peak_bytes >= 0)
        r->usage.memory_peak_bytes = u.memory_peak_bytes;
    bool ended_badly = r->signal > 0 || r->exit_code > 0;
    bool by_itself = !strcmp(r->cause, "exited") || !strcmp(r->cause, "signal");
    if (u.oom_kills > gate->oom_kills && by_itself && ended_badly)
        text_copy(r->cause, sizeof r->cause, "oom");
}

void running_finish(struct running *r)
{
    struct err err;
    read_usage(r);
    for (int i = 0; i < 2; i++) {
        struct output *o = &r->output[i];
        if (o->total > o->received) {
            o->dropped_bytes += o->total - o->received;
            o->received = o->total; /* all that it carried, as the result says */
        }
        if (o->tail.len > OUTPUT_KEPT_BYTES) {
            size_t extra = o->tail.len - OUTPUT_KEPT_BYTES;
            bytes_drop(&o->tail, extra);
            o->dropped_bytes += (int64_t)extra;
        }
    }
    struct sandbox *s = r->sandbox;
    if (!s)
        return;
    gate_leave(s->manager->service, &r->exec.gate);
    struct frame_forget forget = {.id = r->exec.gate.number};
    sandbox_leave(s, &r->exec);
    r->sandbox = NULL;
    if (!s->link || frame_put_forget(init_link_out(s->link), &forget, &err))
        return;
    sandbox_stock(s);
    init_link_flush(s->link);
}

void running_unsent(struct running *r, const struct frame_output *output)
{
    r->output[output->stream - 1].dropped_bytes += (int64_t)output->data.len;
}

void running_credit(struct running *r, int64_t bytes)
{
    for (int i = 0; i < 2; i++) {
        struct output *o = &r->output[i];
        int64_t taken = bytes < o->unacked_bytes ? bytes : o->unacked_bytes;
        if (!taken)
            continue;
        o->unacked_bytes -= taken;
        bytes -= taken;
        send_credit(r, i + 1, taken);
    }
}

bool running_discard(struct running *r)
{
    if (r->is_discarding || !(r->output[0].unacked_bytes + r->output[1].unacked_bytes))
        return false;
    r->is_discarding = true;
    running_credit(r, INT64_MAX);
    return true;
}

void running_close(struct running *r)
{
    scripts_close(&r->scripts);
    judgement_close(&r->judgement);
    bytes_close(&r->output[0].tail);
    bytes_close(&r->output[1].tail);
    gate_close(&r->exec.gate);
}
