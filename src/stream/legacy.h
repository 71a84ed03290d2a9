// What protocols v1 and v0 share: chunks of 44.1 kHz in JSON, as late as a tier allows; `ping` and `control`.
#pragma once
#include "base/text.h"
#include "stream/listener.h"
#include "stream/steer.h"

enum {
    LEGACY_MESSAGE_BYTES = 1024,
    LEGACY_BUFFER_BYTES = 64 * 1024,   // two messages and what the kernel keeps beside them
    LEGACY_HEAD_BYTES = 384,
};

// What the two say differently.
struct legacy_words {
    // The JSON text of an audio message up to the base64 and its opening quote.
    void (*audio_head)(const struct listener *listener, struct text *head, uint64_t due_unix_ns);
    // Chunks up to `to` were passed over: the listener had fallen behind.
    void (*overrun)(struct listener *listener);
    // The next chunk is not there although the client will have played all that it holds. True when the words have
    // dealt with it by sending silence.
    bool (*dry)(struct listener *listener, uint64_t now_ns);
    // Silence stands in for what is missing, so such a listener never waits behind the playhead.
    bool fills;
};

// The first station, the legacy format, the tier; v1 and v0 accept by this and what is their own.
void legacy_accept(struct listener *listener, struct net_accept *accept, enum tier tier);
void legacy_greet(struct listener *listener, uint64_t now_ns);
// Sends chunks that are due. Returns when the next one is.
uint64_t legacy_serve(struct listener *listener, const struct legacy_words *words, uint64_t now_ns);
// Sends base64 of one chunk at the cursor and moves on.   chunk: that it stands in, NULL when `base64` stands for
// ever.
bool legacy_send(struct listener *listener, const struct legacy_words *words, struct chunk *chunk, const char *base64,
                 size_t len, uint64_t now_ns);
// Does what was sent arrive? Who has not taken it for a second keeps nothing any more that others could do without.
void legacy_look(struct listener *listener, uint64_t now_ns);
void legacy_closed(struct listener *listener);
void legacy_accepted(struct listener *listener, uint64_t first_frame, uint64_t send_ns, uint64_t now_ns);
// Moves to another tier; a higher one is filled at once.
void legacy_set_tier(struct listener *listener, enum tier tier, uint64_t now_ns);
// How much the client holds, by what it was sent and the playhead.
double legacy_depth_ms(const struct listener *listener, uint64_t now_ns);
// Chunks that the server holds ahead of this client.
int legacy_chunks_ahead(const struct listener *listener);
// current_depth_chunks .. health_status.   NULL when memory is short.
json_t *legacy_health(const struct listener *listener, uint64_t now_ns);
void legacy_pong(struct listener *listener, const json_t *message);
// Makes a wish of the message's parameters.
void legacy_control(struct listener *listener, const json_t *message);
// It has come true.
void legacy_acknowledge(struct listener *listener, const struct steering *steering);
