#include "compose/compose.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "compose/events.h"
#include "compose/passage.h"
#include "compose/testing.h"

enum { SEEDS = 3 };

// A drone lasts for a section at most.
#define LONGEST_HELD SECONDS(600)

// The same stretch in pieces of hashed lengths.
static struct score score_in_pieces(const struct program *program, uint64_t from, uint64_t to, uint64_t chance)
{
    struct score score = {0};
    for (uint64_t frame = from, i = 0; frame < to; i++) {
        uint64_t end = frame + (1 + random_below(chance, 901, i, CHUNK_FRAMES / CONTROL_FRAMES)) * CONTROL_FRAMES;
        end = end < to ? end : to;
        struct score piece = testing_score(program, frame, end);
        score.events = realloc(score.events, (score.count + piece.count + 1) * sizeof *score.events);
        assert_non_null(score.events);
        if (piece.count > 0)
            memcpy(score.events + score.count, piece.events, piece.count * sizeof *piece.events);
        score.count += piece.count;
        score_free(&piece);
        frame = end;
    }
    return score;
}

static void cutting_time_changes_nothing(void **state)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct mood_log log = testing_restless_log(seed, SECONDS(9), SECONDS(2400));
        struct program program = {seed, &log};
        uint64_t from = SECONDS(300 * seed);
        struct score whole = testing_score(&program, from, from + SECONDS(1500));
        struct score pieces = score_in_pieces(&program, from, from + SECONDS(1500), seed);
        assert_true(whole.count > 1000);
        assert_true(testing_same_score(&whole, &pieces));
        score_free(&whole);
        score_free(&pieces);
        mood_log_finish(&log);
    }
}

static void any_hour_can_be_composed_directly(void **state)
{
    struct mood mood = mood_default();
    struct mood_log log = testing_log(&mood);
    struct program program = {UINT64_MAX, &log};
    uint64_t day = HOURS(24 * 365);
    struct score direct = testing_score(&program, day + SECONDS(600), day + SECONDS(660));
    struct score longer = testing_score(&program, day, day + SECONDS(660));
    assert_true(direct.count > 60);
    size_t skipped = longer.count - direct.count;
    assert_true(longer.events[skipped].at_frame >= day + SECONDS(600));
    struct score tail = {longer.events + skipped, direct.count, 0};
    assert_true(testing_same_score(&direct, &tail));
    score_free(&direct);
    score_free(&longer);
    mood_log_finish(&log);
}

static bool is_heard(const struct event *event)
{
    return event->kind == EVENT_MIX || event->kind == EVENT_NOTE_ON;
}

// Seconds from `at` to the first mix or note that differs between two programmes; negative when none does in five
// minutes.
static double seconds_until_heard(const struct program *program, const struct program *other, uint64_t at)
{
    struct event events[COMPOSE_MAX_EVENTS], others[COMPOSE_MAX_EVENTS];
    for (uint64_t frame = at; frame < at + SECONDS(300); frame += CHUNK_FRAMES) {
        int count = compose_events(program, frame, frame + CHUNK_FRAMES, events);
        int other_count = compose_events(other, frame, frame + CHUNK_FRAMES, others);
        for (int i = 0; i < count || i < other_count; i++) {
            const struct event *a = i < count ? &events[i] : &others[i], *b = i < other_count ? &others[i] : a;
            bool same = i < count && i < other_count && testing_same(a, b);
            if (!same && (is_heard(a) || is_heard(b)))
                return (double)((a->at_frame < b->at_frame ? a->at_frame : b->at_frame) - at) / FRAME_RATE;
        }
    }
    return -1.0;
}

// Two logs that are the same up to an entry at `at`, which moves a parameter in the one and nothing in the other.
struct fork {
    struct mood_log moved, rests;
    uint64_t at;
    bool differs;
};

