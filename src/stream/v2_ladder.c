// Protocol v2 (doc/protocol.md): what happens to a listener whose bytes do not arrive in time, and every other change
// of what it is sent: another rung, another format, another position.
#include "stream/preroll.h"
#include "stream/v2.h"
#include "stream/watch.h"

// What a player says about itself counts for so long; they say it every five seconds.
#define V2_PLAYER_NS (8 * NS_PER_SECOND)
// A change waits so long for the preroll of what comes, and a skip for what it skips to.
#define V2_PREROLL_WAIT_NS NS_PER_SECOND
// Who had to wait for its socket within this time is asked about.
#define V2_PRESSED_NS (3 * NS_PER_SECOND)
// With less lead than this, what the kernel keeps unseen would be too large a part of it.
#define V2_SHORT_LEAD_FRAMES (UINT64_C(6) * FRAME_RATE)

static int64_t v2_frames_ns(int64_t frames)
{
    return frames * (int64_t)(NS_PER_SECOND / 1000) / (FRAME_RATE / 1000);
}

// There may be more under way than what has just been sent. Asking is a system call, so not everybody is asked about.
static bool v2_doubtful(const struct listener *listener, uint64_t now_ns)
{
    return listener->blocked || (listener->pressed_ns != 0 && now_ns - listener->pressed_ns < V2_PRESSED_NS) ||
           (format_is_opus(listener->format) && listener->format != listener->v2.ceiling) ||
           listener->pace.lead.frames < V2_SHORT_LEAD_FRAMES;
}

// Sound ahead of the playhead that has arrived, by the bytes that have not.
static int64_t v2_arrived_ns(const struct listener *listener, uint64_t unsent_bytes, uint64_t now_ns)
{
    uint64_t on_air = unsent_bytes - v2_range_bytes(listener, unsent_bytes);
    int64_t on_the_way = (int64_t)(on_air * CHUNK_FRAMES / listener->v2.chunk_bytes);
    int64_t live = (int64_t)pace_live_frame(&listener->pace, now_ns);
    return v2_frames_ns((int64_t)listener->cursor - on_the_way - live);
}

// What the station has not made yet is not owed, nor what the budget has not granted.
static int64_t v2_owed_ns(const struct listener *listener, uint64_t now_ns)
{
    uint64_t owed = pace_owed_until(&listener->pace, now_ns);
    uint64_t made = timeline_frontier(listener->station->timeline, listener->format);
    if (owed > made)
        owed = made > listener->cursor ? made : listener->cursor;
    // What has just become due goes out now.
    bool goes_now = owed > listener->cursor && owed - listener->cursor <= listener->pace.delivery_frames;
    if (!listener->blocked && (goes_now || listener->burst.next))
        owed = listener->cursor;
    return v2_frames_ns((int64_t)owed - (int64_t)pace_live_frame(&listener->pace, now_ns));
}

void v2_player_says(struct listener *listener, uint64_t playhead_frame, uint64_t lead_ns, uint64_t now_ns)
{
    int64_t behind = (int64_t)pace_live_frame(&listener->pace, now_ns) - (int64_t)playhead_frame;
    bool near_live = behind > -(int64_t)FRAME_RATE && behind < 2 * (int64_t)FRAME_RATE;
    int64_t sent_ns = v2_frames_ns((int64_t)listener->cursor - (int64_t)playhead_frame);
    if (!listener->v2.playing || !near_live || (int64_t)lead_ns > sent_ns + (int64_t)(NS_PER_SECOND / 2))
        return;
    uint64_t unsent = connection_unsent_bytes(listener->connection);
    listener->v2.player_ns = now_ns;
    listener->v2.player_more_ns = (int64_t)lead_ns - v2_arrived_ns(listener, unsent, now_ns);
}

