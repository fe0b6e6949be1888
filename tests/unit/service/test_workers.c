/* The worker pool: jobs on threads, their ends on the loop, a bound, and an end that loses nothing.
 */
#include "service/workers.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct err err;
static struct loop *loop;
static struct workers *workers;

static int open_pool(void **state)
{
    (void)state;
    return loop_new(&loop, &err) || workers_new(loop, 2, 3, &workers, &err) ? -1 : 0;
}

static int close_pool(void **state)
{
    (void)state;
    workers_free(&workers);
    loop_free(&loop);
    return 0;
}

struct job {
    pthread_t ran_on, done_on;
    int runs, dones, again; /* `again`: times that done hands it over anew */
};

static void run(void *context)
{
    struct job *job = context;
    job->ran_on = pthread_self();
    job->runs++;
}

static void done(void *context)
{
    struct job *job = context;
    job->done_on = pthread_self();
    job->dones++;
    if (job->again-- > 0)
        assert_int_equal(workers_run(workers, run, done, job, &err), 0);
    else
        loop_stop(loop);
}

static void runs_on_a_thread_and_is_done_on_the_loop(void **state)
{
    (void)state;
    struct job job = {.again = 5};
    assert_int_equal(workers_run(workers, run, done, &job, &err), 0);
    assert_int_equal(workers_busy(workers), 1);
    loop_run(loop);
    assert_int_equal(job.runs, 6);
    assert_int_equal(job.dones, 6);
    assert_false(pthread_equal(job.ran_on, pthread_self()));
    assert_true(pthread_equal(job.done_on, pthread_self()));
    assert_int_equal(workers_busy(workers), 0);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void run_behind_the_gate(void *context)
{
    pthread_mutex_lock(&gate);
    run(context);
    pthread_mutex_unlock(&gate);
}

static void refuses_more_than_its_bound(void **state)
{
    (void)state;
    struct job job = {.again = -10};
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 3; i++)
        assert_int_equal(workers_run(workers, run_behind_the_gate, done, &job, &err), 0);
    assert_int_equal(workers_run(workers, run, done, &job, &err), -1);
    assert_int_equal(err.code, ERR_OVERLOADED);
    pthread_mutex_unlock(&gate);
    workers_free(&workers);
    assert_int_equal(job.dones, 3);
}

static void the_end_waits_for_what_was_given_and_for_what_that_gives(void **state)
{
    (void)state;
    struct job job = {.again = 4};
    assert_int_equal(workers_run(workers, run, done, &job, &err), 0);
    workers_free(&workers);
    assert_null(workers);
    assert_int_equal(job.runs, 5);
    assert_int_equal(job.dones, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_on_a_thread_and_is_done_on_the_loop, open_pool,
                                        close_pool),
        cmocka_unit_test_setup_teardown(refuses_more_than_its_bound, open_pool, close_pool),
        cmocka_unit_test_setup_teardown(the_end_waits_for_what_was_given_and_for_what_that_gives,
                                        open_pool, close_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
