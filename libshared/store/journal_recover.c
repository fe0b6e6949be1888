/* journal_recover.c - what is on disk at start; see journal.h.
 *
 * Every segment is read and checked, and each joint between two: a segment's header names the one
 * before it and that one's last record. Nothing is changed before all of it has been found good.
 * An epoch's directory without a segment was never used, or was emptied by a stranger: both are a
 * lost journal, and a larger epoch begins.
 */
#include "store/journal_own.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGITS = 20 };

static void list_close(struct segment_list *list)
{
    free(list->items);
    *list = (struct segment_list){0};
}

static void dir_stream_close(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* The number in a name of twenty digits and `suffix`; 0: another name. */
static uint64_t number_of(const char *name, const char *suffix)
{
    if (strspn(name, "0123456789") != DIGITS || strcmp(name + DIGITS, suffix))
        return 0;
    errno = 0;
    unsigned long long number = strtoull(name, NULL, 10);
    return errno || number > INT64_MAX ? 0 : number;
}

static int compare(const void *a, const void *b)
{
    const struct segment *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* The numbers in the names of a directory, ascending, as `first`. */
static int list_numbers(int dirfd, const char *suffix, struct segment_list *out, struct err *err)
{
    SCOPED(list_close) struct segment_list list = {0};
    SCOPED(fd_close) int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    SCOPED(dir_stream_close) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir)
        return err_sys(err, "listing the directory");
    fd_take(&fd);
    errno = 0;
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        uint64_t number = number_of(e->d_name, suffix);
        if (!number)
            continue;
        if (segment_list_reserve(&list, err))
            return -1;
        list.items[list.count++] = (struct segment){.first = number};
        errno = 0;
    }
    if (errno)
        return err_sys(err, "listing the directory");
    if (list.count)
        qsort(list.items, list.count, sizeof *list.items, compare);
    *out = list;
    list = (struct segment_list){0};
    return 0;
}

static void epoch_name(char to[SEGMENT_NAME_BYTES], uint64_t epoch)
{
    snprintf(to, SEGMENT_NAME_BYTES, "%020llu", (unsigned long long)epoch);
}

static int open_epoch(int root, uint64_t epoch, int *out, struct err *err)
{
    char name[SEGMENT_NAME_BYTES];
    epoch_name(name, epoch);
    int fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, "opening %s", name);
    *out = fd;
    return 0;
}

/* Finds the epoch that has segments: j->dir, j->epoch and j->segments, or none of them. */
static int find_epoch(struct journal *j, int root, const struct segment_list *epochs,
                      struct err *err)
{
    for (size_t i = 0; i < epochs->count; i++) {
        SCOPED(fd_close) int dir = -1;
        SCOPED(list_close) struct segment_list list = {0};
        if (open_epoch(root, epochs->items[i].first, &dir, err) ||
            list_numbers(dir, ".seg", &list, err))
            return -1;
        if (!list.count)
            continue;
        if (j->segments.count)
            return err_set(err, ERR_STORE, "the epochs %llu and %llu both have segments",
                           (unsigned long long)j->epoch,
                           (unsigned long long)epochs->items[i].first);
        j->epoch = epochs->items[i].first;
        j->dir = fd_take(&dir);
        j->segments = list;
        list = (struct segment_list){0};
    }
    return 0;
}

/* A new epoch, larger than every one that was ever known, with its first segment. */
static int begin_epoch(struct journal *j, int root, const struct segment_list *epochs,
                       uint64_t known, struct err *err)
{
    char name[SEGMENT_NAME_BYTES];
    for (size_t i = 0; i < epochs->count; i++) {
        known = epochs->items[i].first > known ? epochs->items[i].first : known;
        epoch_name(name, epochs->items[i].first);
        if (dir_remove(root, name, err))
            return -1;
    }
    uint64_t now = (uint64_t)clock_wall_ns();
    j->epoch = known < now ? now : known + 1;
    epoch_name(name, j->epoch);
    if (mkdirat(root, name, 0700))
        return err_sys(err, "mkdir %s", name);
    if (open_epoch(root, j->epoch, &j->dir, err) || journal_make_spare(j, err) ||
        journal_zero_spare(j, j->segment_bytes, err) || journal_switch(j, 1, err))
        return err_add(err, "epoch %s", name);
    return dir_sync(root, err);
}

/* The header of segment `this` is ours and goes with its name. */
static int check_header(const struct journal *j, const struct segment *this,
                        const struct segment_header *header, struct err *err)
{
    if (memcmp(header->source, j->source, sizeof j->source))
        return err_set(err, ERR_STORE, "the segment belongs to another source");
    if (header->epoch != j->epoch || header->first_seq != this->first)
        return err_set(err, ERR_STORE, "the header says epoch %llu, record %llu",
                       (unsigned long long)header->epoch, (unsigned long long)header->first_seq);
    return 0;
}

