// A whole station on a virtual clock: everything that it publishes is compared with an offline render and encode.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/frames.h"
#include "base/random.h"
#include "compose/compose.h"
#include "encode/encode.h"
#include "score/scene.h"
#include "station/patience.h"
#include "station/programme.h"
#include "station/station.h"
#include "wire/message.h"
#include "wire/websocket.h"

enum {
    SECOND = FRAME_RATE,
    LEAD = 2 * SECOND,
    AHEAD = LEAD + STATION_RESERVE_FRAMES,
    GUARD = 4 * CHUNK_FRAMES,   // what is compared offline is rendered less far ahead
    SEED = 5,
    MAX_BYTES = 32768,
    SAMPLES_BYTES = FORMAT_LEGACY_FRAMES * CHANNELS * 2,
};

struct bench {
    struct clock clock;
    struct timeline *timeline;
    struct sequencer *sequencer;
    struct station *station;
    struct mood mood;
    uint64_t origin_ns;
    uint64_t ahead;     // how far it renders ahead
    bool sinking;       // it was more
};

// On air, with its live playhead at `playhead`.
static void bench_begin(struct bench *bench, uint64_t playhead, uint64_t lead)
{
    uint64_t now_ns = 1000 * NS_PER_SECOND + frames_to_ns(playhead);
    clock_init_virtual(&bench->clock, now_ns, 0);
    bench->origin_ns = 1000 * NS_PER_SECOND;
    bench->mood = mood_default();
    bench->ahead = AHEAD;
    bench->sinking = false;
    bench->timeline = station_timeline_create(lead);
    struct control_config control = {.clock = &bench->clock, .origin_ns = bench->origin_ns,
                                     .guard_frames = GUARD, .apart_frames = CHUNK_FRAMES,
                                     .mood = bench->mood};
    bench->sequencer = sequencer_create(&control);
    struct station_config config = {.name = "test", .seed = SEED, .mood = bench->mood, .origin_ns = bench->origin_ns,
                                    .lead_frames = lead, .clock = &bench->clock, .backend = backend_best(),
                                    .timeline = bench->timeline, .sequencer = bench->sequencer};
    assert_int_equal(station_create(&bench->station, &config), STATUS_OK);
}

static void bench_end(struct bench *bench)
{
    station_destroy(bench->station);
    sequencer_destroy(bench->sequencer);
    timeline_destroy(bench->timeline);
}

static uint64_t rendered(struct bench *bench)
{
    return atomic_load(&station_stats(bench->station)->rendered_frames);
}

static uint64_t playhead(const struct bench *bench)
{
    return frames_from_ns(clock_now_ns(&bench->clock) - bench->origin_ns);
}

static uint64_t expected_frontier(const struct bench *bench)
{
    return frames_round_up(playhead(bench) + bench->ahead, CHUNK_FRAMES);
}

static bool at_frontier(struct bench *bench)
{
    return bench->sinking ? rendered(bench) >= expected_frontier(bench) : rendered(bench) == expected_frontier(bench);
}

// The offline side: one programme and one encoder per format, from chunk to chunk.
struct offline {
    struct mood_log log;
    struct program program;
    struct programme *programme;
    void *states[FORMAT_COUNT];
    float pcm[3][CHUNK_FRAMES * CHANNELS];   // before, this, after
    uint64_t frame;                          // of "this"
};

static void offline_step(struct offline *offline)
{
    memmove(offline->pcm[0], offline->pcm[1], 2 * sizeof offline->pcm[0]);
    programme_render(offline->programme, &offline->program, backend_best(), offline->pcm[2], CHUNK_FRAMES);
    offline->frame += CHUNK_FRAMES;
}

static struct offline *offline_new(const struct mood *mood)
{
    struct offline *offline = calloc(1, sizeof *offline);
    assert_int_equal(mood_log_init(&offline->log, mood), STATUS_OK);
    offline->program = (struct program){.seed = SEED, .log = &offline->log};
    offline->programme = aligned_alloc(64, programme_bytes());
    for (int i = 0; i < FORMAT_COUNT; i++) {
        offline->states[i] = aligned_alloc(64, (encoders[i]->state_bytes / 64 + 1) * 64);
        assert_int_equal(encoders[i]->init(offline->states[i]), STATUS_OK);
    }
    return offline;
}

