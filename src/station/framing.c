#include "station/framing.h"

#include <string.h>

#include "wire/message.h"
#include "wire/websocket.h"

enum { HEADER_BYTES = MESSAGE_HEADER_BYTES + 2 * CHUNK_PACKETS };

size_t framing_bytes(enum format format)
{
    const struct encoder *encoder = encoders[format];
    return encoder->max_bytes + (encoder->codec ? WEBSOCKET_MAX_HEAD_BYTES + HEADER_BYTES : 0);
}

// WebSocket head and message header, as far as the format has them. Returns their bytes.
static size_t framing_write_heads(const struct chunk *chunk, const struct encoder *encoder, size_t payload_bytes,
                                  uint8_t *out)
{
    if (encoder->codec == 0)
        return 0;
    struct message_header header = {
        .codec = encoder->codec,
        .flags = chunk->flags,
        .packet_count = chunk->packet_count,
        .generation = chunk->generation,
        .first_frame = chunk->first_frame,
        .frame_count = chunk->frame_count,
    };
    memcpy(header.packet_bytes, chunk->packet_bytes, sizeof header.packet_bytes);
    size_t message_bytes = message_header_bytes(&header) + payload_bytes;
    size_t head_bytes = websocket_write_head(out, WEBSOCKET_BINARY, message_bytes);
    return head_bytes + message_write(&header, out + head_bytes);
}

void framing_fill(struct chunk *chunk, const struct encoder *encoder, const struct encode_output *output)
{
    chunk->format = (uint8_t)encoder->format;
    chunk->packet_count = output->packet_count;
    for (int i = 0; i < output->packet_count; i++)
        chunk->packet_bytes[i] = output->packet_bytes[i];
    chunk->payload_offset = (uint32_t)framing_write_heads(chunk, encoder, output->len, chunk->bytes);
    memcpy(chunk->bytes + chunk->payload_offset, output->bytes, output->len);
    chunk->len = chunk->payload_offset + (uint32_t)output->len;
}
