#include "stream/ladder.h"

#include <stddef.h>

#include "base/frames.h"

enum {
    LADDER_MOVED_BYTES = 2048,          // less is no sign of life: a peer may open its window by bits
    LADDER_UNREAD_BYTES = 8192,         // of less than this, what is read and what is not cannot be told apart
    LADDER_TRICKLE_BYTES = 30000,       // in LADDER_TRICKLE_NS: half of what the lowest rung needs
    LADDER_MAX_SKIPS = 3,               // on the lowest rung, before it is given up
};

#define LADDER_LOW_NS (4 * NS_PER_SECOND)
#define LADDER_LEAST_NS NS_PER_SECOND
#define LADDER_STALL_NS (7 * NS_PER_SECOND)
#define LADDER_UNREAD_NS (8 * NS_PER_SECOND)
#define LADDER_TRICKLE_NS (15 * NS_PER_SECOND)
#define LADDER_WAIT_NS (20 * NS_PER_SECOND)
#define LADDER_MAX_WAIT_NS (300 * NS_PER_SECOND)
#define LADDER_PROOF_NS (120 * NS_PER_SECOND)
#define LADDER_SKIPS_NS (60 * NS_PER_SECOND)

static uint64_t ladder_least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t ladder_within(uint64_t value, uint64_t low, uint64_t high)
{
    return value < low ? low : ladder_least(value, high);
}

void ladder_set_lead(struct ladder *ladder, uint64_t lead_ns)
{
    ladder->low_ns = ladder_least(lead_ns * 2 / 5, LADDER_LOW_NS);
    ladder->least_ns = ladder_least(lead_ns / 10, LADDER_LEAST_NS);
    ladder->slack_ns = ladder_within(lead_ns / 5, 250 * NS_PER_MS, 2 * NS_PER_SECOND);
    ladder->span_ns = ladder_within(lead_ns / 5, 500 * NS_PER_MS, 2 * NS_PER_SECOND);
}

void ladder_begin(struct ladder *ladder, uint64_t now_ns, uint64_t lead_ns)
{
    *ladder = (struct ladder){.moved_ns = now_ns, .wait_ns = LADDER_WAIT_NS};
    ladder_set_lead(ladder, lead_ns);
    ladder_set_speed(ladder, 1);
}

void ladder_set_speed(struct ladder *ladder, double speed)
{
    ladder->dead_ns = (uint64_t)((double)LADDER_STALL_NS * speed);
    ladder->unread_ns = (uint64_t)((double)LADDER_UNREAD_NS * speed);
    ladder->trickle_span_ns = (uint64_t)((double)LADDER_TRICKLE_NS * speed);
}

uint64_t ladder_stalled_ns(const struct ladder *ladder, uint64_t now_ns)
{
    return now_ns - ladder->moved_ns;
}

uint64_t ladder_safe_ns(const struct ladder *ladder, uint64_t queued, uint64_t own, uint64_t needed)
{
    bool idle = ladder->rate == 0 && queued < needed / 10;
    uint64_t rate = ladder->rate > 0 ? ladder->rate : needed;
    if (idle || rate > 2 * needed)
        return 0;
    // A link that hardly moves now may do so again: nobody waits for the lead to run through.
    uint64_t way_ns = (queued + own) * NS_PER_SECOND / rate;
    return ladder_least(way_ns, ladder->low_ns) + ladder->least_ns + ladder->span_ns / 2;
}

void ladder_disturbed(struct ladder *ladder, uint64_t now_ns, uint64_t sent_bytes)
{
    ladder->settle_bytes = sent_bytes;
    ladder->from_ns = 0;
    ladder->good_ns = 0;
}

