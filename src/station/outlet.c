#include "station/outlet.h"

#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "station/framing.h"

#define CLOSE_AFTER_NS (2 * NS_PER_SECOND)

enum { STATE_ALIGNMENT = 64 };

// A snapshot is taken when the last one is so old. To encode two seconds again takes some ten milliseconds.
enum { OUTLET_SNAPSHOT_FRAMES = 2 * FRAME_RATE };

static const float silence[CHUNK_FRAMES * CHANNELS];

static size_t state_bytes(const struct encoder *encoder)
{
    return (encoder->state_bytes / STATE_ALIGNMENT + 1) * STATE_ALIGNMENT;
}

// What a snapshot holds, and behind it the encoder's.
struct encoder_past {
    uint64_t held_until;
    _Alignas(64) unsigned char encoder[];
};

static enum status outlet_init_snapshots(struct outlet *outlet)
{
    if (!outlet->encoder->save)
        return STATUS_OK;
    size_t bytes = sizeof(struct encoder_past) + outlet->encoder->snapshot_bytes();
    return snapshots_init(&outlet->snapshots, (int)(outlet->ahead_frames / OUTLET_SNAPSHOT_FRAMES) + 3,
                          frames_round_up(bytes, STATE_ALIGNMENT));
}

enum status outlet_init(struct outlet *outlet, const struct encoder *encoder, uint64_t ahead_frames)
{
    *outlet = (struct outlet){.encoder = encoder, .ahead_frames = ahead_frames};
    outlet->state = aligned_alloc(STATE_ALIGNMENT, state_bytes(encoder));
    outlet->scratch = malloc(encoder->max_bytes);
    if (!outlet->state || !outlet->scratch)
        return STATUS_MEMORY;
    memset(outlet->state, 0, state_bytes(encoder));
    memset(outlet->scratch, 0, encoder->max_bytes);
    enum status status = outlet_init_snapshots(outlet);
    return status == STATUS_OK ? encoder->init(outlet->state) : status;
}

void outlet_finish(struct outlet *outlet)
{
    snapshots_finish(&outlet->snapshots);
    free(outlet->state);
    free(outlet->scratch);
}

uint64_t outlet_publish_frame(uint64_t playhead)
{
    return playhead < OUTLET_BEHIND_FRAMES ? 0 : frames_round_down(playhead - OUTLET_BEHIND_FRAMES, CHUNK_FRAMES);
}

// The encoder's beginning, and the chunk before it.
static uint64_t needed_from(const struct encoder *encoder, uint64_t publish_from)
{
    uint64_t begin = encoder->begin_frame(publish_from);
    return begin < CHUNK_FRAMES ? 0 : begin - CHUNK_FRAMES;
}

uint64_t outlet_history_frame(uint64_t playhead)
{
    uint64_t first = UINT64_MAX;
    for (int i = 0; i < FORMAT_COUNT; i++) {
        uint64_t needed = needed_from(encoders[i], outlet_publish_frame(playhead));
        first = needed < first ? needed : first;
    }
    return first;
}

// Opens at the first chunk from the wanted one on for which the audio is still there.
static enum status outlet_open(struct outlet *outlet, const struct outlet_source *source, uint64_t playhead)
{
    uint64_t from = outlet_publish_frame(playhead);
    while (needed_from(outlet->encoder, from) < source->audio->first)
        from += CHUNK_FRAMES;
    outlet->publish_from = from;
    outlet->held_until = 0;
    snapshots_forget_all(&outlet->snapshots);
    outlet->next_frame = outlet->encoder->begin_frame(from);
    enum status status = outlet->encoder->init(outlet->state);
    outlet->open = status == STATUS_OK;
    return status;
}

void outlet_close(struct outlet *outlet, const struct outlet_source *source)
{
    outlet->open = false;
    timeline_clear(source->timeline, outlet->encoder->format);
}

static bool audio_is_gone(const struct outlet *outlet, const struct outlet_source *source)
{
    uint64_t needed = outlet->next_frame < CHUNK_FRAMES ? 0 : outlet->next_frame - CHUNK_FRAMES;
    return needed < source->audio->first;
}

enum status outlet_follow(struct outlet *outlet, const struct outlet_source *source, uint64_t playhead,
                          uint64_t now_ns)
{
    if (timeline_readers(source->timeline, outlet->encoder->format) > 0) {
        outlet->read_at_ns = now_ns;
        if (!outlet->open || audio_is_gone(outlet, source))
            return outlet_open(outlet, source, playhead);
    } else if (outlet->open && now_ns - outlet->read_at_ns >= CLOSE_AFTER_NS) {
        outlet_close(outlet, source);
    }
    return STATUS_OK;
}

