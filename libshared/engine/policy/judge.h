/* judge.h - the decision on one command: every rule on every record, the most severe action wins.
 *
 * deny > require_approval > flag > allow; the risk is the highest of all that matched. Facts with
 * trouble (shell/trouble.h) are at least require_approval. File order of the rules means nothing.
 * Any number of threads may judge by one set, each with its own facts.
 */
#pragma once

#include "engine/policy/context.h"
#include "engine/policy/judgement.h"
#include "engine/policy/ruleset.h"
#include "engine/shell/facts.h"

/* Judges what facts.h found, with the facts' own memory.
 *
 * In this order: every rule on every record, but what an override takes away; what no rule knows;
 * what was not understood; the least decision for the risk; what becomes of a question that nobody
 * can answer. */
void policy_judge(struct facts *f, const struct policy_context *context, const struct ruleset *set,
                  struct judgement *out);

/* Judges an operation on a file of the sandbox: OP_FILE_READ, OP_FILE_WRITE, OP_FILE_DELETE; or
 * OP_VOLUME_MOUNT of a host's path, `writable` or not. The path is absolute. `room` is overwritten.
 */
void policy_judge_file(struct facts *room, const struct policy_context *context,
                       const struct ruleset *set, enum policy_op op, const char *path,
                       bool writable, struct judgement *out);

/* Judges a connection, OP_NET_CONNECT, or a port that is opened, OP_NET_LISTEN. `host` is a name or
 * an address in its normal form; port 0: not known. */
void policy_judge_net(struct facts *room, const struct policy_context *context,
                      const struct ruleset *set, enum policy_op op, const char *host, unsigned port,
                      struct judgement *out);
