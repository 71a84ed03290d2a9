// The slow ladder: what is to be done about a listener whose bytes do not arrive in time. Pure: no socket, no clock;
// whoever looks at the listener every half second or so says what it sees and is told one step.
//
// Debt is counted against what was to be sent by now, so neither a burst nor a refill that is still going on is held
// against anybody. While bytes move, a client that holds little and does not recover goes a rung down, and one that has
// hardly anything left skips to a position that it can reach in time. One that is on schedule again for a while goes a
// rung up; each attempt that fails doubles the wait before the next. Where nothing moves the listener is closed.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum ladder_step { LADDER_STAY, LADDER_DOWN, LADDER_UP, LADDER_SKIP, LADDER_CLOSE };

// What is seen of a listener.
struct ladder_view {
    uint64_t now_ns;
    uint64_t sent_bytes;     // handed to its connection so far
    uint64_t moved_bytes;    // of these, what the peer has taken
    int64_t lead_ns;         // sound that the client holds ahead of the playhead; negative: it has run dry
    int64_t due_ns;          // what it would hold had everything arrived that was to be sent by now
    bool room_known;         // the next two were asked for now, and are known
    uint64_t taken_bytes;    // that the peer's kernel has taken, on the wire
    uint64_t room_bytes;     // how many more it would take
    bool full;               // something waits for room in its socket
    bool can_lower, can_raise;
};

struct ladder {
    uint64_t low_ns, least_ns;        // below: a rung down; skip
    uint64_t slack_ns;                // less debt than this is none
    uint64_t span_ns;                 // over which a trend is taken
    uint64_t dead_ns;                 // who takes nothing for so long is gone
    uint64_t trickle_span_ns;         // over which hardly anything is too little
    uint64_t unread_ns;               // whose room has shrunk for so long does not read
    uint64_t unread_from_ns;          // since when it has not read; 0: it does, as far as is known
    uint64_t room_ns;                 // when that was judged last; 0: begins with the next look
    uint64_t room_taken_bytes, room_bytes;   // as they were then
    uint64_t full_ns;                 // since when the socket has been full; 0: it is not
    uint64_t moved_ns, moved_bytes;   // when bytes moved last, and how many had
    uint64_t trickle_ns, trickle_bytes;
    uint64_t from_ns, from_bytes;     // where the trend begins; 0: nowhere
    int64_t from_lead_ns;
    bool from_full;
    uint64_t settle_bytes;            // once these have moved, what moves came after the last step
    uint64_t rate;                    // bytes a second that the peer took while it was owed something; 0: not known
    uint64_t good_ns;                 // since when it has been on schedule; 0: it is not
    uint64_t wait_ns;                 // so long it has to be before it goes up
    bool on_trial;                    // it went up, and has not proved itself yet
    int skips;                        // one after the other on the lowest rung
    uint64_t skipped_ns;
};

// lead_ns: how far ahead the listener is sent chunks; with less than ten seconds all limits shrink with it.
void ladder_begin(struct ladder *ladder, uint64_t now_ns, uint64_t lead_ns);
// The lead is another one from now on.
void ladder_set_lead(struct ladder *ladder, uint64_t lead_ns);
// The clock runs so many times as fast as real time, in which a peer has to show that it is alive. 1 until set.
void ladder_set_speed(struct ladder *ladder, double speed);
// What is to be done now. The caller does it and looks again; a step that is not possible yet may be done later.
//   reason: out, why it is closed; else NULL.
enum ladder_step ladder_look(struct ladder *ladder, const struct ladder_view *view, const char **reason);
// The listener was moved or changed otherwise: what was seen so far says nothing about what comes.
void ladder_disturbed(struct ladder *ladder, uint64_t now_ns, uint64_t sent_bytes);
// For so long nothing has moved.
uint64_t ladder_stalled_ns(const struct ladder *ladder, uint64_t now_ns);
// How long before it is heard a chunk has to be sent so that the client then holds enough to go on; 0 where the link
// is no hindrance.   queued: bytes on their way before it.   own: bytes of itself and its preroll.   needed: bytes a
// second of what is sent.
uint64_t ladder_safe_ns(const struct ladder *ladder, uint64_t queued, uint64_t own, uint64_t needed);
