// Opus in three rungs: 128, 64 and 32 kb/s, packets of 20 ms.
//
// Packets depend on bounded history: at each takeover, a multiple of 10 s, the encoder is replaced by a fresh one that
// was fed the 10 packets before. So while the last two chunks before a takeover are encoded, a successor is fed them as
// well and its output is dropped.
//
// Unconstrained VBR: listeners hold seconds of audio, so no packet has to keep to a size, and the constrained mode
// would carry its reservoir of bits over any number of packets. Application, signal and channels are told, so that the
// library guesses as little as it can from its past.
#include <opus/opus.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "encode/encode.h"

enum {
    OPUS_COMPLEXITY = 5,
    OPUS_LOOKAHEAD_FRAMES = 312,           // 2.5 ms of overlap and 4 ms of delay compensation; checked at init
    OPUS_PACKET_MAX_BYTES = 640,           // twice the average, which the library itself keeps to
    OPUS_64_PACKET_MAX_BYTES = 320,
    OPUS_32_PACKET_MAX_BYTES = 160,
    OPUS_ENCODER_ROOM = 96 * 1024,         // libopus 1.3 takes half of it
    TAKEOVER_FRAMES = 10 * FRAME_RATE,
    PRIMING_FRAMES = 10 * PACKET_FRAMES,   // whole chunks
    ID_BYTES = 128,
};

// A library encoder in place. It holds a pointer to the library's tables: a copy is valid in this process only.
struct opus_room {
    _Alignas(64) unsigned char bytes[OPUS_ENCODER_ROOM];
};

struct opus_state {
    enum format format;
    int packet_max_bytes;
    uint64_t next_frame;      // the chunk that has to come, once anything was fed
    bool begun, on_air;       // on air: `running` has a past, so its packets count
    struct opus_room running, successor;
};

static OpusEncoder *encoder_in(struct opus_room *room)
{
    return (OpusEncoder *)(void *)room->bytes;
}

static enum status room_init(struct opus_room *room, enum format format)
{
    OpusEncoder *encoder = encoder_in(room);
    opus_int32 lookahead = 0;
    if (opus_encoder_init(encoder, FRAME_RATE, CHANNELS, OPUS_APPLICATION_AUDIO) != OPUS_OK)
        return STATUS_IO;
    bool good = opus_encoder_ctl(encoder, OPUS_SET_BITRATE((opus_int32)format_bitrate(format))) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_VBR(1)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_VBR_CONSTRAINT(0)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(OPUS_COMPLEXITY)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_MUSIC)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_FORCE_CHANNELS(CHANNELS)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_GET_LOOKAHEAD(&lookahead)) == OPUS_OK;
    return good && lookahead == OPUS_LOOKAHEAD_FRAMES ? STATUS_OK : STATUS_UNSUPPORTED;
}

static enum status opus_state_init(struct opus_state *opus, enum format format, int packet_max_bytes)
{
    if (opus_encoder_get_size(CHANNELS) > OPUS_ENCODER_ROOM)
        return STATUS_UNSUPPORTED;
    opus->format = format;
    opus->packet_max_bytes = packet_max_bytes;
    opus->begun = opus->on_air = false;
    return room_init(&opus->running, format);
}

static enum status opus_init(void *state)
{
    return opus_state_init(state, FORMAT_OPUS, OPUS_PACKET_MAX_BYTES);
}

static enum status opus_64_init(void *state)
{
    return opus_state_init(state, FORMAT_OPUS_64, OPUS_64_PACKET_MAX_BYTES);
}

static enum status opus_32_init(void *state)
{
    return opus_state_init(state, FORMAT_OPUS_32, OPUS_32_PACKET_MAX_BYTES);
}

static uint64_t opus_begin_frame(uint64_t first_frame)
{
    uint64_t takeover = frames_round_down(first_frame, TAKEOVER_FRAMES);
    return takeover == 0 ? 0 : takeover - PRIMING_FRAMES;
}

// Feeds one chunk. Packets go one after the other into output->bytes.
static enum status room_encode(struct opus_room *room, int packet_max_bytes, const float *pcm,
                               struct encode_output *output)
{
    output->len = 0;
    output->packet_count = CHUNK_PACKETS;
    for (int i = 0; i < CHUNK_PACKETS; i++) {
        const float *packet = pcm + i * PACKET_FRAMES * CHANNELS;
        opus_int32 bytes = opus_encode_float(encoder_in(room), packet, PACKET_FRAMES, output->bytes + output->len,
                                             packet_max_bytes);
        if (bytes <= 0)
            return STATUS_IO;
        output->packet_bytes[i] = (uint16_t)bytes;
        output->len += (size_t)bytes;
    }
    return STATUS_OK;
}

