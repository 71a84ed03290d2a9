// Exactness: the same bits at every SIMD level, however time is cut, and from a copied state; and what faults leave.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/frames.h"
#include "base/hash.h"
#include "synth/instruments/all.h"
#include "synth/test_score.h"

enum { SECONDS = 20, BLOCK_SAMPLES = CONTROL_FRAMES * CHANNELS };

static const struct mix middle = TEST_MIX_WET;

static struct test_score busy_score(double seconds)
{
    static const struct mix bright = {.gain = {0.4f, 1, 0, 1, 1, 1, 1}, .brightness = 0.9f, .motion = 1, .space = 1,
                                      .warmth = 0.9f, .shimmer = 0.3f, .chorus = 1, .echo = 1, .loudness = -18};
    static const struct mix frozen = {.gain = {1, 0, 1, 0.3f, 1, 1, 0.7f}, .brightness = 0.2f, .space = 0.1f,
                                      .warmth = 0.1f, .shimmer = 0.3f, .echo = 0.5f, .freeze = 0.5f, .loudness = -18};
    struct test_score score = {.count = 0};
    test_score_mix(&score, 0, middle);
    test_score_mix(&score, 7, bright);
    test_score_mix(&score, 14, frozen);
    test_score_fill(&score, seconds, TEST_ALL | TEST_TONAL | TEST_TEXTURES);
    return score;
}

static void levels_agree(void **unused)
{
    (void)unused;
    struct test_score score = busy_score(SECONDS);
    uint64_t want_sound = 0, want_state = 0;
    static float out[SECONDS * FRAME_RATE * CHANNELS];
    for (const struct backend *const *b = backend_list(); *b; b++) {
        if (!(*b)->available())
            continue;
        void *state = test_state(0);
        synth_render(*b, state, score.events, score.count, out, SECONDS * FRAME_RATE / CONTROL_FRAMES);
        uint64_t sound = hash_bytes(out, sizeof out), kept = hash_bytes(state, synth_bytes());
        if (b == backend_list()) {
            want_sound = sound;
            want_state = kept;
        }
        assert_true(test_peak(out, sizeof out / sizeof *out) > 0.05);
        assert_int_equal(sound, want_sound);
        assert_int_equal(kept, want_state);
        assert_int_equal(synth_faults(state), 0);
        free(state);
    }
}

static void levels_are_found(void **unused)
{
    (void)unused;
    assert_ptr_equal(backend_find("scalar"), backend_list()[0]);
    assert_null(backend_find("mmx"));
    assert_ptr_equal(backend_find(backend_best()->name), backend_best());
}

static void calls_do_not_show(void **unused)
{
    (void)unused;
    struct test_score score = busy_score(SECONDS);
    size_t bytes = (size_t)SECONDS * FRAME_RATE * CHANNELS * sizeof(float);
    float *one = test_render(backend_best(), &score, SECONDS, 1);
    for (int blocks = 3; blocks <= 75; blocks += 72) {
        float *many = test_render(backend_best(), &score, SECONDS, blocks);
        assert_memory_equal(one, many, bytes);
        free(many);
    }
    free(one);
}

// Renders on from a state for `blocks` blocks.
static void render_on(void *state, const struct test_score *score, float *out, int blocks)
{
    const struct event *first;
    uint64_t from = synth_input_frame(state);
    int count = test_events(score, from, from + (uint64_t)blocks * CONTROL_FRAMES, &first);
    synth_render(backend_best(), state, first, count, out, blocks);
}

// A state in the midst of all that can sound.
static void *busy_state(const struct test_score *score)
{
    static float out[7500 * BLOCK_SAMPLES];
    void *state = test_state(0);
    render_on(state, score, out, 7500);
    return state;
}

enum { GOES_ON_BLOCKS = 750 };