static void v2_fill_view(const struct listener *listener, struct ladder_view *view)
{
    const struct v2_state *v2 = &listener->v2;
    bool opus = format_is_opus(listener->format);
    view->lead_ns = v2_arrived_ns(listener, view->sent_bytes - view->moved_bytes, view->now_ns);
    view->due_ns = v2_owed_ns(listener, view->now_ns);
    if (v2->player_ns != 0 && view->now_ns - v2->player_ns < V2_PLAYER_NS)
        view->lead_ns += v2->player_more_ns;
    view->can_lower = opus && format_lower(listener->format) != listener->format;
    view->can_raise = opus && listener->format > v2->ceiling;
}

static void v2_count_change(struct listener *listener, enum format to)
{
    struct stream_stats *stats = &listener->stream->stats;
    if (!format_is_opus(listener->format) || !format_is_opus(to) || listener->format == to)
        return;
    atomic_fetch_add(&stats->rung_changes[to > listener->format ? STREAM_RUNG_DOWN : STREAM_RUNG_UP], 1);
}

void v2_aim(struct listener *listener, enum format format, const char *reason, uint64_t now_ns)
{
    listener->v2.aim = format;
    listener->v2.aim_reason = reason;
    listener->v2.aim_ns = now_ns;
    listener_await(listener, format);
}

void v2_look(struct listener *listener, uint64_t now_ns)
{
    struct ladder_view view = watch_view(listener, now_ns, v2_doubtful(listener, now_ns));
    if (listener->v2.playing)
        v2_fill_view(listener, &view);
    switch (watch_step(listener, &view)) {
    case LADDER_SKIP:
        listener->v2.skip = true;
        if (view.can_lower)
            v2_aim(listener, format_lower(listener->format), "slow", now_ns);
        break;
    case LADDER_DOWN: v2_aim(listener, format_lower(listener->format), "slow", now_ns); break;
    case LADDER_UP: v2_aim(listener, format_higher(listener->format), "recovered", now_ns); break;
    case LADDER_STAY:
    case LADDER_CLOSE: break;
    }
}

// Says what comes from now on: another format, or sound again.
void v2_tell_codec(struct listener *listener, const char *reason)
{
    (void)listener_tell(
        listener, json_pack("{s:s, s:s, s:i, s:I, s:i, s:s, s:i, s:i, s:I, s:s}", "type", "codec", "format",
                            format_wire_name(listener->format), "bitrate", (int)format_bitrate(listener->format),
                            "at_frame", (json_int_t)listener->cursor, "decoder_delay_frames",
                            (int)v2_delay_frames(listener, listener->format), "encoder_id",
                            v2_encoder_id(listener, listener->format), "delivery_frames",
                            (int)listener->pace.delivery_frames, "phase_frames", (int)listener->pace.phase_frames,
                            "burst_until_frame", (json_int_t)pace_burst_until(&listener->pace), "reason", reason));
}

// Opus and PCM may be delivered otherwise. What that alone makes overdue is owed from now on; who pauses begins anew.
static void v2_change_delivery(struct listener *listener, uint64_t now_ns)
{
    struct pace *pace = &listener->pace;
    uint32_t frames = v2_delivery_frames(listener);
    if (pace->delivery_frames == frames)
        return;
    bool steady = listener->cursor >= listener->v2.burst_until;
    phases_remove(&listener->loop->phases, pace->phase_frames, pace->delivery_frames);
    pace_deliver(pace, listener->number, frames);
    phases_add(&listener->loop->phases, pace->phase_frames, pace->delivery_frames);
    if (!listener->v2.playing)
        return;
    if (steady && pace_due_ns(pace, listener->cursor) < now_ns)
        pace_catch_up(pace, now_ns, listener->cursor, true);
    listener->v2.burst_until = pace_burst_until(pace);
}

void v2_change_format(struct listener *listener, enum format format, const char *reason, uint64_t now_ns)
{
    v2_count_change(listener, format);
    listener_change_format(listener, format);
    v2_change_delivery(listener, now_ns);
    listener->v2.aim = format;
    listener->v2.format_frame = listener->cursor;
    uint32_t known = v2_known_generation(listener, format);
    if (known < listener->v2.generation)
        listener->v2.generation = known;
    listener->v2.preroll = format_is_opus(format);
    listener->v2.chunk_bytes = v2_usual_bytes(format);
    v2_tell_codec(listener, reason);
}

