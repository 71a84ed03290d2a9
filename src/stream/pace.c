#include "stream/pace.h"

void pace_deliver(struct pace *pace, uint32_t n, uint32_t delivery_frames)
{
    uint32_t turn = n * UINT32_C(2654435769);   // 2^32 over the golden ratio
    pace->delivery_frames = delivery_frames;
    pace->phase_frames = (uint32_t)(((uint64_t)turn * delivery_frames) >> 32);
}

uint64_t pace_live_frame(const struct pace *pace, uint64_t now_ns)
{
    int64_t since = (int64_t)(now_ns - pace->origin_ns);
    return since < 0 ? 0 : frames_from_ns((uint64_t)since);
}

uint64_t pace_live_chunk(const struct pace *pace, uint64_t now_ns)
{
    return frames_round_down(pace_live_frame(pace, now_ns), CHUNK_FRAMES);
}

// Clock time of a frame.
static uint64_t pace_frame_ns(const struct pace *pace, uint64_t frame)
{
    return pace->origin_ns + frames_to_ns(frame);
}

void pace_start_at(struct pace *pace, uint64_t now_ns, uint64_t first_frame)
{
    pace->start_ns = now_ns;
    pace->start_frame = first_frame;
    pace->catch_up_ns = 0;
}

uint64_t pace_start(struct pace *pace, uint64_t now_ns, bool ready)
{
    pace_start_at(pace, now_ns, pace_live_chunk(pace, now_ns) + (ready ? 0 : CHUNK_FRAMES));
    return pace->start_frame;
}

void pace_catch_up(struct pace *pace, uint64_t now_ns, uint64_t frame, bool at_once)
{
    uint64_t passed = (uint64_t)(PACE_AT_ONCE - 1) * CHUNK_FRAMES;   // as if a second had been sent, but for one chunk
    pace->catch_up_ns = now_ns;
    pace->catch_up_frame = at_once || frame < passed ? frame : frame - passed;
}

// The delivery that begins at a frame is due.
static bool pace_is_due(const struct pace *pace, uint64_t frame, uint64_t live_frame)
{
    return frame + pace->phase_frames <= live_frame + lead_at(&pace->lead, frame);
}

// The end of what is due by the lead. While that moves, it is somewhere near where it would be if the lead stood.
static uint64_t pace_due_until(const struct pace *pace, uint64_t live_frame)
{
    uint64_t ahead = live_frame + pace->lead.frames;
    uint64_t frame = ahead < pace->phase_frames ? 0 : ahead - pace->phase_frames, delivery = pace->delivery_frames;
    frame = frames_round_down(frame, delivery) + delivery;
    while (pace_is_due(pace, frame, live_frame))
        frame += delivery;
    while (frame > delivery && !pace_is_due(pace, frame - delivery, live_frame))
        frame -= delivery;
    return frame;
}

// How long a delivery takes at twice real time.
static uint64_t pace_delivery_ns(const struct pace *pace)
{
    return pace->delivery_frames / CHUNK_FRAMES * PACE_STEP_NS;
}

uint64_t pace_owed_until(const struct pace *pace, uint64_t now_ns)
{
    uint64_t due = pace_due_until(pace, pace_live_frame(pace, now_ns));
    uint64_t run_ns = now_ns > pace->start_ns ? now_ns - pace->start_ns : 0;
    uint64_t deliveries = run_ns / pace_delivery_ns(pace);
    uint64_t allowed = pace->start_frame + PACE_AT_ONCE * CHUNK_FRAMES + deliveries * pace->delivery_frames;
    return due < allowed ? due : allowed;
}

uint64_t pace_delay_ns(const struct pace *pace, uint64_t k)
{
    uint64_t chunks = pace->delivery_frames / CHUNK_FRAMES;
    return k < PACE_AT_ONCE ? 0 : ((k - PACE_AT_ONCE) / chunks + 1) * pace_delivery_ns(pace);
}

int64_t pace_played_ns(const struct pace *pace, uint64_t end_frame, uint64_t now_ns)
{
    return (int64_t)(now_ns - pace_frame_ns(pace, end_frame + pace->phase_frames));
}

uint64_t pace_due_ns(const struct pace *pace, uint64_t first_frame)
{
    uint64_t begin = frames_round_down(first_frame, pace->delivery_frames);
    uint64_t at = pace_frame_ns(pace, begin + pace->phase_frames) - frames_to_ns(lead_at(&pace->lead, begin));
    return (int64_t)at > 0 ? at : 0;
}

// When the pace of what began with a chunk at a time allows another chunk.
static uint64_t pace_allowed_ns(const struct pace *pace, uint64_t begin_ns, uint64_t begin_frame, uint64_t first_frame)
{
    uint64_t k = first_frame < begin_frame ? 0 : (first_frame - begin_frame) / CHUNK_FRAMES;
    return begin_ns + pace_delay_ns(pace, k);
}

uint64_t pace_send_ns(const struct pace *pace, uint64_t first_frame)
{
    uint64_t send = pace_due_ns(pace, first_frame);
    uint64_t run = pace_allowed_ns(pace, pace->start_ns, pace->start_frame, first_frame);
    send = run > send ? run : send;
    if (pace->catch_up_ns == 0)
        return send;
    uint64_t catch_up = pace_allowed_ns(pace, pace->catch_up_ns, pace->catch_up_frame, first_frame);
    return catch_up > send ? catch_up : send;
}

uint64_t pace_burst_until(const struct pace *pace)
{
    uint64_t from = pace->catch_up_ns > 0 ? pace->catch_up_frame : pace->start_frame;
    uint64_t frame = frames_round_up(from, pace->delivery_frames), last = pace->delivery_frames - CHUNK_FRAMES;
    // Due times move twice as fast as the run's own pace, and as fast while the lead rises: this ends.
    while (pace_due_ns(pace, frame) < pace_send_ns(pace, frame + last))
        frame += pace->delivery_frames;
    return frame;
}