/* Segment `this` continues the one before it. */
static int check_joint(const struct segment_scan *before, const struct segment_scan *this,
                       struct err *err)
{
    uint64_t first = before->header.first_seq, next = before->last_seq + 1;
    char missing[SEGMENT_NAME_BYTES], name[SEGMENT_NAME_BYTES];
    segment_name(missing, this->header.before_first);
    segment_name(name, first);
    if (this->header.before_first != first)
        return err_set(err, ERR_STORE, "segment %s, which comes before it, is missing", missing);
    if (before->torn || next != this->header.first_seq)
        return err_set(err, ERR_STORE, "segment %s, offset %zu: record %llu is damaged or missing",
                       name, before->end, (unsigned long long)next);
    if (before->tail != this->header.before_tail)
        return err_set(err, ERR_STORE,
                       "segment %s, record %llu is not the one that was there: another copy?", name,
                       (unsigned long long)before->last_seq);
    return 0;
}

static int scan_segment(const struct journal *j, struct segment *this, struct segment_scan *scan,
                        size_t *size, struct err *err)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, this->first);
    SCOPED(bytes_close) struct bytes whole = {0};
    if (file_read(j->dir, name, SEGMENT_MAX_BYTES, &whole, err))
        return -1;
    if (segment_scan(bytes_view(&whole), scan, err) || check_header(j, this, &scan->header, err))
        return err_add(err, "segment %s", name);
    this->used = scan->end;
    *size = whole.len;
    return 0;
}

/* Reads all segments; *last is the scan of the newest one. */
static int scan_segments(struct journal *j, struct segment_scan *last, struct err *err)
{
    struct segment_scan before = {0}, scan = {0};
    for (size_t i = 0; i < j->segments.count; i++) {
        if (scan_segment(j, &j->segments.items[i], &scan, &j->size, err))
            return -1;
        if (i && check_joint(&before, &scan, err)) {
            char name[SEGMENT_NAME_BYTES];
            segment_name(name, scan.header.first_seq);
            return err_add(err, "segment %s", name);
        }
        before = scan;
    }
    *last = scan;
    return 0;
}

/* What others have seen of this journal must still be in it. */
static int check_known(const struct journal *j, const struct segment_scan *last,
                       const struct journal_options *options, struct err *err)
{
    if (j->epoch < options->known_epoch)
        return err_set(err, ERR_STORE, "epoch %llu is older than the known %llu: an older copy?",
                       (unsigned long long)j->epoch, (unsigned long long)options->known_epoch);
    if (j->epoch == options->known_epoch && last->last_seq < options->known_seq) {
        char name[SEGMENT_NAME_BYTES];
        segment_name(name, last->header.first_seq);
        return err_set(
            err, ERR_STORE,
            "segment %s, offset %zu: the journal ends at record %llu, but %llu was seen: "
            "a segment removed, or an older copy?",
            name, last->end, (unsigned long long)last->last_seq,
            (unsigned long long)options->known_seq);
    }
    return 0;
}

/* Opens the newest segment for writing, without the torn tail, and syncs it: what a killed process
 * had written may be in the page cache only. */
static int continue_segment(struct journal *j, const struct segment_scan *last, struct err *err)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, last->header.first_seq);
    j->fd = openat(j->dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (j->fd < 0)
        return err_sys(err, "opening segment %s", name);
    if (journal_write_zeros(j->fd, last->end, last->torn, err) || file_sync(j->fd, err))
        return err_add(err, "segment %s", name);
    j->header = last->header;
    j->tail = last->tail;
    j->fill = last->end;
    j->last = j->written = last->last_seq;
    atomic_store(&j->durable, j->last);
    return 0;
}

int journal_recover(struct journal *j, int root, const struct journal_options *options,
                    struct journal_found *found, struct err *err)
{
    SCOPED(list_close) struct segment_list epochs = {0};
    if (list_numbers(root, "", &epochs, err) || find_epoch(j, root, &epochs, err))
        return -1;
    if (!j->segments.count) {
        *found = (struct journal_found){.fresh = true};
        return begin_epoch(j, root, &epochs, options->known_epoch, err);
    }
    struct segment_scan last = {0};
    if (scan_segments(j, &last, err) || check_known(j, &last, options, err) ||
        continue_segment(j, &last, err))
        return err_add(err, "epoch %llu", (unsigned long long)j->epoch);
    *found = (struct journal_found){.torn_bytes = last.torn};
    return 0;
}
