/* op_logs.h - the operation logs_query. */
#pragma once

#include "service/op.h"

extern const struct op_kind op_logs;