static void snapshot_goes_on(void **unused)
{
    (void)unused;
    struct test_score score = busy_score(SECONDS);
    static float want[GOES_ON_BLOCKS * BLOCK_SAMPLES], got[GOES_ON_BLOCKS * BLOCK_SAMPLES];
    void *state = busy_state(&score);
    char *room = aligned_alloc(64, synth_bytes() + 4096);
    void *elsewhere = room + 4096 - 64;
    memcpy(elsewhere, state, synth_bytes());
    render_on(state, &score, want, GOES_ON_BLOCKS);
    memset(state, 0xa5, synth_bytes());
    render_on(elsewhere, &score, got, GOES_ON_BLOCKS);
    assert_memory_equal(want, got, sizeof want);
    free(state);
    free(room);
}

typedef void spoil(struct synth_state *s);

static void stale_phase(struct synth_state *s)
{
    s->pad[0].sway[1] -= 1000;
}

static void zeroed_filter(struct synth_state *s)
{
    s->pad[0].sides.left_2[1] = 0;
}

static void shifted_delay_line(struct synth_state *s)
{
    memmove(s->reverb.ring, s->reverb.ring + 1, 1000 * sizeof *s->reverb.ring);
}

static void stale_coefficient(struct synth_state *s)
{
    s->pad[0].sides.across[1] *= 1.0001f;
}

static void stale_servo(struct synth_state *s)
{
    s->mastering.slow *= 1.01f;
}

static void stale_glide(struct synth_state *s)
{
    s->mix.now.brightness += 1e-3f;
}

static void stale_envelope(struct synth_state *s)
{
    s->bell[0].decay[0] *= 0.9999f;
    s->bell[0].decay[1] *= 0.9999f;
    s->bell[0].decay[2] *= 0.9999f;
}

static void stale_limiter(struct synth_state *s)
{
    s->mastering.limiter_gain *= 0.99999f;
}

static void stale_string(struct synth_state *s)
{
    s->pluck[0].line[0][40] += 1e-3f;
}

static void stale_age(struct synth_state *s)
{
    s->bowl[0].modal.age[1] += CONTROL_FRAMES;
}

static void zeroed_formant(struct synth_state *s)
{
    s->choir[0].formant[1].left_1[0] = 0;
}

static void zeroed_bands(struct synth_state *s)
{
    memset(s->wind[0].low, 0, sizeof s->wind[0].low);
}

static void zeroed_grains(struct synth_state *s)
{
    memset(s->grain[0].wide, 0, sizeof s->grain[0].wide);
}

static void stale_lfo(struct synth_state *s)
{
    s->modular[0].lfo[0][0] += 1u << 28;
    s->modular[0].lfo[0][1] += 1u << 28;
}

static void lost_echo(struct synth_state *s)
{
    s->echo.left[ECHO_LEFT_FRAMES / 2] += 1e-2f;
}

static void stale_grit(struct synth_state *s)
{
    s->mastering.saturation.between[0][3] += 1e-3f;
}

static void wrong_restores_are_caught(void **unused)
{
    (void)unused;
    static spoil *const spoils[] = {stale_phase, zeroed_filter, shifted_delay_line, stale_coefficient, stale_servo,
                                    stale_glide, stale_envelope, stale_limiter, stale_string, stale_age,
                                    zeroed_formant, zeroed_bands, zeroed_grains, stale_lfo, lost_echo, stale_grit};
    struct test_score score = busy_score(SECONDS);
    static float want[GOES_ON_BLOCKS * BLOCK_SAMPLES], got[GOES_ON_BLOCKS * BLOCK_SAMPLES];
    void *state = busy_state(&score), *copy = test_state(0);
    memcpy(copy, state, synth_bytes());
    render_on(copy, &score, want, GOES_ON_BLOCKS);
    for (size_t n = 0; n < sizeof spoils / sizeof *spoils; n++) {
        memcpy(copy, state, synth_bytes());
        spoils[n](copy);
        render_on(copy, &score, got, GOES_ON_BLOCKS);
        if (memcmp(want, got, sizeof want) == 0)
            fail_msg("spoil %zu is not heard", n);
    }
    free(state);
    free(copy);
}

