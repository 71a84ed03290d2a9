// A station whose renderer goes wrong: what listeners are given has no gap, says which of it is no music, and is the
// programme again afterwards, bit by bit.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "encode/encode.h"
#include "station/inject.h"
#include "station/patience.h"
#include "station/programme.h"
#include "station/station.h"
#include "wire/message.h"
#include "wire/websocket.h"

enum {
    SECOND = FRAME_RATE,
    LEAD = 2 * SECOND,
    ASKED = SECOND * 6 / 10,   // the playhead at which what sounds at 3 s has been asked for
    SEED = 5,
    TAKEOVER = 10 * SECOND,    // of Opus
    MAX_BYTES = 32768,
    MAX_CHUNKS = 600,
};

// What was published, chunk by chunk.
struct kept {
    int count;
    size_t len[MAX_CHUNKS];
    uint8_t flags[MAX_CHUNKS];
    uint8_t *bytes[MAX_CHUNKS];
};

// Counts the blocks that are rendered.
struct counting {
    struct backend table;            // the first member: what a backend is told is where it stands
    const struct backend *real;
    atomic_uint_fast64_t blocks;
};

struct bench {
    struct counting *counting;
    struct clock clock;
    struct injection *injection;
    struct timeline *timeline;
    struct sequencer *sequencer;
    struct station *station;
    struct mood mood;
    uint64_t origin_ns;
    struct kept kept[FORMAT_COUNT];
};

static bool counting_render_block(const struct backend *backend, void *state, float *out)
{
    struct counting *counting = (struct counting *)backend;
    atomic_fetch_add(&counting->blocks, 1);
    return counting->real->render_block(counting->real, state, out);
}

static void wait_some_moments(void)
{
    for (int i = 0; i < 100; i++)
        wait_a_moment();
}

static bool is_there(struct bench *bench, uint64_t frame);

// On air, and as far ahead as a station is.
static struct bench *bench_new(const char *fault, const char *further)
{
    struct bench *bench = calloc(1, sizeof *bench);
    bench->origin_ns = 1000 * NS_PER_SECOND;
    clock_init_virtual(&bench->clock, bench->origin_ns, 0);
    bench->mood = mood_default();
    assert_int_equal(injection_create(&bench->injection, backend_best()), STATUS_OK);
    if (fault)
        assert_int_equal(injection_add(bench->injection, fault), STATUS_OK);
    if (further)
        assert_int_equal(injection_add(bench->injection, further), STATUS_OK);
    bench->counting = calloc(1, sizeof *bench->counting);
    bench->counting->real = injection_backend(bench->injection);
    bench->counting->table = *bench->counting->real;
    bench->counting->table.render_block = counting_render_block;
    bench->timeline = station_timeline_create(LEAD);
    bench->sequencer = sequencer_create(&(struct control_config){
        .clock = &bench->clock, .origin_ns = bench->origin_ns, .guard_frames = 9600, .mood = bench->mood});
    timeline_join(bench->timeline, FORMAT_OPUS);
    timeline_join(bench->timeline, FORMAT_PCM);
    struct station_config config = {
        .name = "test", .seed = SEED, .mood = bench->mood, .origin_ns = bench->origin_ns, .lead_frames = LEAD,
        .clock = &bench->clock, .backend = &bench->counting->table, .timeline = bench->timeline,
        .sequencer = bench->sequencer,
    };
    assert_int_equal(station_create(&bench->station, &config), STATUS_OK);
    assert_soon(is_there(bench, LEAD));
    return bench;
}

static void bench_free(struct bench *bench)
{
    injection_end(bench->injection);
    station_destroy(bench->station);
    injection_destroy(bench->injection);
    free(bench->counting);
    sequencer_destroy(bench->sequencer);
    timeline_destroy(bench->timeline);
    for (int format = 0; format < FORMAT_COUNT; format++)
        for (int i = 0; i < bench->kept[format].count; i++)
            free(bench->kept[format].bytes[i]);
    free(bench);
}

static const struct station_stats *stats(const struct bench *bench)
{
    return station_stats(bench->station);
}

static uint64_t failures(const struct bench *bench, enum render_failure kind)
{
    return atomic_load(&stats(bench)->render_failures[kind]);
}

static uint64_t playhead(const struct bench *bench)
{
    return frames_from_ns(clock_now_ns(&bench->clock) - bench->origin_ns);
}

