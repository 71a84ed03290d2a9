// One listener: its socket from connect to close. Within src/client/ only.
#pragma once
#include "client/crowd.h"

enum listener_state {
    LISTENER_IDLE, LISTENER_CONNECTING, LISTENER_HANDSHAKE, LISTENER_GREETING, LISTENER_OPEN, LISTENER_ENDED
};

struct listener {
    struct crowd *crowd;
    uv_poll_t poll;
    int fd, index;
    enum listener_state state;
    bool greeted;                // was open once
    int64_t arrival_ns;          // of what is being read
    char *answer;                // the HTTP answer so far; NULL after the handshake
    size_t answer_len;
    struct frame_reader reader;
    struct tally tally;
    struct decoder *decoder;     // NULL: this listener does not decode
    uint64_t lead_frames, phase_frames;  // v2
    uint64_t burst_chunks;               // v0, v1
};

// Begins to connect. Failures are counted and reported, never returned.
void listener_start(struct listener *listener, struct crowd *crowd, int index);
// The server has greeted it.
void listener_greeted(struct listener *listener);
// Counts as failed or lost, keeps the reason, closes.
__attribute__((format(printf, 2, 3))) void listener_fail(struct listener *listener, const char *format, ...);
// Says goodbye where it can, closes the socket. Harmless when it is closed.
void listener_end(struct listener *listener);
void listener_send_text(struct listener *listener, const char *text, size_t len);
// A chunk of audio or a preroll: decodes, counts, hands it on.
void listener_chunk(struct listener *listener, struct client_chunk *chunk);