// Puts not-a-number into a float of a busy state: nothing of it may come out, it is counted, and the next chord sounds.
static void survives_nan_at(const struct test_score *score, const void *state, void *copy, size_t offset)
{
    static float out[4500 * BLOCK_SAMPLES];
    const float nan = NAN;
    memcpy(copy, state, synth_bytes());
    memcpy((char *)copy + offset, &nan, sizeof nan);
    render_on(copy, score, out, 4500);
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        assert_true(isfinite(out[i]) && fabsf(out[i]) <= 1.0f);
    assert_true(test_peak(out + 3000 * BLOCK_SAMPLES, 1500 * BLOCK_SAMPLES) > 0.01);
}

static void nan_becomes_silence(void **unused)
{
    (void)unused;
    static const struct {
        size_t offset;
        bool counted;
    } places[] = {
        {offsetof(struct synth_state, pad[0].sides.left_1[1]), true},
        {offsetof(struct synth_state, pad[0].sides.through[1]), true},
        {offsetof(struct synth_state, pad[0].lanes.now.pitch[1]), false},
        {offsetof(struct synth_state, bar[0].modal.note[0].increment[0][0]), false},
        {offsetof(struct synth_state, bowl[0].modal.note[1].amplitude[0][0]), true},
        {offsetof(struct synth_state, bowl[0].modal.note[1].rate[1][0]), false},
        {offsetof(struct synth_state, choir[0].formant[1].left_1[0]), true},
        {offsetof(struct synth_state, drone[0].sides.left_2[13]), true},
        {offsetof(struct synth_state, pluck[0].line[0][40]), true},
        {offsetof(struct synth_state, bell[0].decay[2]), true}, {offsetof(struct synth_state, reverb.ring[500]), true},
        {offsetof(struct synth_state, reverb.cut[0][1]), true}, {offsetof(struct synth_state, reverb.gain[3]), true},
        {offsetof(struct synth_state, reverb.before[3]), true},
        {offsetof(struct synth_state, modular[0].amp[0][0]), true},
        {offsetof(struct synth_state, chorus.ring[0][700]), true}, {offsetof(struct synth_state, echo.left[900]), true},
        {offsetof(struct synth_state, echo.tone[1][0]), true}, {offsetof(struct synth_state, shimmer.past[5]), true},
        {offsetof(struct synth_state, mastering.saturation.between[1][2]), true},
        {offsetof(struct synth_state, mastering.level_db), true},
        {offsetof(struct synth_state, mastering.delay[1][0][5]), true},
        {offsetof(struct synth_state, mastering.filters.dc_out[1]), true},
        {offsetof(struct synth_state, mastering.filters.shelf[1][0]), true},
        {offsetof(struct synth_state, mastering.slow), true},
        {offsetof(struct synth_state, mastering.momentary), true},
        {offsetof(struct synth_state, mastering.servo_db), true},
        {offsetof(struct synth_state, mastering.limiter_gain), true},
        {offsetof(struct synth_state, mix.now.brightness), false},
        {offsetof(struct synth_state, mix.now.gain[0]), false}, {offsetof(struct synth_state, mix.now.space), false},
    };
    struct test_score score = busy_score(SECONDS);
    void *state = busy_state(&score), *copy = test_state(0);
    for (size_t n = 0; n < sizeof places / sizeof *places; n++) {
        survives_nan_at(&score, state, copy, places[n].offset);
        if (places[n].counted)
            assert_true(synth_faults(copy) > 0);
    }
    free(state);
    free(copy);
}

