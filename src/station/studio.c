#include "station/studio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/control.h"
#include "encode/encode.h"
#include "station/patience.h"
#include "station/programme.h"
#include "wire/message.h"
#include "wire/websocket.h"

static void studio_open(struct studio *studio, uint64_t playhead, uint64_t lead, uint64_t sleep_ns, bool asleep)
{
    uint64_t now_ns = 1000 * NS_PER_SECOND + frames_to_ns(playhead);
    clock_init_virtual(&studio->clock, now_ns, 0);
    studio->origin_ns = 1000 * NS_PER_SECOND;
    studio->mood = mood_default();
    studio->ahead = AHEAD;
    studio->sinking = false;
    studio->timeline = station_timeline_create(lead);
    struct control_config control = {.clock = &studio->clock, .origin_ns = studio->origin_ns,
                                     .guard_frames = GUARD, .apart_frames = CHUNK_FRAMES,
                                     .mood = studio->mood};
    studio->sequencer = sequencer_create(&control);
    struct station_config config = {.name = "test", .seed = SEED, .mood = studio->mood, .origin_ns = studio->origin_ns,
                                    .lead_frames = lead, .clock = &studio->clock, .backend = backend_best(),
                                    .timeline = studio->timeline, .sequencer = studio->sequencer,
                                    .sleep_ns = sleep_ns, .asleep = asleep};
    assert_int_equal(station_create(&studio->station, &config), STATUS_OK);
}

void studio_begin(struct studio *studio, uint64_t playhead, uint64_t lead)
{
    studio_open(studio, playhead, lead, 0, false);
}

void studio_begin_sleepy(struct studio *studio, uint64_t playhead, uint64_t lead, uint64_t sleep_ns)
{
    studio_open(studio, playhead, lead, sleep_ns, false);
}

void studio_begin_asleep(struct studio *studio, uint64_t playhead, uint64_t lead, uint64_t sleep_ns)
{
    studio_open(studio, playhead, lead, sleep_ns, true);
}

void studio_end(struct studio *studio)
{
    station_destroy(studio->station);
    sequencer_destroy(studio->sequencer);
    timeline_destroy(studio->timeline);
}

uint64_t studio_rendered(struct studio *studio)
{
    return atomic_load(&station_stats(studio->station)->rendered_frames);
}

uint64_t studio_playhead(const struct studio *studio)
{
    return frames_from_ns(clock_now_ns(&studio->clock) - studio->origin_ns);
}

uint64_t studio_expected_frontier(const struct studio *studio)
{
    return frames_round_up(studio_playhead(studio) + studio->ahead, CHUNK_FRAMES);
}

bool studio_at_frontier(struct studio *studio)
{
    uint64_t is = studio_rendered(studio), expected = studio_expected_frontier(studio);
    return studio->sinking ? is >= expected : is == expected;
}

void offline_step(struct offline *offline)
{
    memmove(offline->pcm[0], offline->pcm[1], 2 * sizeof offline->pcm[0]);
    programme_render(offline->programme, &offline->program, backend_best(), offline->pcm[2], CHUNK_FRAMES);
    offline->frame += CHUNK_FRAMES;
}

struct offline *offline_new(const struct mood *mood)
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

void offline_begin_at(struct offline *offline, uint64_t frame)
{
    uint64_t begin = frame < CHUNK_FRAMES ? 0 : frame - CHUNK_FRAMES;
    programme_start(offline->programme, &offline->program, programme_begin_frame(&offline->program, begin));
    uint64_t skipped = begin - programme_frame(offline->programme);
    float *dropped = malloc(skipped * CHANNELS * sizeof(float) + 1);
    if (skipped > 0)
        programme_render(offline->programme, &offline->program, backend_best(), dropped, (int)skipped);
    free(dropped);
    offline->frame = begin - 2 * CHUNK_FRAMES;
    while (offline->frame != frame)
        offline_step(offline);
}

void offline_begin(struct offline *offline)
{
    offline_begin_at(offline, 0);
}

void offline_free(struct offline *offline)
{
    for (int i = 0; i < FORMAT_COUNT; i++)
        free(offline->states[i]);
    mood_log_finish(&offline->log);
    free(offline->programme);
    free(offline);
}

size_t offline_encode(struct offline *offline, enum format format, uint8_t *bytes, uint16_t *packet_bytes)
{
    struct encode_input input = {offline->frame, offline->pcm[1], offline->pcm[0], offline->pcm[2]};
    struct encode_output output = {.bytes = bytes};
    assert_int_equal(encoders[format]->encode(offline->states[format], &input, &output), STATUS_OK);
    memcpy(packet_bytes, output.packet_bytes, sizeof output.packet_bytes);
    return output.len;
}

void studio_step(struct studio *studio)
{
    assert_soon(studio_at_frontier(studio));
    clock_advance(&studio->clock, frames_to_ns(CHUNK_FRAMES));
    assert_soon(studio_at_frontier(studio));
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

void studio_assert_chunk(struct studio *studio, struct offline *offline, enum format format, bool is_published)
{
    static uint8_t bytes[STUDIO_MAX_BYTES];
    uint16_t packet_bytes[CHUNK_PACKETS];
    size_t len = offline_encode(offline, format, bytes, packet_bytes);
    if (!is_published)
        return;
    struct chunk *chunk = timeline_acquire(studio->timeline, format, offline->frame);
    assert_non_null(chunk);
    assert_int_equal(chunk->frame_count, CHUNK_FRAMES);
    assert_int_equal(chunk->generation, control_generation(&offline->log, offline->frame + CHUNK_FRAMES));
    if (format != FORMAT_LEGACY)
        assert_v2_heads(chunk, packet_bytes, len);
    assert_int_equal(chunk->len - chunk->payload_offset, len);
    assert_memory_equal(chunk->bytes + chunk->payload_offset, bytes, len);
    chunk_release(chunk);
}

void studio_await_knowing(struct studio *studio, enum format format, uint32_t generation, uint64_t frame)
{
    assert_soon(timeline_generation(studio->timeline, format) >= generation
                && timeline_frontier(studio->timeline, format) > frame);
}

void studio_follow(struct studio *studio, struct offline *offline, unsigned formats, uint64_t from, uint64_t until)
{
    for (; offline->frame < until; offline_step(offline)) {
        while (studio_playhead(studio) < offline->frame && offline->frame > from)
            studio_step(studio);
        for (int i = 0; i < FORMAT_COUNT; i++) {
            bool compared = (formats & 1u << i) && offline->frame >= from;
            if (compared)
                studio_await_knowing(studio, (enum format)i,
                                     control_generation(&offline->log, offline->frame + CHUNK_FRAMES),
                                     offline->frame);
            studio_assert_chunk(studio, offline, (enum format)i, compared);
        }
    }
}

struct offline *studio_begin_with_all(struct studio *studio)
{
    studio_begin(studio, 0, LEAD);
    struct offline *offline = offline_new(&studio->mood);
    offline_begin(offline);
    for (int i = 0; i < FORMAT_COUNT; i++)
        timeline_join(studio->timeline, (enum format)i);
    return offline;
}

bool studio_next_event(struct timeline *timeline, struct event_record *record)
{
    uint64_t after = record->number;
    return timeline_event_after(timeline, &after, record);
}