// Keeps what has been published since.
static void keep(struct bench *bench, enum format format)
{
    struct kept *kept = &bench->kept[format];
    struct chunk *chunk;
    while ((chunk = timeline_acquire(bench->timeline, format, (uint64_t)kept->count * CHUNK_FRAMES))) {
        struct message_header header;
        const uint8_t *payload;
        size_t len, head = chunk->bytes[1] == 126 ? 4 : 2;
        assert_true(message_read(chunk->bytes + head, chunk->len - head, &header, &payload, &len));
        assert_int_equal(header.flags, chunk->flags);
        assert_in_range(kept->count, 0, MAX_CHUNKS - 1);
        kept->bytes[kept->count] = malloc(len);
        memcpy(kept->bytes[kept->count], payload, len);
        kept->flags[kept->count] = header.flags;
        kept->len[kept->count++] = len;
        chunk_release(chunk);
    }
}

static bool is_there(struct bench *bench, uint64_t frame)
{
    keep(bench, FORMAT_OPUS);
    keep(bench, FORMAT_PCM);
    return (uint64_t)bench->kept[FORMAT_OPUS].count * CHUNK_FRAMES > frame
        && (uint64_t)bench->kept[FORMAT_PCM].count * CHUNK_FRAMES > frame;
}

// Time goes on chunk by chunk, once everything is there that is to be heard within `ahead` frames.
static void step_until(struct bench *bench, uint64_t frame, uint64_t ahead)
{
    while (playhead(bench) < frame) {
        assert_soon(is_there(bench, playhead(bench) + ahead));
        clock_advance(&bench->clock, frames_to_ns(CHUNK_FRAMES));
    }
}

// Time waits for nobody: only what is heard next has to be there.
static void listen_until(struct bench *bench, uint64_t frame)
{
    step_until(bench, frame, CHUNK_FRAMES);
}

// Time waits for the renderer, so that on a busy machine too nothing is missed that is made good in time.
static void wait_until(struct bench *bench, uint64_t frame)
{
    step_until(bench, frame, LEAD);
}

static int count_flagged(const struct kept *kept)
{
    int count = 0;
    for (int i = 0; i < kept->count; i++) {
        assert_true(kept->flags[i] == 0 || kept->flags[i] == MESSAGE_HELD);
        count += kept->flags[i] != 0;
    }
    return count;
}

// All that is not flagged is what an undisturbed render and encode gives.
static void assert_programme(const struct bench *bench, enum format format)
{
    const struct kept *kept = &bench->kept[format];
    static uint8_t bytes[MAX_BYTES];
    static float pcm[CHUNK_FRAMES * CHANNELS];
    struct mood_log log;
    struct program program = {.seed = SEED, .log = &log};
    struct programme *programme = aligned_alloc(64, programme_bytes());
    void *state = aligned_alloc(64, (encoders[format]->state_bytes / 64 + 1) * 64);
    assert_int_equal(mood_log_init(&log, &bench->mood), STATUS_OK);
    assert_int_equal(encoders[format]->init(state), STATUS_OK);
    programme_start(programme, &program, 0);
    for (int i = 0; i < kept->count; i++) {
        struct encode_input input = {.first_frame = (uint64_t)i * CHUNK_FRAMES, .pcm = pcm};
        struct encode_output output = {.bytes = bytes};
        programme_render(programme, &program, backend_best(), pcm, CHUNK_FRAMES);
        assert_int_equal(encoders[format]->encode(state, &input, &output), STATUS_OK);
        if (kept->flags[i])
            continue;
        assert_int_equal(kept->len[i], output.len);
        assert_memory_equal(kept->bytes[i], bytes, output.len);
    }
    mood_log_finish(&log);
    free(programme);
    free(state);
}

static void assert_nothing_heard(struct bench *bench)
{
    assert_int_equal(count_flagged(&bench->kept[FORMAT_OPUS]), 0);
    assert_int_equal(count_flagged(&bench->kept[FORMAT_PCM]), 0);
    assert_int_equal(atomic_load(&stats(bench)->held_chunks), 0);
    assert_programme(bench, FORMAT_OPUS);
    assert_programme(bench, FORMAT_PCM);
    assert_int_equal(timeline_state(bench->timeline), TIMELINE_WELL);
}

static void a_failure_that_is_made_good_in_time_is_not_heard(void **state)
{
    struct bench *bench = bench_new("render-error@3+1", "render-nan@5+1");
    wait_until(bench, 6 * SECOND);
    assert_int_equal(failures(bench, RENDER_ERROR), 1);
    assert_int_equal(failures(bench, RENDER_NONFINITE), 1);
    assert_int_equal(failures(bench, RENDER_DEADLINE), 0);
    assert_nothing_heard(bench);
    bench_free(bench);
}

