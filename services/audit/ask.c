/* ask.c - a statement in the making; see ask.h. */
#include "audit/ask.h"

#include <assert.h>
#include <string.h>

enum { SQL_BYTES = 4096 };

struct ask ask_open(struct err *err)
{
    return (struct ask){.sql = bytes_open(SQL_BYTES), .err = err};
}

void ask_close(struct ask *ask)
{
    bytes_close(&ask->sql);
}

void ask_say(struct ask *ask, const char *sql)
{
    ask->failed = ask->failed || bytes_add(&ask->sql, sql, strlen(sql), ask->err);
}

static void add_value(struct ask *ask, const char *sql, const char *text, int64_t number)
{
    assert(ask->count < ASK_VALUES);
    ask->values[ask->count].text = text;
    ask->values[ask->count].number = number;
    ask->count++;
    ask->failed = ask->failed || bytes_addf(&ask->sql, ask->err, "%s?%d", sql, ask->count);
}

void ask_text(struct ask *ask, const char *sql, const char *text)
{
    add_value(ask, sql, text, 0);
}

void ask_number(struct ask *ask, const char *sql, int64_t number)
{
    add_value(ask, sql, NULL, number);
}

void ask_equal(struct ask *ask, const char *column, const char *text, bool *has_index)
{
    if (!*text)
        return;
    ask_say(ask, *has_index ? " AND +" : " AND ");
    ask_say(ask, column);
    ask_text(ask, " = ", text);
    *has_index = true;
}

/* The patterns of an agent's key. GLOB means the same by * and treats ? and [ specially, which
 * cannot stand in a name (text_is_name), nor in a pattern. */
static void say_agents(struct ask *ask, const struct logs_scope *scope)
{
    ask_say(ask, " AND (0");
    for (size_t i = 0; i < REGISTRY_MAX_PATTERNS && scope->agents[i][0]; i++)
        ask_text(ask, " OR +agent GLOB ", scope->agents[i]);
    ask_say(ask, ")");
}

void ask_scope(struct ask *ask, const struct logs_scope *scope, bool *has_index)
{
    if (scope->all_tenants)
        return;
    ask_text(ask, *has_index ? " AND +tenant = " : " AND tenant = ", scope->tenant);
    *has_index = true;
    if (!scope->all_agents)
        say_agents(ask, scope);
}

int ask_prepare(struct ask *ask, struct db *db, struct stmt **out)
{
    if (ask->failed || db_prepare(db, (const char *)ask->sql.data, out, ask->err))
        return -1;
    for (int i = 0; i < ask->count; i++)
        if (ask->values[i].text)
            stmt_bind_text(*out, i + 1, ask->values[i].text);
        else
            stmt_bind_int(*out, i + 1, ask->values[i].number);
    return 0;
}
