/* judge.h - asks the guardian, and believes only a signed verdict over the very act that was asked
 * about.
 *
 * No answer in time, a bad signature, another act's hash, a full queue: the answer is no, each with
 * its own reason. A verdict's validity is counted from our own sending. A verdict belongs to its
 * question, which is forgotten with its first answer, so it is used once.
 *
 * An act that needs approval goes this way while its operation is received:
 *
 *     verdict_request ──pending──▶ approval_wait, again and again, until the time is over
 *            ▲    │                     │
 *            │    └──allowed──▶ approval_use ──▶ a verdict that allows
 *            └──decided, or nobody knows of it────┘──void──▶ told, and maybe asked again
 *
 * Loop thread only.
 */
#pragma once

#include "schema/message.h"
#include "service/op.h"

struct judge;

/* The guardian's word on one operation, kept in the operation's data until the intent is encoded.
 */
struct judgement {
    bool has_verdict; /* a valid one; otherwise `err` says why not */
    struct err err;
    struct verdict verdict; /* its views point into frame and signature of the answer */
    struct bytes frame;
    struct bytes request;       /* the verdict_request, to ask again with */
    int64_t wait_until_boot_ms; /* for a person; 0: not at all */
    bool is_given_up;           /* its operation was cancelled */
    bool is_expired;            /* nobody decided in time */
    bool is_void;               /* what was waited for: see judge_again */
    uint8_t act_hash[32];       /* as the manager took it */
    int64_t valid_until_boot_ms;
};

void judgement_close(struct judgement *judgement);

/* Connects to the guardian. ERR_CONFIG, ERR_IO. */
int judge_new(struct service *service, struct judge **judge, struct err *err);
void judge_free(struct judge **judge);

/* Asks about an act for an operation in state received; WAKE_VERDICT follows, always, with the
 * judgement as data. `into` lives in the operation's data.
 *
 *   wait_ms   for a person, when the act needs approval; never beyond the operation's deadline. 0:
 *             not at all
 */
void judge_ask(struct judge *judge, struct op *op, const struct verdict_request *request,
               int64_t wait_ms, struct judgement *into);

/* Asks the same once more, for as long as was to be waited: when WAKE_VERDICT finds is_void,
 * because the rules changed or the sandbox ended, and the operation still makes sense. */
void judge_again(struct judge *judge, struct op *op, struct judgement *judgement);

/* Tells the guardian that a sandbox has ended; nobody waits for it. */
void judge_tell_gone(struct judge *judge, const char *sandbox_id);

/* The operation is cancelled: nothing more is asked, and WAKE_VERDICT finds it over. */
void judge_give_up(struct judgement *judgement);

/* What a received operation does with its judgement: OP_JUDGED when allowed; OP_RESULTED when the
 * policy said no (the reply is set, the record is the caller's to write); OP_REFUSED when there is
 * no valid word, approval is needed, or the operation's deadline has passed. */
enum op_state judge_decide(struct op *op, struct judgement *judgement);

/* The time that an allowed act may take: what was asked for, or less where the verdict says so. */
int64_t judge_timeout(const struct judgement *judgement, int64_t asked_ms);

/* Whether the verdict allows the act on this condition (verdict.conditions). */
bool judge_has_condition(const struct judgement *judgement, const char *name);

/* Fills in the parts of an event that a verdict decides: verdict, act_hash, rule. */
void judge_fill(const struct judgement *judgement, struct event *event);
