/* on_metrics_query.h - the newest look at each sandbox, or the last looks at one.
 *
 * What the caller may not see is absent, as if it did not exist.
 */
#pragma once

#include "service/service.h"

query_handler on_metrics_query;
