// Frames from one client, as bytes that come in any pieces, to whole messages: unmasked, checked by RFC 6455. Its
// memory (libwslay's) exists only while a message is incomplete.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wslay/wslay.h>

#include "wire/websocket.h"

struct receiver_events {
    // A whole text or binary message. bytes is never NULL.
    void (*message)(void *context, enum websocket_opcode opcode, const uint8_t *bytes, size_t len);
    void (*ping)(void *context, const uint8_t *bytes, size_t len);
};

struct receiver {
    const struct receiver_events *events;
    void *context;
    size_t max_message_bytes;
    wslay_event_context_ptr parser;  // NULL between messages
    const uint8_t *input;            // while feeding
    size_t input_len;
    int64_t ahead_bytes;             // fed, less what the frames seen so far take
    uint32_t frames;                 // that have begun; the owner's to reset
    bool fragmented;                 // a data message has begun and its last frame not
    bool half_code;                  // a close frame of one byte, which the library lets pass
};

enum receiver_state {
    RECEIVER_OPEN,
    RECEIVER_CLOSED,   // a close frame has come; code: the peer's, 1005 when it gave none
    RECEIVER_FAILED,   // the RFC is broken; code: what to close with
};

// events outlives the receiver.
void receiver_init(struct receiver *receiver, size_t max_message_bytes, const struct receiver_events *events,
                   void *context);
// Calls events for what is complete. Not to be fed again once it is not open.   code: out.
enum receiver_state receiver_feed(struct receiver *receiver, const uint8_t *bytes, size_t len, int *code);
void receiver_finish(struct receiver *receiver);
