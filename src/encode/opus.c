// Opus, 128 kb/s, packets of 20 ms.
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
    OPUS_BITRATE = 128000,
    OPUS_COMPLEXITY = 5,
    OPUS_LOOKAHEAD_FRAMES = 312,           // 2.5 ms of overlap and 4 ms of delay compensation; checked at init
    OPUS_PACKET_MAX_BYTES = 1275,          // the library's largest
    OPUS_MAX_BYTES = CHUNK_PACKETS * OPUS_PACKET_MAX_BYTES,
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
    uint64_t next_frame;      // the chunk that has to come, once anything was fed
    bool begun, on_air;       // on air: `running` has a past, so its packets count
    struct opus_room running, successor;
};

static OpusEncoder *encoder_in(struct opus_room *room)
{
    return (OpusEncoder *)(void *)room->bytes;
}

static enum status room_init(struct opus_room *room)
{
    OpusEncoder *encoder = encoder_in(room);
    opus_int32 lookahead = 0;
    if (opus_encoder_init(encoder, FRAME_RATE, CHANNELS, OPUS_APPLICATION_AUDIO) != OPUS_OK)
        return STATUS_IO;
    bool good = opus_encoder_ctl(encoder, OPUS_SET_BITRATE(OPUS_BITRATE)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_VBR(1)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_VBR_CONSTRAINT(0)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(OPUS_COMPLEXITY)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_MUSIC)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_FORCE_CHANNELS(CHANNELS)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_GET_LOOKAHEAD(&lookahead)) == OPUS_OK;
    return good && lookahead == OPUS_LOOKAHEAD_FRAMES ? STATUS_OK : STATUS_UNSUPPORTED;
}

static enum status opus_state_init(void *state)
{
    struct opus_state *opus = state;
    if (opus_encoder_get_size(CHANNELS) > OPUS_ENCODER_ROOM)
        return STATUS_UNSUPPORTED;
    opus->begun = opus->on_air = false;
    return room_init(&opus->running);
}

static uint64_t opus_begin_frame(uint64_t first_frame)
{
    uint64_t takeover = frames_round_down(first_frame, TAKEOVER_FRAMES);
    return takeover == 0 ? 0 : takeover - PRIMING_FRAMES;
}

// Feeds one chunk. Packets go one after the other into output->bytes.
static enum status room_encode(struct opus_room *room, const float *pcm, struct encode_output *output)
{
    output->len = 0;
    output->packet_count = CHUNK_PACKETS;
    for (int i = 0; i < CHUNK_PACKETS; i++) {
        const float *packet = pcm + i * PACKET_FRAMES * CHANNELS;
        opus_int32 bytes = opus_encode_float(encoder_in(room), packet, PACKET_FRAMES, output->bytes + output->len,
                                             OPUS_PACKET_MAX_BYTES);
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
        status = room_init(&opus->successor);
    return status == STATUS_OK ? room_encode(&opus->successor, input->pcm, output) : status;
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
        return room_encode(&opus->running, input->pcm, output);
    output->len = 0;
    output->packet_count = 0;
    return status;
}

// Written once, by whoever asks first.
static char id_text[ID_BYTES];
static pthread_once_t id_once = PTHREAD_ONCE_INIT;

static void write_id(void)
{
    snprintf(id_text, sizeof id_text, "%s audio vbr %d b/s, complexity %d, packets of %d, takeover at %d primed by %d",
             opus_get_version_string(), OPUS_BITRATE, OPUS_COMPLEXITY, PACKET_FRAMES, TAKEOVER_FRAMES, PRIMING_FRAMES);
}

const char *encode_opus_id(void)
{
    pthread_once(&id_once, write_id);
    return id_text;
}

const struct encoder encoder_opus = {
    .format = FORMAT_OPUS,
    .codec = MESSAGE_CODEC_OPUS,
    .state_bytes = sizeof(struct opus_state),
    .max_bytes = OPUS_MAX_BYTES,
    .bitrate = OPUS_BITRATE,
    .decoder_delay_frames = OPUS_LOOKAHEAD_FRAMES,
    .begin_frame = opus_begin_frame,
    .init = opus_state_init,
    .encode = opus_state_encode,
};
