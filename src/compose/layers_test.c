#include "compose/layers.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "compose/noise.h"
#include "compose/testing.h"
#include "score/scene.h"

// The notes of one layer over a stretch, under one mood.
static struct score notes_of(enum layer layer, const struct mood *mood, uint64_t seed, uint64_t to)
{
    struct mood_log log = testing_log(mood);
    struct score score = testing_score(&(struct program){seed, &log}, 0, to);
    size_t kept = 0;
    for (size_t i = 0; i < score.count; i++)
        if (score.events[i].kind == EVENT_NOTE_ON && score.events[i].note.layer == layer)
            score.events[kept++] = score.events[i];
    score.count = kept;
    mood_log_finish(&log);
    return score;
}

static void melody_is_as_dense_as_promised(void **state)
{
    double before = 0;
    for (int i = 0; i <= 4; i++) {
        for (int bpm = 40; bpm <= 120; bpm += 40) {
            struct mood mood = mood_default();
            mood.intensity = i / 4.0;
            mood.bpm = bpm;
            struct score score = notes_of(LAYER_LEAD, &mood, 2, HOURS(2));
            double per_second = (double)score.count / 7200;
            assert_true(per_second >= .05 && per_second <= .6);
            assert_true(bpm > 40 || per_second > before);
            before = bpm == 40 ? per_second : before;
            score_free(&score);
        }
    }
    struct mood mood = mood_default();
    struct score score = notes_of(LAYER_LEAD, &mood, 3, HOURS(1));
    assert_true(score.count >= 3600 * .2);
    score_free(&score);
}

// More intensity adds notes to those that were there.
static void intensity_reshuffles_nothing(void **state)
{
    struct mood mood = mood_default();
    struct score some = notes_of(LAYER_LEAD, &mood, 4, HOURS(1));
    mood.intensity = .8;
    struct score more = notes_of(LAYER_LEAD, &mood, 4, HOURS(1));
    assert_true(more.count > some.count);
    for (size_t i = 0, k = 0; i < some.count; i++, k++) {
        while (k < more.count && more.events[k].note.id != some.events[i].note.id)
            k++;
        assert_true(k < more.count);
        assert_true(more.events[k].note.pitch == some.events[i].note.pitch);
    }
    score_free(&some);
    score_free(&more);
}

// Shares of notes on tones of the chord, of the scale beside it, and outside.
static void shares_of(double complexity, double shares[3])
{
    struct mood mood = mood_default();
    mood.melody_complexity = complexity;
    struct mood_log log = testing_log(&mood);
    struct score score = notes_of(LAYER_LEAD, &mood, 6, HOURS(12));
    struct harmony now = {0};
    memset(shares, 0, 3 * sizeof *shares);
    for (size_t i = 0; i < score.count; i++) {
        harmony_seek(&(struct program){6, &log}, score.events[i].at_frame, &now);
        int tone = (int)score.events[i].note.pitch % 12;
        int kind = now.chord.tones >> tone & 1 ? 0 : harmony_scale(&mood) >> tone & 1 ? 1 : 2;
        shares[kind] += 1.0 / (double)score.count;
    }
    score_free(&score);
    mood_log_finish(&log);
}

static void complexity_moves_the_shares_of_tones(void **state)
{
    for (int i = 0; i <= 2; i++) {
        double complexity = i / 2.0, shares[3];
        shares_of(complexity, shares);
        assert_true(abs((int)(1000 * (shares[0] - (.7 - .4 * complexity)))) < 30);
        assert_true(abs((int)(1000 * (shares[1] - (.25 + .2 * complexity)))) < 30);
        assert_true(abs((int)(1000 * (shares[2] - (.05 + .2 * complexity)))) < 30);
    }
}

static void the_line_moves_by_small_steps(void **state)
{
    struct mood mood = mood_default();
    struct score score = notes_of(LAYER_LEAD, &mood, 8, HOURS(2));
    size_t small = 0, low = 0;
    for (size_t i = 1; i < score.count; i++) {
        float step = score.events[i].note.pitch - score.events[i - 1].note.pitch;
        small += step >= -5 && step <= 5;
        low += score.events[i].note.pitch < 55 || score.events[i].note.pitch > 88;
    }
    assert_true((double)small > .75 * (double)score.count);
    assert_int_equal(low, 0);
    score_free(&score);
}

