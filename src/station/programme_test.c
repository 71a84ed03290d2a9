// A programme is a function of seed, log and frame: however it is cut, wherever it is begun, whatever computes it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "station/programme.h"

enum { SECOND = FRAME_RATE, SNAPSHOTS = 4 };

#define EPOCH PROGRAMME_EPOCH_FRAMES
#define CHAIN_BEGIN (EPOCH - PROGRAMME_WARMUP_FRAMES - PROGRAMME_LOOKAHEAD)

// Where a render passes from one phase to another, and the state a little before it.
static const uint64_t phases[SNAPSHOTS] = {CHAIN_BEGIN, EPOCH, EPOCH + PROGRAMME_FADE_FRAMES, EPOCH + 7 * SECOND};

enum { BEFORE_PHASE = 9600, AROUND_PHASE = 2 * BEFORE_PHASE, PARTS = 2 };

struct bench {
    struct mood_log log;
    struct program program;
    void *snapshots[SNAPSHOTS][PARTS];
    int parts[SNAPSHOTS];
    uint64_t hashes[SNAPSHOTS];          // of what follows each snapshot, AROUND_PHASE frames
};

static struct programme *programme_new(void)
{
    struct programme *programme = aligned_alloc(64, programme_bytes());
    assert_non_null(programme);
    return programme;
}

static void skip_to(struct programme *programme, const struct program *program, uint64_t frame)
{
    static float dropped[CHUNK_FRAMES * CHANNELS];
    while (programme_frame(programme) < frame) {
        uint64_t left = frame - programme_frame(programme);
        programme_render(programme, program, backend_best(), dropped, left < CHUNK_FRAMES ? (int)left : CHUNK_FRAMES);
    }
    assert_true(programme_frame(programme) == frame);
}

// Renders in pieces of `cut` frames and returns the hash of it all.
static uint64_t hash_of(struct programme *programme, const struct program *program, const struct backend *backend,
                        int frames, int cut)
{
    float *out = malloc((size_t)frames * CHANNELS * sizeof(float));
    for (int done = 0; done < frames; done += cut)
        programme_render(programme, program, backend, out + done * CHANNELS, frames - done < cut ? frames - done : cut);
    uint64_t hash = hash_bytes(out, (size_t)frames * CHANNELS * sizeof(float));
    free(out);
    return hash;
}

static void save(const struct programme *programme, struct bench *bench, int snapshot)
{
    bench->parts[snapshot] = programme_parts(programme);
    for (int part = 0; part < bench->parts[snapshot]; part++) {
        bench->snapshots[snapshot][part] = aligned_alloc(64, programme_part_bytes());
        programme_save(programme, part, bench->snapshots[snapshot][part]);
    }
}

// Into a programme that was anywhere before.
static void restore(struct programme *programme, const struct bench *bench, int snapshot)
{
    memset(programme, 0x55, programme_bytes());
    for (int part = 0; part < bench->parts[snapshot]; part++)
        programme_restore(programme, part, bench->snapshots[snapshot][part]);
}

// One long render from frame 0 over the first epoch's end, with a snapshot before each phase.
static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    struct mood mood = mood_default();
    assert_int_equal(mood_log_init(&bench->log, &mood), STATUS_OK);
    bench->program = (struct program){.seed = 11, .log = &bench->log};
    struct programme *programme = programme_new();
    programme_start(programme, &bench->program, 0);
    for (int i = 0; i < SNAPSHOTS; i++) {
        skip_to(programme, &bench->program, phases[i] - BEFORE_PHASE);
        save(programme, bench, i);
        bench->hashes[i] = hash_of(programme, &bench->program, backend_best(), AROUND_PHASE, CHUNK_FRAMES);
    }
    assert_int_equal(programme_faults(programme), 0);
    free(programme);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    for (int i = 0; i < SNAPSHOTS; i++)
        for (int part = 0; part < bench->parts[i]; part++)
            free(bench->snapshots[i][part]);
    mood_log_finish(&bench->log);
    free(bench);
    return 0;
}

