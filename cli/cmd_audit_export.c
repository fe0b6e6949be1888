/* corral audit export: the record for other programs, by pages, from a number on.
 *
 * An interrupt ends it behind a whole page. What it says last on stderr is where to go on.
 */
#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/audit.h"
#include "cli/export.h"
#include "cli/logs.h"
#include "cli/print.h"
#include "cli/units.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PAGE_ROWS = 500, PAGE_BYTES = 64 * 1024 * 1024, BAR_CELLS = 30, INTERRUPTED = 130 };

struct exporting {
    struct connect connect;
    const struct export_format *format;
    struct logs_query query;
    int64_t first, newest, last, rows; /* numbers; `last` 0: nothing was written */
    int to;
    const char *path; /* NULL: stdout */
    bool shows_progress;
};

static void exporting_close(struct exporting *e)
{
    connect_close(&e->connect);
    if (e->path)
        fd_close(&e->to);
}

/* --from goes on in the file; otherwise there must be none. */
static int open_output(struct exporting *e, bool goes_on, struct err *err)
{
    e->to = STDOUT_FILENO;
    if (!e->path)
        return 0;
    e->to = open(e->path, O_WRONLY | O_CREAT | O_CLOEXEC | (goes_on ? O_APPEND : O_EXCL), 0600);
    return e->to < 0 ? err_sys(err, "opening %s", e->path) : 0;
}

static void show_progress(const struct exporting *e)
{
    if (!e->shows_progress)
        return;
    double all = (double)(e->newest - e->first + 1), done = (double)(e->last - e->first + 1);
    int percent = all > 0 && done < all ? (int)(100 * done / all) : 100;
    int cells = percent * BAR_CELLS / 100;
    fprintf(stderr, "\r[%.*s%*s] %3d %%  %lld records", cells, "##############################",
            BAR_CELLS - cells, "", percent, (long long)e->rows);
}

static int write_page(struct exporting *e, const struct logs_page *page, struct err *err)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(PAGE_BYTES);
    struct list rest = page->rows;
    struct log_row row;
    int64_t last = e->last;
    while (list_next(&rest, &message_log_row, &row)) {
        if (e->format->row(&row, &text, err))
            return err_add(err, "record %lld", (long long)row.gseq);
        last = row.gseq;
    }
    if (text.len && file_write_all(e->to, text.data, text.len, err))
        return -1;
    e->last = last;
    e->rows += page->rows.count;
    return 0;
}

static int find_newest(struct exporting *e, struct err *err)
{
    const struct logs_query newest = {.limit = 1};
    struct logs_page page;
    struct log_row row;
    if (connect_ask(&e->connect, &logs_question, &newest, &page, err))
        return -1;
    e->newest = list_next(&page.rows, &message_log_row, &row) ? row.gseq : 0;
    return 0;
}

static bool is_interrupted(void)
{
    sigset_t pending;
    return !sigpending(&pending) &&
           (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

/* Signals wait from here on: they are looked at between two pages. */
static void hold_signals(void)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
}

static int write_pages(struct exporting *e, struct err *err)
{
    struct logs_page page = {.next = e->query.from_gseq};
    while (page.next && !is_interrupted()) {
        e->query.from_gseq = page.next;
        if (connect_ask(&e->connect, &logs_question, &e->query, &page, err) ||
            write_page(e, &page, err))
            return -1;
        show_progress(e);
    }
    return page.next ? INTERRUPTED : 0;
}

static int begin(struct exporting *e, bool goes_on, struct err *err)
{
    SCOPED(bytes_close) struct bytes head = bytes_open(PAGE_BYTES);
    if (goes_on || !e->format->begin)
        return 0;
    return e->format->begin(&head, err) || file_write_all(e->to, head.data, head.len, err) ? -1 : 0;
}

/* A part that was written before a failure is there: where it ends is said in any case. */
static int run(struct exporting *e, bool goes_on, struct err *err)
{
    hold_signals();
    e->first = e->query.from_gseq;
    if (find_newest(e, err) || open_output(e, goes_on, err) || begin(e, goes_on, err))
        return -1;
    int code = write_pages(e, err);
    if (e->shows_progress)
        fputc('\n', stderr);
    if (e->path && fsync(e->to) && !code)
        code = err_sys(err, "syncing %s", e->path);
    if (e->last)
        print_note("last gseq %lld; go on with --from %lld", (long long)e->last,
                   (long long)e->last + 1);
    else
        print_note("no record; go on with --from %lld", (long long)e->first);
    return code;
}

int audit_export(struct cli *cli, int argc, char **argv, struct err *err)
{
    SCOPED(exporting_close) struct exporting e = {.query = {.limit = PAGE_ROWS}};
    const char *format = "jsonl", *agent = NULL, *tenant = NULL;
    const struct option options[] = {
        {"format", 0, "FORMAT", option_text, &format, "jsonl (default), csv or ocsf (1.3.0)."},
        {"from", 0, "GSEQ", units_count, &e.query.from_gseq,
         "Goes on from this number; without a header, and FILE is added to."},
        {"since", 0, "TIME", units_time_ns, &e.query.since_ns, "1h (ago), or RFC 3339."},
        {"until", 0, "TIME", units_time_ns, &e.query.until_ns, "Older than this."},
        {"agent", 0, "NAME", option_text, &agent, "Only this agent's."},
        {"tenant", 0, "T", option_text, &tenant, "Only this tenant's."},
        {"to", 0, "FILE", option_text, &e.path, "Instead of stdout; must not be there."},
        {0},
    };
    struct args args;
    if (command_parse(cli, options, argc, argv, &args, err))
        return -1;
    if (args.help)
        return 0;
    bool goes_on = e.query.from_gseq;
    e.query.whole = true;
    e.query.from_gseq += !goes_on;
    e.format = export_format(format);
    e.shows_progress = isatty(STDERR_FILENO) && !cli->quiet;
    if (!e.format)
        return err_set(err, ERR_INVALID, "--format: jsonl, csv or ocsf");
    if (audit_fill(e.query.agent, sizeof e.query.agent, "--agent", agent, err) ||
        audit_fill(e.query.tenant, sizeof e.query.tenant, "--tenant", tenant, err) ||
        connect_open(cli, &e.connect, err))
        return -1;
    return run(&e, goes_on, err);
}
