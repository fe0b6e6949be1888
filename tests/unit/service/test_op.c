/* The moves between the states of an operation: those of the drawing in op.h and no other. */
#include "service/op.h"

#include "base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    enum op_state from, to;
} drawn[] = {
    {OP_RECEIVED, OP_JUDGED},   /* allowed */
    {OP_RECEIVED, OP_ACTING},   /* kill and terminate */
    {OP_RECEIVED, OP_RESULTED}, /* the policy's no */
    {OP_RECEIVED, OP_REFUSED},  {OP_JUDGED, OP_INTENDED},
    {OP_JUDGED, OP_REFUSED}, /* the intent could not be written */
    {OP_INTENDED, OP_ACTING},   {OP_ACTING, OP_RESULTED},
    {OP_ACTING, OP_REPLIED},    {OP_RESULTED, OP_REPLIED},
};

static bool is_drawn(enum op_state from, enum op_state to)
{
    for (size_t i = 0; i < COUNT(drawn); i++)
        if (drawn[i].from == from && drawn[i].to == to)
            return true;
    return false;
}

static void allows_the_drawn_moves_and_no_other(void **state)
{
    (void)state;
    for (enum op_state from = 0; from < OP_STATES; from++)
        for (enum op_state to = 0; to < OP_STATES; to++)
            if (op_may_move(from, to) != is_drawn(from, to))
                fail_msg("%s to %s", op_state_name(from), op_state_name(to));
}

static void nothing_leads_to_an_act_but_an_intent_or_a_kill(void **state)
{
    (void)state;
    for (enum op_state from = 0; from < OP_STATES; from++)
        assert_int_equal(op_may_move(from, OP_ACTING), from == OP_INTENDED || from == OP_RECEIVED);
}

static void every_state_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (enum op_state a = 0; a < OP_STATES; a++)
        for (enum op_state b = 0; b < a; b++)
            assert_string_not_equal(op_state_name(a), op_state_name(b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allows_the_drawn_moves_and_no_other),
        cmocka_unit_test(nothing_leads_to_an_act_but_an_intent_or_a_kill),
        cmocka_unit_test(every_state_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests_name("op", tests, NULL, NULL);
}
