/* denial.c - see denial.h. */
#include "engine/policy/denial.h"

#include "base/scope.h"

#include <string.h>

bool denial_is_one(const char *id)
{
    static const char *const ids[] = {DENIAL_HELD,         DENIAL_NO_RULES, DENIAL_SANDBOX_RULES,
                                      DENIAL_NOT_APPROVED, DENIAL_LIMITS,   DENIAL_BY_PERSON,
                                      DENIAL_NOBODY,       DENIAL_FULL,     DENIAL_TOO_LARGE};
    for (size_t i = 0; i < COUNT(ids); i++)
        if (!strcmp(ids[i], id))
            return true;
    return false;
}
