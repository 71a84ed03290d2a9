#include "tools/verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/frames.h"
#include "base/hash.h"
#include "control/control.h"
#include "station/encoding.h"

enum { WINDOW_CHUNKS = 4, LEGACY_SAMPLES = FORMAT_LEGACY_FRAMES * CHANNELS };

// The last chunks that were encoded, so that a preroll of 16 packets can be put together.
struct window {
    struct encode_output chunks[WINDOW_CHUNKS];
    int newest;
    uint8_t *joined;         // a preroll's payload
};

static bool window_init(struct window *window, size_t chunk_bytes)
{
    *window = (struct window){.joined = malloc(WINDOW_CHUNKS * chunk_bytes)};
    bool good = window->joined != NULL;
    for (int i = 0; i < WINDOW_CHUNKS; i++)
        good = (window->chunks[i].bytes = malloc(chunk_bytes)) && good;
    return good;
}

static void window_finish(struct window *window)
{
    for (int i = 0; i < WINDOW_CHUNKS; i++)
        free(window->chunks[i].bytes);
    free(window->joined);
}

// Puts the last `packets` packets together. Returns the bytes.
static size_t window_join(const struct window *window, int packets, uint16_t *packet_bytes)
{
    size_t len = 0;
    for (int i = 0; i < packets; i++) {
        int back = packets - 1 - i;
        const struct encode_output *chunk =
            &window->chunks[(window->newest + WINDOW_CHUNKS - back / CHUNK_PACKETS) % WINDOW_CHUNKS];
        int packet = CHUNK_PACKETS - 1 - back % CHUNK_PACKETS;
        size_t offset = 0;
        for (int j = 0; j < packet; j++)
            offset += chunk->packet_bytes[j];
        memcpy(window->joined + len, chunk->bytes + offset, chunk->packet_bytes[packet]);
        packet_bytes[i] = chunk->packet_bytes[packet];
        len += packet_bytes[i];
    }
    return len;
}

// Hash that a message of so many frames must have which ends with the newest chunk. False when it cannot be one.
static bool window_hash(const struct window *window, uint32_t frames, uint64_t *hash)
{
    const struct encode_output *newest = &window->chunks[window->newest];
    uint16_t packet_bytes[MESSAGE_MAX_PACKETS];
    if (newest->packet_count == 0) {
        *hash = capture_hash(newest->bytes, newest->len, NULL, 0);
        return frames == CHUNK_FRAMES;
    }
    if (frames == 0 || frames % PACKET_FRAMES != 0 || frames > MESSAGE_MAX_PACKETS * PACKET_FRAMES)
        return false;
    int packets = (int)(frames / PACKET_FRAMES);
    size_t len = window_join(window, packets, packet_bytes);
    *hash = capture_hash(window->joined, len, packet_bytes, packets);
    return true;
}

static void verify_count(struct verify_result *result, bool equal, uint64_t count, uint64_t frame, int listener)
{
    if (equal) {
        result->verified += count;
        return;
    }
    if (result->mismatches == 0) {
        result->first_frame = frame;
        result->first_listener = listener;
    }
    result->mismatches += count;
}

static int message_by_end(const void *a, const void *b)
{
    const struct capture_message *left = a, *right = b;
    return (left->end_frame > right->end_frame) - (left->end_frame < right->end_frame);
}

enum { EVERY_FORMAT = FORMAT_COUNT };

// The messages of a format, or of every one, by end frame. NULL when memory is short.
static struct capture_message *messages_sorted(const struct capture *capture, int format, size_t *count)
{
    struct capture_message *sorted = malloc((capture->message_count + 1) * sizeof *sorted);
    *count = 0;
    for (size_t i = 0; sorted && i < capture->message_cap; i++)
        if (capture->messages[i].count > 0 && (format == EVERY_FORMAT || (int)capture->messages[i].format == format))
            sorted[(*count)++] = capture->messages[i];
    if (sorted)
        qsort(sorted, *count, sizeof *sorted, message_by_end);
    return sorted;
}

static bool is_superseded(const struct mood_log *log, const struct capture_message *message)
{
    return !message->held && message->generation < control_generation(log, message->end_frame);
}

