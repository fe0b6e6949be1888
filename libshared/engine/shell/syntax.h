/* syntax.h - the tree that the parser makes of a shell text, as bash 5.2 would read it.
 *
 * Everything lives in one arena and is valid as long as it. Texts are NUL-terminated and hold no
 * NUL inside. The tree keeps what a judge needs and nothing else: no positions, no comments.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct node;

enum part_kind {
    PART_TEXT,    /* bytes after quote removal */
    PART_PARAM,   /* $x, ${x…}; text is the name */
    PART_COMMAND, /* $( ) or backticks; body runs in a subshell */
    PART_PROCESS, /* <( ) or >( ) */
    PART_ARITH    /* $(( )) or $[ ] */
};

/* A piece of a word. */
struct part {
    enum part_kind kind;
    bool quoted;         /* no splitting, no globs, no braces, no tilde */
    bool plain;          /* PART_PARAM: nothing but the name between the braces */
    bool writes;         /* PART_PROCESS: >( ) */
    char prefix;         /* PART_PARAM: the ! or # before the name, or 0 */
    char op[4];          /* PART_PARAM: the operator behind the name, or "" */
    const char *text;    /* PART_TEXT, PART_PARAM */
    size_t len;          /* of text */
    struct node *body;   /* PART_COMMAND, PART_PROCESS: a NODE_LIST */
    struct part *index;  /* PART_PARAM: pieces of the subscript; NULL without */
    struct part *inner;  /* PART_PARAM: pieces of the operand. PART_ARITH: of the expression */
    struct heard *heard; /* PART_COMMAND, PART_PROCESS: for those who walk the tree; see expand.h */
    struct part *next;
};

/* A word: at least one part, unless it is an assignment of nothing. */
struct word {
    struct part *parts;
    bool plain;         /* no quoting of any kind: may be a keyword */
    const char *name;   /* assignments: NAME=value, NAME+=value, NAME[i]=value, NAME=(items) */
    bool append;        /* NAME+= */
    bool array;         /* NAME=(items) */
    struct part *index; /* pieces of the subscript */
    struct word *items; /* of an array */
    struct word *next;
};

enum redirect_op {
    REDIRECT_IN,         /* < */
    REDIRECT_OUT,        /* > */
    REDIRECT_APPEND,     /* >> */
    REDIRECT_CLOBBER,    /* >| */
    REDIRECT_BOTH_WAY,   /* <> */
    REDIRECT_DUP_IN,     /* <& */
    REDIRECT_DUP_OUT,    /* >& */
    REDIRECT_ALL,        /* &> */
    REDIRECT_ALL_APPEND, /* &>> */
    REDIRECT_HEREDOC,    /* << and <<- */
    REDIRECT_HERESTRING  /* <<< */
};

enum { FD_DEFAULT = -1, FD_VARIABLE = -2 };

struct redirect {
    enum redirect_op op;
    int fd;              /* as written, FD_DEFAULT, or FD_VARIABLE for {name} */
    struct word *target; /* heredoc: the delimiter */
    struct part *body;   /* heredoc: its text, complete once the parser returned */
    bool body_quoted;    /* heredoc: the delimiter was quoted, so nothing in it expands */
    bool strip_tabs;     /* <<- */
    struct redirect *next;
};

enum node_kind {
    NODE_LIST,     /* children run one after the other */
    NODE_CHAIN,    /* children joined by && and ||: see link */
    NODE_PIPELINE, /* children run at once, each in a subshell */
    NODE_SIMPLE,   /* assigns, words, redirects */
    NODE_SUBSHELL, /* one list */
    NODE_GROUP,    /* one list */
    NODE_IF,       /* condition, branch, condition, branch, …; an odd last child is the else */
    NODE_LOOP,     /* while, until: condition, body */
    NODE_FOR,      /* for, select: name, words; body. for (( )): name is "" */
    NODE_CASE,     /* words are subject and patterns; children are the branches */
    NODE_FUNCTION, /* name; the body */
    NODE_TEST,     /* [[ ]]: words */
    NODE_ARITH,    /* (( )): words */
    NODE_COPROC    /* one command */
};

enum node_link { LINK_NONE, LINK_AND, LINK_OR };

struct node {
    enum node_kind kind;
    enum node_link link; /* child of a chain: what stands before it */
    bool background;     /* followed by & */
    bool words_given;    /* NODE_FOR: "in …" was written */
    bool ends_line;      /* child of a list: a newline follows */
    bool inverted;       /* NODE_LOOP: until. NODE_FOR: select */
    bool falls;          /* branch of a case: ;& or ;;& stands behind it */
    bool any;            /* branch of a case: for * */
    const char *name;    /* NODE_FUNCTION, NODE_FOR, NODE_COPROC or NULL */
    struct word *assigns, *words;
    struct redirect *redirects;
    struct node *first, *next; /* children, siblings */
};
