/* op_exec.c - command_execute: judged, recorded, spawned at a gate, watched, answered with how it
 * really ended.
 *
 * While it acts, three things may end it: init says that it exited; a timer, a cancel or a
 * revocation has its cgroup killed by a worker; the sandbox ends. The first cause stays, and the
 * answer waits for the proof.
 */
#include "manager/exec.h"
#include "manager/exec_report.h"
#include "manager/limits.h"
#include "manager/operations.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/scope.h"
#include "base/text.h"
#include "engine/record/act.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    ENV_BYTES = 256 * 1024,
    SCRIPTS_BYTES = 192 * 1024,
    WAIT_MS = 10,
    LOOK_MS = 10000 /* for init to look at the scripts */
};

/* Finds the sandbox anew: between two wakes it may have ended. NULL with err. */
static struct sandbox *find_running(struct op *op, const char *sandbox_id, struct err *err)
{
    struct sandbox *s = sandbox_find(manager_of(op), sandbox_id);
    if (s && s->state == SANDBOX_RUNNING && s->link)
        return s;
    err_set(err, ERR_STATE, "the sandbox %s is not running", sandbox_id);
    return NULL;
}

static int check_request(const struct command_execute *in, struct err *err)
{
    if ((in->argv.count > 0) == (in->command.len > 0))
        return err_set(err, ERR_INVALID, "command_execute: give argv or command, one of the two");
    if (in->cwd[0] && in->cwd[0] != '/')
        return err_set(err, ERR_INVALID, "command_execute.cwd: must begin with /");
    if (in->window_bytes && !in->stream)
        return err_set(err, ERR_INVALID, "command_execute.window_bytes: goes with stream");
    return check_assignments(in->env, "command_execute.env", err);
}

static int ask(struct op *op, struct err *err)
{
    const struct command_execute *in = op->request;
    struct running *r = op->data;
    const struct sandbox *s = find_running(op, in->sandbox_id, err);
    if (!s)
        return -1;
    SCOPED(bytes_close) struct bytes env = bytes_open(ENV_BYTES);
    SCOPED(bytes_close) struct bytes scripts = bytes_open(SCRIPTS_BYTES);
    struct verdict_request q = {.tags = s->lease.tags,
                                .act = {.operation = "command_execute",
                                        .argv = in->argv,
                                        .script = in->command,
                                        .user = SANDBOX_USER,
                                        .limits = s->lease.limits,
                                        .mounts = s->lease.mounts,
                                        .rules = s->lease.rules}};
    text_copy(q.act.tenant, sizeof q.act.tenant, s->lease.tenant);
    text_copy(q.act.agent, sizeof q.act.agent, s->lease.agent);
    text_copy(q.act.sandbox_id, sizeof q.act.sandbox_id, s->lease.sandbox_id);
    text_copy(q.act.cwd, sizeof q.act.cwd, r->scripts.cwd);
    text_copy(q.principal, sizeof q.principal, op->principal);
    q.act.limits.exec_timeout_ms = r->timeout_ms;
    q.act.more_scripts = r->scripts.has_more;
    if (exec_environment(s, in, &env, &q.act.env, err) ||
        scripts_add(&r->scripts, &scripts, &q.act.scripts, err))
        return -1;
    judge_ask(manager_of(op)->judge, op, &q, in->approval_wait_ms, &r->judgement);
    return 0;
}

/* A sandbox that starts, or that a restarted manager is finding again, is waited for: it runs or is
 * gone within moments. */
static int ask_when_running(struct op *op, struct err *err)
{
    const struct command_execute *in = op->request;
    struct running *r = op->data;
    struct sandbox *s = sandbox_find(manager_of(op), in->sandbox_id);
    if (s && s->state == SANDBOX_STARTING) {
        op_timer(op, WAIT_MS);
        return 0;
    }
    s = find_running(op, in->sandbox_id, err);
    if (!s)
        return -1;
    if (!scripts_begin(&r->scripts, op, s, in->cwd[0] ? in->cwd : SANDBOX_WORKSPACE, in))
        return ask(op, err);
    op_timer(op, LOOK_MS);
    return 0;
}

/* While init looks at the scripts, the timer is its patience. */
static int look_is_over(struct op *op, const struct wake *wake, struct err *err)
{
    struct running *r = op->data;
    const struct exec_news *news = wake->data;
    if (wake->reason == WAKE_TIMER) {
        scripts_leave(&r->scripts);
        return err_set(err, ERR_RUNTIME, "the sandbox's init has not said what the command runs");
    }
    op_timer_end(op);
    if (news->kind != NEWS_SEEN)
        return err_set(err, ERR_STATE, "the sandbox ended before the command began");
    return ask(op, err);
}

