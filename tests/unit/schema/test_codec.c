/* The codec: what one side writes the other reads, and what breaks a row's rule is refused by name.
 */
#include "base/scope.h"
#include "data/pack.h"
#include "schema/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct err err;

static void round_trips_texts_lists_and_nested_records(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes tags = bytes_open(1000), frame = bytes_open(10000);
    struct sandbox_create in = {.agent = "coder", .limits = {.memory_mb = 64}}, out;
    schema_mark(&message_sandbox_create, &in, "limits");
    assert_int_equal(list_add_text(&tags, &in.tags, view_of("a=b"), &err), 0);
    assert_int_equal(list_add_text(&tags, &in.tags, view_of("c=d"), &err), 0);
    assert_int_equal(schema_encode(&message_sandbox_create, &in, &frame, &err), 0);
    assert_int_equal(
        schema_decode(&message_sandbox_create, bytes_view(&frame), SCHEMA_STRICT, &out, &err), 0);
    assert_string_equal(out.agent, "coder");
    assert_int_equal(out.limits.memory_mb, 64);
    assert_int_equal(out.tags.count, 2);
    struct view tag;
    assert_true(list_next_text(&out.tags, &tag) && list_next_text(&out.tags, &tag));
    assert_true(view_equal(tag, view_of("c=d")));
    assert_false(list_next_text(&out.tags, &tag));
}

static void lists_of_records_are_read_one_by_one(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes rows = bytes_open(10000), frame = bytes_open(10000);
    struct record_push in = {.source = "manager@h", .epoch = 7}, out;
    for (int i = 1; i <= 3; i++) {
        struct record_item item = {.seq = i, .type = 1, .payload = view_of("x")};
        assert_int_equal(list_add(&rows, &in.records, &message_record_item, &item, &err), 0);
    }
    assert_int_equal(schema_encode(&message_record_push, &in, &frame, &err), 0);
    assert_int_equal(
        schema_decode(&message_record_push, bytes_view(&frame), SCHEMA_LENIENT, &out, &err), 0);
    struct record_item item;
    for (int i = 1; i <= 3; i++) {
        assert_true(list_next(&out.records, &message_record_item, &item));
        assert_int_equal(item.seq, i);
    }
    assert_false(list_next(&out.records, &message_record_item, &item));
}

/* Decodes a command_execute made of one extra pair; the error's text comes back in `err`. */
static int decode_with(void (*extra)(struct pack *), size_t pairs, enum schema_mode mode)
{
    SCOPED(bytes_close) struct bytes frame = bytes_open(200000);
    struct pack p = pack_begin(&frame, &err);
    pack_map(&p, 1 + pairs);
    pack_text(&p, "sandbox_id");
    pack_text(&p, "sb_x");
    extra(&p);
    assert_int_equal(pack_end(&p), 0);
    struct command_execute out;
    return schema_decode(&message_command_execute, bytes_view(&frame), mode, &out, &err);
}

static void unknown_key(struct pack *p)
{
    pack_text(p, "surprise");
    pack_array(p, 1);
    pack_int(p, 1);
}

static void refuses_an_unknown_key_from_clients_and_skips_it_between_services(void **state)
{
    (void)state;
    assert_int_equal(decode_with(unknown_key, 1, SCHEMA_STRICT), -1);
    assert_string_equal(err.text, "command_execute.surprise: no such field");
    assert_int_equal(decode_with(unknown_key, 1, SCHEMA_LENIENT), 0);
}

static void wrong_type(struct pack *p)
{
    pack_text(p, "timeout_ms");
    pack_text(p, "soon");
}

static void out_of_range(struct pack *p)
{
    pack_text(p, "timeout_ms");
    pack_int(p, 0);
}

static void nul_in_text(struct pack *p)
{
    pack_text(p, "cwd");
    pack_str(p, (struct view){(const uint8_t *)"/\0x", 3});
}

static void broken_utf8(struct pack *p)
{
    pack_text(p, "cwd");
    pack_str(p, (struct view){(const uint8_t *)"/\xff", 2});
}

static void long_text(struct pack *p)
{
    static char path[1026];
    memset(path, 'a', 1025);
    pack_text(p, "cwd");
    pack_text(p, path);
}

static void bad_item(struct pack *p)
{
    pack_text(p, "argv");
    pack_array(p, 2);
    pack_text(p, "ls");
    pack_int(p, 5);
}

