#include "tools/capture.h"

#include <stdlib.h>
#include <string.h>

#include "base/frames.h"
#include "base/hash.h"
#include "wire/message.h"

// A listener of old clients is followed for as many chunks, some nineteen days: a sequence that leaps beyond is
// refused.
enum { FIRST_CAP = 1024, TRACK_MOST_CHUNKS = 1 << 24 };

enum status capture_init(struct capture *capture, int listeners, bool legacy)
{
    *capture = (struct capture){.message_cap = FIRST_CAP, .audio_cap = FIRST_CAP,
                                .track_count = legacy ? listeners : 0};
    capture->messages = calloc(FIRST_CAP, sizeof *capture->messages);
    capture->audio = calloc(FIRST_CAP, sizeof *capture->audio);
    if (legacy)
        capture->tracks = calloc((size_t)listeners, sizeof *capture->tracks);
    if (capture->messages && capture->audio && (!legacy || capture->tracks))
        return STATUS_OK;
    capture_finish(capture);
    return STATUS_MEMORY;
}

void capture_finish(struct capture *capture)
{
    for (size_t i = 0; capture->audio && i < capture->audio_cap; i++)
        free((void *)capture->audio[i].samples);
    for (int i = 0; capture->tracks && i < capture->track_count; i++)
        free(capture->tracks[i].audio);
    for (int i = 0; i < CAPTURE_RECENT; i++)
        free(capture->recent[i].payload);
    free(capture->messages);
    free(capture->audio);
    free(capture->tracks);
    *capture = (struct capture){0};
}

uint64_t capture_hash(const uint8_t *payload, size_t len, const uint16_t *packet_bytes, int packet_count)
{
    uint64_t words[2 + MESSAGE_MAX_PACKETS] = {hash_bytes(payload, len), (uint64_t)packet_count};
    for (int i = 0; i < packet_count; i++)
        words[2 + i] = packet_bytes[i];
    return hash_bytes(words, sizeof words);
}

// The cell of a message, or the empty one where it belongs.
static struct capture_message *message_cell(struct capture_message *cells, size_t cap,
                                            const struct capture_message *message)
{
    size_t at = (size_t)(message->hash ^ message->end_frame) & (cap - 1);
    while (cells[at].count > 0 && (cells[at].hash != message->hash || cells[at].end_frame != message->end_frame ||
                                   cells[at].format != message->format || cells[at].generation != message->generation))
        at = (at + 1) & (cap - 1);
    return &cells[at];
}

static bool message_grow(struct capture *capture)
{
    if (capture->message_count * 2 < capture->message_cap)
        return true;
    size_t cap = capture->message_cap * 2;
    struct capture_message *cells = calloc(cap, sizeof *cells);
    if (!cells)
        return false;
    for (size_t i = 0; i < capture->message_cap; i++) {
        const struct capture_message *old = &capture->messages[i];
        if (old->count > 0)
            *message_cell(cells, cap, old) = *old;
    }
    free(capture->messages);
    capture->messages = cells;
    capture->message_cap = cap;
    return true;
}

static bool recent_equal(const struct capture_recent *recent, const struct client_chunk *chunk)
{
    if (!recent->payload || recent->len != chunk->payload_bytes || recent->packet_count != chunk->packet_count)
        return false;
    for (int i = 0; i < chunk->packet_count; i++)
        if (recent->packet_bytes[i] != chunk->packet_bytes[i])
            return false;
    return memcmp(recent->payload, chunk->payload, recent->len) == 0;
}

// Without memory nothing is kept, and the next one is hashed again.
static void recent_keep(struct capture_recent *recent, const struct client_chunk *chunk)
{
    if (chunk->payload_bytes > recent->cap) {
        free(recent->payload);
        recent->payload = malloc(chunk->payload_bytes);
        recent->cap = recent->payload ? chunk->payload_bytes : 0;
    }
    if (!recent->payload)
        return;
    recent->len = chunk->payload_bytes;
    recent->packet_count = chunk->packet_count;
    for (int i = 0; i < chunk->packet_count; i++)
        recent->packet_bytes[i] = chunk->packet_bytes[i];
    memcpy(recent->payload, chunk->payload, recent->len);
}