// Stands at a chunk, with what comes before and after it.
static void offline_begin_at(struct offline *offline, uint64_t frame)
{
    uint64_t begin = frame < CHUNK_FRAMES ? 0 : frame - CHUNK_FRAMES;
    programme_start(offline->programme, &offline->program, programme_begin_frame(begin));
    uint64_t skipped = begin - programme_frame(offline->programme);
    float *dropped = malloc(skipped * CHANNELS * sizeof(float) + 1);
    if (skipped > 0)
        programme_render(offline->programme, &offline->program, backend_best(), dropped, (int)skipped);
    free(dropped);
    offline->frame = begin - 2 * CHUNK_FRAMES;
    while (offline->frame != frame)
        offline_step(offline);
}

static void offline_begin(struct offline *offline)
{
    offline_begin_at(offline, 0);
}

static void offline_free(struct offline *offline)
{
    for (int i = 0; i < FORMAT_COUNT; i++)
        free(offline->states[i]);
    mood_log_finish(&offline->log);
    free(offline->programme);
    free(offline);
}

static size_t offline_encode(struct offline *offline, enum format format, uint8_t *bytes, uint16_t *packet_bytes)
{
    struct encode_input input = {offline->frame, offline->pcm[1], offline->pcm[0], offline->pcm[2]};
    struct encode_output output = {.bytes = bytes};
    assert_int_equal(encoders[format]->encode(offline->states[format], &input, &output), STATUS_OK);
    memcpy(packet_bytes, output.packet_bytes, sizeof output.packet_bytes);
    return output.len;
}

// Moves time on by a chunk, once the station is done with what was due.
static void step(struct bench *bench)
{
    assert_soon(at_frontier(bench));
    clock_advance(&bench->clock, frames_to_ns(CHUNK_FRAMES));
    assert_soon(at_frontier(bench));
}

static void assert_v2_heads(const struct chunk *chunk, const uint16_t *packet_bytes, size_t payload_bytes)
{
    struct websocket_head head;
    struct message_header header;
    const uint8_t *payload;
    size_t payload_len;
    int head_bytes = websocket_read_head(chunk->bytes, chunk->len, &head);
    assert_true(head_bytes > 0 && head.fin && !head.masked && head.opcode == WEBSOCKET_BINARY);
    assert_int_equal(head.payload_bytes, chunk->len - (uint32_t)head_bytes);
    assert_true(message_read(chunk->bytes + head_bytes, head.payload_bytes, &header, &payload, &payload_len));
    assert_int_equal(header.codec, format_is_opus((enum format)chunk->format) ? MESSAGE_CODEC_OPUS : MESSAGE_CODEC_PCM);
    assert_int_equal(header.flags, 0);
    assert_int_equal(header.generation, chunk->generation);
    assert_true(header.first_frame == chunk->first_frame);
    assert_int_equal(header.frame_count, CHUNK_FRAMES);
    assert_int_equal(header.packet_count, format_is_opus((enum format)chunk->format) ? CHUNK_PACKETS : 0);
    assert_memory_equal(header.packet_bytes, packet_bytes, header.packet_count * sizeof *packet_bytes);
    assert_ptr_equal(payload, chunk->bytes + chunk->payload_offset);
    assert_int_equal(payload_len, payload_bytes);
}

// The chunk in the timeline is what the offline side makes of the chunk it stands at.
static void assert_chunk(struct bench *bench, struct offline *offline, enum format format, bool is_published)
{
    static uint8_t bytes[MAX_BYTES];
    uint16_t packet_bytes[CHUNK_PACKETS];
    size_t len = offline_encode(offline, format, bytes, packet_bytes);
    if (!is_published)
        return;
    struct chunk *chunk = timeline_acquire(bench->timeline, format, offline->frame);
    assert_non_null(chunk);
    assert_int_equal(chunk->frame_count, CHUNK_FRAMES);
    assert_int_equal(chunk->generation, control_generation(&offline->log, offline->frame + CHUNK_FRAMES));
    if (format != FORMAT_LEGACY)
        assert_v2_heads(chunk, packet_bytes, len);
    assert_int_equal(chunk->len - chunk->payload_offset, len);
    assert_memory_equal(chunk->bytes + chunk->payload_offset, bytes, len);
    chunk_release(chunk);
}

// A chunk is there that knows of a change.
static void await_knowing(struct bench *bench, enum format format, uint32_t generation, uint64_t frame)
{
    assert_soon(timeline_generation(bench->timeline, format) >= generation
                && timeline_frontier(bench->timeline, format) > frame);
}

