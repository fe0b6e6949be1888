/* scripts.h - where a command begins and which files it runs as code, found out before the guardian
 * is asked.
 *
 * "sh build.sh" says little without build.sh. The facts of the command's text (engine/shell) name
 * the files that it runs; init, which sees them as the command will, tells what they hold, and what
 * those run in their turn. All of it becomes part of the act. Before the gate opens init compares
 * every one again (scripts_check): what was swapped after the verdict does not run.
 *
 * Init's word is a stranger's: it decides what is judged in its own sandbox, and nothing elsewhere.
 * One look is under way in a sandbox at a time. Loop thread only.
 */
#pragma once

#include "init/frame.h"
#include "schema/message.h"

enum {
    SCRIPTS_MAX = 16, /* of one command, those that its scripts run included; act.scripts' bound */
    SCRIPTS_MAX_BYTES = 96 * 1024, /* of text that is judged; what is beyond is hashed only */
    SCRIPT_PATH_BYTES = 1025,
    SCRIPT_ARGS_BYTES = 1025,
    SCRIPT_HASH_BYTES = 32
};

struct op;
struct sandbox;

struct script_file {
    char path[SCRIPT_PATH_BYTES], cwd[SCRIPT_PATH_BYTES];
    char interpreter[65];         /* "": it is executed itself */
    char args[SCRIPT_ARGS_BYTES]; /* as words of a shell */
    int64_t bytes;                /* -1: it is not there, or not looked at yet */
    bool has_hash, has_text;
    uint8_t hash[SCRIPT_HASH_BYTES];
    size_t at, len; /* of its text in `store` */
};

struct scripts {
    struct sandbox *sandbox; /* in whose queue this waits; NULL: nothing is looked at */
    struct op *op;
    struct scripts *next;
    int64_t nonce; /* of the look under way; -1: its turn has not come */
    char cwd[SCRIPT_PATH_BYTES];
    char home[SCRIPT_PATH_BYTES]; /* what ~ means to the command */
    struct script_file *files;    /* room for SCRIPTS_MAX; NULL until there is one */
    size_t count, looked;
    bool has_more;  /* than SCRIPTS_MAX, or than there was memory for */
    bool is_placed; /* cwd has no symbolic links; files are looked at from now on */
    struct bytes store;
};

/* Begins to look, for an operation in state received. True when there is something to wait for:
 * WAKE_EVENT follows, with NEWS_SEEN, or NEWS_OVER when the sandbox ends. False: it is all known.
 *
 *   cwd   absolute; s->cwd becomes it without symbolic links, or stays as asked where init cannot
 *         open it: the command will say why
 */
bool scripts_begin(struct scripts *s, struct op *op, struct sandbox *sandbox, const char *cwd,
                   const struct command_execute *in);

/* Init has answered the look at the head of the sandbox's queue. ERR_PEER it answers something
 * else. */
int scripts_seen(struct sandbox *sandbox, const struct frame *frame, struct err *err);

/* Leaves the queue, if it is in one. */
void scripts_leave(struct scripts *s);

/* Appends what is known to an act's list; texts point into s->store. Errors as list_add. */
int scripts_add(const struct scripts *s, struct bytes *store, struct list *list, struct err *err);

/* Appends "hash path" for each to an event's list. Errors as list_add_text. */
int scripts_name(const struct scripts *s, struct bytes *store, struct list *list, struct err *err);

/* Puts a CHECK for each file whose text is known. Errors as frame_put_check. */
int scripts_check(const struct scripts *s, uint32_t exec, struct bytes *out, struct err *err);

/* Leaves the queue and frees. */
void scripts_close(struct scripts *s);
