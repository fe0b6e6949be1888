/* Stored replies: found by their owner and id alone, bounded by age and by memory of their owner.
 */
#include "service/replies.h"

#include "base/clock.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const int64_t hour_s = 3600;

static struct replies *replies;
static struct err err;

static int open_replies(void **state)
{
    (void)state;
    return sodium_init() < 0 || replies_new(hour_s * S_NS, &replies, &err) ? -1 : 0;
}

static int close_replies(void **state)
{
    (void)state;
    replies_free(&replies);
    return 0;
}

static const uint8_t *id_of(uint64_t number)
{
    static uint8_t id[REQUEST_ID_BYTES];
    memset(id, 0, sizeof id);
    memcpy(id, &number, sizeof number);
    return id;
}

static void add(const char *tenant, const char *principal, uint64_t number, struct view body,
                int64_t second)
{
    struct reply reply = {.is_ok = true, .wall_ns = second * S_NS, .body = body};
    replies_add(replies, (struct reply_key){tenant, principal, id_of(number)}, &reply);
}

static bool has(const char *tenant, const char *principal, uint64_t number, int64_t second)
{
    struct reply reply;
    return replies_find(replies, (struct reply_key){tenant, principal, id_of(number)},
                        second * S_NS, &reply);
}

static void finds_a_copy_by_its_owner_and_id(void **state)
{
    (void)state;
    char text[] = "hello";
    add("red", "coder", 7, view_of(text), 1);
    text[0] = 'j';
    struct reply reply;
    struct reply_key key = {"red", "coder", id_of(7)};
    assert_true(replies_find(replies, key, S_NS, &reply));
    assert_true(view_equal(reply.body, view_of("hello")));
    assert_false(has("red", "coder", 8, 1));
    assert_false(has("red", "other", 7, 1));
    assert_false(has("blue", "coder", 7, 1));
}

static void the_newest_of_one_id_counts(void **state)
{
    (void)state;
    add("red", "coder", 7, view_of("old"), 1);
    add("red", "coder", 7, view_of("new"), 2);
    struct reply reply;
    struct reply_key key = {"red", "coder", id_of(7)};
    assert_true(replies_find(replies, key, 2 * S_NS, &reply));
    assert_true(view_equal(reply.body, view_of("new")));
}

static void keeps_none_beyond_its_age(void **state)
{
    (void)state;
    add("red", "coder", 1, view_of("x"), 0);
    add("red", "other", 2, view_of("x"), 0);
    assert_true(has("red", "coder", 1, hour_s));
    assert_false(has("red", "coder", 1, hour_s + 1));
    add("red", "coder", 3, view_of("x"), hour_s + 1);
    assert_int_equal(replies_count(replies), 1);
}

/* However small: an entry's own memory counts, and another principal loses nothing. */
static void a_principal_is_bounded_and_loses_its_oldest(void **state)
{
    (void)state;
    add("red", "other", 0, view_of("kept"), 0);
    const uint64_t most = PRINCIPAL_MAX_BYTES / 64;
    for (uint64_t i = 0; i < most; i++)
        add("red", "coder", i, view_of("x"), 0);
    assert_true(replies_count(replies) < most);
    assert_false(has("red", "coder", 0, 0));
    assert_true(has("red", "coder", most - 1, 0));
    assert_true(has("red", "other", 0, 0));
}

static void the_largest_replies_fit_up_to_the_bound(void **state)
{
    (void)state;
    static const uint8_t large[REPLY_MAX_BYTES];
    const uint64_t most = PRINCIPAL_MAX_BYTES / REPLY_MAX_BYTES;
    for (uint64_t i = 0; i < 2 * most; i++)
        add("red", "coder", i, (struct view){large, sizeof large}, 0);
    assert_in_range(replies_count(replies), most - 16, most);
    assert_true(has("red", "coder", 2 * most - 1, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_a_copy_by_its_owner_and_id, open_replies,
                                        close_replies),
        cmocka_unit_test_setup_teardown(the_newest_of_one_id_counts, open_replies, close_replies),
        cmocka_unit_test_setup_teardown(keeps_none_beyond_its_age, open_replies, close_replies),
        cmocka_unit_test_setup_teardown(a_principal_is_bounded_and_loses_its_oldest, open_replies,
                                        close_replies),
        cmocka_unit_test_setup_teardown(the_largest_replies_fit_up_to_the_bound, open_replies,
                                        close_replies),
    };
    return cmocka_run_group_tests_name("replies", tests, NULL, NULL);
}
