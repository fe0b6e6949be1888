/* op_stats.h - the operation audit_stats. */
#pragma once

#include "service/op.h"

extern const struct op_kind op_stats;