// Follows the live playhead chunk by chunk up to `until` and compares all formats in `formats` from `from` on.
static void follow(struct bench *bench, struct offline *offline, unsigned formats, uint64_t from, uint64_t until)
{
    for (; offline->frame < until; offline_step(offline)) {
        while (playhead(bench) < offline->frame && offline->frame > from)
            step(bench);
        for (int i = 0; i < FORMAT_COUNT; i++) {
            bool compared = (formats & 1u << i) && offline->frame >= from;
            if (compared)
                await_knowing(bench, (enum format)i, control_generation(&offline->log, offline->frame + CHUNK_FRAMES),
                              offline->frame);
            assert_chunk(bench, offline, (enum format)i, compared);
        }
    }
}

enum { ALL = (1 << FORMAT_COUNT) - 1 };

// All formats are listened to from frame 0 on.
static struct offline *begin_with_all(struct bench *bench)
{
    bench_begin(bench, 0, LEAD);
    struct offline *offline = offline_new(&bench->mood);
    offline_begin(offline);
    for (int i = 0; i < FORMAT_COUNT; i++)
        timeline_join(bench->timeline, (enum format)i);
    return offline;
}

static void what_is_published_is_the_programme(void **state)
{
    struct bench bench;
    struct offline *offline = begin_with_all(&bench);
    follow(&bench, offline, ALL, 0, 12 * SECOND);
    const struct station_stats *stats = station_stats(bench.station);
    assert_int_equal(atomic_load(&stats->faults), 0);
    assert_int_equal(atomic_load(&stats->encode_faults), 0);
    assert_int_equal(atomic_load(&stats->late_chunks), 0);
    assert_true(stats->render_ns.count >= 120);
    assert_true(stats->encode_ns[FORMAT_OPUS].count >= 120);
    offline_free(offline);
    bench_end(&bench);
}

static void it_renders_ahead_and_no_further(void **state)
{
    struct bench bench;
    bench_begin(&bench, 0, LEAD);
    for (int i = 0; i < 20; i++) {
        assert_soon(rendered(&bench) == expected_frontier(&bench));
        clock_advance(&bench.clock, frames_to_ns(CHUNK_FRAMES / 3));
    }
    wait_a_moment();
    assert_true(rendered(&bench) <= expected_frontier(&bench));
    for (int i = 0; i < FORMAT_COUNT; i++)
        assert_int_equal(timeline_frontier(bench.timeline, (enum format)i), 0);
    bench_end(&bench);
}

// With lead enough for whole deliveries the last chunk of one is there when its first is due.
static void it_renders_ahead_for_whole_deliveries(void **state)
{
    struct bench bench;
    bench_begin(&bench, 0, DELIVERY_LEAD_FRAMES);
    bench.ahead = DELIVERY_LEAD_FRAMES + DELIVERY_MOST_FRAMES - CHUNK_FRAMES + STATION_RESERVE_FRAMES;
    timeline_join(bench.timeline, FORMAT_OPUS);
    while (playhead(&bench) < 8 * SECOND) {
        assert_soon(rendered(&bench) == expected_frontier(&bench));
        uint64_t due = frames_round_down(playhead(&bench) + DELIVERY_LEAD_FRAMES, DELIVERY_MOST_FRAMES);
        assert_soon(timeline_frontier(bench.timeline, FORMAT_OPUS) >= due + DELIVERY_MOST_FRAMES);
        clock_advance(&bench.clock, frames_to_ns(CHUNK_FRAMES));
    }
    assert_int_equal(atomic_load(&station_stats(bench.station)->late_chunks), 0);
    bench_end(&bench);
}

// The first reader comes at 23 s: Opus has to begin at the takeover at 20 s.
static void a_format_is_made_when_it_is_asked_for(void **state)
{
    struct bench bench;
    bench_begin(&bench, 0, LEAD);
    struct offline *offline = offline_new(&bench.mood);
    offline_begin(offline);
    uint64_t joined = 23 * SECOND;
    while (playhead(&bench) < joined)
        step(&bench);
    assert_int_equal(timeline_frontier(bench.timeline, FORMAT_OPUS), 0);
    timeline_join(bench.timeline, FORMAT_OPUS);
    assert_soon(timeline_frontier(bench.timeline, FORMAT_OPUS) == expected_frontier(&bench));
    assert_null(timeline_acquire(bench.timeline, FORMAT_OPUS, joined - SECOND / 2 - CHUNK_FRAMES));
    for (int i = FORMAT_OPUS_64; i < FORMAT_COUNT; i++)
        assert_int_equal(timeline_frontier(bench.timeline, (enum format)i), 0);
    timeline_join(bench.timeline, FORMAT_LEGACY);
    assert_soon(timeline_frontier(bench.timeline, FORMAT_LEGACY) == joined + STATION_LEGACY_AHEAD_FRAMES);
    follow(&bench, offline, 1 << FORMAT_OPUS | 1 << FORMAT_LEGACY, joined - SECOND / 2, 26 * SECOND);
    offline_free(offline);
    bench_end(&bench);
}