// Where a render must begin: before the first message, and before the whole of the longest preroll.
static uint64_t messages_begin(const struct capture_message *sorted)
{
    uint64_t end = frames_round_down(sorted[0].end_frame, CHUNK_FRAMES);
    return end < WINDOW_CHUNKS * CHUNK_FRAMES ? 0 : end - WINDOW_CHUNKS * CHUNK_FRAMES;
}

static enum status messages_walk(const struct capture_message *sorted, size_t count, struct encoding *encoding,
                                 struct window *window, const struct mood_log *log, struct verify_result *result)
{
    uint64_t at = encoding->first_frame;
    for (size_t i = 0; i < count;) {
        window->newest = (window->newest + 1) % WINDOW_CHUNKS;
        enum status status = encoding_next(encoding, &window->chunks[window->newest]);
        if (status != STATUS_OK)
            return status;
        at += CHUNK_FRAMES;
        for (; i < count && sorted[i].end_frame <= at; i++) {
            uint64_t hash;
            if (sorted[i].held || is_superseded(log, &sorted[i])) {
                *(sorted[i].held ? &result->held : &result->superseded) += sorted[i].count;
                continue;
            }
            bool known = sorted[i].generation == control_generation(log, sorted[i].end_frame);
            bool equal = known && sorted[i].end_frame == at &&
                         window_hash(window, sorted[i].frame_count, &hash) &&
                         hash == sorted[i].hash;
            verify_count(result, equal, sorted[i].count, sorted[i].end_frame - sorted[i].frame_count,
                         sorted[i].listener);
        }
    }
    return STATUS_OK;
}

static enum status messages_verify(const struct capture_message *sorted, size_t count, enum format format,
                                   const struct program *program, const struct backend *backend,
                                   struct verify_result *result)
{
    struct window window = {0};
    struct encoding encoding = {0};
    enum status status = STATUS_MEMORY;
    if (window_init(&window, encoders[format]->max_bytes))
        status = encoding_init(&encoding, program, backend, encoders[format], messages_begin(sorted));
    if (status == STATUS_OK)
        status = messages_walk(sorted, count, &encoding, &window, program->log, result);
    encoding_finish(&encoding);
    window_finish(&window);
    return status;
}

// Whoever got a chunk that was superseded got another one in its place, on whatever rung.
static enum status messages_find_unreplaced(const struct capture *capture, uint64_t heard_until,
                                            const struct mood_log *log, struct verify_result *result)
{
    size_t count;
    struct capture_message *sorted = messages_sorted(capture, EVERY_FORMAT, &count);
    if (!sorted)
        return STATUS_MEMORY;
    for (size_t i = 0, next; i < count && sorted[i].end_frame <= heard_until; i = next) {
        uint64_t there = 0, most = 0;
        for (next = i; next < count && sorted[next].end_frame == sorted[i].end_frame; next++) {
            uint64_t had = sorted[next].frame_count == CHUNK_FRAMES ? sorted[next].count : 0;
            if (!is_superseded(log, &sorted[next]))
                there += had;
            else if (had > most)
                most = had;
        }
        result->unreplaced += most > there ? most - there : 0;
    }
    free(sorted);
    return STATUS_OK;
}

enum status verify_messages(const struct capture *capture, uint64_t heard_until, const struct program *program,
                            const struct backend *backend, struct verify_result *result)
{
    enum status status = STATUS_OK;
    *result = (struct verify_result){0};
    for (int i = 0; i < FORMAT_COUNT && status == STATUS_OK; i++) {
        size_t count;
        struct capture_message *sorted = messages_sorted(capture, i, &count);
        if (!sorted)
            status = STATUS_MEMORY;
        else if (count > 0)
            status = messages_verify(sorted, count, (enum format)i, program, backend, result);
        free(sorted);
    }
    if (status == STATUS_OK)
        status = messages_find_unreplaced(capture, heard_until, program->log, result);
    return status;
}

static bool audio_close(const int16_t *a, const int16_t *b)
{
    for (int i = 0; i < LEGACY_SAMPLES; i++)
        if (abs(a[i] - b[i]) > 1)
            return false;
    return true;
}

// Number of the audio in the capture that is the same to within one step; -1 when there is none. Equal audio is
// preferred: silence is close to what is nearly silent.
static int audio_find(const struct capture *capture, const int16_t *samples)
{
    int close = -1;
    for (size_t i = 0; i < capture->audio_cap; i++) {
        const struct capture_audio *audio = &capture->audio[i];
        if (!audio->samples || !audio_close(audio->samples, samples))
            continue;
        if (memcmp(audio->samples, samples, LEGACY_SAMPLES * sizeof *samples) == 0)
            return audio->number;
        close = audio->number;
    }
    return close;
}

