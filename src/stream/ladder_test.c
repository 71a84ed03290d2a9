// The slow ladder over simulated links: a sender that follows the pace, a kernel's buffer, a link of so many bits a
// second that may stall, a client that plays at the live playhead.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "stream/ladder.h"
#include "stream/pace.h"
#include "wire/delivery.h"
#include "wire/format.h"

enum {
    STEP_MS = 10, LOOK_MS = 500,
    KERNEL_BYTES = 24000,
    HEAD_BYTES = 34,                 // of a chunk beside its packets
    MOST_QUEUED = 4096,
    LEAD_S = 10,
    WINDOW_BYTES = 64 * 1024,        // that the client's kernel holds for its program
};

#define START_NS (UINT64_C(100) * NS_PER_SECOND)

// Bytes on their way, and what the client has once they are there.
struct parcel {
    uint64_t bytes_end, frame_end;
    enum format rung;
};

struct trip {
    // The link: bit/s at a time since the start; 0 while it stalls.
    double (*link)(double at_s);
    double stops_s;                  // when its program reads no more; 0: never
    double read_bytes;
    struct pace pace;
    struct ladder ladder;
    enum format rung;
    uint64_t cursor, sent_bytes;
    double moved_bytes;
    uint64_t held_until;             // the client has everything before this frame, but for what was skipped
    struct parcel parcels[MOST_QUEUED];
    int first, count;
    uint64_t writable_from;          // the kernel says so only when it has room for a third
    bool preroll;
    // What came of it.
    int downs, ups, skips, failed_ups;
    double closed_s, first_full_s, rung_s[FORMAT_OPUS_RUNGS], dry_s, last_change_s;
    const char *reason;
};

static uint64_t chunk_bytes(enum format rung)
{
    return format_bitrate(rung) / 80 + HEAD_BYTES;
}

static uint64_t preroll_bytes(enum format rung)
{
    return format_bitrate(rung) / 8 * 320 / 1000 + 64;
}

static double kernel_bytes(const struct trip *trip)
{
    return (double)trip->sent_bytes - trip->moved_bytes;
}

static bool trip_full(const struct trip *trip)
{
    return kernel_bytes(trip) > KERNEL_BYTES || trip->moved_bytes < (double)trip->writable_from;
}

static void trip_post(struct trip *trip, uint64_t bytes, uint64_t frame_end)
{
    assert_true(trip->count < MOST_QUEUED);
    trip->sent_bytes += bytes;
    trip->parcels[(trip->first + trip->count++) % MOST_QUEUED] =
        (struct parcel){.bytes_end = trip->sent_bytes, .frame_end = frame_end, .rung = trip->rung};
}

static int64_t frames_ns(int64_t frames)
{
    return frames * (int64_t)NS_PER_SECOND / FRAME_RATE;
}

static void trip_change(struct trip *trip, enum format rung, double at_s)
{
    trip->rung = rung;
    trip->preroll = true;
    trip->last_change_s = at_s;
}

static void trip_skip(struct trip *trip, uint64_t now_ns)
{
    uint64_t chunk = chunk_bytes(trip->rung), own = preroll_bytes(trip->rung) + chunk;
    uint64_t ahead_ns = ladder_safe_ns(&trip->ladder, (uint64_t)kernel_bytes(trip), own, 10 * chunk);
    uint64_t to = pace_live_frame(&trip->pace, now_ns) + frames_from_ns(ahead_ns);
    to = frames_round_up(to, CHUNK_FRAMES);
    if (to <= trip->cursor)
        return;
    trip->cursor = trip->pace.start_frame = to;
    trip->pace.start_ns = now_ns;
    trip->pace.catch_up_ns = 0;
    trip->preroll = true;
    trip->skips++;
}

