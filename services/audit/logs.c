/* logs.c - questions about the record; see logs.h.
 *
 * The statement is put together from constant texts; every value is a parameter. One filter, the
 * narrowest that is given, chooses the index; a + before the other columns keeps SQLite from
 * choosing another one. Rows of an index of store.c come in the order of gseq, so a page is read
 * without sorting. The one exception is a time range with few rows in it: services' clocks do not
 * give that order, but so few are sorted quickly.
 */
#include "audit/logs.h"

#include "audit/ask.h"
#include "base/scope.h"
#include "base/text.h"
#include "data/pack.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    DEFAULT_ROWS = 50,
    NARROW_ROWS = 2000, /* a time range of fewer is read by time and sorted, in a few ms */
    PAGE_BYTES = FRAME_MAX_BYTES - 16384, /* leaves room for the largest row and what is around */
    PAGE_NODES = FRAME_MAX_NODES - 64     /* the same */
};

static int64_t limit_of(const struct logs_query *in)
{
    return in->limit ? in->limit : DEFAULT_ROWS;
}

/* A time range: since_ns <= time < until_ns. */
struct span {
    bool is_given, is_narrow;
    int64_t since_ns, until_ns;
};

struct logs_scope logs_scope(const struct call *call)
{
    struct logs_scope scope = {.all_tenants = call->roles & ROLE_ADMIN,
                               .all_agents = call->roles & (ROLE_OPERATOR | ROLE_OBSERVER)};
    text_copy(scope.tenant, sizeof scope.tenant, call->tenant);
    if (call->roles & ROLE_AGENT)
        memcpy(scope.agents, call->row->agents, sizeof scope.agents);
    return scope;
}

static void say_filters(struct ask *q, const struct logs_query *in, bool *has_index)
{
    const struct {
        const char *column, *text;
    } without_index[] = {{" AND +principal = ", in->principal},
                         {" AND +cause = ", in->cause},
                         {" AND +rule = ", in->rule},
                         {" AND +op_id = ", in->op_id},
                         {" AND +verdict_id = ", in->verdict_id}};
    ask_equal(q, "sandbox_id", in->sandbox_id, has_index);
    ask_equal(q, "agent", in->agent, has_index);
    if (in->status[0] && strcmp(in->status, "success"))
        ask_equal(q, "status <> 'success' AND status", in->status, has_index); /* see store.c */
    else if (in->status[0])
        ask_text(q, " AND +status = ", in->status);
    ask_equal(q, "kind", in->operation, has_index);
    ask_equal(q, "tenant", in->tenant, has_index);
    for (size_t i = 0; i < COUNT(without_index); i++)
        if (*without_index[i].text)
            ask_text(q, without_index[i].column, without_index[i].text);
}

static void say_question(struct ask *q, const struct logs_scope *scope, const struct logs_query *in,
                         struct span span)
{
    bool has_index = span.is_narrow;
    ask_say(q, "SELECT gseq, time_ns, (SELECT name FROM source WHERE id = event.source), seq, kind,"
               " phase, status, tenant, principal, agent, sandbox_id, op_id, cause, rule,"
               " verdict_id, risk, exit_code, duration_ms, command, detail, type, length(body)");
    ask_say(q, in->whole ? ", body FROM event" : " FROM event");
    ask_say(q, span.is_narrow ? " INDEXED BY event_time WHERE 1" : " WHERE 1");
    if (span.is_given) {
        ask_number(q, has_index ? " AND time_ns >= " : " AND +time_ns >= ", span.since_ns);
        ask_number(q, has_index ? " AND time_ns < " : " AND +time_ns < ", span.until_ns);
    }
    say_filters(q, in, &has_index);
    ask_scope(q, scope, &has_index);
    if (in->cursor)
        ask_number(q, " AND gseq < ", in->cursor);
    if (in->from_gseq)
        ask_number(q, " AND gseq >= ", in->from_gseq);
    ask_number(q, in->from_gseq ? " ORDER BY gseq LIMIT " : " ORDER BY gseq DESC LIMIT ",
               limit_of(in) + 1);
}

/* Reads the time range and how much is in it. Whoever reads from a number on goes by numbers. */
static int look_at_span(struct db *db, const struct logs_query *in, struct span *out,
                        struct err *err)
{
    struct span span = {.until_ns = INT64_MAX};
    bool since = schema_has(&message_logs_query, in, "since_ns");
    bool until = schema_has(&message_logs_query, in, "until_ns");
    span.is_given = since || until;
    span.since_ns = in->since_ns;
    if (until)
        span.until_ns = in->until_ns;
    if (span.is_given && !in->from_gseq) {
        SCOPED(stmt_free) struct stmt *s = NULL;
        if (db_prepare(db,
                       "SELECT count(*) FROM (SELECT 1 FROM event INDEXED BY event_time"
                       " WHERE time_ns >= ?1 AND time_ns < ?2 LIMIT ?3)",
                       &s, err))
            return -1;
        stmt_bind_int(s, 1, span.since_ns);
        stmt_bind_int(s, 2, span.until_ns);
        stmt_bind_int(s, 3, NARROW_ROWS);
        if (stmt_step(s, err) != 1)
            return -1;
        span.is_narrow = stmt_int(s, 0) < NARROW_ROWS;
    }
    *out = span;
    return 0;
}