static enum status tracks_render(const struct capture *capture, struct encoding *encoding, int *numbers, size_t count)
{
    uint8_t text[FORMAT_LEGACY_BASE64_BYTES], bytes[LEGACY_SAMPLES * 2 + 8];
    int16_t samples[LEGACY_SAMPLES];
    for (size_t i = 0; i < count; i++) {
        struct encode_output output = {.bytes = text};
        enum status status = encoding_next(encoding, &output);
        if (status != STATUS_OK)
            return status;
        if (base64_decode((const char *)text, output.len, bytes) != (long)sizeof samples)
            return STATUS_DAMAGED;
        for (int s = 0; s < LEGACY_SAMPLES; s++)
            samples[s] = (int16_t)(bytes[2 * s] | bytes[2 * s + 1] << 8);
        numbers[i] = audio_find(capture, samples);
    }
    return STATUS_OK;
}

// Old clients are led over to a change when they can be, up to this long after its frame: until then they hear what it
// would have been, and then one chunk that is neither.
enum { SWITCH_FRAMES = 2 * FRAME_RATE, SWITCHING = -2 };

static void tracks_mark_changes(const struct mood_log *log, uint64_t from_frame, int *numbers, size_t count)
{
    for (size_t i = 1; i < log->count; i++) {
        if (log->entries[i].changed == 0)   // a waking
            continue;
        uint64_t at = log->entries[i].at_frame, end = at + SWITCH_FRAMES;
        uint64_t frame = frames_round_down(control_heard_from(at), CHUNK_FRAMES);
        for (; frame < end; frame += CHUNK_FRAMES)
            if (frame >= from_frame && (frame - from_frame) / CHUNK_FRAMES < count)
                numbers[(frame - from_frame) / CHUNK_FRAMES] = SWITCHING;
    }
}

// How many of a track's chunks are as they should be if it begins at chunk `at` of the render.
static size_t track_matches(const struct capture_track *track, const int *numbers, size_t count, size_t at, size_t most)
{
    size_t good = 0;
    for (size_t k = 0; k < track->count && k < most && at + k < count; k++)
        good += track->audio[k] >= 0 && numbers[at + k] == track->audio[k];
    return good;
}

// Where a track begins: the place at which most of its first chunks agree.
static size_t track_place(const struct capture_track *track, const int *numbers, size_t count)
{
    enum { LOOKED_AT = 20 };
    size_t best = 0, best_good = 0;
    for (size_t at = 0; at < count; at++) {
        size_t good = track_matches(track, numbers, count, at, LOOKED_AT);
        if (good > best_good) {
            best = at;
            best_good = good;
        }
    }
    return best;
}

static void track_verify(const struct capture_track *track, int listener, const int *numbers, size_t count,
                         struct verify_result *result)
{
    size_t at = track_place(track, numbers, count);
    for (size_t k = 0; k < track->count; k++) {
        if (track->audio[k] < 0)
            continue;
        if (at + k < count && numbers[at + k] == SWITCHING) {
            result->superseded++;
            continue;
        }
        bool equal = at + k < count && numbers[at + k] == track->audio[k];
        verify_count(result, equal, 1, track->first_sequence + k, listener);
    }
}

enum status verify_tracks(const struct capture *capture, uint64_t from_frame, uint64_t to_frame,
                          const struct program *program, const struct backend *backend, struct verify_result *result)
{
    *result = (struct verify_result){0};
    size_t count = (size_t)((to_frame - from_frame) / CHUNK_FRAMES);
    int *numbers = malloc((count + 1) * sizeof *numbers);
    struct encoding encoding = {0};
    enum status status = STATUS_MEMORY;
    if (numbers)
        status = encoding_init(&encoding, program, backend, &encoder_legacy, from_frame);
    if (status == STATUS_OK)
        status = tracks_render(capture, &encoding, numbers, count);
    if (status == STATUS_OK)
        tracks_mark_changes(program->log, from_frame, numbers, count);
    for (int i = 0; status == STATUS_OK && i < capture->track_count; i++)
        track_verify(&capture->tracks[i], i, numbers, count, result);
    encoding_finish(&encoding);
    free(numbers);
    return status;
}
