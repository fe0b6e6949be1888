/* queries.h - what the manager answers at once, from memory. */
#pragma once

#include "service/service.h"

query_handler on_sandbox_list, on_sandbox_inspect, on_op_credit, on_op_cancel;
