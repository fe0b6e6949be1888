/* script.h - judging a file that a command runs as code.
 *
 * A shell's script is judged as if its text were the command; code for an interpreter that the
 * rules know, as if it had been given with the option for inline code; a "#!" line as the command
 * that it is. What cannot be read (a program, code for another interpreter, a file too large to be
 * sent) is what defaults.unanalyzable_script says.
 */
#pragma once

#include "engine/policy/judge.h"
#include "schema/message.h"

/* Judges one script. Its reason names the file.
 *
 *   room      facts to work in
 *   context   of the command that runs it; `cwd`, `text` and `is_script` are set here
 *   setting   where the command runs
 */
void script_judge(struct facts *room, const struct script *script,
                  const struct policy_context *context, const struct facts_setting *setting,
                  const struct ruleset *rules, struct judgement *out);