static void a_format_ends_when_nobody_listens(void **state)
{
    struct bench bench;
    bench_begin(&bench, 0, LEAD);
    timeline_join(bench.timeline, FORMAT_PCM);
    assert_soon(timeline_frontier(bench.timeline, FORMAT_PCM) == expected_frontier(&bench));
    timeline_leave(bench.timeline, FORMAT_PCM);
    clock_advance(&bench.clock, NS_PER_SECOND);
    assert_soon(timeline_frontier(bench.timeline, FORMAT_PCM) == expected_frontier(&bench));
    clock_advance(&bench.clock, 2 * NS_PER_SECOND);
    assert_soon(timeline_frontier(bench.timeline, FORMAT_PCM) == 0);
    assert_null(timeline_acquire(bench.timeline, FORMAT_PCM, playhead(&bench)));
    timeline_join(bench.timeline, FORMAT_PCM);
    assert_soon(timeline_frontier(bench.timeline, FORMAT_PCM) == expected_frontier(&bench));
    bench_end(&bench);
}

static bool next_event(struct timeline *timeline, struct event_record *record)
{
    uint64_t after = record->number;
    return timeline_event_after(timeline, &after, record);
}

// Steers station and offline side alike, once the station has had time to go back for the change before.
static struct control_result steer(struct bench *bench, struct offline *offline, enum mood_id id, double value)
{
    struct mood_patch patch = {.set = 1u << id, .values = sequencer_mood(bench->sequencer)};
    struct control_result result;
    void *place = (char *)&patch.values + mood_parameters[id].offset;
    if (mood_parameters[id].kind == MOOD_KIND_UNIT)
        *(double *)place = value;
    else
        *(int *)place = (int)value;
    assert_int_equal(sequencer_submit(bench->sequencer, &patch, CONTROL_USER, 0, &result), STATUS_OK);
    assert_true(result.changed);
    assert_int_equal(mood_log_append(&offline->log, result.sequence, result.at_frame, &result.mood), STATUS_OK);
    return result;
}

static uint64_t splices(const struct bench *bench)
{
    return atomic_load(&station_stats(bench->station)->splices);
}

enum { REPLACEABLE = ALL & ~(1 << FORMAT_LEGACY) };

// Everybody has the whole lead already: from the change on it is rendered, encoded and published again, and is what it
// had been had the change always been known.
static void a_change_is_spliced_in(void **state)
{
    struct bench bench;
    struct offline *offline = begin_with_all(&bench);
    follow(&bench, offline, ALL, 0, 3 * SECOND);
    assert_soon(at_frontier(&bench) && timeline_frontier(bench.timeline, FORMAT_OPUS) > 4 * SECOND);
    struct chunk *before = timeline_acquire(bench.timeline, FORMAT_OPUS, 4 * SECOND);
    uint64_t frontier = rendered(&bench);
    struct control_result result = steer(&bench, offline, MOOD_ID_intensity, 1);
    assert_true(result.at_frame < frontier - SECOND);
    assert_soon(splices(&bench) == 1 && at_frontier(&bench));
    for (int i = 0; i < FORMAT_LEGACY; i++)
        await_knowing(&bench, (enum format)i, (uint32_t)result.sequence, 4 * SECOND);
    struct chunk *after = timeline_acquire(bench.timeline, FORMAT_OPUS, 4 * SECOND);
    assert_int_equal(before->generation, 0);
    assert_int_equal(after->generation, result.sequence);
    size_t offset = before->payload_offset;
    assert_int_equal(after->payload_offset, offset);
    assert_true(before->len != after->len || memcmp(before->bytes + offset, after->bytes + offset,
                                                    before->len - offset) != 0);
    chunk_release(before);
    chunk_release(after);
    follow(&bench, offline, REPLACEABLE, 0, 12 * SECOND);
    const struct station_stats *stats = station_stats(bench.station);
    assert_int_equal(atomic_load(&stats->late_chunks), 0);
    assert_int_equal(atomic_load(&stats->encode_faults), 0);
    assert_int_equal(stats->splice_ns.count, 1);
    offline_free(offline);
    bench_end(&bench);
}