// Highest autocorrelation of a row of onsets, in bins of 50 ms, over lags of .2 to 10 s.
static double highest_autocorrelation(const unsigned char *onsets, int bins)
{
    double mean = 0, highest = 0, energy = 0;
    for (int i = 0; i < bins; i++)
        mean += onsets[i] / (double)bins;
    for (int i = 0; i < bins; i++)
        energy += (onsets[i] - mean) * (onsets[i] - mean);
    for (int lag = 4; lag <= 200; lag++) {
        double sum = 0;
        for (int i = lag; i < bins; i++)
            sum += (onsets[i] - mean) * (onsets[i - lag] - mean);
        highest = sum / energy > highest ? sum / energy : highest;
    }
    return highest;
}

static void no_onset_grid_is_heard(void **state)
{
    enum { BINS = 3600 * 20 };
    static unsigned char onsets[BINS];
    memset(onsets, 0, sizeof onsets);
    struct mood mood = mood_default();
    mood.intensity = .9;
    struct score score = notes_of(LAYER_LEAD, &mood, 10, HOURS(1));
    for (size_t i = 0; i < score.count; i++)
        onsets[score.events[i].at_frame / (FRAME_RATE / 20)] = 1;
    assert_true(highest_autocorrelation(onsets, BINS) < .3);
    for (int i = 0; i < BINS; i++)
        onsets[i] = i % 15 == 0;
    assert_true(highest_autocorrelation(onsets, BINS) > .3);
    score_free(&score);
}

static bool same_rhythm(const struct event *a, const struct event *b)
{
    for (int i = 1; i < 3; i++)
        if (a[i].at_frame - a[i - 1].at_frame != b[i].at_frame - b[i - 1].at_frame)
            return false;
    return true;
}

static int way(const struct event *notes)
{
    float step = notes[1].note.pitch - notes[0].note.pitch;
    return (step > 0) - (step < 0);
}

static bool same_way(const struct event *a, const struct event *b)
{
    return way(a) == way(b);
}

// How the motifs of a scene come back.
struct memory {
    int motifs;            // rhythms of three notes that come back within three minutes: they do not without memory
    int least, most;       // times that the one that comes most often is there in any three minutes
    int back, same;        // came back, not for the last time; with the same way from its second note to the third
    int last, last_same;   // likewise for the last time
    double notes_a_second;
};

// Times that the rhythm of three notes that comes most often is there in the three minutes from a frame on.
static int most_times(const struct score *score, uint64_t from)
{
    int most = 0;
    for (size_t i = 0; i + 3 <= score->count; i++) {
        if (score->events[i].at_frame < from)
            continue;
        int times = 0;
        for (size_t k = i; k + 3 <= score->count && score->events[k + 2].at_frame < from + SECONDS(180); k++)
            times += same_rhythm(&score->events[i], &score->events[k]);
        most = times > most ? times : most;
    }
    return most;
}

static void memory_look(struct memory *memory, const struct score *score)
{
    for (uint64_t from = 0; from + SECONDS(180) <= HOURS(2); from += SECONDS(20)) {
        int times = most_times(score, from);
        memory->least = times < memory->least ? times : memory->least;
        memory->most = times > memory->most ? times : memory->most;
    }
}

static struct memory memory_of(const struct score *score)
{
    bool *known = calloc(score->count, sizeof *known);
    struct memory memory = {.least = 99, .notes_a_second = (double)score->count / 7200};
    assert_non_null(known);
    for (size_t i = 0; i + 3 <= score->count; i++) {
        const struct event *first = &score->events[i];
        int times = 1, same = 0;
        bool last_same = false;
        for (size_t k = i + 1; k + 3 <= score->count && !known[i]; k++) {
            const struct event *later = &score->events[k];
            if (later->at_frame - first->at_frame >= SECONDS(180))
                break;
            if (!same_rhythm(first, later))
                continue;
            known[k] = true;
            times++;
            same += last_same;
            last_same = same_way(first + 1, later + 1);
        }
        if (times == 1)
            continue;
        memory.motifs++;
        memory.back += times - 2;
        memory.same += same;
        memory.last++;
        memory.last_same += last_same;
    }
    free(known);
    memory_look(&memory, score);
    return memory;
}

// The lead of two hours.
static struct score lead_of(const struct scene *scene, uint64_t seed)
{
    struct mood mood = scene_mood(scene);
    return notes_of(LAYER_LEAD, &mood, seed, HOURS(2));
}

