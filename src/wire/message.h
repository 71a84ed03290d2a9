// The binary message of protocol v2, exact to the byte (doc/protocol.md). Little-endian.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/format.h"

enum {
    MESSAGE_VERSION = 2,
    MESSAGE_HEADER_BYTES = 20,       // without the packet lengths
    MESSAGE_MAX_PACKETS = 16,
    MESSAGE_CODEC_OPUS = 1,
    MESSAGE_CODEC_PCM = 2,
};

enum message_flag {
    MESSAGE_SPLICE = 1 << 1,         // first chunk of a new generation
    MESSAGE_PREROLL = 1 << 2,        // decode, drop the sound
    MESSAGE_DISCONTINUITY = 1 << 3,  // does not follow the chunk before
    MESSAGE_HELD = 1 << 4,           // stands in for music that did not come in time: no function of seed and log
    MESSAGE_ASIDE = 1 << 5,          // of a range or a preview that the client has asked for: apart from what is on air
};

struct message_header {
    uint8_t codec;
    uint8_t flags;
    uint8_t packet_count;            // Opus: 1..16; PCM: 0
    uint32_t generation;
    uint64_t first_frame;
    uint32_t frame_count;
    uint16_t packet_bytes[MESSAGE_MAX_PACKETS];
};

// Bytes that the header takes, lengths included.
size_t message_header_bytes(const struct message_header *header);
// Writes it; out has room for message_header_bytes. Returns them.
size_t message_write(const struct message_header *header, uint8_t *out);
// Reads and checks: version, codec, packet count, lengths adding up to the rest of the message.
//   payload, payload_len: out, what follows the header. False when malformed.
bool message_read(const uint8_t *bytes, size_t len, struct message_header *header, const uint8_t **payload,
                  size_t *payload_len);
