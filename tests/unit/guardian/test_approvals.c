/* The approvals in memory: what an approval is bound to, and what is kept. */
#include "guardian/approvals.h"

#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct err err;

static struct act act_of(const char *operation, const char *sandbox_id)
{
    struct act act = {.tenant = "acme", .agent = "coder", .user = "agent"};
    text_copy(act.operation, sizeof act.operation, operation);
    text_copy(act.sandbox_id, sizeof act.sandbox_id, sandbox_id);
    schema_mark(&message_act, &act, "limits");
    return act;
}

/* The n-th request for approval. */
static struct approval_item *add(struct approvals *all, int n, int64_t lapses_boot_ms)
{
    static const uint8_t policy[32];
    struct act act = act_of("command_execute", "sb_1");
    SCOPED(bytes_close) struct bytes packed = bytes_open(APPROVAL_ACT_BYTES);
    struct approval_item *item = NULL;
    act.script = view_of("ls");
    snprintf(act.cwd, sizeof act.cwd, "/%d", n);
    assert_int_equal(schema_encode(&message_act, &act, &packed, &err), 0);
    struct event event = {.act = bytes_view(&packed),
                          .principal = "ci",
                          .verdict = {.risk = "high", .policy = {policy, sizeof policy}}};
    snprintf(event.approval_id, sizeof event.approval_id, "id%d", n);
    if (approvals_add(all, &event, 1, lapses_boot_ms, &item, &err))
        fail_msg("%s", err.text);
    return item;
}

static void a_create_is_the_same_act_whatever_its_sandbox_id(void **state)
{
    (void)state;
    uint8_t one[ACT_HASH_BYTES], other[ACT_HASH_BYTES], whole[ACT_HASH_BYTES];
    struct act a = act_of("sandbox_create", "sb_1"), b = act_of("sandbox_create", "sb_2");
    assert_int_equal(approval_hash(&a, one, &err) | approval_hash(&b, other, &err), 0);
    assert_memory_equal(one, other, sizeof one);
    assert_int_equal(act_hash(&a, whole, &err), 0);
    assert_memory_not_equal(one, whole, sizeof one);
    a = act_of("command_execute", "sb_1"), b = act_of("command_execute", "sb_2");
    assert_int_equal(approval_hash(&a, one, &err) | approval_hash(&b, other, &err), 0);
    assert_memory_not_equal(one, other, sizeof one);
}

static void what_stands_is_kept_and_of_the_rest_the_newest(void **state)
{
    (void)state;
    int64_t now = clock_boot_ms(), later = now + 60 * 1000;
    SCOPED(approvals_close) struct approvals all = {0};
    const struct approval_item *pending = add(&all, 0, later);
    struct approval_item *denied = add(&all, 1, later), *lapsed = add(&all, 2, now - 1);
    strcpy(denied->shown.state, "denied");
    strcpy(lapsed->shown.state, "denied");
    for (int n = 3; n < 3 + 2 * APPROVALS_KEPT; n++)
        strcpy(add(&all, n, later)->shown.state, "used");
    assert_ptr_equal(approvals_find(&all, "id0"), pending);
    assert_ptr_equal(approvals_find(&all, "id1"), denied);
    assert_null(approvals_find(&all, "id2"));
    assert_null(approvals_find(&all, "id3"));
    char newest[16];
    snprintf(newest, sizeof newest, "id%d", 2 + 2 * APPROVALS_KEPT);
    assert_ptr_equal(approvals_find(&all, newest), all.last);
    size_t count = 0;
    for (const struct approval_item *i = all.first; i; i = i->next)
        count++;
    assert_in_range(count, APPROVALS_KEPT, APPROVALS_KEPT + 3);
}

static void what_lapsed_matches_no_more_once_it_was_denied(void **state)
{
    (void)state;
    int64_t now = clock_boot_ms();
    SCOPED(approvals_close) struct approvals all = {0};
    struct approval_item *item = add(&all, 0, now + 1000);
    strcpy(item->shown.state, "denied");
    const struct act *act = &item->shown.act;
    assert_ptr_equal(approvals_match(&all, act, "ci", item->hash, now), item);
    assert_null(approvals_match(&all, act, "somebody", item->hash, now));
    assert_null(approvals_match(&all, act, "ci", item->hash, now + 1000));
    strcpy(item->shown.state, "used");
    assert_null(approvals_match(&all, act, "ci", item->hash, now));
}

static void refuses_a_record_that_is_no_request(void **state)
{
    (void)state;
    SCOPED(approvals_close) struct approvals all = {0};
    struct approval_item *item = NULL;
    struct event event = {.approval_id = "x", .act = view_of("no act")};
    assert_int_equal(approvals_add(&all, &event, 1, 1, &item, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_null(item);
    assert_null(all.first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_create_is_the_same_act_whatever_its_sandbox_id),
        cmocka_unit_test(what_stands_is_kept_and_of_the_rest_the_newest),
        cmocka_unit_test(what_lapsed_matches_no_more_once_it_was_denied),
        cmocka_unit_test(refuses_a_record_that_is_no_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
