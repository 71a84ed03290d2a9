#include "stream/preroll.h"

#include <string.h>

#include "base/check.h"

// Put together backwards, chunk before chunk.
struct preroll {
    struct message_header header;
    struct iovec parts[PREROLL_CHUNKS];
    int first_part;
    size_t payload_bytes;
};

// Puts the last packets of a chunk in front.
static void preroll_prepend(struct preroll *preroll, const struct chunk *chunk)
{
    struct message_header *header = &preroll->header;
    int have = header->packet_count, take = chunk->packet_count;
    if (take > MESSAGE_MAX_PACKETS - have)
        take = MESSAGE_MAX_PACKETS - have;
    size_t bytes = 0;
    memmove(header->packet_bytes + take, header->packet_bytes, (size_t)have * sizeof *header->packet_bytes);
    for (int i = 0; i < take; i++)
        bytes += header->packet_bytes[i] = chunk->packet_bytes[chunk->packet_count - take + i];
    header->packet_count = (uint8_t)(have + take);
    header->first_frame = chunk->first_frame + (uint64_t)(chunk->packet_count - take) * PACKET_FRAMES;
    header->frame_count += (uint32_t)take * PACKET_FRAMES;
    header->flags |= chunk->flags & MESSAGE_HELD;
    if (chunk->generation > header->generation)
        header->generation = chunk->generation;
    preroll->payload_bytes += bytes;
    preroll->parts[--preroll->first_part] =
        (struct iovec){.iov_base = (void *)(uintptr_t)(chunk->bytes + chunk->len - bytes), .iov_len = bytes};
}

static void preroll_emit(const struct preroll *preroll, struct batch *batch, uint8_t *head)
{
    size_t message = message_header_bytes(&preroll->header) + preroll->payload_bytes;
    size_t head_bytes = websocket_write_head(head, WEBSOCKET_BINARY, message);
    head_bytes += message_write(&preroll->header, head + head_bytes);
    batch_own(batch, head, head_bytes);
    for (int i = preroll->first_part; i < PREROLL_CHUNKS; i++)
        batch_shared(batch, preroll->parts[i].iov_base, preroll->parts[i].iov_len);
}

void preroll_add(struct batch *batch, uint8_t *head, uint64_t frame)
{
    const struct listener *listener = batch->listener;
    struct preroll preroll = {.header = {.codec = MESSAGE_CODEC_OPUS, .flags = MESSAGE_PREROLL},
                              .first_part = PREROLL_CHUNKS};
    check(batch->slice_count == 0);
    while (preroll.first_part > 0 && frame >= CHUNK_FRAMES) {
        frame -= CHUNK_FRAMES;
        struct chunk *chunk = listener_chunk(listener, listener->format, frame);
        if (!chunk)
            break;
        batch_chunk(batch, chunk, 0);
        preroll_prepend(&preroll, chunk);
    }
    if (preroll.header.packet_count > 0)
        preroll_emit(&preroll, batch, head);
}
