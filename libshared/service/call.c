/* call.c - what a caller may do and see; see call.h. */
#include "service/call.h"

#include <string.h>

bool call_acts_for(const struct call *call, const char *agent)
{
    return call->roles & (ROLE_OPERATOR | ROLE_ADMIN) || registry_row_acts_for(call->row, agent);
}

bool call_sees(const struct call *call, const char *tenant, const char *agent)
{
    if (call->roles & ROLE_ADMIN)
        return true;
    if (strcmp(tenant, call->tenant))
        return false;
    return call->roles & (ROLE_OPERATOR | ROLE_OBSERVER) || registry_row_acts_for(call->row, agent);
}