// A minute of changes at any distance, over takeovers of encoders and, from 598 s on, over the seam of two epochs.
static void many_changes_are_spliced_in(void **state)
{
    static const enum mood_id ids[] = {MOOD_ID_intensity, MOOD_ID_brightness, MOOD_ID_bpm, MOOD_ID_space, MOOD_ID_scene,
                                       MOOD_ID_melody_complexity, MOOD_ID_texture, MOOD_ID_warmth};
    const uint64_t beginnings[] = {0, PROGRAMME_EPOCH_FRAMES - 4 * SECOND};
    for (int turn = 0; turn < 2; turn++) {
        struct bench bench;
        uint64_t at = beginnings[turn], end = at + 30 * SECOND;
        bench_begin(&bench, at, LEAD);
        struct offline *offline = offline_new(&bench.mood);
        // Where its encoders begin, so that what they make can be compared.
        offline_begin_at(offline, at == 0 ? 0 : encoder_opus.begin_frame(at - SECOND / 2));
        for (int i = 0; i < FORMAT_LEGACY; i++)
            timeline_join(bench.timeline, (enum format)i);
        for (uint32_t n = 0; playhead(&bench) < end; n++) {
            follow(&bench, offline, REPLACEABLE, at < SECOND ? 0 : at - SECOND / 2, offline->frame + CHUNK_FRAMES);
            uint64_t chance = random_u64(7, 1, n), done = splices(&bench);
            if (chance % 3 != 0 || offline->frame <= at + CHUNK_FRAMES)
                continue;
            assert_soon(at_frontier(&bench));
            enum mood_id id = ids[chance / 3 % (sizeof ids / sizeof *ids)];
            double unit = random_unit(7, 2, n);
            int next_scene = (sequencer_mood(bench.sequencer).scene + 1) % scene_count;
            double bpm = sequencer_mood(bench.sequencer).bpm < 75 ? 76 + 24 * unit : 50 + 24 * unit;
            (void)steer(&bench, offline, id, id == MOOD_ID_bpm ? bpm : id == MOOD_ID_scene ? next_scene : unit);
            assert_soon(splices(&bench) == done + 1);
        }
        assert_true(splices(&bench) > 50);
        assert_int_equal(atomic_load(&station_stats(bench.station)->late_chunks), 0);
        offline_free(offline);
        bench_end(&bench);
    }
}

// A slider that is dragged: changes come together, a tenth of a second apart, and what was begun for one that is out of
// date is left.
static void changes_in_quick_succession_come_together(void **state)
{
    struct bench bench;
    struct offline *offline = begin_with_all(&bench);
    follow(&bench, offline, ALL, 0, 3 * SECOND);
    uint64_t frames[25];
    int different = 0;
    for (int i = 0; i < 25; i++) {
        frames[i] = steer(&bench, offline, MOOD_ID_intensity, 0.1 + 0.02 * i).at_frame;
        different += i == 0 || frames[i] != frames[i - 1];
        assert_true(i == 0 || frames[i] == frames[i - 1] || frames[i] >= frames[i - 1] + CHUNK_FRAMES);
        wait_a_moment();
        clock_advance(&bench.clock, frames_to_ns(SECOND / 50));
    }
    assert_in_range(different, 5, 7);
    clock_advance(&bench.clock, frames_to_ns(CHUNK_FRAMES));
    for (int i = 0; i < FORMAT_LEGACY; i++)
        await_knowing(&bench, (enum format)i, 25, playhead(&bench) + SECOND);
    follow(&bench, offline, REPLACEABLE, playhead(&bench) + SECOND, 8 * SECOND);
    assert_in_range(splices(&bench), 1, 7);
    assert_int_equal(timeline_generation(bench.timeline, FORMAT_OPUS), 25);
    offline_free(offline);
    bench_end(&bench);
}

static void samples_of(struct bench *bench, uint64_t frame, int16_t *samples)
{
    uint8_t bytes[SAMPLES_BYTES];
    struct chunk *chunk = timeline_acquire(bench->timeline, FORMAT_LEGACY, frame);
    assert_non_null(chunk);
    assert_int_equal(base64_decode((const char *)chunk->bytes, chunk->len, bytes), sizeof bytes);
    memcpy(samples, bytes, sizeof bytes);
    chunk_release(chunk);
}