static void wild_events_are_tamed(void **unused)
{
    (void)unused;
    static float out[750 * BLOCK_SAMPLES];
    struct event wild[] = {
        {.at_frame = 0, .kind = EVENT_MIX, .mix = {{NAN, INFINITY, -1, 9}, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN}},
        {.at_frame = 0, .kind = EVENT_NOTE_OFF, .off = {.id = 7, .instrument = 200, .lane = 200}},
        {.at_frame = 0, .kind = EVENT_NOTE_ON, .note = {.id = 1, .instrument = INSTRUMENT_PAD, .lane = 32}},
        {.at_frame = 0, .kind = EVENT_NOTE_ON,
         .note = {.id = 2, .layer = LAYER_LEAD, .instrument = INSTRUMENT_BELL, .lane = 64, .velocity = 1}},
        {.at_frame = 0, .kind = EVENT_NOTE_ON, .note = {.id = 2, .layer = 99, .instrument = INSTRUMENT_BELL}},
        {.at_frame = 0, .kind = EVENT_NOTE_ON, .note = {.id = 2, .instrument = 99}},
        {.at_frame = 0, .kind = EVENT_NOTE_ON,
         .note = {2, LAYER_LEAD, INSTRUMENT_BELL, 3, NAN, NAN, NAN, NAN, NAN, NAN, 0}},
        {.at_frame = 0, .kind = EVENT_NOTE_ON,
         .note = {3, LAYER_LEAD, INSTRUMENT_BELL, 4, INFINITY, INFINITY, -INFINITY, 1e30f, -1, -1, 0}},
        {.at_frame = 0, .kind = EVENT_CHORD},
        {.at_frame = 0, .kind = EVENT_SECTION},
    };
    void *state = test_state(0);
    synth_render(backend_best(), state, wild, sizeof wild / sizeof *wild, out, 750);
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        assert_true(isfinite(out[i]) && fabsf(out[i]) <= 1.0f);
    assert_int_equal(synth_faults(state), 0);
    free(state);
}

// What of an instrument are numbers that may not be denormal, besides its lanes.
#define FLOATS(name, member) \
    {#name "." #member, offsetof(struct synth_state, name) + offsetof(struct name, member), \
     sizeof(struct name), sizeof ((struct synth_state *)0)->name / sizeof(struct name), \
     sizeof ((struct name *)0)->member}

static const struct {
    const char *name;
    size_t offset, group_bytes, groups, bytes;
} instrument_floats[] = {
    FLOATS(pad, sides), FLOATS(bell, decay), FLOATS(bell, strike), FLOATS(bell, index), FLOATS(bell, gain_left),
    FLOATS(bell, gain_right), FLOATS(kick, sweep), FLOATS(kick, decay), FLOATS(kick, gain), FLOATS(swell, sides),
    FLOATS(bar, modal.gain_left), FLOATS(bar, modal.gain_right), FLOATS(bar, modal.note[0].rate),
    FLOATS(bar, modal.note[0].amplitude), FLOATS(bowl, modal.gain_left), FLOATS(bowl, modal.gain_right),
    FLOATS(bowl, modal.note[0].rate), FLOATS(bowl, modal.note[0].amplitude), FLOATS(choir, formant),
    FLOATS(drone, level), FLOATS(drone, sides), FLOATS(pluck, gain_left), FLOATS(pluck, gain_right),
    FLOATS(pluck, tap), FLOATS(pluck, line), FLOATS(modular, amp), FLOATS(rain, bed), FLOATS(rain, drops),
    FLOATS(wind, low), FLOATS(wind, high), FLOATS(sea, even), FLOATS(sea, odd), FLOATS(vinyl, surface),
    FLOATS(grain, wide), FLOATS(grain, central),
};

// Returns how many of the numbers are something; none may be denormal.
static size_t check_floats(const void *from, size_t bytes, const char *name)
{
    const float *numbers = from;
    size_t some = 0;
    for (size_t n = 0; n < bytes / sizeof *numbers; n++) {
        if (fpclassify(numbers[n]) == FP_SUBNORMAL)
            fail_msg("%s holds a denormal number", name);
        some += numbers[n] != 0;
    }
    return some;
}

