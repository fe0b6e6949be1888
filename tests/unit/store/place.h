/* place.h - what the journal's tests share: a directory of their own, records whose content follows
 * from their number, and waiting for the journal's own notice. */
#pragma once

#include "base/file.h"
#include "base/scope.h"
#include "store/journal.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char path[64];
    int dir;
};

static inline struct place place_open(void)
{
    struct place p = {.path = "/tmp/corral-store-XXXXXX"};
    assert_non_null(mkdtemp(p.path));
    p.dir = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(p.dir >= 0);
    return p;
}

static inline void place_close(struct place *p)
{
    struct err err;
    fd_close(&p->dir);
    assert_int_equal(dir_remove(AT_FDCWD, p->path, &err), 0);
}

static inline struct journal_options small_options(void)
{
    return (struct journal_options){
        .source = "source for tests",
        .segment_bytes = SEGMENT_MIN_BYTES,
        .queue_bytes = SEGMENT_MIN_BYTES,
    };
}

static inline struct journal *journal_reopen(const struct place *p, struct journal_found *found)
{
    struct err err;
    struct journal *j = NULL;
    struct journal_options options = small_options();
    if (journal_open(p->dir, "j", &options, &j, found, &err))
        fail_msg("journal_open: %s", err.text);
    return j;
}

/* Waits until `seq` is durable (0) or the journal failed (-1). */
static inline int wait_durable(struct journal *j, uint64_t seq, struct err *err)
{
    while (journal_durable(j) < seq) {
        if (journal_failed(j, err))
            return -1;
        struct pollfd ready = {.fd = journal_fd(j), .events = POLLIN};
        assert_int_equal(poll(&ready, 1, -1), 1);
        journal_fd_clear(j);
    }
    return 0;
}

/* The content of record `seq`: its number, then letters; 24 to 1,623 bytes. */
static inline struct view content(uint64_t seq, char to[2048])
{
    size_t len = 24 + (size_t)(seq * 7919 % 1600);
    memset(to, 'a' + (int)(seq % 26), len);
    to[snprintf(to, 24, "record %llu", (unsigned long long)seq)] = ' ';
    return (struct view){(uint8_t *)to, len};
}

/* Appends the record that comes next and waits until it is durable. */
static inline int append_durably(struct journal *j, uint64_t *seq, struct err *err)
{
    char text[2048];
    uint64_t next = journal_last(j) + 1;
    if (journal_append(j, (uint16_t)(next % 100), content(next, text), seq, err))
        return -1;
    assert_int_equal(*seq, next);
    return wait_durable(j, next, err);
}

static inline void append_many(struct journal *j, int count)
{
    struct err err;
    uint64_t seq;
    for (int i = 0; i < count; i++)
        if (append_durably(j, &seq, &err))
            fail_msg("append: %s", err.text);
}

/* Reads from `from` to the end and checks every record; the newest seq. */
static inline uint64_t read_all(struct journal *j, uint64_t from)
{
    struct err err;
    SCOPED(journal_cursor_free) struct journal_cursor *cursor = NULL;
    assert_int_equal(journal_cursor_open(j, from, &cursor, &err), 0);
    uint64_t seq = from - 1;
    struct journal_record record;
    char text[2048];
    int got;
    while ((got = journal_next(cursor, &record, &err)) == 1) {
        assert_int_equal(record.seq, ++seq);
        assert_int_equal(record.type, seq % 100);
        assert_true(view_equal(record.payload, content(seq, text)));
    }
    if (got)
        fail_msg("journal_next: %s", err.text);
    return seq;
}

/* The path of a segment in the only epoch of journal "j". */
static inline void segment_path(const struct place *p, uint64_t epoch, uint64_t first, char to[160])
{
    snprintf(to, 160, "%s/j/%020llu/%020llu.seg", p->path, (unsigned long long)epoch,
             (unsigned long long)first);
}

static inline void assert_says(const struct err *err, const char *words)
{
    if (!strstr(err->text, words))
        fail_msg("\"%s\" does not say \"%s\"", err->text, words);
}

/* A journal of several segments; the first seqs of three of them in the middle. */
static inline uint64_t many_segments(const struct place *p, uint64_t first[3], uint64_t *last)
{
    struct journal_found found;
    struct journal *j = journal_reopen(p, &found);
    uint64_t epoch = journal_epoch(j);
    append_many(j, 400);
    *last = journal_last(j);
    journal_free(&j);
    int n = 0;
    for (uint64_t seq = 2; seq < *last && n < 3; seq++) {
        char path[160];
        segment_path(p, epoch, seq, path);
        if (!access(path, F_OK))
            first[n++] = seq;
    }
    assert_int_equal(n, 3);
    return epoch;
}