bool outlet_ready(const struct outlet *outlet, const struct outlet_source *source, uint64_t playhead)
{
    uint64_t needed = outlet->next_frame + (outlet->encoder->looks_ahead ? 2 : 1) * CHUNK_FRAMES;
    return outlet->open && needed <= source->audio->end && outlet->next_frame < playhead + outlet->ahead_frames;
}

// Back to a snapshot, or to where the encoder's history begins; where the audio for that is gone it has to be opened
// again. One that has no past has nothing to begin anew.
static void outlet_stand_before(struct outlet *outlet, const struct audio *audio, uint64_t chunk_frame)
{
    uint64_t at;
    if (snapshots_latest(&outlet->snapshots, &at)) {
        const struct encoder_past *past = snapshots_cell(&outlet->snapshots, 0);
        outlet->next_frame = at;
        outlet->held_until = past->held_until;
        outlet->encoder->restore(outlet->state, past->encoder);
        return;
    }
    outlet->next_frame = outlet->encoder->begin_frame(chunk_frame);
    outlet->held_until = 0;
    bool there = needed_from(outlet->encoder, chunk_frame) >= audio->first;
    outlet->open = there && (!outlet->encoder->save || outlet->encoder->init(outlet->state) == STATUS_OK);
}

bool outlet_rewind(struct outlet *outlet, const struct outlet_source *source, uint64_t chunk_frame)
{
    // An encoder that looks ahead has seen some of it in the chunk before.
    uint64_t from = outlet->encoder->looks_ahead && chunk_frame > 0 ? chunk_frame - CHUNK_FRAMES : chunk_frame;
    snapshots_forget_after(&outlet->snapshots, from);
    if (!outlet->open || outlet->next_frame <= from)
        return false;
    if (outlet->publish_from < from)
        outlet->publish_from = from;
    outlet_stand_before(outlet, source->audio, from);
    return outlet->open;
}

static void outlet_take_snapshot(struct outlet *outlet)
{
    uint64_t last;
    if (!outlet->encoder->save ||
        (snapshots_latest(&outlet->snapshots, &last) && outlet->next_frame < last + OUTLET_SNAPSHOT_FRAMES))
        return;
    snapshots_add(&outlet->snapshots, outlet->next_frame, 1);
    struct encoder_past *past = snapshots_cell(&outlet->snapshots, 0);
    past->held_until = outlet->held_until;
    if (!outlet->encoder->save(outlet->state, past->encoder))
        snapshots_forget(&outlet->snapshots);
}

static struct encode_input input_at(struct outlet *outlet, const struct audio *audio)
{
    uint64_t frame = outlet->next_frame;
    return (struct encode_input){
        .first_frame = frame,
        .pcm = audio_chunk(audio, frame),
        .before = frame > 0 ? audio_chunk(audio, frame - CHUNK_FRAMES) : silence,
        .after = outlet->encoder->looks_ahead ? audio_chunk(audio, frame + CHUNK_FRAMES) : NULL,
    };
}

// A chunk says so when anything that its encoder's state may go back to stood in for music.
static uint8_t flags_at(const struct outlet *outlet, uint64_t frame)
{
    return outlet->held_until > outlet->encoder->begin_frame(frame) ? MESSAGE_HELD : 0;
}

static enum status publish(const struct outlet *outlet, const struct outlet_source *source, uint64_t frame,
                           const struct encode_output *output)
{
    struct chunk *chunk = timeline_chunk(source->timeline, outlet->encoder->format);
    if (!chunk)
        return STATUS_FULL;
    chunk->first_frame = frame;
    chunk->frame_count = CHUNK_FRAMES;
    chunk->flags = flags_at(outlet, frame);
    chunk->generation = control_generation(source->log, frame + CHUNK_FRAMES);
    framing_fill(chunk, outlet->encoder, output);
    timeline_publish(source->timeline, chunk, (uint32_t)mood_log_latest(source->log)->sequence);
    return STATUS_OK;
}

enum status outlet_encode(struct outlet *outlet, const struct outlet_source *source, bool *published)
{
    uint64_t frame = outlet->next_frame;
    struct encode_input input = input_at(outlet, source->audio);
    struct encode_output output = {.bytes = outlet->scratch};
    *published = false;
    if (audio_held(source->audio, frame))
        outlet->held_until = frame + CHUNK_FRAMES;
    outlet->next_frame += CHUNK_FRAMES;
    enum status status = outlet->encoder->encode(outlet->state, &input, &output);
    if (status == STATUS_OK)
        outlet_take_snapshot(outlet);
    if (status != STATUS_OK || output.len == 0 || frame < outlet->publish_from)
        return status;
    status = publish(outlet, source, frame, &output);
    *published = status == STATUS_OK;
    return status;
}

size_t outlet_bytes(const struct outlet *outlet)
{
    const struct encoder *encoder = outlet->encoder;
    return sizeof *outlet + state_bytes(encoder) + encoder->max_bytes + snapshots_bytes(&outlet->snapshots);
}
