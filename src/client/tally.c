#include "client/tally.h"

#include <stdlib.h>

#include "base/frames.h"

enum { CHUNK_PERIOD_NS = 100 * 1000 * 1000, EARLY_LIMIT_NS = 100 * 1000 * 1000 };

void tally_begin(struct tally *tally, uint64_t span, int64_t connect_ns)
{
    *tally = (struct tally){.span = span, .delivery = 1, .connect_ns = connect_ns};
}

void tally_deliver(struct tally *tally, uint64_t chunks)
{
    tally->delivery = chunks;
}

void tally_place(struct tally *tally, uint64_t next, uint64_t steady_from)
{
    tally->next = next;
    tally->steady_from = tally->burst_until = steady_from;
    tally->placed = true;
}

// What came before a change and was to come again will not: it is heard as it was.
static void tally_pass_over(struct tally *tally, uint64_t to)
{
    uint64_t had = to < tally->furthest ? to : tally->furthest;
    if (had <= tally->next)
        return;
    tally->outdated += (had - tally->next) / tally->span;
    tally->next = had;
}

void tally_skip(struct tally *tally, uint64_t to, uint64_t burst_until)
{
    tally_pass_over(tally, to);
    if (!tally->heard)
        tally->next = to;
    tally_end_burst(tally, burst_until);
}

void tally_supersede(struct tally *tally, uint64_t from, uint64_t burst_until)
{
    if (from < tally->next)
        tally->next = from;
    tally->excused_until = burst_until;
    tally_end_burst(tally, burst_until);
}

void tally_resume(struct tally *tally, uint64_t from, uint64_t burst_until)
{
    tally_pass_over(tally, from);
    tally_supersede(tally, from, burst_until);
}

void tally_end_burst(struct tally *tally, uint64_t burst_until)
{
    if (!tally->steady)
        tally->steady_from = burst_until;
    tally->burst_until = burst_until;
}

bool tally_is_burst(const struct tally *tally, uint64_t position)
{
    return position < tally->burst_until;
}

// False when it stands in for one that has come before.
static bool tally_order(struct tally *tally, uint64_t position, struct client_report *report)
{
    if (position > tally->next) {
        report->gaps++;
        report->last_gap = position > report->last_gap ? position : report->last_gap;
        report->gap_frames += position - tally->next;
    }
    tally->next = position + tally->span;
    if (position < tally->furthest) {
        report->superseded++;
        return false;
    }
    tally->furthest = tally->next;
    return true;
}

// Of a steady chunk.
static uint64_t tally_number(const struct tally *tally, uint64_t position)
{
    return (position - tally->steady_from) / tally->span;
}

static int64_t tally_offset_ns(const struct tally *tally, uint64_t position)
{
    return (int64_t)frames_round_down(tally_number(tally, position), tally->delivery) * CHUNK_PERIOD_NS;
}

// Jitter is that from one delivery to the next: what comes together has none.
static void tally_jitter(struct tally *tally, const struct client_chunk *chunk, struct client_report *report)
{
    if (tally_number(tally, chunk->first_frame) % tally->delivery != 0)
        return;
    if (tally->paired) {
        int64_t jitter = (chunk->arrival_ns - tally->last_arrival_ns) - (chunk->due_ns - tally->last_due_ns);
        histogram_record(&report->jitter, (uint64_t)llabs(jitter));
    }
    tally->paired = true;
    tally->last_due_ns = chunk->due_ns;
    tally->last_arrival_ns = chunk->arrival_ns;
}

static void tally_time(struct tally *tally, const struct client_chunk *chunk, struct client_report *report)
{
    int64_t late_ns = chunk->arrival_ns - chunk->due_ns;
    report->chunks_received++;
    if (late_ns < -EARLY_LIMIT_NS)
        report->early++;
    else
        histogram_record(&report->lateness, late_ns > 0 ? (uint64_t)late_ns : 0);
    tally_jitter(tally, chunk, report);
}

// It is due within the window, by its number.
static bool tally_is_expected(const struct tally *tally, uint64_t position, int64_t moved_ns,
                              const struct tally_window *window)
{
    int64_t due_ns = tally->first_due_ns + tally_offset_ns(tally, position) + moved_ns;
    return due_ns >= window->from_ns && due_ns <= window->end_ns;
}

static void tally_steady(struct tally *tally, const struct client_chunk *chunk, const struct tally_window *window,
                         struct client_report *report)
{
    int64_t offset_ns = tally_offset_ns(tally, chunk->first_frame) + chunk->moved_ns;
    if (!tally->steady)
        tally->first_due_ns = chunk->due_ns - offset_ns;
    tally->steady = true;
    if (tally->first_due_ns + offset_ns > window->end_ns)
        return;
    bool counted = tally->first_due_ns + offset_ns >= window->from_ns;
    tally->moved_ns = chunk->moved_ns;
    if (!counted)
        tally->moved_before_ns = chunk->moved_ns;
    if (tally_order(tally, chunk->first_frame, report) && counted)
        tally_time(tally, chunk, report);
}

void tally_chunk(struct tally *tally, const struct client_chunk *chunk, const struct tally_window *window,
                 struct client_report *report)
{
    if (!tally->heard)
        histogram_record(&report->start_up, (uint64_t)(chunk->arrival_ns - tally->connect_ns));
    tally->heard = true;
    if (!chunk->burst) {
        tally_steady(tally, chunk, window, report);
        return;
    }
    report->burst_chunks++;
    bool first_time = tally_order(tally, chunk->first_frame, report);
    if (first_time && tally->steady && tally_is_expected(tally, chunk->first_frame, chunk->moved_ns, window) &&
        chunk->first_frame < tally->excused_until)
        tally->excused++;
}

void tally_finish(const struct tally *tally, int64_t first_due_ns, const struct tally_window *window,
                  struct client_report *report)
{
    if (!tally->heard)
        report->silent++;
    report->outdated += tally->outdated;
    int64_t first = tally->steady ? tally->first_due_ns + tally->moved_before_ns : first_due_ns;
    int64_t end_ns = window->end_ns - (tally->moved_ns - tally->moved_before_ns);
    int64_t period_ns = (int64_t)tally->delivery * CHUNK_PERIOD_NS;
    if (first < window->from_ns)
        first += (window->from_ns - first + period_ns - 1) / period_ns * period_ns;
    uint64_t expected = 0, excused = tally->excused;
    if (first <= end_ns)
        expected = ((uint64_t)((end_ns - first) / period_ns) + 1) * tally->delivery;
    // Of the last splice, what had not come by the end.
    for (uint64_t at = tally->furthest; tally->steady && at < tally->excused_until; at += tally->span) {
        if (tally->first_due_ns + tally_offset_ns(tally, at) + tally->moved_ns > window->end_ns)
            break;
        excused += tally_is_expected(tally, at, tally->moved_ns, window);
    }
    report->chunks_expected += expected - (excused < expected ? excused : expected);
}