static void check_instruments(const struct synth_state *s, size_t some[])
{
    for (size_t i = 0; i < sizeof instrument_floats / sizeof *instrument_floats; i++)
        for (size_t group = 0; group < instrument_floats[i].groups; group++)
            some[i] += check_floats((const char *)s + instrument_floats[i].offset
                                        + group * instrument_floats[i].group_bytes,
                                    instrument_floats[i].bytes, instrument_floats[i].name);
#define INSTRUMENT(ID, name, lanes_) check_floats(s->name[0].lanes.ramp, 4 * sizeof s->name[0].lanes.ramp, #name);
#include "score/instruments.def"
#undef INSTRUMENT
}

// No number in a state is denormal, not while it sounds and not when all has died away, in the smallest room, so that
// there is less of it than a normal number can say.
static void no_denormals(void **unused)
{
    (void)unused;
    struct test_score score = {.count = 0};
    struct mix small = middle;
    small.space = 0;
    test_score_mix(&score, 0, small);
    test_score_fill(&score, 8, TEST_ALL | TEST_TONAL | TEST_TEXTURES);
    static float out[750 * BLOCK_SAMPLES];
    static size_t some[sizeof instrument_floats / sizeof *instrument_floats];
    struct synth_state *state = test_state(0);
    for (int tenth = 0; tenth < 700; tenth++) {
        render_on(state, &score, out, 75);
        check_floats(&state->chorus, sizeof *state - offsetof(struct synth_state, chorus), "what follows");
        check_instruments(state, some);
    }
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        if (some[i] == 0)
            fail_msg("%s is never heard", instrument_floats[i].name);
    assert_true(test_peak(out, 75 * BLOCK_SAMPLES) < 1e-3);
    free(state);
}

static void frames_mean_output(void **unused)
{
    (void)unused;
    struct test_score score = {.count = 0};
    test_score_mix(&score, 0, middle);
    test_score_note(&score, 0.5, INSTRUMENT_KICK, 3, 36, 0.8);
    float *out = test_render(backend_best(), &score, 1, 5);
    const size_t onset = FRAME_RATE / 2;
    // The filters of the saturation answer as far ahead as behind.
    assert_true(test_peak(out, (onset - HALF_BAND_KEPT) * CHANNELS) == 0);
    assert_true(test_peak(out, onset * CHANNELS) < 1e-4);
    assert_true(test_peak(out + onset * CHANNELS, CONTROL_FRAMES * CHANNELS) > 0);
    assert_true(test_peak(out + onset * CHANNELS, 480 * CHANNELS) > 0.02);
    free(out);
}

static void clock_counts_input(void **unused)
{
    (void)unused;
    float out[3 * BLOCK_SAMPLES];
    void *state = test_state(6400);
    assert_int_equal(synth_input_frame(state), 6400);
    synth_render(backend_best(), state, NULL, 0, out, 3);
    assert_int_equal(synth_input_frame(state), 6400 + 3 * CONTROL_FRAMES);
    assert_int_equal(synth_bytes() % 64, 0);
    free(state);
}

// A note told of late begins now and still ends when it was to end.
static void late_notes_begin_now(void **unused)
{
    (void)unused;
    struct test_score score = {.count = 0};
    test_score_mix(&score, 0, middle);
    test_score_note(&score, 1, INSTRUMENT_PAD, 2, 60, 10);
    static float out[750 * BLOCK_SAMPLES];
    struct synth_state *state = test_state(9 * FRAME_RATE);
    synth_render(backend_best(), state, score.events, score.count, out, 750);
    assert_int_equal(state->pad[0].lanes.stage[2], LANE_ATTACKS);
    synth_render(backend_best(), state, NULL, 0, out, 750);
    synth_render(backend_best(), state, NULL, 0, out, 750);
    assert_int_equal(state->pad[0].lanes.stage[2], LANE_RELEASES);
    free(state);
}

static int blocks_until_failure;

static bool fails_after_some_blocks(const struct backend *backend, void *state, float *out)
{
    (void)backend;
    return blocks_until_failure-- > 0 && backend_best()->render_block(backend_best(), state, out);
}

