/* op_trends.h - the operation audit_trends. */
#pragma once

#include "service/op.h"

extern const struct op_kind op_trends;
