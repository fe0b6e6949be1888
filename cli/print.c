/* print.c - results and failures on the terminal; see print.h. */
#include "cli/print.h"

#include "base/scope.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUTPUT_MAX_BYTES = 64 * 1024 * 1024 };

static int print_object(const struct message *message, const void *in, const char *end,
                        struct err *err)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(OUTPUT_MAX_BYTES);
    if (schema_json(message, in, 2, &text, err))
        return -1;
    fwrite(text.data, 1, text.len, stdout);
    fputs(end, stdout);
    return 0;
}

int print_json(const struct message *message, const void *in, struct err *err)
{
    return print_object(message, in, "\n", err);
}

int print_list_add(struct print_list *list, const struct message *message, const void *in,
                   struct err *err)
{
    if (list->begun)
        fputs(",\n", stdout);
    else
        printf("{\"%s\": [\n", list->name);
    list->begun = true;
    return print_object(message, in, "", err);
}

void print_list_end(struct print_list *list)
{
    if (list->begun)
        fputs("\n]}\n", stdout);
    else
        printf("{\"%s\": []}\n", list->name);
}

int print_table(const struct cli *cli, const struct table *table, struct err *err)
{
    SCOPED(bytes_close) struct bytes text = bytes_open(OUTPUT_MAX_BYTES);
    if (table_print(table, &cli->screen, &text, err))
        return -1;
    fwrite(text.data, 1, text.len, stdout);
    return 0;
}

/* Prints a text, escaped, on a stream. */
static int show(FILE *to, const char *text, size_t len, struct err *err)
{
    SCOPED(bytes_close) struct bytes shown = bytes_open(OUTPUT_MAX_BYTES);
    if (text_show(&shown, text, len, err))
        return -1;
    fwrite(shown.data, 1, shown.len, to);
    return 0;
}

/* Prints a line for a person; escaped, and cut at 2 KiB. */
static void say(FILE *to, const char *end, const char *format, va_list list)
{
    struct err ignored;
    char text[2048];
    vsnprintf(text, sizeof text, format, list);
    show(to, text, strlen(text), &ignored);
    fputs(end, to);
}

void print_line(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say(stdout, "\n", format, list);
    va_end(list);
}

void print_note(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say(stderr, "\n", format, list);
    va_end(list);
}

int print_fact(const struct cli *cli, const char *name, struct err *err, const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int len = vasprintf(&text, format, list);
    va_end(list);
    if (len < 0)
        return err_set(err, ERR_MEMORY, "no memory to print a line");
    int failed = 0;
    if (len) {
        printf("%s%-14s%s ", screen_colour(&cli->screen, DIM), name, screen_plain(&cli->screen));
        failed = show(stdout, text, (size_t)len, err);
        putchar('\n');
    }
    free(text);
    return failed;
}

static void print_failure_json(const struct cli *cli, const struct err *err)
{
    struct failure failure = cli->refusal.failure;
    struct err ignored;
    SCOPED(bytes_close) struct bytes text = bytes_open(OUTPUT_MAX_BYTES);
    text_copy(failure.code, sizeof failure.code, err_name(err->code));
    text_copy(failure.text, sizeof failure.text, err->text);
    if (!schema_json(&message_failure, &failure, 2, &text, &ignored))
        fprintf(stderr, "%s\n", (const char *)text.data);
    else
        print_note("corral: %s", err->text);
}

void print_failure(const struct cli *cli, const struct err *err)
{
    fflush(stdout);
    if (cli->json) {
        print_failure_json(cli, err);
        return;
    }
    const struct failure *f = &cli->refusal.failure;
    if (cli->command)
        print_note("corral %s: %s", cli->command->name, err->text);
    else
        print_note("corral: %s", err->text);
    if (f->rule[0])
        print_note("  rule:    %s%s%s", f->rule, f->risk[0] ? ", risk " : "", f->risk);
    if (f->reason[0] && !strstr(err->text, f->reason)) /* mostly it stands in the text already */
        print_note("  reason:  %s", f->reason);
    if (f->hint[0])
        print_note("  hint:    %s", f->hint);
    if (f->verdict_id[0])
        print_note("  verdict: %s", f->verdict_id);
    if (f->approval_id[0] && err->code == ERR_APPROVAL_PENDING) {
        print_note("  look:    corral approvals show %s", f->approval_id);
        print_note("  answer:  corral approvals allow %s --reason TEXT (or deny)", f->approval_id);
        print_note("  wait:    the same command with --wait-approval 5m");
    }
    if (f->retry_after_ms)
        print_note("  try again in %lld ms", (long long)f->retry_after_ms);
}

bool print_asks(const char *format, ...)
{
    char line[16] = "";
    if (!isatty(STDIN_FILENO))
        return true;
    va_list list;
    va_start(list, format);
    say(stderr, " [y/N] ", format, list);
    va_end(list);
    return fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y');
}