// What is asked of a lead with .2 notes a second or more.
static bool memory_is_heard(const struct memory *memory)
{
    return memory->motifs >= 70 && memory->motifs <= 250 && memory->least >= 2 && memory->most <= 6;
}

// Where there are .2 notes a second or more, two motifs to three minutes are there, and in any three minutes the one
// that comes most often does so two to six times. Over other chords they keep their contour more often than not; the
// last time, when their end is another, less often.
static void motifs_come_back(void **state)
{
    enum { SEEDS = 3 };
    int dense = 0, back = 0, same = 0, last = 0, last_same = 0;
    for (int n = 0; n < SEEDS * scene_count; n++) {
        struct score score = lead_of(&scenes[n / SEEDS], 12 + (uint64_t)(n % SEEDS));
        struct memory memory = memory_of(&score);
        score_free(&score);
        print_message("# %s: %.2f notes/s, %d motifs in two hours, %d to %d times in three minutes\n",
                      scenes[n / SEEDS].name, memory.notes_a_second, memory.motifs, memory.least, memory.most);
        back += memory.back;
        same += memory.same;
        last += memory.last;
        last_same += memory.last_same;
        assert_true(memory.notes_a_second >= .05 && memory.notes_a_second <= .6);
        if (memory.notes_a_second < .2)
            continue;
        dense++;
        assert_true(memory_is_heard(&memory));
    }
    assert_true(dense >= 4 * SEEDS);
    double share = (double)same / back, last_share = (double)last_same / last;
    print_message("# same contour: %.2f of %d, the last time %.2f of %d\n", share, back, last_share, last);
    assert_true(share > last_share + .05);
}

// Planted: the same notes at other times, as if nothing were remembered; and one motif that comes without end.
static void a_lead_without_memory_is_told(void **state)
{
    struct score score = lead_of(scene_find("bright"), 12);
    struct memory memory = memory_of(&score);
    assert_true(memory_is_heard(&memory));
    for (size_t i = 0; i < score.count; i++)
        score.events[i].at_frame += random_below(7, 1, i, 8) * CONTROL_FRAMES;
    memory = memory_of(&score);
    print_message("# %d motifs by chance\n", memory.motifs);
    assert_false(memory_is_heard(&memory));
    for (size_t i = 0; i < score.count; i++)
        score.events[i].at_frame = SECONDS(5) * (i / 3) + SECONDS(1) * (i % 3);
    memory = memory_of(&score);
    assert_false(memory_is_heard(&memory));
    score_free(&score);
}

static void kicks_come_every_four_to_eight_bars(void **state)
{
    struct mood mood = mood_default();
    for (int bpm = 40; bpm <= 120; bpm += 20) {
        mood.bpm = bpm;
        struct score score = notes_of(LAYER_KICK, &mood, 1, HOURS(1));
        assert_true(score.count > 50);
        for (size_t i = 1; i < score.count; i++) {
            double beats = (double)(score.events[i].at_frame - score.events[i - 1].at_frame) / FRAME_RATE * bpm / 60;
            assert_true(beats > 15.9 && beats < 32.1);
        }
        score_free(&score);
    }
    mood.intensity = .29;
    struct score score = notes_of(LAYER_KICK, &mood, 1, HOURS(1));
    assert_int_equal(score.count, 0);
    score_free(&score);
}

static void tempo_changes_do_not_rewrite_the_count(void **state)
{
    struct mood mood = mood_default();
    struct mood_log log = testing_log(&mood);
    for (uint64_t i = 1; i < 400; i++) {
        mood.bpm = 40 + (int)(i * 37 % 81);
        testing_append(&log, SECONDS(9) * i, &mood);
    }
    struct score score = testing_score(&(struct program){1, &log}, 0, HOURS(1));
    uint64_t before = 0;
    int kicks = 0;
    for (size_t i = 0; i < score.count; i++) {
        const struct event *event = &score.events[i];
        if (event->kind != EVENT_NOTE_ON || event->note.layer != LAYER_KICK)
            continue;
        uint64_t beats = mood_log_beats(&log, event->at_frame);
        if (kicks++ > 0)
            assert_in_range(beats - before, 16 * MOOD_LOG_BEAT - 8000, 32 * MOOD_LOG_BEAT + 8000);
        before = beats;
    }
    assert_true(kicks > 100);
    score_free(&score);
    mood_log_finish(&log);
}

