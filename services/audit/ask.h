/* ask.h - a statement in the making: constant texts, and values that are always parameters.
 *
 * The first failure stays and is said by ask_prepare. Texts are borrowed until then.
 */
#pragma once

#include "audit/logs.h"
#include "base/bytes.h"
#include "store/db.h"

enum { ASK_VALUES = 32 };

struct ask {
    struct bytes sql;
    struct err *err;
    bool failed;
    struct {
        const char *text; /* NULL: number */
        int64_t number;
    } values[ASK_VALUES];
    int count;
};

struct ask ask_open(struct err *err);
void ask_close(struct ask *ask);

/* Adds SQL. */
void ask_say(struct ask *ask, const char *sql);

/* Adds SQL and a parameter behind it. */
void ask_text(struct ask *ask, const char *sql, const char *text);
void ask_number(struct ask *ask, const char *sql, int64_t number);

/* Adds " AND column = text" when a text is given. The first column that comes so is the one whose
 * index is used; *has_index is set. */
void ask_equal(struct ask *ask, const char *column, const char *text, bool *has_index);

/* Adds what the caller may see: the scope is a part of every statement. */
void ask_scope(struct ask *ask, const struct logs_scope *scope, bool *has_index);

/* Compiles it and binds the values. ERR_OVERLOADED, ERR_MEMORY; errors of db_prepare. */
int ask_prepare(struct ask *ask, struct db *db, struct stmt **out);