static void trip_send(struct trip *trip, uint64_t now_ns)
{
    int at_once = 0;
    if (trip_full(trip))
        return;
    if (trip->cursor + CHUNK_FRAMES <= pace_live_frame(&trip->pace, now_ns))
        trip_skip(trip, now_ns);
    uint64_t owed_ns = now_ns - pace_due_ns(&trip->pace, trip->cursor);
    bool late = pace_send_ns(&trip->pace, trip->cursor) + 200 * NS_PER_MS < now_ns;
    if (trip->writable_from > 0 && late && (int64_t)owed_ns > (int64_t)(200 * NS_PER_MS))
        pace_catch_up(&trip->pace, now_ns, trip->cursor, ladder_stalled_ns(&trip->ladder, now_ns) >= NS_PER_SECOND);
    trip->writable_from = 0;
    while (at_once++ < PACE_AT_ONCE && pace_send_ns(&trip->pace, trip->cursor) <= now_ns) {
        if (trip->preroll)
            trip_post(trip, preroll_bytes(trip->rung), trip->cursor);
        trip->preroll = false;
        trip->cursor += CHUNK_FRAMES;
        trip_post(trip, chunk_bytes(trip->rung), trip->cursor);
    }
    if (kernel_bytes(trip) > KERNEL_BYTES)
        trip->writable_from = trip->sent_bytes - KERNEL_BYTES * 2 / 3;
}

static void trip_move(struct trip *trip, double at_s)
{
    double room = trip->link(at_s) / 8 * STEP_MS / 1000, window = trip->read_bytes + WINDOW_BYTES - trip->moved_bytes;
    room = room < window ? room : window;
    trip->moved_bytes += kernel_bytes(trip) < room ? kernel_bytes(trip) : room;
    if (trip->stops_s == 0 || at_s < trip->stops_s)
        trip->read_bytes = trip->moved_bytes;
    while (trip->count > 0 && (double)trip->parcels[trip->first].bytes_end <= trip->moved_bytes + 1e-6) {
        trip->held_until = trip->parcels[trip->first].frame_end;
        trip->first = (trip->first + 1) % MOST_QUEUED;
        trip->count--;
    }
}

static void trip_look(struct trip *trip, uint64_t now_ns, double at_s)
{
    uint64_t live = pace_live_frame(&trip->pace, now_ns);
    // As the server sees it, by bytes.
    int64_t on_the_way = (int64_t)(kernel_bytes(trip) * CHUNK_FRAMES / (double)chunk_bytes(trip->rung));
    uint64_t owed = pace_owed_until(&trip->pace, now_ns);
    if (!trip_full(trip) && owed > trip->cursor && owed - trip->cursor <= DELIVERY_MOST_FRAMES)
        owed = trip->cursor;
    struct ladder_view view = {
        .now_ns = now_ns, .sent_bytes = trip->sent_bytes, .moved_bytes = (uint64_t)trip->moved_bytes,
        .room_known = true, .taken_bytes = (uint64_t)trip->moved_bytes,
        .room_bytes = (uint64_t)(WINDOW_BYTES - (trip->moved_bytes - trip->read_bytes)),
        .lead_ns = frames_ns((int64_t)(trip->cursor - live) - on_the_way),
        .due_ns = frames_ns((int64_t)(owed - live)), .full = trip_full(trip),
        .can_lower = format_lower(trip->rung) != trip->rung, .can_raise = format_higher(trip->rung) != trip->rung,
    };
    if (view.full && trip->first_full_s == 0)
        trip->first_full_s = at_s;
    switch (ladder_look(&trip->ladder, &view, &trip->reason)) {
    case LADDER_STAY: break;
    case LADDER_DOWN:
        trip->downs++;
        trip_change(trip, format_lower(trip->rung), at_s);
        break;
    case LADDER_UP:
        trip->ups++;
        trip_change(trip, format_higher(trip->rung), at_s);
        break;
    case LADDER_SKIP:
        if (view.can_lower) {
            trip->downs++;
            trip_change(trip, format_lower(trip->rung), at_s);
        }
        trip_skip(trip, now_ns);
        break;
    case LADDER_CLOSE: trip->closed_s = at_s; break;
    }
}

// The server looks before it sends.
static struct trip travel_with_lead(double (*link)(double at_s), double seconds, double stops_s, uint64_t lead_s)
{
    static struct trip trip;
    uint64_t now_ns = START_NS;
    trip = (struct trip){.link = link, .stops_s = stops_s, .preroll = true,
                         .pace = {.lead.frames = lead_s * FRAME_RATE, .delivery_frames = DELIVERY_MOST_FRAMES,
                                  .phase_frames = 1000}};
    trip.cursor = trip.held_until = pace_start(&trip.pace, now_ns, true);
    ladder_begin(&trip.ladder, now_ns, lead_s * NS_PER_SECOND);
    for (int ms = 0; ms < seconds * 1000 && trip.closed_s == 0; ms += STEP_MS, now_ns += STEP_MS * NS_PER_MS) {
        if (ms % LOOK_MS == 0)
            trip_look(&trip, now_ns, ms / 1e3);
        trip_send(&trip, now_ns);
        trip_move(&trip, ms / 1e3);
        trip.rung_s[trip.rung] += STEP_MS / 1e3;
        if (trip.held_until < pace_live_frame(&trip.pace, now_ns))
            trip.dry_s += STEP_MS / 1e3;
    }
    return trip;
}