static struct fork fork_of(enum mood_id id, uint64_t turn)
{
    struct fork fork = {.moved = testing_restless_log(turn, SECONDS(40), SECONDS(500)),
                        .rests = testing_restless_log(turn, SECONDS(40), SECONDS(500)),
                        .at = SECONDS(520 + 37 * turn) + turn * 11 * PACKET_FRAMES};
    struct mood mood = mood_log_at(&fork.rests, fork.at)->mood;
    testing_append(&fork.rests, fork.at, &mood);
    testing_move(&mood, id, random_u64(turn, 902, (uint64_t)id));
    testing_append(&fork.moved, fork.at, &mood);
    fork.differs = mood_log_at(&fork.moved, fork.at)->changed != 0;
    return fork;
}

// Everything before an entry is the same with and without it; afterwards something that is heard differs. One move in
// four may be of what is silent: of a melody that is off, or from one density to another with as many voices.
static void entries_change_only_what_follows(void **state)
{
    for (int id = 0; id < MOOD_PARAMETERS; id++) {
        int moves = 0, heard = 0;
        for (uint64_t turn = 0; turn < 4; turn++) {
            struct fork fork = fork_of((enum mood_id)id, turn);
            struct program moved = {77 + turn, &fork.moved}, rests = {77 + turn, &fork.rests};
            struct score before = testing_score(&rests, SECONDS(400), fork.at);
            struct score after = testing_score(&moved, SECONDS(400), fork.at);
            assert_true(testing_same_score(&before, &after));
            bool hears = seconds_until_heard(&rests, &moved, fork.at) >= 0;
            assert_true(fork.differs || !hears);
            moves += fork.differs;
            heard += hears;
            score_free(&before);
            score_free(&after);
            mood_log_finish(&fork.moved);
            mood_log_finish(&fork.rests);
        }
        assert_in_range(heard, id == MOOD_ID_morph_seconds ? 0 : moves - 1, moves);
    }
}

// Every note is where it was, but for the pitches, which are those of the tuning above the tonic; drums have none.
static void a_tuning_moves_pitches_alone(void **state)
{
    struct mood mood = testing_mood("D", MODE_DORIAN), other = mood;
    other.tuning = TUNING_SCALA;
    struct mood_log log = testing_log(&mood), other_log = testing_log(&other);
    other_log.head.scala.offset_cents[3] = 40;
    struct score score = testing_score(&(struct program){9, &log}, 0, SECONDS(600));
    struct score tuned = testing_score(&(struct program){9, &other_log}, 0, SECONDS(600));
    int moved = 0, drums = 0;
    assert_int_equal(score.count, tuned.count);
    for (size_t i = 0; i < score.count; i++) {
        struct event event = score.events[i];
        struct note *note = &event.note;
        bool noise = note->layer == LAYER_KICK || note->layer == LAYER_SWELL || note->layer == LAYER_TEXTURE;
        if (event.kind == EVENT_NOTE_ON && noise) {
            drums++;
        } else if (event.kind == EVENT_NOTE_ON) {
            float pitch = note->pitch;
            note->pitch = (float)tuning_pitch(&other_log.head.scala, 2, (double)pitch);
            moved += note->pitch != pitch;
        }
        assert_true(testing_same(&event, &tuned.events[i]));
    }
    assert_true(moved > 20 && drums > 5);
    score_free(&score);
    score_free(&tuned);
    mood_log_finish(&log);
    mood_log_finish(&other_log);
}

