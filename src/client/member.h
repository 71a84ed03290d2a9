// One listener of a crowd: its socket from connect to close. Within src/client/ only.
#pragma once
#include "client/channel.h"
#include "client/crowd.h"
#include "wire/lead.h"

enum member_state {
    MEMBER_IDLE, MEMBER_CONNECTING, MEMBER_SECURING, MEMBER_HANDSHAKE, MEMBER_GREETING, MEMBER_OPEN, MEMBER_AWAY,
    MEMBER_ENDED
};

struct member {
    struct crowd *crowd;
    uv_poll_t poll;
    int index;
    struct channel channel;
    enum member_state state;
    bool greeted;                // was open once
    int64_t arrival_ns;          // of what is being read, or was read last
    int64_t retry_ns;            // away: when it tries again; trying again: when it gives that up
    char *answer;                // the HTTP answer so far; NULL after the handshake
    size_t answer_len;
    struct frame_reader reader;
    struct tally tally;
    struct decoder *decoder;     // NULL: this listener does not decode
    struct lead lead;            // v2
    uint64_t first_lead_frames;          // v2: that of hello
    uint64_t delivery_frames, phase_frames;  // v2
    enum format format;                  // what comes
    uint64_t plays_from;                 // v2: it has had time to begin by then
    bool skipped;                        // v2: what comes next does not follow what came last
    uint64_t splice_frame;               // v2: from here on all is of splice_generation at least
    uint32_t splice_generation;
    char session[20];                    // v2: of the last connection
    uint64_t held_until;                 // v2: the end of the last chunk that came
    uint32_t held_generation;
    int64_t asked_ns;                    // v2: when the change was asked for that is to be heard next; 0: nobody waits
    int64_t change_ns;                   // when it asks for another bit rate
    uint64_t burst_chunks;               // v0, v1
};

// Begins to connect. Failures are counted and reported, never returned.
void member_start(struct member *member, struct crowd *crowd, int index);
// The server has greeted it.
void member_greeted(struct member *member);
// Counts as failed or lost, keeps the reason, closes.
__attribute__((format(printf, 2, 3))) void member_fail(struct member *member, const char *format, ...);
// Looks whether it has to come back, or tries for too long.
void member_look(struct member *member, int64_t now_ns);
// Reads no more.
void member_stall(struct member *member);
// Says goodbye where it can, closes the socket. Harmless when it is closed.
void member_end(struct member *member);
void member_send_text(struct member *member, const char *text, size_t len);
// A chunk of audio or a preroll: decodes, counts, hands it on.
void member_chunk(struct member *member, struct client_chunk *chunk);
