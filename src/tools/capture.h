// What listeners received, kept so that it can be compared with a render afterwards. Messages that are equal are
// counted, not kept again: all listeners of a format should get the same, so memory does not grow with their number.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/client.h"
#include "wire/message.h"

// v2: one kind of message that came at one place of the programme.
struct capture_message {
    uint64_t end_frame;          // first frame after it
    uint32_t frame_count;
    enum format format;          // which rung of Opus it is said to be
    uint32_t generation;         // the last change that it is said to have anything of
    uint64_t hash;               // of payload and packet lengths
    uint64_t count;              // how often it came; 0: an empty cell of the table
    bool held;                   // it says itself that it is no function of seed and log
    int listener;                // who got it first
};

// v0, v1: one kind of audio, 4,410 frames.
struct capture_audio {
    uint64_t hash;
    const int16_t *samples;      // NULL: an empty cell of the table
    int number;                  // in order of arrival
};

// v0, v1: what one listener got, by sequence number from its first on: numbers of audio, -1 where nothing came.
struct capture_track {
    uint64_t first_sequence;
    double first_due_ms, last_due_ms;   // unix
    int *audio;
    size_t count, cap;
};

// A message that has come lately, whole: most that follow are equal to it, and comparing is quicker than hashing.
struct capture_recent {
    uint8_t *payload;            // NULL: an empty place
    size_t len, cap;
    int packet_count;
    uint16_t packet_bytes[MESSAGE_MAX_PACKETS];
    uint64_t hash;
};

enum { CAPTURE_RECENT = 256 };   // by the packet in which they end

struct capture {
    struct capture_recent recent[CAPTURE_RECENT];
    struct capture_message *messages;   // open addressing; message_cap is a power of two
    size_t message_count, message_cap;
    struct capture_audio *audio;        // likewise
    size_t audio_count, audio_cap;
    struct capture_track *tracks;       // one a listener; NULL for v2
    int track_count;
};

// legacy: v0 or v1.   Errors: STATUS_MEMORY.
MUST_USE enum status capture_init(struct capture *capture, int listeners, bool legacy);
void capture_finish(struct capture *capture);
// Keeps what a listener got.   Errors: STATUS_MEMORY.
MUST_USE enum status capture_add(struct capture *capture, const struct client_chunk *chunk);
// Hash of a v2 message.   packet_count: 0 for PCM.
uint64_t capture_hash(const uint8_t *payload, size_t len, const uint16_t *packet_bytes, int packet_count);