static int begin(struct op *op, struct err *err)
{
    const struct command_execute *in = op->request;
    struct manager *m = manager_of(op);
    struct running *r = op->data;
    struct sandbox *s = sandbox_find_for(m, op->call, in->sandbox_id, err);
    if (!s || check_request(in, err))
        return -1;
    if (strcmp(op->tenant, s->lease.tenant) || !call_acts_for(op->call, s->lease.agent))
        return err_set(err, ERR_FORBIDDEN, "%s may look at this sandbox, not act in it",
                       op->principal);
    if (outbox_state(m->service->outbox) >= OUTBOX_RESTRICTED)
        return err_set(err, ERR_RESTRICTED, "%s", outbox_detail(m->service->outbox));
    r->timeout_ms = in->timeout_ms ? in->timeout_ms : s->lease.limits.exec_timeout_ms;
    if (in->deadline_ms)
        op->deadline_boot_ms = op->started_boot_ms + in->deadline_ms;
    text_copy(r->agent, sizeof r->agent, s->lease.agent);
    return ask_when_running(op, err);
}

/* Streamed: tells its name, by which it can be cancelled. */
static void tell_name(struct op *op)
{
    struct exec_chunk first = {0};
    text_copy(first.op_id, sizeof first.op_id, op->id);
    op_send_data(op, &message_exec_chunk, &first);
}

static enum op_state cancelled(struct op *op)
{
    struct running *r = op->data;
    struct err err;
    judge_give_up(&r->judgement);
    err_set(&err, ERR_CANCELLED, "cancelled before it was allowed");
    return op_refuse(op, &err);
}

/* What it waited for does not count any more: the rules have changed, or its sandbox has ended. */
static enum op_state ask_anew(struct op *op)
{
    const struct command_execute *in = op->request;
    struct running *r = op->data;
    struct err err;
    if (!find_running(op, in->sandbox_id, &err))
        return op_refuse(op, &err);
    judge_again(manager_of(op)->judge, op, &r->judgement);
    return OP_RECEIVED;
}

static enum op_state received(struct op *op, const struct wake *wake)
{
    const struct command_execute *in = op->request;
    struct running *r = op->data;
    struct err err;
    if (wake->reason == WAKE_VERDICT && r->judgement.is_void)
        return ask_anew(op);
    if (wake->reason == WAKE_VERDICT) {
        enum op_state next = judge_decide(op, &r->judgement);
        if (next == OP_JUDGED)
            r->timeout_ms = judge_timeout(&r->judgement, r->timeout_ms);
        return next;
    }
    if (wake->reason == WAKE_CANCEL)
        return cancelled(op);
    bool is_looking = r->scripts.sandbox != NULL;
    if ((wake->reason == WAKE_ENTERED && begin(op, &err)) ||
        (wake->reason == WAKE_TIMER && !is_looking && ask_when_running(op, &err)) ||
        (wake->reason == WAKE_TIMER && is_looking && look_is_over(op, wake, &err)) ||
        (wake->reason == WAKE_EVENT && look_is_over(op, wake, &err)))
        return op_refuse(op, &err);
    if (wake->reason == WAKE_ENTERED && in->stream && in->approval_wait_ms)
        tell_name(op); /* it may be a while until it begins */
    return OP_RECEIVED;
}

static enum op_state judged(struct op *op, const struct wake *wake)
{
    struct err err;
    if (wake->reason == WAKE_DURABLE)
        return OP_INTENDED;
    if (wake->reason != WAKE_ENTERED)
        return OP_JUDGED;
    const struct running *r = op->data;
    SCOPED(bytes_close) struct bytes shown = bytes_open(ACT_WHOLE_BYTES);
    SCOPED(bytes_close) struct bytes scripts = bytes_open(SCRIPTS_BYTES);
    struct event intent = {0};
    report_intent(op, &intent, &shown);
    bool is_whole = !scripts_name(&r->scripts, &scripts, &intent.scripts, &err);
    return is_whole && !op_record(op, &intent, false, &err) ? OP_JUDGED : op_refuse(op, &err);
}

/* Ends without having run. */
static void give_up(struct running *r, const char *cause, const struct err *err)
{
    struct err ignored;
    if (!r->cause[0])
        text_copy(r->cause, sizeof r->cause, cause);
    if (r->output[1].tail.bound)
        bytes_addf(&r->output[1].tail, &ignored, "%s\n", err->text);
}

