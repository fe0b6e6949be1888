/* execute.c - runs a command and shows its output live; see execute.h. */
#include "cli/execute.h"

#include "base/scope.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/print.h"

#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { WINDOW_BYTES = 256 * 1024 };

/* The command has its own timeout; the client waits as long as the connection is there. */
#define FOREVER_MS (INT64_C(365) * 86400 * 1000)

/* A command under way. */
struct run {
    struct output output;
    char op_id[27]; /* "" until the first answer */
    bool cancelled; /* by the user, or because its output cannot be shown */
    int signals;
    struct err broken; /* why its output cannot be shown; code 0 when it can */
};

static void run_close(struct run *run)
{
    fd_close(&run->signals);
    output_close(&run->output);
}

static sigset_t our_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

void execution_hold_signals(void)
{
    sigset_t signals = our_signals();
    sigprocmask(SIG_BLOCK, &signals, NULL);
}

static int take_signals(int *fd, struct err *err)
{
    sigset_t signals = our_signals();
    execution_hold_signals();
    *fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return *fd < 0 ? err_sys(err, "signalfd") : 0;
}

static int fill_lists(const struct execution *e, struct command_execute *request,
                      struct bytes *argv, struct bytes *env, struct err *err)
{
    for (int i = 0; i < e->argc; i++)
        if (list_add_text(argv, &request->argv, view_of(e->argv[i]), err))
            return -1;
    for (size_t i = 0; i < e->env.count; i++)
        if (list_add_text(env, &request->env, view_of(e->env.items[i]), err))
            return -1;
    return 0;
}

static int encode(const struct execution *e, struct bytes *to, struct err *err)
{
    SCOPED(bytes_close) struct bytes argv = bytes_open(WIRE_BODY_BYTES);
    SCOPED(bytes_close) struct bytes env = bytes_open(WIRE_BODY_BYTES);
    struct command_execute request = {.timeout_ms = e->timeout_ms,
                                      .approval_wait_ms = e->wait_ms,
                                      .stream = true,
                                      .window_bytes = WINDOW_BYTES};
    text_copy(request.sandbox_id, sizeof request.sandbox_id, e->sandbox_id);
    if (e->cwd && !text_copy(request.cwd, sizeof request.cwd, e->cwd))
        return err_set(err, ERR_INVALID, "--workdir: more than %zu bytes", sizeof request.cwd - 1);
    if (e->command)
        request.command = view_of(e->command);
    bytes_clear(to);
    return fill_lists(e, &request, &argv, &env, err) ||
                   schema_encode(&message_command_execute, &request, to, err)
               ? -1
               : 0;
}

/* Sends a word to the running command; its own answer does not matter. */
static int tell(struct client *client, const char *operation, const struct message *message,
                const void *in, struct err *err)
{
    SCOPED(bytes_close) struct bytes body = bytes_open(1024);
    return schema_encode(message, in, &body, err) ||
                   client_tell(client, operation, bytes_view(&body), err)
               ? -1
               : 0;
}

/* Asks for the command's end, once it has a name to be called by. */
static int cancel(struct run *run, struct client *client, struct err *err)
{
    struct op_cancel request = {0};
    run->cancelled = true;
    if (!run->op_id[0])
        return 0;
    text_copy(request.op_id, sizeof request.op_id, run->op_id);
    return tell(client, "op.cancel", &message_op_cancel, &request, err);
}

static int on_signal(void *arg, struct client *client, struct err *err)
{
    struct run *run = arg;
    struct signalfd_siginfo info;
    if (read(run->signals, &info, sizeof info) != sizeof info)
        return 0;
    if (run->cancelled)
        return err_set(err, ERR_CANCELLED, "not waiting longer; the command was asked to end");
    return cancel(run, client, err);
}

/* Shows a piece of output. When nobody takes it the command is to end, and what still comes is
 * passed over. */
static int show_piece(struct run *run, struct client *client, const struct exec_chunk *chunk,
                      struct err *err)
{
    if (run->broken.code || !output_take(&run->output, chunk, &run->broken))
        return 0;
    return run->cancelled ? 0 : cancel(run, client, err);
}

/* Shows a piece and lets the next one come. */
static int on_data(void *arg, struct client *client, struct view body, struct err *err)
{
    struct run *run = arg;
    struct exec_chunk chunk;
    if (schema_decode(&message_exec_chunk, body, SCHEMA_LENIENT, &chunk, err))
        return err_set(err, ERR_PEER, "a piece of output cannot be read");
    bool was_unnamed = !run->op_id[0];
    text_copy(run->op_id, sizeof run->op_id, chunk.op_id);
    if ((was_unnamed && run->cancelled && cancel(run, client, err)) ||
        show_piece(run, client, &chunk, err))
        return -1;
    struct op_credit credit = {.bytes = (int64_t)chunk.data.len};
    text_copy(credit.op_id, sizeof credit.op_id, chunk.op_id);
    return credit.bytes ? tell(client, "op.credit", &message_op_credit, &credit, err) : 0;
}

/* A line on stderr when the command did not end by itself; everything with -o json. */
static int show(const struct cli *cli, struct run *run, struct exec_result *result, struct err *err)
{
    if (cli->json) {
        output_fill(&run->output, result);
        return print_json(&message_exec_result, result, err);
    }
    const char *cause = execution_cause(result);
    bool is_plain_end = !*cause || (!strcmp(result->cause, "cancelled") && run->cancelled);
    if (cli->quiet || is_plain_end)
        return 0;
    print_note("corral %s: %s%s%s%s", cli->command->name, cause, result->rule[0] ? " (" : "",
               result->rule, result->rule[0] ? ")" : "");
    return 0;
}

int execute(struct connect *connect, const struct execution *execution, int *exit_code,
            struct err *err)
{
    const struct cli *cli = connect->cli;
    SCOPED(run_close) struct run run = {.signals = -1, .output = output_open(cli->json)};
    struct exec_result result;
    if (take_signals(&run.signals, err) || encode(execution, &connect->request, err))
        return -1;
    struct client_watch watch = {.fd = run.signals, .ready = on_signal, .arg = &run};
    struct client_call call = {.operation = "command_execute",
                               .body = bytes_view(&connect->request),
                               .deadline_ms = FOREVER_MS,
                               .on_data = on_data,
                               .arg = &run,
                               .watches = &watch,
                               .watch_count = 1};
    if (connect_call(connect, PART_MANAGER, &call, &message_exec_result, &result, err))
        return -1;
    if (run.broken.code) {
        *err = run.broken;
        return -1;
    }
    if (show(cli, &run, &result, err))
        return -1;
    *exit_code = execution_exit_code(&result);
    return 0;
}