// While the old chord runs on after a change of key, all that begins is still tuned above the old tonic.
static void a_chord_keeps_its_tuning(void **state)
{
    int checked = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct mood mood = testing_mood("D", MODE_DORIAN), other = testing_mood("A", MODE_AEOLIAN);
        mood.intensity = other.intensity = 1;
        struct mood equal = mood, equal_other = other;
        mood.tuning = other.tuning = TUNING_JUST;
        struct mood_log log = testing_log(&mood), equal_log = testing_log(&equal);
        uint64_t at = SECONDS(100);
        testing_append(&log, at, &other);
        testing_append(&equal_log, at, &equal_other);
        struct program program = {seed, &log};
        uint64_t until = passage_at(&program, at).until;
        struct score score = testing_score(&program, at, until);
        struct score plain = testing_score(&(struct program){seed, &equal_log}, at, until);
        assert_int_equal(score.count, plain.count);
        for (size_t i = 0; i < score.count; i++) {
            const struct note *note = &score.events[i].note, *untuned = &plain.events[i].note;
            if (score.events[i].kind != EVENT_NOTE_ON || score.events[i].at_frame <= at ||
                (note->layer != LAYER_LEAD && note->layer != LAYER_LOOP))
                continue;
            assert_true(note->pitch == (float)tuning_pitch(&tunings[TUNING_JUST], 2, (double)untuned->pitch));
            checked++;
        }
        score_free(&score);
        score_free(&plain);
        mood_log_finish(&log);
        mood_log_finish(&equal_log);
    }
    assert_true(checked > 10);
}

// Seconds from `at` until it is heard that another mood is in force since then.
static double seconds_from_one_to(const struct mood *mood, const struct mood *other, uint64_t at)
{
    struct mood_log log = testing_log(mood), other_log = testing_log(mood);
    testing_append(&log, at, mood);
    testing_append(&other_log, at, other);
    double seconds = seconds_until_heard(&(struct program){5, &log}, &(struct program){5, &other_log}, at);
    mood_log_finish(&log);
    mood_log_finish(&other_log);
    return seconds;
}

static void every_parameter_is_heard(void **state)
{
    static const double within_s[MOOD_PARAMETERS] = {
        [MOOD_ID_key] = 9, [MOOD_ID_mode] = 9, [MOOD_ID_bpm] = 90, [MOOD_ID_intensity] = 0,
        [MOOD_ID_melody_complexity] = 90, [MOOD_ID_chord_progression_variety] = 180, [MOOD_ID_harmonic_density] = 0,
        [MOOD_ID_enable_pads] = 0, [MOOD_ID_enable_melody] = 0, [MOOD_ID_enable_kicks] = 0,
        [MOOD_ID_enable_swells] = 0, [MOOD_ID_scene] = 1, [MOOD_ID_tuning] = 9,
    };
    for (int id = 0; id < MOOD_PARAMETERS; id++) {
        if (id == MOOD_ID_morph_seconds)    // heard only with a change of scene
            continue;
        struct mood mood = mood_default(), other = mood;
        if (mood_parameters[id].kind == MOOD_KIND_UNIT)
            testing_move(&other, (enum mood_id)id, UINT64_MAX);
        else
            testing_move(&other, (enum mood_id)id, id == MOOD_ID_tuning ? TUNING_JUST : 3);
        assert_int_not_equal(mood_difference(&mood, &other) & 1u << id, 0);
        double seconds = seconds_from_one_to(&mood, &other, SECONDS(960));
        if (seconds < 0 || seconds > within_s[id])
            fail_msg("%s is heard after %.1f s", mood_parameters[id].name, seconds);
    }
    struct mood same = mood_default();
    assert_true(seconds_from_one_to(&same, &same, SECONDS(960)) < 0);
}

static bool in_order(const struct event *a, const struct event *b)
{
    if (a->at_frame != b->at_frame)
        return a->at_frame < b->at_frame;
    if (a->kind != b->kind)
        return a->kind < b->kind;
    return a->kind == EVENT_NOTE_ON ? a->note.id < b->note.id : a->kind == EVENT_NOTE_OFF && a->off.id < b->off.id;
}

static bool unit(float value)
{
    return value >= 0.0f && value <= 1.0f;
}

