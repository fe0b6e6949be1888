/* The connection's two ends: frames and descriptors in order, ends, bounds. */
#include "init/line.h"

#include "base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

struct pair {
    struct line a, b;
};

static struct pair pair_open(void)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    return (struct pair){line_open(ends[0]), line_open(ends[1])};
}

static void pair_close(struct pair *p)
{
    line_close(&p->a);
    line_close(&p->b);
}

/* The next frame at b, reading and letting a send as needed. */
static struct frame next(struct pair *p)
{
    struct err err;
    struct frame frame;
    for (;;) {
        assert_int_equal(line_next(&p->b, &frame, &err), 0);
        if (frame.kind != FRAME_NONE)
            return frame;
        assert_int_equal(line_flush(&p->a, &err), 0);
        struct pollfd fd = {p->b.fd, POLLIN, 0};
        assert_int_equal(poll(&fd, 1, -1), 1);
        assert_int_equal(line_receive(&p->b, &err), 0);
    }
}

/* True when fd shows the file that was passed as number i: a memfd of i bytes. */
static bool is_number(int fd, int i)
{
    struct stat st;
    return !fstat(fd, &st) && st.st_size == i;
}

static void descriptors_arrive_in_the_order_of_their_frames(void **state)
{
    (void)state;
    struct err err;
    SCOPED(pair_close) struct pair p = pair_open();
    for (uint32_t i = 1; i <= 20; i++) {
        SCOPED(fd_close) int fd = memfd_create("number", MFD_CLOEXEC);
        assert_int_equal(ftruncate(fd, (off_t)i), 0);
        if (i % 3)
            assert_int_equal(line_pass(&p.a, fd, &err), 0);
        struct frame_spawned m = {.id = i};
        assert_int_equal(frame_put_spawned(&p.a.out, &m, &err), 0);
    }
    for (uint32_t i = 1; i <= 20; i++) {
        struct frame frame = next(&p);
        assert_int_equal(frame.id, i);
        if (i % 3 == 0)
            continue;
        SCOPED(fd_close) int fd = line_take_fd(&p.b);
        assert_true(is_number(fd, (int)i));
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    }
    assert_int_equal(line_take_fd(&p.b), -1);
}

static void carries_more_than_the_socket_holds(void **state)
{
    (void)state;
    struct err err;
    static uint8_t data[FRAME_CHUNK_BYTES];
    SCOPED(pair_close) struct pair p = pair_open();
    for (int i = 0; i < 24; i++) {
        memset(data, i, sizeof data);
        SCOPED(fd_close) int fd = memfd_create("number", MFD_CLOEXEC);
        assert_int_equal(ftruncate(fd, i), 0);
        assert_int_equal(line_pass(&p.a, fd, &err), 0);
        struct frame_output m = {.id = 1, .stream = 1, .data = {data, sizeof data}};
        assert_int_equal(frame_put_output(&p.a.out, &m, &err), 0);
    }
    assert_int_equal(line_flush(&p.a, &err), 0);
    assert_true(p.a.out.len > 0);
    for (int i = 0; i < 24; i++) {
        struct frame frame = next(&p);
        struct frame_output m;
        assert_int_equal(frame_get_output(&frame, &m, &err), 0);
        memset(data, i, sizeof data);
        assert_true(view_equal(m.data, (struct view){data, sizeof data}));
        SCOPED(fd_close) int fd = line_take_fd(&p.b);
        assert_true(is_number(fd, i));
    }
    line_trim(&p.a);
    assert_null(p.a.out.data);
}

static void says_that_the_other_end_is_gone(void **state)
{
    (void)state;
    struct err err;
    SCOPED(pair_close) struct pair p = pair_open();
    line_close(&p.b);
    assert_int_equal(p.b.fd, -1);
    assert_int_equal(frame_put_ping(&p.a.out, &(struct frame_ping){.nonce = 1}, &err), 0);
    assert_int_equal(line_flush(&p.a, &err), -1);
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_int_equal(line_receive(&p.a, &err), -1);
    assert_int_equal(err.code, ERR_UNAVAILABLE);
}

/* Sends one byte with `count` descriptors. */
static void send_fds(int to, int count)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    int fds[2] = {0, 0};
    struct iovec part = {"", 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_SPACE((size_t)count * sizeof(int))};
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    memcpy(CMSG_DATA(&control.head), fds, sizeof fds);
    assert_int_equal(sendmsg(to, &message, 0), 1);
}

static void refuses_a_flood_of_descriptors(void **state)
{
    (void)state;
    struct err err;
    SCOPED(pair_close) struct pair p = pair_open();
    for (int i = 0; i < LINE_FDS; i++) {
        send_fds(p.a.fd, 1);
        assert_int_equal(line_receive(&p.b, &err), 0);
    }
    send_fds(p.a.fd, 1);
    assert_int_equal(line_receive(&p.b, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
}

static int open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;
    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void refuses_two_descriptors_in_one_message(void **state)
{
    (void)state;
    struct err err;
    SCOPED(pair_close) struct pair p = pair_open();
    int before = open_fds();
    send_fds(p.a.fd, 2);
    assert_int_equal(line_receive(&p.b, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
    line_close(&p.b);
    assert_int_equal(open_fds(), before - 1); /* b's socket; none of the two stayed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_arrive_in_the_order_of_their_frames),
        cmocka_unit_test(carries_more_than_the_socket_holds),
        cmocka_unit_test(says_that_the_other_end_is_gone),
        cmocka_unit_test(refuses_a_flood_of_descriptors),
        cmocka_unit_test(refuses_two_descriptors_in_one_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
