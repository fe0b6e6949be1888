/* conditions.h - what an allowed act has to put up with because of the limits it asks for: see
 * verdict.conditions. A plain function of the act and the configuration.
 */
#pragma once

#include "schema/config.h"
#include "schema/message.h"

/* Fills in v->conditions (texts in `store`) and v->timeout_override_ms. Errors as list_add_text. */
int conditions_fill(const struct act *act, const struct config *config, struct bytes *store,
                    struct verdict *v, struct err *err);