// Old clients cannot replace what they have: their next chunk leads over, and from then on they hear the change.
static void old_clients_are_led_over(void **state)
{
    struct bench bench;
    struct offline *offline = begin_with_all(&bench);
    follow(&bench, offline, ALL, 0, 3 * SECOND);
    uint64_t join = frames_round_up(playhead(&bench) + STATION_LEGACY_AHEAD_FRAMES, CHUNK_FRAMES);
    assert_soon(timeline_frontier(bench.timeline, FORMAT_LEGACY) == join);
    struct control_result result = steer(&bench, offline, MOOD_ID_intensity, 1);
    assert_soon(splices(&bench) == 1 && at_frontier(&bench));
    uint64_t frame = timeline_frontier(bench.timeline, FORMAT_LEGACY);
    assert_true(result.at_frame < join && join <= frame);
    // The chunks that are out stay as they were; the one that leads over is neither the one nor the other.
    follow(&bench, offline, REPLACEABLE, 0, join);
    int16_t here[SAMPLES_BYTES / 2], there[SAMPLES_BYTES / 2];
    static uint8_t bytes[MAX_BYTES];
    uint16_t packet_bytes[CHUNK_PACKETS];
    samples_of(&bench, join, here);
    size_t len = offline_encode(offline, FORMAT_LEGACY, bytes, packet_bytes);
    uint8_t plain[SAMPLES_BYTES];
    assert_int_equal(base64_decode((const char *)bytes, len, plain), sizeof plain);
    memcpy(there, plain, sizeof plain);
    enum { SAMPLES = SAMPLES_BYTES / 2, TENTH = SAMPLES / 10 };
    double first = 0, last = 0;
    for (int i = 0; i < TENTH; i++) {
        int end = SAMPLES - TENTH + i;
        first += (double)(here[i] - there[i]) * (here[i] - there[i]);
        last += (double)(here[end] - there[end]) * (here[end] - there[end]);
    }
    assert_true(first > 0);
    assert_true(first > 10 * last);
    for (int i = 0; i < FORMAT_LEGACY; i++)
        assert_chunk(&bench, offline, (enum format)i, false);
    offline_step(offline);
    follow(&bench, offline, ALL, 0, join + 3 * SECOND);
    offline_free(offline);
    bench_end(&bench);
}

// What was told beyond a change is taken back, and what is the score's now is told in its place, once.
static void events_are_told_again_from_a_change_on(void **state)
{
    struct bench bench;
    struct offline *offline = begin_with_all(&bench);
    follow(&bench, offline, ALL, 0, 3 * SECOND);
    uint64_t told = timeline_last_event(bench.timeline);
    struct control_result result = steer(&bench, offline, MOOD_ID_intensity, 1);
    assert_soon(splices(&bench) == 1 && at_frontier(&bench));
    while (playhead(&bench) < 10 * SECOND)
        step(&bench);
    uint64_t end = rendered(&bench), from = control_heard_from(result.at_frame);
    station_destroy(bench.station);
    bench.station = NULL;
    struct event events[COMPOSE_MAX_EVENTS];
    struct event_record record = {.number = told};
    int again = 0;
    for (uint64_t frame = from; frame < end; frame += 960) {
        int count = compose_events(&offline->program, frame, frame + 960, events);
        for (int i = 0; i < count; i++) {
            if (events[i].kind == EVENT_MIX || events[i].kind == EVENT_NOTE_OFF)
                continue;
            assert_true(next_event(bench.timeline, &record));
            assert_true(record.at_frame == events[i].at_frame);
            assert_int_equal(record.generation, result.sequence);
            again++;
        }
    }
    assert_true(again > 3);
    assert_false(next_event(bench.timeline, &record));
    offline_free(offline);
    bench_end(&bench);
}

// Two epochs and 20 s in: it begins at the chain of that epoch, and the beginning of time is never rendered.
static void a_station_begins_in_the_middle(void **state)
{
    struct bench bench;
    uint64_t at = 2 * PROGRAMME_EPOCH_FRAMES + 20 * SECOND;
    bench_begin(&bench, at, LEAD);
    timeline_join(bench.timeline, FORMAT_OPUS);
    timeline_join(bench.timeline, FORMAT_PCM);
    struct offline *offline = offline_new(&bench.mood);
    offline_begin_at(offline, 2 * PROGRAMME_EPOCH_FRAMES + 10 * SECOND - 2 * CHUNK_FRAMES);
    follow(&bench, offline, 1 << FORMAT_OPUS | 1 << FORMAT_PCM, at - SECOND / 2, at + 3 * SECOND);
    offline_free(offline);
    bench_end(&bench);
}

