/* The way to a sandbox's /workspace: only through the init that is meant, past nothing planted. */
#include "monitor/workspace.h"

#include "base/file.h"
#include "base/scope.h"
#include "engine/process/pid.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIZE = 1 << 20, USED = 64 * 1024 };

static struct err err;

/* What stands at /workspace of a stranger's root. */
enum planted { A_DISK, A_SYMLINK, A_FIFO, NOTHING };

static bool plant(enum planted what, const char *root)
{
    if (mount("root", root, "tmpfs", 0, "") || chdir(root))
        return false;
    switch (what) {
    case A_SYMLINK:
        return !symlink("/", "workspace");
    case A_FIFO:
        return !mkfifo("workspace", 0600);
    case NOTHING:
        return true;
    case A_DISK:
        break;
    }
    if (mkdir("workspace", 0700) || mount("disk", "workspace", "tmpfs", 0, "size=1m"))
        return false;
    SCOPED(fd_close) int fd = open("workspace/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return fd >= 0 && !posix_fallocate(fd, 0, USED);
}

/* Another process with another root, in a mount namespace of its own. */
static pid_t start(enum planted what)
{
    int ready[2];
    char root[] = "/tmp/test_workspace.XXXXXX", word = 0;
    assert_non_null(mkdtemp(root));
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        bool good = !unshare(CLONE_NEWNS) && !mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
                    plant(what, root) && !chroot(".");
        if (write(ready[1], good ? "y" : "n", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &word, 1), 1);
    close(ready[0]);
    rmdir(root);
    if (word == 'y')
        return pid;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    print_message("SKIPPED: no mounts may be made here\n");
    skip();
    return -1;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static uint64_t start_of(pid_t pid)
{
    uint64_t ticks;
    assert_int_equal(pid_start_ticks(pid, &ticks, &err), 0);
    return ticks;
}

static void says_how_much_is_used(void **state)
{
    (void)state;
    int64_t used;
    SCOPED(fd_close) int fd = -1;
    pid_t pid = start(A_DISK);
    assert_int_equal(workspace_open(pid, start_of(pid), &fd, &err), 0);
    assert_int_equal(workspace_used(fd, &used, &err), 0);
    assert_true(used >= USED && used < SIZE / 2);
    end(pid);
}

static void another_process_with_the_same_pid_is_refused(void **state)
{
    (void)state;
    int fd = -1;
    pid_t pid = start(A_DISK);
    assert_int_equal(workspace_open(pid, start_of(pid) + 1, &fd, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(fd, -1);
    end(pid);
}

static void a_dead_init_is_refused(void **state)
{
    (void)state;
    int fd = -1;
    pid_t pid = start(A_DISK);
    uint64_t ticks = start_of(pid);
    end(pid);
    assert_int_equal(workspace_open(pid, ticks, &fd, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void refuse(enum planted what)
{
    int fd = -1;
    pid_t pid = start(what);
    assert_int_equal(workspace_open(pid, start_of(pid), &fd, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(fd, -1);
    end(pid);
}

static void what_is_no_directory_is_refused(void **state)
{
    (void)state;
    refuse(A_SYMLINK);
    refuse(A_FIFO);
    refuse(NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_how_much_is_used),
        cmocka_unit_test(another_process_with_the_same_pid_is_refused),
        cmocka_unit_test(a_dead_init_is_refused),
        cmocka_unit_test(what_is_no_directory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
