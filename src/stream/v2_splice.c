// Protocol v2 (doc/protocol.md): a change takes effect where everybody has sound already. Its station makes that part
// again, and so it is sent again.
#include "stream/v2.h"

// While changes follow each other so quickly, each brings no more at once than lasts until some time after the next.
#define V2_QUICK_NS NS_PER_SECOND
enum { V2_QUICK_CHUNKS = 3 };

bool v2_outdated(const struct listener *listener)
{
    uint32_t known = timeline_generation(listener->station->timeline, listener->format);
    return listener->v2.playing && known != listener->v2.generation;
}

void v2_tell_supersede(struct listener *listener, uint64_t from_frame, uint32_t generation)
{
    uint64_t burst_until = listener->v2.burst_until;
    (void)listener_tell(listener, json_pack("{s:s, s:I, s:I, s:I}", "type", "supersede", "from_frame",
                                            (json_int_t)from_frame, "generation", (json_int_t)generation,
                                            "burst_until_frame", (json_int_t)burst_until));
}

uint32_t v2_known_generation(const struct listener *listener, enum format format)
{
    const struct stream_station *station = listener->station;
    bool cold = timeline_frontier(station->timeline, format) == 0;
    return cold ? (uint32_t)sequencer_latest(station->sequencer) : timeline_generation(station->timeline, format);
}

uint64_t v2_changed_frame(const struct listener *listener, uint32_t generation)
{
    struct mood_entry entry;
    if (generation >= v2_known_generation(listener, listener->format) ||
        sequencer_entries(listener->station->sequencer, (size_t)generation + 1, &entry, 1) == 0)
        return UINT64_MAX;
    return control_heard_from(entry.at_frame);
}

// What lies behind the playhead cannot be replaced any more: it goes on from there.
void v2_follow_changes(struct listener *listener, uint64_t now_ns)
{
    struct v2_state *v2 = &listener->v2;
    uint32_t first_unknown = v2->generation + 1;
    uint64_t from = v2_changed_frame(listener, v2->generation), live = pace_live_chunk(&listener->pace, now_ns);
    v2->generation = timeline_generation(listener->station->timeline, listener->format);
    uint64_t chunk = frames_round_down(from, CHUNK_FRAMES);
    chunk = chunk < live ? live : chunk;
    if (chunk >= listener->cursor || !v2->holds)
        return;
    bool again = v2->superseded_ns != 0 && now_ns - v2->superseded_ns < V2_QUICK_NS;
    v2->superseded_ns = now_ns;
    v2_go_back(listener, chunk, again ? V2_QUICK_CHUNKS : PACE_AT_ONCE, now_ns);
    v2_tell_supersede(listener, from < chunk ? chunk : from, first_unknown);
    atomic_fetch_add_explicit(&listener->stream->stats.splices, 1, memory_order_relaxed);
}