// The chunk is there, and before it what a preroll is made of, unless that has been awaited for long enough.
static bool v2_lane_ready(const struct listener *listener, enum format format, uint64_t frame, uint64_t now_ns)
{
    if (!listener_chunk(listener, format, frame))
        return false;
    if (!format_is_opus(format) || now_ns - listener->v2.aim_ns >= V2_PREROLL_WAIT_NS)
        return true;
    for (uint64_t n = 1; n <= PREROLL_CHUNKS && n * CHUNK_FRAMES <= frame; n++)
        if (!listener_chunk(listener, format, frame - n * CHUNK_FRAMES))
            return false;
    return true;
}

// Where a listener that has fallen behind goes on: at the live playhead, or as far ahead of it as its link needs to
// carry there what comes before.
static uint64_t v2_safe_frame(const struct listener *listener, uint64_t now_ns)
{
    uint64_t live = pace_live_frame(&listener->pace, now_ns), chunk = listener->v2.chunk_bytes;
    uint64_t own = format_is_opus(listener->format) ? chunk + chunk * MESSAGE_MAX_PACKETS / CHUNK_PACKETS : chunk;
    uint64_t queued = connection_unsent_bytes(listener->connection);
    uint64_t ahead = frames_from_ns(ladder_safe_ns(&listener->ladder, queued, own, 10 * chunk));
    uint64_t made = timeline_frontier(listener->station->timeline, listener->format);
    if (ahead == 0)
        return pace_live_chunk(&listener->pace, now_ns);
    uint64_t to = frames_round_up(live + ahead, CHUNK_FRAMES);
    return to < made || made <= live + CHUNK_FRAMES ? to : made - CHUNK_FRAMES;
}

static void v2_tell_skip(struct listener *listener, uint64_t from)
{
    (void)listener_tell(listener, json_pack("{s:s, s:I, s:I, s:I}", "type", "skip", "from_frame", (json_int_t)from,
                                            "to_frame", (json_int_t)listener->cursor, "burst_until_frame",
                                            (json_int_t)pace_burst_until(&listener->pace)));
}

// Moves to a safe position, on a lower rung if that is what it aims at. False while what it needs is not there.
static bool v2_skip(struct listener *listener, uint64_t now_ns)
{
    uint64_t from = listener->cursor, to = v2_safe_frame(listener, now_ns);
    struct v2_state *v2 = &listener->v2;
    if (to <= from) {
        v2->skip = false;
        return true;
    }
    bool change = v2->aim != listener->format && v2_lane_ready(listener, v2->aim, to, now_ns);
    bool wait = v2->aim != listener->format && !change && now_ns - v2->aim_ns < V2_PREROLL_WAIT_NS;
    if (wait || (!change && !listener_chunk(listener, listener->format, to)))
        return false;
    v2_begin_at(listener, to, now_ns);
    atomic_fetch_add(&listener->stream->stats.skips, 1);
    v2_tell_skip(listener, from);
    if (change)
        v2_change_format(listener, v2->aim, v2->aim_reason, now_ns);
    return true;
}

bool v2_turn(struct listener *listener, uint64_t now_ns)
{
    struct v2_state *v2 = &listener->v2;
    if (listener_past(listener, now_ns))
        v2->skip = true;
    if (v2->skip && !v2_skip(listener, now_ns))
        return false;
    if (v2->aim != listener->format && v2_lane_ready(listener, v2->aim, listener->cursor, now_ns)) {
        v2_change_format(listener, v2->aim, v2->aim_reason, now_ns);
        ladder_disturbed(&listener->ladder, now_ns, connection_bytes_given(listener->connection));
    }
    return true;
}