// Nothing is asked of a renderer that has failed, and silence is told from what comes.
static void a_failed_renderer_leaves_silence(void **unused)
{
    (void)unused;
    enum { GOOD = 400, BLOCKS = 500 };
    struct test_score score = {.count = 0};
    const struct backend failing = {.name = "failing", .render_block = fails_after_some_blocks};
    static float out[BLOCKS * BLOCK_SAMPLES];
    test_score_mix(&score, 0, middle);
    test_score_note(&score, 0, INSTRUMENT_PAD, 2, 60, 10);
    struct synth_state *state = test_state(0);
    blocks_until_failure = GOOD;
    synth_render(&failing, state, score.events, score.count, out, GOOD);
    assert_false(synth_failed(state));
    synth_render(&failing, state, NULL, 0, out + GOOD * BLOCK_SAMPLES, BLOCKS - GOOD);
    assert_true(synth_failed(state));
    assert_int_equal(blocks_until_failure, -1);
    assert_true(synth_input_frame(state) == BLOCKS * CONTROL_FRAMES);
    assert_true(out[GOOD * BLOCK_SAMPLES - 1] != 0);
    for (int i = GOOD * BLOCK_SAMPLES; i < BLOCKS * BLOCK_SAMPLES; i++)
        assert_true(out[i] == 0);
    synth_start(state, 0);
    assert_false(synth_failed(state));
    free(state);
}

// How much power differs between a chain and one that begins half a minute later, told what sounds then, after a
// warm-up of a minute.
static double chains_difference(const struct test_score *score)
{
    enum { BEGIN_BLOCKS = 30 * 750, WARM_BLOCKS = 60 * 750 };
    static float first[WARM_BLOCKS * BLOCK_SAMPLES], second[WARM_BLOCKS * BLOCK_SAMPLES];
    void *early = test_state(0), *late = test_state((uint64_t)BEGIN_BLOCKS * CONTROL_FRAMES);
    render_on(early, score, first, BEGIN_BLOCKS);
    static struct event sounding[TEST_MAX_EVENTS];
    int count = 0;
    for (int n = 0; n < score->count && score->events[n].at_frame <= synth_input_frame(late); n++) {
        const struct event *event = &score->events[n];
        if (event->kind == EVENT_MIX || event->at_frame + event->note.hold_frames > synth_input_frame(late))
            sounding[count++] = *event;
    }
    synth_render(backend_best(), late, sounding, count, second, 1);
    render_on(late, score, second + BLOCK_SAMPLES, WARM_BLOCKS - 1);
    render_on(early, score, first, WARM_BLOCKS);
    double sound = 0, difference = 0;
    for (size_t i = (size_t)(WARM_BLOCKS - 750) * BLOCK_SAMPLES; i < (size_t)WARM_BLOCKS * BLOCK_SAMPLES; i++) {
        sound += (double)first[i] * first[i];
        difference += ((double)first[i] - second[i]) * ((double)first[i] - second[i]);
    }
    free(early);
    free(late);
    assert_true(sound > 0.1);
    return difference / sound;
}

// What differs is so far below the sound that the fade from one chain to the other is not heard.
static void chains_come_together(void **unused)
{
    (void)unused;
    static struct test_score score;
    score.count = 0;
    test_score_mix(&score, 0, middle);
    test_score_fill(&score, 90, TEST_ALL);
    double difference = chains_difference(&score);
    print_message("# difference after the warm-up: %.1f dB\n", 10 * log10(difference));
    assert_true(difference < 1e-3);
}