/* A record that this version cannot read has no columns; the row says what is there. */
static void describe_unknown(struct stmt *s, struct log_row *row)
{
    text_copy(row->kind, sizeof row->kind, "unknown_record");
    text_copy(row->phase, sizeof row->phase, "event");
    snprintf(row->detail, sizeof row->detail,
             "a record of type %lld with %lld bytes, kept as it is; this version cannot read it",
             (long long)stmt_int(s, 20), (long long)stmt_int(s, 21));
}

/* The row is valid until the statement's next step. */
static void read_row(struct stmt *s, struct log_row *row)
{
    *row =
        (struct log_row){.gseq = stmt_int(s, 0), .time_ns = stmt_int(s, 1), .seq = stmt_int(s, 3)};
    text_copy(row->source, sizeof row->source, stmt_text(s, 2));
    if (stmt_is_null(s, 4)) {
        describe_unknown(s, row);
        return;
    }
    text_copy(row->kind, sizeof row->kind, stmt_text(s, 4));
    text_copy(row->phase, sizeof row->phase, stmt_text(s, 5));
    text_copy(row->status, sizeof row->status, stmt_text(s, 6));
    text_copy(row->tenant, sizeof row->tenant, stmt_text(s, 7));
    text_copy(row->principal, sizeof row->principal, stmt_text(s, 8));
    text_copy(row->agent, sizeof row->agent, stmt_text(s, 9));
    text_copy(row->sandbox_id, sizeof row->sandbox_id, stmt_text(s, 10));
    text_copy(row->op_id, sizeof row->op_id, stmt_text(s, 11));
    text_copy(row->cause, sizeof row->cause, stmt_text(s, 12));
    text_copy(row->rule, sizeof row->rule, stmt_text(s, 13));
    text_copy(row->verdict_id, sizeof row->verdict_id, stmt_text(s, 14));
    text_copy(row->risk, sizeof row->risk, stmt_text(s, 15));
    text_copy(row->detail, sizeof row->detail, stmt_text(s, 19));
    row->command = view_of(stmt_text(s, 18));
    row->exit_code = stmt_int(s, 16);
    row->duration_ms = stmt_int(s, 17);
    if (!stmt_is_null(s, 16))
        schema_mark(&message_log_row, row, "exit_code");
    if (!stmt_is_null(s, 17))
        schema_mark(&message_log_row, row, "duration_ms");
}

/* What was judged, from the body itself. A result says it only where there was no intent. */
static void read_whole(struct stmt *s, struct log_row *row, struct event *e)
{
    struct err err;
    if (stmt_is_null(s, 4) ||
        schema_decode(&message_event, stmt_blob(s, 22), SCHEMA_LENIENT, e, &err) || !e->command.len)
        return;
    row->whole_command = e->command;
    row->command_bytes = e->command_bytes;
    row->argv_words = e->argv_words;
    row->tags = e->tags;
    text_copy(row->cwd, sizeof row->cwd, e->cwd);
    text_copy(row->decision, sizeof row->decision,
              e->verdict.approval_id[0] ? "require_approval" : e->verdict.decision);
}

/* Values in the map that begins at `at`, keys included. */
static size_t nodes_of(const struct bytes *rows, size_t at)
{
    struct err err;
    struct value map;
    struct view row = {rows->data + at, rows->len - at};
    int failed = pack_next(&row, &map, &err);
    assert(!failed && map.type == PACK_MAP); /* written a moment ago */
    return 1 + 2 * (size_t)map.count;
}

static int fill_page(struct stmt *s, const struct logs_query *in, struct bytes *rows,
                     struct logs_page *page, struct err *err)
{
    size_t nodes = 0;
    int got;
    int64_t newest_left = 0;
    struct logs_page out = {0};
    while ((got = stmt_step(s, err)) == 1) {
        struct log_row row;
        struct event event;
        size_t at = rows->len;
        if (out.rows.count == limit_of(in) || at > PAGE_BYTES || nodes > PAGE_NODES - 64) {
            out.next = in->from_gseq ? newest_left + 1 : newest_left;
            break;
        }
        read_row(s, &row);
        if (in->whole)
            read_whole(s, &row, &event);
        if (list_add(rows, &out.rows, &message_log_row, &row, err))
            return -1;
        nodes += nodes_of(rows, at) + row.tags.count;
        newest_left = row.gseq;
    }
    if (got < 0)
        return -1;
    *page = out;
    return 0;
}

int logs_page(struct db *db, const struct logs_scope *scope, const struct logs_query *in,
              struct bytes *rows, struct logs_page *page, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    SCOPED(ask_close) struct ask q = ask_open(err);
    struct span span;
    if (in->cursor && in->from_gseq)
        return err_set(err, ERR_INVALID, "logs_query.cursor: it does not go with from_gseq");
    if (look_at_span(db, in, &span, err))
        return -1;
    say_question(&q, scope, in, span);
    return ask_prepare(&q, db, &s) || fill_page(s, in, rows, page, err) ? -1 : 0;
}
