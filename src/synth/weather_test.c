// Rain, wind, sea, dust and grains: how loud they are beside a pad, how wide, that nothing in them clicks or beats, and
// that what they do is theirs.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "synth/instruments/all.h"
#include "synth/test_loudness.h"
#include "synth/test_note.h"
#include "synth/test_score.h"

static const struct mix middle = TEST_MIX_MIDDLE;

static const struct weather_row {
    enum instrument instrument;
    const struct instrument_levels *levels;
} rows[] = {{INSTRUMENT_RAIN, &rain_levels}, {INSTRUMENT_WIND, &wind_levels}, {INSTRUMENT_SEA, &sea_levels},
            {INSTRUMENT_VINYL, &vinyl_levels}, {INSTRUMENT_GRAIN, &grain_levels}};

enum { ROWS = sizeof rows / sizeof *rows, SECONDS = 40, FRAMES = SECONDS * FRAME_RATE };

// A bed of SECONDS.   id: of the note.
static float *bed(enum instrument instrument, uint64_t id, float attack_s)
{
    struct note note = test_note(60, 1000);
    note.id = id;
    note.attack_s = attack_s;
    float *out = malloc((size_t)FRAMES * CHANNELS * sizeof *out);
    if (!out)
        abort();
    test_note_play(instrument, &note, &middle, out, FRAMES);
    return out;
}

static double lufs_of(enum instrument instrument, struct instrument_levels levels)
{
    float *out = bed(instrument, 5, 0.5f);
    double lufs = test_loudness(out, FRAMES).integrated_lufs + 20 * log10(levels.dry);
    free(out);
    return lufs;
}

static void beds_lie_under_the_music(void **unused)
{
    (void)unused;
    double pad = lufs_of(INSTRUMENT_PAD, pad_levels), worst = 0;
    for (int n = 0; n < ROWS; n++) {
        double over = lufs_of(rows[n].instrument, *rows[n].levels) - pad;
        print_message("# %s: %+.1f LU against one voice of a pad\n", instrument_name(rows[n].instrument), over);
        worst = fmax(worst, fabs(over + 2));
    }
    assert_true(worst < 1.5);
}

enum { POLES = 4 };

// Of left and right; of what lies below 120 Hz, by as many one-poles there, where `low` is set.
static double correlation(const float *stereo, bool low)
{
    const double pole = low ? 1 - exp(-2 * M_PI * 120 / FRAME_RATE) : 1;
    double both = 0, left = 0, right = 0, x[CHANNELS][1 + POLES] = {{0}};
    for (size_t i = 0; i < FRAMES; i++) {
        for (int c = 0; c < CHANNELS; c++) {
            x[c][0] = stereo[CHANNELS * i + (size_t)c];
            for (int n = 0; n < POLES; n++)
                x[c][n + 1] += (x[c][n] - x[c][n + 1]) * pole;
        }
        both += x[0][POLES] * x[1][POLES];
        left += x[0][POLES] * x[0][POLES];
        right += x[1][POLES] * x[1][POLES];
    }
    return both / sqrt(left * right);
}

static void beds_are_wide_but_for_the_lows(void **unused)
{
    (void)unused;
    for (int n = 0; n < ROWS; n++) {
        float *out = bed(rows[n].instrument, 9, 0.5f);
        double wide = correlation(out, false), low = correlation(out, true);
        print_message("# %s: correlation %.3f, in the lows %.3f\n", instrument_name(rows[n].instrument), wide, low);
        assert_true(wide > -0.05 && wide < 0.95 && low > 0.9);
        free(out);
    }
}

// Through effects and mastering, beginning, ending and a lane taken; then the same with a click of -8 dBFS in it.
static void beds_do_not_click(void **unused)
{
    (void)unused;
    for (int n = 0; n < ROWS; n++) {
        static struct test_score score;
        score.count = 0;
        test_score_mix(&score, 0, middle);
        test_score_note(&score, 0.5, rows[n].instrument, 3, 60, 12);
        test_score_note(&score, 6, rows[n].instrument, 3, 66, 8);
        test_score_note(&score, 9, rows[n].instrument, 4, 54, 4);
        test_score_sort(&score);
        float *out = test_render(backend_best(), &score, 20, 75);
        double ratio = test_click_ratio(out, (size_t)20 * FRAME_RATE);
        out[10 * FRAME_RATE * CHANNELS] += 0.4f;
        double planted = test_click_ratio(out, (size_t)20 * FRAME_RATE);
        print_message("# %s: click ratio %.2f, with a click %.2f\n", instrument_name(rows[n].instrument), ratio,
                      planted);
        assert_true(ratio < 3 && planted > 3);
        free(out);
    }
}

// Two notes are two weathers, the same note is the same one.
static void beds_follow_from_their_note(void **unused)
{
    (void)unused;
    for (int n = 0; n < ROWS; n++) {
        float *one = bed(rows[n].instrument, 1, 0.5f), *same = bed(rows[n].instrument, 1, 0.5f);
        float *other = bed(rows[n].instrument, 2, 0.5f);
        assert_memory_equal(one, same, (size_t)FRAMES * CHANNELS * sizeof *one);
        assert_memory_not_equal(one, other, (size_t)FRAMES * CHANNELS * sizeof *one);
        free(one);
        free(same);
        free(other);
    }
}

// Level of each 200 ms in dB; returns how many there are.
static int levels_of(const float *stereo, double *db)
{
    enum { STRETCH = FRAME_RATE / 5 };
    int count = FRAMES / STRETCH;
    for (int k = 0; k < count; k++) {
        double power = 1e-12;
        for (int i = 0; i < STRETCH * CHANNELS; i++)
            power += (double)stereo[k * STRETCH * CHANNELS + i] * stereo[k * STRETCH * CHANNELS + i];
        db[k] = 10 * log10(power / STRETCH);
    }
    return count;
}

static double range_db(enum instrument instrument)
{
    double db[FRAMES / (FRAME_RATE / 5)], low = 1e9, high = -1e9;
    float *out = bed(instrument, 3, 0.1f);
    int count = levels_of(out, db);
    for (int k = 10; k < count; k++) {
        low = fmin(low, db[k]);
        high = fmax(high, db[k]);
    }
    free(out);
    return high - low;
}

// Waves come and go, gusts less, rain is steady.
static void the_sea_breathes(void **unused)
{
    (void)unused;
    double sea = range_db(INSTRUMENT_SEA), wind = range_db(INSTRUMENT_WIND), rain = range_db(INSTRUMENT_RAIN);
    print_message("# loudest over softest 200 ms: sea %.1f dB, wind %.1f dB, rain %.1f dB\n", sea, wind, rain);
    assert_true(sea > 12 && wind > 4 && rain < 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beds_lie_under_the_music), cmocka_unit_test(beds_are_wide_but_for_the_lows),
        cmocka_unit_test(beds_do_not_click),        cmocka_unit_test(beds_follow_from_their_note),
        cmocka_unit_test(the_sea_breathes),
    };
    return cmocka_run_group_tests_name("weather", tests, NULL, NULL);
}
