/* sources.h - lists of the commands whose output reaches another one. A list is never changed once
 * made, so that many commands share one; see source_fact. */
#pragma once

#include "engine/shell/facts.h"

struct walk;

/* What is in either list. Without memory, and where both are longer than a join copies, a part of
 * it; the arena is full then, which is trouble. */
const struct source_fact *sources_join(struct arena *arena, const struct source_fact *a,
                                       const struct source_fact *b);

/* The commands recorded since the tail of the facts was `since`. */
const struct source_fact *sources_since(struct walk *w, struct command_fact **since,
                                        enum source_way way);

/* A list of this one command in front of others. */
const struct source_fact *sources_add(struct walk *w, const struct command_fact *from,
                                      enum source_way way, const struct source_fact *next);

/* The same commands by another way. */
const struct source_fact *sources_by(struct walk *w, const struct source_fact *list,
                                     enum source_way way);

/* Those of a list that come by this way, by another one. */
const struct source_fact *sources_only(struct walk *w, const struct source_fact *list,
                                       enum source_way way, enum source_way by);