static void a_restored_snapshot_goes_on_however_time_is_cut(void **state)
{
    struct bench *bench = *state;
    static const int cuts[] = {1, 17, 64, 480, 4800, AROUND_PHASE};
    struct programme *programme = programme_new();
    for (int i = 0; i < SNAPSHOTS; i++) {
        for (size_t k = 0; k < sizeof cuts / sizeof cuts[0]; k++) {
            restore(programme, bench, i);
            uint64_t hash = hash_of(programme, &bench->program, backend_best(), AROUND_PHASE, cuts[k]);
            assert_true(hash == bench->hashes[i]);
        }
    }
    free(programme);
}

// Two chains are there from the warming up of the second to the end of the fade.
static void a_snapshot_has_the_chains_that_are_there(void **state)
{
    const struct bench *bench = *state;
    static const int parts[SNAPSHOTS] = {1, 2, 2, 1};
    for (int i = 0; i < SNAPSHOTS; i++)
        assert_int_equal(bench->parts[i], parts[i]);
}

static void every_level_gives_the_same(void **state)
{
    struct bench *bench = *state;
    struct programme *programme = programme_new();
    for (int i = 0; i < SNAPSHOTS; i++) {
        for (const struct backend *const *level = backend_list(); *level; level++) {
            if (!(*level)->available())
                continue;
            restore(programme, bench, i);
            assert_true(hash_of(programme, &bench->program, *level, AROUND_PHASE, CHUNK_FRAMES) == bench->hashes[i]);
        }
    }
    free(programme);
}

static void the_beginning_does_not_depend_on_the_cut(void **state)
{
    struct bench *bench = *state;
    static const int cuts[] = {1, 17, 64, 480, 4800};
    struct programme *programme = programme_new();
    uint64_t expected = 0;
    for (size_t k = 0; k < sizeof cuts / sizeof cuts[0]; k++) {
        programme_start(programme, &bench->program, 0);
        uint64_t hash = hash_of(programme, &bench->program, backend_best(), 3 * CHUNK_FRAMES, cuts[k]);
        expected = k ? expected : hash;
        assert_true(hash == expected);
    }
    free(programme);
}

static void begin_frames_are_as_told(void **state)
{
    struct bench *bench = *state;
    assert_true(programme_begin_frame(&bench->program, 0) == 0);
    assert_true(programme_begin_frame(&bench->program, CHAIN_BEGIN) == 0);
    assert_true(programme_begin_frame(&bench->program, EPOCH) == 0);
    assert_true(programme_begin_frame(&bench->program, EPOCH + PROGRAMME_FADE_FRAMES - 1) == 0);
    assert_true(programme_begin_frame(&bench->program, EPOCH + PROGRAMME_FADE_FRAMES) == CHAIN_BEGIN);
    assert_true(programme_begin_frame(&bench->program, 2 * EPOCH + SECOND) == CHAIN_BEGIN);
    assert_true(programme_begin_frame(&bench->program, 2 * EPOCH + PROGRAMME_FADE_FRAMES) == CHAIN_BEGIN + EPOCH);
    for (uint64_t frame = 0; frame < 5 * EPOCH; frame += 7 * SECOND + 1) {
        uint64_t begin = programme_begin_frame(&bench->program, frame);
        assert_true(begin <= frame);
        assert_true(frame - begin <= EPOCH + PROGRAMME_WARMUP_FRAMES + PROGRAMME_FADE_FRAMES + PROGRAMME_LOOKAHEAD);
        assert_true(programme_begin_frame(&bench->program, begin + EPOCH) == begin || begin == 0 ||
                    begin + EPOCH >= CHAIN_BEGIN);
    }
}

// Begins at programme_begin_frame and compares with the long render.
static void a_seek_gives_what_the_long_render_gave(void **state)
{
    struct bench *bench = *state;
    struct programme *programme = programme_new();
    for (int i = 2; i < SNAPSHOTS; i++) {
        uint64_t from = phases[i] - BEFORE_PHASE, exact = from < phases[2] ? phases[2] : from;
        programme_start(programme, &bench->program, programme_begin_frame(&bench->program, exact));
        assert_true(programme_frame(programme) == CHAIN_BEGIN);
        skip_to(programme, &bench->program, exact);
        int frames = (int)(from + AROUND_PHASE - exact);
        uint64_t hash = hash_of(programme, &bench->program, backend_best(), frames, CHUNK_FRAMES);
        restore(programme, bench, i);
        skip_to(programme, &bench->program, exact);
        assert_true(hash == hash_of(programme, &bench->program, backend_best(), frames, CHUNK_FRAMES));
    }
    free(programme);
}