static void refuses_what_breaks_a_rows_rule_and_names_the_field(void **state)
{
    (void)state;
    assert_int_equal(decode_with(wrong_type, 1, SCHEMA_STRICT), -1);
    assert_string_equal(err.text, "command_execute.timeout_ms: must be an integer, is text");
    assert_int_equal(decode_with(out_of_range, 1, SCHEMA_STRICT), -1);
    assert_string_equal(err.text, "command_execute.timeout_ms: 0 is outside 1 to 86400000 ms");
    assert_int_equal(decode_with(nul_in_text, 1, SCHEMA_STRICT), -1);
    assert_string_equal(err.text, "command_execute.cwd: holds a NUL");
    assert_int_equal(decode_with(broken_utf8, 1, SCHEMA_LENIENT), -1);
    assert_string_equal(err.text, "command_execute.cwd: is no UTF-8");
    assert_int_equal(decode_with(long_text, 1, SCHEMA_STRICT), -1);
    assert_string_equal(err.text, "command_execute.cwd: 1025 bytes; at most 1024");
    assert_int_equal(decode_with(bad_item, 1, SCHEMA_STRICT), -1);
    assert_string_equal(err.text, "command_execute.argv: item 1: must be text, is an integer");
}

static void refuses_a_missing_required_field(void **state)
{
    (void)state;
    struct sandbox_inspect out;
    assert_int_equal(schema_decode(&message_sandbox_inspect,
                                   (struct view){(const uint8_t *)"\x80", 1}, SCHEMA_STRICT, &out,
                                   &err),
                     -1);
    assert_string_equal(err.text, "sandbox_inspect.sandbox_id: is required");
}

static void refuses_to_write_what_it_would_refuse_to_read(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes frame = bytes_open(1000);
    struct exec_result in = {.cause = "bored", .verdict_id = "v", .op_id = "o"};
    assert_int_equal(schema_encode(&message_exec_result, &in, &frame, &err), -1);
    assert_non_null(strstr(err.text, "exec_result.cause: must be one of"));
}

static void tells_a_zero_that_is_there_from_one_that_is_not(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes frame = bytes_open(1000);
    struct exec_result in = {.ran = true, .cause = "exited", .verdict_id = "v", .op_id = "o"}, out;
    for (int marked = 0; marked < 2; marked++) {
        bytes_clear(&frame);
        if (marked)
            schema_mark(&message_exec_result, &in, "exit_code");
        assert_int_equal(schema_encode(&message_exec_result, &in, &frame, &err), 0);
        assert_int_equal(
            schema_decode(&message_exec_result, bytes_view(&frame), SCHEMA_STRICT, &out, &err), 0);
        assert_int_equal(schema_has(&message_exec_result, &out, "exit_code"), marked);
    }
}

static void leaves_the_struct_alone_when_it_refuses(void **state)
{
    (void)state;
    struct sandbox_inspect out = {.sandbox_id = "before"};
    assert_int_equal(schema_decode(&message_sandbox_inspect,
                                   (struct view){(const uint8_t *)"\x80", 1}, SCHEMA_STRICT, &out,
                                   &err),
                     -1);
    assert_string_equal(out.sandbox_id, "before");
}

static void every_message_describes_itself_and_fits_the_present_bits(void **state)
{
    (void)state;
    for (size_t i = 0; schema_messages[i]; i++) {
        SCOPED(bytes_close) struct bytes text = bytes_open(100000);
        size_t count;
        schema_messages[i]->rows(&count);
        assert_true(count <= MESSAGE_MAX_FIELDS);
        assert_int_equal(schema_describe(schema_messages[i], &text, &err), 0);
        assert_non_null(strstr((char *)text.data, schema_messages[i]->name));
    }
}

static void reads_json_strictly_and_prints_blobs_as_text_or_base64(void **state)
{
    (void)state;
    SCOPED(bytes_close) struct bytes packed = bytes_open(1000), json = bytes_open(1000);
    struct sandbox_inspect in;
    assert_int_equal(schema_from_json(&message_sandbox_inspect, view_of("{\"sandbox_id\":\"sb\"}"),
                                      &packed, &in, &err),
                     0);
    assert_string_equal(in.sandbox_id, "sb");
    struct exec_chunk chunk = {.op_id = "o", .data = {(const uint8_t *)"\xff", 1}};
    assert_int_equal(schema_json(&message_exec_chunk, &chunk, 0, &json, &err), 0);
    assert_non_null(strstr((char *)json.data, "\"data_base64\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips_texts_lists_and_nested_records),
        cmocka_unit_test(lists_of_records_are_read_one_by_one),
        cmocka_unit_test(refuses_an_unknown_key_from_clients_and_skips_it_between_services),
        cmocka_unit_test(refuses_what_breaks_a_rows_rule_and_names_the_field),
        cmocka_unit_test(refuses_a_missing_required_field),
        cmocka_unit_test(refuses_to_write_what_it_would_refuse_to_read),
        cmocka_unit_test(tells_a_zero_that_is_there_from_one_that_is_not),
        cmocka_unit_test(leaves_the_struct_alone_when_it_refuses),
        cmocka_unit_test(every_message_describes_itself_and_fits_the_present_bits),
        cmocka_unit_test(reads_json_strictly_and_prints_blobs_as_text_or_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