// Seconds that were rendered more than once.
static double rendered_again_s(const struct bench *bench)
{
    uint64_t blocks = atomic_load(&bench->counting->blocks);
    double once = (double)atomic_load(&stats(bench)->rendered_frames) / CONTROL_FRAMES;
    return ((double)blocks - once) * CONTROL_FRAMES / FRAME_RATE;
}

// A failure late in an epoch is not made good by rendering it all again; where it comes again it goes back further.
static void a_failure_costs_some_seconds(void **state)
{
    struct bench *bench = bench_new("render-error@30+1", NULL);
    wait_until(bench, 32 * SECOND);
    assert_int_equal(failures(bench, RENDER_ERROR), 1);
    assert_true(rendered_again_s(bench) < 3);
    assert_nothing_heard(bench);
    bench_free(bench);
    bench = bench_new("render-error@30+2", NULL);
    wait_until(bench, 32 * SECOND);
    assert_int_equal(failures(bench, RENDER_ERROR), 2);
    assert_true(rendered_again_s(bench) > 2);
    assert_true(rendered_again_s(bench) < 9);
    assert_nothing_heard(bench);
    bench_free(bench);
}

// Chunks that are flagged are one run, from the first that did not come to the one with which music comes back; of Opus
// all that follow as well, until its encoder is replaced.
static void assert_held_from(const struct bench *bench, uint64_t frame)
{
    const struct kept *pcm = &bench->kept[FORMAT_PCM], *opus = &bench->kept[FORMAT_OPUS];
    int first = (int)(frame / CHUNK_FRAMES), count = count_flagged(pcm);
    assert_int_equal(count, atomic_load(&stats(bench)->held_chunks));
    assert_true(count > 2);
    for (int i = 0; i < pcm->count; i++)
        assert_int_equal(pcm->flags[i] != 0, i >= first && i < first + count);
    uint64_t end = frames_round_up((uint64_t)(first + count) * CHUNK_FRAMES, TAKEOVER);
    assert_true((uint64_t)opus->count * CHUNK_FRAMES > end);
    for (int i = 0; i < opus->count; i++)
        assert_int_equal(opus->flags[i] != 0, i >= first && (uint64_t)i * CHUNK_FRAMES < end);
    assert_programme(bench, FORMAT_PCM);
    assert_programme(bench, FORMAT_OPUS);
}

static void a_call_that_comes_back_late_is_held(void **state)
{
    struct bench *bench = bench_new("render-stall@3+1.5", NULL);
    wait_until(bench, ASKED);
    listen_until(bench, 5 * SECOND);
    assert_int_equal(timeline_state(bench->timeline), TIMELINE_TROUBLED);
    assert_soon(timeline_state(bench->timeline) == TIMELINE_WELL);
    wait_until(bench, 11 * SECOND);
    assert_int_equal(failures(bench, RENDER_DEADLINE), 1);
    // The block at 3 s is needed for the chunk before it, by the limiter's lookahead.
    assert_held_from(bench, 3 * SECOND - CHUNK_FRAMES);
    bench_free(bench);
}

// Turns the intensity up. Returns the change's frame.
static uint64_t steer(struct bench *bench)
{
    struct control_result result;
    struct mood_patch patch = {.set = 1u << MOOD_ID_intensity, .values.intensity = 1};
    assert_int_equal(sequencer_submit(bench->sequencer, &patch, CONTROL_USER, 0, &result), STATUS_OK);
    return result.at_frame;
}

// Listens to PCM, once what is heard knows of the change at that frame: what is not flagged is what the log says.
// Returns how many chunks were.
static int listen_after_change(struct bench *bench, uint64_t at_frame, uint64_t until)
{
    static uint8_t bytes[MAX_BYTES];
    static float pcm[CHUNK_FRAMES * CHANNELS];
    struct mood_log log;
    struct mood mood = bench->mood;
    struct program program = {.seed = SEED, .log = &log};
    struct programme *programme = aligned_alloc(64, programme_bytes());
    int flagged = 0;
    assert_int_equal(mood_log_init(&log, &mood), STATUS_OK);
    mood.intensity = 1;
    assert_int_equal(mood_log_append(&log, 1, at_frame, &mood), STATUS_OK);
    programme_start(programme, &program, 0);
    for (uint64_t frame = 0; frame < until; frame += CHUNK_FRAMES) {
        struct encode_input input = {.first_frame = frame, .pcm = pcm};
        struct encode_output output = {.bytes = bytes};
        programme_render(programme, &program, backend_best(), pcm, CHUNK_FRAMES);
        assert_int_equal(encoder_pcm.encode(NULL, &input, &output), STATUS_OK);
        if (frame < playhead(bench))
            continue;
        assert_soon(timeline_generation(bench->timeline, FORMAT_PCM) == 1
                    && timeline_frontier(bench->timeline, FORMAT_PCM) > frame);
        struct chunk *chunk = timeline_acquire(bench->timeline, FORMAT_PCM, frame);
        assert_non_null(chunk);
        flagged += chunk->flags != 0;
        if (chunk->flags == 0)
            assert_memory_equal(chunk->bytes + chunk->payload_offset, bytes, output.len);
        chunk_release(chunk);
        clock_advance(&bench->clock, frames_to_ns(CHUNK_FRAMES));
    }
    mood_log_finish(&log);
    free(programme);
    return flagged;
}