// The machine slept for 20 minutes: what was missed is not made up for, and nothing is wrong afterwards.
static void a_station_that_fell_behind_begins_again(void **state)
{
    struct bench bench;
    bench_begin(&bench, 0, LEAD);
    timeline_join(bench.timeline, FORMAT_PCM);
    assert_soon(timeline_frontier(bench.timeline, FORMAT_PCM) == expected_frontier(&bench));
    uint64_t chunks_before = atomic_load(&station_stats(bench.station)->chunks_rendered);
    clock_advance(&bench.clock, frames_to_ns(2 * PROGRAMME_EPOCH_FRAMES + 15 * SECOND));
    assert_soon(timeline_frontier(bench.timeline, FORMAT_PCM) == expected_frontier(&bench));
    assert_true(atomic_load(&station_stats(bench.station)->chunks_rendered) < chunks_before + 300);
    uint64_t live = frames_round_down(playhead(&bench), CHUNK_FRAMES);
    struct chunk *chunk = timeline_acquire(bench.timeline, FORMAT_PCM, live);
    assert_non_null(chunk);
    chunk_release(chunk);
    bench_end(&bench);
}

// Long enough for every place of its memory to be given back and taken again.
static void another_lead_changes_nothing_that_is_heard(void **state)
{
    struct bench bench;
    struct offline *offline = begin_with_all(&bench);
    follow(&bench, offline, ALL, 0, 3 * SECOND);
    station_set_lead(bench.station, SECOND);
    bench.ahead = SECOND + STATION_RESERVE_FRAMES;
    bench.sinking = true;
    follow(&bench, offline, ALL, 0, 5 * SECOND);
    bench.sinking = false;
    follow(&bench, offline, ALL, 0, 20 * SECOND);
    station_set_lead(bench.station, LEAD);
    bench.ahead = AHEAD;
    follow(&bench, offline, ALL, 0, 24 * SECOND);
    const struct station_stats *stats = station_stats(bench.station);
    assert_int_equal(atomic_load(&stats->encode_faults), 0);
    assert_int_equal(atomic_load(&stats->late_chunks), 0);
    for (int i = 0; i < FORMAT_COUNT; i++)
        timeline_leave(bench.timeline, (enum format)i);
    offline_free(offline);
    bench_end(&bench);
}

static void chunks_that_come_late_are_counted(void **state)
{
    struct bench bench;
    bench_begin(&bench, 0, LEAD);
    assert_soon(rendered(&bench) == expected_frontier(&bench));
    clock_advance(&bench.clock, 10 * NS_PER_SECOND);
    assert_soon(rendered(&bench) == expected_frontier(&bench));
    assert_in_range(atomic_load(&station_stats(bench.station)->late_chunks), 70, 110);
    bench_end(&bench);
}

// Readers that let nothing go: what has no room is missing and counted, and the music goes on.
static void readers_that_pin_all_chunks_stop_nothing(void **state)
{
    struct bench bench;
    struct chunk *held[256];
    int count = 0;
    bench_begin(&bench, 0, LEAD);
    timeline_join(bench.timeline, FORMAT_LEGACY);
    const struct station_stats *stats = station_stats(bench.station);
    for (uint64_t frame = 0; atomic_load(&stats->encode_faults) == 0; frame += CHUNK_FRAMES) {
        assert_soon(timeline_frontier(bench.timeline, FORMAT_LEGACY) > frame || atomic_load(&stats->encode_faults) > 0);
        held[count] = timeline_acquire(bench.timeline, FORMAT_LEGACY, frame);
        count += held[count] != NULL;
        assert_true(count < 256);
        step(&bench);
    }
    uint64_t stuck = timeline_frontier(bench.timeline, FORMAT_LEGACY);
    while (count > 0)
        chunk_release(held[--count]);
    for (int i = 0; i < 20; i++)
        step(&bench);
    assert_soon(timeline_frontier(bench.timeline, FORMAT_LEGACY) > stuck + SECOND);
    bench_end(&bench);
}

