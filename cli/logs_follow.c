/* logs_follow.c - corral logs --follow; see logs.h.
 *
 * Records are numbered as they are stored, densely, so that asking for what stands from behind the
 * last number on misses none and repeats none, also over a restart of the audit.
 */
#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/logs.h"
#include "cli/print.h"
#include "cli/show.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { PAGE_ROWS = 500, PAUSE_MS = 200, LINE_BYTES = 65536 };

/* A record on a line: number, time, operation, status or phase, where, what. */
static int print_row(const struct cli *cli, const struct log_row *row, struct err *err)
{
    char time[32];
    const char *state = row->status[0] ? row->status : row->phase;
    SCOPED(bytes_close) struct bytes what = bytes_open(LINE_BYTES);
    SCOPED(bytes_close) struct bytes shown = bytes_open(LINE_BYTES);
    clock_show(time, row->time_ns);
    if (logs_what(row, &what, err) || text_show(&shown, what.data, what.len, err))
        return -1;
    printf("%s%lld%s  %s  %s  %s%s%s  %s%s%s  %s\n", screen_colour(&cli->screen, DIM),
           (long long)row->gseq, screen_plain(&cli->screen), time, row->kind,
           screen_colour(&cli->screen, show_status_colour(row->status)), state,
           row->status[0] ? screen_plain(&cli->screen) : "", row->agent[0] ? row->agent : "-",
           row->sandbox_id[0] ? " " : "", row->sandbox_id,
           shown.len ? (const char *)shown.data : "");
    return 0;
}

static int print_json_line(const struct log_row *row, struct err *err)
{
    SCOPED(bytes_close) struct bytes line = bytes_open(LINE_BYTES);
    if (schema_json(&message_log_row, row, 0, &line, err))
        return -1;
    printf("%s\n", (const char *)line.data);
    return 0;
}

/* Prints a page and returns the number behind its last row; `from` when it has none. */
static int print_page(const struct cli *cli, const struct logs_page *page, int64_t *from,
                      struct err *err)
{
    struct list rest = page->rows;
    struct log_row row;
    while (list_next(&rest, &message_log_row, &row)) {
        if (cli->quiet)
            printf("%lld\n", (long long)row.gseq);
        else if (cli->json ? print_json_line(&row, err) : print_row(cli, &row, err))
            return -1;
        *from = row.gseq + 1;
    }
    return fflush(stdout) || ferror(stdout) ? err_sys(err, "writing to stdout") : 0;
}

/* An interrupt waits for the end of the page. */
static int print_whole(const struct cli *cli, const struct logs_page *page, int64_t *from,
                       struct err *err)
{
    sigset_t ends, before;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, &before);
    int failed = print_page(cli, page, from, err);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return failed;
}

/* What is followed, and how far it is. */
struct follow {
    struct connect *connect;
    struct logs_query query; /* from_gseq: the number to go on with */
    bool is_away;            /* the audit did not answer */
};

/* Asks once; an audit that is away gives an empty page. */
static int ask(struct follow *f, const struct logs_query *query, struct logs_page *page,
               struct err *err)
{
    bool was_away = f->is_away;
    *page = (struct logs_page){0};
    f->is_away = connect_ask(f->connect, &logs_question, query, page, err) != 0;
    if (f->is_away && err->code != ERR_UNAVAILABLE && err->code != ERR_LOST)
        return -1;
    if (f->is_away && !was_away)
        print_note("corral logs: the audit does not answer; waiting for it");
    return 0;
}

static const struct logs_query newest_query = {.limit = 1};

/* The newest number that may be seen, whatever the filters; 0: there is none. */
static int64_t newest_of(struct logs_page page)
{
    struct log_row row;
    return list_next(&page.rows, &message_log_row, &row) ? row.gseq : 0;
}

/* Shows what has come. Up to a number that was there before no record is left out by the page, so
 * that records which the filters leave out are not looked at again each time. */
static int go_on(struct follow *f, bool *more, struct err *err)
{
    struct logs_page page;
    *more = false;
    if (ask(f, &newest_query, &page, err))
        return -1;
    int64_t newest = newest_of(page), *from = &f->query.from_gseq;
    if (newest < *from)
        return 0;
    if (ask(f, &f->query, &page, err) || print_whole(f->connect->cli, &page, from, err))
        return -1;
    *more = page.next;
    if (!f->is_away && !*more && *from <= newest)
        *from = newest + 1;
    return 0;
}

int logs_follow(struct connect *connect, const struct logs_query *query, struct err *err)
{
    struct follow f = {.connect = connect, .query = *query};
    struct logs_page page;
    f.query.limit = PAGE_ROWS;
    f.query.from_gseq = 1;
    if (!query->since_ns) {
        if (connect_ask(connect, &logs_question, &newest_query, &page, err))
            return -1;
        f.query.from_gseq = newest_of(page) + 1;
    }
    print_note("Following the audit's record from number %lld on", (long long)f.query.from_gseq);
    for (;;) {
        bool more;
        if (go_on(&f, &more, err))
            return -1;
        if (!more)
            poll(NULL, 0, PAUSE_MS);
    }
}
