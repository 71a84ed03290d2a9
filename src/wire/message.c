#include "wire/message.h"

#include "base/frames.h"

enum { PCM_FRAME_BYTES = CHANNELS * 2 };

static uint8_t *put_le(uint8_t *out, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *out++ = (uint8_t)(value >> (8 * i));
    return out;
}

static uint64_t get_le(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

size_t message_header_bytes(const struct message_header *header)
{
    return MESSAGE_HEADER_BYTES + 2 * (size_t)header->packet_count;
}

size_t message_write(const struct message_header *header, uint8_t *out)
{
    uint8_t *at = out;
    *at++ = MESSAGE_VERSION;
    *at++ = header->codec;
    *at++ = header->flags;
    *at++ = header->packet_count;
    at = put_le(at, header->generation, 4);
    at = put_le(at, header->first_frame, 8);
    at = put_le(at, header->frame_count, 4);
    for (int i = 0; i < header->packet_count; i++)
        at = put_le(at, header->packet_bytes[i], 2);
    return (size_t)(at - out);
}

// The bytes that the payload must have, 0 when the header contradicts itself.
static size_t payload_bytes(const struct message_header *header)
{
    if (header->codec == MESSAGE_CODEC_PCM)
        return header->packet_count == 0 ? (size_t)header->frame_count * PCM_FRAME_BYTES : 0;
    if (header->frame_count != (uint32_t)header->packet_count * PACKET_FRAMES)
        return 0;
    size_t sum = 0;
    for (int i = 0; i < header->packet_count; i++)
        sum += header->packet_bytes[i];
    return sum;
}

static void read_fixed(const uint8_t *bytes, struct message_header *header)
{
    *header = (struct message_header){
        .codec = bytes[1],
        .flags = bytes[2],
        .packet_count = bytes[3],
        .generation = (uint32_t)get_le(bytes + 4, 4),
        .first_frame = get_le(bytes + 8, 8),
        .frame_count = (uint32_t)get_le(bytes + 16, 4),
    };
}

bool message_read(const uint8_t *bytes, size_t len, struct message_header *header, const uint8_t **payload,
                  size_t *payload_len)
{
    if (len < MESSAGE_HEADER_BYTES || bytes[0] != MESSAGE_VERSION)
        return false;
    read_fixed(bytes, header);
    if (header->codec != MESSAGE_CODEC_OPUS && header->codec != MESSAGE_CODEC_PCM)
        return false;
    if (header->packet_count > MESSAGE_MAX_PACKETS || len < message_header_bytes(header))
        return false;
    for (int i = 0; i < header->packet_count; i++)
        header->packet_bytes[i] = (uint16_t)get_le(bytes + MESSAGE_HEADER_BYTES + 2 * i, 2);
    size_t head = message_header_bytes(header);
    if (payload_bytes(header) == 0 || payload_bytes(header) != len - head)
        return false;
    *payload = bytes + head;
    *payload_len = len - head;
    return true;
}
