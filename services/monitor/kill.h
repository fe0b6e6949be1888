/* kill.h - the kill switch: mark, kill, proof.
 *
 * The mark with the cause is written first, so that whoever sees the death knows why. The kill
 * follows at once, on the loop thread: it waits for nobody. A worker waits for the proof, an empty
 * cgroup, and freezes what does not die in time; such a sandbox is tried again every RETRY_MS until
 * it is dead. Events: kill_switch with the time from trigger to proof; sandbox_unkillable each time
 * that there was none. A host without cgroups has the init killed by pidfd: with it dies its pid
 * namespace.
 */
#pragma once

#include "monitor/lookout.h"

enum { RETRY_MS = 30000 };

/* The reason that a threshold gives. */
struct kill_reason kill_reason_of(const struct finding *finding, int64_t now_boot_ns);

/* Kills a live sandbox. It is WATCHED_KILLING from here on. */
void kill_start(struct lookout *lookout, struct watched *watched, const struct kill_reason *reason);

/* Kills for the reason it already has: the last step of kill_start, and again where there was no
 * proof. */
void kill_try(struct lookout *lookout, struct watched *watched);