// The peer's kernel still takes what is sent, but its program has stopped reading: what is taken is lost to the room
// that is left, until there is none. Not all of it, since a kernel counts its own overhead as well (of Linux's window
// some 65 %). Each look at which enough was taken tells anew: who reads less than a quarter of what is sent looks like
// one who reads nothing while there is room, and once there is hardly any, the little that is still taken shows it. Where
// nothing is sent nothing is told, since a kernel may keep to itself that there is room again.
static bool ladder_unread(struct ladder *ladder, const struct ladder_view *view)
{
    if (!view->room_known)
        return false;
    uint64_t taken = view->taken_bytes - ladder->room_taken_bytes;
    bool spent = view->room_bytes < LADDER_UNREAD_BYTES;
    bool telling = taken >= (ladder->room_bytes < LADDER_UNREAD_BYTES ? LADDER_MOVED_BYTES : LADDER_UNREAD_BYTES);
    bool shrinks = telling && view->room_bytes + taken / 2 <= ladder->room_bytes;
    bool stale = !telling && !spent && view->now_ns - ladder->room_ns >= ladder->unread_ns;
    bool reads = (telling && !shrinks) || view->room_bytes > ladder->room_bytes;
    bool anew = ladder->room_ns == 0 || stale || reads;
    if (anew)
        ladder->unread_from_ns = 0;
    else if (shrinks && ladder->unread_from_ns == 0)
        ladder->unread_from_ns = view->now_ns;
    if (anew || telling) {
        ladder->room_ns = view->now_ns;
        ladder->room_taken_bytes = view->taken_bytes;
        ladder->room_bytes = view->room_bytes;
    }
    return ladder->unread_from_ns != 0 && (shrinks || spent) &&
           view->now_ns - ladder->unread_from_ns >= ladder->unread_ns;
}

// Nothing moves, or so little that it will never end. Returns why that is the end; NULL: it is not.
static const char *ladder_stuck(struct ladder *ladder, const struct ladder_view *view)
{
    if (view->moved_bytes >= ladder->moved_bytes + (view->full ? LADDER_MOVED_BYTES : 1)) {
        ladder->moved_bytes = view->moved_bytes;
        ladder->moved_ns = view->now_ns;
    }
    if (ladder_unread(ladder, view))
        return "nothing was read for 8 seconds";
    if (!view->full) {
        ladder->full_ns = 0;
        return NULL;
    }
    if (ladder->full_ns == 0) {
        ladder->full_ns = ladder->trickle_ns = view->now_ns;
        ladder->trickle_bytes = view->moved_bytes;
    }
    uint64_t since_ns = ladder->full_ns > ladder->moved_ns ? ladder->full_ns : ladder->moved_ns;
    if (view->now_ns - since_ns >= ladder->dead_ns)
        return "nothing was read for 7 seconds";
    if (view->now_ns - ladder->trickle_ns < ladder->trickle_span_ns)
        return NULL;
    bool trickle = view->moved_bytes - ladder->trickle_bytes < LADDER_TRICKLE_BYTES;
    ladder->trickle_ns = view->now_ns;
    ladder->trickle_bytes = view->moved_bytes;
    return trickle ? "hardly anything was read for 15 seconds" : NULL;
}

static void ladder_trend_from(struct ladder *ladder, const struct ladder_view *view)
{
    ladder->from_ns = view->now_ns;
    ladder->from_bytes = view->moved_bytes;
    ladder->from_lead_ns = view->lead_ns;
    ladder->from_full = view->full;
}

// How much more the client has to hold than a while ago: the less it has left, the more, up to a tenth of that while.
static int64_t ladder_asked_ns(const struct ladder *ladder, const struct ladder_view *view, uint64_t span_ns)
{
    int64_t low_ns = (int64_t)ladder->low_ns;
    int64_t missing_ns = view->lead_ns < 0 ? low_ns : view->lead_ns < low_ns ? low_ns - view->lead_ns : 0;
    return (int64_t)(span_ns / 1000) * (missing_ns / 1000) / (low_ns / 1000) * 1000 / 10;
}

