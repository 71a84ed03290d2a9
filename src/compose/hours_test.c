#include "compose/hours.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/frames.h"

enum { SEEDS = 12, CURVES = 4, DAY = 24 * 60 };

static const uint64_t minute = (uint64_t)60 * FRAME_RATE;

// All curves, -1 .. 1 of what each may be.
static void curves_at(uint64_t seed, uint64_t frame, double curve[CURVES])
{
    struct hours hours = hours_at(seed, frame);
    curve[0] = (hours.density - 1) / .18;
    curve[1] = hours.reach / 3.5;
    curve[2] = hours.brightness / .1;
    curve[3] = hours.space / .1;
}

// Within a day each has been far up and far down, and gone through the middle only a few times an hour.
static void they_come_and_go_within_hours(void **state)
{
    int turns = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        double last[CURVES] = {0}, low[CURVES] = {0}, high[CURVES] = {0};
        for (uint64_t n = 0; n < DAY; n++) {
            double curve[CURVES];
            curves_at(seed, n * minute, curve);
            for (int i = 0; i < CURVES; i++) {
                assert_true(fabs(curve[i]) <= 1);
                low[i] = fmin(low[i], curve[i]);
                high[i] = fmax(high[i], curve[i]);
                turns += n > 0 && curve[i] * last[i] < 0;
                last[i] = curve[i];
            }
        }
        for (int i = 0; i < CURVES; i++)
            assert_true(low[i] < -.3 && high[i] > .3);
    }
    double minutes = (double)SEEDS * CURVES * DAY / turns;
    print_message("# %.0f minutes on one side of the middle, in the mean\n", minutes);
    assert_true(minutes > 20 && minutes < 120);
}

// Nobody hears them move: a fifteenth of the way in a minute, and no step from one second to the next.
static void they_are_too_slow_to_be_noticed(void **state)
{
    double most = 0, step = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (uint64_t n = 0; n < DAY; n++) {
            double now[CURVES], later[CURVES], next[CURVES];
            curves_at(seed, n * minute, now);
            curves_at(seed, n * minute + FRAME_RATE, next);
            curves_at(seed, (n + 1) * minute, later);
            for (int i = 0; i < CURVES; i++) {
                most = fmax(most, fabs(later[i] - now[i]));
                step = fmax(step, fabs(next[i] - now[i]));
            }
        }
    print_message("# %.3f in a minute at most, %.5f in a second\n", most, step);
    assert_true(most < 2. / 15 && step < .004);
}

static void seeds_and_curves_go_their_own_ways(void **state)
{
    double together = 0;
    for (uint64_t n = 0; n < DAY; n += 20) {
        double one[CURVES], other[CURVES];
        curves_at(1, n * minute, one);
        curves_at(2, n * minute, other);
        together += one[0] * other[0] + one[0] * one[1] + one[2] * one[3];
    }
    assert_true(fabs(together / (DAY / 20) / 3) < .15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_come_and_go_within_hours),
        cmocka_unit_test(they_are_too_slow_to_be_noticed),
        cmocka_unit_test(seeds_and_curves_go_their_own_ways),
    };
    return cmocka_run_group_tests_name("hours", tests, NULL, NULL);
}
