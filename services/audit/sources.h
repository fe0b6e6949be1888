/* sources.h - the services whose records are kept, as the loop thread knows them. */
#pragma once

#include "audit/batch.h"
#include "service/call.h"

enum { SOURCES_MAX = 1024 };

struct source {
    struct place is;     /* `upto` is what was taken */
    int64_t committed;   /* of the epoch in `is` */
    int64_t last;        /* the newest that it says it has */
    int64_t last_before; /* the same at the hello before */
    int64_t asked_upto;  /* end of the window that it was asked for; 0: none open */
    int64_t reserved;    /* room kept for what of the window is not yet here */
    int64_t moved_ns;    /* CLOCK_BOOTTIME: when it was asked, or something pushed came */
    bool wants;          /* something is missing that the live publication will not bring */
    bool advanced;       /* since the last answer */
    bool has_address;
    struct address to;
};

/* A zeroed struct is empty; sources stay where they are until sources_close. */
struct sources {
    struct source *all[SOURCES_MAX];
    size_t count;
    int64_t newest_id;
};

/* NULL when there is none. */
struct source *sources_find(const struct sources *sources, const char *name);
struct source *sources_find_id(const struct sources *sources, int64_t id);

/* Adds one whose name and id are not there. ERR_OVERLOADED SOURCES_MAX are; ERR_MEMORY. */
int sources_add(struct sources *sources, const struct place *place, struct source **out,
                struct err *err);

/* Takes the newest one away again. */
void sources_undo(struct sources *sources);

void sources_close(struct sources *sources);
