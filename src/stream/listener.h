// One listener: a cursor into the timeline, a phase and a pace. What all protocols share.
//
// Made at the door (upgrade), then everything about it happens on its loop's thread. Its place is given back when both
// its connection has closed and nothing of it is under way any more.
#pragma once
#include <stddef.h>

#include <jansson.h>

#include "stream/batch.h"
#include "stream/ladder.h"
#include "stream/pace.h"
#include "stream/protocol.h"
#include "stream/state.h"
#include "stream/tier.h"
#include "stream/tokens.h"

enum {
    CLIENT_ID_BYTES = 65,
    SESSION_BYTES = 17,
};

struct v2_state {
    uint64_t burst_until;           // chunks before this are beyond the steady schedule
    uint64_t told_event;            // number of the last event looked at
    enum format aim;                // what it changes to once that has its chunks; its own format: nothing
    uint32_t chunk_bytes;           // of late, a moving average
    uint32_t generation;            // the last change that what it was sent knows of
    uint64_t superseded_ns;         // when it was told last that a change has made some of it another; 0: never
    uint64_t format_frame;          // where what it is sent began to be in this format
    struct v2_range *range;         // that it has asked for; NULL: none (v2_ranges.c)
    bool playing;
    bool preroll;                   // to be sent before the next chunk
    bool skip;                      // to be moved to a safe position before the next chunk
    bool returns;                   // it says which session it had
    bool resumes;                   // and where it wants to go on
    bool holds;                     // it has sound from here on: what of it is out of date has to be said
    bool scene_due;                 // it is to be told what sounds now once its station, which slept, has made that
    enum format ceiling;            // the highest rung that it wants; kept while it hears PCM
    uint32_t resume_generation;     // the last change that what it had when it came back knew of
    uint64_t resume_frame;          // the first frame that it lacked then
    const char *aim_reason;         // "slow", "recovered", "asked"
    uint64_t aim_ns;
    uint64_t free_ns;               // when one of these may be sent for nothing, as at the steady schedule
    uint64_t player_ns;             // when its player spoke last; 0: not in this run
    int64_t player_more_ns;         // so much more than was estimated it held then
    uint64_t joined_frame;          // events up to here were told at joining
    uint64_t underruns;             // as the player reported last
    char session[SESSION_BYTES];
    char earlier[SESSION_BYTES];    // the one that it had
};

struct legacy_state {
    char client_id[CLIENT_ID_BYTES];
    enum tier tier;
    bool tier_fixed;                // by buffer_control
    struct tier_meter meter;
    uint64_t exempt_until_frame;    // chunks before this take no token
    struct tokens tokens;
    uint64_t chunks_sent, bytes_sent, underruns;
    int underruns_together;         // without TIER_WINDOW good chunks between them
    int good_chunks;                // since the last underrun
    uint64_t connected_ns, next_report_ns, last_control_ns;
    bool dry;                       // the client has been told that audio is missing
    struct chunk *follows;          // what was to come after what was sent last; NULL: not known
};

// What a steady chunk needs comes first and in few cache lines: there are thousands of listeners, and nothing of one is
// in the cache when its turn comes.
struct listener {
    struct schedule_entry entry;    // first: the schedule gives this back
    struct connection *connection;
    const struct stream_station *station;
    struct stream *stream;
    struct stream_loop *loop;
    const struct protocol *protocol;
    uint64_t cursor;                // first frame of the next chunk
    uint64_t look_ns;               // when to look at it again
    uint64_t told_sequence;
    uint64_t missing_ns;            // since when the next chunk is awaited; 0: it is not
    enum format format;
    bool blocked;                   // something is under way: wait for `writable`
    bool freed;                     // it was blocked when it was served last
    bool closing;                   // nothing more is sent
    bool gone;                      // closed; only its pin or a wish is still under way
    bool joined;                    // counted as a reader of its format
    bool awaiting;                  // counted as a reader of what it changes to, `awaited`
    int granted;                    // so many chunks beyond the steady schedule it may be sent
    struct budget_entry burst;      // while it waits for these
    struct pace pace;
    union {
        struct v2_state v2;
        struct legacy_state legacy;
    };
    struct listener *next, *prev;   // of its loop
    struct http_peer peer;
    uint32_t number;                // counts all listeners
    enum format awaited;
    uint64_t pressed_ns;            // when its socket was full last
    uint64_t room_look_ns;          // when to look again at whether it reads
    struct ladder ladder;
    enum close_cause cause;
    int wishes;                     // that have not been answered
    uint64_t rate_ns;               // the second in which messages are counted
    int rate_messages, violations;
    struct pin pin;                 // last: most never need it
};