// A change that comes in a hold waits for the music, which then comes back as the change wants it.
static void a_change_in_a_hold_waits_for_its_end(void **state)
{
    struct bench *bench = bench_new("render-stall@3+1.5", NULL);
    wait_until(bench, ASKED);
    listen_until(bench, 4 * SECOND);
    uint64_t at_frame = steer(bench);
    listen_until(bench, 5 * SECOND);
    assert_soon(timeline_state(bench->timeline) == TIMELINE_WELL);
    int flagged = listen_after_change(bench, at_frame, 12 * SECOND);
    assert_in_range(flagged, 1, 30);
    bench_free(bench);
}

// Nothing is rendered any more, but who is still there goes on with what the change wants when it is tried again.
static void a_change_while_it_is_given_up_is_not_lost(void **state)
{
    struct bench *bench = bench_new("render-error@3+3", NULL);
    wait_until(bench, ASKED);
    assert_soon(timeline_state(bench->timeline) == TIMELINE_FAILED);
    uint64_t at_frame = steer(bench);
    assert_soon(atomic_load(&stats(bench)->splices) == 1);
    clock_advance(&bench->clock, 10 * NS_PER_SECOND);
    assert_soon(timeline_state(bench->timeline) == TIMELINE_WELL);
    assert_int_equal(listen_after_change(bench, at_frame, 16 * SECOND), 0);
    bench_free(bench);
}

// It costs some seconds of real time until a worker is taken to hang.
static void a_call_that_never_comes_back_is_left_behind(void **state)
{
    struct bench *bench = bench_new("render-stall@3+forever", NULL);
    wait_until(bench, ASKED);
    listen_until(bench, 5 * SECOND);
    assert_soon(timeline_state(bench->timeline) == TIMELINE_WELL);
    wait_until(bench, 11 * SECOND);
    assert_int_equal(failures(bench, RENDER_DEADLINE), 2);
    assert_held_from(bench, 3 * SECOND - CHUNK_FRAMES);
    bench_free(bench);
}

static void a_second_one_that_never_comes_back_ends_it(void **state)
{
    struct bench *bench = bench_new("render-stall@3+forever", "render-stall@3.05+forever");
    listen_until(bench, 3 * SECOND);
    assert_soon(failures(bench, RENDER_DEADLINE) == 2);
    while (timeline_state(bench->timeline) != TIMELINE_FAILED) {
        clock_advance(&bench->clock, frames_to_ns(CHUNK_FRAMES));
        wait_some_moments();
    }
    assert_int_equal(failures(bench, RENDER_DEADLINE), 3);
    bench_free(bench);
}

// It is not waited for; what it still uses, it is left.
static void a_station_can_end_while_its_renderer_hangs(void **state)
{
    static struct {
        struct injection *injection;
        struct counting *counting;
    } left_to_it;
    struct bench *bench = bench_new("render-stall@3+forever", NULL);
    wait_until(bench, ASKED);
    assert_soon(atomic_load(&stats(bench)->rendered_frames) == 3 * SECOND - CHUNK_FRAMES);
    left_to_it.injection = bench->injection;
    left_to_it.counting = bench->counting;
    bench->counting = NULL;
    station_destroy(bench->station);
    bench->station = NULL;
    injection_end(left_to_it.injection);
    assert_int_equal(injection_create(&bench->injection, backend_best()), STATUS_OK);
    bench_free(bench);
}

// One call of some seconds, while half a minute of programme goes by: that is no music any more.
static void a_hold_without_end_ends_it(void **state)
{
    struct bench *bench = bench_new("render-stall@3+3.5", NULL);
    wait_until(bench, ASKED);
    listen_until(bench, 30 * SECOND);
    assert_int_equal(timeline_state(bench->timeline), TIMELINE_TROUBLED);
    clock_advance(&bench->clock, 4 * NS_PER_SECOND);
    assert_soon(timeline_state(bench->timeline) == TIMELINE_FAILED);
    assert_int_equal(failures(bench, RENDER_DEADLINE), 1);
    assert_int_equal(atomic_load(&stats(bench)->held_chunks), 300);
    assert_programme(bench, FORMAT_PCM);
    bench_free(bench);
}

