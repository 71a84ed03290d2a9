// WebSocket frames from a server: taken out of a byte stream that may be cut anywhere, fragments put together.
// Whole unfragmented frames are handed on from where they stand; memory is held only while something is incomplete.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "wire/websocket.h"

enum { FRAME_READER_MAX_MESSAGE = 1 << 20 };

struct frame_reader {
    uint8_t *pending;      // the beginning of a frame
    size_t pending_len, pending_cap;
    uint8_t *message;      // the fragments so far
    size_t message_len, message_cap;
    uint8_t opcode;        // of the fragmented message; 0 when there is none
};

// A whole message (text, binary) or control frame (close, ping, pong); bytes are valid during the call. False to stop.
typedef bool frame_sink(void *context, enum websocket_opcode opcode, const uint8_t *bytes, size_t len);

// An all-zero reader is ready.
void frame_reader_finish(struct frame_reader *reader);
// Errors: STATUS_INVALID (breaks RFC 6455, or longer than FRAME_READER_MAX_MESSAGE), STATUS_MEMORY, STATUS_CLOSED (the
// sink wished to stop). After an error the reader is only good for frame_reader_finish.
MUST_USE enum status frame_reader_feed(struct frame_reader *reader, const uint8_t *bytes, size_t len, frame_sink *sink,
                                       void *context);