static struct trip travel_until(double (*link)(double at_s), double seconds, double stops_s)
{
    return travel_with_lead(link, seconds, stops_s, LEAD_S);
}

static struct trip travel(double (*link)(double at_s), double seconds)
{
    return travel_until(link, seconds, 0);
}

static void show(const char *name, const struct trip *trip)
{
    print_message("# %s: %.0f/%.0f/%.0f s at 128/64/32, %d down, %d up, %d skips, dry %.1f s, full at %.1f s, last "
                  "change at %.0f s, closed at %.1f s %s\n",
                  name, trip->rung_s[0], trip->rung_s[1], trip->rung_s[2], trip->downs, trip->ups, trip->skips,
                  trip->dry_s, trip->first_full_s, trip->last_change_s, trip->closed_s,
                  trip->reason ? trip->reason : "");
}

static double links_20(double s) { return 20e3; }
static double links_40(double s) { return 40e3; }
static double links_60(double s) { return 60e3; }
static double links_90(double s) { return 90e3; }
static double links_110(double s) { return 110e3; }
static double links_125(double s) { return 125e3; }
static double links_200(double s) { return 200e3; }
static double links_fast(double s) { return 50e6; }
static double stall(double s, double from, double length) { return s >= from && s < from + length ? 0 : 10e6; }
static double stalls_1(double s) { return stall(s, 30, 1); }
static double stalls_5(double s) { return stall(s, 30, 5); }
static double stalls_9(double s) { return stall(s, 30, 9); }
static double stalls_for_good(double s) { return s < 30 ? 10e6 : 0; }
static double never_moves(double s) { return 0; }
static double drips(double s) { return 2e3; }
static double trickles(double s) { return 6e3; }
static double recovers(double s) { return s < 120 ? 70e3 : 400e3; }
static double breaks_in(double s) { return s < 60 ? 400e3 : 70e3; }
// Half a second at four times the mean, then nothing for a second and a half.
static double bursts_of_200(double s) { return s - (int)(s / 2) * 2 < 0.5 ? 800e3 : 0; }
// 300 kb/s, but for three seconds of every twenty.
static double jitters(double s) { return s - (int)(s / 20) * 20 < 3 ? 5e3 : 300e3; }

static void whoever_can_have_it_all_has_it_all(void **state)
{
    double (*const links[])(double) = {links_200, links_fast, stalls_1, stalls_5, bursts_of_200, jitters};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        struct trip trip = travel(links[i], 600);
        show("good link", &trip);
        assert_int_equal(trip.closed_s, 0);
        assert_int_equal(trip.rung, FORMAT_OPUS);
        assert_true(trip.rung_s[FORMAT_OPUS] > 540 && trip.downs <= 1);
    }
}

// With the least lead a delivery is a quarter of it; where there is little trouble there is none.
static void a_short_lead_is_no_trouble(void **state)
{
    double (*const links[])(double) = {links_fast, stalls_1};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        struct trip trip = travel_with_lead(links[i], 600, 0, 2);
        show("short lead", &trip);
        assert_int_equal(trip.closed_s, 0);
        assert_int_equal(trip.downs + trip.skips, 0);
        assert_int_equal(trip.rung, FORMAT_OPUS);
    }
}

// No link that carries the lowest rung is closed, and none hears more than the first seconds' holes.
static void the_slow_go_down_and_stay_connected(void **state)
{
    double (*const links[])(double) = {links_40, links_60, links_90, links_110, links_125, breaks_in};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        struct trip trip = travel(links[i], 3600);
        show("slow link", &trip);
        assert_int_equal(trip.closed_s, 0);
        assert_true(trip.downs > 0);
        assert_true(trip.dry_s < 20);
    }
}