// Before a takeover: feeds the successor. Its packets are written where the real ones will overwrite them.
static enum status prime(struct opus_state *opus, const struct encode_input *input, struct encode_output *output)
{
    uint64_t left = TAKEOVER_FRAMES - input->first_frame % TAKEOVER_FRAMES;
    enum status status = STATUS_OK;
    if (left > PRIMING_FRAMES)
        return STATUS_OK;
    if (left == PRIMING_FRAMES)
        status = room_init(&opus->successor, opus->format);
    return status == STATUS_OK ? room_encode(&opus->successor, opus->packet_max_bytes, input->pcm, output) : status;
}

// Begins at frame 0 or at the priming before a takeover, and takes over where it is time to.
static void stand_at(struct opus_state *opus, uint64_t frame)
{
    check(opus->begun ? frame == opus->next_frame : frame == opus_begin_frame(frame + PRIMING_FRAMES));
    if (frame % TAKEOVER_FRAMES == 0) {
        if (frame > 0)
            opus->running = opus->successor;
        opus->on_air = true;
    }
    opus->begun = true;
    opus->next_frame = frame + CHUNK_FRAMES;
}

static enum status opus_state_encode(void *state, const struct encode_input *input, struct encode_output *output)
{
    struct opus_state *opus = state;
    stand_at(opus, input->first_frame);
    enum status status = prime(opus, input, output);
    if (status == STATUS_OK && opus->on_air)
        return room_encode(&opus->running, opus->packet_max_bytes, input->pcm, output);
    output->len = 0;
    output->packet_count = 0;
    return status;
}

// Where it stands, and the encoder that is on air as far as the library uses its room.
struct opus_snapshot {
    uint64_t next_frame;
    _Alignas(64) unsigned char running[];
};

static size_t opus_snapshot_bytes(void)
{
    return sizeof(struct opus_snapshot) + (size_t)opus_encoder_get_size(CHANNELS);
}

// Not while there is a successor as well, for 200 ms.
static bool opus_save(const void *state, void *saved)
{
    const struct opus_state *opus = state;
    struct opus_snapshot *snapshot = saved;
    uint64_t phase = opus->next_frame % TAKEOVER_FRAMES;
    if (!opus->on_air || phase == 0 || phase > TAKEOVER_FRAMES - PRIMING_FRAMES)
        return false;
    snapshot->next_frame = opus->next_frame;
    memcpy(snapshot->running, opus->running.bytes, (size_t)opus_encoder_get_size(CHANNELS));
    return true;
}

static void opus_restore(void *state, const void *saved)
{
    struct opus_state *opus = state;
    const struct opus_snapshot *snapshot = saved;
    opus->begun = opus->on_air = true;
    opus->next_frame = snapshot->next_frame;
    memcpy(opus->running.bytes, snapshot->running, (size_t)opus_encoder_get_size(CHANNELS));
}

// Written once, by whoever asks first.
static char id_texts[FORMAT_OPUS_RUNGS][ID_BYTES];
static pthread_once_t id_once = PTHREAD_ONCE_INIT;

static void write_ids(void)
{
    for (int i = 0; i < FORMAT_OPUS_RUNGS; i++)
        snprintf(id_texts[i], sizeof id_texts[i],
                 "%s audio vbr %d b/s, complexity %d, packets of %d, takeover at %d primed by %d",
                 opus_get_version_string(), (int)format_bitrate((enum format)(FORMAT_OPUS + i)), OPUS_COMPLEXITY,
                 PACKET_FRAMES, TAKEOVER_FRAMES, PRIMING_FRAMES);
}

const char *encode_opus_id(enum format format)
{
    check(format_is_opus(format));
    pthread_once(&id_once, write_ids);
    return id_texts[format - FORMAT_OPUS];
}

#define OPUS_RUNG(rung_format, rung_init, packet_max_bytes)                                              \
    {                                                                                                    \
        .format = (rung_format), .codec = MESSAGE_CODEC_OPUS, .state_bytes = sizeof(struct opus_state), \
        .max_bytes = CHUNK_PACKETS * (packet_max_bytes), .decoder_delay_frames = OPUS_LOOKAHEAD_FRAMES, \
        .begin_frame = opus_begin_frame, .init = (rung_init), .encode = opus_state_encode,              \
        .snapshot_bytes = opus_snapshot_bytes, .save = opus_save, .restore = opus_restore,              \
    }

const struct encoder encoder_opus = OPUS_RUNG(FORMAT_OPUS, opus_init, OPUS_PACKET_MAX_BYTES);
const struct encoder encoder_opus_64 = OPUS_RUNG(FORMAT_OPUS_64, opus_64_init, OPUS_64_PACKET_MAX_BYTES);
const struct encoder encoder_opus_32 = OPUS_RUNG(FORMAT_OPUS_32, opus_32_init, OPUS_32_PACKET_MAX_BYTES);
