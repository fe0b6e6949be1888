/* tables.h - the tables of audit.db, for the audit that writes them and for whoever checks a copy.
 */
#pragma once

#include "store/db.h"

enum { TABLES_VERSION = 2 };

/* The migrations of db.h, TABLES_VERSION of them. Static. */
const char *const *tables_migrations(void);
