/* Files of code: who reads them, by their first line, and what a shell's do with arguments. */
#include "base/scope.h"
#include "engine/shell/scriptfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct facts_setting setting = {.cwd = "/workspace", .home = "/home/agent"};

static void the_first_line_says_who_reads_a_file(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name;
    } cases[] = {
        {"#!/bin/sh\n", "sh"},
        {"#! /bin/sh -e \r\n", "sh"},
        {"#!/usr/bin/env python3\nx", "python3"},
        {"#!/usr/bin/env -S bash -e\n", "bash"},
        {"#!/usr/bin/env -S -u B A=1 perl -w\n", "perl"},
        {"#!/usr/bin/nice bash\n", "bash"},
        {"#!/usr/bin/awk -f", "awk"},
        {"#!", ""},
        {"#!\n", ""},
        {"echo x\n", "sh"},
        {"", "sh"},
        {"\177ELF\2\1", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        SCOPED(facts_close) struct facts f = {0};
        char name[SCRIPTFILE_NAME_BYTES];
        scriptfile_reader(&f, &setting, view_of(cases[i].text), name);
        if (strcmp(name, cases[i].name) != 0)
            fail_msg("%s is read by \"%s\", not \"%s\"", cases[i].text, name, cases[i].name);
    }
}

static void a_shells_file_has_its_arguments(void **state)
{
    (void)state;
    SCOPED(facts_close) struct facts f = {0};
    SCOPED(bytes_close) struct bytes store = bytes_open(4096);
    scriptfile_read(&f, &setting, " 'a b' c", view_of("zap \"$2\" \"$1\"\n"), &store);
    const struct command_fact *last = f.first;
    while (last->next)
        last = last->next;
    assert_int_equal(f.trouble.kinds, 0);
    assert_int_equal(last->argv.count, 3);
    assert_string_equal(last->argv.items[1].text, "c");
    assert_string_equal(last->argv.items[2].text, "a b");
}

static void a_text_without_room_is_trouble(void **state)
{
    (void)state;
    SCOPED(facts_close) struct facts f = {0};
    SCOPED(bytes_close) struct bytes store = bytes_open(16);
    scriptfile_read(&f, &setting, " a", view_of("zap and what follows\n"), &store);
    assert_int_equal(f.trouble.kinds, TROUBLE_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_says_who_reads_a_file),
        cmocka_unit_test(a_shells_file_has_its_arguments),
        cmocka_unit_test(a_text_without_room_is_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
