/* op_summary.h - the operation audit_summary. */
#pragma once

#include "service/op.h"

extern const struct op_kind op_summary;