static void a_seek_over_two_epochs_is_exact(void **state)
{
    struct bench *bench = *state;
    struct programme *far = programme_new(), *near = programme_new();
    uint64_t seek = 2 * EPOCH + PROGRAMME_FADE_FRAMES;
    programme_start(far, &bench->program, CHAIN_BEGIN);
    programme_start(near, &bench->program, programme_begin_frame(&bench->program, seek));
    assert_true(programme_frame(near) == CHAIN_BEGIN + EPOCH);
    skip_to(far, &bench->program, seek);
    skip_to(near, &bench->program, seek);
    assert_true(hash_of(near, &bench->program, backend_best(), SECOND, CHUNK_FRAMES)
                == hash_of(far, &bench->program, backend_best(), SECOND, CHUNK_FRAMES));
    free(far);
    free(near);
}

// Freezes the room and lets it go in turn, about the end of the second epoch: while the next chain fills its own, over
// the fade, and after it.
static void log_freezes(struct mood_log *log)
{
    static const int64_t seconds_from_end[] = {-200, -30, -5, 4, 5};
    struct mood mood = mood_default();
    assert_int_equal(mood_log_init(log, &mood), STATUS_OK);
    for (size_t i = 0; i < sizeof seconds_from_end / sizeof *seconds_from_end; i++) {
        mood.freeze = !mood.freeze;
        assert_int_equal(mood_log_append(log, i + 1, 2 * EPOCH + (uint64_t)(seconds_from_end[i] * SECOND), &mood),
                         STATUS_OK);
    }
}

// What a room holds is the longest memory of a chain: it has to follow from the log wherever the render began. The long
// one goes on from the last snapshot, so its third chain stands where the first one stood.
static void a_room_that_freezes_is_the_same_after_a_seek(void **state)
{
    struct bench *bench = *state;
    static const int cuts[] = {480, 17};
    enum { FRAMES = 6 * SECOND };
    const uint64_t seek = 2 * EPOCH + PROGRAMME_FADE_FRAMES;
    const struct backend *backend = backend_best();
    struct mood_log log;
    log_freezes(&log);
    struct program program = {.seed = bench->program.seed, .log = &log};
    struct programme *programme = programme_new();
    restore(programme, bench, SNAPSHOTS - 1);
    skip_to(programme, &program, seek);
    uint64_t hash = hash_of(programme, &program, backend, FRAMES, CHUNK_FRAMES);
    for (size_t k = 0; k < sizeof cuts / sizeof *cuts; k++) {
        programme_start(programme, &program, programme_begin_frame(&program, seek));
        assert_true(programme_frame(programme) == CHAIN_BEGIN + EPOCH);
        skip_to(programme, &program, seek);
        assert_true(hash_of(programme, &program, backend, FRAMES, cuts[k]) == hash);
    }
    programme_start(programme, &bench->program, programme_begin_frame(&bench->program, seek));
    skip_to(programme, &bench->program, seek);
    assert_true(hash_of(programme, &bench->program, backend, FRAMES, CHUNK_FRAMES) != hash);
    mood_log_finish(&log);
    free(programme);
}