// The one test in real time: it sleeps until something is due, and wakes for it.
static void it_follows_a_clock_that_runs(void **state)
{
    struct bench bench;
    bench_begin(&bench, 0, LEAD);
    station_destroy(bench.station);
    clock_init(&bench.clock, 10);
    bench.origin_ns = clock_now_ns(&bench.clock);
    struct station_config config = {.name = "test", .seed = SEED, .mood = bench.mood, .origin_ns = bench.origin_ns,
                                    .lead_frames = LEAD, .clock = &bench.clock, .backend = backend_best(),
                                    .timeline = bench.timeline, .sequencer = bench.sequencer};
    assert_int_equal(station_create(&bench.station, &config), STATUS_OK);
    timeline_join(bench.timeline, FORMAT_PCM);
    for (uint64_t second = 1; second <= 12; second++) {
        assert_soon(timeline_frontier(bench.timeline, FORMAT_PCM) >= second * SECOND);
        uint64_t now_rendered = rendered(&bench);
        assert_true(now_rendered <= expected_frontier(&bench));
    }
    bench_end(&bench);
}

// What listeners are told is what the score says, once and in order.
static void events_are_those_of_the_score(void **state)
{
    struct bench bench;
    bench_begin(&bench, 0, LEAD);
    while (playhead(&bench) < 30 * SECOND)
        step(&bench);
    uint64_t end = rendered(&bench);
    station_destroy(bench.station);
    bench.station = NULL;
    struct mood_log log;
    assert_int_equal(mood_log_init(&log, &bench.mood), STATUS_OK);
    struct program program = {.seed = SEED, .log = &log};
    struct event events[COMPOSE_MAX_EVENTS];
    struct event_record record = {0};
    int begun = 0;
    for (uint64_t from = 0; from < end; from += CHUNK_FRAMES) {
        int count = compose_events(&program, from, from + CHUNK_FRAMES, events);
        for (int i = 0; i < count; i++) {
            if (events[i].kind == EVENT_MIX || events[i].kind == EVENT_NOTE_OFF)
                continue;
            assert_true(next_event(bench.timeline, &record));
            assert_true(record.at_frame == events[i].at_frame);
            assert_int_equal(strlen(record.text), record.text_len);
            begun++;
        }
    }
    assert_true(begun > 3);
    assert_false(next_event(bench.timeline, &record));
    assert_true(timeline_event_at(bench.timeline, EVENT_RECORD_CHORD, SECOND, &record));
    assert_true(timeline_event_at(bench.timeline, EVENT_RECORD_SECTION, SECOND, &record));
    mood_log_finish(&log);
    bench_end(&bench);
}

// Audio, encoders and packets; and what it keeps to go back to.
static void one_station_takes_at_most_20_mib_and_its_snapshots_6(void **state)
{
    struct bench bench;
    bench_begin(&bench, 0, 10 * SECOND);
    size_t station = station_bytes(bench.station), timeline = timeline_bytes(bench.timeline);
    size_t snapshots = station_snapshot_bytes(bench.station);
    print_message("# station %zu bytes, of these snapshots %zu, timeline %zu, together %.1f MiB\n", station, snapshots,
                  timeline, (double)(station + timeline) / 1048576);
    assert_true(station - snapshots + timeline <= 20u << 20);
    assert_true(snapshots <= 6u << 20);
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_published_is_the_programme),
        cmocka_unit_test(it_renders_ahead_and_no_further),
        cmocka_unit_test(it_renders_ahead_for_whole_deliveries),
        cmocka_unit_test(a_format_is_made_when_it_is_asked_for),
        cmocka_unit_test(a_format_ends_when_nobody_listens),
        cmocka_unit_test(a_change_is_spliced_in),
        cmocka_unit_test(many_changes_are_spliced_in),
        cmocka_unit_test(changes_in_quick_succession_come_together),
        cmocka_unit_test(old_clients_are_led_over),
        cmocka_unit_test(events_are_told_again_from_a_change_on),
        cmocka_unit_test(a_station_begins_in_the_middle),
        cmocka_unit_test(a_station_that_fell_behind_begins_again),
        cmocka_unit_test(another_lead_changes_nothing_that_is_heard),
        cmocka_unit_test(chunks_that_come_late_are_counted),
        cmocka_unit_test(readers_that_pin_all_chunks_stop_nothing),
        cmocka_unit_test(it_follows_a_clock_that_runs),
        cmocka_unit_test(events_are_those_of_the_score),
        cmocka_unit_test(one_station_takes_at_most_20_mib_and_its_snapshots_6),
    };
    return cmocka_run_group_tests_name("station", tests, NULL, NULL);
}