static void swells_follow_intensity(void **state)
{
    struct mood mood = mood_default();
    mood.intensity = 0;
    struct score few = notes_of(LAYER_SWELL, &mood, 1, HOURS(4));
    mood.intensity = 1;
    struct score many = notes_of(LAYER_SWELL, &mood, 1, HOURS(4));
    assert_true(few.count > 50 && many.count > 2 * few.count);
    score_free(&few);
    score_free(&many);
}

static void mixes_come_every_second_and_move_slowly(void **state)
{
    struct mood mood = mood_default();
    struct mood_log log = testing_log(&mood);
    struct program program = {1, &log};
    struct mix before = mix_at(&program, 0);
    float low = 1, high = 0;
    for (uint64_t second = 1; second < 7200; second++) {
        struct mix mix = mix_at(&program, SECONDS(second));
        assert_true(abs((int)(1000 * (mix.space - before.space))) < 20);
        assert_true(abs((int)(1000 * (mix.brightness - before.brightness))) < 20);
        assert_true(abs((int)(1000 * (mix.motion - before.motion))) < 20);
        low = mix.motion < low ? mix.motion : low;
        high = mix.motion > high ? mix.motion : high;
        before = mix;
    }
    assert_true(high - low > .1f);
    struct score score = testing_score(&program, 0, SECONDS(100));
    int mixes = 0;
    for (size_t i = 0; i < score.count; i++)
        mixes += score.events[i].kind == EVENT_MIX;
    assert_int_equal(mixes, 100);
    score_free(&score);
    mood_log_finish(&log);
}

// The gain of a layer over half an hour.
struct gains {
    float least, most;
};

static struct gains gains_of(const struct mood *mood, enum layer layer)
{
    struct mood_log log = testing_log(mood);
    struct gains gains = {1, 0};
    for (uint64_t second = 0; second < 1800; second++) {
        float gain = mix_at(&(struct program){7, &log}, SECONDS(second)).gain[layer];
        gains.least = gain < gains.least ? gain : gains.least;
        gains.most = gain > gains.most ? gain : gains.most;
    }
    mood_log_finish(&log);
    return gains;
}

// A layer breathes by a share of its level, however soft it is; what comes to nothing has no step on the way.
static void soft_layers_are_soft_and_alive(void **state)
{
    static const double textures[] = {.001, .01, .05, .1, .25, .5};
    struct mood mood = mood_default();
    for (size_t i = 0; i < sizeof textures / sizeof *textures; i++) {
        mood.texture = textures[i];
        struct gains gains = gains_of(&mood, LAYER_TEXTURE);
        assert_true(gains.least > 0 && (double)gains.most < 2 * mood.texture);
        assert_true(gains.most > 1.1f * gains.least && gains.most < 1.36f * gains.least);
    }
    mood.texture = 0;
    assert_true(gains_of(&mood, LAYER_TEXTURE).most == 0);
}

static void one_mix_for_several_entries_at_a_frame(void **state)
{
    struct mood mood = mood_default();
    struct mood_log log = testing_log(&mood);
    mood.intensity = .1;
    testing_append(&log, 9600, &mood);
    mood.enable_pads = false;
    testing_append(&log, 9600, &mood);
    struct score score = testing_score(&(struct program){1, &log}, CHUNK_FRAMES, SECONDS(.9));
    int mixes = 0;
    for (size_t i = 0; i < score.count; i++) {
        if (score.events[i].kind != EVENT_MIX)
            continue;
        mixes++;
        assert_int_equal(score.events[i].at_frame, 9600);
        assert_true(score.events[i].mix.gain[LAYER_PAD] == 0);
    }
    assert_int_equal(mixes, 1);
    score_free(&score);
    mood_log_finish(&log);
}

// Pad notes that begin at a frame.
static int pads_at(const struct score *score, uint64_t frame)
{
    int count = 0;
    for (size_t i = 0; i < score->count; i++)
        count += score->events[i].kind == EVENT_NOTE_ON && score->events[i].note.layer == LAYER_PAD &&
                 score->events[i].at_frame == frame;
    return count;
}

