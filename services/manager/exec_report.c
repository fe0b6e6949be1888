/* exec_report.c - what is said of a command; see exec_report.h. */
#include "manager/exec_report.h"

#include "base/log.h"
#include "base/text.h"
#include "engine/record/act.h"
#include "manager/exec.h"
#include "manager/operations.h"
#include "service/outbox.h"

#include <string.h>

enum { STORED_TAIL_BYTES = 4096, CLEAN_BYTES = 64 * OUTPUT_KEPT_BYTES };

/* The command, as the guardian's own record has it too. */
static void show_command(const struct command_execute *in, struct bytes *to, int64_t *full_bytes)
{
    const struct act act = {.argv = in->argv, .script = in->command};
    struct err err;
    if (act_command(&act, to, full_bytes, &err))
        log_warn("exec.unshown error=\"%s\"", err.text);
}

static void fill(const struct op *op, struct event *event, const char *phase)
{
    const struct command_execute *in = op->request;
    const struct running *r = op->data;
    text_copy(event->phase, sizeof event->phase, phase);
    text_copy(event->agent, sizeof event->agent, r->agent);
    text_copy(event->sandbox_id, sizeof event->sandbox_id, in->sandbox_id);
    text_copy(event->cwd, sizeof event->cwd, r->scripts.cwd);
}

/* What the guardian was asked about, and its word. */
static void fill_act(const struct op *op, struct event *event, const char *phase,
                     struct bytes *shown)
{
    const struct running *r = op->data;
    const struct command_execute *in = op->request;
    struct verdict_request asked;
    struct err err;
    fill(op, event, phase);
    if (!schema_decode(&message_verdict_request, bytes_view(&r->judgement.request), SCHEMA_LENIENT,
                       &asked, &err))
        event->tags = asked.tags; /* the sandbox's, as the guardian was told */
    show_command(in, shown, &event->command_bytes);
    event->command = bytes_view(shown);
    if (!in->command.len)
        event->argv_words = (int64_t)in->argv.count;
    manager_fill_agent(op, event);
    judge_fill(&r->judgement, event);
}

void report_intent(const struct op *op, struct event *event, struct bytes *shown)
{
    fill_act(op, event, "intent", shown);
}

/* Of each output what there is of it, at most `most` bytes: the newest. */
static void fill_output(const struct running *r, const struct view output[2], size_t most,
                        struct exec_result *out)
{
    struct view tails[2] = {output[0], output[1]};
    for (int i = 0; i < 2; i++) {
        size_t cut = tails[i].len > most ? tails[i].len - most : 0;
        tails[i].data += cut;
        tails[i].len -= cut;
        out->dropped_bytes += r->output[i].dropped_bytes + (int64_t)cut;
    }
    out->stdout = tails[0];
    out->stderr = tails[1];
}

static void fill_result(const struct op *op, struct exec_result *out)
{
    const struct running *r = op->data;
    out->ran = r->gate_boot_ms != 0;
    out->usage = r->usage;
    schema_mark(&message_exec_result, out, "usage");
    out->timeout_override_ms = r->judgement.verdict.timeout_override_ms;
    out->stdout_bytes = r->output[0].received;
    out->stderr_bytes = r->output[1].received;
    if (r->signal > 0)
        out->signal = r->signal;
    if (r->exit_code >= 0) {
        out->exit_code = r->exit_code;
        schema_mark(&message_exec_result, out, "exit_code");
    }
    text_copy(out->cause, sizeof out->cause, r->cause);
    text_copy(out->rule, sizeof out->rule, r->rule);
    text_copy(out->verdict_id, sizeof out->verdict_id, r->judgement.verdict.verdict_id);
    text_copy(out->op_id, sizeof out->op_id, op->id);
}

static const char *status_of(const struct running *r)
{
    if (!strcmp(r->cause, "timeout") || !strcmp(r->cause, "cancelled"))
        return !strcmp(r->cause, "timeout") ? "timeout" : "cancelled";
    return !strcmp(r->cause, "exited") && r->exit_code == 0 ? "success" : "failure";
}

void report_end(const struct op *op, struct event *event)
{
    const struct running *r = op->data;
    fill(op, event, "result");
    text_copy(event->status, sizeof event->status, status_of(r));
    text_copy(event->cause, sizeof event->cause, r->cause);
    text_copy(event->rule, sizeof event->rule, r->rule);
    event->duration_ms = r->usage.duration_ms;
    event->cpu_ms = r->usage.cpu_ms;
    event->memory_peak_bytes = r->usage.memory_peak_bytes;
    event->stdout_bytes = r->output[0].received;
    event->stderr_bytes = r->output[1].received;
    event->dropped_bytes = r->output[0].dropped_bytes + r->output[1].dropped_bytes;
    if (r->signal > 0)
        event->signal = r->signal;
    if (r->exit_code >= 0) {
        event->exit_code = r->exit_code;
        schema_mark(&message_event, event, "exit_code");
    }
}

void report_denial(const struct op *op, struct event *event, struct bytes *shown)
{
    fill_act(op, event, "result", shown);
    text_copy(event->status, sizeof event->status, "denied");
    text_copy(event->cause, sizeof event->cause, "policy");
}

/* What is kept for whoever asks again is a part of the record, so it holds no secrets; they are
 * replaced before it is cut, so that none is cut in two. */
static void store_answer(struct op *op)
{
    const struct running *r = op->data;
    struct exec_result kept = {0};
    struct bytes clean[2];
    struct view output[2];
    struct err err;
    fill_result(op, &kept);
    for (int i = 0; i < 2; i++) {
        struct view raw = bytes_view(&r->output[i].tail);
        clean[i] = bytes_open(CLEAN_BYTES);
        if (redact_text(outbox_redactor(op->service->outbox), SECRET_PLAIN, raw, &clean[i],
                        &kept.redacted, &err)) {
            log_warn("exec.output_unkept op=%s error=\"%s\"", op->id, err.text);
            kept.dropped_bytes += (int64_t)raw.len;
            bytes_clear(&clean[i]);
        }
        output[i] = bytes_view(&clean[i]);
    }
    fill_output(r, output, STORED_TAIL_BYTES, &kept);
    op_store(op, &message_exec_result, &kept);
    bytes_close(&clean[0]);
    bytes_close(&clean[1]);
}

void report_answer(struct op *op)
{
    const struct running *r = op->data;
    struct exec_result full = {0};
    struct view output[2] = {bytes_view(&r->output[0].tail), bytes_view(&r->output[1].tail)};
    fill_result(op, &full);
    fill_output(r, output, OUTPUT_KEPT_BYTES, &full);
    op_answer(op, &message_exec_result, &full);
    store_answer(op);
}
