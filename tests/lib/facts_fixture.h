/* facts_fixture.h - what a shell text runs, as one line that a test can compare.
 *
 * The text stands in /workspace, HOME is /users/agent. A hole is shown as a question mark.
 */
#pragma once

#include "engine/shell/facts.h"

/* The records' arguments, commands joined by " | "; records without a command are left out. */
void facts_show(char *to, size_t size, const struct facts *f);

/* Fails unless the text runs exactly this, without trouble. */
void assert_runs(const char *text, const char *expected);

/* Fails unless the text has trouble of this kind. */
void assert_trouble(const char *text, unsigned kind);

/* The commands whose output reaches the last command of this name: "pipe:a args:b", nearest last.
 */
void assert_sources(const char *text, const char *name, const char *expected);
