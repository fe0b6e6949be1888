/* message.h - what a judgement says to people and agents. */
#pragma once

#include "engine/policy/subject.h"

/* The command as a person would write it, cut; holes are shown as "…", secrets as
 * [redacted:KIND:LEN]; safe for a terminal. */
void message_command(char *to, size_t size, const struct command_fact *c);

/* A rule's message with {command}, {paths}, {hosts} and {rule} filled in, escaped and cut. */
void message_fill(char *to, size_t size, const struct rule *rule, struct subject *s);

/* A text of a rule file, escaped and cut. */
void message_text(char *to, size_t size, const char *text);
