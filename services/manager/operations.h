/* operations.h - the manager's operations, one file each, and what several of them need. */
#pragma once

#include "manager/manager.h"

extern const struct op_kind op_create, op_exec, op_delete, op_kill;

/* The user inside a sandbox, as an act names it. */
#define SANDBOX_USER "1000"

/* Refuses texts that are not KEY=VALUE with a key of letters, digits, _ . - that begins with a
 * letter or _. `field` is for the error. ERR_INVALID. */
int check_assignments(struct list texts, const char *field, struct err *err);

/* Passes a client's credit on to the command that an operation runs; of others it is ignored. */
void exec_credit(struct op *op, int64_t bytes);

/* Fills in agent_version, as the agent's approval has it now. */
void manager_fill_agent(const struct op *op, struct event *event);

/* The monitor's thresholds for a new sandbox, from the configuration. */
void manager_thresholds(const struct config *config, struct lease *lease);
