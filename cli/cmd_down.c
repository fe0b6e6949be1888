/* corral down: ends the supervisor, which ends the services. */
#include "base/scope.h"
#include "base/text.h"
#include "cli/connect.h"
#include "cli/print.h"
#include "cli/uplock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { END_LIMIT_MS = 60000 }; /* four services with five seconds each, and room */

/* What lives, and what was done to it. */
struct sandboxes {
    char (*ids)[SANDBOX_ID_BYTES];
    size_t count;
    struct bytes store;
};

static void sandboxes_close(struct sandboxes *s)
{
    bytes_close(&s->store);
}

static int take(void *context, const struct sandbox_row *row, struct err *err)
{
    struct sandboxes *s = context;
    char id[SANDBOX_ID_BYTES] = "";
    text_copy(id, sizeof id, row->sandbox_id);
    if (bytes_add(&s->store, id, sizeof id, err))
        return -1;
    s->ids = (char(*)[SANDBOX_ID_BYTES])s->store.data;
    s->count++;
    return 0;
}

static int terminate(struct connect *connect, const struct sandboxes *all, struct err *err)
{
    static const struct question question = {PART_MANAGER, "sandbox_delete",
                                             &message_sandbox_delete, &message_sandbox_deleted,
                                             CONNECT_ASK_MS};
    for (size_t i = 0; i < all->count; i++) {
        struct sandbox_delete request = {0};
        struct sandbox_deleted deleted;
        text_copy(request.sandbox_id, sizeof request.sandbox_id, all->ids[i]);
        if (connect_ask(connect, &question, &request, &deleted, err)) {
            if (err->code == ERR_NOT_FOUND)
                continue; /* it ended by itself */
            return err_add(err, "ending %s", all->ids[i]);
        }
        if (!connect->cli->quiet)
            print_line("%s ended; its cgroup was seen empty after %lld ms", deleted.sandbox_id,
                       (long long)deleted.proof_ms);
    }
    return 0;
}

/* Refuses while sandboxes live, or ends them. */
static int clear(struct cli *cli, bool kill, struct err *err)
{
    SCOPED(connect_close) struct connect connect = {0};
    SCOPED(sandboxes_close) struct sandboxes live = {.store = bytes_open(1024 * 1024)};
    if (connect_open(cli, &connect, err) || connect_each_sandbox(&connect, NULL, take, &live, err))
        return err_add(err,
                       "cannot tell whether sandboxes live; --leave stops the services anyway");
    if (live.count && !kill)
        return err_set(
            err, ERR_STATE,
            "sandboxes live (%zu, such as %s): --terminate ends them, --leave leaves them",
            live.count, live.ids[0]);
    return terminate(&connect, &live, err);
}

/* Sends SIGTERM to exactly that process and waits for its end. */
static int end_supervisor(const struct process *supervisor, struct err *err)
{
    SCOPED(fd_close) int fd = process_open(supervisor);
    if (fd < 0)
        return 0;
    if (syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0))
        return err_sys(err, "sending SIGTERM to pid %d", (int)supervisor->pid);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int n;
    do
        n = poll(&wait, 1, END_LIMIT_MS);
    while (n < 0 && errno == EINTR);
    if (!n)
        return err_set(err, ERR_STATE, "corral up (pid %d) has not ended after %d s",
                       (int)supervisor->pid, END_LIMIT_MS / 1000);
    return 0;
}

/* Services whose supervisor was killed are still ours to end. */
static int down_without_supervisor(const struct cli *cli, const struct uplock *lock,
                                   const char *state, struct err *err)
{
    int ended = uplock_end_leftovers(lock);
    if (!ended)
        return err_set(err, ERR_UNAVAILABLE, "Corral does not run in %s", state);
    if (!cli->quiet)
        printf("Ended %d services that an earlier corral up left behind.\n", ended);
    return 0;
}

int cmd_down(struct cli *cli, int argc, char **argv, struct err *err)
{
    bool kill = false, leave = false, held = false;
    const struct option options[] = {
        {"terminate", 0, NULL, option_flag, &kill, "End the live sandboxes first."},
        {"leave", 0, NULL, option_flag, &leave, "Leave the live sandboxes as they are."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    if (kill && leave)
        return err_set(err, ERR_INVALID, "--terminate and --leave: one of the two");

    char state[PLACE_STATE_BYTES];
    struct uplock lock;
    cli->connect_path = NULL; /* it is about this host */
    if (place_state(cli->state_path, state, err) || uplock_read(state, &lock, &held, err))
        return -1;
    if (!held)
        return down_without_supervisor(cli, &lock, state, err);
    if ((!leave && clear(cli, kill, err)) || end_supervisor(&lock.supervisor, err))
        return -1;
    if (!cli->quiet)
        printf("Corral in %s is down.\n", state);
    return 0;
}
