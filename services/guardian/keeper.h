/* keeper.h - keeps the rules in force: loads them, looks again when their files change, and never
 * gives up a book that was good for one that is not.
 *
 * The first book is loaded on the calling thread, later ones by a worker, one at a time; what
 * changes meanwhile makes one more load, however often it changed. A book takes force on the loop
 * thread, behind its record: `rules_loaded`, or `rules_refused` with what is wrong. The newest
 * generation that was in force is in guardian.db; an older directory is refused. One that is newer
 * takes force once its record is on disk, so that no kill makes it forgotten; at a start, where
 * nobody could be answered meanwhile, at once.
 *
 * Loop thread only, but for rules_apply.
 */
#pragma once

#include "guardian/projection.h"
#include "guardian/rulebook.h"
#include "service/service.h"

struct keeper;

/* What a load came to, for those who wait for one. */
struct keeper_outcome {
    bool is_loaded;
    struct err err; /* of one that was refused */
};

/* Loads for the first time. Rules that are refused are no failure: there is no book then, until
 * the files are mended.
 *
 *   last_generation   of rules_generation
 *   leaving           is called while a book is in force for the last moment; nothing may point
 *                     into it afterwards
 *   changed           is called after each book that takes force, but for this one
 *   err               ERR_MEMORY, ERR_IO
 */
int keeper_new(struct service *service, int64_t last_generation, void (*leaving)(void *context),
               void (*changed)(void *context), void *context, struct keeper **keeper,
               struct err *err);

/* Fine on NULL. The workers have ended. */
void keeper_free(struct keeper **keeper);

/* The book in force; NULL: none ever was, and nothing may be allowed. Until the loop goes on. */
const struct rulebook *keeper_book(const struct keeper *keeper);

/* Why the newest load was refused; "" when it was not. */
const char *keeper_refusal(const struct keeper *keeper);

/* The journal has everything up to seq on disk. */
void keeper_durable(struct keeper *keeper, uint64_t seq);

/* Looks again, soon. */
void keeper_look(struct keeper *keeper);

/* The same, and wakes the operation with WAKE_EVENT and a struct keeper_outcome once a load that
 * began after this call has ended; never before this returns. `wait` lives in its data. */
struct keeper_wait {
    struct op *op;
    uint64_t round;
    struct keeper_wait *next;
};
void keeper_wait(struct keeper *keeper, struct keeper_wait *wait, struct op *op);

/* A migration; owns rules_loaded. */
extern const char rules_schema[];
guardian_apply rules_apply;

/* The newest generation that was ever in force; 0: none. ERR_STORE. */
int rules_generation(struct db *db, int64_t *generation, struct err *err);
