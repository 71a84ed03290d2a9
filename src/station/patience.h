// Waiting in the tests of a station, which works on a thread of its own while the test moves its clock. After
// <cmocka.h>.
#pragma once
#include <time.h>

static inline void wait_a_moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

// Waits for what must happen; a minute is for a machine that is very busy.
#define assert_soon(condition)                                          \
    do {                                                                \
        for (int tries_ = 0; tries_ < 300000 && !(condition); tries_++) \
            wait_a_moment();                                            \
        assert_true(condition);                                         \
    } while (0)
