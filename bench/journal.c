/* journal.c - how long a record takes to be durable, beside what the disk needs for the same bytes.
 *
 *   bench-journal DIRECTORY COUNT
 *
 * Prints "journal NS" and "disk NS" for each of COUNT appends, in turns: a record of RECORD_BYTES
 * appended and waited for as a loop thread does; the same bytes written into a file that has its
 * blocks already, and fdatasync.
 */
#include "base/clock.h"
#include "base/scope.h"
#include "store/journal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_BYTES = 512 };

static int64_t append(struct journal *j, const uint8_t record[RECORD_BYTES], struct err *err)
{
    uint64_t seq;
    int64_t begin = clock_boot_ns();
    if (journal_append(j, 1, (struct view){record, RECORD_BYTES}, &seq, err))
        return -1;
    while (journal_durable(j) < seq && !journal_failed(j, err)) {
        struct pollfd fd = {journal_fd(j), POLLIN, 0};
        poll(&fd, 1, -1);
        journal_fd_clear(j);
    }
    return journal_durable(j) < seq ? -1 : clock_boot_ns() - begin;
}

static int64_t write_and_sync(int fd, long number, const uint8_t record[RECORD_BYTES],
                              struct err *err)
{
    int64_t begin = clock_boot_ns();
    if (pwrite(fd, record, RECORD_BYTES, number * RECORD_BYTES) != RECORD_BYTES || fdatasync(fd))
        return err_sys(err, "writing to the plain file");
    return clock_boot_ns() - begin;
}

static int run(const char *path, long count, struct err *err)
{
    struct journal_options options = {.source = "bench"};
    struct journal_found found;
    SCOPED(journal_free) struct journal *j = NULL;
    SCOPED(fd_close) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    SCOPED(fd_close) int plain = openat(dir, "plain", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    uint8_t record[RECORD_BYTES];
    memset(record, 'x', sizeof record);
    for (long i = 0; i < count; i++) /* written once, so that fdatasync has no blocks to find */
        if (pwrite(plain, record, sizeof record, i * RECORD_BYTES) != RECORD_BYTES)
            return err_sys(err, "making the plain file in %s", path);
    if (fsync(plain) || journal_open(dir, "journal", &options, &j, &found, err))
        return err_add(err, "opening a journal in %s", path);
    for (long i = 0; i < count; i++) {
        int64_t journal_ns = append(j, record, err);
        int64_t disk_ns = journal_ns < 0 ? -1 : write_and_sync(plain, i, record, err);
        if (disk_ns < 0)
            return -1;
        printf("journal %lld\ndisk %lld\n", (long long)journal_ns, (long long)disk_ns);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct err err;
    if (argc != 3) {
        fprintf(stderr, "usage: bench-journal DIRECTORY COUNT\n");
        return 2;
    }
    if (!run(argv[1], atol(argv[2]), &err))
        return 0;
    fprintf(stderr, "bench-journal: %s\n", err.text);
    return 1;
}