// In it a chord begins 2 s before `*at` and lasts for half a minute at least.
static struct program program_with_a_long_chord(const struct mood_log *log, uint64_t *at)
{
    struct program program = {2, log};
    struct passage passage = passage_at(&program, SECONDS(100));
    while (passage.until - passage.onset < SECONDS(32) || passage.onset % PACKET_FRAMES != 0)
        passage = passage_at(&program, passage.until);
    *at = passage.onset + SECONDS(2);
    return program;
}

static void append_density(struct mood_log *log, uint64_t at_frame, double density)
{
    struct mood mood = mood_log_at(log, at_frame)->mood;
    mood.harmonic_density = density;
    testing_append(log, at_frame, &mood);
}

// Three voices go and come back, twice. The first time two find a lane to spare and the third waits for its own; the
// second time two have their own again.
static void voices_come_back_within_a_chord(void **state)
{
    struct mood mood = mood_default();
    mood.harmonic_density = 1;
    struct mood_log log = testing_log(&mood);
    uint64_t at;
    struct program program = program_with_a_long_chord(&log, &at);
    append_density(&log, at, .1);
    append_density(&log, at + SECONDS(1), 1);
    append_density(&log, at + SECONDS(10), .1);
    append_density(&log, at + SECONDS(11), .7);
    append_density(&log, at + SECONDS(12), 1);
    struct score score = testing_score(&program, at - SECONDS(2), at + SECONDS(29));
    assert_int_equal(pads_at(&score, at - SECONDS(2)), 6);
    assert_int_equal(pads_at(&score, at + SECONDS(1)), 2);
    assert_int_equal(pads_at(&score, at + SECONDS(8)), 1);
    assert_int_equal(pads_at(&score, at + SECONDS(11)), 2);
    assert_int_equal(pads_at(&score, at + SECONDS(18)), 1);
    score_free(&score);
    mood_log_finish(&log);
}

// Another key and another density, of which nothing is left at the same frame.
static void what_is_taken_back_at_once_is_not_heard(void **state)
{
    struct mood mood = mood_default();
    struct mood_log log = testing_log(&mood), untouched = testing_log(&mood);
    for (uint64_t i = 1; i < 20; i++) {
        struct mood other = testing_mood("D", MODE_DORIAN);
        other.harmonic_density = i % 2;
        testing_append(&log, SECONDS(7 * i), &other);
        testing_append(&log, SECONDS(7 * i), &mood);
    }
    struct score score = testing_score(&(struct program){4, &log}, 0, SECONDS(150));
    struct score expected = testing_score(&(struct program){4, &untouched}, 0, SECONDS(150));
    assert_true(testing_same_score(&score, &expected));
    score_free(&score);
    score_free(&expected);
    mood_log_finish(&log);
    mood_log_finish(&untouched);
}

static void noise_is_smooth_and_even(void **state)
{
    double before = noise_at(1, 2, 0, 10000), sum = 0;
    for (uint64_t frame = 1; frame < 1000000; frame++) {
        double value = noise_at(1, 2, frame, 10000);
        assert_true(value >= 0 && value < 1);
        assert_true(value - before < .0005 && before - value < .0005);
        sum += value / 1e6;
        before = value;
    }
    assert_true(sum > .4 && sum < .6);
    assert_true(noise_at(1, 2, 5000, 10000) != noise_at(1, 3, 5000, 10000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(melody_is_as_dense_as_promised),
        cmocka_unit_test(intensity_reshuffles_nothing),
        cmocka_unit_test(complexity_moves_the_shares_of_tones),
        cmocka_unit_test(the_line_moves_by_small_steps),
        cmocka_unit_test(no_onset_grid_is_heard),
        cmocka_unit_test(motifs_come_back),
        cmocka_unit_test(a_lead_without_memory_is_told),
        cmocka_unit_test(kicks_come_every_four_to_eight_bars),
        cmocka_unit_test(tempo_changes_do_not_rewrite_the_count),
        cmocka_unit_test(swells_follow_intensity),
        cmocka_unit_test(mixes_come_every_second_and_move_slowly),
        cmocka_unit_test(soft_layers_are_soft_and_alive),
        cmocka_unit_test(one_mix_for_several_entries_at_a_frame),
        cmocka_unit_test(voices_come_back_within_a_chord),
        cmocka_unit_test(what_is_taken_back_at_once_is_not_heard),
        cmocka_unit_test(noise_is_smooth_and_even),
    };
    return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