// What does not last is tried again, but ever more seldom.
static void nobody_flaps(void **state)
{
    double (*const links[])(double) = {links_40, links_60, links_90, links_110, links_125, breaks_in};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        struct trip trip = travel(links[i], 3600);
        assert_true(trip.ups <= 20);
    }
    struct trip trip = travel(links_90, 3600);
    assert_true(trip.rung_s[FORMAT_OPUS_64] > 2400);
    assert_true(trip.skips <= 2);
}

static void who_recovers_is_back_in_time(void **state)
{
    struct trip trip = travel(recovers, 600);
    show("recovers", &trip);
    assert_int_equal(trip.closed_s, 0);
    assert_int_equal(trip.rung, FORMAT_OPUS);
    assert_true(trip.last_change_s < 120 + 120);
}

static void nothing_moves_and_it_is_over(void **state)
{
    double (*const links[])(double) = {stalls_for_good, never_moves, drips, trickles};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        struct trip trip = travel(links[i], 200);
        show("stalled", &trip);
        assert_true(trip.closed_s - trip.first_full_s >= 7 && trip.closed_s - trip.first_full_s <= 15.5);
        assert_non_null(trip.reason);
    }
}

// A stall of nine seconds ends one that fills its socket within two; either way nobody goes down for it.
static void a_long_stall_is_no_slowness(void **state)
{
    struct trip trip = travel(stalls_9, 600);
    show("stall of 9 s", &trip);
    assert_int_equal(trip.downs, 0);
}

static void too_slow_for_the_lowest_rung_is_told_so(void **state)
{
    struct trip trip = travel(links_20, 600);
    show("20 kb/s", &trip);
    assert_true(trip.closed_s > 15 && trip.closed_s < 120);
    assert_string_equal(trip.reason, "slower than the lowest bit rate");
}

// A burst that a link cannot follow is no debt, as long as it gains on the playhead.
static void a_burst_is_no_debt(void **state)
{
    struct ladder ladder;
    struct ladder_view view = {.now_ns = START_NS, .can_lower = true};
    const char *reason;
    ladder_begin(&ladder, START_NS, LEAD_S * NS_PER_SECOND);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(ladder_look(&ladder, &view, &reason), LADDER_STAY);
        view.now_ns += 500 * NS_PER_MS;
        view.moved_bytes += 9000;
        view.sent_bytes = view.moved_bytes + 20000;
        view.lead_ns += (int64_t)(60 * NS_PER_MS);
        view.due_ns = view.lead_ns + 2 * (int64_t)NS_PER_SECOND;
        view.full = true;
    }
}

static void a_short_lead_has_lower_limits(void **state)
{
    struct ladder ladder;
    ladder_begin(&ladder, START_NS, NS_PER_SECOND);
    assert_int_equal(ladder.low_ns, 400 * NS_PER_MS);
    assert_int_equal(ladder.least_ns, 100 * NS_PER_MS);
    assert_int_equal(ladder.slack_ns, 250 * NS_PER_MS);
    ladder_begin(&ladder, START_NS, 60 * NS_PER_SECOND);
    assert_int_equal(ladder.low_ns, 4 * NS_PER_SECOND);
    assert_int_equal(ladder.least_ns, NS_PER_SECOND);
}

// A peer as its kernel shows it: so many bytes are sent to it, and it reads so many, between two looks.
struct reader {
    struct ladder ladder;
    struct ladder_view view;
    uint64_t queued_bytes;
};

static struct reader reader_begin(void)
{
    struct reader reader = {.view = {.now_ns = START_NS, .room_known = true, .room_bytes = WINDOW_BYTES}};
    ladder_begin(&reader.ladder, START_NS, 10 * NS_PER_SECOND);
    return reader;
}

// A look a second, for so many. Returns when it was closed, in seconds from now; 0: it was not.
static int reader_looks(struct reader *reader, int seconds, uint64_t sent_bytes, uint64_t read_bytes)
{
    struct ladder_view *view = &reader->view;
    const char *reason;
    for (int i = 1; i <= seconds; i++) {
        uint64_t room = view->room_bytes * 20 / 13, taken = sent_bytes < room ? sent_bytes : room;
        view->now_ns += NS_PER_SECOND;
        view->sent_bytes = view->moved_bytes = view->taken_bytes += taken;
        reader->queued_bytes += taken;
        reader->queued_bytes -= read_bytes < reader->queued_bytes ? read_bytes : reader->queued_bytes;
        view->room_bytes = WINDOW_BYTES - reader->queued_bytes * 13 / 20;
        if (ladder_look(&reader->ladder, view, &reason) == LADDER_CLOSE) {
            assert_string_equal(reason, "nothing was read for 8 seconds");
            return i;
        }
    }
    return 0;
}

