#include "client/frame_reader.h"

#include <stdlib.h>
#include <string.h>

void frame_reader_finish(struct frame_reader *reader)
{
    free(reader->pending);
    free(reader->message);
    *reader = (struct frame_reader){0};
}

static bool reader_append(uint8_t **bytes, size_t *len, size_t *cap, const uint8_t *from, size_t from_len)
{
    if (*len + from_len > *cap) {
        size_t room = *len + from_len < 2 * *cap ? 2 * *cap : *len + from_len;
        uint8_t *grown = realloc(*bytes, room);
        if (!grown)
            return false;
        *bytes = grown;
        *cap = room;
    }
    if (from_len > 0)
        memcpy(*bytes + *len, from, from_len);
    *len += from_len;
    return true;
}

static void reader_release(uint8_t **bytes, size_t *len, size_t *cap)
{
    free(*bytes);
    *bytes = NULL;
    *len = *cap = 0;
}

static enum status reader_fragment(struct frame_reader *reader, const struct websocket_head *head,
                                   const uint8_t *payload, frame_sink *sink, void *context)
{
    bool first = head->opcode != WEBSOCKET_CONTINUATION;
    if (first == (reader->opcode != 0) || reader->message_len + head->payload_bytes > FRAME_READER_MAX_MESSAGE)
        return STATUS_INVALID;
    if (first)
        reader->opcode = head->opcode;
    if (!reader_append(&reader->message, &reader->message_len, &reader->message_cap, payload, head->payload_bytes))
        return STATUS_MEMORY;
    if (!head->fin)
        return STATUS_OK;
    const uint8_t *whole = reader->message_len > 0 ? reader->message : payload;   // nothing stands anywhere
    bool go_on = sink(context, reader->opcode, whole, reader->message_len);
    reader_release(&reader->message, &reader->message_len, &reader->message_cap);
    reader->opcode = 0;
    return go_on ? STATUS_OK : STATUS_CLOSED;
}

static enum status reader_frame(struct frame_reader *reader, const struct websocket_head *head, const uint8_t *payload,
                                frame_sink *sink, void *context)
{
    bool control = head->opcode >= WEBSOCKET_CLOSE;
    bool whole = head->fin && head->opcode != WEBSOCKET_CONTINUATION;
    if (!control && !(whole && reader->opcode == 0))
        return reader_fragment(reader, head, payload, sink, context);
    return sink(context, head->opcode, payload, head->payload_bytes) ? STATUS_OK : STATUS_CLOSED;
}

// Hands on all whole frames.   used: out, the bytes that they took.
static enum status reader_take(struct frame_reader *reader, const uint8_t *bytes, size_t len, size_t *used,
                               frame_sink *sink, void *context)
{
    *used = 0;
    for (;;) {
        struct websocket_head head;
        int head_bytes = websocket_read_head(bytes + *used, len - *used, &head);
        if (head_bytes < 0)
            return STATUS_INVALID;
        if (head_bytes == 0)
            return STATUS_OK;
        if (head.masked || head.payload_bytes > FRAME_READER_MAX_MESSAGE)
            return STATUS_INVALID;
        if (len - *used - (size_t)head_bytes < head.payload_bytes)
            return STATUS_OK;
        const uint8_t *payload = bytes + *used + head_bytes;
        *used += (size_t)head_bytes + head.payload_bytes;
        enum status status = reader_frame(reader, &head, payload, sink, context);
        if (status != STATUS_OK)
            return status;
    }
}

enum status frame_reader_feed(struct frame_reader *reader, const uint8_t *bytes, size_t len, frame_sink *sink,
                              void *context)
{
    size_t used;
    if (reader->pending_len == 0) {
        enum status status = reader_take(reader, bytes, len, &used, sink, context);
        if (status != STATUS_OK || used == len)
            return status;
        bytes += used;
        len -= used;
        return reader_append(&reader->pending, &reader->pending_len, &reader->pending_cap, bytes, len) ? STATUS_OK
                                                                                                    : STATUS_MEMORY;
    }
    if (!reader_append(&reader->pending, &reader->pending_len, &reader->pending_cap, bytes, len))
        return STATUS_MEMORY;
    enum status status = reader_take(reader, reader->pending, reader->pending_len, &used, sink, context);
    if (status != STATUS_OK)
        return status;
    memmove(reader->pending, reader->pending + used, reader->pending_len - used);
    reader->pending_len -= used;
    if (reader->pending_len == 0)
        reader_release(&reader->pending, &reader->pending_len, &reader->pending_cap);
    return STATUS_OK;
}