static void assert_note_in_range(const struct note *note)
{
    assert_in_range(note->layer, 0, LAYER_COUNT - 1);
    assert_in_range(note->instrument, 0, INSTRUMENT_COUNT - 1);
    assert_in_range(note->lane, 0, instrument_lanes((enum instrument)note->instrument) - 1);
    assert_true(note->pitch >= 28 && note->pitch <= 96);
    assert_true(unit(note->velocity) && note->velocity > .02f && unit(note->brightness));
    assert_true(note->pan >= -1 && note->pan <= 1);
    assert_true(note->attack_s >= .008f && note->attack_s <= 8 && note->release_s > .1f && note->release_s <= 14);
    assert_int_equal(note->hold_frames % CONTROL_FRAMES, 0);
    if (note->layer == LAYER_PAD || note->layer == LAYER_DRONE)
        assert_true(note->attack_s >= .8f && note->hold_frames == 0);
    else
        assert_in_range(note->hold_frames, CONTROL_FRAMES, SECONDS(note->layer == LAYER_TEXTURE ? 40 : 8));
    if (note->layer == LAYER_LEAD)
        assert_in_range(note->hold_frames, SECONDS(1) - CONTROL_FRAMES, SECONDS(6));
    if (note->layer == LAYER_SWELL)
        assert_in_range(note->hold_frames + SECONDS((double)note->release_s / 2), SECONDS(3), SECONDS(8));
}

static void assert_event_in_range(const struct event *event)
{
    assert_int_equal(event->at_frame % CONTROL_FRAMES, 0);
    if (event->kind == EVENT_NOTE_ON)
        assert_note_in_range(&event->note);
    if (event->kind == EVENT_MIX) {
        assert_true(unit(event->mix.brightness) && unit(event->mix.motion) && unit(event->mix.space));
        for (int layer = 0; layer < LAYER_COUNT; layer++)
            assert_true(unit(event->mix.gain[layer]));
    }
    if (event->kind == EVENT_CHORD)
        assert_in_range(event->chord.until_frame, event->at_frame + SECONDS(4), event->at_frame + SECONDS(90));
    if (event->kind == EVENT_SECTION)
        assert_true(event->section.until_frame > event->at_frame && event->section.name[0]);
}

static void events_are_ordered_and_in_range(void **state)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct mood_log log = testing_restless_log(seed, SECONDS(20), HOURS(2));
        struct score score = testing_score(&(struct program){seed, &log}, 0, HOURS(2));
        for (size_t i = 0; i < score.count; i++) {
            assert_event_in_range(&score.events[i]);
            assert_true(i == 0 || in_order(&score.events[i - 1], &score.events[i]));
        }
        score_free(&score);
        mood_log_finish(&log);
    }
}

struct lane {
    uint64_t id, free_at;    // free_at: frame at which its sound has ended
    bool held;
    float release_s;
};

// Follows one event; checks that no lane is taken while it sounds and that offs belong to ons.
static void lanes_follow(struct lane lanes[INSTRUMENT_COUNT][INSTRUMENT_LANES_MAX], const struct event *event)
{
    if (event->kind == EVENT_NOTE_ON) {
        const struct note *note = &event->note;
        struct lane *lane = &lanes[note->instrument][note->lane];
        assert_false(lane->held);
        assert_true(event->at_frame >= lane->free_at);
        assert_true(lane->id < note->id);
        uint64_t release = SECONDS((double)note->release_s);
        bool held = note->hold_frames == 0;
        *lane = (struct lane){note->id, held ? 0 : event->at_frame + note->hold_frames + release, held,
                              note->release_s};
    } else if (event->kind == EVENT_NOTE_OFF) {
        struct lane *lane = &lanes[event->off.instrument][event->off.lane];
        assert_true(lane->held);
        assert_int_equal(lane->id, event->off.id);
        lane->held = false;
        lane->free_at = event->at_frame + SECONDS((double)lane->release_s);
    }
}

