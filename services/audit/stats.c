/* stats.c - what the record holds; see stats.h. */
#include "audit/stats.h"

#include "audit/ask.h"
#include "audit/counts.h"
#include "base/scope.h"
#include "base/text.h"

static void add_group(struct stmt *s, struct record_stats *out, struct counts *types,
                      struct counts *statuses)
{
    int64_t count = stmt_int(s, 2), first_ns = stmt_int(s, 3), last_ns = stmt_int(s, 4);
    counts_add(types, stmt_text(s, 0), count);
    if (!stmt_is_null(s, 1))
        counts_add(statuses, stmt_text(s, 1), count);
    if (!out->total_records || first_ns < out->first_ns)
        out->first_ns = first_ns;
    if (last_ns > out->last_ns)
        out->last_ns = last_ns;
    out->total_records += count;
}

static int count_records(struct db *db, const struct logs_scope *scope, struct bytes *rooms,
                         struct record_stats *out, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    SCOPED(ask_close) struct ask q = ask_open(err);
    struct counts types = {0}, statuses = {0};
    bool has_index = false;
    int got;
    ask_say(&q, "SELECT ifnull(kind, 'unknown_record'), status, count(*), min(time_ns),"
                " max(time_ns) FROM event WHERE 1");
    ask_scope(&q, scope, &has_index);
    ask_say(&q, " GROUP BY kind, status");
    if (ask_prepare(&q, db, &s))
        return -1;
    while ((got = stmt_step(s, err)) == 1)
        add_group(s, out, &types, &statuses);
    if (got < 0 || counts_list(&types, 128, &rooms[0], &out->records_by_operation, err) ||
        counts_list(&statuses, 8, &rooms[1], &out->records_by_status, err))
        return -1;
    if (out->total_records) {
        schema_mark(&message_record_stats, out, "first_ns");
        schema_mark(&message_record_stats, out, "last_ns");
    }
    return 0;
}

static int measure(struct db *db, struct record_stats *out, struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    if (db_prepare(db, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", &s,
                   err) ||
        stmt_step(s, err) != 1)
        return -1;
    out->database_bytes = stmt_int(s, 0);
    return 0;
}

static int list_sources(struct db *db, struct bytes *room, struct record_stats *out,
                        struct err *err)
{
    SCOPED(stmt_free) struct stmt *s = NULL;
    int got;
    if (db_prepare(db, "SELECT name, epoch, upto FROM source ORDER BY name LIMIT 64", &s, err))
        return -1;
    while ((got = stmt_step(s, err)) == 1) {
        struct source_place place = {.epoch = stmt_int(s, 1), .upto = stmt_int(s, 2)};
        text_copy(place.source, sizeof place.source, stmt_text(s, 0));
        if (list_add(room, &out->sources, &message_source_place, &place, err))
            return -1;
    }
    return got;
}

int stats_of(struct db *db, const struct logs_scope *scope, struct bytes rooms[STATS_ROOMS],
             struct record_stats *out, struct err *err)
{
    struct record_stats result = {0};
    if (count_records(db, scope, rooms, &result, err) ||
        (scope->all_tenants &&
         (measure(db, &result, err) || list_sources(db, &rooms[2], &result, err))))
        return -1;
    *out = result;
    return 0;
}