enum { LISTENER_STEADY_BYTES = offsetof(struct listener, v2.ceiling) };

// --- at the door ---
// A place, all zero but for stream and number-dependent phase. NULL when all are taken.
struct listener *listener_create(struct stream *stream);
// Gives the place back. Any thread.
void listener_destroy(struct listener *listener);

// --- on its loop ---
// Something of it is not under way any more: if it has closed, and that was the last, its place is given back.
void listener_release(struct listener *listener);
// Greets it and sends what is due.
void listener_open(struct listener *listener, struct stream_loop *loop, struct connection *connection);
// The lead in force for its station.
uint64_t listener_lead_frames(const struct listener *listener);
// It waits for nothing any more.
void listener_rest(struct listener *listener);
// What it waited for of its loop's budget is there.
void listener_granted(struct budget_entry *burst, uint64_t now_ns);
// It may be sent so many chunks beyond the steady schedule, now or later: false, and it is then served.
bool listener_ask(struct listener *listener, int rank, int chunks, uint64_t now_ns);
// Its time has come, or there is room again.
void listener_serve(struct listener *listener, uint64_t now_ns);
void listener_message(struct listener *listener, enum websocket_opcode opcode, const uint8_t *bytes, size_t len);
// A message is too long to be taken: says so, the network closes.
void listener_oversized(struct listener *listener);
// It sends too many frames: says so and closes.
void listener_flooding(struct listener *listener);
void listener_writable(struct listener *listener);
void listener_closed(struct listener *listener, int code);
// Asks to be served at a time.
void listener_wake_at(struct listener *listener, uint64_t now_ns, uint64_t at_ns);
// Sends what the protocol says at such an end, then closes.
void listener_close(struct listener *listener, int code, enum close_cause cause, const char *reason);

uint64_t listener_now_ns(const struct listener *listener);
uint64_t listener_unix_ns(const struct listener *listener);
// Counts it as a reader of its format, once; and no longer.
void listener_join(struct listener *listener);
void listener_leave(struct listener *listener);
// Counts it as a reader of another format as well, so that this is made, until it changes to it or leaves.
void listener_await(struct listener *listener, enum format format);
void listener_change_format(struct listener *listener, enum format format);
// Sends a text. False when the listener is closing or does not read.
bool listener_say(struct listener *listener, const char *text, size_t len);
// Writes and sends a message; takes over the reference, which may be NULL: memory was short, and it is closed (1011).
bool listener_tell(struct listener *listener, json_t *message);
// As above, with all digits of its numbers, for what is given back as it came.
bool listener_tell_exact(struct listener *listener, json_t *message);
// A broken message: the third one closes.
void listener_violation(struct listener *listener);
void listener_count_sent(struct listener *listener, int chunks, size_t bytes);
// A chunk of its station, on its loop's shelf until the loop's turn is over; NULL when it is not there.
struct chunk *listener_chunk(const struct listener *listener, enum format format, uint64_t first_frame);
// The next chunk lies wholly behind the live playhead.
bool listener_past(const struct listener *listener, uint64_t now_ns);
// The chunk is not there yet: when to look again.
uint64_t listener_missing(struct listener *listener, uint64_t now_ns);