// The peer's kernel takes it all, but has less and less room: nobody reads. At every bit rate within fifteen seconds.
static void whose_room_shrinks_does_not_read(void **state)
{
    for (int kbit = 128; kbit >= 32; kbit /= 2) {
        struct reader reader = reader_begin();
        uint64_t bytes = (uint64_t)kbit * 125;
        assert_int_equal(reader_looks(&reader, 30, bytes, bytes), 0);
        int closed_s = reader_looks(&reader, 30, bytes, 0);
        assert_true(closed_s >= 8 && closed_s <= 14);
    }
}

// Behind a proxy, say, whose buffers are full: hardly anything is read at a time, but it is.
static void who_reads_slowly_is_left_alone(void **state)
{
    struct reader reader = reader_begin();
    assert_int_equal(reader_looks(&reader, 20, 16000, 16000), 0);
    assert_int_equal(reader_looks(&reader, 120, 16000, 6000), 0);
    assert_int_equal(reader_looks(&reader, 20, 16000, 64000), 0);
    assert_int_equal(reader_looks(&reader, 120, 16000, 2000), 0);
    assert_int_equal(reader_looks(&reader, 20, 16000, 64000), 0);
    assert_int_not_equal(reader_looks(&reader, 14, 16000, 0), 0);
}

// What was read last of a burst is not told by every kernel when nothing comes after it.
static void who_pauses_is_left_alone(void **state)
{
    struct reader reader = reader_begin();
    for (int i = 0; i < 5; i++) {
        assert_int_equal(reader_looks(&reader, 1, 32000, 0), 0);
        assert_int_equal(reader_looks(&reader, i == 0 ? 6 : 30, 0, 0), 0);
        assert_int_equal(reader_looks(&reader, 1, 16000, 48000), 0);
    }
}

// Its kernel goes on taking what comes for seconds.
static void a_program_that_reads_no_more_is_found_out(void **state)
{
    for (int stops_s = 3; stops_s < 60; stops_s += 19) {
        struct trip trip = travel_until(links_fast, 100, stops_s);
        show("reads no more", &trip);
        assert_true(trip.closed_s > stops_s + 7 && trip.closed_s <= stops_s + 10);
        assert_string_equal(trip.reason, "nothing was read for 8 seconds");
    }
}

// On a clock of twenty times the speed a peer has seven real seconds all the same.
static void a_fast_clock_is_no_dead_peer(void **state)
{
    struct ladder ladder;
    struct ladder_view view = {.now_ns = START_NS, .full = true, .lead_ns = 60 * (int64_t)NS_PER_SECOND};
    const char *reason;
    ladder_begin(&ladder, START_NS, 60 * NS_PER_SECOND);
    ladder_set_speed(&ladder, 20);
    for (; view.now_ns < START_NS + 139 * NS_PER_SECOND; view.now_ns += NS_PER_SECOND)
        assert_int_equal(ladder_look(&ladder, &view, &reason), LADDER_STAY);
    view.now_ns += NS_PER_SECOND;
    assert_int_equal(ladder_look(&ladder, &view, &reason), LADDER_CLOSE);
    assert_string_equal(reason, "nothing was read for 7 seconds");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_can_have_it_all_has_it_all),
        cmocka_unit_test(a_short_lead_is_no_trouble),
        cmocka_unit_test(the_slow_go_down_and_stay_connected),
        cmocka_unit_test(nobody_flaps),
        cmocka_unit_test(who_recovers_is_back_in_time),
        cmocka_unit_test(nothing_moves_and_it_is_over),
        cmocka_unit_test(a_long_stall_is_no_slowness),
        cmocka_unit_test(too_slow_for_the_lowest_rung_is_told_so),
        cmocka_unit_test(a_burst_is_no_debt),
        cmocka_unit_test(a_short_lead_has_lower_limits),
        cmocka_unit_test(whose_room_shrinks_does_not_read),
        cmocka_unit_test(who_reads_slowly_is_left_alone),
        cmocka_unit_test(who_pauses_is_left_alone),
        cmocka_unit_test(a_program_that_reads_no_more_is_found_out),
        cmocka_unit_test(a_fast_clock_is_no_dead_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
