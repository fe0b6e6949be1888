/* Who is let in at a sandbox's door, and what init may say before it is welcome. The guests are
 * real processes at a real socket.
 */
#include "manager/runtime/door.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"
#include "engine/process/pid.h"
#include "init/frame.h"

#include <fcntl.h>
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

static char dir[64];
static const uint8_t token[RUNTIME_TOKEN_BYTES] = {7, 7, 7};
static const uint8_t other_token[RUNTIME_TOKEN_BYTES] = {8};

static int64_t soon(void)
{
    return clock_boot_ns() + 20 * (int64_t)S_NS;
}

/* Knocks, says the bytes and waits for the end of the connection. */
static pid_t guest_who_says(const void *data, size_t len)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    syscall(SYS_close_range, 3, ~0U, 0); /* the door above all: open here, it would never close */
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%.60s/" DOOR_NAME, dir);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) || write(fd, data, len) != (ssize_t)len)
        _exit(1);
    for (char byte; read(fd, &byte, 1) > 0;) {
    }
    _exit(0);
}

static void put_hello(struct bytes *to, int64_t version, const uint8_t *said)
{
    struct err err;
    struct frame_hello hello = {.version = version, .token = {said, said ? FRAME_TOKEN_BYTES : 0}};
    assert_int_equal(frame_put_hello(to, &hello, &err), 0);
}

static void put_execs(struct bytes *to, uint32_t newest)
{
    struct err err;
    struct frame_execs execs = {.newest = newest};
    assert_int_equal(frame_put_execs(to, &execs, &err), 0);
}

/* Opens the door to one guest; the error's code, ERR_NONE when it was let in. */
static enum err_code admit(const struct bytes *said, bool again)
{
    struct err err = {0};
    struct door_guest guest;
    SCOPED(fd_close) int door = -1;
    assert_int_equal(door_open(dir, -1, &door, &err), 0);
    pid_t pid = guest_who_says(said->data, said->len);
    if (!door_admit(door, -1, again ? pid : 0, token, 5, soon(), &guest, &err)) {
        err.code = ERR_NONE;
        assert_int_equal(guest.pid, pid);
        uint64_t ticks;
        assert_int_equal(pid_start_ticks(pid, &ticks, &err), 0);
        assert_true(ticks == guest.start_ticks);
        pid_t known = 0;
        assert_int_equal(pid_of_pidfd(guest.pidfd, &known, &err), 0);
        assert_int_equal(known, pid);
        close(guest.socket);
        close(guest.pidfd);
        err.code = ERR_NONE;
    }
    door_remove(dir);
    fd_close(&door);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return err.code;
}

static enum err_code admit_hello(int64_t version, const uint8_t *said, bool again)
{
    SCOPED(bytes_close) struct bytes out = bytes_open(4096);
    put_hello(&out, version, said);
    put_execs(&out, 0);
    return admit(&out, again);
}

static void lets_in_who_says_hello(void **state)
{
    (void)state;
    assert_int_equal(admit_hello(FRAME_VERSION, NULL, false), ERR_NONE);
    assert_int_equal(admit_hello(FRAME_VERSION, token, true), ERR_NONE);
}

static void turns_away_wrong_versions_and_tokens(void **state)
{
    (void)state;
    assert_int_equal(admit_hello(FRAME_VERSION + 1, NULL, false), ERR_PEER);
    assert_int_equal(admit_hello(FRAME_VERSION, token, false), ERR_PEER);
    assert_int_equal(admit_hello(FRAME_VERSION, NULL, true), ERR_PEER);
    assert_int_equal(admit_hello(FRAME_VERSION, other_token, true), ERR_PEER);
}

static void turns_away_who_says_anything_else(void **state)
{
    (void)state;
    struct err err;
    SCOPED(bytes_close) struct bytes out = bytes_open(4096);
    put_hello(&out, FRAME_VERSION, NULL);
    put_hello(&out, FRAME_VERSION, NULL);
    assert_int_equal(admit(&out, false), ERR_PEER);
    bytes_clear(&out);
    struct frame_pong pong = {.nonce = 1};
    assert_int_equal(frame_put_pong(&out, &pong, &err), 0);
    assert_int_equal(admit(&out, false), ERR_PEER);
    bytes_clear(&out);
    assert_int_equal(bytes_addf(&out, &err, "GET / HTTP/1.1\r\n\r\n"), 0);
    assert_int_equal(admit(&out, false), ERR_PEER);
    bytes_clear(&out);
    static const uint8_t endless[9] = {0, 1, 0, 0, 0, 0, 0, 0, FRAME_HELLO};
    uint8_t body[600] = {0x81, 0xa1, 'x', 0xc5, 0xff, 0x00};
    assert_int_equal(bytes_add(&out, endless, sizeof endless, &err), 0);
    assert_int_equal(bytes_add(&out, body, sizeof body, &err), 0);
    assert_int_equal(admit(&out, false), ERR_PEER);
}