/* What held when the guardian allowed it may have changed while the intent was written. The cause
 * that then ends it, or NULL: it may begin. */
static const char *why_not(const struct op *op, struct err *err)
{
    const struct running *r = op->data;
    SCOPED(registry_release) struct registry *registry = registry_hold(op->service->registry);
    int64_t now = clock_boot_ms();
    if (!registry_agent_is_approved(registry, op->tenant, r->agent)) {
        err_set(err, ERR_DENIED, "the agent %s was revoked before work began", r->agent);
        return "revoked";
    }
    if (now > op->deadline_boot_ms || now > r->judgement.valid_until_boot_ms) {
        err_set(err, ERR_DEADLINE, "its time passed before work began");
        return "timeout";
    }
    return NULL;
}

static enum op_state intended(struct op *op, const struct wake *wake)
{
    const struct command_execute *in = op->request;
    struct running *r = op->data;
    struct err err;
    (void)wake;
    const char *cause = why_not(op, &err);
    struct sandbox *s = cause ? NULL : find_running(op, in->sandbox_id, &err);
    if (!s || running_spawn(r, op, s, &err)) {
        give_up(r, cause ? cause : s ? "lost" : "sandbox_gone", &err);
        r->is_given_up = true;
        return OP_ACTING;
    }
    if (in->stream)
        tell_name(op);
    op_timer(op, r->timeout_ms);
    return OP_ACTING;
}

/* Kills the exec's cgroup and nothing else. Without cgroups everything in the sandbox but init. */
static void kill_exec(struct op *op, const char *cause, const char *rule)
{
    struct running *r = op->data;
    struct err err;
    if (r->is_killing || !r->sandbox)
        return;
    r->is_killing = true;
    if (!r->cause[0]) {
        text_copy(r->cause, sizeof r->cause, cause);
        text_copy(r->rule, sizeof r->rule, rule);
    }
    int64_t patience_ms = op->service->config.manager.kill_timeout_ms;
    r->kill_deadline_boot_ns = clock_boot_ns() + patience_ms * MS_NS;
    op_timer(op, 2 * patience_ms); /* init must have said by then that the command is over */
    if (r->exec.gate.has_cgroup && r->gate_boot_ms) {
        if (cgroup_kill(&r->exec.gate.cgroup, &err))
            log_warn("exec.kill op=%s error=\"%s\"", op->id, err.text);
        r->is_proving = !op_work(op, running_kill, r, &err);
        return; /* without a free worker the timer ends the sandbox */
    }
    /* still at its gate, or no cgroup on this host: init ends it */
    bool is_alone = r->sandbox->cgroup.mode == CGROUP_NONE;
    struct frame_signal signal = {.id = is_alone ? 0 : r->exec.gate.number, .signo = 9};
    r->is_dead = true;
    if (r->sandbox->link && !frame_put_signal(init_link_out(r->sandbox->link), &signal, &err))
        init_link_flush(r->sandbox->link);
}

static void forward(struct op *op, const struct frame_output *f)
{
    struct exec_chunk chunk = {.offset = f->offset, .data = f->data};
    text_copy(chunk.op_id, sizeof chunk.op_id, op->id);
    text_copy(chunk.stream, sizeof chunk.stream, f->stream == 1 ? "stdout" : "stderr");
    schema_mark(&message_exec_chunk, &chunk, "offset");
    if (!op_send_data(op, &message_exec_chunk, &chunk))
        running_unsent(op->data, f);
}

static int take_frame(struct op *op, const struct exec_news *news, struct err *err)
{
    const struct command_execute *in = op->request;
    struct running *r = op->data;
    struct frame_output output;
    switch (news->frame->kind) {
    case FRAME_OUTPUT:
        if (running_output(r, news->frame, in->stream, &output, err))
            return -1;
        if (in->stream && !r->is_discarding)
            forward(op, &output);
        return 0;
    case FRAME_EXITED:
        return running_exited(r, news->frame, err);
    case FRAME_FAILED:
        return running_failed(r, news->frame, err);
    default:
        return 0; /* TAKEN: no stdin is sent */
    }
}

/* A word of init's that cannot be true ends its sandbox: what else it says is worth nothing. */
static void end_liar(struct op *op, const struct err *why)
{
    struct running *r = op->data;
    log_warn("exec.peer op=%s error=\"%s\"", op->id, why->text);
    sandbox_end(r->sandbox, "sandbox_gone", "init.protocol", NULL);
}