static void a_change_leaves_what_was_before_it(void **state)
{
    struct bench *bench = *state;
    enum { AT = 5 * SECOND, AFTER = 3 * SECOND };
    struct mood_log log;
    struct mood mood = mood_default();
    assert_int_equal(mood_log_init(&log, &mood), STATUS_OK);
    mood.intensity = 1;
    mood.enable_pads = false;
    assert_int_equal(mood_log_append(&log, 1, AT, &mood), STATUS_OK);
    struct program changed = {.seed = bench->program.seed, .log = &log};
    struct programme *plain = programme_new(), *steered = programme_new();
    programme_start(plain, &bench->program, 0);
    programme_start(steered, &changed, 0);
    const struct backend *backend = backend_best();
    assert_true(hash_of(plain, &bench->program, backend, AT - PROGRAMME_LOOKAHEAD, CHUNK_FRAMES)
                == hash_of(steered, &changed, backend, AT - PROGRAMME_LOOKAHEAD, CHUNK_FRAMES));
    skip_to(plain, &bench->program, AT);
    skip_to(steered, &changed, AT);
    assert_true(hash_of(plain, &bench->program, backend, AFTER, CHUNK_FRAMES)
                != hash_of(steered, &changed, backend, AFTER, CHUNK_FRAMES));
    mood_log_finish(&log);
    free(plain);
    free(steered);
}

// As a station that takes entries chunk by chunk: those beyond the lookahead are not there yet.
static void entries_are_not_needed_before_the_lookahead(void **state)
{
    struct bench *bench = *state;
    enum { CHUNKS = 60, AT = 30 * CHUNK_FRAMES + 960 };
    struct mood_log log;
    struct mood mood = mood_default();
    assert_int_equal(mood_log_init(&log, &mood), STATUS_OK);
    mood.enable_pads = false;
    struct program program = {.seed = bench->program.seed, .log = &log};
    struct programme *early = programme_new(), *late = programme_new();
    static float out[CHUNKS * CHUNK_FRAMES * CHANNELS];
    programme_start(late, &program, 0);
    for (uint64_t i = 0; i < CHUNKS; i++) {
        if (log.count == 1 && AT < (i + 1) * CHUNK_FRAMES + PROGRAMME_LOOKAHEAD)
            assert_int_equal(mood_log_append(&log, 1, AT, &mood), STATUS_OK);
        programme_render(late, &program, backend_best(), out + i * CHUNK_FRAMES * CHANNELS, CHUNK_FRAMES);
    }
    programme_start(early, &program, 0);
    assert_true(hash_of(early, &program, backend_best(), CHUNKS * CHUNK_FRAMES, CHUNK_FRAMES)
                == hash_bytes(out, sizeof out));
    mood_log_finish(&log);
    free(early);
    free(late);
}

// The fade adds nothing and takes nothing away: no sample steps more than either side of it does.
static void the_fade_does_not_click(void **state)
{
    struct bench *bench = *state;
    enum { FRAMES = (int)PROGRAMME_FADE_FRAMES + AROUND_PHASE };
    static float out[FRAMES * CHANNELS];
    struct programme *programme = programme_new();
    restore(programme, bench, 1);
    programme_render(programme, &bench->program, backend_best(), out, FRAMES);
    float beside = 0, inside = 0;
    for (int i = 2 * CHANNELS; i < FRAMES * CHANNELS; i++) {
        float bend = out[i] - 2 * out[i - CHANNELS] + out[i - 2 * CHANNELS];
        float *worst = i < BEFORE_PHASE * CHANNELS || i > (FRAMES - BEFORE_PHASE) * CHANNELS ? &beside : &inside;
        *worst = bend > *worst ? bend : -bend > *worst ? -bend : *worst;
    }
    print_message("# largest bend beside the fade %g, inside %g\n", (double)beside, (double)inside);
    assert_true(beside > 0);
    assert_true(inside < 3 * beside);
    free(programme);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restored_snapshot_goes_on_however_time_is_cut),
        cmocka_unit_test(a_snapshot_has_the_chains_that_are_there),
        cmocka_unit_test(every_level_gives_the_same),
        cmocka_unit_test(the_beginning_does_not_depend_on_the_cut),
        cmocka_unit_test(begin_frames_are_as_told),
        cmocka_unit_test(a_seek_gives_what_the_long_render_gave),
        cmocka_unit_test(a_seek_over_two_epochs_is_exact),
        cmocka_unit_test(a_room_that_freezes_is_the_same_after_a_seek),
        cmocka_unit_test(a_change_leaves_what_was_before_it),
        cmocka_unit_test(entries_are_not_needed_before_the_lookahead),
        cmocka_unit_test(the_fade_does_not_click),
    };
    return cmocka_run_group_tests_name("programme", tests, setup, teardown);
}
