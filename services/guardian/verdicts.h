/* verdicts.h - from an act to a signed verdict and its record: what verdict_request and
 * approval_use share. */
#pragma once

#include "engine/policy/denial.h"
#include "guardian/guardian.h"

/* Judges an act as things stand now: the rules (decide.h), then the holds, which beat everything.
 * Errors as decide. */
int verdicts_judge(struct guardian *g, const struct registry *registry, const struct act *act,
                   struct list tags, struct judgement *out, struct err *err);

/* Makes the verdict that a judgement comes to and signs it. Views of *out point into the guardian
 * and live until the next one; its lists are added to `lists`.
 *
 *   approval   the approval that it names; NULL: none
 *   err        errors of act_hash and verdict_sign
 */
int verdicts_make(struct guardian *g, const struct act *act, const struct judgement *j,
                  const struct approval *approval, struct bytes *lists, struct verdict *out,
                  struct err *err);

/* Counts a judgement that became a verdict. */
void verdicts_count(struct guardian *g, const struct act *act, const struct judgement *j,
                    int64_t latency_us);

/* What a record shows of an act; a zeroed one is empty. */
struct verdict_shown {
    struct bytes command, mounts, shadow, exempted;
};

void verdict_shown_close(struct verdict_shown *shown);

/* Fills in what a record says of the act and its verdict; both, and an empty `shown`, have to
 * outlive the event. Errors as act_command and act_mounts. */
int verdicts_fill(const struct act *act, const char *principal, struct list tags,
                  const struct verdict *v, struct verdict_shown *shown, struct event *event,
                  struct err *err);

/* The same for what only the record is told: rules that are not enforced, and those that an
 * override took away. Errors as list_add_text. */
int verdicts_fill_aside(const struct judgement *j, struct verdict_shown *shown, struct event *event,
                        struct err *err);