static void assert_lanes(const struct program *program, uint64_t end)
{
    struct score score = testing_score(program, 0, end);
    struct lane lanes[INSTRUMENT_COUNT][INSTRUMENT_LANES_MAX] = {0};
    int notes = 0;
    for (size_t i = 0; i < score.count; i++) {
        lanes_follow(lanes, &score.events[i]);
        notes += score.events[i].kind == EVENT_NOTE_ON;
    }
    assert_true(notes > 500);
    for (int lane = 0; lane < INSTRUMENT_COUNT * INSTRUMENT_LANES_MAX; lane++) {
        const struct lane *one = &lanes[lane / INSTRUMENT_LANES_MAX][lane % INSTRUMENT_LANES_MAX];
        assert_true(!one->held || (one->id >> 12) * CONTROL_FRAMES + LONGEST_HELD > end);
    }
    score_free(&score);
}

static void no_lane_is_taken_while_it_sounds(void **state)
{
    static const uint64_t every_s[] = {1, 6, 30, 100000}, length_s[] = {1300, 2600, 7200, 7200};
    for (uint64_t turn = 0; turn < 4; turn++) {
        uint64_t end = SECONDS(length_s[turn]);
        struct mood_log log = testing_restless_log(turn, SECONDS(every_s[turn]), end);
        assert_lanes(&(struct program){turn, &log}, end);
        mood_log_finish(&log);
    }
}

