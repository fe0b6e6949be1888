/* print.h - how results and failures reach the terminal.
 *
 * Everything that came from outside is escaped on its way (text_show, JSON).
 */
#pragma once

#include "cli/cli.h"

/* Prints a message as JSON and a line end on stdout. Errors as schema_json. */
int print_json(const struct message *message, const void *in, struct err *err);

/* Prints messages on stdout as {"name": […]}, as they come. */
struct print_list {
    const char *name;
    bool begun;
};

/* Prints the next one. Errors as schema_json. */
int print_list_add(struct print_list *list, const struct message *message, const void *in,
                   struct err *err);
void print_list_end(struct print_list *list);

/* Prints a table on stdout. Errors as table_print. */
int print_table(const struct cli *cli, const struct table *table, struct err *err);

/* Prints a line with a name and a value, escaped: one fact of an object. Nothing is printed for an
 * empty value. Errors as bytes_add. */
int print_fact(const struct cli *cli, const char *name, struct err *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Prints a line on stdout, escaped. */
void print_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints a line for a person on stderr, escaped. */
void print_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says on stderr why the command failed: what, rule, reason and hint if a policy said no; as a JSON
 * object with -o json. */
void print_failure(const struct cli *cli, const struct err *err);

/* Asks a yes-or-no question on the terminal that stdin is. True without asking when it is none. */
bool print_asks(const char *format, ...) __attribute__((format(printf, 1, 2)));
