/* show.h - how values of messages are written in tables. */
#pragma once

#include "cli/table.h"
#include "cli/units.h"
#include "schema/message.h"

enum { SHOW_LIST_BYTES = 512 };

/* Items joined by ", ", cut where there is no more room; "" for an empty list. */
void show_list(char to[SHOW_LIST_BYTES], struct list texts);

/* Volumes as "/srv/data -> /workspace/data ro", cut where there is no more room. */
void show_mounts(char to[SHOW_LIST_BYTES], struct list mounts);

/* 1/1000 cores as "1.5". */
void show_millis(char to[UNITS_SHOWN_BYTES], int64_t millis);

/* Green what is well, yellow what passes, red what needs somebody. */
enum colour show_sandbox_colour(const char *state);
enum colour show_service_colour(const char *state);
enum colour show_status_colour(const char *status);