/* The gate is ready, or its child could not be moved. */
static void take_gate(struct op *op, const struct err *why)
{
    struct err err;
    if (!why && running_open_gate(op->data, &err))
        why = &err;
    if (!why || why->code == ERR_NOT_FOUND)
        return; /* the child died at its gate: FAILED follows */
    if (why->code == ERR_PEER) {
        end_liar(op, why);
        return;
    }
    give_up(op->data, "lost", why);
    kill_exec(op, "lost", "");
}

static void take_news(struct op *op, const struct exec_news *news)
{
    struct running *r = op->data;
    struct err err;
    switch (news->kind) {
    case NEWS_FRAME:
        if (take_frame(op, news, &err))
            end_liar(op, &err);
        break;
    case NEWS_MOVED:
        take_gate(op, news->why);
        break;
    case NEWS_SEEN: /* comes before there is anything to act on */
        break;
    case NEWS_OVER:
        if (!r->is_killing) { /* what it is being killed for stays */
            text_copy(r->cause, sizeof r->cause, news->cause);
            text_copy(r->rule, sizeof r->rule, news->rule);
        }
        r->is_gone = true;
        op_timer_end(op);
        sandbox_leave(r->sandbox, &r->exec); /* a worker may still look at the command's cgroup */
        r->sandbox = NULL;
        break;
    }
}

static void on_time(struct op *op)
{
    struct running *r = op->data;
    if (!r->is_killing && !r->is_exited) {
        kill_exec(op, "timeout", "");
    } else if (r->is_exited && (!r->is_killing || r->is_dead)) {
        r->is_gone = true; /* output that nobody fetches is dropped, and said to be */
    } else if (r->is_dead && running_discard(r)) {
        op_timer(op, op->service->config.manager.kill_timeout_ms);
    } else {
        log_error("exec.unfinished op=%s: init has not reported the end", op->id);
        sandbox_end(r->sandbox, "sandbox_gone", "init.silent", NULL);
    }
}

static enum op_state acting(struct op *op, const struct wake *wake)
{
    struct running *r = op->data;
    switch (wake->reason) {
    case WAKE_EVENT:
        take_news(op, wake->data);
        break;
    case WAKE_TIMER:
        on_time(op);
        break;
    case WAKE_CANCEL:
        kill_exec(op, wake->data, "");
        break;
    case WAKE_DONE:
        r->is_proving = false;
        r->is_dead = !r->kill_failed;
        if (r->kill_failed && r->sandbox) {
            log_error("exec.unkillable op=%s error=\"%s\"", op->id, r->kill_err.text);
            sandbox_end(r->sandbox, r->cause, "exec.unkillable", NULL);
        }
        break;
    default:
        break;
    }
    if (!r->is_given_up && !r->is_gone && !running_is_over(r))
        return OP_ACTING;
    if (r->is_proving)
        return OP_ACTING; /* the worker still looks at the cgroup */
    op_timer_end(op);
    running_finish(r);
    return OP_RESULTED;
}

static enum op_state resulted(struct op *op, const struct wake *wake)
{
    struct running *r = op->data;
    struct err err;
    if (wake->reason == WAKE_DURABLE)
        return OP_REPLIED;
    if (wake->reason != WAKE_ENTERED)
        return OP_RESULTED;
    SCOPED(bytes_close) struct bytes shown = bytes_open(ACT_WHOLE_BYTES);
    struct event event = {0};
    if (r->cause[0]) {
        report_answer(op);
        report_end(op, &event);
    } else {
        report_denial(op, &event, &shown);
    }
    if (op_record(op, &event, true, &err))
        service_fail("journal.refused",
                     &err); /* the restart finds the intent and says what became of it */
    return OP_RESULTED;
}

static void close_exec(struct op *op)
{
    running_close(op->data);
}

void exec_credit(struct op *op, int64_t bytes)
{
    if (op->kind == &op_exec && op->state == OP_ACTING)
        running_credit(op->data, bytes);
}

const struct op_kind op_exec = {
    .operation = "command_execute",
    .request = &message_command_execute,
    .answer = &message_exec_result,
    .roles = ROLE_AGENT | ROLE_OPERATOR | ROLE_ADMIN,
    .data_bytes = sizeof(struct running),
    .step = {[OP_RECEIVED] = received,
             [OP_JUDGED] = judged,
             [OP_INTENDED] = intended,
             [OP_ACTING] = acting,
             [OP_RESULTED] = resulted,
             [OP_REPLIED] = op_step_replied,
             [OP_REFUSED] = op_step_refused},
    .close = close_exec,
    .doc = "Runs a command, once the guardian has allowed it; asked for, its output streams.",
};