static uint64_t capture_hash_chunk(struct capture *capture, const struct client_chunk *chunk)
{
    uint64_t end_frame = chunk->first_frame + chunk->frame_count;
    struct capture_recent *recent = &capture->recent[end_frame / PACKET_FRAMES % CAPTURE_RECENT];
    if (!recent_equal(recent, chunk)) {
        recent->hash = capture_hash(chunk->payload, chunk->payload_bytes, chunk->packet_bytes, chunk->packet_count);
        recent_keep(recent, chunk);
    }
    return recent->hash;
}

static enum status capture_add_message(struct capture *capture, const struct client_chunk *chunk)
{
    if (!message_grow(capture))
        return STATUS_MEMORY;
    struct capture_message message = {
        .end_frame = chunk->first_frame + chunk->frame_count, .frame_count = chunk->frame_count,
        .format = chunk->format, .generation = chunk->generation, .held = chunk->flags & MESSAGE_HELD,
        .listener = chunk->listener,
        .hash = capture_hash_chunk(capture, chunk),
    };
    struct capture_message *cell = message_cell(capture->messages, capture->message_cap, &message);
    if (cell->count == 0) {
        *cell = message;
        capture->message_count++;
    }
    cell->count++;
    return STATUS_OK;
}

static struct capture_audio *audio_cell(struct capture_audio *cells, size_t cap, uint64_t hash)
{
    size_t at = (size_t)hash & (cap - 1);
    while (cells[at].samples && cells[at].hash != hash)
        at = (at + 1) & (cap - 1);
    return &cells[at];
}

static bool audio_grow(struct capture *capture)
{
    if (capture->audio_count * 2 < capture->audio_cap)
        return true;
    size_t cap = capture->audio_cap * 2;
    struct capture_audio *cells = calloc(cap, sizeof *cells);
    if (!cells)
        return false;
    for (size_t i = 0; i < capture->audio_cap; i++)
        if (capture->audio[i].samples)
            *audio_cell(cells, cap, capture->audio[i].hash) = capture->audio[i];
    free(capture->audio);
    capture->audio = cells;
    capture->audio_cap = cap;
    return true;
}

// The number of a piece of audio, a new one if it has not come before. -1 when memory is short.
static int audio_number(struct capture *capture, const uint8_t *bytes, size_t len)
{
    if (!audio_grow(capture))
        return -1;
    uint64_t hash = hash_bytes(bytes, len);
    struct capture_audio *cell = audio_cell(capture->audio, capture->audio_cap, hash);
    if (cell->samples)
        return cell->number;
    int16_t *samples = malloc(len);
    if (!samples)
        return -1;
    for (size_t i = 0; i < len / 2; i++)
        samples[i] = (int16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8);
    *cell = (struct capture_audio){.hash = hash, .samples = samples, .number = (int)capture->audio_count++};
    return cell->number;
}

static bool track_reach(struct capture_track *track, size_t index)
{
    if (index >= track->cap) {
        size_t cap = index < track->cap * 2 ? track->cap * 2 : index + 64;
        int *grown = realloc(track->audio, cap * sizeof *grown);
        if (!grown)
            return false;
        track->audio = grown;
        track->cap = cap;
    }
    while (track->count <= index)
        track->audio[track->count++] = -1;
    return true;
}

static enum status capture_add_audio(struct capture *capture, const struct client_chunk *chunk)
{
    struct capture_track *track = &capture->tracks[chunk->listener];
    if (track->count == 0) {
        track->first_sequence = chunk->first_frame;
        track->first_due_ms = chunk->due_unix_ms;
    }
    track->last_due_ms = chunk->due_unix_ms;
    size_t index = (size_t)(chunk->first_frame - track->first_sequence);
    int number = audio_number(capture, chunk->payload, chunk->payload_bytes);
    if (number < 0 || index >= TRACK_MOST_CHUNKS || !track_reach(track, index))
        return STATUS_MEMORY;
    track->audio[index] = number;
    return STATUS_OK;
}

enum status capture_add(struct capture *capture, const struct client_chunk *chunk)
{
    return capture->tracks ? capture_add_audio(capture, chunk) : capture_add_message(capture, chunk);
}