// At the slowest tempo, where chords are longest: from a few moves of the density in a chord to ten in a second.
static void no_lane_is_taken_when_the_density_never_rests(void **state)
{
    for (uint64_t turn = 0; turn < 4; turn++) {
        struct mood mood = mood_default();
        mood.bpm = 40;
        struct mood_log log = testing_log(&mood);
        uint64_t every = (uint64_t[]){CHUNK_FRAMES, SECONDS(1), SECONDS(4), SECONDS(9)}[turn];
        for (uint64_t i = 0; i * every < SECONDS(1200); i++) {
            testing_move(&mood, MOOD_ID_harmonic_density, random_u64(turn, 905, i));
            testing_append(&log, i * every, &mood);
        }
        assert_lanes(&(struct program){turn, &log}, SECONDS(1200));
        mood_log_finish(&log);
    }
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void ids_are_unique(void **state)
{
    struct mood_log log = testing_restless_log(4, SECONDS(15), HOURS(2));
    struct score score = testing_score(&(struct program){4, &log}, 0, HOURS(2));
    uint64_t *ids = calloc(score.count, sizeof *ids);
    size_t count = 0;
    for (size_t i = 0; i < score.count; i++)
        if (score.events[i].kind == EVENT_NOTE_ON)
            ids[count++] = score.events[i].note.id;
    qsort(ids, count, sizeof *ids, by_id);
    for (size_t i = 1; i < count; i++)
        assert_true(ids[i - 1] < ids[i]);
    free(ids);
    score_free(&score);
    mood_log_finish(&log);
}

// A change in every packet, key and density among them: the worst that a log can hold.
static void the_cap_is_never_reached(void **state)
{
    struct mood_log log = testing_restless_log(8, PACKET_FRAMES / 2, SECONDS(400));
    struct event events[COMPOSE_MAX_EVENTS];
    int most = 0;
    for (uint64_t frame = 0; frame < SECONDS(400); frame += CHUNK_FRAMES) {
        int count = compose_events(&(struct program){8, &log}, frame, frame + CHUNK_FRAMES, events);
        most = count > most ? count : most;
    }
    assert_in_range(most, 6, COMPOSE_MAX_EVENTS / 4);
    mood_log_finish(&log);
}

static void a_full_list_is_left_as_it_is(void **state)
{
    struct event out[3] = {{.at_frame = 0}};
    struct events events = {.out = out, .cap = 2, .to = SECONDS(1)};
    for (uint64_t i = 1; i <= 3; i++)
        events_add(&events, &(struct event){.at_frame = i * CONTROL_FRAMES});
    assert_int_equal(events.count, 2);
    assert_int_equal(out[1].at_frame, 2 * CONTROL_FRAMES);
    assert_int_equal(out[2].at_frame, 0);
}

// What sounds at `frame` according to the events since LONGEST_HELD before it: written to ids, in no order.
static int notes_by_folding(const struct program *program, uint64_t frame, uint64_t *ids)
{
    uint64_t from = frame > LONGEST_HELD ? frame - LONGEST_HELD : 0;
    struct score score = testing_score(program, from, frame);
    int count = 0;
    for (size_t i = 0; i < score.count; i++) {
        const struct event *event = &score.events[i];
        if (event->kind == EVENT_NOTE_ON &&
            (event->note.hold_frames == 0 || event->at_frame + event->note.hold_frames > frame))
            ids[count++] = event->note.id;
        for (int k = 0; event->kind == EVENT_NOTE_OFF && k < count; k++)
            if (ids[k] == event->off.id)
                ids[k] = ids[--count];
    }
    score_free(&score);
    qsort(ids, (size_t)count, sizeof *ids, by_id);
    return count;
}

static void assert_sounding(const struct program *program, uint64_t frame)
{
    struct event events[COMPOSE_MAX_EVENTS];
    uint64_t expected[COMPOSE_MAX_EVENTS], ids[COMPOSE_MAX_EVENTS];
    int expected_count = notes_by_folding(program, frame, expected);
    int count = compose_sounding(program, frame, events), notes = 0, chords = 0, sections = 0;
    assert_int_equal(events[0].kind, EVENT_MIX);
    assert_int_equal(events[0].at_frame, frame);
    assert_int_equal(events[count - 1].kind, frame > 0 ? EVENT_SECTION : EVENT_MIX);
    for (int i = 1; i < count; i++) {
        assert_true(events[i].at_frame < frame);
        assert_true(i < 2 || i + 1 == count || in_order(&events[i - 1], &events[i]));
        if (events[i].kind == EVENT_NOTE_ON)
            ids[notes++] = events[i].note.id;
        chords += events[i].kind == EVENT_CHORD;
        sections += events[i].kind == EVENT_SECTION;
    }
    assert_int_equal(chords, frame > 0);
    assert_int_equal(sections, frame > 0);
    assert_int_equal(notes, expected_count);
    qsort(ids, (size_t)notes, sizeof *ids, by_id);
    assert_memory_equal(ids, expected, (size_t)notes * sizeof *ids);
}

static void what_sounds_is_what_began_and_has_not_ended(void **state)
{
    struct mood_log log = testing_restless_log(6, SECONDS(12), SECONDS(3000));
    struct program program = {6, &log};
    assert_sounding(&program, 0);
    for (uint64_t i = 0; i < 40; i++)
        assert_sounding(&program, random_u64(1, 903, i) % (SECONDS(3000) / CONTROL_FRAMES) * CONTROL_FRAMES);
    struct score score = testing_score(&program, SECONDS(1000), SECONDS(1020));
    for (size_t i = 0; i < score.count; i++)
        if (score.events[i].kind == EVENT_NOTE_ON || score.events[i].kind == EVENT_NOTE_OFF)
            assert_sounding(&program, score.events[i].at_frame);
    score_free(&score);
    mood_log_finish(&log);
}

static bool is_note_of(const struct event *event, enum layer layer)
{
    return event->kind == EVENT_NOTE_ON && event->note.layer == layer;
}

static void layers_that_are_off_are_silent(void **state)
{
    struct mood mood = mood_default();
    mood.enable_pads = mood.enable_melody = mood.enable_kicks = mood.enable_swells = false;
    mood.texture = 0;
    struct mood_log log = testing_log(&mood);
    struct score score = testing_score(&(struct program){3, &log}, 0, SECONDS(600));
    for (size_t i = 0; i < score.count; i++) {
        const struct event *event = &score.events[i];
        assert_true(!is_note_of(event, LAYER_LEAD) && !is_note_of(event, LAYER_LOOP));
        assert_true(!is_note_of(event, LAYER_KICK) && !is_note_of(event, LAYER_SWELL));
        for (int layer = 0; event->kind == EVENT_MIX && layer < LAYER_COUNT; layer++)
            assert_true(event->mix.gain[layer] == 0);
    }
    score_free(&score);
    mood_log_finish(&log);
}

static void seeds_differ(void **state)
{
    struct mood mood = mood_default();
    struct mood_log log = testing_log(&mood);
    struct score a = testing_score(&(struct program){1, &log}, 0, SECONDS(120));
    struct score b = testing_score(&(struct program){2, &log}, 0, SECONDS(120));
    assert_false(testing_same_score(&a, &b));
    score_free(&a);
    score_free(&b);
    mood_log_finish(&log);
}

// A log from which all older entries have gone, as it stands with who keeps playing.
static struct mood_log log_that_forgot(const struct mood_log *log, uint64_t before_frame)
{
    struct mood_log kept = testing_log(&log->entries[0].mood);
    for (size_t i = 1; i < log->count; i++)
        assert_int_equal(mood_log_adopt(&kept, &log->entries[i]), STATUS_OK);
    mood_log_forget(&kept, before_frame);
    return kept;
}

static void assert_same_events(const struct event *a, int count, const struct event *b, int other_count)
{
    assert_int_equal(count, other_count);
    for (int i = 0; i < count; i++)
        assert_true(testing_same(&a[i], &b[i]));
}

// The same is composed by who has forgotten what is older than COMPOSE_PAST_FRAMES, wherever that is.
static void what_is_older_may_be_forgotten(void **state)
{
    enum { PLACES = 150 };
    struct mood_log log = testing_restless_log(7, SECONDS(2), SECONDS(4 * 3600));
    for (uint64_t i = 0; i < PLACES; i++) {
        uint64_t from = frames_round_down(SECONDS(3.2 * 3600) + random_below(7, 906, i, SECONDS(.7 * 3600)), 4800);
        struct mood_log kept = log_that_forgot(&log, from - COMPOSE_PAST_FRAMES);
        struct program all = {7, &log}, less = {7, &kept};
        struct event a[COMPOSE_MAX_EVENTS], b[COMPOSE_MAX_EVENTS];
        assert_true(kept.entries[0].sequence > 1000);
        assert_same_events(a, compose_sounding(&all, from, a), b, compose_sounding(&less, from, b));
        for (uint64_t frame = from; frame < from + SECONDS(30); frame += 4800)
            assert_same_events(a, compose_events(&all, frame, frame + 4800, a), b,
                               compose_events(&less, frame, frame + 4800, b));
        mood_log_finish(&kept);
    }
    mood_log_finish(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cutting_time_changes_nothing),
        cmocka_unit_test(any_hour_can_be_composed_directly),
        cmocka_unit_test(entries_change_only_what_follows),
        cmocka_unit_test(a_tuning_moves_pitches_alone), cmocka_unit_test(a_chord_keeps_its_tuning),
        cmocka_unit_test(every_parameter_is_heard),
        cmocka_unit_test(events_are_ordered_and_in_range),
        cmocka_unit_test(no_lane_is_taken_while_it_sounds),
        cmocka_unit_test(no_lane_is_taken_when_the_density_never_rests),
        cmocka_unit_test(ids_are_unique),
        cmocka_unit_test(the_cap_is_never_reached),
        cmocka_unit_test(a_full_list_is_left_as_it_is),
        cmocka_unit_test(what_sounds_is_what_began_and_has_not_ended),
        cmocka_unit_test(what_is_older_may_be_forgotten),
        cmocka_unit_test(layers_that_are_off_are_silent),
        cmocka_unit_test(seeds_differ),
    };
    return cmocka_run_group_tests_name("compose", tests, NULL, NULL);
}