static void three_failures_in_a_row_end_it_for_a_while(void **state)
{
    struct bench *bench = bench_new("render-error@3+3", NULL), *other = bench_new(NULL, NULL);
    wait_until(bench, ASKED);
    assert_soon(timeline_state(bench->timeline) == TIMELINE_FAILED);
    assert_int_equal(failures(bench, RENDER_ERROR), 3);
    assert_int_equal(atomic_load(&stats(bench)->held_chunks), 0);
    assert_programme(bench, FORMAT_PCM);
    wait_until(other, 6 * SECOND);
    assert_nothing_heard(other);
    uint64_t rendered = atomic_load(&stats(bench)->rendered_frames);
    clock_advance(&bench->clock, 9 * NS_PER_SECOND);
    wait_some_moments();
    assert_int_equal(timeline_state(bench->timeline), TIMELINE_FAILED);
    assert_true(atomic_load(&stats(bench)->rendered_frames) == rendered);
    clock_advance(&bench->clock, NS_PER_SECOND);
    assert_soon(timeline_state(bench->timeline) == TIMELINE_WELL);
    assert_soon(timeline_frontier(bench->timeline, FORMAT_PCM) >= playhead(bench) + LEAD);
    bench_free(other);
    bench_free(bench);
}

// Tried again it fails at once: it is not given three failures more, and is left alone for twice as long.
static void failing_again_it_waits_for_longer(void **state)
{
    struct bench *bench = bench_new("render-error@3+4", NULL);
    wait_until(bench, ASKED);
    assert_soon(failures(bench, RENDER_ERROR) == 3 && timeline_state(bench->timeline) == TIMELINE_FAILED);
    clock_advance(&bench->clock, 10 * NS_PER_SECOND);
    assert_soon(failures(bench, RENDER_ERROR) == 4);
    wait_some_moments();    // until it has taken note of the time
    clock_advance(&bench->clock, 19 * NS_PER_SECOND);
    wait_some_moments();
    assert_int_equal(timeline_state(bench->timeline), TIMELINE_FAILED);
    clock_advance(&bench->clock, NS_PER_SECOND);
    assert_soon(timeline_state(bench->timeline) == TIMELINE_WELL);
    bench_free(bench);
}

static void faults_are_read(void **state)
{
    static const char *const good[] = {"render-error@30+1", "render-error@0.5+forever", "render-nan@1e3+2",
                                       "render-stall@30+5", "render-stall@30+0.25", "render-stall@30+forever"};
    static const char *const bad[] = {"", "render-error", "render-error@", "render-error@+1", "render-error@1",
                                      "render-error@1+", "render-error@-1+1", "render-error@1+-1", "render-error@1+1x",
                                      "render-error@nan+1", "render-stall@1+inf", "render-burn@1+1", "render-nan@1+1 "};
    struct injection *injection;
    assert_int_equal(injection_create(&injection, backend_best()), STATUS_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(injection_add(injection, bad[i]), STATUS_INVALID);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(injection_add(injection, good[i]), STATUS_OK);
    for (int i = sizeof good / sizeof *good; i < INJECTION_FAULTS; i++)
        assert_int_equal(injection_add(injection, good[0]), STATUS_OK);
    assert_int_equal(injection_add(injection, good[0]), STATUS_FULL);
    injection_destroy(injection);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_that_is_made_good_in_time_is_not_heard),
        cmocka_unit_test(a_failure_costs_some_seconds),
        cmocka_unit_test(a_call_that_comes_back_late_is_held),
        cmocka_unit_test(a_change_in_a_hold_waits_for_its_end),
        cmocka_unit_test(a_change_while_it_is_given_up_is_not_lost),
        cmocka_unit_test(a_call_that_never_comes_back_is_left_behind),
        cmocka_unit_test(a_second_one_that_never_comes_back_ends_it),
        cmocka_unit_test(a_station_can_end_while_its_renderer_hangs),
        cmocka_unit_test(a_hold_without_end_ends_it),
        cmocka_unit_test(three_failures_in_a_row_end_it_for_a_while),
        cmocka_unit_test(failing_again_it_waits_for_longer),
        cmocka_unit_test(faults_are_read),
    };
    return cmocka_run_group_tests_name("station_fault", tests, NULL, NULL);
}