/* What lies behind EXECS may bring descriptors, so it stays in the socket for the link. */
static void reads_the_newest_number_and_not_a_byte_more(void **state)
{
    (void)state;
    struct err err;
    struct door_guest guest;
    SCOPED(fd_close) int door = -1;
    SCOPED(bytes_close) struct bytes said = bytes_open(4096);
    put_hello(&said, FRAME_VERSION, NULL);
    put_execs(&said, 4000000000);
    assert_int_equal(bytes_addf(&said, &err, "rest"), 0);
    assert_int_equal(door_open(dir, -1, &door, &err), 0);
    pid_t pid = guest_who_says(said.data, said.len);
    if (door_admit(door, -1, 0, token, 5, soon(), &guest, &err))
        fail_msg("%s", err.text);
    assert_true(guest.newest_exec == 4000000000);
    char rest[8] = "";
    assert_int_equal(recv(guest.socket, rest, sizeof rest - 1, 0), 4);
    assert_string_equal(rest, "rest");
    close(guest.socket);
    close(guest.pidfd);
    door_remove(dir);
    fd_close(&door);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void waits_no_longer_than_its_deadline(void **state)
{
    (void)state;
    struct err err;
    struct door_guest guest;
    SCOPED(fd_close) int door = -1;
    assert_int_equal(door_open(dir, -1, &door, &err), 0);
    assert_int_equal(door_admit(door, -1, 0, token, 0, clock_boot_ns(), &guest, &err), -1);
    assert_int_equal(err.code, ERR_DEADLINE);
    pid_t mute = guest_who_says("", 0);
    assert_int_equal(door_admit(door, -1, 0, token, 0, clock_boot_ns() + S_NS / 5, &guest, &err),
                     -1);
    assert_int_equal(err.code, ERR_DEADLINE);
    door_remove(dir);
    fd_close(&door);
    assert_int_equal(waitpid(mute, NULL, 0), mute);
}

static void ends_the_wait_when_the_launcher_ends(void **state)
{
    (void)state;
    struct err err;
    struct door_guest guest;
    SCOPED(fd_close) int door = -1;
    assert_int_equal(door_open(dir, -1, &door, &err), 0);
    pid_t launcher = fork();
    if (!launcher)
        _exit(0);
    SCOPED(fd_close) int pidfd = (int)syscall(SYS_pidfd_open, launcher, 0);
    assert_int_equal(door_admit(door, pidfd, 0, token, 0, soon(), &guest, &err), -1);
    assert_int_equal(err.code, ERR_RUNTIME);
    assert_int_equal(waitpid(launcher, NULL, 0), launcher);
    door_remove(dir);
}

/* Others of the sandbox knock first, say the right things and stay: init gets in all the same. */
static void lets_in_only_the_one_it_waits_for(void **state)
{
    (void)state;
    struct err err;
    struct door_guest guest;
    SCOPED(fd_close) int door = -1;
    SCOPED(bytes_close) struct bytes hello = bytes_open(4096);
    put_hello(&hello, FRAME_VERSION, token);
    put_execs(&hello, 0);
    assert_int_equal(door_open(dir, -1, &door, &err), 0);
    pid_t others[3];
    for (size_t i = 0; i < COUNT(others); i++)
        others[i] = guest_who_says(hello.data, hello.len);
    pid_t init = guest_who_says(hello.data, hello.len);
    if (door_admit(door, -1, init, token, 0, soon(), &guest, &err))
        fail_msg("%s", err.text);
    assert_int_equal(guest.pid, init);
    close(guest.socket);
    close(guest.pidfd);
    door_remove(dir);
    fd_close(&door);
    for (size_t i = 0; i < COUNT(others); i++)
        assert_int_equal(waitpid(others[i], NULL, 0), others[i]);
    assert_int_equal(waitpid(init, NULL, 0), init);
}

static void the_socket_is_its_owners_alone(void **state)
{
    (void)state;
    struct err err;
    struct stat st;
    char path[128];
    SCOPED(fd_close) int door = -1;
    assert_int_equal(door_open(dir, -1, &door, &err), 0);
    snprintf(path, sizeof path, "%s/" DOOR_NAME, dir);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    door_remove(dir);
    assert_int_equal(access(path, F_OK), -1);
    char deep[140];
    memset(deep, 'a', sizeof deep);
    deep[sizeof deep - 1] = 0;
    assert_int_equal(door_open(deep, -1, &door, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

static void a_pid_is_believed_only_with_its_start_time(void **state)
{
    (void)state;
    struct err err;
    uint64_t ticks;
    int pidfd = -1;
    assert_int_equal(pid_start_ticks(getpid(), &ticks, &err), 0);
    assert_int_equal(pid_open(getpid(), ticks, &pidfd, &err), 0);
    assert_int_equal(pid_wait_dead(pidfd, clock_boot_ns(), &err), -1);
    assert_int_equal(err.code, ERR_DEADLINE);
    fd_close(&pidfd);
    assert_int_equal(pid_open(getpid(), ticks + 1, &pidfd, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    pid_t child = fork();
    if (!child)
        _exit(0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(pid_start_ticks(child, &ticks, &err), 0);
    assert_int_equal(pid_open(child, ticks, &pidfd, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(pid_open(child, ticks, &pidfd, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/corral-test-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_in_who_says_hello),
        cmocka_unit_test(turns_away_wrong_versions_and_tokens),
        cmocka_unit_test(turns_away_who_says_anything_else),
        cmocka_unit_test(reads_the_newest_number_and_not_a_byte_more),
        cmocka_unit_test(waits_no_longer_than_its_deadline),
        cmocka_unit_test(ends_the_wait_when_the_launcher_ends),
        cmocka_unit_test(lets_in_only_the_one_it_waits_for),
        cmocka_unit_test(the_socket_is_its_owners_alone),
        cmocka_unit_test(a_pid_is_believed_only_with_its_start_time),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