// What is held for longer than a chain warms up: chords, and drones.
static void held_notes_come_together(void **unused)
{
    (void)unused;
    static const enum instrument all[] = {INSTRUMENT_PAD, INSTRUMENT_CHOIR, INSTRUMENT_DRONE};
    for (size_t n = 0; n < sizeof all / sizeof *all; n++) {
        static struct test_score score;
        const float lower = all[n] == INSTRUMENT_DRONE ? 24 : 0;
        score.count = 0;
        test_score_mix(&score, 0, middle);
        for (int voice = 0; voice < 3; voice++)
            test_score_note(&score, 13.3 + 3 * voice, all[n], voice, 53 + 5 * (float)voice - lower, 85);
        double difference = chains_difference(&score);
        print_message("# %s: difference after the warm-up %.1f dB\n", instrument_name(all[n]), 10 * log10(difference));
        assert_true(difference < 1e-3);
    }
}

static void note_off_ends_its_own_note_only(void **unused)
{
    (void)unused;
    static float out[75 * BLOCK_SAMPLES];
    struct event events[] = {
        {.at_frame = 0, .kind = EVENT_NOTE_ON,
         .note = {.id = 41, .instrument = INSTRUMENT_PAD, .lane = 20, .pitch = 60, .velocity = 1, .release_s = 4}},
        {.at_frame = 0, .kind = EVENT_NOTE_OFF, .off = {.id = 40, .instrument = INSTRUMENT_PAD, .lane = 20}},
        {.at_frame = 0, .kind = EVENT_NOTE_OFF,
         .off = {.id = 41, .instrument = INSTRUMENT_PAD, .lane = 20, .release_s = 0.05f}},
    };
    struct synth_state *state = test_state(0);
    synth_render(backend_best(), state, events, 1, out, 75);
    assert_int_equal(state->pad[1].lanes.stage[4], LANE_HOLDS);
    synth_render(backend_best(), state, events + 1, 1, out, 75);
    assert_int_equal(state->pad[1].lanes.stage[4], LANE_HOLDS);
    synth_render(backend_best(), state, events + 2, 1, out, 75);
    assert_int_equal(state->pad[1].lanes.stage[4], LANE_RESTS);
    free(state);
}

static bool all_zero(const void *from, const void *to)
{
    const unsigned char *at = from;
    while (at < (const unsigned char *)to && *at == 0)
        at++;
    return at == to;
}

// What a group keeps besides its notes.
#define GROUP_RESTS(group) all_zero(&(group)->lanes + 1, (group) + 1)

static void resting_lanes_hold_zeros(void **unused)
{
    (void)unused;
    static float out[750 * BLOCK_SAMPLES];
    struct test_score score = {.count = 0};
    test_score_mix(&score, 0, middle);
    for (enum instrument instrument = 0; instrument < INSTRUMENT_COUNT; instrument++)
        test_score_note(&score, 0, instrument, 3, 60, 0.5);
    struct synth_state *s = test_state(0);
    synth_render(backend_best(), s, score.events, score.count, out, 100);
#define INSTRUMENT(ID, name, lanes_) assert_false(GROUP_RESTS(s->name));
#include "score/instruments.def"
#undef INSTRUMENT
    for (int seconds = 0; seconds < 40; seconds++)
        synth_render(backend_best(), s, NULL, 0, out, 750);
#define INSTRUMENT(ID, name, lanes_) assert_true(GROUP_RESTS(s->name));
#include "score/instruments.def"
#undef INSTRUMENT
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_agree),
        cmocka_unit_test(levels_are_found),
        cmocka_unit_test(calls_do_not_show),
        cmocka_unit_test(snapshot_goes_on),
        cmocka_unit_test(wrong_restores_are_caught),
        cmocka_unit_test(nan_becomes_silence),
        cmocka_unit_test(wild_events_are_tamed),
        cmocka_unit_test(no_denormals),
        cmocka_unit_test(frames_mean_output),
        cmocka_unit_test(clock_counts_input),
        cmocka_unit_test(late_notes_begin_now),
        cmocka_unit_test(a_failed_renderer_leaves_silence),
        cmocka_unit_test(chains_come_together),
        cmocka_unit_test(held_notes_come_together),
        cmocka_unit_test(note_off_ends_its_own_note_only),
        cmocka_unit_test(resting_lanes_hold_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