enum ladder_trend { TREND_UNKNOWN, TREND_RECOVERS, TREND_DOES_NOT };

static enum ladder_trend ladder_trend(struct ladder *ladder, const struct ladder_view *view)
{
    if (view->moved_bytes < ladder->settle_bytes)
        return TREND_UNKNOWN;
    if (ladder->from_ns == 0)
        ladder_trend_from(ladder, view);
    uint64_t span_ns = view->now_ns - ladder->from_ns;
    if (span_ns < ladder->span_ns)
        return TREND_UNKNOWN;
    uint64_t bytes = view->moved_bytes - ladder->from_bytes;
    bool moves = bytes >= LADDER_MOVED_BYTES / 2;
    bool recovers = view->lead_ns - ladder->from_lead_ns >= ladder_asked_ns(ladder, view, span_ns);
    if (moves && (ladder->from_full || view->full))
        ladder->rate = bytes * NS_PER_MS / (span_ns / 1000);
    ladder_trend_from(ladder, view);
    return !moves ? TREND_UNKNOWN : recovers ? TREND_RECOVERS : TREND_DOES_NOT;
}

// On schedule: the longer, the better.
static enum ladder_step ladder_good(struct ladder *ladder, const struct ladder_view *view)
{
    if (ladder->good_ns == 0)
        ladder->good_ns = view->now_ns;
    uint64_t good_for_ns = view->now_ns - ladder->good_ns;
    ladder->skips = 0;
    ladder->rate = 0;
    if (ladder->on_trial && good_for_ns >= LADDER_PROOF_NS) {
        ladder->on_trial = false;
        ladder->wait_ns = ladder->wait_ns > 2 * LADDER_WAIT_NS ? ladder->wait_ns / 2 : LADDER_WAIT_NS;
    }
    if (!view->can_raise || good_for_ns < ladder->wait_ns)
        return LADDER_STAY;
    ladder_disturbed(ladder, view->now_ns, view->sent_bytes);
    ladder->on_trial = true;
    return LADDER_UP;
}

static void ladder_fell(struct ladder *ladder, const struct ladder_view *view)
{
    if (ladder->on_trial)
        ladder->wait_ns = ladder_least(2 * ladder->wait_ns, LADDER_MAX_WAIT_NS);
    ladder->on_trial = false;
    ladder_disturbed(ladder, view->now_ns, view->sent_bytes);
}

static enum ladder_step ladder_skip(struct ladder *ladder, const struct ladder_view *view, const char **reason)
{
    if (view->now_ns - ladder->skipped_ns > LADDER_SKIPS_NS)
        ladder->skips = 0;
    if (!view->can_lower && ladder->skips >= LADDER_MAX_SKIPS) {
        *reason = "slower than the lowest bit rate";
        return LADDER_CLOSE;
    }
    ladder->skips += !view->can_lower;
    ladder->skipped_ns = view->now_ns;
    ladder_fell(ladder, view);
    return LADDER_SKIP;
}

enum ladder_step ladder_look(struct ladder *ladder, const struct ladder_view *view, const char **reason)
{
    *reason = ladder_stuck(ladder, view);
    if (*reason)
        return LADDER_CLOSE;
    enum ladder_trend trend = ladder_trend(ladder, view);
    bool ample = view->lead_ns >= (int64_t)(ladder->low_ns + ladder->low_ns / 2);
    if (ample || view->due_ns - view->lead_ns < (int64_t)ladder->slack_ns)
        return ladder_good(ladder, view);
    ladder->good_ns = 0;
    if (trend != TREND_DOES_NOT || view->lead_ns >= (int64_t)ladder->low_ns)
        return LADDER_STAY;
    if (view->lead_ns < (int64_t)ladder->least_ns)
        return ladder_skip(ladder, view, reason);
    if (!view->can_lower)
        return LADDER_STAY;
    ladder_fell(ladder, view);
    return LADDER_DOWN;
}
