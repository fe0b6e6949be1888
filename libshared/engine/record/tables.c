/* tables.c - the tables of audit.db; see tables.h.
 *
 * Indexes. Every question is answered newest first, by gseq, which is the rowid and so the last
 * part of every index: an equality on the indexed column leaves rows in that order and a page is
 * read without sorting. That is why there is one column in each: behind a second one (kind, status)
 * rows come in another order, and a page of one kind took 30 ms instead of 0.2 at 100,000 rows.
 * Partial indexes leave out the rows that nobody looks for by them: empty fields, successes.
 *
 * What they cost, measured with records of 375 bytes in batches of 512: a record takes 10 us of CPU
 * and 750 bytes without these six, 20 us and 900 bytes with them, each one 1 to 2 us. Without its
 * index a filter that few rows pass reads the whole table: 30 ms at 100,000 rows, and so more with
 * each day.
 *
 * The tables of the hash tree only grow, but for the newest checkpoint. A leaf stands in a table of
 * its own: rows of `event` are never written twice, and its pages are few when only hashes are
 * read.
 */
#include "engine/record/tables.h"

#include "base/scope.h"

static const char *const migrations[] = {
    "CREATE TABLE source("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE,"
    " principal TEXT NOT NULL," /* <tenant>/<principal>; empty: this audit itself */
    " epoch INTEGER NOT NULL CHECK(epoch >= 1),"
    " upto INTEGER NOT NULL CHECK(upto >= 0)"
    ") STRICT;"

    "CREATE TABLE event("
    " gseq INTEGER PRIMARY KEY,"
    " source INTEGER NOT NULL REFERENCES source(id),"
    " epoch INTEGER NOT NULL,"
    " seq INTEGER NOT NULL,"
    " time_ns INTEGER NOT NULL,"
    " boot_ns INTEGER NOT NULL,"
    " received_ns INTEGER NOT NULL,"
    " type INTEGER NOT NULL,"
    " derive_version INTEGER NOT NULL,"
    " kind TEXT, phase TEXT, status TEXT,"
    " tenant TEXT, principal TEXT, agent TEXT, sandbox_id TEXT, op_id TEXT,"
    " cause TEXT, rule TEXT, verdict_id TEXT, risk TEXT,"
    " exit_code INTEGER, duration_ms INTEGER, cpu_ms INTEGER, memory_peak_bytes INTEGER,"
    " command TEXT, detail TEXT,"
    " body BLOB NOT NULL," /* last: its overflow pages stand in nobody's way */
    " UNIQUE(source, epoch, seq)"
    ") STRICT;"

    "CREATE INDEX event_sandbox ON event(sandbox_id) WHERE sandbox_id IS NOT NULL;"
    "CREATE INDEX event_agent ON event(agent) WHERE agent IS NOT NULL;"
    "CREATE INDEX event_tenant ON event(tenant) WHERE tenant IS NOT NULL;"
    "CREATE INDEX event_kind ON event(kind) WHERE kind IS NOT NULL;"
    "CREATE INDEX event_status ON event(status) WHERE status <> 'success';"
    "CREATE INDEX event_time ON event(time_ns);"

    "CREATE VIEW audit_logs AS SELECT"
    " gseq AS id,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', time_ns / 1000000000.0, 'unixepoch') AS timestamp,"
    " agent AS agent_id,"
    " sandbox_id,"
    " kind AS operation_type,"
    " status,"
    " coalesce(command, detail) AS details,"
    " CASE WHEN cpu_ms IS NULL AND memory_peak_bytes IS NULL THEN NULL ELSE"
    "  '{\"cpu_ms\":' || ifnull(cpu_ms, 'null') || ',\"memory_peak_bytes\":' ||"
    "  ifnull(memory_peak_bytes, 'null') || '}' END AS resource_usage,"
    " duration_ms,"
    " CASE WHEN status IS NULL OR status = 'success' THEN NULL ELSE coalesce(detail, cause) END"
    "  AS error_message,"
    " phase, op_id, tenant, principal, cause, rule, verdict_id, risk, exit_code,"
    " (SELECT name FROM source WHERE id = event.source) AS source, epoch, seq"
    " FROM event",

    "CREATE TABLE leaf("
    " gseq INTEGER PRIMARY KEY,"
    " hash BLOB NOT NULL CHECK(length(hash) = 32)"
    ") STRICT;"

    "CREATE TABLE tile("
    " level INTEGER NOT NULL,"
    " idx INTEGER NOT NULL,"
    " hash BLOB NOT NULL CHECK(length(hash) = 32),"
    " PRIMARY KEY(level, idx)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE checkpoint("
    " size INTEGER PRIMARY KEY,"
    " note TEXT NOT NULL,"
    " time_ns INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE signer("
    " first_size INTEGER PRIMARY KEY,"
    " public_key BLOB NOT NULL CHECK(length(public_key) = 32),"
    " note TEXT NOT NULL"
    ") STRICT",
};

_Static_assert(COUNT(migrations) == TABLES_VERSION, "one migration a version");

const char *const *tables_migrations(void)
{
    return migrations;
}
