/* recover.h - goes on where an earlier life ended, before anyone is served.
 *
 * Three places know an agent: the journal, guardian.db projected from it, and registry.json. A
 * crash may leave an intent without a result; it is finished, as if the process had gone on: the
 * change is made (or refused, if it cannot be made any more) and its result recorded, so that a
 * repeat of the request gets that answer. A file that lost what the record has, as one from a
 * backup, gets it back, under a generation later than any that was ever given out.
 */
#pragma once

#include "guardian/writer.h"

/* Needs journal and projection; nothing runs yet. Agents that only the file knows stay. ERR_STORE,
 * ERR_IO, ERR_MEMORY. */
int recover(struct service *service, struct writer *writer, struct err *err);
